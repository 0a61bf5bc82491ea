"""Why single pairs went as they did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.special import expit

from prefdissect._typing import BoolArray, FloatArray
from prefdissect.asking.fitted import Fitted
from prefdissect.choose import pick
from prefdissect.errors import DataError, OptionError, RatingError, UnknownNameError, choices
from prefdissect.explain import Explanation, explain_row, surprise_table, telling_table, what_if_row
from prefdissect.features import groups_like, preferences
from prefdissect.inference import Fit
from prefdissect.tables import outcomes_at

__all__ = ["ExplainsPairs"]


@dataclass(frozen=True)
class _Found:
    """One pair, the fit that explains it, and how the judge decided."""

    pair_id: str
    judge: str
    group: str
    fit: Fit
    x: FloatArray
    ratings: FloatArray
    label: float


class ExplainsPairs(Fitted):
    """The methods of `Dissection` that look at single pairs."""

    def explain(self, pair_id: str, judge: str | None = None, group: str | None = None) -> Explanation:
        """Return why a pair went as it did: what each property adds to the log-odds and to the probability of A.

        `judge` may be left out where there is one only, `group` where the pair is in one fitted scenario. See
        `Explanation`.

        Raises
        ------
        UnknownNameError
            If the pair, the judge or the group is not in the result, or the pair not in the group.
        RatingError
            If a rating of the pair is missing.
        """
        one = self._locate(pair_id, judge, group)
        values, table = explain_row(one.fit, self._kept, one.x, one.ratings, self._schema, self.fitted.interval)
        t = np.asarray(one.x @ one.fit.mean[self._kept])
        a, tie, b = outcomes_at(self.design, one.fit, one.judge, t).tolist()
        return Explanation(
            one.pair_id,
            one.judge,
            one.group,
            *values,
            one.label,
            table,
            self.fitted.interval,
            (a, tie, b),
            self._with_models(one),
        )

    def what_if(
        self, pair_id: str, equal_on: str | Sequence[str], judge: str | None = None, group: str | None = None
    ) -> pd.DataFrame:
        """Return the probability that A is preferred if both responses were equal on some properties.

        See `what_if_row` for the rows and columns, and `explain` for the arguments and errors.
        """
        names = [equal_on] if isinstance(equal_on, str) else list(equal_on)
        if not names:
            raise OptionError(f"equal_on=[] names no property; {choices('', self.properties)}")
        one = self._locate(pair_id, judge, group)
        return what_if_row(one.fit, self._kept, one.x, self._schema, names, self.fitted.interval)

    def surprising(self, k: int = 10, judge: str | None = None, group: str | None = None) -> pd.DataFrame:
        """Return the `k` pairs whose verdict the fit expects least, of one judge, in a group or any scenario.

        See `surprise_table` for the columns.
        """
        judge = self._one_judge(judge)
        parts = [
            surprise_table(*self._fitted_rows(judge, g), self._schema.labels, k).assign(group=g)
            for g in self._groups_with_fit(judge, group)
        ]
        table = pd.concat(parts, ignore_index=True).astype({"group": "str"})
        return _largest(table, table["surprise"], k)

    def telling(self, property: str, k: int = 10, judge: str | None = None, group: str | None = None) -> pd.DataFrame:
        """Return the `k` pairs that show a property at work, for one judge, in a group or any scenario.

        See `telling_table` for the columns.

        Raises
        ------
        DataError
            If no pair shows it at work.
        """
        judge, parts = self._one_judge(judge), []
        for g in self._groups_with_fit(judge, group):
            part = telling_table(*self._fitted_rows(judge, g), self._schema, property, k)
            if len(part):
                parts.append(part.assign(group=g))
        if not parts:
            raise DataError(f"no pair shows {property!r} at work: it never differs in favour of the preferred response")
        table = pd.concat(parts, ignore_index=True).astype({"group": "str"})
        return _largest(table, table["shapley"].abs() * table["share"], k)

    def _one_judge(self, judge: str | None) -> str:
        if judge is None and len(self.judges) > 1:
            raise OptionError(f"judge=None, but a pair is explained for one judge; {choices('', self.judges)}")
        return pick("judge", judge, self.judges)[0]

    def _groups_with_fit(self, judge: str, group: str | None) -> list[str]:
        wanted = self._scenarios if group is None else pick("group", group, self.groups)
        found = [g for g in wanted if (judge, g) in self.fitted.fits]
        if not found:
            raise DataError(f"judge {judge!r} has no fit in {', '.join(map(repr, wanted))}: too few pairs")
        return found

    def _fitted_rows(self, judge: str, group: str) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return x, y and ids of the pairs that a fit was made of, and its mean weights; of properties only."""
        design = self.design.per_pair
        rows, cell = design.decided(judge, group)
        mean = self.fitted.fits[judge, group].mean[self._kept]
        return cell.x[:, self._kept], cell.y, design.pair_ids[rows], mean

    @cached_property
    def _encoded(self) -> FloatArray:
        """All pairs as fits encode them, [pair, property]; kept, for many are explained one after the other."""
        return self.design.encoder.encode(self.data)

    @cached_property
    def _with_terms(self) -> FloatArray:
        """The same with the models that wrote them, and nothing shown first, [pair, column]."""
        return self.design.complete(self._encoded, self.data)

    @cached_property
    def _rated(self) -> FloatArray:
        """Ratings in the order of the fit's properties, [pair, 2, property]."""
        return self.data.ratings[:, :, [self.data.properties.index(p) for p in self._schema.ids]]

    @cached_property
    def _said(self) -> FloatArray:
        """What each judge said, as fits count it, [pair, judge]; NaN where that is nothing usable."""
        y, weight, _ = preferences(self.data, self.judges, self.options["ties"])
        return np.where(weight > 0, y, np.nan)

    @cached_property
    def _in_group(self) -> BoolArray:
        """Which pairs are in which groups, [pair, group]."""
        return groups_like(self.data, self.design, self.options["by"]).to_numpy(dtype=bool)

    def _locate(self, pair_id: str, judge: str | None, group: str | None) -> _Found:
        judge, at = self._one_judge(judge), self._place_of(pair_id)
        x = self._encoded[at]
        if np.isnan(x).any():
            missing = [label for label, value in zip(self._schema.labels, x, strict=True) if np.isnan(value)]
            raise RatingError(f"pair {pair_id!r} has no rating of {', '.join(missing)}, so no fit can explain it")
        group = self._group_of(pair_id, at, judge, group)
        label = float(self._said[at, self.judges.index(judge)])
        return _Found(pair_id, judge, group, self.fitted.fits[judge, group], x, self._rated[at], label)

    def _with_models(self, one: _Found) -> float:
        """Return the probability of A with the models that wrote the responses; NaN where they are no terms."""
        if "generator" not in self.design.roles:
            return float("nan")
        return float(expit(self._with_terms[self._place_of(one.pair_id)] @ one.fit.mean))

    def _place_of(self, pair_id: str) -> int:
        """Return the row of a pair in the data."""
        if not isinstance(pair_id, str):
            raise OptionError(
                f"pair_id={pair_id!r} must be the id of one pair, which is a text; {choices('', self.data.pairs.index)}"
            )
        index = self.data.pairs.index
        at = int(index.get_indexer(pd.Index([pair_id]))[0])
        if at < 0:
            raise UnknownNameError(f"unknown pair {pair_id!r}; {choices(pair_id, index)}")
        return at

    def _group_of(self, pair_id: str, at: int, judge: str, group: str | None) -> str:
        """Return the group whose fit explains a pair: the one asked for, or the scenario that the pair is in."""
        of_pair = [g for g, holds in zip(self.groups, self._in_group[at], strict=True) if holds]
        if group is not None:
            (group,) = pick("group", group, self.groups)
            if group not in of_pair:
                raise UnknownNameError(f"pair {pair_id!r} is not in group {group!r}; it is in: {', '.join(of_pair)}")
        candidates = [group] if group else [g for g in of_pair if g in self._scenarios]
        fitted = [g for g in candidates if (judge, g) in self.fitted.fits]
        if not fitted:
            raise UnknownNameError(
                f"pair {pair_id!r} is in no group with a fit of judge {judge!r}; it is in: "
                f"{', '.join(of_pair) or 'none'}"
            )
        return fitted[0]


def _largest(table: pd.DataFrame, by: pd.Series, k: int) -> pd.DataFrame:
    """Return the `k` rows with the largest values; of equal ones, whatever rounding did to them, the first."""
    order = np.argsort(-by.round(12).to_numpy(), kind="stable")[:k]
    return table.iloc[order].reset_index(drop=True)
