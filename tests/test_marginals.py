"""Mixed conditionals against integrals of their density."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate
from scipy.special import erfcx, ndtri

from prefdissect.inference.compiled.elementary import mills
from prefdissect.inference.compiled.marginals import mix_conditionals

INTERVAL = np.array([0.03, 0.97])


def mixed(precision: np.ndarray, pull: np.ndarray, scale: float, laplace: bool, probabilities: np.ndarray = INTERVAL):
    """Return quantiles and moments of one column."""
    quantiles, moments = np.empty((len(probabilities), 1)), np.empty((3, 1))
    mix_conditionals(
        np.ascontiguousarray(precision[None]),
        np.ascontiguousarray(pull[None]),
        np.array([scale]),
        np.array([laplace]),
        probabilities,
        quantiles,
        moments,
    )
    return quantiles[:, 0], moments[:, 0]


def integrated(precision: np.ndarray, pull: np.ndarray, scale: float, laplace: bool):
    """Return quantiles and moments by quadrature: each conditional on a grid that is finest around 0 and its mode."""
    masses = []
    extent = 14 * max(np.sqrt(1 / (precision.min() + 1 / (2 * scale**2))), scale) + np.abs(pull / precision).max()
    grid = np.concatenate(
        [-np.geomspace(extent, 1e-7 * extent, 60_000), [0.0], np.geomspace(1e-7 * extent, extent, 60_000)]
    )
    for h, c in zip(precision, pull, strict=True):
        prior = np.abs(grid) / scale if laplace else 0.5 * (grid / scale) ** 2
        level = c * grid - 0.5 * h * grid**2 - prior
        density = np.exp(level - level.max())
        masses.append(density / integrate.trapezoid(density, grid))
    density = np.mean(masses, axis=0)
    cdf = integrate.cumulative_trapezoid(density, grid, initial=0)
    mean = integrate.trapezoid(grid * density, grid)
    sd = np.sqrt(integrate.trapezoid((grid - mean) ** 2 * density, grid))
    return np.interp(INTERVAL, cdf, grid), np.array([mean, sd, 1 - np.interp(0.0, grid, cdf)])


@pytest.mark.parametrize("laplace", [True, False])
@pytest.mark.parametrize(
    ("precision", "centre", "spread"),
    [(20.0, 0.0, 0.5), (20.0, 4.0, 2.0), (400.0, -90.0, 20.0), (1e4, 9e3, 40.0), (0.5, 0.2, 0.1), (1e-3, 0.0, 1e-3)],
)
def test_bounds_and_moments_are_the_integrals(laplace, precision, centre, spread):
    """From weights far from 0 to ones that the data say hardly anything about; 40 conditionals, scale 0.1."""
    rng = np.random.default_rng(0)
    h, c = precision * rng.uniform(0.8, 1.2, 40), centre + spread * rng.standard_normal(40)
    bounds, moments = mixed(h, c, 0.1, laplace)
    expected_bounds, expected = integrated(h, c, 0.1, laplace)
    assert np.abs(bounds - expected_bounds).max() < 5e-3 * expected[1]  # where the prior is all, 0.3% off
    np.testing.assert_allclose(moments[0], expected[0], atol=1e-4 * expected[1])
    np.testing.assert_allclose(moments[1], expected[1], rtol=3e-3)
    np.testing.assert_allclose(moments[2], expected[2], atol=1e-4)


@pytest.mark.parametrize("p", [0.0005, 0.1, 0.5, 0.9, 0.9999])
def test_any_probability_has_its_quantile(p):
    """Of one Gaussian conditional it has a closed form."""
    bounds, _ = mixed(np.array([3.0]), np.array([1.5]), 0.5, False, np.array([p]))
    sd = 1 / np.sqrt(3.0 + 4.0)

    expected = 1.5 * sd**2 + sd * ndtri(p)
    assert bounds[0] == pytest.approx(expected, abs=1e-3 * sd)


@pytest.mark.parametrize("precision", [50.0, 1e3, 1e6])
def test_narrow_parts_far_apart(precision):
    """Of 10 parts around 0 and one around 3 the 97% quantile is in the gap's far side: one of ranks 0.67 of the last.

    Between them the density is nearly 0, so that Newton's steps lead anywhere.
    """
    centres, wide = np.r_[np.zeros(10), 3.0], 1e6
    bounds, _ = mixed(np.full(11, precision), precision * centres, wide, True, np.array([0.03, 0.97]))
    sd = precision**-0.5

    assert bounds[1] == pytest.approx(3.0 + sd * ndtri(1 - 0.03 * 11), abs=2e-3 * sd + 1e-6)
    assert bounds[0] == pytest.approx(sd * ndtri(0.03 * 11 / 10), abs=2e-3 * sd + 1e-6)


def test_mills_ratio():
    x = np.concatenate([[0.0], np.geomspace(1e-3, 1e3, 200)])
    expected = np.sqrt(np.pi / 2) * erfcx(x / np.sqrt(2))
    np.testing.assert_allclose([mills(v) for v in x], expected, rtol=2e-9)
