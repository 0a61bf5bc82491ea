"""Priors: families, scales, mappings by property."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import prefdissect as pdx
from prefdissect.errors import OptionError, UnknownNameError
from prefdissect.inference import Laplace, Normal, arrange_prior


@pytest.mark.parametrize("prior", [Laplace(0.3), Normal(2.0)])
def test_one_prior_is_that_of_every_column(prior):
    arrays = arrange_prior(prior, ("x", "y"))
    assert arrays.scale.tolist() == [prior.scale] * 2
    assert arrays.is_laplace.tolist() == [isinstance(prior, Laplace)] * 2


def test_mapping_by_property_mixes_families_and_fills_in_the_papers():
    arrays = arrange_prior({"z": Normal(0.5), "x": Laplace(0.2)}, ("x", "y", "z"))
    assert arrays.scale.tolist() == [0.2, 0.1, 0.5]
    assert arrays.is_laplace.tolist() == [True, True, False]


def test_sd_is_that_of_the_distribution():
    """Against the second moment by quadrature of the density each class names.

    The grid of 0.0005 of a scale up to 40 scales leaves an error below 1e-6.
    """
    arrays = arrange_prior({"l": Laplace(0.1), "n": Normal(0.7)}, ("l", "n"))
    grid = np.linspace(-40, 40, 160_001)
    for k, density in enumerate([np.exp(-np.abs(grid)), np.exp(-(grid**2) / 2)]):
        variance = (grid**2 * density).sum() / density.sum()
        assert arrays.sd[k] == pytest.approx(arrays.scale[k] * np.sqrt(variance), rel=1e-5)


def test_default_is_the_papers():
    assert Laplace() == Laplace(0.1)
    assert arrange_prior({}, ("x",)).scale.tolist() == [0.1]


@pytest.mark.parametrize("family", [Laplace, Normal])
@pytest.mark.parametrize("scale", [0, -0.1, float("nan"), float("inf"), "0.1", None, True])
def test_scale_must_be_a_positive_number(family, scale):
    with pytest.raises(OptionError, match="scale=") as caught:
        family(scale)
    assert repr(scale) in str(caught.value)


def frame() -> pd.DataFrame:
    return pd.DataFrame({"clear_a": [1, 2] * 6, "clear_b": [2, 1] * 6, "judge_me": ["A", "B"] * 6})


def test_unknown_property_in_a_mapping_names_close_matches():
    with pytest.raises(UnknownNameError, match="prior for unknown property 'claer'.*close matches: 'clear'"):
        pdx.dissect(frame(), prior={"claer": Laplace(0.1)})


@pytest.mark.parametrize("prior", [0.1, "laplace", None, {"clear": 0.1}, Laplace])
def test_what_is_no_prior_is_refused(prior):
    with pytest.raises(OptionError, match="is not a prior; use Laplace"):
        pdx.dissect(frame(), prior=prior)
