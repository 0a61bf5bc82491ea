"""The weights of judges in groups: what fitting a design gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from prefdissect._typing import BoolArray, FloatArray, MadeBy
from prefdissect.inference.pooling.pooled import Pooled
from prefdissect.inference.prior import PriorArrays

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Cutpoint", "Fit", "Posterior"]


@dataclass(frozen=True, eq=False)
class Cutpoint:
    """The cutpoint of ties of one fit, log nu of Davidson's model or log c of the ordered one.

    Parameters
    ----------
    mean, sd, lower, upper
        From all draws.
    draws
        Kept draws, float32, shape [chain, draw]: those of the weights' draws.
    """

    mean: float
    sd: float
    lower: float
    upper: float
    draws: NDArray[np.float32]

    SUMMARIES = ("mean", "sd", "lower", "upper")


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
    cut
        The cutpoint, where ties are modelled; all else is of the weights alone.
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
    cut: Cutpoint | None = None

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
    (4, 1000, 2)
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

    def to_dataset(self, is_property: BoolArray | None = None) -> xr.Dataset:
        """Return the kept draws: `weight` with dimensions chain, draw, judge, group, property.

        `is_property` [column] says which columns are properties; the others go to `nuisance`, along `term`. Cutpoints
        of ties, where there are any, are `cutpoint`, along chain, draw, judge, group.
        """
        import xarray as xr

        kept = np.ones(len(self.columns), dtype=bool) if is_property is None else is_property
        draws = np.moveaxis(self.stack("draws"), (0, 1), (2, 3))
        names = np.array(self.columns, dtype=object)
        coords: dict[str, Any] = {
            "chain": np.arange(draws.shape[0]),
            "draw": np.arange(draws.shape[1]),
            "judge": list(self.judges),
            "group": list(self.groups),
        }
        grid = tuple(coords)
        coords["property"] = names[kept].tolist()
        variables: dict[str, Any] = {"weight": ((*grid, "property"), draws[..., kept])}
        if not kept.all():
            coords["term"] = names[~kept].tolist()
            variables["nuisance"] = ((*grid, "term"), draws[..., ~kept])
        if any(fit.cut is not None for fit in self.fits.values()):
            variables["cutpoint"] = (grid, np.moveaxis(self.stack_cuts(), (0, 1), (2, 3)))
        return xr.Dataset(variables, coords=coords)

    def stack_cuts(self) -> NDArray[np.float32]:
        """Return the draws of cutpoints of ties, [judge, group, chain, draw]; NaN where there is none."""
        out = np.full((len(self.judges), len(self.groups), *self.shape), np.nan, dtype=np.float32)
        for (judge, group), fit in self.fits.items():
            if fit.cut is not None:
                out[self.judges.index(judge), self.groups.index(group)] = fit.cut.draws
        return out
