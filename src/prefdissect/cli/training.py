"""`prefdissect pairs`: pairs to train a model on, labelled by a saved dissection."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prefdissect._typing import PairForm, check_choice
from prefdissect.cli.options import as_source, check_can_write
from prefdissect.cli.running import errors_told, run_and_tell

__all__ = ["pairs"]


def pairs(
    result: Annotated[Path, typer.Argument(metavar="RESULT.nc", help="What `prefdissect dissect --out` saved.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write: .jsonl, .json or .parquet.")],
    judge: Annotated[
        str | None, typer.Option("--judge", "-j", help="Judge; may be left out where there is one only.")
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(help="The pairs with their texts, which RESULT.nc lacks, or others; repeat for several files."),
    ] = None,
    margin: Annotated[float, typer.Option(help="Leave out pairs whose probability is within 0.5 plus or minus it.")] = (
        0.15
    ),
    direction: Annotated[str, typer.Option(help="toward the judge, or away from it.")] = "toward",
    scenario: Annotated[
        list[str] | None, typer.Option(help="Label the pairs of this group only; repeat for several.")
    ] = None,
    form: Annotated[str, typer.Option(help="standard: texts; conversational: turns, for a chat template.")] = (
        "standard"
    ),
) -> None:
    """Write pairs to train a model on, in TRL's preference format, and a card that says what they are."""
    from prefdissect.audit import card_path
    from prefdissect.dissection import Dissection

    with errors_told():
        check_choice("--form", form, PairForm)
        check_can_write(out)
        labelled = run_and_tell(
            Dissection.load(result).preference_pairs,
            as_source(data) if data else None,
            judge,
            margin=margin,
            direction=direction,
            scenario=scenario or None,
        )
        typer.echo(repr(labelled))
        labelled.to_file(out, form=form)
        typer.echo(f"\nwrote {out} and {card_path(out)}")
