"""`prefdissect check`: whether the fits of a saved dissection can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prefdissect.cli.options import check_can_write
from prefdissect.cli.running import errors_told, run_and_tell

__all__ = ["check"]


def check(
    result: Annotated[Path, typer.Argument(metavar="RESULT.nc", help="What `prefdissect dissect --out` saved.")],
    csv: Annotated[Path | None, typer.Option(help="Write the findings about every fit to this CSV file.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="End with status 1 if a finding says stop.")] = False,
) -> None:
    """Check a saved dissection: findings that say ok, look or stop, and what to do."""
    from prefdissect.dissection import Dissection

    with errors_told():
        check_can_write(csv)
        checks = run_and_tell(Dissection.load(result).check)
        typer.echo(repr(checks))
        if csv is not None:
            checks.to_frame().to_csv(csv, index=False)
            typer.echo(f"\nwrote {csv}")
    if strict and checks.level == "stop":
        raise typer.Exit(1)
