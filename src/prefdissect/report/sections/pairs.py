"""The pairs: what was rated, how they differ, what judges said, which groups they are in, and in a sample the texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from prefdissect.features import groups_like, preferences
from prefdissect.report.contents import Contents
from prefdissect.report.packing import pack, pack_within

__all__ = ["pairs_section", "texts_of"]


def pairs_section(contents: Contents) -> dict[str, Any]:
    """Return arrays [pair, ...], and of each fit the spread that the interval of a probability needs.

    `x` [pair, property] is as the fits encode it, `label` [pair, judge] the preference that they used.
    """
    data, design, posterior = contents.data, contents.design, contents.posterior
    places = [list(data.properties).index(name) for name in design.encoder.schema.ids]
    y, weight, _ = preferences(data, list(posterior.judges), contents.options["ties"])
    inside = groups_like(data, design, contents.options["by"])
    known = [name for name in ("prompt_id", "model_a", "model_b") if name in data.pairs]
    return {
        "ids": [str(name) for name in data.pairs.index],
        "about": {name: _words(data.pairs[name]) for name in known},
        "x": pack(design.encoder.encode(data)),
        "rating_a": pack(data.ratings[:, 0][:, places]),
        "rating_b": pack(data.ratings[:, 1][:, places]),
        "label": pack(np.where(weight > 0, y, np.nan)),
        "said": pack(data.labels[list(posterior.judges)].to_numpy(dtype=float)),
        "inside": pack(inside.to_numpy(dtype=float)),
        "spread": _spreads(contents),
    }


def texts_of(contents: Contents) -> dict[str, Any]:
    """Return what sources say of pairs in words: the pairs' numbers, and columns beside each other."""
    texts = contents.texts
    if texts is None:
        return {"pairs": [], "columns": {}}
    at = contents.data.pairs.index.get_indexer(texts.index)
    return {"pairs": at.tolist(), "columns": {str(name): _words(texts[name]) for name in texts}}


def _words(column: pd.Series) -> list[str | None]:
    """Return what a column says, as text; None where it says nothing."""
    return [None if _is_missing(value) else str(value) for value in column]


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value))


def _spreads(contents: Contents) -> dict[str, Any]:
    """Return the covariance of each fit's weights, [judge, group, pair of properties], the lower triangle.

    In 127ths of what it could be at most, the product of two standard deviations; those are exact.
    """
    kept, posterior = contents.design.is_property, contents.posterior
    cov = posterior.stack("cov")[:, :, kept][:, :, :, kept]
    sd = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))
    row, column = np.tril_indices(int(kept.sum()), -1)
    return {"sd": pack(sd), "correlation": pack_within(cov[..., row, column], sd[..., row] * sd[..., column])}
