"""The log likelihood, up to what labels add to it, and the sums over rows that it takes.

With s = X'(weight (y - 1/2)), log likelihood(w) = s'w - sum_i weight_i log(2 cosh(x_i'w / 2)): labels enter
through s only, and each row through an even term.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from prefdissect._typing import FloatArray
from prefdissect.inference.compiled._compile import compiled
from prefdissect.inference.compiled.elementary import exp_of_minus

__all__ = ["BLOCK", "Rows", "add_log_likelihoods", "fill_scores", "log_likelihood", "log_likelihood_beside"]

BLOCK = 512  # rows at a time: their scores stay in the first cache, and 2**512 is still a float


class Rows(NamedTuple):
    """What the likelihood reads of a fit's data, see `FitData`; `unit` says that all weights are 1."""

    xt: FloatArray
    weight: FloatArray
    unit: bool
    statistic: FloatArray


@compiled(fastmath=True, inner=True)
def _even_part(xt: FloatArray, weight: FloatArray, unit: bool, start: int, w: FloatArray, scratch: FloatArray) -> float:
    """Return the sum over a block of rows of weight_i log(2 cosh(x_i'w / 2)).

    log(2 cosh(t / 2)) = |t| / 2 + log(1 + exp(-|t|)). With unit weights the logarithm is taken of
    products of up to 512 factors, each at most 2.
    """
    n_columns, n_rows = xt.shape
    end = min(start + BLOCK, n_rows)
    m = end - start
    t = scratch[:m]
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
    if unit:
        half, product = 0.0, 1.0
        for i in range(m):
            size = abs(t[i])
            half += size
            product *= 1.0 + exp_of_minus(size)
        return 0.5 * half + math.log(product)
    total = 0.0
    for i in range(m):
        size = abs(t[i])
        total += weight[start + i] * (0.5 * size + math.log1p(exp_of_minus(size)))
    return total


@compiled()
def log_likelihood(rows: Rows, w: FloatArray, scratch: FloatArray) -> float:
    """Return the log likelihood at w; `scratch` has room for a block."""
    total = 0.0
    for k in range(len(w)):
        total += rows.statistic[k] * w[k]
    for start in range(0, len(rows.weight), BLOCK):
        total -= _even_part(rows.xt, rows.weight, rows.unit, start, w, scratch)
    return total


@compiled()
def add_log_likelihoods(rows: Rows, w: FloatArray, scratch: FloatArray, out: FloatArray) -> None:
    """Add to `out` [draw] the log likelihood at each w [draw, column]; blocks of rows are read from memory once."""
    for start in range(0, len(rows.weight), BLOCK):
        for i in range(len(w)):
            out[i] -= _even_part(rows.xt, rows.weight, rows.unit, start, w[i], scratch)
    for i in range(len(w)):
        for k in range(w.shape[1]):
            out[i] += rows.statistic[k] * w[i, k]


@compiled(fastmath=True)
def fill_scores(rows: Rows, w: FloatArray, scores: FloatArray) -> None:
    """Fill `scores` [row] with x_i'w."""
    scores[:] = 0.0
    for k in range(len(w)):
        a, x = w[k], rows.xt[k]
        for i in range(len(scores)):
            scores[i] += a * x[i]


@compiled(fastmath=True)
def log_likelihood_beside(rows: Rows, scores: FloatArray, k: int, difference: float) -> float:
    """Return the log likelihood, but for what does not change, with coordinate k moved from where the scores are from.

    It takes n steps where `log_likelihood` takes n times the number of columns.
    """
    x, n_rows = rows.xt[k], len(scores)
    total = 0.0
    for start in range(0, n_rows, BLOCK):
        end = min(start + BLOCK, n_rows)
        if rows.unit:
            half, product = 0.0, 1.0
            for i in range(start, end):
                size = abs(scores[i] + difference * x[i])
                half += size
                product *= 1.0 + exp_of_minus(size)
            total += 0.5 * half + math.log(product)
        else:
            for i in range(start, end):
                size = abs(scores[i] + difference * x[i])
                total += rows.weight[i] * (0.5 * size + math.log1p(exp_of_minus(size)))
    return rows.statistic[k] * difference - total
