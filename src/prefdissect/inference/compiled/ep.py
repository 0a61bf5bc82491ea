"""Expectation propagation for one fit: see `prefdissect.inference.ep`."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from prefdissect._typing import BoolArray, FloatArray
from prefdissect.inference.compiled._compile import compiled
from prefdissect.inference.compiled.elementary import copy_to, exp

__all__ = ["Block", "Problem", "is_sound", "propagate"]

_BLOCK = 128  # rows at a time: 29 columns of them fill the first cache
_nodes, _weights = np.polynomial.hermite_e.hermegauss(7)
_NODES, _NODE_WEIGHTS = tuple(_nodes.tolist()), tuple((_weights / _weights.sum()).tolist())
_LEAST_VARIANCE = 1e-8  # of a score: below it differences of moments would be rounding
_LEAST_SPREAD, _MOST_SHIFT = 0.1, 2.5  # of a tilted density, in units of the marginal, that the nodes can see
_NEAR = 1.0  # how close to the mode, in standard deviations, is close enough to begin from


class Problem(NamedTuple):
    """The data of a fit, see `FitData`, and the prior of each column, see `PriorArrays`."""

    xt: FloatArray
    weight: FloatArray
    statistic: FloatArray
    scale: FloatArray
    laplace: BoolArray


class Block(NamedTuple):
    """What is to be found, see `StandIn`: the Gaussian of the likelihood, that of the prior, and their product."""

    precision: FloatArray
    linear: FloatArray
    prior_precision: FloatArray
    prior_linear: FloatArray
    mean: FloatArray
    cov: FloatArray


@compiled(inline="always", inner=True)
def _log_cosh(t: float) -> float:
    """Return log(2 cosh(t / 2)) to 11 digits: |t| / 2 + log(1 + e), e = exp(-|t|), and the logarithm is 2 artanh(z)."""
    e = exp(-abs(t))
    z = e / (2.0 + e)
    s = z * z
    series = 1 / 11 + s * (1 / 13 + s * (1 / 15 + s * (1 / 17 + s * (1 / 19))))
    return 0.5 * abs(t) + 2.0 * z * (1 + s * (1 / 3 + s * (1 / 5 + s * (1 / 7 + s * (1 / 9 + s * series)))))


@compiled(fastmath=True, inner=True)
def _score(xt: FloatArray, start: int, mean: FloatArray, cov: FloatArray, m: FloatArray, v: FloatArray) -> None:
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
def _match(
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
        level[i] = m[i] * (0.5 * tau[i] * m[i] - nu[i]) - weight[i] * _log_cosh(m[i])  # keeps exponents near 0
    for q in range(len(_NODES)):
        node, node_weight = _NODES[q], _NODE_WEIGHTS[q]
        for i in range(n_rows):
            t = m[i] + sd[i] * node
            mass = node_weight * exp(t * (0.5 * tau[i] * t - nu[i]) - weight[i] * _log_cosh(t) - level[i])
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
def _add_sites(
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
def _expand(
    xt: FloatArray, start: int, mean: FloatArray, weight: FloatArray, tau: FloatArray, nu: FloatArray, m: FloatArray
) -> float:
    """Set the sites of a block to the second-order expansions of their terms at `mean`; return the terms' sum."""
    m[:] = 0.0
    end, total = start + len(m), 0.0
    for k in range(len(xt)):
        xk, c = xt[k, start:end], mean[k]
        for i in range(len(m)):
            m[i] += c * xk[i]
    for i in range(len(m)):
        e = exp(-abs(m[i]))
        tau[i] = weight[i] * e / ((1.0 + e) * (1.0 + e))
        slope = 0.5 * weight[i] * (1.0 - e) / (1.0 + e)
        nu[i] = tau[i] * m[i] - (slope if m[i] > 0.0 else -slope)
        total -= weight[i] * _log_cosh(m[i])
    return total


@compiled(inner=True)
def _expand_likelihood(problem: Problem, block: Block, tau: FloatArray, nu: FloatArray) -> float:
    """Set sites to expansions at the mean and the likelihood's Gaussian to their sum; return the log likelihood."""
    xt, weight, total, m = problem.xt, problem.weight, 0.0, np.empty(_BLOCK)
    block.precision[:] = 0.0
    copy_to(block.linear, problem.statistic)
    for start in range(0, len(weight), _BLOCK):
        end = min(start + _BLOCK, len(weight))
        total += _expand(xt, start, block.mean, weight[start:end], tau[start:end], nu[start:end], m[: end - start])
        _add_sites(xt, start, tau[start:end], nu[start:end], block.precision, block.linear)
    _mirror(block.precision)
    for k in range(len(xt)):
        total += problem.statistic[k] * block.mean[k]
    return total


@compiled(inner=True)
def _match_likelihood(problem: Problem, block: Block, tau: FloatArray, nu: FloatArray, step: float) -> None:
    """Move all sites towards their terms' tilted moments, and set the likelihood's Gaussian to their sum."""
    xt, weight = problem.xt, problem.weight
    m, v, moments = np.empty(_BLOCK), np.empty(_BLOCK), np.empty((5, _BLOCK))
    block.precision[:] = 0.0
    copy_to(block.linear, problem.statistic)
    for start in range(0, len(weight), _BLOCK):
        end = min(start + _BLOCK, len(weight))
        n = end - start
        _score(xt, start, block.mean, block.cov, m[:n], v[:n])
        _match(m[:n], v[:n], weight[start:end], tau[start:end], nu[start:end], step, moments)
        _add_sites(xt, start, tau[start:end], nu[start:end], block.precision, block.linear)
    _mirror(block.precision)


@compiled()
def _mirror(a: FloatArray) -> None:
    """Copy the upper triangle to the lower one."""
    for k in range(len(a)):
        for j in range(k):
            a[k, j] = a[j, k]


@compiled(inner=True)
def _log_ratio(z: float) -> float:
    """Return log(cdf(z) / density(z)) of the standard normal, for any z; far in the tail by a continued fraction."""
    if z > -12.0:
        return math.log(0.5 * math.erfc(-z * 0.7071067811865476)) + 0.5 * z * z + 0.9189385332046727
    tail = -z
    for j in range(12, 0, -1):
        tail = -z + j / tail
    return -math.log(tail)


@compiled()
def _laplace_moments(m: float, v: float, scale: float) -> tuple[float, float]:
    """Return mean and variance of N(b; m, v) exp(-|b| / scale), normalised.

    It is two pieces of Gaussians of variance v: around m - v / scale above 0, around m + v / scale below.
    """
    sd = math.sqrt(v)
    above, below = (m - v / scale) / sd, -(m + v / scale) / sd  # standardised, the one below mirrored
    log_above, log_below = _log_ratio(above), _log_ratio(below)
    p = 1.0 / (1.0 + math.exp(min(max(log_below - log_above, -700.0), 700.0)))
    mean_above, mean_below = above + math.exp(-log_above), -(below + math.exp(-log_below))
    mean = p * mean_above + (1.0 - p) * mean_below
    square = p * (1.0 + above * mean_above) + (1.0 - p) * (1.0 - below * mean_below)
    return sd * mean, v * max(square - mean * mean, 1e-12)


@compiled(inner=True)
def _expand_prior(problem: Problem, block: Block) -> float:
    """Set the prior's sites to what bounds a smooth prior at the mean from below; return its log density there.

    A Laplace prior is rounded off, exp(-sqrt(b**2 + c**2) / scale): with c twice the scale its curvature at 0 is
    that of a Gaussian with the prior's variance.
    """
    total = 0.0
    for k in range(len(problem.scale)):
        b, scale = block.mean[k], problem.scale[k]
        rounded = math.sqrt(b * b + 4.0 * scale * scale)
        if problem.laplace[k]:
            block.prior_precision[k] = 1.0 / (scale * rounded)
            total -= rounded / scale
        else:
            block.prior_precision[k] = 1.0 / (scale * scale)
            total -= 0.5 * (b / scale) ** 2
        block.prior_linear[k] = 0.0
    return total


@compiled(inner=True)
def _match_prior(problem: Problem, block: Block, step: float) -> None:
    """Move the sites of the Laplace priors towards their tilted moments; those of Normal ones are exact."""
    mean, cov, tau, nu = block.mean, block.cov, block.prior_precision, block.prior_linear
    for k in range(len(mean)):
        if not problem.laplace[k]:
            continue
        v, scale = cov[k, k], problem.scale[k]
        known = 1.0 / v - tau[k]  # what the data say
        if known * scale**2 < 1e-8:  # nothing
            tau[k], nu[k] = 0.5 / scale**2, 0.0
            continue
        shift = mean[k] / v - nu[k]
        tilted_mean, tilted_variance = _laplace_moments(shift / known, 1.0 / known, scale)
        tau[k] += step * (max(1.0 / tilted_variance - known, 1e-6 / scale**2) - tau[k])
        nu[k] += step * (tilted_mean / tilted_variance - shift - nu[k])


@compiled(fastmath=True)
def _invert(a: FloatArray) -> None:
    """Invert a symmetric positive definite matrix in place, by Gauss-Jordan elimination, which needs no pivoting."""
    n = len(a)
    for k in range(n):
        row = a[k]
        pivot = 1.0 / row[k]
        row[k] = 1.0
        for j in range(n):
            row[j] *= pivot
        for i in range(n):
            if i != k:
                other = a[i]
                factor = other[k]
                other[k] = 0.0
                for j in range(n):
                    other[j] -= factor * row[j]


@compiled(inner=True)
def _solve(block: Block) -> tuple[float, float]:
    """Fill the posterior's mean and covariance; return the largest moves, of a mean in its sd and of a log sd."""
    mean, cov = block.mean, block.cov
    n = len(mean)
    before = np.empty(n)
    for k in range(n):
        before[k] = cov[k, k]
    for k in range(n):
        copy_to(cov[k], block.precision[k])
        cov[k, k] += block.prior_precision[k]
    _invert(cov)
    shifted, stretched = 0.0, 0.0
    for k in range(n):
        new = 0.0
        for j in range(n):
            new += cov[k, j] * (block.linear[j] + block.prior_linear[j])
        shifted = max(shifted, abs(new - mean[k]) / math.sqrt(cov[k, k]))
        stretched = max(stretched, 0.5 * abs(math.log(cov[k, k] / before[k])))
        mean[k] = new
    return shifted, stretched


@compiled(inner=True)
def _approach_mode(problem: Problem, block: Block, tau: FloatArray, nu: FloatArray, most: int) -> None:
    """Take Newton's steps towards the mode, each halved until it gains, and leave the sites expanded near it.

    Moment matching looks around the current mean, a few standard deviations far. Where many rows are equal
    their one term is so narrow that it would see nothing from farther away.
    """
    block.mean[:] = 0.0
    block.cov[:] = 1.0
    last, best = block.mean.copy(), -np.inf
    for _ in range(most):
        density = _expand_likelihood(problem, block, tau, nu) + _expand_prior(problem, block)
        if density < best - 1e-9 * abs(best):
            for k in range(len(last)):
                block.mean[k] = 0.5 * (block.mean[k] + last[k])
            continue
        best = density
        copy_to(last, block.mean)
        shifted, _ = _solve(block)
        if shifted < _NEAR:
            break


@compiled()
def propagate(problem: Problem, block: Block, tolerance: float, patience: int, most: int) -> tuple[int, bool]:
    """Fill the block, beginning near the mode.

    Sites move all at once; steps are halved after `patience` iterations. Returns how many there were, of
    at most `most`, and whether no moment would move by more than `tolerance` if they went on: moves shrink
    about geometrically, so the last three say how far the rest would go.
    """
    tau, nu = np.empty_like(problem.weight), np.empty_like(problem.weight)
    _approach_mode(problem, block, tau, nu, 50)
    before, ratio = np.inf, 1.0
    for iteration in range(1, most + 1):
        step = 1.0 if iteration <= patience else 0.5
        _match_likelihood(problem, block, tau, nu, step)
        _match_prior(problem, block, step)
        moved = max(_solve(block))
        slower = max(ratio, moved / before)  # the first move is of another kind: it leaves the mode
        if moved == 0.0 or (slower < 1.0 and moved * slower < tolerance * (1.0 - slower)):
            return iteration, True
        before, ratio = moved, moved / before
    return most, False


@compiled()
def is_sound(block: Block) -> bool:
    """Whether rounding has left a posterior: finite, with variances above 0."""
    for k in range(len(block.mean)):
        if not (math.isfinite(block.mean[k]) and block.cov[k, k] > 0.0):
            return False
        for j in range(len(block.mean)):
            if not math.isfinite(block.cov[k, j]):
                return False
    return True
