"""The signed design of a whole study: all judges side by side over the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, get_args

import numpy as np
import pandas as pd

from prefdissect._typing import BoolArray, FloatArray, GroupKind, IntArray, Role, TieModel, Ties
from prefdissect.data import PreferenceData
from prefdissect.features.cell import Cell
from prefdissect.features.encoder import Encoder
from prefdissect.features.grouping import NO_GROUP
from prefdissect.terms import columns_like

__all__ = ["Design"]


@dataclass(frozen=True, eq=False)
class Design:
    """A signed matrix, the preferences of several judges, and groups of rows.

    Parameters
    ----------
    encoder
        How the columns were made.
    columns, roles
        Name and role of each column: `property`, `order`, `generator` or `nuisance`.
    pair_ids
        Pair that each row refers to. Where presentation order is a term, a pair has a row for each order.
    x
        Shape [row, column], positive where A has more.
    y, weight
        Shape [row, judge]: preference for A in [0, 1], and weight, 0 where there is none.
    tied, open
        Shape [row, judge]: share of that weight in ties, and in verdicts that could have been ties.
    ties
        How ties are taken, and for a model of them, which judges it holds for: those that ever tie, [judge].
    correlation
        Between verdicts of a judge on one pair, [judge]; NaN where no pair was asked twice.
    notes
        What is to be said of order and generators.
    cluster
        Number of the cluster that each row's pair belongs to, [row]: pairs of one cluster are not independent.
    in_group
        Boolean, [row, group].
    judges, groups, group_kinds
        Names of the judges and groups, and the kind of each group.
    dropped
        Tidy: `judge`, `group`, `reason`, `n`; every pair of a group is a row of the design or
        counted here, once. Pairs that are in no group stand under the group `(none)`.

    Examples
    --------
    >>> import pandas as pd
    >>> from prefdissect import PreferenceData
    >>> from prefdissect.features import build_design
    >>> table = pd.DataFrame({"clear_a": [3, 1], "clear_b": [1, 2], "judge_me": ["A", "tie"]})
    >>> data = PreferenceData.from_frame(table)
    >>> design = build_design(data, ["me"], by=None, encoding="comparison", ties="drop")
    >>> design.x.tolist(), design.dropped["reason"].tolist()
    ([[1.0]], ['tie, dropped'])
    """

    encoder: Encoder
    columns: tuple[str, ...]
    roles: tuple[Role, ...]
    pair_ids: np.ndarray[Any, Any]
    x: FloatArray
    y: FloatArray
    weight: FloatArray
    tied: FloatArray
    open: FloatArray
    cluster: IntArray
    in_group: BoolArray
    judges: tuple[str, ...]
    groups: tuple[str, ...]
    group_kinds: Mapping[str, GroupKind]
    dropped: pd.DataFrame
    ties: Ties
    may_tie: BoolArray
    correlation: FloatArray
    notes: tuple[str, ...] = ()

    @property
    def is_property(self) -> BoolArray:
        """Which columns are properties and no nuisance, [column]."""
        return np.array([role == "property" for role in self.roles])

    @cached_property
    def pair(self) -> IntArray:
        """Number of the pair of each row, [row]."""
        return pd.factorize(self.pair_ids)[0].astype(np.int64)

    def tie_model(self, judge: str) -> TieModel | None:
        """Return the model of a judge's ties; None where it never ties, or ties are no term."""
        on = self.ties in get_args(TieModel) and self.may_tie[self.judges.index(judge)]
        return self.ties if on else None  # type: ignore[return-value]  # it is one of them

    def cell(self, judge: str, group: str) -> Cell:
        """Return what `judge` said of the pairs of `group`."""
        j, rows = self.judges.index(judge), self.rows(judge, group)
        ties = self.tie_model(judge)
        return Cell(
            judge,
            group,
            self.x[rows],
            self.y[rows, j],
            self.weight[rows, j],
            self.cluster[rows],
            ties,
            self.tied[rows, j] if ties else np.empty(0),
            self.open[rows, j] if ties else np.empty(0),
            self.pair[rows],
        )

    def decided(self, judge: str, group: str) -> tuple[IntArray, Cell]:
        """Return the rows of a cell that are no ties, where ties are a term, and the cell without them."""
        cell = self.cell(judge, group)
        kept = np.flatnonzero(1 - cell.tied > 1e-9) if cell.ties else np.arange(len(cell))
        return self.rows(judge, group)[kept], cell.decided()

    @cached_property
    def per_pair(self) -> Design:
        """The design with one row a pair, whatever the orders: preferences averaged, nothing shown first."""
        starts = np.flatnonzero(np.diff(self.pair, prepend=-1))
        if len(starts) == len(self.pair):
            return self
        total = np.add.reduceat(self.weight, starts, axis=0)
        means: dict[str, Any] = {
            name: np.add.reduceat(getattr(self, name) * self.weight, starts, axis=0) / np.maximum(total, 1e-300)
            for name in ("y", "tied", "open")
        }
        means["y"] = np.where(total > 0, np.round(means["y"], 12), 0.5)
        x = self.x[starts] * np.array([role != "order" for role in self.roles])
        rest: dict[str, Any] = {name: getattr(self, name)[starts] for name in ("pair_ids", "cluster", "in_group")}
        return replace(self, x=x, weight=total, **means, **rest)

    def align(self, other: Design) -> Design:
        """Return this design with the columns of another one: 0 in those that it lacks, without those it has more."""
        lacking = np.zeros((len(self.x), 1))
        have = [self.x[:, [self.columns.index(c)]] if c in self.columns else lacking for c in other.columns]
        return replace(self, x=np.hstack(have), columns=other.columns, roles=other.roles)

    def rows(self, judge: str, group: str) -> IntArray:
        """Return the rows of the pairs of `group` of which `judge` said something."""
        j, g = self.judges.index(judge), self.groups.index(group)
        return np.flatnonzero(self.in_group[:, g] & (self.weight[:, j] > 0))

    def count(self) -> tuple[IntArray, IntArray]:
        """Return the pairs of each cell [judge, group], and those where a column is not 0 [judge, group, column]."""
        differs = (self.x != 0).astype(float)
        starts = np.flatnonzero(np.diff(self.pair, prepend=-1))  # rows of one pair stand together
        several = len(starts) < len(self.pair)
        used = [(self.in_group & (self.weight[:, [j]] > 0)).astype(float) for j in range(len(self.judges))]
        if several:
            at_all = [np.maximum.reduceat(cell, starts, axis=0) for cell in used]
            differs = np.maximum.reduceat(differs, starts, axis=0)
        else:
            at_all = used
        n_pairs = np.array([cell.sum(axis=0) for cell in at_all], dtype=np.int64)
        return n_pairs, np.array([cell.T @ differs for cell in at_all], dtype=np.int64)

    def complete(self, x: FloatArray, data: PreferenceData | None = None) -> FloatArray:
        """Return encoded properties with what is known of the other columns: models, if `data` name them, and else 0.

        Nothing is shown first then, so that predictions are those of a judge without that habit.
        """
        whole = np.zeros((len(x), len(self.columns)))
        whole[:, self.is_property] = x
        if data is not None:
            named = tuple(c for c, role in zip(self.columns, self.roles, strict=True) if role == "generator")
            for column, values in columns_like(data, named).items():
                whole[:, self.columns.index(column)] = values
        return whole

    def count_soft(self) -> IntArray:
        """Return the rows of each cell whose preference is neither 0 nor 1, nor a modelled tie, [judge, group].

        For them the likelihood is a quasi-likelihood: the width of intervals is not calibrated.
        """
        decided = np.where(self.tied < 1, self.y - self.tied / 2, 0.0) / np.maximum(1 - self.tied, 1e-12)
        y = np.where(self.may_tie & (self.ties in get_args(TieModel)), decided, self.y)
        soft = (self.weight > 0) & (y > 1e-9) & (y < 1 - 1e-9)
        return soft.astype(np.int64).T @ self.in_group.astype(np.int64)

    def sel(self, judges: Sequence[str], groups: Sequence[str]) -> Design:
        """Return the design of these judges and groups."""
        j = [self.judges.index(name) for name in judges]
        g = [self.groups.index(name) for name in groups]
        kept = self.dropped["judge"].isin(judges) & self.dropped["group"].isin([*groups, NO_GROUP])
        return replace(
            self,
            y=self.y[:, j],
            weight=self.weight[:, j],
            tied=self.tied[:, j],
            open=self.open[:, j],
            may_tie=self.may_tie[j],
            correlation=self.correlation[j],
            in_group=self.in_group[:, g],
            judges=tuple(judges),
            groups=tuple(groups),
            group_kinds={name: self.group_kinds[name] for name in groups},
            dropped=self.dropped[kept].reset_index(drop=True),
        )
