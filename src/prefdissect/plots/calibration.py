"""Do predictions come true as often as they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from prefdissect.plots.style import COLOURS, GREY, TEXT, clean, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_calibration"]


def plot_calibration(table: pd.DataFrame, ax: Axes | None = None, *, wide: bool = False) -> Axes:
    """Draw observed shares with intervals against predicted probabilities; on the diagonal the fit is calibrated.

    `table` is that of `HeldOut.calibration()`: predicted, observed, lower, upper, n.
    """
    ax = new_axes(ax, rows=15, wide=wide)
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=(0, (3, 2)))
    ax.vlines(table["predicted"], table["lower"], table["upper"], color=COLOURS[0], linewidth=1.2)
    ax.plot(table["predicted"], table["observed"], "o", color=COLOURS[0], markersize=4)
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    ax.set_xlabel("predicted probability of A", fontsize=TEXT)
    ax.set_ylabel("share in which A was preferred (95% interval)", fontsize=TEXT)
    return clean(ax)
