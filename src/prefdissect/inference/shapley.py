"""Shapley values of a logistic score: how much of the probability each term is responsible for."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from prefdissect._typing import FloatArray

__all__ = ["shapley_values"]

_TOP = 12.0  # 1 / sinh(pi w) is 1e-16 there
_NODES, _REACH = 48, 6.0  # nodes of a panel from 0 to _TOP that are enough where the sum of |terms| is up to _REACH


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
    reach = np.abs(terms).sum(axis=1)
    panels = 2 ** np.ceil(np.log2(np.maximum(reach / _REACH, 1.0))).astype(int)
    for n_panels in np.unique(panels):
        rows = np.flatnonzero(panels == n_panels)
        used = np.flatnonzero(terms[rows].any(axis=0))  # a term that is 0 is worth 0, and costs as much as others
        if len(used):
            part = np.empty((len(rows), len(used)))
            chosen = np.ascontiguousarray(terms[np.ix_(rows, used)])
            fill_shapley(chosen, *_nodes(int(n_panels), len(used)), part)
            out[np.ix_(rows, used)] = part
    return out


@lru_cache(maxsize=16)
def _nodes(n_panels: int, n_terms: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return Gauss-Legendre nodes and weights of omega, 1 / sinh(pi omega) among them, and of t, where they are exact.

    The larger the terms the faster the integrand turns, so omega has several panels of nodes.
    """
    x, w = np.polynomial.legendre.leggauss(_NODES)
    width = _TOP / n_panels
    omega = (width * (np.arange(n_panels)[:, None] + (x + 1) / 2)).ravel()
    weight = np.tile(w / 2 * width, n_panels) / np.sinh(np.pi * omega)
    t, v = np.polynomial.legendre.leggauss(n_terms // 2 + 1)  # a polynomial of degree n_terms - 1
    return omega, weight, (t + 1) / 2, v / 2
