"""Groups of pairs: scenarios, which are disjoint, and cases, which may overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from prefdissect._typing import GroupKind
from prefdissect.data.identity import as_names
from prefdissect.errors import ColumnError, choices, show
from prefdissect.schema import SCENARIOS

__all__ = ["case_groups", "make_groups", "scenario_groups"]


def make_groups(
    pairs: pd.DataFrame, scenario: str | None, cases: Sequence[str]
) -> tuple[pd.DataFrame, dict[str, GroupKind]]:
    """Return the boolean table [pair, group] and the kind of each group.

    Raises
    ------
    ColumnError
        If a named column is missing, is not boolean (cases), or names a scenario like a case.
    """
    column = scenario or ("scenario" if "scenario" in pairs.columns else None)
    parts: list[pd.DataFrame] = []
    kinds: dict[str, GroupKind] = {}
    if column is not None:
        parts.append(scenario_groups(pairs, column))
        kinds |= dict.fromkeys(parts[-1].columns, "scenario")
    if cases:
        parts.append(case_groups(pairs, cases))
        twice = kinds.keys() & set(parts[-1].columns)
        if twice:
            raise ColumnError(f"case {sorted(twice)[0]!r} has the name of a scenario; rename its column")
        kinds |= dict.fromkeys(parts[-1].columns, "case")
    groups = pd.concat(parts, axis=1) if parts else pd.DataFrame(index=pairs.index)
    return groups, kinds


def scenario_groups(pairs: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return one boolean column per value of `column`; the paper's order for the paper's scenarios."""
    _require(pairs, column)
    names = as_names(pairs[column])
    found = list(dict.fromkeys(names.dropna()))
    if not found:
        raise ColumnError(f"column {column!r} is empty, so it groups no pair")
    paper = [s.id for s in SCENARIOS]
    if set(found) <= set(paper):
        found.sort(key=paper.index)
    return pd.DataFrame({name: (names == name).to_numpy() for name in found}, index=pairs.index)


def case_groups(pairs: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return the named boolean columns; 0 and 1 will do, an empty cell is False."""
    parts = {}
    for column in columns:
        _require(pairs, column)
        values = pairs[column]
        if not values.dropna().isin([True, False]).all():
            wrong = values[values.notna() & ~values.isin([True, False])]
            raise ColumnError(f"case {column!r}: {show(wrong.iloc[0])} (pair {wrong.index[0]!r}) is not true or false")
        parts[column] = np.array([bool(v) if pd.notna(v) else False for v in values], dtype=bool)
    return pd.DataFrame(parts, index=pairs.index)


def _require(pairs: pd.DataFrame, column: str) -> None:
    if column not in pairs.columns:
        raise ColumnError(f"no column {column!r} to group by; {choices(column, pairs.columns)}")
