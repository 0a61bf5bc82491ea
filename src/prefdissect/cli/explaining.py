"""`prefdissect explain`: why one pair of a saved dissection went as it did."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prefdissect.cli.options import check_can_write
from prefdissect.cli.running import errors_told, run_and_tell

__all__ = ["explain"]


def explain(
    result: Annotated[Path, typer.Argument(metavar="RESULT.nc", help="What `prefdissect dissect --out` saved.")],
    pair: Annotated[str, typer.Argument(metavar="PAIR", help="Id of the pair to explain.")],
    judge: Annotated[
        str | None, typer.Option("--judge", "-j", help="Judge; may be left out where there is one only.")
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Group; may be left out where the pair is in one fitted scenario.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Write all properties, those too that do not differ, to this CSV file.")
    ] = None,
) -> None:
    """Explain one pair: what each property adds to the log-odds and to the probability of A."""
    from prefdissect.dissection import Dissection

    with errors_told():
        check_can_write(csv)
        explanation = run_and_tell(Dissection.load(result).explain, pair, judge, group)
        typer.echo(repr(explanation))
        if csv is not None:
            explanation.table.to_csv(csv, index=False)
            typer.echo(f"\nwrote {csv}")
