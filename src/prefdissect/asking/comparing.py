"""Judges against judges."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prefdissect._typing import FloatArray
from prefdissect.asking.fitted import Fitted
from prefdissect.choose import pick
from prefdissect.compare import (
    JudgeSimilarity,
    Measure,
    ReferenceWeights,
    agreement_table,
    contrast_table,
    disagreement_table,
    draw_jointly,
    judge_similarity,
    place_table,
    refit_twice,
)
from prefdissect.data.writers import write_paper_weights
from prefdissect.errors import OptionError, choices
from prefdissect.tables import weights_table

__all__ = ["ComparesJudges"]


class ComparesJudges(Fitted):
    """The methods of `Dissection` that compare judges."""

    def similarity(
        self, method: Measure = "pearson", *, groups: Sequence[str] | None = None, skipna: bool = False
    ) -> JudgeSimilarity:
        """Return how alike the judges are, overall and in each group, with the noise that is in it.

        `method` is `pearson` (the paper's), `spearman`, `l1` or `l2`; `groups` the groups to show and average, all if
        None (the posterior is that of all groups together). `skipna` averages over the groups that two judges both
        have a fit in. Source: Li et al. 2024, section 5.2; the posterior is ours: see `JudgeSimilarity`.

        Raises
        ------
        DataError
            If there are fewer than two judges, or no two of them have a fit in a common group.
        """
        return judge_similarity(
            self.design,
            self.fitted,
            method,
            groups=pick("group", groups, self.groups),
            skipna=skipna,
            weights=lambda: self._joint_weights,
            refits=lambda: self._refits,
            agreement=self._agreement_of,
        )

    @cached_property
    def _joint_weights(self) -> NDArray[np.float32]:
        """Joint draws of the weights of all judges, made once."""
        return draw_jointly(self.design, self.fitted, random_seed=self.options["random_seed"])

    @cached_property
    def _refits(self) -> FloatArray:
        """Refits to fresh labels, of which ceilings are made."""
        return refit_twice(self.design, self.fitted, random_seed=self.options["random_seed"])

    @cached_property
    def _agreement(self) -> pd.DataFrame:
        return agreement_table(self.design)

    def _agreement_of(self, judges: Sequence[str], groups: Sequence[str]) -> pd.DataFrame:
        if (list(judges), list(groups)) == (self.judges, self.groups):
            return self._agreement
        return agreement_table(self.design.sel(judges, groups))

    def agreement(self) -> pd.DataFrame:
        """Return raw agreement and Cohen's kappa of each two judges and group; see `agreement_table`."""
        return self._agreement.copy()

    def contrast(self, a: str, b: str, *, group: str | None = None, judge: str | None = None) -> pd.DataFrame:
        """Return how two judges' weights differ, property by property, the largest difference first.

        In `group`, or averaged over scenarios if None. With `judge`, `a` and `b` are two groups of this judge. See
        `contrast_table` for the columns.

        Raises
        ------
        UnknownNameError
            If a name is not in the result.
        OptionError
            If `a` and `b` are the same, or both `group` and `judge` are given.
        """
        if judge is None:
            a, b = pick("judge", [a], self.judges) + pick("judge", [b], self.judges)
            where = self._scenarios if group is None else pick("group", group, self.groups)
            sides = [(a, g) for g in where], [(b, g) for g in where]
        else:
            (judge,) = pick("judge", judge, self.judges)
            sides = (
                [(judge, g) for g in pick("group", a, self.groups)],
                [(judge, g) for g in pick("group", b, self.groups)],
            )
            if group is not None:
                raise OptionError(
                    f"group={group!r} and judge={judge!r}: contrast two judges in a group, or two groups of a judge"
                )
        if a == b:
            raise OptionError(f"contrast({a!r}, {b!r}): name two different ones")
        return contrast_table(self.design, self.fitted, self._schema, *sides)

    def disagreements(self, a: str, b: str, k: int = 10, *, group: str | None = None) -> pd.DataFrame:
        """Return the `k` pairs on which two judges' fits differ most, and the properties that explain it.

        In `group`, or in any scenario if None. See `disagreement_table` for the columns.

        Raises
        ------
        UnknownNameError
            If a name is not in the result.
        """
        a, b = pick("judge", [a], self.judges) + pick("judge", [b], self.judges)
        where = self._scenarios if group is None else pick("group", group, self.groups)
        return disagreement_table(self.design, self.fitted, self._schema, a, b, where, k)

    def place_among(self, reference: ReferenceWeights, *, method: Measure = "pearson") -> pd.DataFrame:
        """Return how alike each judge is to each judge of a reference, nearest first; see `place_table`.

        Raises
        ------
        UnknownNameError
            If the properties differ, or no group is common.
        """
        if not isinstance(reference, ReferenceWeights):
            raise OptionError(
                f"reference={reference!r} is no ReferenceWeights; load it first: place_among(load_reference('paper'))"
            )
        means = self.fitted.stack("mean")[:, :, self._kept]
        return place_table(means, self.fitted.judges, self.fitted.groups, tuple(self.properties), reference, method)

    def to_reference(self, path: str | Path, judge: str | None = None) -> Path:
        """Write a judge's mean weights as the paper's authors' app takes new ones; see `writers.write_paper_weights`.

        `judge` may be left out where there is one only. `load_reference` reads the file beside the released ones.
        """
        if judge is None and len(self.judges) > 1:
            raise OptionError(f"judge=None, but the file holds one judge; {choices('', self.judges)}")
        (name,) = pick("judge", judge, self.judges)
        return write_paper_weights(weights_table(self.design, self.fitted, self._schema), path, name)
