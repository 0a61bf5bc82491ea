"""`prefdissect plot`: one figure of a saved dissection, as PDF, PNG or SVG."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from prefdissect._typing import check_choice
from prefdissect.cli.options import check_can_write
from prefdissect.cli.running import errors_told, run_and_tell
from prefdissect.errors import OptionError

if TYPE_CHECKING:
    from prefdissect.dissection import Dissection
    from prefdissect.plots import Axes

__all__ = ["plot"]

_Figure: TypeAlias = Literal[
    "probabilities", "forest", "judges", "groups", "similarity", "ceiling", "contrast", "pair", "calibration"
]
_Format: TypeAlias = Literal[".pdf", ".png", ".svg"]


def plot(
    result: Annotated[Path, typer.Argument(metavar="RESULT.nc", help="What `prefdissect dissect --out` saved.")],
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="probabilities, forest, judges, groups, similarity, ceiling, contrast, pair or calibration.",
        ),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A .pdf, .png or .svg file.")],
    judge: Annotated[
        list[str] | None, typer.Option("--judge", "-j", help="Judge; repeat for several. Default: all.")
    ] = None,
    group: Annotated[str | None, typer.Option(help="Group. Default: the mean over scenarios.")] = None,
    pair: Annotated[str | None, typer.Option(help="Pair to explain, with kind `pair`.")] = None,
    wide: Annotated[
        bool,
        typer.Option("--wide", help="Two columns of a paper wide; similarity always is."),
    ] = False,
) -> None:
    """Draw one figure of a saved dissection."""
    from prefdissect.dissection import Dissection

    with errors_told():
        check_choice("KIND", kind, _Figure)
        check_choice("OUT's ending", out.suffix.casefold(), _Format)
        check_can_write(out)
        ax = run_and_tell(_draw, Dissection.load(result), kind, judge or None, group, pair, wide)
        ax.figure.savefig(out)
        typer.echo(f"wrote {out}")


def _draw(
    result: Dissection, kind: str, judge: list[str] | None, group: str | None, pair: str | None, wide: bool
) -> Axes:
    if kind in ("similarity", "ceiling"):
        similarity = (result.sel(judge=judge) if judge else result).similarity()
        return similarity.plot(group=group) if kind == "similarity" else similarity.plot_ceiling(group=group, wide=wide)
    if kind == "contrast":
        if judge is None or len(judge) != 2:
            raise OptionError(f"kind 'contrast' compares two judges: --judge A --judge B; there are {result.judges}")
        from prefdissect.plots import plot_contrast

        return plot_contrast(result.contrast(*judge, group=group), names=(judge[0], judge[1]), wide=wide)
    if kind == "pair":
        if pair is None:
            raise OptionError("kind 'pair' explains one pair: name it in --pair")
        return result.explain(pair, _one(judge), group).plot(wide=wide)
    if kind == "calibration":
        return result.sel(judge=judge, group=group).cross_validate().plot()
    return result.plot(kind, judge=judge, group=group, wide=wide)  # type: ignore[arg-type]  # checked above


def _one(judge: list[str] | None) -> str | None:
    if judge is not None and len(judge) > 1:
        raise OptionError(f"a pair is explained for one judge; --judge was given {len(judge)} times")
    return judge[0] if judge else None
