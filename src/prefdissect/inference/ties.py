"""Ties: what a cutpoint says of how often a judge is undecided, and what each row tells of weights and cutpoint.

Davidson's model has P(A), P(B), P(tie) proportional to exp(t/2), exp(-t/2), nu, so that t is the log-odds of A over B
given a decision, whatever nu: the cutpoint is log nu. The ordered model has cutpoints at -c and c on a latent scale,
P(A) = sigmoid(t - c) and P(B) = sigmoid(-t - c): the cutpoint is log c, and sigmoid(t) the probability of A if there
were no ties. Source: Davidson 1970, JASA 65(329); Rao and Kupper 1967, JASA 62(317).
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from prefdissect._typing import FloatArray, TieModel
from prefdissect.features import Cell

__all__ = ["outcome_probabilities", "score_rows", "tie_rate"]

_LOWEST, _HIGHEST = -25.0, 20.0  # of a cutpoint: beyond, nothing changes but rounding
_WIDEST = 5.0


def outcome_probabilities(ties: TieModel, t: FloatArray, cut: FloatArray | float) -> FloatArray:
    """Return P(A), P(tie) and P(B) at log-odds `t`, along a new last dimension; `cut` broadcasts with `t`.

    Examples
    --------
    >>> from prefdissect.inference import outcome_probabilities
    >>> import numpy as np
    >>> outcome_probabilities("davidson", np.array([0.0]), np.log(2.0)).round(3).tolist()
    [[0.25, 0.5, 0.25]]
    """
    if ties == "davidson":
        q, nu = np.exp(-np.abs(t) / 2), np.exp(np.clip(cut, _LOWEST, _HIGHEST))
        whole = 1 + q * (q + nu)
        more, less = 1 / whole, q * q / whole
        a, b = np.where(t >= 0, more, less), np.where(t >= 0, less, more)
        return np.stack([a, nu * q / whole, b], axis=-1)
    size = np.exp(np.clip(cut, _LOWEST, _WIDEST))
    a, b = expit(t - size), expit(-t - size)
    tie = a * b * np.expm1(2 * size)  # 1 - a - b without its rounding
    return np.stack([a, tie, b], axis=-1)


def tie_rate(ties: TieModel, cut: FloatArray | float) -> FloatArray:
    """Return how often two responses that are equal in everything are tied."""
    return np.asarray(outcome_probabilities(ties, np.zeros(np.shape(cut)), cut)[..., 1])


def score_rows(cell: Cell, mean: FloatArray) -> FloatArray:
    """Return the slope of each row's log likelihood in the weights and, last, the cutpoint if there is one, [row, ...].

    `mean` holds the weights, and the cutpoint behind them.
    """
    x, n = cell.x, cell.x.shape[1]
    t = x @ mean[:n]
    plain = cell.y - expit(t)
    if cell.ties is None:
        return np.asarray(x * (cell.weight * plain)[:, None], dtype=np.float64)
    by_t, by_cut = (_davidson if cell.ties == "davidson" else _ordered)(cell, t, float(mean[n]))
    slope = cell.weight * ((1 - cell.open) * plain + by_t)
    return np.column_stack([x * slope[:, None], cell.weight * by_cut])


def _davidson(cell: Cell, t: FloatArray, cut: float) -> tuple[FloatArray, FloatArray]:
    a, tie, b = np.moveaxis(outcome_probabilities("davidson", t, cut), -1, 0)
    return cell.open * (cell.y - 0.5 - (a - b) / 2), cell.tied - cell.open * tie


def _ordered(cell: Cell, t: FloatArray, cut: float) -> tuple[FloatArray, FloatArray]:
    size = float(np.exp(np.clip(cut, _LOWEST, _WIDEST)))
    low, high = expit(t - size), expit(t + size)
    for_a, for_b = (cell.open * part for part in (cell.y - cell.tied / 2, 1 - cell.y - cell.tied / 2))
    by_t = for_a * (1 - low) - for_b * high + cell.tied * (1 - high - low)
    by_size = -for_a * (1 - low) - for_b * high + cell.tied * (1 / np.tanh(size) - (high - low))
    return by_t, size * by_size
