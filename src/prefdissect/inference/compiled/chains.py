"""Draws from the stand-in of a posterior, and from the posterior itself."""

from __future__ import annotations

import numpy as np

from prefdissect._typing import FloatArray
from prefdissect.inference.compiled._compile import compiled
from prefdissect.inference.compiled.elementary import copy_to
from prefdissect.inference.compiled.likelihood import (
    BLOCK,
    Rows,
    add_log_likelihoods,
    fill_scores,
    log_likelihood,
    log_likelihood_beside,
)
from prefdissect.inference.compiled.moves import Surrogate, prepare, set_gradient, shift_gradient, sweep

__all__ = ["compare_standin", "run_chains", "run_standin"]

_REFRESH = 64  # draws after which the gradient, kept up to date by increments, is computed afresh


@compiled(inner=True)
def _log_standin(surrogate: Surrogate, w: FloatArray, gradient: FloatArray) -> float:
    """Return linear'w - w'precision w / 2; the second term is read off the gradient."""
    total = 0.0
    for k in range(len(w)):
        total += 0.5 * w[k] * (surrogate.linear[k] + gradient[k])
    return total


@compiled(inner=True)
def _residual(rows: Rows, surrogate: Surrogate, w: FloatArray, gradient: FloatArray, scratch: FloatArray) -> float:
    """Return the log-residual: log likelihood minus its stand-in."""
    return log_likelihood(rows, w, scratch) - _log_standin(surrogate, w, gradient)


@compiled(inner=True)
def _log_prior(b: float, scale: float, laplace: bool) -> float:
    return -abs(b) / scale if laplace else -0.5 * (b / scale) ** 2


@compiled(inner=True)
def _walk(
    rows: Rows,
    surrogate: Surrogate,
    w: FloatArray,
    gradient: FloatArray,
    scores: FloatArray,
    spread: FloatArray,
    steps: int,
    rng: np.random.Generator,
    scratch: FloatArray,
) -> None:
    """Make steps of a random walk under the posterior, each in one coordinate, of the scale `spread`."""
    scale, laplace = surrogate.scale, surrogate.laplace
    fill_scores(rows, w, scores)
    now = log_likelihood_beside(rows, scores, w, 0, 0.0, scratch)
    for _ in range(steps):
        k = int(rng.random() * len(w))
        difference = 2.4 * spread[k] * rng.standard_normal()
        gain = log_likelihood_beside(rows, scores, w, k, difference, scratch) - now
        gain += _log_prior(w[k] + difference, scale[k], laplace[k]) - _log_prior(w[k], scale[k], laplace[k])
        if rng.standard_exponential() >= -gain:
            w[k] += difference
            shift_gradient(gradient, surrogate.precision, k, difference)
            if k < len(rows.xt):  # a cutpoint moves no score
                for i in range(len(scores)):
                    scores[i] += difference * rows.xt[k, i]
            now = log_likelihood_beside(rows, scores, w, 0, 0.0, scratch)


@compiled()
def run_chains(
    rows: Rows,
    surrogate: Surrogate,
    starts: FloatArray,
    spread: FloatArray,
    burn: int,
    thin: int,
    walks: int,
    rng: np.random.Generator,
    out: FloatArray,
) -> float:
    """Fill `out` [chain, draw, column] with draws from the posterior itself; return the share of accepted steps.

    A step proposes `thin` sweeps of the stand-in, all in one direction, and accepts with probability
    min(1, exp(r' - r)), r being the log-residual. The reverse of a forward sweep is a backward sweep, so on the
    space of (w, direction) the step is reversible, and invariant whatever the stand-in, if an accepted
    step keeps its direction and a refused one turns round (surrogate transitions, Liu 2001, sec. 9.4.3;
    lifting as in Diaconis, Holmes and Neal 2000). One sweep a step is enough that way, where a
    palindrome takes two.

    Where the stand-in's tails are much thinner than the posterior's (labels that can be told without error
    have a likelihood that is flat on one side), such steps alone hardly ever reach them. `walks` steps of a
    random walk are made beside each. Chains run one after the other.
    """
    n_columns, scratch, scores = starts.shape[1], np.empty(BLOCK), np.empty(len(rows.weight))
    w, proposed = np.empty(n_columns), np.empty(n_columns)
    gradient, proposed_gradient = np.empty(n_columns), np.empty(n_columns)
    plan, accepted = prepare(surrogate), 0
    for c in range(len(out)):
        copy_to(w, starts[c])
        set_gradient(surrogate, w, gradient)
        r = _residual(rows, surrogate, w, gradient, scratch)
        forward = rng.random() < 0.5
        for i in range(-burn, out.shape[1]):
            if i % _REFRESH == 0:
                set_gradient(surrogate, w, gradient)
            copy_to(proposed, w)
            copy_to(proposed_gradient, gradient)
            for _ in range(thin):
                sweep(surrogate, plan, proposed, proposed_gradient, forward, rng)
            new = _residual(rows, surrogate, proposed, proposed_gradient, scratch)
            if rng.standard_exponential() >= r - new:
                copy_to(w, proposed)
                copy_to(gradient, proposed_gradient)
                r = new
                if i >= 0:
                    accepted += 1
            else:
                forward = not forward
            if walks > 0:
                _walk(rows, surrogate, w, gradient, scores, spread, walks, rng, scratch)
                r = _residual(rows, surrogate, w, gradient, scratch)
            if i >= 0:
                copy_to(out[c, i], w)
    return accepted / (len(out) * out.shape[1])


@compiled()
def run_standin(surrogate: Surrogate, start: FloatArray, burn: int, rng: np.random.Generator, out: FloatArray) -> None:
    """Fill `out` [draw, column] with draws from the stand-in."""
    plan, w, gradient = prepare(surrogate), start.copy(), np.empty(len(start))
    forward = len(out) > 0  # always; a constant would be another type, and sweeps be compiled for it again
    for i in range(-burn, len(out)):
        if i == -burn or i % _REFRESH == 0:
            set_gradient(surrogate, w, gradient)
        sweep(surrogate, plan, w, gradient, forward, rng)
        if i >= 0:
            copy_to(out[i], w)


@compiled()
def compare_standin(rows: Rows, surrogate: Surrogate, w: FloatArray, out: FloatArray) -> None:
    """Fill `out` [draw] with the log-residual at each w [draw, column]."""
    gradient = np.empty(w.shape[1])
    for i in range(len(w)):
        set_gradient(surrogate, w[i], gradient)
        out[i] = -_log_standin(surrogate, w[i], gradient)
    add_log_likelihoods(rows, w, np.empty(BLOCK), out)
