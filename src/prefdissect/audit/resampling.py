"""Shares with intervals from resampled clusters: pairs of one prompt are not independent."""

from __future__ import annotations

import numpy as np

from prefdissect._typing import FloatArray, IntArray

__all__ = ["resample_shares", "times_drawn"]

_CELLS_AT_ONCE = 2_000_000


def resample_shares(
    values: FloatArray, clusters: IntArray, *, interval: float, resamples: int, rng: np.random.Generator
) -> FloatArray:
    """Return means of columns of `values` [row, column] with their intervals: [3, column], share, lower, upper.

    Whole clusters [row] are drawn with replacement, and bounds are percentiles over draws, which are the same for all
    columns. Of fewer than two clusters there is no interval: NaN. Source: Efron and Tibshirani 1993, An Introduction to
    the Bootstrap, chapter 13; Field and Welsh 2007, Journal of the Royal Statistical Society B 69(3), on clusters.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> values = rng.random((400, 1)) < 0.6
    >>> found = resample_shares(values.astype(float), np.arange(400), interval=0.94, resamples=500, rng=rng)
    >>> bool(found[1, 0] < 0.6 < found[2, 0])
    True
    """
    found = np.full((3, values.shape[1]), np.nan)
    if not len(values):
        return found
    found[0] = values.mean(axis=0)
    names, of = np.unique(clusters, return_inverse=True)
    if len(names) < 2:
        return found
    sums = np.zeros((len(names), values.shape[1] + 1))
    np.add.at(sums, of, np.column_stack([values, np.ones(len(values))]))
    shares, at_once = [], max(1, _CELLS_AT_ONCE // len(names))
    for start in range(0, resamples, at_once):
        n = min(at_once, resamples - start)
        total = times_drawn(len(names), n, rng) @ sums
        shares.append(total[:, :-1] / total[:, -1:])
    tail = (1 - interval) / 2
    found[1:] = np.quantile(np.concatenate(shares), [tail, 1 - tail], axis=0)
    return found


def times_drawn(n_clusters: int, n: int, rng: np.random.Generator) -> FloatArray:
    """Return how often each cluster is in each of `n` draws with replacement, [draw, cluster]."""
    drawn = rng.integers(n_clusters, size=(n, n_clusters)) + np.arange(n)[:, None] * n_clusters
    return np.bincount(drawn.ravel(), minlength=n * n_clusters).reshape(n, n_clusters).astype(float)
