"""The weights of judges in groups: what fitting a design gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prefdissect._typing import FloatArray, MadeBy
from prefdissect.inference.pooling.pooled import Pooled
from prefdissect.inference.prior import PriorArrays

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Fit", "Posterior"]


@dataclass(frozen=True, eq=False)
class Fit:
    """The posterior of one judge's weights in one group.

    Parameters
    ----------
    mean, sd, lower, upper, prob_positive, r_hat, ess_bulk
        Of each column, shape [column], from all draws. `lower` and `upper` bound the
        equal-tailed interval.
    cov
        Posterior covariance, shape [column, column].
    precision, linear
        The likelihood is about exp(linear'w - w'precision w / 2): [column, column] and [column]. By expectation
        propagation, whichever engine made the draws; of folds the average.
    draws
        Kept draws, float32, shape [chain, draw, column].
    engine, certified, certificate
        How the draws were made, whether they can be relied on, and the figures behind that.
    """

    mean: FloatArray
    sd: FloatArray
    lower: FloatArray
    upper: FloatArray
    prob_positive: FloatArray
    r_hat: FloatArray
    ess_bulk: FloatArray
    cov: FloatArray
    precision: FloatArray
    linear: FloatArray
    draws: NDArray[np.float32]
    engine: MadeBy
    certified: bool
    certificate: Mapping[str, float]

    SUMMARIES = ("mean", "sd", "lower", "upper", "prob_positive", "r_hat", "ess_bulk")


@dataclass(frozen=True, eq=False)
class Posterior:
    """The fits of a grid of judges and groups; a cell with too few pairs has none.

    Parameters
    ----------
    judges, groups, columns
        The names along each dimension.
    fits
        (judge, group) to its fit.
    shape
        Chains and kept draws of every fit.
    interval
        Probability inside `lower` and `upper`.
    prior
        Of each column.
    pooled
        The layers behind pooled fits; None where each fit is on its own.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> schema = pdx.PAPER.select(["lengthy"])
    >>> study = pdx.simulate(100, schema=schema, judges=["me"], scenarios=None, random_seed=0)
    >>> posterior = pdx.dissect(study.data, random_seed=0).fitted
    >>> posterior.fits["me", "all"].draws.shape
    (4, 1000, 1)
    """

    judges: tuple[str, ...]
    groups: tuple[str, ...]
    columns: tuple[str, ...]
    fits: Mapping[tuple[str, str], Fit]
    shape: tuple[int, int]
    interval: float
    prior: PriorArrays
    pooled: Pooled | None = None

    def sel(self, judges: Sequence[str], groups: Sequence[str]) -> Posterior:
        """Return the fits of these judges and groups."""
        kept = {key: fit for key, fit in self.fits.items() if key[0] in judges and key[1] in groups}
        return replace(self, judges=tuple(judges), groups=tuple(groups), fits=kept)

    def join(self, other: Posterior) -> Posterior:
        """Return these fits and those of other judges in the same groups."""
        return replace(self, judges=(*self.judges, *other.judges), fits={**self.fits, **other.fits})

    def stack(self, name: str) -> NDArray[Any]:
        """Return one field of all fits, [judge, group, ...]; NaN where there is no fit."""
        n = len(self.columns)
        dimensions = {"draws": (*self.shape, n), "cov": (n, n), "precision": (n, n)}.get(name, (n,))
        dtype = np.float32 if name == "draws" else np.float64
        out = np.full((len(self.judges), len(self.groups), *dimensions), np.nan, dtype=dtype)
        for j, judge in enumerate(self.judges):
            for g, group in enumerate(self.groups):
                if (judge, group) in self.fits:
                    out[j, g] = getattr(self.fits[judge, group], name)
        return out

    def to_dataset(self) -> xr.Dataset:
        """Return the kept draws: `weight` with dimensions chain, draw, judge, group, property."""
        import xarray as xr

        draws = np.moveaxis(self.stack("draws"), (0, 1), (2, 3))
        coords = {
            "chain": np.arange(draws.shape[0]),
            "draw": np.arange(draws.shape[1]),
            "judge": list(self.judges),
            "group": list(self.groups),
            "property": list(self.columns),
        }
        return xr.Dataset({"weight": (tuple(coords), draws)}, coords=coords)
