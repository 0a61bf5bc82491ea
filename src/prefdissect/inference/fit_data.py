"""The data of one fit, in the form that the engines read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from prefdissect._typing import FloatArray, IntArray
from prefdissect.features import Cell

__all__ = ["FitData", "gather"]

_PROBE = 512  # rows looked at before all are compared


@dataclass(frozen=True, eq=False)
class FitData:
    """Distinct rows with their weights, and what the labels come to.

    With s = X'(weight (y - 1/2)) the log likelihood is s'w - sum_i weight_i log(2 cosh(x_i'w / 2)), so
    of the labels only `statistic`, s, is kept.

    Parameters
    ----------
    xt
        Shape [column, row], in C order.
    weight
        Shape [row], above 0.
    statistic
        Shape [column].
    """

    xt: FloatArray
    weight: FloatArray
    statistic: FloatArray

    @cached_property
    def unit(self) -> bool:
        """Whether all weights are 1."""
        return bool((self.weight == 1).all())


def gather(cells: Sequence[Cell], splits: Sequence[Sequence[IntArray]]) -> Iterator[list[FitData]]:
    """Yield for each cell the data of its fits; `splits` holds the rows that each fit uses. Equal rows are shared.

    Rows that are equal, or each other's mirror image, become one row with the sum of their weights:
    the terms that a row enters by are even, and labels enter by the statistic alone.
    """
    x: FloatArray | None = None
    for cell, parts in zip(cells, splits, strict=True):
        if x is None or not (cell.x is x or np.array_equal(cell.x, x)):
            x = cell.x
            xt, which = _distinguish(x)
        yield [_reduce(cell, rows, xt, which) for rows in parts]


def _reduce(cell: Cell, rows: IntArray, xt: FloatArray, which: IntArray) -> FitData:
    """Return the data of a fit to some rows of a cell, `which` being the column of `xt` that each row is."""
    kept = np.zeros(len(cell))
    kept[rows] = cell.weight[rows]
    weight = np.asarray(np.bincount(which, weights=kept, minlength=xt.shape[1]), dtype=np.float64)
    used = np.flatnonzero(weight)
    return FitData(
        xt if len(used) == len(weight) else xt.take(used, axis=1), weight[used], (kept * (cell.y - 0.5)) @ cell.x
    )


def _distinguish(x: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return the distinct rows up to mirror image, transposed, and which of them each row is.

    Where few rows seem to repeat, all are left as they are: sorting them would cost more than it spares.
    """
    sample = _upright(x[:: max(1, len(x) // _PROBE)])
    direction = np.random.default_rng(0).standard_normal(x.shape[1])  # along which only equal rows are equal
    if len(np.unique(sample @ direction)) > 0.9 * len(sample):
        return _transpose(x), np.arange(len(x))
    distinct, which = np.unique(_upright(x), axis=0, return_inverse=True)
    return _transpose(distinct), which.ravel()


def _transpose(x: FloatArray) -> FloatArray:
    """Return the transpose in C order, made in blocks that fit the cache."""
    xt = np.empty(x.shape[::-1])
    for start in range(0, len(x), _PROBE):
        xt[:, start : start + _PROBE] = x[start : start + _PROBE].T
    return xt


def _upright(x: FloatArray) -> FloatArray:
    """Return each row with the sign that makes its first entry other than 0 positive."""
    if not x.size:
        return x
    leading = np.take_along_axis(x, (x != 0).argmax(axis=1)[:, None], axis=1)
    return np.where(leading < 0, -x, x) + 0.0  # + 0.0: no row differs by the sign of a zero
