"""`prefdissect audit`: how far a judge, or a benchmark built on it, can be gamed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prefdissect.cli.options import (
    Cases,
    Cluster,
    Format,
    Revision,
    Scenario,
    Schema,
    Seed,
    Split,
    as_source,
    find_schema,
)
from prefdissect.cli.running import errors_told, run_and_tell
from prefdissect.errors import FileFormatError, OptionError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["audit"]

_RESULT = ".nc"


def audit(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="RESULT.nc|FILE...", help="What `prefdissect dissect --out` saved, or the pairs of a benchmark."
        ),
    ],
    judge: Annotated[
        list[str] | None, typer.Option("--judge", "-j", help="Judge; repeat for several. Default: all.")
    ] = None,
    property: Annotated[
        list[str] | None,
        typer.Option("--property", help="Property to audit, rated or measured; repeat. Of FILE only."),
    ] = None,
    hold_equal: Annotated[
        list[str] | None,
        typer.Option("--hold-equal", help="Property to hold equal in the leaderboard; repeat. Default: length."),
    ] = None,
    blind: Annotated[
        list[str] | None,
        typer.Option("--blind", help="Property that needs no prompt; repeat. Default: those of TEXT that do not."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(help="Subsets: scenario (the default), case, both, none, or a column. Of FILE only."),
    ] = None,
    encoding: Annotated[str, typer.Option(help="Of what is held equal: comparison, diff or norm_diff.")] = "comparison",
    unparsed: Annotated[
        str, typer.Option(help="Raw win rates drop a verdict that could not be read, or count it half: drop or half.")
    ] = "drop",
    folds: Annotated[int, typer.Option(help="Folds of prompts for held-out shares.")] = 10,
    together: Annotated[
        int | None, typer.Option("--together", help="Most properties to combine. Default: 5. Of RESULT.nc only.")
    ] = None,
    skipna: Annotated[
        bool, typer.Option("--skipna", help="Average over the scenarios that have a fit. Of RESULT.nc only.")
    ] = False,
    schema: Schema = None,
    scenario: Scenario = None,
    case: Cases = None,
    cluster: Cluster = None,
    format: Format = None,
    split: Split = None,
    revision: Revision = None,
    csv: Annotated[Path | None, typer.Option(help="Write all tables as CSV files into this folder.")] = None,
    seed: Seed = 0,
) -> None:
    """Tell how far a saved dissection's judges, or a benchmark, can be gamed; no model is asked."""
    from prefdissect.audit import audit_benchmark as run
    from prefdissect.data import load_for
    from prefdissect.dissection import Dissection

    how = {
        "hold_equal": hold_equal or ("length",),
        "blind": blind or None,
        "encoding": encoding,
        "unparsed": unparsed,
        "folds": folds,
        "random_seed": seed,
    }
    with errors_told():
        check_folder(csv)
        tables: dict[str, pd.DataFrame] = {}
        of_pairs = {"property": property, "by": by, "schema": schema, "scenario": scenario, "case": case}
        of_pairs |= {"cluster": cluster, "format": format, "split": split, "revision": revision}
        if is_result(files):
            refuse(of_pairs, "pairs; a saved dissection has its own")
            result = Dissection.load(files[0])
            gamed = run_and_tell(result.exploitability, judge or None, m=together or 5, skipna=skipna)
            typer.echo(f"{gamed!r}\n")
            tables = {"exploitability": gamed.table, "together": gamed.best}
            found = run_and_tell(result.audit, judge or None, **how)
        else:
            refuse({"together": together, "skipna": skipna or None}, "a saved dissection, RESULT.nc")
            columns = {"scenario": scenario, "cases": case or (), "cluster": cluster}
            reading = {"format": format, "split": split, "revision": revision}
            data = load_for(as_source(files), judge or None, find_schema(schema), **reading, **columns)  # type: ignore[arg-type]
            grouped = None if (by or "").casefold() == "none" else by or "scenario"
            found = run_and_tell(run, data, judge or None, property or None, by=grouped, **how)
        typer.echo(repr(found))
        tables |= {name: getattr(found, name) for name in ("rules", "subsets", "leaderboard", "weights", "left_out")}
        if csv is not None:
            write_tables(tables, csv)


def is_result(files: list[str]) -> bool:
    """Whether a saved dissection is meant; raises `OptionError` where it is one file among several."""
    saved = [name for name in files if name.casefold().endswith(_RESULT)]
    if saved and len(files) > 1:
        raise OptionError(f"{saved[0]!r} is a saved dissection, which is audited alone; {len(files)} files were given")
    return bool(saved)


def refuse(given: Mapping[str, object], of: str) -> None:
    """Raise `OptionError` where an option was given that means nothing here."""
    for name, value in given.items():
        if value is not None and value != []:
            raise OptionError(f"--{name} is an option of {of}; leave it out")


def check_folder(folder: Path | None) -> None:
    """Raise `FileFormatError` where a folder could not be made: before the work, not after it."""
    if folder is not None and (folder.is_file() or not folder.parent.is_dir()):
        raise FileFormatError(f"cannot write into {str(folder)!r}: it is a file, or there is no folder above it")


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write each table that has rows to a CSV file of its name."""
    folder.mkdir(exist_ok=True)
    for name, table in tables.items():
        if len(table):
            table.to_csv(folder / f"{name}.csv", index=False)
            typer.echo(f"wrote {folder / f'{name}.csv'}")
