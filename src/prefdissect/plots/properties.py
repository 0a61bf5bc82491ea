"""Properties of one or several judges, as dots with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from prefdissect.errors import DataError
from prefdissect.plots.style import COLOURS, GREY, MARKERS, TEXT, clean, legend_above, new_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_forest", "plot_probabilities"]

_MOST_NAMED = 5  # judges with colours and intervals of their own; of more, each is a grey dot


def plot_probabilities(table: pd.DataFrame, ax: Axes | None = None, *, wide: bool = False) -> Axes:
    """Draw the probability of each property, per judge, with intervals: the paper's main figure, lying on its side.

    `table` is that of `overall()`: judge, label, probability, lower, upper. More than five judges are grey
    dots, their median a tick.

    Raises
    ------
    DataError
        If nothing is fitted.
    """
    ax = _draw(table, "probability", 0.5, ax, wide)
    ax.set_xlabel("probability of being preferred", fontsize=TEXT)
    ax.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
    return ax


def plot_forest(table: pd.DataFrame, ax: Axes | None = None, *, wide: bool = False) -> Axes:
    """Draw the weight of each property, per judge, with intervals.

    `table` is that of `weights` for one group: judge, group, label, mean, lower, upper. Of one judge in several groups,
    the groups are told apart instead.

    Raises
    ------
    DataError
        If nothing is fitted, or several judges stand in several groups.
    """
    series: Literal["judge", "group"] = "judge" if table["judge"].nunique() > 1 else "group"
    if series == "judge" and table["group"].nunique() > 1:
        raise DataError(
            f"{table['judge'].nunique()} judges in {table['group'].nunique()} groups do not fit one figure; choose one "
            "group or one judge, as in result.sel(judge=..., group=...)"
        )
    ax = _draw(table.rename(columns={series: "judge", "judge": series}), "mean", 0.0, ax, wide)
    ax.set_xlabel("weight (log-odds)", fontsize=TEXT)
    return ax


def _draw(table: pd.DataFrame, value: str, neutral: float, ax: Axes | None, wide: bool) -> Axes:
    known = table[table[value].notna()]
    if known.empty:
        raise DataError("nothing is fitted, so there is nothing to draw")
    order = known.groupby("label", sort=False)[value].mean().sort_values(ascending=False, kind="stable").index
    names = list(dict.fromkeys(known["judge"]))
    named = len(names) <= _MOST_NAMED
    rows = len(order) * max(1.0, 0.55 * len(names)) + len(names) if named else len(order) + 1.0
    ax = new_axes(ax, rows=rows, wide=wide)
    ax.axvline(neutral, color=GREY, linewidth=0.8, linestyle=(0, (3, 2)), zorder=0)
    row = {label: i for i, label in enumerate(order)}
    for i, name in enumerate(names):
        part = known[known["judge"] == name]
        at = part["label"].map(row).to_numpy(dtype=float)
        x = part[value].to_numpy(dtype=float)
        if named:
            shift = (i - (len(names) - 1) / 2) * 0.7 / max(len(names), 2)
            ax.hlines(at + shift, part["lower"], part["upper"], color=COLOURS[i], linewidth=1.2)
            ax.plot(x, at + shift, linestyle="", markersize=3.2, label=plain(name), color=COLOURS[i], marker=MARKERS[i])
        else:
            ax.plot(x, at, "o", color=GREY, markersize=3, alpha=0.45, markeredgewidth=0)
    if not named:
        median = known.groupby("label")[value].median().reindex(order)
        label = f"median of {len(names)}"
        ax.plot(median, np.arange(len(order)), "|", markersize=9, markeredgewidth=1.6, label=label, color="#0072B2")
    clean(ax, list(order))
    if len(names) > 1:
        legend_above(ax)
    ax.grid(axis="y", color="#D0D7DE", linewidth=0.4)
    ax.set_axisbelow(True)
    return ax
