"""Sites of many cells at once, under means and covariances that come from outside: see `inference.pooling.sites`.

The rows of all cells stand side by side, `xt` [column, row]; cell c has the rows from `starts[c]` to `starts[c + 1]`.
Every function does the cells or rows from `first` to `last` only, so that two threads can share the work.
"""

from __future__ import annotations

import numpy as np

from prefdissect._typing import FloatArray, IntArray
from prefdissect.inference.compiled._compile import compiled
from prefdissect.inference.compiled.ep import mirror
from prefdissect.inference.compiled.sites import (
    BLOCK,
    add_sites,
    expand_plain,
    fill_means,
    log_cosh,
    match_plain,
    score,
)
from prefdissect.inference.compiled.tied import DAVIDSON, bend_tied, expand_tied, match_tied, tied_sum

__all__ = ["bend_cells", "expand_cells", "gather_cells", "match_cells", "score_cells", "sum_cells"]


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
def match_cells(
    m: FloatArray,
    v: FloatArray,
    weight: FloatArray,
    starts: IntArray,
    opens: IntArray,
    cut: FloatArray,
    tau: FloatArray,
    nu: FloatArray,
    step: float,
    slopes: FloatArray,
    first: int,
    last: int,
) -> None:
    """Move the sites of rows, in place, to the tilted moments of their terms under the marginals N(m, v).

    Rows of cell c from `opens[c]` on could have been ties: `slopes` [cell, 2] are those of `match_tied`.
    """
    moments = np.empty((5, BLOCK))
    for c in range(first, last):
        for start in range(starts[c], opens[c], BLOCK):
            end = min(start + BLOCK, opens[c])
            own = weight[start:end]
            match_plain(m[start:end], v[start:end], own, tau[start:end], nu[start:end], step, moments[:, : end - start])
        for start in range(opens[c], starts[c + 1], BLOCK):
            end = min(start + BLOCK, starts[c + 1])
            own, theta = weight[start:end], cut[c]
            match_tied(DAVIDSON, theta, m[start:end], v[start:end], own, tau[start:end], nu[start:end], step, slopes[c])


@compiled()
def expand_cells(
    m: FloatArray,
    weight: FloatArray,
    starts: IntArray,
    opens: IntArray,
    cut: FloatArray,
    tau: FloatArray,
    nu: FloatArray,
) -> None:
    """Set the sites of rows to the second-order expansions of their terms at `m`."""
    for c in range(len(opens)):
        a, b, end = starts[c], opens[c], starts[c + 1]
        expand_plain(m[a:b], weight[a:b], tau[a:b], nu[a:b])
        expand_tied(DAVIDSON, cut[c], m[b:end], weight[b:end], tau[b:end], nu[b:end])


@compiled()
def bend_cells(
    xt: FloatArray,
    starts: IntArray,
    opens: IntArray,
    m: FloatArray,
    v: FloatArray,
    weight: FloatArray,
    cut: FloatArray,
    information: FloatArray,
    mixed: FloatArray,
) -> None:
    """Fill each cutpoint's information [cell], and the cross derivatives in weights and cutpoint [cell, column]."""
    both = np.empty(BLOCK)
    for c in range(len(opens)):
        for start in range(opens[c], starts[c + 1], BLOCK):
            end = min(start + BLOCK, starts[c + 1])
            information[c] += bend_tied(DAVIDSON, cut[c], m[start:end], v[start:end], weight[start:end], both)
            for k in range(len(xt)):
                for i in range(end - start):
                    mixed[c, k] += xt[k, start + i] * both[i]


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


@compiled()
def sum_cells(
    xt: FloatArray,
    starts: IntArray,
    opens: IntArray,
    linear: FloatArray,
    weight: FloatArray,
    w: FloatArray,
    cut: FloatArray,
    out: FloatArray,
) -> None:
    """Fill the log likelihood of each cell [cell] at weights `w` [cell, column], up to a constant."""
    scores = np.empty(BLOCK)
    for c in range(len(w)):
        out[c] = 0.0
        for is_open in range(2):
            low, high = (opens[c], starts[c + 1]) if is_open else (starts[c], opens[c])
            for start in range(low, high, BLOCK):
                end = min(start + BLOCK, high)
                m = scores[: end - start]
                fill_means(xt, start, w[c], m)
                for i in range(len(m)):
                    out[c] += linear[start + i] * m[i]
                if is_open:
                    out[c] += tied_sum(DAVIDSON, cut[c], m, weight[start:end], False)
                else:
                    for i in range(len(m)):
                        out[c] -= weight[start + i] * log_cosh(m[i])
