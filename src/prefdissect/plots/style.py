"""What all figures share: sizes of a paper's columns, colours, and Axes where none are given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COLOURS", "DIVERGING", "GREY", "MARKERS", "ROW", "TEXT", "clean", "legend_above", "new_axes", "plain"]

# Okabe and Ito 2008, Color Universal Design: told apart by colour-blind readers.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8A7D00")
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")
GREY = "#6E7781"
DIVERGING = "RdBu_r"
TEXT = 8.0  # points
ROW = 0.17  # inches, a line of text with air
_NARROW, _WIDE, _PAGE = 3.4, 7.0, 9.0  # inches: one and two columns, and the height of a page


def new_axes(ax: Axes | None, *, rows: float, wide: bool = False, least: float = 2.0) -> Axes:
    """Return `ax`, or the Axes of a new figure as high as so many rows of text, one or two columns wide."""
    if ax is not None:
        return ax
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = _WIDE if wide else _NARROW, min(max(least, ROW * rows + 0.7), _PAGE)
    figure = Figure(figsize=size, layout="constrained", dpi=150)
    FigureCanvasAgg(figure)
    return figure.add_subplot()


def plain(name: object) -> str:
    r"""Return a name as matplotlib draws it letter by letter.

    It reads `$...$` as mathematics, and leaves names that begin with `_` out of legends.
    """
    text = str(name).replace("$", r"\$")
    return f"\u200b{text}" if text.startswith("_") else text  # a space of no width


def legend_above(ax: Axes) -> None:
    """Name the series above the Axes, one a line, from the left edge of the figure, where long names have room."""
    ax.legend(fontsize=TEXT, frameon=False, loc="lower right", bbox_to_anchor=(1, 1), borderpad=0, labelspacing=0.2)


def clean(ax: Axes, labels: Sequence[str] | None = None) -> Axes:
    """Return the Axes without the frame; with `labels` as rows from top to bottom."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=TEXT, length=2)
    for label in (ax.xaxis.label, ax.yaxis.label, ax.title):
        label.set_fontsize(TEXT)
    if labels is not None:
        ax.set_yticks(range(len(labels)), [plain(label) for label in labels], fontsize=TEXT)
        ax.set_ylim(len(labels) - 0.4, -0.6)
        ax.tick_params(axis="y", length=0)
    return ax
