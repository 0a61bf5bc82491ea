"""Options that several commands share."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from prefdissect.errors import FileFormatError, OptionError, choices

__all__ = [
    "Cases",
    "Cluster",
    "Scenario",
    "Files",
    "Format",
    "Revision",
    "Schema",
    "Seed",
    "Split",
    "as_source",
    "check_can_write",
    "find_schema",
    "tell_schema_beside",
]

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help="Parquet, CSV, JSON or JSON Lines; a folder; an address hf://datasets/OWNER/NAME; several that belong "
        "together.",
    ),
]
Format = Annotated[str | None, typer.Option("--format", help="Layout, where it is not recognised.")]
Split = Annotated[str | None, typer.Option("--split", help="Split of a data set on the hub.")]
Revision = Annotated[str | None, typer.Option("--revision", help="Revision of a data set on the hub.")]
Schema = Annotated[
    str | None,
    typer.Option(
        "--schema",
        help="How properties are rated: paper, text (measured from the texts, whatever else is rated), or a YAML or "
        "JSON file.",
    ),
]
Scenario = Annotated[str | None, typer.Option("--scenario", help="Column that names the scenario.")]
Cases = Annotated[
    list[str] | None, typer.Option("--case", help="Column that marks a case, true or false; repeat for several.")
]
Cluster = Annotated[str | None, typer.Option("--cluster", help="Column of pairs that are not independent.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the draws; the same seed gives the same numbers.")]


def as_source(files: Sequence[str]) -> str | list[str]:
    """Return one file alone, and several as a list."""
    return files[0] if len(files) == 1 else list(files)


def check_can_write(*paths: Path | None) -> None:
    """Raise `FileFormatError` where a file could not be written: before the work, not after it."""
    for path in paths:
        if path is None:
            continue
        if not path.parent.is_dir():
            raise FileFormatError(f"cannot write {str(path)!r}: there is no folder {str(path.parent)!r}")
        if path.is_dir():
            raise FileFormatError(f"cannot write {str(path)!r}: it is a folder; name a file in it")
        try:
            tempfile.TemporaryFile(dir=path.parent).close()
        except OSError as error:
            raise FileFormatError(
                f"cannot write {str(path)!r}: nothing can be written in {str(path.parent.absolute())!r} "
                f"({error.strerror}); name another folder"
            ) from None


def tell_schema_beside(files: Sequence[str], schema: str | None) -> None:
    """Say that a schema lies beside the file, as `annotate` and `convert` leave one, where none is asked for."""
    path = Path(files[0])
    beside = path.with_name(f"{path.name.removesuffix('.gz').rpartition('.')[0]}.schema.yaml")
    if schema is None and len(files) == 1 and path.is_file() and beside.is_file():
        typer.echo(f"note: {beside} says how these columns are rated: --schema {beside}", err=True)


def find_schema(name: str | None) -> Any:
    """Return a schema of the package by its name, else the path of a file; raises `OptionError` if there is none."""
    from prefdissect.schema import PAPER
    from prefdissect.text import TEXT

    if name is None:
        return None
    named = {"paper": PAPER, "text": TEXT}
    if name.casefold() not in named and not Path(name).exists():
        raise OptionError(f"--schema={name!r} is no file, and no schema of that name; {choices(name, named)}")
    return named.get(name.casefold(), name)
