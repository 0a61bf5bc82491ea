"""Where two judges, or one judge in two groups, differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from prefdissect.errors import DataError
from prefdissect.plots.style import COLOURS, GREY, TEXT, clean, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_contrast"]


def plot_contrast(
    table: pd.DataFrame, ax: Axes | None = None, *, names: tuple[str, str] = ("a", "b"), wide: bool = False
) -> Axes:
    """Draw the difference of weights, property by property, with intervals; those that exclude 0 in colour.

    `table` is that of `contrast()`: label, difference, lower, upper. `names`: of the two sides.

    Raises
    ------
    DataError
        If the table is empty.
    """
    known = table[table["difference"].notna()].sort_values("difference", ascending=False, kind="stable")
    if known.empty:
        raise DataError("no difference is known, so there is nothing to draw")
    ax = new_axes(ax, rows=len(known) + 2, wide=wide)
    ax.axvline(0, color=GREY, linewidth=0.8, linestyle=(0, (3, 2)), zorder=0)
    for i, (difference, lower, upper) in enumerate(known[["difference", "lower", "upper"]].to_numpy(dtype=float)):
        sure = lower > 0 or upper < 0
        colour = COLOURS[0 if difference > 0 else 1] if sure else "#B1B8C0"
        ax.hlines(i, lower, upper, color=colour, linewidth=1.4)
        ax.plot(difference, i, "o", color=colour, markersize=3.5)
    clean(ax, known["label"].tolist())
    reach = float(np.nanmax(np.abs(known[["lower", "upper"]].to_numpy())))
    ax.set_xlim(-1.05 * reach, 1.05 * reach)
    ax.set_xlabel(f"difference of weights (log-odds)\nmore in {names[1]}  |  more in {names[0]}")
    ax.xaxis.label.set_fontsize(TEXT)
    return ax
