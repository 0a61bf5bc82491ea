"""A win rate as if both responses were of one length, the way AlpacaEval 2.0 controls for it."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from prefdissect._typing import FloatArray, IntArray

__all__ = ["length_controlled"]

_RIDGE = 1e-3  # as weak as it may be and still hold where all pairs are won
_STEPS, _LONGEST, _CLOSE = 60, 5.0, 1e-10


def length_controlled(
    won: FloatArray, longer_by: FloatArray, counts: FloatArray | IntArray | None = None
) -> FloatArray:
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
    (0.61, [0.5])
    """
    weights = np.ones((1, len(won))) if counts is None else np.asarray(counts, dtype=np.float64)
    spread = longer_by.std()
    slope = np.tanh(longer_by / spread) if spread > 0 else np.zeros(len(won))
    return np.asarray(expit(_constants(slope, won, weights)), dtype=np.float64)


def _constants(z: FloatArray, y: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the constant of each weighted regression of `y` on 1 and `z`, by Newton's method: [resample]."""
    constant, slope = np.zeros(len(weights)), np.zeros(len(weights))
    for _ in range(_STEPS):
        p = expit(constant[:, None] + slope[:, None] * z)
        missed, curved = weights * (y - p), weights * p * (1 - p)
        g0, g1 = missed.sum(axis=1) - _RIDGE * constant, missed @ z - _RIDGE * slope
        h00, h01, h11 = curved.sum(axis=1) + _RIDGE, curved @ z, curved @ z**2 + _RIDGE
        determinant = h00 * h11 - h01**2
        step = np.stack([h11 * g0 - h01 * g1, h00 * g1 - h01 * g0]) / determinant
        step *= np.minimum(1.0, _LONGEST / np.maximum(np.abs(step).max(axis=0), 1e-300))
        constant, slope = constant + step[0], slope + step[1]
        if np.abs(step).max() < _CLOSE:
            break
    return constant
