"""Terms of the log likelihood of rows that could have been ties, in their score t and the cutpoint theta.

With L(t) = log(2 cosh(t / 2)), so that log sigmoid(t) = t / 2 - L(t), and what is linear in t left to the statistic:

    davidson   -log(2 cosh(t / 2) + nu), nu = exp(theta): of any verdict; a tie adds theta, which is linear, too
    decided    -L(t - c) - c / 2, c = exp(theta): ordered, of a row turned so that A was preferred
    between    log(2 sinh c) - L(t + c) - L(t - c): ordered, of a tie

Source: Davidson 1970, JASA 65(329); Rao and Kupper 1967, JASA 62(317), for cutpoints at -c and c.
"""

from __future__ import annotations

import math

import numpy as np

from prefdissect._typing import FloatArray
from prefdissect.inference.compiled._compile import compiled

__all__ = ["BETWEEN", "DAVIDSON", "DECIDED", "KINDS", "PLAIN", "bend_tied", "expand_tied", "match_tied", "tied_sum"]

PLAIN, DAVIDSON, DECIDED, BETWEEN = 0, 1, 2, 3
KINDS = 4
_nodes, _weights = np.polynomial.hermite_e.hermegauss(7)
_NODES, _NODE_WEIGHTS = tuple(_nodes.tolist()), tuple((_weights / _weights.sum()).tolist())
_LEAST_VARIANCE = 1e-8  # as of plain rows
_LEAST_SPREAD, _MOST_SHIFT = 0.1, 2.5
_LOWEST, _HIGHEST, _WIDEST = -25.0, 20.0, 5.0  # of theta: beyond, nothing changes but rounding
_AT_ONCE = 32  # factors below 2 + exp(20), whose product is a number


@compiled(inner=True)
def _log_cosh(t: float) -> float:
    """Return L(t)."""
    return 0.5 * abs(t) + math.log1p(math.exp(-abs(t)))


@compiled(inner=True)
def _sigmoid(t: float) -> float:
    return 1.0 / (1.0 + math.exp(-t)) if t > -700.0 else 0.0


@compiled(inner=True)
def _tie_size(kind: int, theta: float) -> float:
    """Return nu or c, between bounds."""
    return math.exp(min(max(theta, _LOWEST), _HIGHEST if kind == DAVIDSON else _WIDEST))


@compiled(inner=True)
def _term(kind: int, t: float, size: float) -> float:
    """Return the term of one row; `size` is nu or c."""
    if kind == DAVIDSON:
        q = math.exp(-0.5 * abs(t))
        return -0.5 * abs(t) - math.log1p(q * (q + size))
    if kind == DECIDED:
        return -_log_cosh(t - size) - 0.5 * size
    return size + math.log(-math.expm1(-2.0 * size)) - _log_cosh(t + size) - _log_cosh(t - size)


@compiled(inner=True)
def _slopes(kind: int, t: float, size: float) -> tuple[float, float, float, float, float]:
    """Return the derivatives of a term: by t, twice by t, by theta, twice by theta, by both."""
    if kind == DAVIDSON:
        q = math.exp(-0.5 * abs(t))
        whole = 1.0 + q * (q + size)
        tie, side = size * q / whole, (1.0 - q * q) / whole
        side = side if t > 0.0 else -side
        bent = -0.25 * ((1.0 + q * q) / whole - side * side)
        return -0.5 * side, bent, -tie, -tie * (1.0 - tie), 0.5 * side * tie
    low = _sigmoid(t - size)
    d_low = low * (1.0 - low)
    if kind == DECIDED:
        by_size, twice, mixed = low - 1.0, -d_low, d_low
        return 0.5 - low, -d_low, size * by_size, size * by_size + size * size * twice, size * mixed
    high = _sigmoid(t + size)
    d_high = high * (1.0 - high)
    sinh = math.sinh(size)
    by_size = math.cosh(size) / sinh - (high - low)
    twice, mixed = -1.0 / (sinh * sinh) - d_high - d_low, d_low - d_high
    return 1.0 - high - low, -d_high - d_low, size * by_size, size * by_size + size * size * twice, size * mixed


@compiled(fastmath=True, inner=True)
def tied_sum(kind: int, theta: float, t: FloatArray, weight: FloatArray, unit: bool) -> float:
    """Return the sum of the terms of a block of rows, with the scores `t` [row]; `unit` says that weights are 1."""
    size, total = _tie_size(kind, theta), 0.0
    if kind == DAVIDSON and unit:
        product = 1.0
        for i in range(len(t)):
            q = math.exp(-0.5 * abs(t[i]))
            total -= 0.5 * abs(t[i])
            product *= 1.0 + q * (q + size)
            if i % _AT_ONCE == _AT_ONCE - 1:
                total -= math.log(product)
                product = 1.0
        return total - math.log(product)
    for i in range(len(t)):
        total += weight[i] * _term(kind, t[i], size)
    return total


@compiled(inner=True)
def expand_tied(kind: int, theta: float, m: FloatArray, weight: FloatArray, tau: FloatArray, nu: FloatArray) -> float:
    """Set the sites of a block to the second-order expansions of their terms at `m`; return the terms' sum."""
    size, total = _tie_size(kind, theta), 0.0
    for i in range(len(m)):
        slope, bent, _, _, _ = _slopes(kind, m[i], size)
        tau[i] = -weight[i] * bent
        nu[i] = tau[i] * m[i] + weight[i] * slope
        total += weight[i] * _term(kind, m[i], size)
    return total


@compiled(inner=True)
def match_tied(
    kind: int,
    theta: float,
    m: FloatArray,
    v: FloatArray,
    weight: FloatArray,
    tau: FloatArray,
    nu: FloatArray,
    step: float,
    slopes: FloatArray,
) -> None:
    """Move the sites of a block as those of plain rows are moved, and add to `slopes` those of log Z in theta.

    With cavities held, d log Z / d theta is the sum of the tilted means of the terms' derivatives; of the second
    derivative the mean of the terms' own is taken, with its sign turned.
    """
    size = _tie_size(kind, theta)
    for i in range(len(m)):
        variance = max(v[i], _LEAST_VARIANCE)
        sd = math.sqrt(variance)
        level = m[i] * (0.5 * tau[i] * m[i] - nu[i]) + weight[i] * _term(kind, m[i], size)
        zero, one, two, by_theta, bent = 0.0, 0.0, 0.0, 0.0, 0.0
        for q in range(len(_NODES)):
            t = m[i] + sd * _NODES[q]
            away = t * (0.5 * tau[i] * t - nu[i]) + weight[i] * _term(kind, t, size) - level
            mass = _NODE_WEIGHTS[q] * math.exp(min(max(away, -700.0), 700.0))
            _, _, g, h, _ = _slopes(kind, t, size)
            zero += mass
            one += mass * _NODES[q]
            two += mass * _NODES[q] * _NODES[q]
            by_theta += mass * g
            bent += mass * h
        shift = one / zero
        spread = two / zero - shift * shift
        spread = 1.0 if spread < _LEAST_SPREAD or abs(shift) > _MOST_SHIFT else spread
        nu[i] += step * ((m[i] + sd * shift) / spread - m[i]) / variance
        tau[i] += step * (max(tau[i] + (1.0 / spread - 1.0) / variance, 0.0) - tau[i])
        slopes[0] += weight[i] * by_theta / zero
        slopes[1] -= weight[i] * bent / zero


@compiled(inner=True)
def bend_tied(kind: int, theta: float, m: FloatArray, v: FloatArray, weight: FloatArray, mixed: FloatArray) -> float:
    """Fill `mixed` [row] with the mean of d2 term / dt dtheta under N(m, v); return that of -d2 / dtheta2, summed."""
    size, information = _tie_size(kind, theta), 0.0
    for i in range(len(m)):
        sd = math.sqrt(max(v[i], _LEAST_VARIANCE))
        mixed[i] = 0.0
        for q in range(len(_NODES)):
            _, _, _, bent, both = _slopes(kind, m[i] + sd * _NODES[q], size)
            mixed[i] += weight[i] * _NODE_WEIGHTS[q] * both
            information -= weight[i] * _NODE_WEIGHTS[q] * bent
    return information
