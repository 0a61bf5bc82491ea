"""Sites of many cells at once, under means and covariances that come from outside: see `inference.pooling.sites`.

The rows of all cells stand side by side, `xt` [column, row]; cell c has the rows from `starts[c]` to `starts[c + 1]`.
Every function does the cells or rows from `first` to `last` only, so that two threads can share the work.
"""

from __future__ import annotations

import numpy as np

from prefdissect._typing import FloatArray, IntArray
from prefdissect.inference.compiled._compile import compiled
from prefdissect.inference.compiled.elementary import exp
from prefdissect.inference.compiled.ep import mirror
from prefdissect.inference.compiled.sites import BLOCK, add_sites, log_cosh, match_plain, score

__all__ = ["expand_rows", "gather_cells", "match_rows", "score_cells", "sum_cells"]


@compiled()
def score_cells(
    xt: FloatArray,
    starts: IntArray,
    mean: FloatArray,
    cov: FloatArray,
    m: FloatArray,
    v: FloatArray,
    first: int,
    last: int,
) -> None:
    """Fill `m` and `v` [row] with mean and variance of x'w; `mean` is [cell, column], `cov` [cell, column, column]."""
    for c in range(first, last):
        for start in range(starts[c], starts[c + 1], BLOCK):
            end = min(start + BLOCK, starts[c + 1])
            score(xt, start, mean[c], cov[c], m[start:end], v[start:end])


@compiled()
def match_rows(
    m: FloatArray,
    v: FloatArray,
    weight: FloatArray,
    tau: FloatArray,
    nu: FloatArray,
    step: float,
    first: int,
    last: int,
) -> None:
    """Move the sites of rows, in place, to the tilted moments of their terms under the marginals N(m, v)."""
    moments = np.empty((5, BLOCK))
    for start in range(first, last, BLOCK):
        end = min(start + BLOCK, last)
        match_plain(
            m[start:end],
            v[start:end],
            weight[start:end],
            tau[start:end],
            nu[start:end],
            step,
            moments[:, : end - start],
        )


@compiled(fastmath=True)
def expand_rows(m: FloatArray, weight: FloatArray, tau: FloatArray, nu: FloatArray, first: int, last: int) -> None:
    """Set the sites of rows to the second-order expansions of their terms, -weight log(2 cosh(t / 2)), at `m`."""
    for i in range(first, last):
        e = exp(-abs(m[i]))
        tau[i] = weight[i] * e / ((1.0 + e) * (1.0 + e))
        slope = 0.5 * weight[i] * (1.0 - e) / (1.0 + e)
        nu[i] = tau[i] * m[i] - (slope if m[i] > 0.0 else -slope)


@compiled()
def gather_cells(
    xt: FloatArray,
    starts: IntArray,
    tau: FloatArray,
    nu: FloatArray,
    precision: FloatArray,
    linear: FloatArray,
    first: int,
    last: int,
) -> None:
    """Fill X'diag(tau)X [cell, column, column] and X'nu [cell, column] of each cell."""
    for c in range(first, last):
        precision[c] = 0.0
        linear[c] = 0.0
        for start in range(starts[c], starts[c + 1], BLOCK):
            end = min(start + BLOCK, starts[c + 1])
            add_sites(xt, start, tau[start:end], nu[start:end], precision[c], linear[c])
        mirror(precision[c])


@compiled(fastmath=True)
def sum_cells(
    xt: FloatArray, starts: IntArray, linear: FloatArray, weight: FloatArray, w: FloatArray, out: FloatArray
) -> None:
    """Fill the log likelihood of each cell [cell] at weights `w` [cell, column], up to a constant."""
    m = np.empty(BLOCK)
    for c in range(len(w)):
        out[c] = 0.0
        for start in range(starts[c], starts[c + 1], BLOCK):
            end = min(start + BLOCK, starts[c + 1])
            m[:] = 0.0
            for k in range(len(xt)):
                xk, wk = xt[k, start:end], w[c, k]
                for i in range(end - start):
                    m[i] += wk * xk[i]
            total = 0.0
            for i in range(end - start):
                total += linear[start + i] * m[i] - weight[start + i] * log_cosh(m[i])
            out[c] += total
