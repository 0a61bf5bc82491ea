"""Rows of the likelihood a block at a time: their scores, their sites, and what the sites add up to."""

from __future__ import annotations

import math

import numpy as np

from prefdissect._typing import FloatArray
from prefdissect.inference.compiled._compile import compiled
from prefdissect.inference.compiled.elementary import exp

__all__ = ["BLOCK", "add_sites", "expand_plain", "fill_means", "log_cosh", "match_plain", "score"]

BLOCK = 128  # rows at a time: 29 columns of them fill the first cache
_nodes, _weights = np.polynomial.hermite_e.hermegauss(7)
_NODES, _NODE_WEIGHTS = tuple(_nodes.tolist()), tuple((_weights / _weights.sum()).tolist())
_LEAST_VARIANCE = 1e-8  # of a score: below it differences of moments would be rounding
_LEAST_SPREAD, _MOST_SHIFT = 0.1, 2.5  # of a tilted density, in units of the marginal, that the nodes can see


@compiled(inline="always", inner=True)
def log_cosh(t: float) -> float:
    """Return log(2 cosh(t / 2)) to 11 digits: |t| / 2 + log(1 + e), e = exp(-|t|), and the logarithm is 2 artanh(z)."""
    e = exp(-abs(t))
    z = e / (2.0 + e)
    s = z * z
    series = 1 / 11 + s * (1 / 13 + s * (1 / 15 + s * (1 / 17 + s * (1 / 19))))
    return 0.5 * abs(t) + 2.0 * z * (1 + s * (1 / 3 + s * (1 / 5 + s * (1 / 7 + s * (1 / 9 + s * series)))))


@compiled(fastmath=True, inner=True)
def score(xt: FloatArray, start: int, mean: FloatArray, cov: FloatArray, m: FloatArray, v: FloatArray) -> None:
    """Fill `m` and `v` with mean and variance of x_i'w for as many rows, from `start` on.

    Columns are sliced one by one: of a block the compiler would not know that they are dense.
    """
    n_columns, n_rows = len(xt), len(m)
    end = start + n_rows
    m[:] = 0.0
    v[:] = 0.0
    half = np.empty(n_rows)  # of the terms with column k: x'cov x is symmetric
    for k in range(n_columns):
        xk, c, a = xt[k, start:end], mean[k], 0.5 * cov[k, k]
        for i in range(n_rows):
            m[i] += c * xk[i]
            half[i] = a * xk[i]
        j = k + 1
        while j + 4 <= n_columns:
            a0, a1, a2, a3 = cov[k, j], cov[k, j + 1], cov[k, j + 2], cov[k, j + 3]
            x0, x1 = xt[j, start:end], xt[j + 1, start:end]
            x2, x3 = xt[j + 2, start:end], xt[j + 3, start:end]
            for i in range(n_rows):
                half[i] += a0 * x0[i] + a1 * x1[i] + a2 * x2[i] + a3 * x3[i]
            j += 4
        while j < n_columns:
            a, x0 = cov[k, j], xt[j, start:end]
            for i in range(n_rows):
                half[i] += a * x0[i]
            j += 1
        for i in range(n_rows):
            v[i] += 2.0 * half[i] * xk[i]


@compiled(fastmath=True, inner=True)
def match_plain(
    m: FloatArray, v: FloatArray, weight: FloatArray, tau: FloatArray, nu: FloatArray, step: float, moments: FloatArray
) -> None:
    """Move the sites of a block, in place, to those that give their terms' tilted moments, all [row].

    With N(m, v) the current marginal of t, the tilted density is N(t; m, v) exp(f(t)) with
    f(t) = -weight log(2 cosh(t / 2)) - (nu t - tau t**2 / 2), up to a constant.
    """
    n_rows = len(m)
    moments[:] = 0.0
    zero, one, two, level, sd = moments[0], moments[1], moments[2], moments[3], moments[4]
    for i in range(n_rows):
        sd[i] = math.sqrt(max(v[i], _LEAST_VARIANCE))
        level[i] = m[i] * (0.5 * tau[i] * m[i] - nu[i]) - weight[i] * log_cosh(m[i])  # keeps exponents near 0
    for q in range(len(_NODES)):
        node, node_weight = _NODES[q], _NODE_WEIGHTS[q]
        for i in range(n_rows):
            t = m[i] + sd[i] * node
            mass = node_weight * exp(t * (0.5 * tau[i] * t - nu[i]) - weight[i] * log_cosh(t) - level[i])
            zero[i] += mass
            one[i] += mass * node
            two[i] += mass * node * node
    for i in range(n_rows):
        shift, variance = one[i] / zero[i], sd[i] * sd[i]
        spread = two[i] / zero[i] - shift * shift  # of t, in units of v
        # A density that lies beside the nodes tells them where to go, but not how wide it is
        spread = 1.0 if spread < _LEAST_SPREAD or abs(shift) > _MOST_SHIFT else spread
        # Cavity: precision 1/v - tau, shift m/v - nu. A log-concave term has a site of positive precision
        nu[i] += step * ((m[i] + sd[i] * shift) / spread - m[i]) / variance
        tau[i] += step * (max(tau[i] + (1.0 / spread - 1.0) / variance, 0.0) - tau[i])


@compiled(fastmath=True)
def add_sites(
    xt: FloatArray, start: int, tau: FloatArray, nu: FloatArray, precision: FloatArray, shift: FloatArray
) -> None:
    """Add X'diag(tau)X of as many rows, from `start` on, to the upper triangle of `precision`, and X'nu to `shift`."""
    n_columns, n_rows = len(xt), len(tau)
    end = start + n_rows
    scaled = np.empty(n_rows)
    for k in range(n_columns):
        xk, total = xt[k, start:end], 0.0
        for i in range(n_rows):
            scaled[i] = tau[i] * xk[i]
            total += nu[i] * xk[i]
        shift[k] += total
        j = k
        while j + 4 <= n_columns:
            x0, x1 = xt[j, start:end], xt[j + 1, start:end]
            x2, x3 = xt[j + 2, start:end], xt[j + 3, start:end]
            s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
            for i in range(n_rows):
                s0 += scaled[i] * x0[i]
                s1 += scaled[i] * x1[i]
                s2 += scaled[i] * x2[i]
                s3 += scaled[i] * x3[i]
            precision[k, j] += s0
            precision[k, j + 1] += s1
            precision[k, j + 2] += s2
            precision[k, j + 3] += s3
            j += 4
        while j < n_columns:
            x0, s0 = xt[j, start:end], 0.0
            for i in range(n_rows):
                s0 += scaled[i] * x0[i]
            precision[k, j] += s0
            j += 1


@compiled(fastmath=True, inner=True)
def fill_means(xt: FloatArray, start: int, mean: FloatArray, m: FloatArray) -> None:
    """Fill `m` with x_i'mean for as many rows, from `start` on."""
    m[:] = 0.0
    end = start + len(m)
    for k in range(len(xt)):
        xk, c = xt[k, start:end], mean[k]
        for i in range(len(m)):
            m[i] += c * xk[i]


@compiled(fastmath=True, inner=True)
def expand_plain(m: FloatArray, weight: FloatArray, tau: FloatArray, nu: FloatArray) -> float:
    """Set the sites of a block to the second-order expansions of their terms at `m`; return the terms' sum."""
    total = 0.0
    for i in range(len(m)):
        e = exp(-abs(m[i]))
        tau[i] = weight[i] * e / ((1.0 + e) * (1.0 + e))
        slope = 0.5 * weight[i] * (1.0 - e) / (1.0 + e)
        nu[i] = tau[i] * m[i] - (slope if m[i] > 0.0 else -slope)
        total -= weight[i] * log_cosh(m[i])
    return total
