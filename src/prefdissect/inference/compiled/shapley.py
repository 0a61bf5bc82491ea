"""Shapley values of a logistic score, by quadrature: exact for any number of terms, without sampling."""

from __future__ import annotations

import numpy as np

from prefdissect._typing import FloatArray
from prefdissect.inference.compiled._compile import compiled

__all__ = ["fill_shapley"]


@compiled()
def fill_shapley(
    terms: FloatArray,
    omega: FloatArray,
    omega_weight: FloatArray,
    share: FloatArray,
    share_weight: FloatArray,
    out: FloatArray,
) -> None:
    """Fill `out` [score, term] with the Shapley values of sigmoid(sum of terms) against all terms 0.

    A term's value is its average gain when it joins a random coalition of the others, in which each is with
    probability t, over t in (0, 1). With sigmoid(s) = 1/2 + integral over w > 0 of sin(w s) / sinh(pi w) the average
    over coalitions is a product of 1 - t + t exp(i w term). `omega_weight` holds 1 / sinh(pi omega). Products without
    one factor are of those before it and those after, as a factor may be 0.
    """
    n = terms.shape[1]
    turn, before = np.empty(n, dtype=np.complex128), np.empty(n + 1, dtype=np.complex128)
    for i in range(len(terms)):
        out[i] = 0.0
        for a in range(len(omega)):
            for k in range(n):
                angle = omega[a] * terms[i, k]
                turn[k] = complex(np.cos(angle), np.sin(angle)) - 1.0
            for b in range(len(share)):
                weight, t = omega_weight[a] * share_weight[b], share[b]
                before[0] = 1.0
                for k in range(n):
                    before[k + 1] = before[k] * (1.0 + t * turn[k])
                after = complex(1.0, 0.0)
                for k in range(n - 1, -1, -1):
                    out[i, k] += weight * (turn[k] * before[k] * after).imag
                    after *= 1.0 + t * turn[k]
