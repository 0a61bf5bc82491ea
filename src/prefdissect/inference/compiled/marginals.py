"""Marginals of the stand-in, as mixtures of Gaussians times the prior."""

from __future__ import annotations

import math

import numpy as np

from prefdissect._typing import BoolArray, FloatArray
from prefdissect.inference.compiled._compile import compiled
from prefdissect.inference.compiled.elementary import exp, mills

__all__ = ["measure_ridges", "mix_conditionals"]

_NOTHING = 1e-9  # precision times the prior's scale squared, below which the data say nothing
_BEYOND = 60.0  # sds above the centre of a piece: no interval ends there
_ROOT, _DENSITY = math.sqrt(2 * math.pi), 1 / math.sqrt(2 * math.pi)


@compiled()
def measure_ridges(cov: FloatArray, prior_precision: FloatArray, laplace: BoolArray, out: FloatArray) -> None:
    """Fill `out` [column] with the largest product of a column's correlations and the prior's share, see `find_ridged`.

    The share is the larger one of both columns'; a Normal prior has none, as its site is exact.
    """
    out[:] = 0.0
    for k in range(len(cov)):
        share = prior_precision[k] * cov[k, k] if laplace[k] else 0.0
        for j in range(len(cov)):
            if j != k:
                size = share * abs(cov[k, j]) / math.sqrt(cov[k, k] * cov[j, j])
                out[k] = max(out[k], size)
                out[j] = max(out[j], size)


@compiled(fastmath=True, inner=True)
def _describe(
    precision: FloatArray, pull: FloatArray, scale: float, laplace: bool, pieces: FloatArray
) -> tuple[float, float, float]:
    """Describe each conditional by two pieces of Gaussians that meet at 0; return the mixture's moments.

    `pieces` is [7, draw]: the standardised centres a of the piece above 0 and of the mirrored piece below, the
    mass of each divided by cdf(a), the sd of each, and the mean of both. In units of its sd a piece has the density
    h exp(a u - u**2 / 2) at u > 0, so its mass p is h cdf(a) / density(a), and with r = h / p its mean is a + r
    and its variance 1 - r (a + r).
    """
    n = len(pull)
    mean, square, positive = 0.0, 0.0, 0.0
    shift = 1.0 / scale if laplace else 0.0
    known = 0.0 if laplace else 1.0 / (scale * scale)
    for t in range(n):
        root = math.sqrt(max(precision[t], _NOTHING * shift * shift) + known)
        # Centres below -35 would overflow. Such a piece is exponential, nearly: to 0.3% like one at -35 of that rate
        a, b = (pull[t] - shift) / root, (-pull[t] - shift) / root
        sd_a, sd_b = max(1.0, -a / 35.0), max(1.0, -b / 35.0)
        a, b, sd_a, sd_b = a / sd_a, b / sd_b, 1.0 / (sd_a * root), 1.0 / (sd_b * root)
        inverse_a, inverse_b = _ROOT * exp(0.5 * a * a), _ROOT * exp(0.5 * b * b)  # 1 / density
        tail_a, tail_b = mills(abs(a)), mills(abs(b))
        ratio_a = tail_a if a < 0.0 else inverse_a - tail_a
        ratio_b = tail_b if b < 0.0 else inverse_b - tail_b
        height = 1.0 / (sd_a * ratio_a + sd_b * ratio_b)  # of the density at 0
        h_a, h_b = height * sd_a, height * sd_b
        p, q = h_a * ratio_a, h_b * ratio_b
        pieces[0, t], pieces[1, t], pieces[4, t], pieces[5, t] = a, b, sd_a, sd_b
        pieces[2, t] = h_a * inverse_a if a < 0.0 else p / (1.0 - tail_a / inverse_a)
        pieces[3, t] = h_b * inverse_b if b < 0.0 else q / (1.0 - tail_b / inverse_b)
        rate_a, rate_b = 1.0 / ratio_a, 1.0 / ratio_b
        mean_a, mean_b = sd_a * (a + rate_a), -sd_b * (b + rate_b)
        both, apart = p * mean_a + q * mean_b, mean_a - mean_b
        pieces[6, t] = both
        mean += both
        square += p * sd_a * sd_a * (1.0 - rate_a * (a + rate_a)) + q * sd_b * sd_b * (1.0 - rate_b * (b + rate_b))
        square += p * q * apart * apart
        positive += p
    mean /= n
    for t in range(n):  # around the mean: where the data say much, squares would differ in their last digits only
        square += (pieces[6, t] - mean) ** 2
    return mean, math.sqrt(square / n), positive / n


@compiled(fastmath=True, inner=True)
def _tail_and_density(pieces: FloatArray, b: float, above: bool) -> tuple[float, float]:
    """Return the mixture's mass beyond b >= 0 on the side above 0 or below, and its density there."""
    n, side = pieces.shape[1], 0 if above else 1
    centres, masses, sds = pieces[side], pieces[2 + side], pieces[4 + side]
    tail, density = 0.0, 0.0
    for t in range(n):
        z = centres[t] - b / sds[t]
        height = masses[t] * exp(-0.5 * z * z) * _DENSITY
        lower = height * mills(abs(z))
        tail += lower if z < 0.0 else masses[t] - lower
        density += height / sds[t]
    return tail / n, density / n


@compiled(inner=True)
def _quantile(pieces: FloatArray, p: float, positive: float, guess: float) -> float:
    """Return where the mixture's distribution function is p: Newton's steps inside a bracket.

    Every third step halves the bracket: between narrow parts far from each other the density is nearly 0, and
    Newton's steps lead anywhere.
    """
    above = 1.0 - p < positive
    tail = 1.0 - p if above else p
    side = 0 if above else 1
    lo, hi = 0.0, 0.0
    for t in range(pieces.shape[1]):
        hi = max(hi, (max(pieces[side, t], 0.0) + _BEYOND) * pieces[4 + side, t])
    b = min(max(guess if above else -guess, 0.1 * pieces[4, 0]), hi)
    for step in range(150):
        mass, density = _tail_and_density(pieces, b, above)
        excess = mass - tail
        if abs(excess) < 1e-4 * tail or hi - lo < 1e-9 * hi:
            break
        if excess > 0.0:
            lo = b
        else:
            hi = b
        b += excess / density if density > 0.0 else 0.0
        if step % 3 == 2 or not lo < b < hi:
            b = 0.5 * (lo + hi)
    return b if above else -b


@compiled()
def mix_conditionals(
    precision: FloatArray,
    pull: FloatArray,
    scale: FloatArray,
    laplace: BoolArray,
    probabilities: FloatArray,
    quantiles: FloatArray,
    moments: FloatArray,
) -> None:
    """Fill `quantiles` [probability, column] and `moments` [3, column] of the marginals.

    A marginal is the mean over t of the densities proportional to exp(pull_kt b - precision_kt b**2 / 2) times
    the prior; both are [column, part]. The moments are mean, standard deviation and probability of being
    above 0. A column about which the data say nothing has its prior, in closed form.
    """
    n_columns, n_draws = pull.shape
    pieces = np.empty((7, n_draws))
    for k in range(n_columns):
        if laplace[k] and precision[k].max() * scale[k] ** 2 < _NOTHING:
            moments[0, k], moments[1, k], moments[2, k] = 0.0, math.sqrt(2.0) * scale[k], 0.5
            for q in range(len(probabilities)):
                p = probabilities[q]
                quantiles[q, k] = scale[k] * math.log(2 * p) if p < 0.5 else -scale[k] * math.log(2 * (1 - p))
            continue
        mean, sd, positive = _describe(precision[k], pull[k], scale[k], laplace[k], pieces)
        moments[0, k], moments[1, k], moments[2, k] = mean, sd, positive
        for q in range(len(probabilities)):
            # The guess is Gaussian, by the logistic approximation of its quantile
            guess = mean + sd * math.log(probabilities[q] / (1.0 - probabilities[q])) / 1.82
            quantiles[q, k] = _quantile(pieces, probabilities[q], positive, guess)
