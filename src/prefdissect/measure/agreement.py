"""How far two ratings of the same responses agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prefdissect._typing import BoolArray, FloatArray, IntArray
from prefdissect.schema import Property

__all__ = ["Agreement", "agree"]

_DRAWS = 1000


@dataclass(frozen=True)
class Agreement:
    """Agreement on one property, with intervals.

    Parameters
    ----------
    kappa, kappa_lower, kappa_upper
        Of the ratings: Cohen's kappa with quadratic weights. NaN where neither rating varies.
    same, same_lower, same_upper
        Share of pairs of which both say the same: A has more, B has, or neither.
    n
        Pairs on which both are there.
    """

    kappa: float
    kappa_lower: float
    kappa_upper: float
    same: float
    same_lower: float
    same_upper: float
    n: int


def agree(
    properties: tuple[Property, Property],
    ratings: Sequence[tuple[FloatArray, FloatArray]],
    clusters: IntArray,
    *,
    interval: float = 0.94,
    random_seed: int = 0,
) -> Agreement:
    """Return how far two raters agree on a property, from one or more pairs of their ratings [pair, 2].

    Quadratic weights make kappa 1 - E(x - y)^2 / E(x - y')^2, with y' of another response: it needs no categories, so
    that it holds for counts and other numbers too (then it is Lin's concordance), and takes a shift of the scale for
    the disagreement that it is, which a rank correlation would not. `same` is what fits use: comparisons. Intervals
    are from 1,000 bootstrap samples of `clusters`, the prompts, because pairs of one prompt are alike.

    Sources: Cohen 1968; Fleiss and Cohen 1973; Lin 1989.
    """
    sums = np.sum([_sums(properties, x, y, clusters) for x, y in ratings], axis=0)
    seen = np.flatnonzero(sums[:, 0])
    point = _measures(sums.sum(axis=0, keepdims=True))[0]
    drawn = _measures(_resample(sums[seen], random_seed)) if len(seen) > 1 else np.full((1, 2), np.nan)
    (kappa_lower, kappa_upper), (same_lower, same_upper) = (_quantiles(c, (1 - interval) / 2) for c in drawn.T)
    n = int(sums[:, 6].sum())
    return Agreement(point[0], kappa_lower, kappa_upper, point[1], same_lower, same_upper, n)


def _both(x: FloatArray, y: FloatArray) -> BoolArray:
    """Return which pairs have all four ratings."""
    return np.asarray(~np.isnan(x + y).any(axis=1), dtype=np.bool_)


def _sums(properties: tuple[Property, Property], x: FloatArray, y: FloatArray, clusters: IntArray) -> FloatArray:
    """Return per cluster: responses, sums of x, y, xx, yy, xy; pairs, and those that are compared alike."""
    both = _both(x, y)
    compared = [p.encode(r[:, 0], r[:, 1], "comparison") for p, r in zip(properties, (x, y), strict=True)]
    of_pairs = np.stack([both, both & (compared[0] == compared[1])], axis=1).astype(float)
    x, y = np.where(both[:, None], x, 0.0), np.where(both[:, None], y, 0.0)
    moments = np.stack([2.0 * both, *(v.sum(axis=1) for v in (x, y, x * x, y * y, x * y))], axis=1)
    rows = np.concatenate([moments, of_pairs], axis=1)
    sums = np.zeros((int(clusters.max(initial=-1)) + 1, rows.shape[1]))
    np.add.at(sums, clusters, rows)
    return sums


def _resample(sums: FloatArray, random_seed: int) -> FloatArray:
    """Return the sums over clusters drawn with replacement, shape [draw, sum]."""
    n = len(sums)
    drawn = np.random.default_rng(random_seed).multinomial(n, np.full(n, 1 / n), size=_DRAWS)
    return np.asarray(drawn @ sums)


def _measures(sums: FloatArray) -> FloatArray:
    """Return kappa and the share of comparisons alike, shape [draw, 2]."""
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y, xx, yy, xy = (sums[:, k] / sums[:, 0] for k in range(1, 6))
        apart, by_chance = xx - 2 * xy + yy, xx + yy - 2 * x * y
        kappa = np.where(by_chance > 1e-12 * (xx + yy + 1e-300), 1 - apart / by_chance, np.nan)
        return np.stack([kappa, sums[:, 7] / sums[:, 6]], axis=1)


def _quantiles(values: FloatArray, tail: float) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    return (float(np.quantile(known, tail)), float(np.quantile(known, 1 - tail))) if len(known) else (np.nan, np.nan)
