"""From verdicts to the rows of a design: who said what of which pair, shown in which order, and how much it weighs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from prefdissect._typing import BoolArray, FloatArray, IntArray, Ties
from prefdissect.data import PreferenceData
from prefdissect.data.combined import counted_rows, spread_weights

__all__ = ["VerdictRows", "preferences", "reasons_of_absence", "rows_of"]

_TIES = ("tie", "both_bad")
_FEWEST = 10  # pairs asked more than once, from which on their correlation is believed
_FORBIDDEN = ("false", "0", "0.0", "no")  # what files make of False; anything else, and nothing, allows a tie
_SIGN = {"A": 1.0, "B": -1.0, "unknown": 0.0}


@dataclass(frozen=True, eq=False)
class VerdictRows:
    """What judges said, one row per pair and order.

    Parameters
    ----------
    pair
        Row of the data's pairs, [row], ascending.
    first
        1 where A was shown first, -1 where B was, 0 where that is not known or does not count, [row].
    y, weight
        Preference for A, ties a half, and weight, 0 where there is none, [row, judge].
    tied, open
        Share of that weight in ties, and in verdicts that could have been ties, [row, judge].
    correlation
        Between two verdicts of a judge on one pair, [judge]; 1 where too few pairs were asked twice to tell, and NaN
        where none was.
    """

    pair: IntArray
    first: FloatArray
    y: FloatArray
    weight: FloatArray
    tied: FloatArray
    open: FloatArray
    correlation: FloatArray


@dataclass(frozen=True, eq=False)
class _Said:
    """Usable verdicts of the judges, one per entry: where they belong, and what they say."""

    pair: IntArray
    judge: IntArray
    first: FloatArray
    y: FloatArray
    weight: FloatArray
    tied: BoolArray
    could: BoolArray

    def take(self, kept: BoolArray) -> _Said:
        return replace(self, **{one.name: getattr(self, one.name)[kept] for one in fields(self)})


def rows_of(
    data: PreferenceData, judges: Sequence[str], ties: Ties, *, orders: BoolArray | None = None, repeats: bool = False
) -> VerdictRows:
    """Return the rows of a design.

    `orders` [judge] says whose orders count: their pairs have a row for each order in which they were shown. Without,
    each pair of the data is a row. `repeats`: the k verdicts of a judge on one pair weigh k / (1 + (k - 1) r) together,
    r their correlation, and not 1: asked twice they tell more than once, and less than two pairs.
    """
    said = _gather(_counted(data, judges, orders), data, judges, ties)
    correlation = _correlate(said, len(judges))
    if repeats:
        said = _weigh(said, correlation)
    if orders is None:
        pair, first = np.arange(len(data)), np.zeros(len(data))
        row = said.pair
    else:
        sign = np.where(orders[said.judge], said.first, 0.0)
        keys, row = np.unique(said.pair * 4 + (sign + 1).astype(np.int64), return_inverse=True)
        pair, first = keys // 4, (keys % 4 - 1).astype(np.float64)
    shape, at = (len(pair), len(judges)), (row, said.judge)
    total, sum_y, tied, could = (_add(shape, at, said.weight * v) for v in (1.0, said.y, said.tied, said.could))

    def share(part: FloatArray, default: float) -> FloatArray:
        return np.where(total > 0, part / np.maximum(total, 1e-300), default)

    return VerdictRows(pair, first, share(sum_y, 0.5), total, share(tied, 0.0), share(could, 0.0), correlation)


def _add(shape: tuple[int, int], at: tuple[IntArray, IntArray], values: FloatArray) -> FloatArray:
    out = np.zeros(shape)
    np.add.at(out, at, values)
    return out


def _counted(data: PreferenceData, judges: Sequence[str], orders: BoolArray | None) -> pd.DataFrame:
    """Return the verdicts that count: of judges whose orders do, each that was given; of others what they come to."""
    whole = counted_rows(data.verdicts)
    if orders is None:
        return whole
    ordered = [judge for judge, on in zip(judges, orders, strict=True) if on]
    given = spread_weights(data.verdicts)
    return pd.concat([whole[~whole["judge"].isin(ordered)], given[given["judge"].isin(ordered)]])


def _gather(table: pd.DataFrame, data: PreferenceData, judges: Sequence[str], ties: Ties) -> _Said:
    """Return the verdicts that can be used."""
    judge = pd.Index(judges).get_indexer(pd.Index(table["judge"].astype(object))).astype(np.int64)
    outcome = table["outcome"].astype(object).to_numpy()
    tied = np.isin(outcome, _TIES)
    could = tied | (np.isin(outcome, ("A", "B")) & _allowed(table))
    weight = table["weight"].to_numpy(float)
    said = _Said(
        data.pairs.index.get_indexer(pd.Index(table["pair_id"])).astype(np.int64),
        judge,
        np.asarray(table["first"].astype(object).map(_SIGN), dtype=np.float64),
        table["value"].fillna(0.0).to_numpy(float),
        weight,
        tied,
        could,
    )
    kept = (judge >= 0) & (weight > 0) & ~(tied & (ties == "drop"))
    return said.take(np.asarray(kept, dtype=bool))


def _allowed(table: pd.DataFrame) -> BoolArray:
    """Return whether each verdict could have been a tie, as far as the source says."""
    if "tie_allowed" not in table:
        return np.ones(len(table), dtype=bool)
    told = table["tie_allowed"].astype("str").str.casefold()
    return np.asarray(~told.isin(_FORBIDDEN), dtype=bool)


def _asked(said: _Said) -> tuple[IntArray, IntArray]:
    """Return the number of each verdict's pair and judge, and how many verdicts that has, [verdict]."""
    _, of, count = np.unique(
        said.pair + said.judge * (said.pair.max(initial=0) + 1), return_inverse=True, return_counts=True
    )
    return of, count[of]


def _correlate(said: _Said, n_judges: int) -> FloatArray:
    """Return the correlation of two verdicts of one judge on one pair, what being shown first does taken out.

    About a half, as A and B could be exchanged. It holds what the properties explain, too, so that weights made of it
    are a little too small rather than too large.
    """
    out = np.full(n_judges, np.nan)
    of, count = _asked(said)
    for judge in range(n_judges):
        mine = (said.judge == judge) & (count > 1)
        if not mine.any():
            continue
        away, first = said.y[mine] - 0.5, said.first[mine]
        away = away - first * (away @ first) / max(float(first @ first), 1.0)
        _, group, sizes = np.unique(of[mine], return_inverse=True, return_counts=True)
        sums = np.bincount(group, weights=away)
        squares = np.bincount(group, weights=away**2)
        together, alone = float(((sums**2 - squares) / 2).sum()), float(((sizes - 1) * squares / 2).sum())
        known = len(sizes) >= _FEWEST and alone > 0
        out[judge] = min(max(together / alone, 0.0), 1.0) if known else 1.0
    return out


def _weigh(said: _Said, correlation: FloatArray) -> _Said:
    """Return the verdicts with the weights that repeats leave them."""
    of, count = _asked(said)
    total = np.bincount(of, weights=said.weight)[of]
    square = np.bincount(of, weights=said.weight**2)[of]
    k = total**2 / square  # of equal weights their number
    r = np.nan_to_num(correlation[said.judge], nan=1.0)
    factor = np.where(count > 1, k / (1 + (k - 1) * r), 1.0)
    return replace(said, weight=said.weight * factor)


def preferences(
    data: PreferenceData, judges: Sequence[str], ties: Ties
) -> tuple[FloatArray, FloatArray, np.ndarray[Any, Any]]:
    """Return preference, weight and reason of absence, each [pair, judge].

    A tie verdict is dropped, or counts half; two orders that disagree are no tie
    but two verdicts, whose mean is 0.5. The reason is "" where there is a preference.
    """
    rows = rows_of(data, judges, ties)
    return rows.y, rows.weight, reasons_of_absence(data, judges, rows)


def reasons_of_absence(data: PreferenceData, judges: Sequence[str], rows: VerdictRows) -> np.ndarray[Any, Any]:
    """Return why a pair has no preference, "" where it has one, [pair, judge]; `rows` are those of pairs."""
    table = counted_rows(data.verdicts)
    codes = pd.Index(judges).get_indexer(pd.Index(table["judge"].astype(object)))
    pair = data.pairs.index.get_indexer(pd.Index(table["pair_id"]))
    mine = codes >= 0
    at = (pair[mine], codes[mine].astype(np.int64))
    value, weight = table["value"].to_numpy(float)[mine], table["weight"].to_numpy(float)[mine]
    tie = np.isin(table["outcome"].astype(object).to_numpy()[mine], _TIES)
    usable, shape = weight > 0, rows.y.shape
    n_asked = _add(shape, at, np.ones(len(weight)))
    n_tied = _add(shape, at, (usable & tie).astype(float))
    n_weightless = _add(shape, at, (~usable & np.isfinite(value)).astype(float))
    return np.select(
        [rows.weight > 0, n_tied > 0, n_weightless > 0, n_asked > 0],
        ["", "tie, dropped", "verdict of weight 0", "invalid verdict"],
        default="no verdict",
    ).astype(object)
