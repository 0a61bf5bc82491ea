"""The only file that imports ArviZ: what 0.23 (Python 3.11) and 1.x (3.12 and later) do alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from prefdissect._typing import FloatArray

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["diagnose", "to_container"]


def diagnose(draws: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return rank-normalised R-hat and bulk ESS of draws [chain, draw, column], each [column].

    Source: Vehtari et al. 2021, Bayesian Analysis 16(2).
    """
    import arviz as az
    import xarray as xr

    table = xr.Dataset({"w": (("chain", "draw", "column"), draws)})
    r_hat, ess = az.rhat(table)["w"], az.ess(table)["w"]
    return np.asarray(r_hat, dtype=float), np.asarray(ess, dtype=float)


def to_container(posterior: xr.Dataset) -> Any:
    """Return the posterior in the container of the installed ArviZ."""
    import arviz as az
    import xarray as xr

    if int(az.__version__.partition(".")[0]) < 1:
        return az.InferenceData(posterior=posterior)
    return xr.DataTree.from_dict({"posterior": posterior})
