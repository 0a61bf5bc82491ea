"""Expectation propagation for one fit: see `prefdissect.inference.ep`."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from prefdissect._typing import BoolArray, FloatArray, IntArray
from prefdissect.inference.compiled._compile import compiled
from prefdissect.inference.compiled.elementary import copy_to
from prefdissect.inference.compiled.sites import BLOCK, add_sites, expand_plain, fill_means, match_plain, score
from prefdissect.inference.compiled.tied import KINDS, PLAIN, bend_tied, expand_tied, match_tied

__all__ = ["Block", "Problem", "is_sound", "propagate"]

_NEAR = 1.0  # how close to the mode, in standard deviations, is close enough to begin from


class Problem(NamedTuple):
    """The data of a fit, see `FitData`, and the prior of each column, see `PriorArrays`; all rows are plain by default.

    `statistic` has a last entry more than there are columns where there is a cutpoint, `cut_scale` its prior's sd.
    """

    xt: FloatArray
    weight: FloatArray
    statistic: FloatArray
    scale: FloatArray
    laplace: BoolArray
    ends: IntArray = np.empty(0, dtype=np.int64)
    cut_scale: float = 1.0


class Block(NamedTuple):
    """What is to be found, see `StandIn`: the Gaussian of the likelihood, that of the prior, and their product.

    `cut` holds the cutpoint, where to begin at first, and its information; `mixed` [column] the cross derivatives of
    the log likelihood in weights and cutpoint. Both are empty where there is none.
    """

    precision: FloatArray
    linear: FloatArray
    prior_precision: FloatArray
    prior_linear: FloatArray
    mean: FloatArray
    cov: FloatArray
    cut: FloatArray = np.empty(0)
    mixed: FloatArray = np.empty(0)


@compiled(inner=True)
def _range_of(problem: Problem, kind: int) -> tuple[int, int]:
    """Return where the rows of a kind begin and end."""
    if len(problem.ends) == 0:
        return 0, len(problem.weight) if kind == PLAIN else 0
    return problem.ends[kind - 1] if kind > 0 else 0, problem.ends[kind]


@compiled(inner=True)
def _expand_likelihood(problem: Problem, block: Block, tau: FloatArray, nu: FloatArray) -> float:
    """Set sites to expansions at the mean and the likelihood's Gaussian to their sum; return the log likelihood."""
    xt, weight, total, scores = problem.xt, problem.weight, 0.0, np.empty(BLOCK)
    block.precision[:] = 0.0
    copy_to(block.linear, problem.statistic)
    for kind in range(KINDS):
        first, last = _range_of(problem, kind)
        for start in range(first, last, BLOCK):
            end = min(start + BLOCK, last)
            m = scores[: end - start]
            fill_means(xt, start, block.mean, m)
            if kind == PLAIN:
                total += expand_plain(m, weight[start:end], tau[start:end], nu[start:end])
            else:
                total += expand_tied(kind, block.cut[0], m, weight[start:end], tau[start:end], nu[start:end])
            add_sites(xt, start, tau[start:end], nu[start:end], block.precision, block.linear)
    mirror(block.precision)
    for k in range(len(xt)):
        total += problem.statistic[k] * block.mean[k]
    return total


@compiled(inner=True)
def _match_likelihood(problem: Problem, block: Block, tau: FloatArray, nu: FloatArray, step: float) -> float:
    """Move all sites towards their terms' tilted moments, and set the likelihood's Gaussian to their sum.

    A cutpoint takes a Newton step on log Z. Returns how far it moved, in its standard deviation.
    """
    xt, weight = problem.xt, problem.weight
    m, v, moments, slopes = np.empty(BLOCK), np.empty(BLOCK), np.empty((5, BLOCK)), np.zeros(2)
    block.precision[:] = 0.0
    copy_to(block.linear, problem.statistic)
    for kind in range(KINDS):
        first, last = _range_of(problem, kind)
        for start in range(first, last, BLOCK):
            end = min(start + BLOCK, last)
            n, own = end - start, weight[start:end]
            score(xt, start, block.mean, block.cov, m[:n], v[:n])
            if kind == PLAIN:
                match_plain(m[:n], v[:n], own, tau[start:end], nu[start:end], step, moments)
            else:
                theta = block.cut[0]
                match_tied(kind, theta, m[:n], v[:n], own, tau[start:end], nu[start:end], step, slopes)
            add_sites(xt, start, tau[start:end], nu[start:end], block.precision, block.linear)
    mirror(block.precision)
    return _move_cut(problem, block, slopes) if len(block.cut) else 0.0


@compiled(inner=True)
def _move_cut(problem: Problem, block: Block, slopes: FloatArray) -> float:
    """Move the cutpoint to where log Z and its prior are highest, by Newton's step, and return how many sds far."""
    known = 1.0 / (problem.cut_scale * problem.cut_scale)
    slope = problem.statistic[len(problem.xt)] + slopes[0] - known * block.cut[0]
    information = max(slopes[1], 0.0) + known
    step = min(max(slope / information, -1.0), 1.0)
    block.cut[0] += step
    return abs(step) * math.sqrt(information)


@compiled(inner=True)
def _bend(problem: Problem, block: Block) -> None:
    """Fill the cutpoint's information, and the cross derivatives of the log likelihood in weights and cutpoint."""
    m, v, mixed, total = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), 0.0
    block.mixed[:] = 0.0
    for kind in range(1, KINDS):
        first, last = _range_of(problem, kind)
        for start in range(first, last, BLOCK):
            end = min(start + BLOCK, last)
            n = end - start
            score(problem.xt, start, block.mean, block.cov, m[:n], v[:n])
            total += bend_tied(kind, block.cut[0], m[:n], v[:n], problem.weight[start:end], mixed)
            for k in range(len(problem.xt)):
                for i in range(n):
                    block.mixed[k] += problem.xt[k, start + i] * mixed[i]
    block.cut[1] = total


@compiled()
def mirror(a: FloatArray) -> None:
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
        cut_moved = _match_likelihood(problem, block, tau, nu, step)
        _match_prior(problem, block, step)
        shifted, stretched = _solve(block)
        moved = max(cut_moved, shifted, stretched)
        slower = max(ratio, moved / before)  # the first move is of another kind: it leaves the mode
        if moved == 0.0 or (slower < 1.0 and moved * slower < tolerance * (1.0 - slower)):
            if len(block.cut):
                _bend(problem, block)
            return iteration, True
        before, ratio = moved, moved / before
    if len(block.cut):
        _bend(problem, block)
    return most, False


@compiled()
def is_sound(block: Block) -> bool:
    """Whether rounding has left a posterior: finite, with variances above 0, and a finite cutpoint."""
    for j in range(len(block.cut)):
        if not math.isfinite(block.cut[j]):
            return False
    for k in range(len(block.mean)):
        if not (math.isfinite(block.mean[k]) and block.cov[k, k] > 0.0):
            return False
        for j in range(len(block.mean)):
            if not math.isfinite(block.cov[k, j]):
                return False
    return True
