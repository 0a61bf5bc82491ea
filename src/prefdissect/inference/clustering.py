"""Rows weighted by how much pairs of one cluster repeat one another.

The design effect is how many times more the score varies over whole clusters than if pairs were independent, on average
over columns: tr(inv(I) J) / k, I the sum over pairs of s s' and J that over clusters, s the slope of the log likelihood
at the posterior mean. Rows of weight 1 / effect have the likelihood that so many independent pairs would give. Both
sums are of the same scores, so that the effect is 1 exactly where no cluster holds two pairs, and 2 where every pair
stands there twice. Source: Kish 1965, Survey Sampling, on design effects; Skinner 1989, on those of a score.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from prefdissect._typing import FloatArray, IntArray
from prefdissect.features import Cell
from prefdissect.inference.ties import score_rows

__all__ = ["design_effect", "weigh_clusters"]

_SMALLEST = 1e-10  # share of the largest eigenvalue below which a direction says nothing


def design_effect(cell: Cell, mean: FloatArray) -> float:
    """Return how many times more the score varies than if pairs were independent, 1 at least; NaN of one cluster.

    `mean` holds the weights at which scores are taken, and a cutpoint behind them where ties are modelled.
    """
    scores = score_rows(cell, mean)[:, : cell.x.shape[1]]
    pairs, clusters = _sums(scores, cell.pair if len(cell.pair) else np.arange(len(cell))), _sums(scores, cell.cluster)
    n = len(clusters)
    if n < 2:
        return float("nan")
    if n == len(pairs):
        return 1.0
    alone, together = pairs.T @ pairs, clusters.T @ clusters * n / (n - 1)
    rank = int(np.linalg.matrix_rank(alone, tol=_SMALLEST * max(float(np.trace(alone)), 1e-300), hermitian=True))
    inverse = np.linalg.pinv(alone, rcond=_SMALLEST, hermitian=True)
    return max(1.0, float((inverse * together).sum()) / max(rank, 1))


def weigh_clusters(cell: Cell, mean: FloatArray) -> tuple[Cell, float]:
    """Return the cell with rows weighted by one over the design effect, and that; of one cluster the cell as it is."""
    effect = design_effect(cell, mean)
    return (cell, effect) if np.isnan(effect) else (replace(cell, weight=cell.weight / effect), effect)


def _sums(scores: FloatArray, of: IntArray) -> FloatArray:
    """Return sums of scores over rows of one number."""
    names, at = np.unique(of, return_inverse=True)
    out = np.zeros((len(names), scores.shape[1]))
    np.add.at(out, at, scores)
    return out
