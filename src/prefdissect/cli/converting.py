"""`prefdissect convert`: data of any layout as a tidy table, or as AnnotatedPairs JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prefdissect.cli.options import Format, Revision, Schema, Split, find_schema
from prefdissect.cli.running import errors_told

__all__ = ["convert"]


def convert(
    source: Annotated[str, typer.Argument(metavar="IN", help="File, folder, or address on the hub.")],
    target: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="Tidy parquet, CSV or JSON Lines; .json is AnnotatedPairs."),
    ],
    format: Format = None,
    schema: Schema = None,
    split: Split = None,
    revision: Revision = None,
    measure: Annotated[bool, typer.Option("--measure", help="Measure the texts, and write the ratings too.")] = False,
) -> None:
    """Write data of any layout that can be read as a tidy table, or as AnnotatedPairs JSON."""
    from prefdissect.data import load
    from prefdissect.text import measure_text, rate_if_unrated

    with errors_told():
        data = load(source, format=format, schema=find_schema(schema), split=split, revision=revision)
        asked = rate_if_unrated(data) if data.vocabulary is not None else data
        data = measure_text(data) if measure and asked is data else asked
        written = data.to_annotated_pairs(target) if target.suffix.lower() == ".json" else data.to_file(target)
        typer.echo(f"{data.report}\n\nwrote {written}")
