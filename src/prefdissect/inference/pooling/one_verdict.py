"""From log-odds given what a pair has that all judges see to those of one verdict, which is what fits apart tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from prefdissect._typing import FloatArray
from prefdissect.inference.ties import outcome_probabilities

__all__ = ["OneVerdict", "attenuate_cuts", "attenuation", "to_one_verdict"]

_NEWTON_STEPS = 30
_HALVINGS, _WIDEST = 40, 8.0  # of the search for a cutpoint, which moves no farther
_nodes, _weights = np.polynomial.hermite_e.hermegauss(31)
_NODES, _NODE_WEIGHTS = _nodes, _weights / _weights.sum()


@dataclass(frozen=True, eq=False)
class OneVerdict:
    """By what weights of each cell are multiplied, and its cutpoint of ties, both [scenario, judge]."""

    factor: FloatArray
    cut: FloatArray


def to_one_verdict(cut: FloatArray, pair_sd: float, spread: float) -> OneVerdict:
    """Return what weights and cutpoints given pairs' effects are in one verdict; `cut` is NaN without ties.

    `spread` is the standard deviation of log-odds given the pair.
    """
    if not pair_sd:
        return OneVerdict(np.ones(cut.shape), cut)
    factor = attenuation(pair_sd, spread, np.where(np.isnan(cut), -np.inf, cut))
    return OneVerdict(factor, attenuate_cuts(cut, pair_sd, spread, factor))


def attenuation(pair_sd: float, spread: float, cut: FloatArray | float = -np.inf) -> FloatArray:
    """Return by what weights given the pair's effect are to be multiplied to tell what one verdict would be.

    The slope of the logistic curve that is nearest, by Kullback and Leibler, to P(A) given a decision, averaged over
    u ~ Normal(0, pair_sd), for t ~ Normal(0, spread). Where there are ties, `cut` [...] are cutpoints, log nu: pairs
    that are decided have larger effects, so that less is lost.

    Examples
    --------
    >>> attenuation(0.0, 1.0).round(3).tolist(), attenuation(1.0, 1.0).round(2).tolist()
    (1.0, 0.84)
    >>> attenuation(1.0, 1.0, np.array([-np.inf, 0.0])).round(2).tolist()
    [0.84, 0.87]
    """
    t = spread * _NODES
    for_a, decided = _average_outcomes(t, pair_sd, np.asarray(cut, dtype=np.float64))
    slope = np.ones(np.shape(cut))
    for _ in range(_NEWTON_STEPS):
        p = expit(slope[..., None] * t)
        slope += (for_a - decided * p) @ (_NODE_WEIGHTS * t) / ((decided * p * (1 - p)) @ (_NODE_WEIGHTS * t * t))
    return slope


def attenuate_cuts(cut: FloatArray, pair_sd: float, spread: float, factor: FloatArray) -> FloatArray:
    """Return the cutpoints of ties of one verdict [...], whose weights are multiplied by `factor` [...].

    They give as many ties as there are on average over u ~ Normal(0, pair_sd) and t ~ Normal(0, spread).

    Examples
    --------
    >>> attenuate_cuts(np.array([0.0]), 1.0, 1.0, np.array([0.87])).round(2).tolist()
    [-0.11]
    """
    t = spread * _NODES
    wanted = (1 - _average_outcomes(t, pair_sd, cut)[1]) @ _NODE_WEIGHTS
    low, high = cut - _WIDEST, cut + _WIDEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        tie = outcome_probabilities("davidson", factor[..., None] * t, middle[..., None])[..., 1]
        more = tie @ _NODE_WEIGHTS < wanted
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    return np.asarray((low + high) / 2)


def _average_outcomes(t: FloatArray, pair_sd: float, cut: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return P(A), and P(A) + P(B), averaged over the effects of pairs, [..., t]."""
    at = outcome_probabilities("davidson", t[:, None] + pair_sd * _NODES, cut[..., None, None])
    a, tie, _ = np.moveaxis(at, -1, 0)
    return a @ _NODE_WEIGHTS, 1 - tie @ _NODE_WEIGHTS
