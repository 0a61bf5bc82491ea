"""The verdicts of all cells side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from prefdissect._typing import BoolArray, FloatArray, IntArray
from prefdissect.features import Design

__all__ = ["Rows", "arrange_rows", "keep_rows"]

_NOTHING = 1e-12  # share of a row's weight


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of all cells side by side, scenario by scenario and in it judge by judge.

    In each cell those come first that could not have been a tie. A row of the design some of whose verdicts could, and
    some not, is two.

    Parameters
    ----------
    xt
        Shape [column, row].
    weight, linear
        Of each row: its weight, and weight * (y - 1/2).
    tied
        Weight of each row's ties.
    starts
        First row of each cell, and the number of rows at the end: [scenario * judge + 1].
    opens
        First row of each cell that could have been a tie, [scenario * judge].
    pair
        Number of each row's pair inside its scenario, [row].
    source
        Row of the design, [row].
    shape
        Scenarios and judges.
    """

    xt: FloatArray
    weight: FloatArray
    linear: FloatArray
    tied: FloatArray
    starts: IntArray
    opens: IntArray
    pair: IntArray
    source: IntArray
    shape: tuple[int, int]

    def cell(self, scenario: int, judge: int) -> slice:
        """Return the rows of one cell."""
        c = scenario * self.shape[1] + judge
        return slice(int(self.starts[c]), int(self.starts[c + 1]))

    def scenario(self, scenario: int) -> slice:
        """Return the rows of one scenario."""
        return slice(int(self.starts[scenario * self.shape[1]]), int(self.starts[(scenario + 1) * self.shape[1]]))

    @cached_property
    def number(self) -> IntArray:
        """Number of each row's cell, [row]."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    @cached_property
    def judge(self) -> IntArray:
        """Number of each row's judge, [row]."""
        return np.asarray(self.number % self.shape[1])

    @cached_property
    def could(self) -> BoolArray:
        """Whether each row could have been a tie, [row]."""
        return np.asarray(np.arange(len(self.weight)) >= self.opens[self.number])

    @cached_property
    def seen(self) -> list[FloatArray]:
        """What the judges of each pair see on average, [pair, column] of each scenario."""
        found = []
        for s in range(self.shape[0]):
            pair, x = self.pair[self.scenario(s)], self.xt[:, self.scenario(s)]
            times = np.maximum(np.bincount(pair), 1)
            found.append(np.stack([np.bincount(pair, weights=column) / times for column in x], axis=1))
        return found

    @cached_property
    def repeats(self) -> bool:
        """Whether a judge has several rows of one pair."""
        at = self.number * (self.pair.max(initial=0) + 1) + self.pair
        return len(np.unique(at)) < len(at)

    @property
    def present(self) -> BoolArray:
        """Whether a cell has rows, [scenario, judge]."""
        return np.asarray((np.diff(self.starts) > 0).reshape(self.shape))

    @property
    def ties(self) -> BoolArray:
        """Whether a cell has rows that could have been ties, [scenario, judge]."""
        return np.asarray((self.starts[1:] > self.opens).reshape(self.shape))

    def spread_cuts(self, cut: FloatArray) -> FloatArray:
        """Return each row's cutpoint [row] of those of cells [scenario, judge]; -inf where it could be no tie."""
        return np.where(self.could, cut.ravel()[self.number], -np.inf)

    def sum_cells(self, values: FloatArray) -> FloatArray:
        """Return sums over the rows of each cell, [scenario, judge]."""
        sums = np.bincount(self.number, weights=values, minlength=len(self.starts) - 1)
        return np.asarray(sums, dtype=np.float64).reshape(self.shape)


def arrange_rows(
    design: Design,
    judges: Sequence[str],
    scenarios: Sequence[str],
    *,
    min_pairs: int = 1,
    own: Mapping[str, FloatArray] | None = None,
) -> Rows:
    """Return the rows of these judges in these scenarios.

    A cell with fewer than `min_pairs` decided pairs has none. `own`: columns that differ between judges, [row, judge].
    """
    pair_of = np.unique(design.pair_ids.astype(str), return_inverse=True)[1]
    parts: list[tuple[FloatArray | IntArray, ...]] = []
    starts, opens = [0], []
    for group in scenarios:
        pairs = np.unique(pair_of[design.in_group[:, design.groups.index(group)]])
        for judge in judges:
            enough = design.cell(judge, group).decided().n_pairs >= min_pairs
            rows = design.rows(judge, group) if enough else np.empty(0, dtype=np.int64)
            part, n_closed = _split(design, rows, judge, own or {})
            parts.append((*part, np.searchsorted(pairs, pair_of[part[-1]])))
            opens.append(starts[-1] + n_closed)
            starts.append(starts[-1] + len(part[-1]))
    x, weight, linear, tied, source, pair = (np.concatenate(of) for of in zip(*parts, strict=True))
    return Rows(
        xt=np.ascontiguousarray(x.T),
        weight=weight,
        linear=linear,
        tied=tied,
        starts=np.array(starts),
        opens=np.array(opens),
        pair=pair,
        source=source,
        shape=(len(scenarios), len(judges)),
    )


def _split(
    design: Design, rows: IntArray, judge: str, own: Mapping[str, FloatArray]
) -> tuple[tuple[FloatArray, FloatArray, FloatArray, FloatArray, IntArray], int]:
    """Return columns, weight, linear part, ties and design row of a cell's rows, and how many could be no tie."""
    j = design.judges.index(judge)
    weight, y, tied = (values[rows, j] for values in (design.weight, design.y, design.tied))
    could = design.open[rows, j] * (design.tie_model(judge) is not None)
    kinds = np.flatnonzero(could < 1 - _NOTHING), np.flatnonzero(could > _NOTHING)
    at, n_closed = np.concatenate(kinds), len(kinds[0])
    is_open = np.arange(len(at)) >= n_closed
    share = np.where(is_open, could[at], 1 - could[at])
    linear = share * weight[at] * (y[at] - 0.5)  # of a row in two parts: what is linear need only add up
    columns = _columns_of(design, rows[at], j, own)
    return (columns, share * weight[at], linear, is_open * weight[at] * tied[at], rows[at]), n_closed


def _columns_of(design: Design, rows: IntArray, judge: int, own: Mapping[str, FloatArray]) -> FloatArray:
    """Return the columns of some rows as a judge sees them."""
    x = design.x[rows].copy()
    for name, values in own.items():
        x[:, design.columns.index(name)] = values[rows, judge]
    return x


def keep_rows(rows: Rows, kept: BoolArray) -> Rows:
    """Return some of the rows; cells stay, also where they have none."""
    before = np.concatenate([[0], np.cumsum(kept)])
    parts = {name: getattr(rows, name)[kept] for name in ("weight", "linear", "tied", "pair", "source")}
    xt = np.ascontiguousarray(rows.xt[:, kept])
    return replace(rows, xt=xt, starts=before[rows.starts], opens=before[rows.opens], **parts)
