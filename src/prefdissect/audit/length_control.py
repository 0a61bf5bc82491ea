"""A win rate as if both responses were of one length, the way AlpacaEval 2.0 controls for it."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from prefdissect._typing import FloatArray

__all__ = ["length_controlled"]

_RIDGE = 1e-3  # as weak as it may be and still hold where all pairs are won
_STEPS, _CLOSE = 50, 1e-10


def length_controlled(won: FloatArray, longer_by: FloatArray, counts: FloatArray | None = None) -> FloatArray:
    """Return the chance to win at equal length, for each resampling of the pairs: [resample].

    A logistic regression of `won` [pair] (from 0 to 1) on a constant and tanh(`longer_by` / its standard deviation),
    in which `longer_by` is then set to 0. Source: Dubois et al. 2024, Length-Controlled AlpacaEval (section 3), without
    its term for the difficulty of an instruction, which only AlpacaEval's own instructions have.

    Parameters
    ----------
    won
        Shape [pair], from 0 to 1.
    longer_by
        Shape [pair]: by how much the response is longer than the one it is compared with, in any unit.
    counts
        Shape [resample, pair]: how often each pair is drawn; by default each once.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> longer_by = rng.normal(50, 100, 4000)
    >>> won = rng.random(4000) < 1 / (1 + np.exp(-(0.0 + 2.0 * np.tanh(longer_by / longer_by.std()))))
    >>> round(float(won.mean()), 2), length_controlled(won.astype(float), longer_by).round(1).tolist()
    (0.65, [0.5])
    """
    weights = np.ones((1, len(won))) if counts is None else np.asarray(counts, dtype=np.float64)
    spread = longer_by.std()
    slope = np.tanh(longer_by / spread) if spread > 0 else np.zeros(len(won))
    x = np.column_stack([np.ones(len(won)), slope])
    return np.asarray(expit([_constant(x, won, w) for w in weights]), dtype=np.float64)


def _constant(x: FloatArray, y: FloatArray, weight: FloatArray) -> float:
    """Return the constant of one weighted regression, by Newton's method with halved steps."""
    beta = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        p = expit(x @ beta)
        gradient = x.T @ (weight * (y - p)) - _RIDGE * beta
        hessian = (x.T * (weight * p * (1 - p))) @ x + _RIDGE * np.eye(len(beta))
        step = np.linalg.solve(hessian, gradient)
        step *= min(1.0, 5.0 / max(np.abs(step).max(), 1e-300))
        beta = beta + step
        if np.abs(step).max() < _CLOSE:
            break
    return float(beta[0])
