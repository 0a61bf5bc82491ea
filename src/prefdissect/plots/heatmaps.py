"""Judges or groups against properties, in colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from prefdissect.errors import DataError
from prefdissect.plots.style import DIVERGING, ROW, TEXT, clean, new_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_heatmap"]

_MOST_NUMBERS, _MOST_NARROW = 12, 5  # columns, up to which numbers fit into the cells, and into one column's width
_LETTERS = 60  # of names side by side in two columns' width


def plot_heatmap(
    table: pd.DataFrame,
    ax: Axes | None = None,
    *,
    columns: Literal["judge", "group"] = "judge",
    value: str = "probability",
    wide: bool = False,
) -> Axes:
    """Draw properties (rows, the most preferred first) against judges or groups (columns).

    Two columns wide if `wide`, or where numbers of so many columns would not fit into one.

    `table` has label, `columns` and `value` (`probability`, or `mean` for weights), one row per cell.

    Raises
    ------
    DataError
        If nothing is fitted, or cells have several rows.
    """
    known = table[table[value].notna()]
    if known.empty:
        raise DataError("nothing is fitted, so there is nothing to draw")
    if known.duplicated(["label", columns]).any():
        raise DataError(f"several rows for one property and {columns}; choose one judge or group first, with .sel()")
    names = list(dict.fromkeys(known[columns]))
    cells = known.pivot(index="label", columns=columns, values=value)[names]
    cells = cells.loc[cells.mean(axis=1).sort_values(ascending=False, kind="stable").index]
    neutral = 0.5 if value == "probability" else 0.0
    reach = float(np.nanmax(np.abs(cells.to_numpy() - neutral))) or 1.0
    longest, wide = max(map(len, map(str, names))), wide or len(names) > _MOST_NARROW
    upright = sum(map(len, map(str, names))) > (_LETTERS if wide else _LETTERS / 3)
    ax = new_axes(ax, rows=len(cells) + 0.45 * longest, wide=wide)
    image = ax.imshow(cells, cmap=DIVERGING, vmin=neutral - reach, vmax=neutral + reach, aspect="auto")
    ax.set_xticks(range(len(names)), [plain(n) for n in names], rotation=90 if upright else 0, fontsize=TEXT)
    clean(ax, [str(label) for label in cells.index])
    ax.set_ylim(len(cells) - 0.5, -0.5)
    ax.spines[["left", "bottom"]].set_visible(False)
    if len(names) <= _MOST_NUMBERS:
        for i, row in enumerate(cells.to_numpy()):
            for j, number in enumerate(row):
                if np.isfinite(number):
                    dark = abs(number - neutral) > 0.65 * reach
                    said = f"{100 * number:.0f}" if value == "probability" else f"{number:+.2f}"
                    ax.text(j, i, said, ha="center", va="center", fontsize=6.5, color="white" if dark else "black")
    bar = ax.figure.colorbar(image, ax=ax, shrink=min(1.0, 8 * ROW / (ROW * len(cells))), pad=0.02)
    bar.set_label("probability" if value == "probability" else "weight (log-odds)", fontsize=TEXT)
    bar.ax.tick_params(labelsize=TEXT)
    return ax
