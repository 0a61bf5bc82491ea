"""Which groups the tables of comparisons have rows of, and what the overall value of several is."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prefdissect._typing import GroupKind
from prefdissect.features import OVERALL

__all__ = ["OVERALL", "mean_over", "names_of_rows"]


def names_of_rows(groups: Sequence[str], kinds: Mapping[str, GroupKind]) -> list[str]:
    """Return what tables have rows of: the mean over scenarios, if there are some, and groups, if there are several."""
    scenarios = [g for g in groups if kinds[g] != "case"]
    return ([OVERALL] if scenarios else []) + [g for g in groups if [g] != scenarios]


def mean_over(values: NDArray[Any], axis: int, *, skipna: bool) -> NDArray[Any]:
    """Return the mean over scenarios along an axis: NaN where one is, or with `skipna` that of the others."""
    if not skipna:
        return np.asarray(values.mean(axis=axis))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of nothing but NaN, whose mean is NaN
        return np.asarray(np.nanmean(values, axis=axis))
