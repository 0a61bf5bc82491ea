"""Similarities as figures: the order of the tree, its support, intervals and ceilings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from prefdissect._typing import FloatArray
from prefdissect.errors import DataError
from prefdissect.plots import plot_ceiling, plot_similarity

if TYPE_CHECKING:
    from prefdissect.compare.clusters import JudgeClusters
    from prefdissect.compare.similarity import JudgeSimilarity
    from prefdissect.plots import Axes

__all__ = ["draw_ceiling", "draw_similarity"]


def draw_similarity(similarity: JudgeSimilarity, ax: Axes | None, group: str | None) -> Axes:
    """Draw the point values as a heat map with intervals; of three judges and more in the order of their tree."""
    table = _compared(similarity.to_frame(), similarity.judges)
    table = table[table["group"] == (group or _first(table))]
    square = {name: _square(table, name, similarity.judges) for name in ("similarity", "lower", "upper")}
    order, tree = list(similarity.judges), None
    if len(order) > 2:
        found = similarity.clusters(group=group)
        order = list(found.judges)
        tree = number_leaves(found), found.support["support"].to_numpy(dtype=float)
    point, lower, upper = (one.loc[order, order] for one in square.values())
    return plot_similarity(point, ax, tree=tree, interval=(lower, upper))


def draw_ceiling(similarity: JudgeSimilarity, ax: Axes | None, group: str | None) -> Axes:
    """Draw each two judges' similarity, the corrected one with its interval, and the lower of their ceilings."""
    table = _compared(similarity.to_frame(ceiling=True), similarity.judges)
    return plot_ceiling(table[table["group"] == (group or _first(table))], ax)


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


def _square(table: pd.DataFrame, value: str, judges: tuple[str, ...]) -> pd.DataFrame:
    """Return one value of each two judges, [judge, judge], 1 on the diagonal."""
    square = pd.DataFrame(1.0, index=list(judges), columns=list(judges))
    for row in table.itertuples():
        square.loc[row.judge_a, row.judge_b] = square.loc[row.judge_b, row.judge_a] = getattr(row, value)
    return square
