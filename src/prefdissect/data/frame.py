"""From a DataFrame to the parts of a `PreferenceData`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from prefdissect._typing import TableLike
from prefdissect.data.columns import Columns, find_columns, find_verdict
from prefdissect.data.facts import report_on
from prefdissect.data.groups import make_groups
from prefdissect.data.identity import check_unique, complete_ids, name_pairs
from prefdissect.data.ratings import check_constant, collect_ratings
from prefdissect.data.verdicts import make_verdicts, read_first, read_verdicts
from prefdissect.errors import ColumnError, DataError, UnknownNameError, choices
from prefdissect.schema import PropertySchema

__all__ = ["as_frame", "read_frame"]

_KEYS = ("pair_id", "response_id")  # an index of this name is a column
# Columns of a verdict beyond its key and value; the rest of a row describes the pair.
_OF_A_VERDICT = (
    "first",
    "repeat",
    "weight",
    "voter",
    "tie_allowed",
    "kind",
    "judge_generator",
    "judge_prompt",
    "run_id",
)


def as_frame(source: pd.DataFrame | TableLike) -> pd.DataFrame:
    """Return a pandas DataFrame with text column names, rows numbered; the source is not changed.

    Raises
    ------
    DataError
        If it is not table-like, or has no rows.
    """
    table = source if isinstance(source, pd.DataFrame) else _to_pandas(source)
    if len(table) == 0:
        raise DataError(f"the table is empty: it has no rows (columns: {list(map(str, table.columns))})")
    numbered = table.reset_index(drop=table.index.name not in _KEYS)
    return numbered.set_axis(numbered.columns.map(str), axis=1)


def _to_pandas(source: Any) -> pd.DataFrame:
    if not isinstance(source, TableLike):
        raise DataError(
            f"cannot read a {type(source).__name__} as a table; give a DataFrame, anything with .to_pandas(), or a path"
        )
    return source.to_pandas()


def read_frame(
    df: pd.DataFrame | TableLike,
    *,
    judges: str | Sequence[str] | None,
    properties: str | Sequence[str] | None,
    scenario: str | None,
    cases: str | Sequence[str],
    cluster: str | None,
    response_id: str | None,
    schema: PropertySchema | None,
) -> dict[str, Any]:
    """Return the fields of a `PreferenceData`; see `PreferenceData.from_frame`."""
    table = as_frame(df)
    judges, properties, cases = _as_list(judges), _as_list(properties), _as_list(cases) or []
    for column in (scenario, cluster, *((f"{response_id}_a", f"{response_id}_b") if response_id else ())):
        if column is not None and column not in table.columns:
            raise ColumnError(f"no column {column!r}; {choices(column, table.columns)}")
    names, how = name_pairs(table)
    columns = find_columns(table, judges=judges, properties=properties, schema=schema)
    if "judge" in table.columns:
        verdicts = _verdicts_of_rows(table, names, judges)
        pairs = _one_row_per_pair(table, names)
    else:
        check_unique(names)
        verdicts = _verdicts_of_columns(table, names, columns)
        pairs = table
    pairs = pairs.set_axis(pd.Index(names[pairs.index], name="pair_id"), axis=0)
    ratings, comparisons = collect_ratings(pairs, columns)
    groups, kinds = make_groups(pairs, scenario, cases)
    kept = complete_ids(pairs.drop(columns=["pair_id", *columns.used], errors="ignore"), cluster, response_id)
    parts: dict[str, Any] = {
        "schema": columns.schema,
        "pairs": kept,
        "ratings": ratings,
        "comparisons": comparisons,
        "verdicts": verdicts,
        "groups": groups,
        "group_kinds": kinds,
    }
    return parts | {"report": report_on(table, columns, how, response_id, **parts)}


def _as_list(names: str | Sequence[str] | None) -> list[str] | None:
    """Return names as a list: one name alone is a list of one."""
    if names is None:
        return None
    return [names] if isinstance(names, str) else list(names)


def _verdicts_of_columns(table: pd.DataFrame, names: pd.Series, columns: Columns) -> pd.DataFrame:
    """Expand judge columns: one question each, order unknown; an empty cell was not asked."""
    parts = []
    for judge, column in columns.judges.items():
        value, outcome = read_verdicts(table[column], judge, names)
        asked = np.array([o is not None for o in outcome])
        parts.append(
            pd.DataFrame({"pair_id": names[asked], "judge": judge, "value": value[asked], "outcome": outcome[asked]})
        )
    empty = pd.DataFrame({"pair_id": [], "judge": [], "value": [], "outcome": []})
    both = pd.concat(parts) if parts else empty
    out = make_verdicts(both.assign(first="unknown", repeat=0, weight=1.0)[_order(both.columns)])
    # A judge whose column is empty is still a judge: asked for by name, it must fail by name.
    out["judge"] = out["judge"].cat.set_categories(list(columns.judges))
    return out


def _order(columns: pd.Index) -> list[str]:
    extra = [c for c in columns if c in _OF_A_VERDICT[3:]]
    return ["pair_id", "judge", "first", "repeat", "value", "outcome", "weight", *extra]


def _verdicts_of_rows(table: pd.DataFrame, names: pd.Series, judges: Sequence[str] | None) -> pd.DataFrame:
    """Read a table of one row per verdict; an empty verdict was asked for and is invalid."""
    column = find_verdict(table)
    if table["judge"].isna().any():
        raise ColumnError(f"column 'judge' is empty in row {table.index[table['judge'].isna()][0]!r}")
    judge = table["judge"].astype(str)
    known = list(dict.fromkeys(judge))
    for wanted in judges or ():
        if wanted not in known:
            raise UnknownNameError(f"unknown judge {wanted!r}; {choices(wanted, known)}")
    rows = judge.isin(judges) if judges is not None else pd.Series(True, index=table.index)
    parts = []
    for name, cells in table.loc[rows, column].groupby(judge[rows], sort=False):
        value, outcome = read_verdicts(cells, str(name), names[cells.index])
        outcome = np.array([o if o is not None else "invalid" for o in outcome], dtype=object)
        parts.append(pd.DataFrame({"value": value, "outcome": outcome}, index=cells.index))
    out = pd.concat(parts).reindex(table.index[rows])
    out["pair_id"], out["judge"] = names[rows], judge[rows]
    out["first"] = read_first(table.loc[rows, "first"]) if "first" in table else "unknown"
    out["weight"] = table.loc[rows, "weight"].astype(float) if "weight" in table else 1.0
    if not (np.isfinite(out["weight"]) & (out["weight"] >= 0)).all():
        wrong = out.index[~(np.isfinite(out["weight"]) & (out["weight"] >= 0))][0]
        raise ColumnError(
            f"column 'weight', row {wrong!r}: {out['weight'][wrong]!r} is not a finite number of at least 0"
        )
    counted = out.groupby(["pair_id", "judge", "first"], sort=False).cumcount()
    out["repeat"] = table.loc[rows, "repeat"] if "repeat" in table else counted
    for extra in _OF_A_VERDICT[3:]:
        if extra in table:
            out[extra] = table.loc[rows, extra]
    return make_verdicts(out[_order(out.columns)])


def _one_row_per_pair(table: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    """Return the first row of each pair, once it is sure that the others say the same of the pair."""
    of_a_pair = [c for c in table.columns if c not in ("judge", find_verdict(table), *_OF_A_VERDICT)]
    check_constant(table, names, of_a_pair)
    return table.loc[~names.duplicated(), of_a_pair]
