"""The only file that imports ArviZ: what 0.23 (Python 3.11) and 1.x (3.12 and later) do alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["to_container"]


def to_container(posterior: xr.Dataset) -> Any:
    """Return the posterior in the container of the installed ArviZ."""
    import arviz as az
    import xarray as xr

    if int(az.__version__.partition(".")[0]) < 1:
        return az.InferenceData(posterior=posterior)
    return xr.DataTree.from_dict({"posterior": posterior})
