"""R-hat and ESS against ArviZ, which computes them one variable at a time."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import xarray as xr

from prefdissect.inference.diagnostics import diagnose


def chains(kind: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return draws [chain, draw, column] of four chains."""
    noise = rng.standard_normal((4, n, 3))
    if kind == "independent":
        return noise
    if kind in ("sticky", "antithetic"):
        pull = 0.9 if kind == "sticky" else -0.6
        for t in range(1, n):
            noise[:, t] += pull * noise[:, t - 1]
        return noise
    if kind == "repeated":  # as where steps are refused, and in whole numbers with a -0.0
        noise = noise[:, np.sort(rng.integers(n, size=n))]
        noise[..., 1] = np.round(noise[..., 1])
        return noise
    return noise * [[[1]], [[1]], [[1]], [[2]]] + [[[0]], [[0]], [[0.3]], [[0]]]  # "apart"


@pytest.mark.parametrize("kind", ["independent", "sticky", "antithetic", "repeated", "apart"])
@pytest.mark.parametrize("n", [500, 333, 40])
def test_diagnostics_are_those_of_arviz(kind, n):
    draws = chains(kind, n, np.random.default_rng(n))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # arviz 0.23 announces arviz 1 at its first import of a day
        az = pytest.importorskip("arviz")
        table = xr.Dataset({"w": (("chain", "draw", "column"), draws)})
        r_hat, ess = az.rhat(table)["w"], az.ess(table, method="bulk")["w"]
    found_r_hat, found_ess = diagnose(draws)
    np.testing.assert_allclose(found_r_hat, r_hat, rtol=1e-9)
    np.testing.assert_allclose(found_ess, ess, rtol=1e-9)


def test_fits_are_diagnosed_one_by_one():
    draws = np.random.default_rng(0).standard_normal((5, 2, 4, 100, 3))
    r_hat, ess = diagnose(draws)
    assert r_hat.shape == ess.shape == (5, 2, 3)
    one_r_hat, one_ess = diagnose(draws[3, 1])
    np.testing.assert_array_equal(r_hat[3, 1], one_r_hat)
    np.testing.assert_array_equal(ess[3, 1], one_ess)
