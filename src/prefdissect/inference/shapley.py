"""Shapley values of a logistic score: how much of the probability each term is responsible for."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import expit

from prefdissect._typing import FloatArray

__all__ = ["shapley_values"]

_SHORT = 12.0  # up to this reach few sines are enough
_EXACT = 30.0  # exp(-30) is 1e-13


def shapley_values(terms: FloatArray) -> FloatArray:
    """Return the Shapley values of sigmoid(sum of terms) against all terms 0, [score, term] like `terms`.

    They add up to sigmoid(sum) - 1/2, and are exact to some 12 digits for any number of terms: no coalition is
    enumerated or sampled.

    Source: Shapley 1953; the integral over coalitions is the multilinear extension (Owen 1972, Management Science 18).

    Examples
    --------
    >>> import numpy as np
    >>> from prefdissect.inference import shapley_values
    >>> shapley_values(np.array([[1.0, 1.0, 0.0, -0.5]])).round(3).tolist()
    [[0.208, 0.208, 0.0, -0.098]]
    """
    from prefdissect.inference.compiled.shapley import fill_shapley

    terms = np.asarray(terms, dtype=np.float64)
    out = np.zeros_like(terms)
    reach = np.maximum(np.abs(terms).sum(axis=1), 1.0)
    reach = 2 ** (np.ceil(2 * np.log2(reach)) / 2)  # of a few sizes, which share their sines
    for size in np.unique(reach):
        rows = np.flatnonzero(reach == size)
        used = np.flatnonzero(terms[rows].any(axis=0))  # a term that is 0 is worth 0, and costs as much as others
        if len(used):
            part = np.empty((len(rows), len(used)))
            chosen = np.ascontiguousarray(terms[np.ix_(rows, used)])
            fill_shapley(chosen, *sum_of_sines(float(size)), *_shares(len(used)), part)
            out[np.ix_(rows, used)] = part
    return out


@lru_cache(maxsize=64)
def sum_of_sines(reach: float) -> tuple[float, FloatArray]:
    """Return step and amplitudes: sigmoid(s) = 1/2 + sum_j amplitude[j] sin(step (j + 1/2) s) for all |s| <= reach.

    To some 13 digits. A short reach takes the amplitudes that fit best there, and is free beyond it, so that a few
    sines do. A long one takes the midpoint rule of sigmoid(s) = 1/2 + integral over w > 0 of sin(w s) / sinh(pi w),
    whose error is the sigmoid's distance from 0 and 1, as far outside as the sum first repeats.
    """
    if reach > _SHORT:
        step = 2 * np.pi / (reach + _EXACT)
        omega = step * (np.arange(np.ceil(_EXACT / np.pi / step)) + 0.5)
        return step, step / np.sinh(np.pi * omega)
    n = int(np.ceil(3.2 * reach + 5))  # as many as 13 digits need
    step = np.pi / (reach + 3.0)  # the sigmoid turns within 3 of 0: less room makes amplitudes large, more needs more
    s = reach * np.cos(np.pi * (np.arange(8 * n) + 0.5) / (16 * n))  # dense at the end, where fits are worst
    sines = np.sin(step * np.outer(s, np.arange(n) + 0.5))
    return step, np.asarray(np.linalg.lstsq(sines, expit(s) - 0.5, rcond=1e-15)[0])


@lru_cache(maxsize=64)
def _shares(n_terms: int) -> tuple[FloatArray, FloatArray]:
    """Return Gauss-Legendre nodes and weights of t in (0, 1/2], exact for a polynomial of degree n_terms - 1."""
    t, weight = np.polynomial.legendre.leggauss(n_terms // 2 + 1)
    half = len(t) // 2 + len(t) % 2  # nodes are symmetric, the middle one of an odd number stands for itself
    weight[len(t) // 2] /= 1 + len(t) % 2
    return (t[:half] + 1) / 2, weight[:half] / 2
