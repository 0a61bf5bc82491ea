"""Shapley values of a logistic score, by quadrature: exact for any number of terms, without sampling."""

from __future__ import annotations

import numpy as np

from prefdissect._typing import FloatArray
from prefdissect.inference.compiled._compile import compiled

__all__ = ["fill_shapley"]


@compiled()
def fill_shapley(
    terms: FloatArray,
    step: float,
    amplitude: FloatArray,
    share: FloatArray,
    share_weight: FloatArray,
    out: FloatArray,
) -> None:
    """Fill `out` [score, term] with the Shapley values of sigmoid(sum of terms) against all terms 0.

    A term's value is its average gain when it joins a random coalition of the others, in which each is with
    probability t, over t in (0, 1). With sigmoid(s) = 1/2 + sum of amplitude[j] sin(step (j + 1/2) s) the average over
    coalitions is the product of 1 - t + t exp(i w term). Products without one factor are of those before it and those
    after, as a factor may be 0. `share` holds t up to 1/2: at 1 - t each factor is that at t, conjugated and turned by
    exp(i w term), so that the two together are what t gives times 1 + exp(-i w sum). All t go side by side in the inner
    loops, real and imaginary parts apart, which processors do several at a time.
    """
    n, m = terms.shape[1], len(share)
    turn, double = np.empty(n, dtype=np.complex128), np.empty(n, dtype=np.complex128)
    before_re, before_im, factor_re, factor_im = np.empty((4, n, m))
    re, im = np.empty((2, m))
    gain = np.empty((n, m))
    for i in range(len(terms)):
        whole = 0.0
        for k in range(n):
            whole += terms[i, k]
            angle = step * terms[i, k]
            turn[k] = complex(np.cos(angle / 2), np.sin(angle / 2))
            double[k] = complex(np.cos(angle), np.sin(angle))
        gain[:] = 0.0
        for j in range(len(amplitude)):
            re[:], im[:] = 1.0, 0.0
            for k in range(n):
                u, v = turn[k].real - 1.0, turn[k].imag
                for b in range(m):
                    x, y = 1.0 + share[b] * u, share[b] * v
                    factor_re[k, b], factor_im[k, b] = x, y
                    before_re[k, b], before_im[k, b] = re[b], im[b]
                    re[b], im[b] = re[b] * x - im[b] * y, re[b] * y + im[b] * x
            angle = step * (j + 0.5) * whole
            re[:], im[:] = amplitude[j] * (1.0 + np.cos(angle)), -amplitude[j] * np.sin(angle)
            for k in range(n - 1, -1, -1):
                u, v = turn[k].real - 1.0, turn[k].imag
                for b in range(m):
                    p = before_re[k, b] * re[b] - before_im[k, b] * im[b]
                    q = before_re[k, b] * im[b] + before_im[k, b] * re[b]
                    gain[k, b] += u * q + v * p
                    x, y = factor_re[k, b], factor_im[k, b]
                    re[b], im[b] = re[b] * x - im[b] * y, re[b] * y + im[b] * x
                turn[k] *= double[k]
        for k in range(n):
            total = 0.0
            for b in range(m):
                total += share_weight[b] * gain[k, b]
            out[i, k] = total
