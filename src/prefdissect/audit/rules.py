"""How much of a benchmark is won by who only looks at one property: the share of each rule."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from prefdissect._typing import BoolArray, FloatArray, IntArray
from prefdissect.audit.resampling import resample_shares
from prefdissect.features import Design
from prefdissect.inference import stream_of

__all__ = ["ALL_PAIRS", "credit", "rule_table", "subsets_of"]

ALL_PAIRS = "(all pairs)"  # stands in tables of an audit for the pairs of all subsets, each counted once

_COLUMNS = ["judge", "group", "property", "label", "direction", "share", "lower", "upper"]
_COLUMNS += ["n", "n_equal", "share_differing"]


def rule_table(design: Design, *, interval: float, resamples: int, random_seed: int) -> pd.DataFrame:
    """Return the share of decided pairs that each rule "prefer more (less) of this property" wins.

    Where both responses have as much of it the rule tosses a coin: half a pair. Pairs that the judge left undecided are
    not counted. Intervals are from resampled clusters.

    Parameters
    ----------
    design
        Its columns' signs say which response has more; comparisons keep what is too close to call equal.
    interval, resamples, random_seed
        Probability inside the intervals, number of draws of clusters, and their seed.

    Returns
    -------
    DataFrame
        judge, group (each subset, then `(all pairs)`), property, label, direction (`more` or `less`), share, lower,
        upper, n (decided pairs), n_equal (those in which the rule tosses a coin), share_differing (of the others); the
        best rule of each judge and group first.
    """
    parts = []
    for judge in design.judges:
        for group, rows in subsets_of(design, judge):
            rng = stream_of(random_seed, judge, group, "rules")
            parts.append(_of_cell(design, judge, group, rows, interval, resamples, rng))
    table = pd.concat(parts, ignore_index=True)[_COLUMNS]
    table.attrs = {"interval": interval, "interval_kind": "equal-tailed, clusters resampled"}
    return table.astype(dict.fromkeys(_COLUMNS[:5], "str"))


def subsets_of(design: Design, judge: str) -> Iterator[tuple[str, IntArray]]:
    """Yield each group, and all pairs where there are several groups, with the rows that the judge decided."""
    j = design.judges.index(judge)
    decided = (design.weight[:, j] > 0) & (design.y[:, j] != 0.5)
    for g, group in enumerate(design.groups):
        yield group, np.flatnonzero(decided & design.in_group[:, g])
    if len(design.groups) > 1:
        yield ALL_PAIRS, np.flatnonzero(decided)


def credit(points_to_a: FloatArray, prefers_a: BoolArray) -> FloatArray:
    """Return what a rule earns of each pair, [row, ...]: 1 if its sign is right, 0 if wrong, 1/2 where it has none."""
    side = np.where(prefers_a, 1.0, -1.0).reshape(-1, *[1] * (points_to_a.ndim - 1))
    return np.asarray((1 + np.sign(points_to_a) * side) / 2, dtype=np.float64)


def _of_cell(
    design: Design,
    judge: str,
    group: str,
    rows: IntArray,
    interval: float,
    resamples: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    x = design.x[rows][:, design.is_property]
    earned = credit(x, design.y[rows, design.judges.index(judge)] > 0.5)
    share, lower, upper = resample_shares(earned, design.cluster[rows], interval=interval, resamples=resamples, rng=rng)
    n_equal = (x == 0).sum(axis=0)
    differing = len(rows) - n_equal
    right = np.divide(earned.sum(axis=0) - n_equal / 2, differing, out=np.full(len(share), np.nan), where=differing > 0)
    schema = design.encoder.schema
    known = {"judge": judge, "group": group, "property": list(schema.ids), "label": list(schema.labels)}
    more = pd.DataFrame({**known, "direction": "more", "share": share, "lower": lower, "upper": upper})
    less = pd.DataFrame({**known, "direction": "less", "share": 1 - share, "lower": 1 - upper, "upper": 1 - lower})
    both = pd.concat(
        [
            more.assign(n=len(rows), n_equal=n_equal, share_differing=right),
            less.assign(n=len(rows), n_equal=n_equal, share_differing=1 - right),
        ]
    )
    return both.sort_values("share", ascending=False, kind="stable")
