"""How alike judges are: a heat map with its tree, and the ceilings of judges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from prefdissect._typing import FloatArray
from prefdissect.plots.style import COLOURS, GREY, TEXT, clean, legend_above, new_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_ceiling", "plot_similarity"]

_MOST_NUMBERS, _MOST_SUPPORTS = 15, 34  # judges up to which numbers fit
_MOST_PAIRS = 36  # of nine judges
_SUPPORTED = 0.5  # share of draws from which on the support of a branch is written


def plot_similarity(
    similarity: pd.DataFrame,
    ax: Axes | None = None,
    *,
    tree: tuple[FloatArray, FloatArray] | None = None,
    interval: tuple[pd.DataFrame, pd.DataFrame] | None = None,
    label: str = "similarity",
    alike: float = 1.0,
) -> Axes:
    """Draw similarities [judge, judge] in the order given; above them, with `tree`, the dendrogram and its support.

    `tree` is SciPy's linkage, whose leaves are numbered as the columns of `similarity` stand, and the support of each
    branch [judge - 1]. `interval`: lower and upper [judge, judge], written under the numbers of up to eight judges.
    `label` says what is drawn, `alike` what two judges that are alike have: 1 for correlations, which are drawn from
    -1 to 1, 0 for negative distances, drawn from the lowest.
    """
    n = len(similarity)
    longest = max(map(len, map(str, similarity.columns)))
    ax = new_axes(ax, rows=1.6 * n + 0.5 * longest + (6 if tree is not None else 0), wide=True, least=3.0)
    ends = (-1.0, 1.0) if alike else (float(np.nanmin(similarity.to_numpy())) or -1.0, 0.0)
    image = ax.imshow(similarity, cmap="RdBu_r" if alike else "Blues", vmin=ends[0], vmax=ends[1], aspect="auto")
    names = [str(name) for name in similarity.columns]
    ax.set_xticks(range(n), [plain(name) for name in names], rotation=90, fontsize=TEXT)
    clean(ax, names)
    ax.set_ylim(n - 0.5, -0.5)
    ax.spines[["left", "bottom"]].set_visible(False)
    _write(ax, similarity, interval, ends)
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.5, pad=0.02)
    bar.set_label(label, fontsize=TEXT)
    bar.ax.tick_params(labelsize=TEXT)
    if tree is not None:
        _draw_tree(ax.inset_axes((0, 1.01, 1, 0.25), sharex=ax), *tree)
    return ax


def _write(
    ax: Axes,
    similarity: pd.DataFrame,
    interval: tuple[pd.DataFrame, pd.DataFrame] | None,
    ends: tuple[float, float],
) -> None:
    n, values = len(similarity), similarity.to_numpy()
    if n > _MOST_NUMBERS:
        return
    for i in range(n):
        for j in range(n):
            said = f"{values[i, j]:.2f}"
            if interval is not None and n <= 8 and i != j:
                low, high = (side.to_numpy()[i, j] for side in interval)
                said += f"\n{low:.2f} to {high:.2f}" if np.isfinite(low) else ""
            place = (values[i, j] - ends[0]) / (ends[1] - ends[0])
            dark = place > 0.7 if ends[1] == 0 else abs(place - 0.5) > 0.35
            colour = "white" if dark else "black"
            ax.text(j, i, said, ha="center", va="center", fontsize=6, color=colour)


def _draw_tree(ax: Axes, linkage: FloatArray, support: FloatArray) -> None:
    """Draw branches over leaves at 0, 1, ...; on each branch the percentage of draws that have it, from half on."""
    n = len(linkage) + 1
    where, height = [*map(float, range(n))], [0.0] * n
    for step, (a, b, level, _) in enumerate(linkage):
        left, right = int(a), int(b)
        ax.plot(
            [where[left], where[left], where[right], where[right]],
            [height[left], level, level, height[right]],
            color=GREY,
            linewidth=0.9,
        )
        where.append((where[left] + where[right]) / 2)
        height.append(float(level))
        if support[step] >= _SUPPORTED and n <= _MOST_SUPPORTS:
            ax.text(
                where[-1], level, f"{100 * support[step]:.0f}", fontsize=5.5, ha="center", va="bottom", color=COLOURS[1]
            )
    ax.set_axis_off()
    ax.set_ylim(0, max(height) * 1.25 or 1.0)


def plot_ceiling(table: pd.DataFrame, ax: Axes | None = None, *, wide: bool = False) -> Axes:
    """Draw for each two judges the similarity, the corrected one with its interval, and the lower of their ceilings.

    `table` is that of `JudgeSimilarity.to_frame(ceiling=True)` for one group: judge_a, judge_b, similarity, corrected,
    lower, upper, ceiling_a, ceiling_b. Of more than nine judges, whose pairs would not fit on a page, each judge has a
    row, with its similarities to all others, and its own ceiling.
    """
    if len(table) > _MOST_PAIRS:
        return _plot_ceilings_by_judge(table, ax, wide=wide)
    table = table.sort_values("similarity", ascending=False, kind="stable")
    names = [f"{a}, {b}" for a, b in zip(table["judge_a"], table["judge_b"], strict=True)]
    ax = new_axes(ax, rows=len(names) + 3, wide=wide)
    at = np.arange(len(names))
    ax.hlines(at, table["lower"], table["upper"], color=COLOURS[0], linewidth=1.4)
    ax.plot(table["corrected"], at, "o", color=COLOURS[0], markersize=4, label="corrected, with interval")
    ax.plot(table["similarity"], at, "D", color=COLOURS[1], markersize=3.2, label="of posterior means")
    ceiling = table[["ceiling_a", "ceiling_b"]].min(axis=1)
    ax.plot(ceiling, at, "|", color="black", markersize=9, markeredgewidth=1.4, label="lower ceiling of the two")
    ax.set_xlabel("similarity", fontsize=TEXT)
    clean(ax, names)
    legend_above(ax)
    return ax


def _plot_ceilings_by_judge(table: pd.DataFrame, ax: Axes | None, *, wide: bool) -> Axes:
    """Draw a row per judge, the one with the highest ceiling first."""
    names = ["judge", "similarity", "corrected", "ceiling"]
    sides = [table[[f"judge_{side}", *names[1:3], f"ceiling_{side}"]].set_axis(names, axis=1) for side in "ab"]
    both = pd.concat(sides, ignore_index=True)
    ceiling = both.groupby("judge")["ceiling"].first().sort_values(ascending=False, kind="stable")
    ax = new_axes(ax, rows=len(ceiling) + 4, wide=wide)
    at = both["judge"].map({judge: i for i, judge in enumerate(ceiling.index)}).to_numpy(dtype=float)
    means, corrected = ("similarity", 0.18, "D", "of posterior means"), ("corrected", -0.18, "o", "corrected")
    for colour, (name, shift, mark, label) in zip(COLOURS[:2], (corrected, means), strict=True):
        ax.plot(
            both[name],
            at + shift,
            mark,
            color=colour,
            alpha=0.5,
            markersize=2.8,
            markeredgewidth=0,
            label=f"{label}, to each other judge",
        )
    ax.plot(ceiling, range(len(ceiling)), "|", color="black", markersize=9, markeredgewidth=1.4, label="own ceiling")
    ax.set_xlabel("similarity", fontsize=TEXT)
    clean(ax, list(ceiling.index))
    ax.grid(axis="y", color="#D0D7DE", linewidth=0.4)
    legend_above(ax)
    return ax
