"""How often properties that say nothing would go along with the verdicts as well: exact tests, prompt by prompt.

Folds share pairs, so held-out shares of rules that were chosen from many vary more than their intervals say where there
is nothing to find. If properties say nothing of who wins, exchanging A and B in the ratings of all pairs of a prompt,
and not in its verdicts, changes nothing either. So a statistic is compared with what it becomes under such exchanges.
"""

from __future__ import annotations

import numpy as np

from prefdissect._typing import BoolArray, FloatArray, IntArray
from prefdissect.inference import PriorArrays

__all__ = ["chance_of_fit", "chance_of_rule"]

_EXCHANGES = 999
_CELLS_AT_ONCE = 2_000_000


def chance_of_fit(
    x: FloatArray, prefers_a: BoolArray, clusters: IntArray, prior: PriorArrays, rng: np.random.Generator
) -> float:
    """Return the chance that all columns of `x` [row, column] together go along with the verdicts [row] as well.

    The statistic is the score at weights 0 in the metric of its variance and the prior. From 1 / 1000 to 1.
    """
    metric = x.T @ x / 4 + np.diag(1 / prior.sd**2)
    sums = _exchange(x * np.where(prefers_a, 0.5, -0.5)[:, None], clusters, rng)
    return _share(np.einsum("ik,ik->i", sums, np.linalg.solve(metric, sums.T).T))


def chance_of_rule(x: FloatArray, prefers_a: BoolArray, clusters: IntArray, rng: np.random.Generator) -> float:
    """Return the chance that the best of the rules, one for each column's sign in either direction, wins as much."""
    sums = _exchange(np.sign(x) * np.where(prefers_a, 0.5, -0.5)[:, None], clusters, rng)
    return _share(np.abs(sums).max(axis=1))


def _exchange(scores: FloatArray, clusters: IntArray, rng: np.random.Generator) -> FloatArray:
    """Return sums over rows as they are, then with random signs, the same for all rows of a cluster: [1000, column]."""
    names, of = np.unique(clusters, return_inverse=True)
    sums = np.zeros((len(names), scores.shape[1]))
    np.add.at(sums, of, scores)
    parts, at_once = [sums.sum(axis=0)[None]], max(1, _CELLS_AT_ONCE // max(len(names), 1))
    for start in range(0, _EXCHANGES, at_once):
        n = min(at_once, _EXCHANGES - start)
        parts.append((2.0 * rng.integers(2, size=(n, len(names))) - 1) @ sums)
    return np.concatenate(parts)


def _share(statistic: FloatArray) -> float:
    """Return the share of exchanges with a statistic as large as the first, which is that of the data."""
    return float((statistic >= statistic[0] * (1 - 1e-12)).mean())
