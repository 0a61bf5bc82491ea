"""From draws to the numbers of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from prefdissect._typing import FloatArray, IntArray
from prefdissect.inference.draws import Draws, Marginals
from prefdissect.inference.engines import ORDER
from prefdissect.inference.posterior import Fit
from prefdissect.inference.prior import PriorArrays

__all__ = ["keep_draws", "summarise"]

_LARGE_GRID, _DRAWS_IN_LARGE_GRID = 50, 250
_WORST = {"acceptance": min, "efficiency": min, "divergences": sum}  # of several folds; of all else the largest


def keep_draws(n_fits: int, draws: int) -> int:
    """Return how many draws a chain keeps: fewer in grids of more than 50 fits, to spare memory."""
    return min(draws, _DRAWS_IN_LARGE_GRID) if n_fits > _LARGE_GRID else draws


def summarise(drawn: Sequence[Draws], prior: PriorArrays, *, interval: float, kept: int) -> Fit:
    """Return the summary of draws; several sets of draws are folds, and mix in equal parts.

    The mean of the mixture is the mean of the folds' posterior means, which is the paper's
    estimator. R-hat is the worst fold's, ESS their sum.
    """
    length = min(d.weight.shape[1] for d in drawn)  # equal parts, also where another engine took over a fold
    weight = np.concatenate([_thin(d.weight, length) for d in drawn], axis=1)
    marginals = [d.marginals for d in drawn if d.marginals is not None]
    if len(marginals) == len(drawn):
        mean, sd, lower, upper, positive = _from_marginals(marginals, prior, interval)
    else:
        mean, sd, lower, upper, positive = _from_draws(weight, interval)
    return Fit(
        mean=mean,
        sd=sd,
        lower=lower,
        upper=upper,
        prob_positive=positive,
        r_hat=np.max([d.r_hat for d in drawn], axis=0),
        ess_bulk=np.sum([d.ess_bulk for d in drawn], axis=0),
        draws=_thin(weight, min(kept, weight.shape[1])).astype(np.float32),
        engine=max((d.engine for d in drawn), key=ORDER.index),
        certified=all(d.certified for d in drawn),
        certificate=_worst([d.certificate for d in drawn]),
    )


def _thin(draws: FloatArray, wanted: int) -> FloatArray:
    """Return `wanted` draws of each chain, evenly spread, first and last included."""
    n = draws.shape[1]
    return draws if n == wanted else draws[:, np.linspace(0, n - 1, wanted).round().astype(np.int64)]


def _from_draws(
    draws: FloatArray, interval: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return mean, sd, both bounds and the share above 0 of draws [chain, draw, column]."""
    ordered = np.sort(np.ascontiguousarray(draws.reshape(-1, draws.shape[-1]).T), axis=1)  # dense rows are faster
    lower, upper = equal_tailed(ordered, interval)
    return ordered.mean(axis=1), ordered.std(axis=1, ddof=1), lower, upper, (ordered > 0).mean(axis=1)


def equal_tailed(ordered: FloatArray, probability: float) -> tuple[FloatArray, FloatArray]:
    """Return the bounds that leave half of 1 - `probability` on each side of ascending values [column, draw].

    What `np.quantile` returns, which would sort once more.
    """
    last, bounds = ordered.shape[1] - 1, []
    for p in ((1 - probability) / 2, (1 + probability) / 2):
        k = max(0, min(int(p * last), last - 1))
        bounds.append(ordered[:, k] + (p * last - k) * (ordered[:, min(k + 1, last)] - ordered[:, k]))
    return bounds[0], bounds[1]


def _from_marginals(
    marginals: Sequence[Marginals], prior: PriorArrays, interval: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return mean, sd, both bounds and the probability of being above 0 of a mixture of ep's marginals.

    Moments are ep's own. The shape of each marginal is the mean of its conditionals over draws of the
    other weights, shifted and stretched to those moments: that takes most of the noise of few draws
    out of the bounds. Gaussian bounds would be off by up to half a standard deviation near the kink
    of the prior. Columns on a steep ridge take spread, too, from many conditionals.
    """
    tail = (1 - interval) / 2
    mean = np.mean([m.mean for m in marginals], axis=0)
    sd = np.sqrt(np.mean([m.sd**2 + (m.mean - mean) ** 2 for m in marginals], axis=0))
    quantiles, own_mean, own_sd, positive = _mix(marginals, prior, np.arange(len(mean)), tail)
    lower, upper = mean + (quantiles - own_mean) * sd / own_sd
    ridged = marginals[0].ridged
    if len(ridged) and all(np.array_equal(m.ridged, ridged) for m in marginals):
        quantiles, own_mean, sd[ridged], positive[ridged] = _mix(marginals, prior, ridged, tail, long=True)
        lower[ridged], upper[ridged] = mean[ridged] + quantiles - own_mean
    return mean, sd, lower, upper, positive


def _mix(
    marginals: Sequence[Marginals], prior: PriorArrays, columns: IntArray, tail: float, *, long: bool = False
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return bounds [2, column], mean, sd and probability of being above 0 of mixed conditionals."""
    from prefdissect.inference.compiled.marginals import mix_conditionals

    pulls = [(m.long_pull if long else m.pull)[:: len(marginals)] for m in marginals]  # in all as many as for one fit
    pull = np.ascontiguousarray(np.concatenate(pulls).T)
    lengths = [len(one) for one in pulls]
    precision = np.repeat(np.column_stack([m.precision[columns] for m in marginals]), lengths, axis=1)
    quantiles, moments = np.empty((2, len(columns))), np.empty((3, len(columns)))
    probabilities = np.array([tail, 1 - tail])
    scale, is_laplace = prior.scale[columns], prior.is_laplace[columns]
    mix_conditionals(precision, pull, scale, is_laplace, probabilities, quantiles, moments)
    return quantiles, *moments


def _worst(certificates: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the worst figure of several certificates, by name."""
    names = dict.fromkeys(name for one in certificates for name in one)
    return {n: float(_WORST.get(n, max)(one[n] for one in certificates if n in one)) for n in names}  # type: ignore[operator]
