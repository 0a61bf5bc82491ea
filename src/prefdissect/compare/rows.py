"""Which groups the tables of comparisons have rows of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prefdissect._typing import GroupKind

__all__ = ["OVERALL", "names_of_rows"]

OVERALL = "overall"


def names_of_rows(groups: Sequence[str], kinds: Mapping[str, GroupKind]) -> list[str]:
    """Return what tables have rows of: the mean over scenarios, if there are some, and groups, if there are several."""
    scenarios = [g for g in groups if kinds[g] != "case"]
    return ([OVERALL] if scenarios else []) + [g for g in groups if [g] != scenarios]
