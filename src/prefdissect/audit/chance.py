"""How often properties that say nothing would go along with the verdicts as well: exact tests, prompt by prompt.

Folds share pairs, so held-out shares of rules that were chosen from many vary more than their intervals say where there
is nothing to find. If properties say nothing of who wins, exchanging A and B in the ratings of all pairs of a prompt,
and not in its verdicts, changes nothing either. So a statistic is compared with what it becomes under such exchanges.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from prefdissect._typing import BoolArray, FloatArray, IntArray
from prefdissect.inference import PriorArrays

__all__ = ["chances_of"]

_EXCHANGES = 999
_CELLS_AT_ONCE = 2_000_000


def chances_of(
    x: FloatArray,
    blind: Sequence[int],
    prefers_a: BoolArray,
    clusters: IntArray,
    prior: PriorArrays,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Return the chance that properties which say nothing do as well: the best rule, and all blind ones together.

    The best of the rules, one for each column's sign in either direction, is judged by how many pairs it wins; all
    blind columns of `x` [row, column] by the score at weights 0, in the metric of its variance and the prior of these
    columns. From 1 / 1000 to 1; NaN of no blind column.
    """
    side, some = np.where(prefers_a, 0.5, -0.5)[:, None], x[:, list(blind)]
    sums = _exchange(np.hstack([np.sign(x), some]) * side, clusters, rng)
    rule, score = np.abs(sums[:, : x.shape[1]]).max(axis=1), sums[:, x.shape[1] :]
    if not len(blind):
        return _share(rule), float("nan")
    metric = some.T @ some / 4 + np.diag(1 / prior.take(blind).sd ** 2)
    return _share(rule), _share(np.einsum("ik,ik->i", score, np.linalg.solve(metric, score.T).T))


def _exchange(scores: FloatArray, clusters: IntArray, rng: np.random.Generator) -> FloatArray:
    """Return sums over rows as they are, then with random signs, the same for all rows of a cluster: [1000, column]."""
    names, of = np.unique(clusters, return_inverse=True)
    sums = np.zeros((len(names), scores.shape[1]))
    np.add.at(sums, of, scores)
    whole = sums.sum(axis=0)
    parts, at_once = [whole[None]], max(1, _CELLS_AT_ONCE // max(len(names), 1))
    for start in range(0, _EXCHANGES, at_once):
        n = min(at_once, _EXCHANGES - start)
        kept = np.unpackbits(rng.integers(256, size=(n, -(-len(names) // 8)), dtype=np.uint8), axis=1)[:, : len(names)]
        parts.append(2 * (kept.astype(float) @ sums) - whole)
    return np.concatenate(parts)


def _share(statistic: FloatArray) -> float:
    """Return the share of exchanges with a statistic as large as the first, which is that of the data."""
    return float((statistic >= statistic[0] * (1 - 1e-12)).mean())
