"""Weights, probabilities and ranks of each judge and group, and what the properties mean."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from prefdissect._typing import BoolArray, FloatArray
from prefdissect.report.contents import Contents
from prefdissect.report.packing import pack
from prefdissect.tables import rank_of

__all__ = ["nearly_prior", "properties_section"]

_NEAR, _AS_WIDE = 0.25, 0.9  # of the standard deviation of the prior
_MOST_DRAWS = 1000  # of which the intervals of ranks are made: they are whole numbers


def properties_section(contents: Contents) -> dict[str, Any]:
    """Return what is drawn by judge, group and property, [judge, group, property], and overall, [judge, property]."""
    posterior, design, weights = contents.posterior, contents.design, contents.weights
    kept = design.is_property
    grid = len(posterior.judges), len(posterior.groups), int(kept.sum())

    def of(column: str) -> FloatArray:
        return weights[column].to_numpy(dtype=float).reshape(grid)

    cells = weights.drop_duplicates(["judge", "group"])
    ranks = np.full((*grid, 2), np.nan)
    for (judge, group), fit in posterior.fits.items():
        at = posterior.judges.index(judge), posterior.groups.index(group)
        ranks[at] = _rank_bounds(_some(fit.draws)[:, kept], posterior.interval)
    rank = np.array([[rank_of(cell) if np.isfinite(cell).all() else cell for cell in row] for row in of("mean")])
    return {
        "properties": [
            {
                **prop.model_dump(
                    include={"id", "label", "name", "description", "group", "direction", "kind", "unit", "threshold"}
                ),
                "range": list(prop.range) if prop.range else None,
                "missing": prop.missing,
            }
            for prop in design.encoder.schema
        ],
        **{name: pack(of(name)) for name in ("mean", "sd", "lower", "upper", "prob_positive", "n_differs")},
        "is_prior": pack(nearly_prior(of("mean"), of("sd"), posterior.prior.sd[kept]) | (of("n_differs") == 0)),
        "rank": pack(rank),
        "rank_lower": pack(ranks[..., 0]),
        "rank_upper": pack(ranks[..., 1]),
        "fits": {
            name: cells[name].tolist() for name in ("n_pairs", "n_soft", "engine", "certified")
        },  # [judge x group], in order
        "overall": _overall(contents),
    }


def nearly_prior(mean: FloatArray, sd: FloatArray, prior_sd: FloatArray) -> BoolArray:
    """Return where a posterior is nearly the prior, [..., property]: the data told next to nothing.

    The mean is within a quarter of the prior's standard deviation of 0, and the standard deviation at least nine
    tenths of the prior's. A mean that data have moved away is something learned, however wide it is.

    >>> nearly_prior(np.array([0.01, 0.01, -0.2]), np.array([0.14, 0.05, 0.2]), np.full(3, 0.141)).tolist()
    [True, False, False]
    """
    return np.asarray((np.abs(mean) <= _NEAR * prior_sd) & (sd >= _AS_WIDE * prior_sd))


def _overall(contents: Contents) -> dict[str, Any] | None:
    """Return means over scenarios: of the probability, as the paper's, of the weight, and the rank of the former."""
    posterior, design, table = contents.posterior, contents.design, contents.overall
    if table is None:
        return None
    kept = design.is_property
    shape = len(posterior.judges), int(kept.sum())
    weight, bounds, ranks = (np.full((*shape, n), np.nan) for n in (1, 2, 2))
    for j, judge in enumerate(posterior.judges):
        keys = [(judge, g) for g in posterior.groups if design.group_kinds[g] != "case"]
        fits = [posterior.fits[key] for key in keys if key in posterior.fits]
        if fits:
            draws = [_some(fit.draws)[:, kept] for fit in fits]
            weight[j, :, 0] = np.mean([fit.mean[kept] for fit in fits], axis=0)
            bounds[j] = _bounds(np.mean(draws, axis=0), posterior.interval)
            ranks[j] = _rank_bounds(np.mean([expit(part) for part in draws], axis=0), posterior.interval)
    probability = table["probability"].to_numpy().reshape(shape)
    rank = np.array([rank_of(row) if np.isfinite(row).all() else row for row in probability])
    return {
        "probability": pack(probability),
        "probability_lower": pack(table["lower"].to_numpy().reshape(shape)),
        "probability_upper": pack(table["upper"].to_numpy().reshape(shape)),
        "weight": pack(weight[..., 0]),
        "weight_lower": pack(bounds[..., 0]),
        "weight_upper": pack(bounds[..., 1]),
        "rank": pack(rank),
        "rank_lower": pack(ranks[..., 0]),
        "rank_upper": pack(ranks[..., 1]),
        "n_groups": table["n_groups"].to_numpy().reshape(shape)[:, 0].tolist(),
    }


def _some(draws: NDArray[Any]) -> FloatArray:
    """Return at most 1,000 of the draws, [draw, column]."""
    flat = draws.reshape(-1, draws.shape[-1])
    every = np.linspace(0, len(flat) - 1, min(len(flat), _MOST_DRAWS)).round().astype(int)
    return np.asarray(flat[every], dtype=float)


def _bounds(draws: FloatArray, interval: float) -> FloatArray:
    """Return the equal-tailed interval of each column, [column, 2]."""
    tail = (1 - interval) / 2
    return np.asarray(np.quantile(draws, [tail, 1 - tail], axis=0).T)


def _rank_bounds(draws: FloatArray, interval: float) -> FloatArray:
    """Return the interval of the rank of each column, [column, 2]: whole numbers, both inside."""
    tail = (1 - interval) / 2
    ranks = rank_of(draws)
    low = np.quantile(ranks, tail, axis=0, method="lower")
    high = np.quantile(ranks, 1 - tail, axis=0, method="higher")
    return np.stack([low, high], axis=-1)
