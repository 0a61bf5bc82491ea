"""One pair: from two equal responses to the probability that A is preferred, property by property."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from prefdissect.plots.style import COLOURS, GREY, TEXT, clean, new_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_waterfall"]

_MOST = 12  # bars


def plot_waterfall(table: pd.DataFrame, ax: Axes | None = None, *, title: str = "", wide: bool = False) -> Axes:
    """Draw how the Shapley values of properties add up from 1/2 to the probability of A, the largest first.

    `table` is that of an `Explanation`: label, comparison, shapley, shapley_lower, shapley_upper. Properties in which
    the responses are equal are left out; beyond twelve, the smallest are one bar, without an interval.
    """
    shown = _shorten(table[table["comparison"] != 0])
    ax = new_axes(ax, rows=len(shown) + 3, wide=wide)
    start = 0.5
    values = shown[["shapley", "shapley_lower", "shapley_upper"]].to_numpy(dtype=float)
    for i, (value, lower, upper) in enumerate(values):
        end, more = start + value, value > 0
        ax.barh(i, value, left=start, height=0.62, color=COLOURS[0] if more else COLOURS[1])
        outer = [start, end]
        if np.isfinite(lower):
            ends = start + lower, start + upper
            ax.hlines(i, *ends, color="black", linewidth=0.8)
            outer += ends
        ax.plot([end, end], [i, i + 1], color=GREY, linewidth=0.6)
        ax.annotate(
            f"{value:+.2f}",
            (max(outer), i),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=TEXT - 1,
        )
        start = end
    ax.plot(start, len(shown), "D", color="black", markersize=5)
    total = f"{100 * start:.0f}%"
    ax.annotate(total, (start, len(shown)), xytext=(6, 0), textcoords="offset points", va="center", fontsize=TEXT)
    ax.axvline(0.5, color=GREY, linewidth=0.8, linestyle=(0, (3, 2)), zorder=0)
    clean(ax, [*shown["label"], "A is preferred"])
    low, high = ax.get_xlim()
    ax.set_xlim(low - 0.03 * (high - low), high + 0.16 * (high - low))  # room for the numbers
    ax.set_xlabel("probability that A is preferred", fontsize=TEXT)
    ax.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
    ax.set_title(plain(title), fontsize=TEXT, loc="left")
    return ax


def _shorten(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows by size, those beyond the most that are drawn as one."""
    table = table.iloc[np.argsort(-table["shapley"].abs().to_numpy(), kind="stable")]
    if len(table) <= _MOST:
        return table
    rest = table.iloc[_MOST - 1 :]
    one = {"label": f"{len(rest)} others", "comparison": 1.0, "shapley": rest["shapley"].sum()}
    return pd.concat([table.iloc[: _MOST - 1], pd.DataFrame([one])], ignore_index=True)
