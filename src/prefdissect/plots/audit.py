"""How far a judge and a benchmark can be gamed: gains, leaderboards, rules, subsets and shifts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from prefdissect.errors import DataError
from prefdissect.plots.style import COLOURS, GREY, MARKERS, TEXT, clean, legend_above, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_exploitability", "plot_leaderboard", "plot_rules", "plot_shifts", "plot_subsets"]

_MOST_RULES = 20


def plot_exploitability(table: pd.DataFrame, ax: Axes | None = None, *, wide: bool = False) -> Axes:
    """Draw what one step of each property adds to a win rate, with intervals, the largest first.

    `table` is that of `Exploitability.guard`: label, direction, change, lower, upper. A filled point gains by more of
    the property, a hollow one by less of it.

    Raises
    ------
    DataError
        If nothing is fitted.
    """
    known = table[table["change"].notna()]
    if known.empty:
        raise DataError("nothing is fitted, so there is nothing to draw")
    ax = new_axes(ax, rows=len(known) + 1.0, wide=wide)
    more = (known["direction"] == "more").to_numpy()
    sign = np.where(more, 1.0, -1.0)
    point, ends = 100 * sign * known["change"].to_numpy(), 100 * sign * known[["lower", "upper"]].to_numpy().T
    at = np.arange(len(known))
    ax.axvline(0, color=GREY, linewidth=0.8, linestyle=(0, (3, 2)), zorder=0)
    ax.hlines(at, ends.min(axis=0), ends.max(axis=0), color=COLOURS[0], linewidth=1.2)
    for rows, face, said in ((more, COLOURS[0], "by more of it"), (~more, "white", "by less of it")):
        if rows.any():
            ax.plot(point[rows], at[rows], "o", color=COLOURS[0], markerfacecolor=face, markersize=4, label=said)
    clean(ax, list(known["label"]))
    ax.set_xlabel("points gained by one step", fontsize=TEXT)
    if not more.all():
        legend_above(ax)
    return _lined(ax)


def plot_leaderboard(
    table: pd.DataFrame, ax: Axes | None = None, *, held: str = "properties", wide: bool = False
) -> Axes:
    """Draw raw win rates and those with properties held equal, with intervals, the strongest model first.

    `table` is that of one judge in `Audit.leaderboard`, `held` what was held equal.
    """
    series = [("raw", "as judged")]
    if table["equal"].notna().any():
        series.append(("equal", f"{held} held equal"))
    marks = np.where(table["is_baseline"].to_numpy(dtype=bool), " (baseline)", "")
    names = [f"{model}{mark}" for model, mark in zip(table["model"], marks, strict=True)]
    return _shares(table, names, series, ax, wide, "win rate")


def plot_rules(table: pd.DataFrame, ax: Axes | None = None, *, wide: bool = False) -> Axes:
    """Draw the share that each rule wins, with intervals: of each property the better direction, the best first.

    `table` is that of one judge and group in `Audit.rules`; at most 20 rules are drawn.

    Raises
    ------
    DataError
        If no pair is decided.
    """
    best = table[table["share"].notna()].drop_duplicates("property").head(_MOST_RULES)
    if best.empty:
        raise DataError("no pair is decided, so no rule wins or loses")
    best = best.rename(columns={"lower": "share_lower", "upper": "share_upper"})
    names = [f"{direction} {label}" for direction, label in zip(best["direction"], best["label"], strict=True)]
    return _shares(best, names, [("share", "rule")], ax, wide, "share of decided pairs won")


def plot_subsets(table: pd.DataFrame, ax: Axes | None = None, *, wide: bool = False) -> Axes:
    """Draw what is won of held-out pairs in each subset: by the best rule, without reading, and by the fitted judge.

    `table` is that of one judge in `Audit.subsets`.

    Raises
    ------
    DataError
        If no subset was scored.
    """
    scored = table[table["fit"].notna()]
    if scored.empty:
        raise DataError("no subset has prompts enough to hold some out, so there is nothing to draw")
    kinds = [("best_rule", "best rule"), ("blind", "fit without the prompt"), ("fit", "fit")]
    if np.allclose(scored["blind"].fillna(-1.0), scored["fit"]):
        kinds = [("best_rule", "best rule"), ("fit", "fit, all without the prompt")]
    series = [kind for kind in kinds if scored[kind[0]].notna().any()]
    return _shares(scored, list(scored["group"]), series, ax, wide, "share of held-out pairs won")


def plot_shifts(table: pd.DataFrame, ax: Axes | None = None, *, wide: bool = False) -> Axes:
    """Draw by how many points steering shifts the share of verdicts won, with intervals, one colour a condition.

    `table` is that of `Experiment.shifts`. A filled point is what was observed, a hollow one what was predicted.

    Raises
    ------
    DataError
        If the table is empty.
    """
    if table.empty:
        raise DataError("no condition beside 'none', so nothing shifts")
    conditions, groups = list(dict.fromkeys(table["condition"])), list(dict.fromkeys(table["group"]))
    series = [(c, name) for c in conditions for name in ("won", "predicted") if name in table]
    ax = new_axes(ax, rows=len(groups) * max(1.0, 0.5 * len(series)) + len(series), wide=wide)
    ax.axvline(0, color=GREY, linewidth=0.8, linestyle=(0, (3, 2)), zorder=0)
    for i, (condition, name) in enumerate(series):
        own = table[table["condition"] == condition].set_index("group").reindex(groups)
        at = np.arange(len(groups)) + (i - (len(series) - 1) / 2) * 0.6 / max(len(series) - 1, 1)
        point, lower, upper = (100 * own[f"{name}{end}"].to_numpy(float) for end in ("", "_lower", "_upper"))
        which = conditions.index(condition)
        colour, said = COLOURS[which], f"{condition}, {'observed' if name == 'won' else 'predicted'}"
        face = colour if name == "won" else "white"
        ax.hlines(at, lower, upper, color=colour, linewidth=1.2)
        ax.plot(
            point, at, linestyle="", marker=MARKERS[which], markersize=4, color=colour, markerfacecolor=face, label=said
        )
    clean(ax, groups)
    ax.set_xlabel("shift of the share won, points", fontsize=TEXT)
    legend_above(ax)
    return _lined(ax)


def _shares(
    table: pd.DataFrame,
    names: Sequence[str],
    series: Sequence[tuple[str, str]],
    ax: Axes | None,
    wide: bool,
    title: str,
) -> Axes:
    """Draw shares with intervals as rows of points, one colour a series."""
    ax = new_axes(ax, rows=len(names) * max(1.0, 0.6 * len(series)) + len(series), wide=wide)
    ax.axvline(50, color=GREY, linewidth=0.8, linestyle=(0, (3, 2)), zorder=0)
    for i, (column, said) in enumerate(series):
        at = np.arange(len(table)) + (i - (len(series) - 1) / 2) * 0.5 / max(len(series) - 1, 1)
        point, lower, upper = (100 * table[f"{column}{end}"].to_numpy(float) for end in ("", "_lower", "_upper"))
        ax.hlines(at, lower, upper, color=COLOURS[i], linewidth=1.2)
        ax.plot(point, at, linestyle="", marker=MARKERS[i], markersize=3.6, color=COLOURS[i], label=said)
    clean(ax, names)
    ax.set_xlabel(title, fontsize=TEXT)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0f}%")
    if len(series) > 1:
        legend_above(ax)
    return _lined(ax)


def _lined(ax: Axes) -> Axes:
    ax.grid(axis="y", color="#D0D7DE", linewidth=0.4)
    ax.set_axisbelow(True)
    return ax
