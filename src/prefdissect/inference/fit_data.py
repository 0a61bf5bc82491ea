"""The data of one fit, in the form that the engines read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from prefdissect._typing import FloatArray, IntArray, TieModel
from prefdissect.features import Cell

__all__ = ["FitData", "gather"]

_PROBE = 512  # rows looked at before all are compared


@dataclass(frozen=True, eq=False)
class FitData:
    """Distinct rows with their weights, and what the labels come to.

    With s = X'(weight (y - 1/2)) the log likelihood is s'w - sum_i weight_i log(2 cosh(x_i'w / 2)), so
    of the labels only `statistic`, s, is kept. Where ties are modelled, rows that could have been ties have other
    terms (see `compiled.tied`), and the last entry of the statistic is the cutpoint's: the number of ties under
    Davidson's model, 0 under the ordered one.

    Parameters
    ----------
    xt
        Shape [column, row], in C order.
    weight
        Shape [row], above 0.
    statistic
        Shape [column], or [column + 1] with a cutpoint.
    ends
        Where the rows of each kind end: plain, Davidson's, decided, between; empty if all are plain.
    cut
        Where the search for the cutpoint begins.
    """

    xt: FloatArray
    weight: FloatArray
    statistic: FloatArray
    ends: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    cut: float = 0.0

    @cached_property
    def unit(self) -> bool:
        """Whether all weights are 1."""
        return bool((self.weight == 1).all())

    @property
    def has_cut(self) -> bool:
        """Whether ties are modelled, by a cutpoint."""
        return len(self.statistic) > len(self.xt)


def gather(cells: Sequence[Cell], splits: Sequence[Sequence[IntArray]]) -> Iterator[list[FitData]]:
    """Yield for each cell the data of its fits; `splits` holds the rows that each fit uses. Equal rows are shared.

    Rows that are equal, or each other's mirror image, become one row with the sum of their weights:
    the terms that a row enters by are even, and labels enter by the statistic alone.
    """
    x: FloatArray | None = None
    for cell, parts in zip(cells, splits, strict=True):
        if cell.ties == "ordered":
            yield [_order(cell, rows) for rows in parts]
            continue
        if x is None or not (cell.x is x or np.array_equal(cell.x, x)):
            x = cell.x
            xt, which = _distinguish(x)
        yield [(_open if cell.ties else _reduce)(cell, rows, xt, which) for rows in parts]


def _reduce(cell: Cell, rows: IntArray, xt: FloatArray, which: IntArray) -> FitData:
    """Return the data of a fit to some rows of a cell, `which` being the column of `xt` that each row is."""
    kept = _keep(cell, rows)
    weight = np.asarray(np.bincount(which, weights=kept, minlength=xt.shape[1]), dtype=np.float64)
    used = np.flatnonzero(weight)
    return FitData(
        xt if len(used) == len(weight) else xt.take(used, axis=1), weight[used], (kept * (cell.y - 0.5)) @ cell.x
    )


def _open(cell: Cell, rows: IntArray, xt: FloatArray, which: IntArray) -> FitData:
    """Return the data of a fit under Davidson's model: first the rows that could be no tie, then those that could."""
    kept, n = _keep(cell, rows), xt.shape[1]
    plain = np.asarray(np.bincount(which, weights=kept * (1 - cell.open), minlength=n), dtype=np.float64)
    could = np.asarray(np.bincount(which, weights=kept * cell.open, minlength=n), dtype=np.float64)
    at = [np.flatnonzero(plain), np.flatnonzero(could)]
    whole = not len(at[0]) and len(at[1]) == n
    n_plain, n_all = len(at[0]), len(at[0]) + len(at[1])
    tied = float(kept @ cell.tied)
    return FitData(
        xt if whole else xt.take(np.concatenate(at), axis=1),
        np.concatenate([plain[at[0]], could[at[1]]]),
        np.append((kept * (cell.y - 0.5)) @ cell.x, tied),
        np.array([n_plain, n_all, n_all, n_all]),
        float(start_cut("davidson", tied / max(could.sum(), tied, 1e-300))),
    )


def _order(cell: Cell, rows: IntArray) -> FitData:
    """Return the data of a fit under the ordered model: plain rows, decided ones turned so that A won, and ties."""
    kept = _keep(cell, rows)
    could = kept * cell.open
    shares = kept * (1 - cell.open), could * (cell.y - cell.tied / 2), could * (1 - cell.y - cell.tied / 2)
    parts = [*shares, kept * cell.tied]
    at = [np.flatnonzero(part > 1e-12) for part in parts]
    turned = [sign * cell.x[one] for sign, one in zip((1, 1, -1, 1), at, strict=True)]
    sizes = np.cumsum([len(one) for one in at])
    tied = float(kept @ cell.tied)
    return FitData(
        _transpose(np.concatenate(turned)),
        np.concatenate([part[one] for part, one in zip(parts, at, strict=True)]),
        np.append((kept * (cell.y - 0.5)) @ cell.x, 0.0),
        np.array([sizes[0], sizes[0], sizes[2], sizes[3]]),
        float(start_cut("ordered", tied / max(could.sum(), tied, 1e-300))),
    )


def start_cut(ties: TieModel, rate: FloatArray | float) -> FloatArray:
    """Return the cutpoints at which two equal responses are tied as often as `rate`."""
    rate = np.clip(rate, 0.005, 0.995)
    cut = np.log(2 * rate / (1 - rate)) if ties == "davidson" else np.log(2 * np.arctanh(rate))
    return np.asarray(cut, dtype=np.float64)


def _keep(cell: Cell, rows: IntArray) -> FloatArray:
    """Return the weights of some rows of a cell, 0 for the others."""
    kept = np.zeros(len(cell))
    kept[rows] = cell.weight[rows]
    return kept


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
