"""From draws to the numbers of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from prefdissect._typing import Engine, FloatArray, IntArray
from prefdissect.inference.draws import Draws
from prefdissect.inference.engines import ORDER
from prefdissect.inference.ep import StandIn
from prefdissect.inference.posterior import Cutpoint, Fit
from prefdissect.inference.prior import PriorArrays
from prefdissect.inference.surrogate import draw_standin, find_ridged

__all__ = ["keep_draws", "summarise"]

_MIXED = 32_768  # conditionals of which the marginal of a column on a ridge is mixed, at most
_LARGE_GRID, _DRAWS_IN_LARGE_GRID = 50, {"ep": 125, "exact": 250, "nuts": 250}
_WORST = {"acceptance": min, "efficiency": min, "divergences": sum}  # of several folds; of all else the largest


def keep_draws(n_fits: int, draws: int, engine: Engine) -> int:
    """Return how many draws a chain keeps: fewer in grids of more than 50 fits, to spare memory.

    And with `ep`, whose tables do not rest on them, to spare time: 1,000 draws take longer than its fit.
    """
    return min(draws, _DRAWS_IN_LARGE_GRID[engine]) if n_fits > _LARGE_GRID else draws


def summarise(
    drawn: Sequence[Draws],
    standins: Sequence[StandIn],
    prior: PriorArrays,
    *,
    interval: float,
    kept: int,
    rng: np.random.Generator,
    has_cut: bool = False,
) -> Fit:
    """Return the summary of draws and stand-ins; several of them are folds, and mix in equal parts.

    The mean of the mixture is the mean of the folds' posterior means, which is the paper's
    estimator. R-hat is the worst fold's, ESS the sum, of the folds that a sampler drew. `rng` is for what may be
    missing: a child of it, as it has come as far as the number of kept draws led it. `has_cut`: the last column is a
    cutpoint of ties, and `prior` holds its own.
    """
    sampled = [d for d in drawn if d.engine != "ep"]
    if not sampled:
        mean, sd, lower, upper, positive = _from_standins(drawn, standins, prior, interval, rng)
        cov = _average([s.cov + np.outer(s.mean - mean, s.mean - mean) for s in standins])
        weight = np.concatenate([d.weight for d in drawn], axis=1)
    else:
        weight = np.concatenate(_level(drawn, standins, prior, rng), axis=1)
        mean, sd, lower, upper, positive = _from_draws(weight, interval)
        away = weight.reshape(-1, len(mean)) - mean
        cov = away.T @ away
    draws = _thin(weight, min(kept, weight.shape[1])).astype(np.float32)
    n = len(mean) - has_cut
    alone = [s.without_cut(prior) for s in standins] if has_cut else standins
    return Fit(
        mean=mean[:n],
        sd=sd[:n],
        lower=lower[:n],
        upper=upper[:n],
        prob_positive=positive[:n],
        r_hat=np.max([d.r_hat for d in sampled or drawn], axis=0)[:n],
        ess_bulk=np.sum([d.ess_bulk for d in sampled or drawn], axis=0)[:n],
        cov=_stretch(cov, sd)[:n, :n],
        precision=_average([s.precision for s in alone]),
        linear=_average([s.linear for s in alone]),
        draws=draws[..., :n],
        engine=max((d.engine for d in drawn), key=(*ORDER, "robust").index),
        certified=all(d.certified for d in drawn),
        certificate=_worst([d.certificate for d in drawn]),
        cut=Cutpoint(mean[n], sd[n], lower[n], upper[n], draws[..., n]) if has_cut else None,
    )


def _level(
    drawn: Sequence[Draws], standins: Sequence[StandIn], prior: PriorArrays, rng: np.random.Generator
) -> list[FloatArray]:
    """Return as many draws of each fold: where a sampler took over some, `ep` has drawn too few of the others."""
    n = max(d.weight.shape[1] for d in drawn)
    return [
        d.weight
        if d.weight.shape[1] == n
        else draw_standin(standin, prior, n * len(d.weight), rng.spawn(1)[0]).reshape(len(d.weight), n, -1)
        for d, standin in zip(drawn, standins, strict=True)
    ]


def _average(values: Sequence[FloatArray]) -> FloatArray:
    return values[0].copy() if len(values) == 1 else np.asarray(np.mean(values, axis=0))


def _stretch(cov: FloatArray, sd: FloatArray) -> FloatArray:
    """Return a matrix with these standard deviations and the correlations of `cov`."""
    factor = sd / np.sqrt(np.maximum(np.diagonal(cov), np.finfo(float).tiny))  # of a single draw nothing varies
    return np.asarray(cov * factor * factor[:, None])


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


def _from_standins(
    drawn: Sequence[Draws],
    standins: Sequence[StandIn],
    prior: PriorArrays,
    interval: float,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return mean, sd, both bounds and the probability of being above 0 of a mixture of ep's marginals.

    Moments are ep's own, and the shape of each marginal is what they are the moments of: the exact prior times
    the cavity, Gaussian, of what the data say. Gaussian bounds would be off by up to half a standard deviation
    near the kink of the prior. Columns on a ridge, in any of the folds, take everything from their conditionals
    over many draws of the other weights (Rao-Blackwell).
    """
    mean = _average([s.mean for s in standins])
    sd = np.sqrt(_average([s.sd**2 + (s.mean - mean) ** 2 for s in standins]))
    precision, pull = np.stack([s.cavity for s in standins], axis=-1)
    bounds, _, _, positive = _mix(precision, pull, prior, np.arange(len(mean)), interval)
    ridged = np.unique(np.concatenate([find_ridged(s, prior) for s in standins]))
    if len(ridged):
        n, own = -(-_MIXED // len(standins)), rng.spawn(1)[0]
        many = [
            draw_standin(s, prior, n, own) if d.on_ridges is None else d.on_ridges
            for s, d in zip(standins, drawn, strict=True)
        ]
        n = min(n, *map(len, many))  # equal parts
        parts = [_condition(s, ridged, w[:: len(w) // n][:n]) for s, w in zip(standins, many, strict=True)]
        precision, pull = np.concatenate(parts, axis=-1)
        bounds[:, ridged], mean[ridged], sd[ridged], positive[ridged] = _mix(precision, pull, prior, ridged, interval)
    return mean, sd, bounds[0], bounds[1], positive


def _condition(standin: StandIn, columns: IntArray, weight: FloatArray) -> FloatArray:
    """Return conditionals of columns given draws of the others, [2, column, draw]: precision, and precision x mean."""
    precision = np.diagonal(standin.precision)[columns]
    pull = standin.linear[columns] - weight @ standin.precision[:, columns] + precision * weight[:, columns]
    return np.stack([np.broadcast_to(precision, pull.shape).T, pull.T])


def _mix(
    precision: FloatArray, pull: FloatArray, prior: PriorArrays, columns: IntArray, interval: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return bounds [2, column], mean, sd and probability of being above 0 of mixed conditionals [column, mixed]."""
    from prefdissect.inference.compiled.marginals import mix_conditionals

    quantiles, moments = np.empty((2, len(columns))), np.empty((3, len(columns)))
    probabilities = np.array([(1 - interval) / 2, (1 + interval) / 2])
    scale, is_laplace = prior.scale[columns], prior.is_laplace[columns]
    precision, pull = np.ascontiguousarray(precision), np.ascontiguousarray(pull)
    mix_conditionals(precision, pull, scale, is_laplace, probabilities, quantiles, moments)
    return quantiles, *moments


def _worst(certificates: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the worst figure of several certificates, by name."""
    names = dict.fromkeys(name for one in certificates for name in one)
    return {n: float(_WORST.get(n, max)(one[n] for one in certificates if n in one)) for n in names}  # type: ignore[operator]
