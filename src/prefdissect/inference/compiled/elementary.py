"""Elementary functions; those of numbers without branches, so that loops over them vectorise."""

from __future__ import annotations

import math

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial
from scipy.special import erfcx

from prefdissect._typing import FloatArray
from prefdissect.inference.compiled._compile import compiled

__all__ = ["copy_to", "exp", "exp_of_minus", "mills"]


@compiled(inline="always")
def exp(a: float) -> float:
    """Return exp(a); the argument is cut at +-700.

    A Taylor polynomial at a / 1024, squared ten times: 13 digits near 0, 6 at the ends.
    """
    r = min(max(a, -700.0), 700.0) * 0.0009765625
    e = 1.0 + r * (1.0 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720))))))
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    return e * e


@compiled(inline="always")
def exp_of_minus(a: float) -> float:
    """Return exp(-a) for a >= 0, to more digits than `exp`.

    A Taylor polynomial at a / 256, squared eight times. The absolute error is below 1e-15; beyond
    a = 40 the result stays at 4e-18, which is nothing beside the 1 that it is added to.
    """
    r = -min(a, 40.0) * 0.00390625
    e = 1.0 + r * (1.0 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (1 / 5040)))))))
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    return e * e


def _fit_mills() -> tuple[float, ...]:
    """Return c with cdf(-x) / density(x) = t (c_0 + c_1 t + ... + c_12 t**12), t = 1 / (1 + x / 3), x >= 0, to 1e-9."""
    t = 0.5 + 0.5 * np.cos(np.pi * (np.arange(400) + 0.5) / 400)
    ratio = math.sqrt(math.pi / 2) * erfcx(3 * (1 / t - 1) / math.sqrt(2)) / t
    fitted = Chebyshev.fit(t, ratio, 12, domain=[0, 1], w=1 / ratio)
    return tuple(fitted.convert(kind=Polynomial, domain=[-1, 1]).coef.tolist())


_C = _fit_mills()


@compiled(inline="always")
def mills(x: float) -> float:
    """Return cdf(-x) / density(x) of the standard normal for x >= 0."""
    t = 1.0 / (1.0 + x * (1 / 3))
    high = _C[7] + t * (_C[8] + t * (_C[9] + t * (_C[10] + t * (_C[11] + t * _C[12]))))
    low = _C[0] + t * (_C[1] + t * (_C[2] + t * (_C[3] + t * (_C[4] + t * (_C[5] + t * _C[6])))))
    t3 = t * t * t
    return t * (low + t3 * t3 * t * high)


@compiled(inner=True)
def copy_to(target: FloatArray, source: FloatArray) -> None:
    """Copy a vector. Assigning to a slice does the same, but takes two seconds to compile in each place."""
    for k in range(len(target)):
        target[k] = source[k]
