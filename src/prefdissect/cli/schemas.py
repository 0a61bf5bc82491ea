"""`prefdissect schema`: the properties of a schema."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prefdissect.cli.options import find_schema
from prefdissect.cli.printing import print_table
from prefdissect.cli.running import errors_told

__all__ = ["schema"]


def schema(
    name: Annotated[str, typer.Argument(metavar="[PAPER|TEXT|FILE]", help="Which schema.")] = "paper",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write it to this YAML or JSON file.")] = None,
) -> None:
    """Print the properties of a schema, or write them to a file to start your own from."""
    from prefdissect.schema import PropertySchema

    with errors_told():
        found = find_schema(name)
        properties = found if isinstance(found, PropertySchema) else PropertySchema.from_file(found)
        if out is not None:
            typer.echo(f"wrote {properties.to_file(out)}")
            return
        typer.echo(f"{properties.name}: {len(properties)} properties\n")
        table = properties.to_frame()[["id", "label", "kind", "group", "direction", "description"]]
        print_table(table.assign(description=table["description"].map(_shorten)))


def _shorten(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
