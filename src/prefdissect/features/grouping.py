"""Which pairs are fitted together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from prefdissect._typing import GroupKind
from prefdissect.data import PreferenceData
from prefdissect.data.groups import scenario_groups
from prefdissect.errors import ColumnError, OptionError, UnknownNameError, choices

if TYPE_CHECKING:
    from prefdissect.features.design import Design

__all__ = ["NO_GROUP", "OVERALL", "check_by", "check_group_names", "choose_groups", "groups_like"]

NO_GROUP = "(none)"  # stands in the table of dropped pairs for those that no group holds
OVERALL = "overall"  # stands in tables of comparisons for the mean over scenarios


def check_by(data: PreferenceData, by: str | None) -> None:
    """Raise `ColumnError` or `OptionError` as `choose_groups` would: before texts are measured, not after it."""
    choose_groups(data, by)


def choose_groups(data: PreferenceData, by: str | None) -> tuple[pd.DataFrame, dict[str, GroupKind]]:
    """Return the groups to fit, [pair, group], and their kinds; all pairs in one where there are none.

    Raises
    ------
    ColumnError
        If `by` is neither "scenario", "case", "both", None nor a column of the pairs.
    """
    wanted: dict[str | None, tuple[str, ...]] = {
        "scenario": ("scenario",),
        "case": ("case",),
        "both": ("scenario", "case"),
        None: (),
    }
    everything = pd.DataFrame({"all": np.ones(len(data), dtype=bool)}, index=data.pairs.index)
    if not isinstance(by, str | None):
        raise OptionError(f"by={by!r} must be the name of one kind of group or of one column, or None")
    if by in wanted:
        names = [g for g in data.groups.columns if data.group_kinds[g] in wanted[by]]
        if names:
            return data.groups[names], {g: data.group_kinds[g] for g in names}
        if by == "case":
            raise ColumnError("by='case', but the data mark no cases; name their columns in cases= when loading")
        return everything, {"all": "all"}
    if by not in data.pairs.columns:
        valid = dict.fromkeys(["scenario", "case", "both", *data.pairs])
        alone = "None (without quotes; --by none) puts all pairs together"
        raise ColumnError(f"by={by!r} is no kind of group and no column; {choices(by, valid)}; {alone}")
    groups = scenario_groups(data.pairs, by)  # type: ignore[arg-type]  # None is in `wanted`
    return groups, dict.fromkeys(groups.columns, "scenario")


def check_group_names(groups: Iterable[str]) -> None:
    """Raise `ColumnError` where a group has a name that tables use for something else."""
    taken = {OVERALL: "the mean over scenarios", NO_GROUP: "pairs that are in no group"}
    for group in groups:
        if group in taken:
            raise ColumnError(
                f"a scenario or case is named {group!r}, which in tables of results stands for {taken[group]}; rename "
                "it in the data, or choose other groups in by="
            )


def groups_like(data: PreferenceData, design: Design, by: str | None) -> pd.DataFrame:
    """Return which pairs of `data` belong to which groups of a design that was grouped by `by`.

    Raises
    ------
    UnknownNameError
        If no pair belongs to any.
    """
    everything = set(design.group_kinds.values()) == {"all"}
    groups, _ = choose_groups(data, None if everything else by)
    if not set(groups.columns) & set(design.groups):
        raise UnknownNameError(
            f"the pairs are in none of the fitted groups {list(design.groups)}; theirs are {list(groups.columns)}; "
            "where a column needs naming, load them with load(..., scenario=, cases=) first"
        )
    return groups.reindex(columns=list(design.groups), fill_value=False)
