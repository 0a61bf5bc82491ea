"""Rank-normalised split R-hat and bulk ESS of many columns (Vehtari et al. 2021, Bayesian Analysis 16(2))."""

from __future__ import annotations

import math

import numpy as np

from prefdissect._typing import FloatArray, IntArray
from prefdissect.inference.compiled._compile import compiled

__all__ = ["diagnose_columns"]


@compiled(inner=True)
def _normalise(values: FloatArray, order: IntArray, scores: FloatArray, out: FloatArray) -> None:
    """Give `out` the normal score of each value's rank; equal values share their mean rank.

    `order` sorts the values; `scores` holds the score of rank (i + 2) / 2 at i, so that mean ranks,
    which are multiples of one half, can be looked up.
    """
    n, start = len(values), 0
    while start < n:
        end = start + 1
        while end < n and values[order[end]] == values[order[start]]:
            end += 1
        score = scores[start + end - 1]  # mean of the ranks start + 1 .. end is (start + end + 1) / 2
        for i in range(start, end):
            out[order[i]] = score
        start = end


@compiled(inner=True)
def _order_by_distance(values: FloatArray, order: IntArray, folded: FloatArray, out: IntArray) -> None:
    """Fold the values at their median, and sort them so: two runs, outwards from the median, are merged."""
    n = len(values)
    median = 0.5 * (values[order[(n - 1) // 2]] + values[order[n // 2]])
    for i in range(n):
        folded[i] = abs(values[i] - median)
    above = n // 2
    below = above - 1
    for i in range(n):
        take_below = above >= n or (below >= 0 and folded[order[below]] <= folded[order[above]])
        if take_below:
            out[i] = order[below]
            below -= 1
        else:
            out[i] = order[above]
            above += 1


@compiled(fastmath=True, inner=True)
def _centre(z: FloatArray) -> tuple[float, float]:
    """Take from each row its mean, in place; return mean within-row variance and variance of the means."""
    n_rows, n = z.shape
    means = np.empty(n_rows)
    within = 0.0
    for c in range(n_rows):
        total = 0.0
        for t in range(n):
            total += z[c, t]
        means[c] = total / n
        square = 0.0
        for t in range(n):
            z[c, t] -= means[c]
            square += z[c, t] * z[c, t]
        within += square / (n - 1)
    middle = means.mean()
    between = 0.0
    for c in range(n_rows):
        between += (means[c] - middle) ** 2
    return within / n_rows, between / (n_rows - 1)


@compiled(fastmath=True, inner=True)
def _covariance_at(z: FloatArray, lag: int) -> float:
    """Return the mean over rows of sum_t z_t z_(t + lag) / n."""
    n_rows, n = z.shape
    total = 0.0
    for c in range(n_rows):
        for t in range(n - lag):
            total += z[c, t] * z[c, t + lag]
    return total / (n * n_rows)


@compiled(inner=True)
def _effective_size(z: FloatArray, within: float, between: float) -> float:
    """Return the effective sample size of centred rows, by Geyer's initial monotone sequence.

    Lags are computed as far as the sequence goes, which is a few for chains that mix.
    """
    n_rows, n = z.shape
    whole = within * (n - 1) / n + between
    if whole <= 0.0:
        return float(n_rows * n)
    last = 1.0 + (1.0 - (within - _covariance_at(z, 1)) / whole)  # sum of the first two correlations
    tau = -1.0 + 2.0 * last
    lag = 1
    even = 1.0
    while lag < n - 3:
        even = 1.0 - (within - _covariance_at(z, lag + 1)) / whole
        pair = even + 1.0 - (within - _covariance_at(z, lag + 2)) / whole
        if pair < 0.0 or lag + 2 >= n - 3:  # of the pair that ends the sequence only half is counted, below
            break
        last = min(last, pair)
        tau += 2.0 * last
        lag += 2
    if even > 0.0:
        tau += even
    size = float(n_rows * n)
    return size / max(tau, 1.0 / math.log10(size))


@compiled()
def diagnose_columns(values: FloatArray, order: IntArray, scores: FloatArray, n_rows: int) -> FloatArray:
    """Return R-hat and bulk ESS, [2, column], of draws [column, draw] that are `n_rows` half chains in a row."""
    n_columns, n = values.shape
    out = np.empty((2, n_columns))
    z, folded, by_distance = np.empty(n), np.empty(n), np.empty(n, np.int64)
    length = n // n_rows
    for k in range(n_columns):
        _normalise(values[k], order[k], scores, z)
        rows = z.reshape(n_rows, length)
        within, between = _centre(rows)
        bulk = math.sqrt((length * between / within + length - 1) / length) if within > 0.0 else np.nan
        out[1, k] = _effective_size(rows, within, between)
        _order_by_distance(values[k], order[k], folded, by_distance)
        _normalise(folded, by_distance, scores, z)
        within, between = _centre(rows)
        tail = math.sqrt((length * between / within + length - 1) / length) if within > 0.0 else np.nan
        out[0, k] = max(bulk, tail)
    return out
