"""The log likelihood, up to what labels add to it, and the sums over rows that it takes.

With s = X'(weight (y - 1/2)), log likelihood(w) = s'w - sum_i weight_i log(2 cosh(x_i'w / 2)): labels enter
through s only, and each row through an even term. Rows that could have been ties have other terms, see `tied`, and
the last entry of w is their cutpoint then.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from prefdissect._typing import FloatArray, IntArray
from prefdissect.inference.compiled._compile import compiled
from prefdissect.inference.compiled.elementary import exp_of_minus
from prefdissect.inference.compiled.tied import KINDS, PLAIN, tied_sum

__all__ = ["BLOCK", "Rows", "add_log_likelihoods", "fill_scores", "log_likelihood", "log_likelihood_beside"]

BLOCK = 512  # rows at a time: their scores stay in the first cache, and 2**512 is still a float


class Rows(NamedTuple):
    """What the likelihood reads of a fit's data, see `FitData`; `unit` says that all weights are 1."""

    xt: FloatArray
    weight: FloatArray
    unit: bool
    statistic: FloatArray
    ends: IntArray = np.empty(0, dtype=np.int64)  # of the rows of each kind; all are plain without


@compiled(inner=True)
def _range_of(rows: Rows, kind: int) -> tuple[int, int]:
    """Return where the rows of a kind begin and end."""
    if len(rows.ends) == 0:
        return 0, len(rows.weight) if kind == PLAIN else 0
    return rows.ends[kind - 1] if kind > 0 else 0, rows.ends[kind]


@compiled(inner=True)
def _cut_of(rows: Rows, w: FloatArray) -> float:
    """Return the cutpoint, the entry of w that no column belongs to."""
    return w[len(rows.xt)] if len(w) > len(rows.xt) else 0.0


@compiled(fastmath=True, inner=True)
def _score(xt: FloatArray, start: int, end: int, w: FloatArray, t: FloatArray) -> None:
    """Fill `t` with the scores of a block of rows."""
    n_columns, m = len(xt), end - start
    t[:] = 0.0
    k = 0
    while k + 4 <= n_columns:
        a, b, c, d = w[k], w[k + 1], w[k + 2], w[k + 3]
        xa, xb, xc, xd = xt[k, start:end], xt[k + 1, start:end], xt[k + 2, start:end], xt[k + 3, start:end]
        for i in range(m):
            t[i] += a * xa[i] + b * xb[i] + c * xc[i] + d * xd[i]
        k += 4
    while k < n_columns:
        a = w[k]
        xa = xt[k, start:end]
        for i in range(m):
            t[i] += a * xa[i]
        k += 1


@compiled(fastmath=True, inner=True)
def _plain_sum(t: FloatArray, weight: FloatArray, unit: bool) -> float:
    """Return minus the sum over a block of rows of weight_i log(2 cosh(t_i / 2)).

    log(2 cosh(t / 2)) = |t| / 2 + log(1 + exp(-|t|)). With unit weights the logarithm is taken of
    products of up to 512 factors, each at most 2.
    """
    if unit:
        half, product = 0.0, 1.0
        for i in range(len(t)):
            size = abs(t[i])
            half += size
            product *= 1.0 + exp_of_minus(size)
        return -0.5 * half - math.log(product)
    total = 0.0
    for i in range(len(t)):
        size = abs(t[i])
        total -= weight[i] * (0.5 * size + math.log1p(exp_of_minus(size)))
    return total


@compiled(inner=True)
def _block_sum(rows: Rows, kind: int, start: int, end: int, w: FloatArray, scratch: FloatArray) -> float:
    """Return the sum of the terms of a block of rows of one kind."""
    t = scratch[: end - start]
    _score(rows.xt, start, end, w, t)
    if kind == PLAIN:
        return _plain_sum(t, rows.weight[start:end], rows.unit)
    return tied_sum(kind, _cut_of(rows, w), t, rows.weight[start:end], rows.unit)


@compiled()
def log_likelihood(rows: Rows, w: FloatArray, scratch: FloatArray) -> float:
    """Return the log likelihood at w; `scratch` has room for a block."""
    total = 0.0
    for k in range(len(w)):
        total += rows.statistic[k] * w[k]
    for kind in range(KINDS):
        first, last = _range_of(rows, kind)
        for start in range(first, last, BLOCK):
            total += _block_sum(rows, kind, start, min(start + BLOCK, last), w, scratch)
    return total


@compiled()
def add_log_likelihoods(rows: Rows, w: FloatArray, scratch: FloatArray, out: FloatArray) -> None:
    """Add to `out` [draw] the log likelihood at each w [draw, column]; blocks of rows are read from memory once."""
    for kind in range(KINDS):
        first, last = _range_of(rows, kind)
        for start in range(first, last, BLOCK):
            for i in range(len(w)):
                out[i] += _block_sum(rows, kind, start, min(start + BLOCK, last), w[i], scratch)
    for i in range(len(w)):
        for k in range(w.shape[1]):
            out[i] += rows.statistic[k] * w[i, k]


@compiled(fastmath=True)
def fill_scores(rows: Rows, w: FloatArray, scores: FloatArray) -> None:
    """Fill `scores` [row] with x_i'w."""
    scores[:] = 0.0
    for k in range(len(rows.xt)):
        a, x = w[k], rows.xt[k]
        for i in range(len(scores)):
            scores[i] += a * x[i]


@compiled(inner=True)
def _shift(rows: Rows, scores: FloatArray, k: int, difference: float, start: int, end: int, t: FloatArray) -> None:
    """Fill `t` with the scores of a block with coordinate k moved; the cutpoint moves no score."""
    if k < len(rows.xt):
        x = rows.xt[k]
        for i in range(start, end):
            t[i - start] = scores[i] + difference * x[i]
    else:
        for i in range(start, end):
            t[i - start] = scores[i]


@compiled()
def log_likelihood_beside(
    rows: Rows, scores: FloatArray, w: FloatArray, k: int, difference: float, scratch: FloatArray
) -> float:
    """Return the log likelihood, but for what does not change, with coordinate k of w, whose scores are given, moved.

    It takes n steps where `log_likelihood` takes n times the number of columns.
    """
    cut = _cut_of(rows, w) + (difference if k == len(rows.xt) else 0.0)
    total = rows.statistic[k] * difference
    for kind in range(KINDS):
        first, last = _range_of(rows, kind)
        for start in range(first, last, BLOCK):
            end = min(start + BLOCK, last)
            t = scratch[: end - start]
            _shift(rows, scores, k, difference, start, end, t)
            if kind == PLAIN:
                total += _plain_sum(t, rows.weight[start:end], rows.unit)
            else:
                total += tied_sum(kind, cut, t, rows.weight[start:end], rows.unit)
    return total
