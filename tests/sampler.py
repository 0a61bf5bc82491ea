"""An independent sampler: random-walk Metropolis in plain numpy, from the model's log density alone.

Nothing here is imported from prefdissect, and nothing is shared with it: no distinct rows, no
sufficient statistic, no gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
LogDensity = Callable[[Array], Array]


def make_log_density(
    x: Array, y: Array, scale: Array | float, is_laplace: Array | bool = True, weight: Array | None = None
) -> LogDensity:
    """Return log posterior density of weights, [chain, column] -> [chain], up to a constant.

    sum_i c_i (y_i log sigmoid(t_i) + (1 - y_i) log sigmoid(-t_i)) with t = x w, plus the log prior.
    """
    counts = np.ones(len(y)) if weight is None else weight
    for_a, for_b = counts * y, counts * (1 - y)

    def log_density(w: Array) -> Array:
        t = w @ x.T
        # log sigmoid(t) = -log(1 + exp(-t)), and log sigmoid(-t) is t less; |t| is far from overflow here
        log_a = -np.log1p(np.exp(-t))
        prior = np.where(is_laplace, -np.abs(w / scale), -((w / scale) ** 2) / 2)
        return log_a @ for_a + (log_a - t) @ for_b + prior.sum(axis=1)

    return log_density


def metropolis(
    log_density: LogDensity,
    start: Array,
    covariance: Array,
    *,
    burn: int,
    steps: int,
    rng: np.random.Generator,
) -> Array:
    """Return draws [chain, step, column] of many chains that move side by side.

    `covariance` [column, column] is that of the proposal before the usual factor 2.38**2 / d
    (Roberts, Gelman and Gilks 1997); it changes speed, not what is sampled.
    """
    n_chains, d = start.shape
    root = np.linalg.cholesky(covariance) * 2.38 / np.sqrt(d)
    now, density = start.copy(), log_density(start)
    kept = np.empty((n_chains, steps, d))
    for step in range(-burn, steps):
        proposed = now + rng.standard_normal((n_chains, d)) @ root.T
        proposed_density = log_density(proposed)
        moves = np.log(rng.random(n_chains)) < proposed_density - density
        now = np.where(moves[:, None], proposed, now)
        density = np.where(moves, proposed_density, density)
        if step >= 0:
            kept[:, step] = now
    return kept


@dataclass(frozen=True)
class Moments:
    """Mean and sd of each column, their Monte Carlo errors, and the effective sample size of the mean."""

    mean: Array
    mean_error: Array
    sd: Array
    sd_error: Array
    ess: Array


def moments(draws: Array, *, batches: int = 1) -> Moments:
    """Return moments of draws [chain, draw, column], with errors from the spread of independent parts.

    The parts are the chains; a few long chains can be cut into `batches` each, long against their
    autocorrelation. The sd's error is that of the mean of (w - mean)**2, by the delta method.
    """
    n_chains, n_draws, d = draws.shape
    parts = draws[:, : n_draws // batches * batches].reshape(n_chains * batches, -1, d)
    mean = parts.mean(axis=(0, 1))
    squared = (parts - mean) ** 2
    sd = np.sqrt(squared.mean(axis=(0, 1)))
    mean_error, variance_error = (
        part.mean(axis=1).std(axis=0, ddof=1) / np.sqrt(len(parts)) for part in (parts, squared)
    )
    return Moments(mean, mean_error, sd, variance_error / (2 * sd), (sd / mean_error) ** 2)


def in_errors(one: Moments, other: Moments) -> Array:
    """Return the larger distance of means and of sds, in combined Monte Carlo errors, [column]."""
    mean = np.abs(one.mean - other.mean) / np.hypot(one.mean_error, other.mean_error)
    sd = np.abs(one.sd - other.sd) / np.hypot(one.sd_error, other.sd_error)
    return np.maximum(mean, sd)
