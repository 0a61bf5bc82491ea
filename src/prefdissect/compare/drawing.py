"""Similarities as figures: the order of the tree, its support, intervals and ceilings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from prefdissect._typing import FloatArray
from prefdissect.compare.measures import is_correlation
from prefdissect.errors import DataError
from prefdissect.plots import plot_ceiling, plot_similarity

if TYPE_CHECKING:
    from prefdissect.compare.clusters import JudgeClusters
    from prefdissect.compare.similarity import JudgeSimilarity
    from prefdissect.plots import Axes

__all__ = ["draw_ceiling", "draw_similarity"]


def draw_similarity(similarity: JudgeSimilarity, ax: Axes | None, group: str | None) -> Axes:
    """Draw similarities as a heat map; of three judges and more in the order of their tree.

    Where a posterior is known they are the corrected ones, with their intervals; else the points.
    """
    table = _compared(similarity.to_frame(), similarity.judges)
    table = table[table["group"] == (group or _first(table))]
    known = similarity.draws is not None
    alike = 1.0 if is_correlation(similarity.method) else 0.0
    names = ("corrected" if known else "similarity", "lower", "upper")
    square = {name: _square(table, name, similarity.judges, alike) for name in names}
    order, tree = list(similarity.judges), None
    if len(order) > 2:
        found = similarity.clusters(group=group)
        order = list(found.judges)
        tree = number_leaves(found), found.support["support"].to_numpy(dtype=float)
    value, lower, upper = (one.loc[order, order] for one in square.values())
    label = f"{similarity.method}, noise taken out" if known else f"{similarity.method} of posterior means"
    return plot_similarity(value, ax, tree=tree, interval=(lower, upper) if known else None, label=label, alike=alike)


def draw_ceiling(similarity: JudgeSimilarity, ax: Axes | None, group: str | None, *, wide: bool) -> Axes:
    """Draw each two judges' similarity, the corrected one with its interval, and the lower of their ceilings."""
    table = _compared(similarity.to_frame(ceiling=True), similarity.judges)
    return plot_ceiling(table[table["group"] == (group or _first(table))], ax, wide=wide)


def number_leaves(clusters: JudgeClusters) -> FloatArray:
    """Return the linkage with leaves numbered by where they stand in the tree, not by name."""
    place = {judge: i for i, judge in enumerate(clusters.judges)}
    linkage, n = clusters.linkage.copy(), len(clusters.judges)
    for step in linkage:
        for side in (0, 1):
            if step[side] < n:
                step[side] = place[clusters.names[int(step[side])]]
    return linkage


def _compared(table: pd.DataFrame, judges: tuple[str, ...]) -> pd.DataFrame:
    """Return the table, unless it compares nothing."""
    if not len(table):
        raise DataError(f"a figure compares judges, and {judges[0]!r} is alone here; select two judges or more")
    return table


def _first(table: pd.DataFrame) -> str:
    return str(table["group"].iloc[0])


def _square(table: pd.DataFrame, value: str, judges: tuple[str, ...], alike: float) -> pd.DataFrame:
    """Return one value of each two judges, [judge, judge], on the diagonal that of judges that are alike."""
    square = pd.DataFrame(alike, index=list(judges), columns=list(judges))
    for row in table.itertuples():
        square.loc[row.judge_a, row.judge_b] = square.loc[row.judge_b, row.judge_a] = getattr(row, value)
    return square
