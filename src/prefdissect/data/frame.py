"""From a DataFrame to the parts of a `PreferenceData`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from prefdissect._typing import TableLike
from prefdissect.data.columns import find_judges, find_ratings
from prefdissect.data.expand import one_row_per_pair, verdicts_of_columns, verdicts_of_rows
from prefdissect.data.facts import report_on
from prefdissect.data.flags import FLAG, flag_pairs
from prefdissect.data.groups import make_groups
from prefdissect.data.identity import complete_ids, name_pairs
from prefdissect.data.ratings import collect_ratings
from prefdissect.errors import ColumnError, DataError, OptionError, choices, show
from prefdissect.schema import PropertySchema

__all__ = ["as_frame", "read_frame"]

_KEYS = ("pair_id", "response_id")  # an index of this name is a column


def as_frame(source: pd.DataFrame | TableLike) -> pd.DataFrame:
    """Return a pandas DataFrame with distinct text column names, rows numbered; the source is not changed.

    Raises
    ------
    DataError
        If it is not table-like, has no rows, or has a column name twice.
    """
    table = source if isinstance(source, pd.DataFrame) else _to_pandas(source)
    if isinstance(table.columns, pd.MultiIndex):
        raise ColumnError(f"the columns have several levels: {show(list(table.columns))}; join them to one name each")
    if len(table) == 0:
        raise DataError(f"the table is empty: it has no rows (columns: {', '.join(map(str, table.columns))})")
    numbered = table.reset_index(drop=table.index.name not in _KEYS)
    named = numbered.set_axis([str(c).strip() for c in numbered.columns], axis=1)
    if not named.columns.is_unique:
        twice = named.columns[named.columns.duplicated()][0]
        raise ColumnError(f"the table has more than one column {twice!r}; rename or drop the others")
    return named


def _to_pandas(source: Any) -> pd.DataFrame:
    table = source.to_pandas() if isinstance(source, TableLike) and not isinstance(source, type) else None
    if not isinstance(table, pd.DataFrame):
        raise DataError(
            f"cannot read a {type(source).__name__} as a table; give a DataFrame, anything whose .to_pandas() makes "
            "one, or a path"
        )
    return table


def read_frame(
    df: pd.DataFrame | TableLike,
    *,
    judges: str | Sequence[str] | None,
    properties: str | Sequence[str] | None,
    scenario: str | None,
    cases: str | Sequence[str],
    cluster: str | None,
    response_id: str | None,
    schema: PropertySchema | str | Path | None,
) -> dict[str, Any]:
    """Return the fields of a `PreferenceData`; see `PreferenceData.from_frame`."""
    table = as_frame(df)
    judges, properties, cases = as_list(judges), as_list(properties), as_list(cases) or []
    schema = as_schema(schema)
    names, how = name_pairs(table)
    if "judge" in table.columns:
        pairs, judge_columns = one_row_per_pair(table, names), {}
        verdicts = verdicts_of_rows(table, names, judges)
    else:
        pairs, judge_columns = table, find_judges(table, judges)
        verdicts = verdicts_of_columns(table, names, judge_columns)
    for column in (scenario, cluster, *((f"{response_id}_a", f"{response_id}_b") if response_id else ())):
        if column is not None and column not in pairs.columns:
            raise ColumnError(f"no column {column!r} that describes pairs; {choices(column, pairs.columns)}")
    columns = find_ratings(
        pairs.drop(columns=list(judge_columns.values())), properties, schema, response_id=response_id
    )
    pairs = pairs.set_axis(pd.Index(names[pairs.index], name="pair_id"), axis=0)
    ratings, comparisons = collect_ratings(pairs, columns)
    groups, kinds = make_groups(pairs, scenario, cases)
    used = ["pair_id", *columns.used, *judge_columns.values()]
    kept = complete_ids(pairs, cluster, response_id).drop(columns=[*used, FLAG], errors="ignore")
    flags = flag_pairs(kept)
    if flags is not None:
        kept[FLAG] = flags
    parts: dict[str, Any] = {
        "schema": columns.schema,
        "pairs": kept,
        "ratings": ratings,
        "comparisons": comparisons,
        "verdicts": verdicts,
        "groups": groups,
        "group_kinds": kinds,
    }
    elsewhere = [c for c in (scenario, *cases, "response_id_a", "response_id_b") if c is not None]
    return parts | {
        "report": report_on(table, columns, how, asked=schema, used=elsewhere, **parts),
        "vocabulary": schema,
    }


def as_schema(schema: PropertySchema | str | Path | None) -> PropertySchema | None:
    """Return a schema, read from its file if need be."""
    if schema is None or isinstance(schema, PropertySchema):
        return schema
    if isinstance(schema, str | Path):
        return PropertySchema.from_file(schema)
    raise OptionError(f"schema={show(schema)} is neither a PropertySchema nor the path of one")


def as_list(names: str | Sequence[str] | None) -> list[str] | None:
    """Return names as a list: one name alone is a list of one."""
    if names is None:
        return None
    listed = [names] if isinstance(names, str) else list(names)
    for name in listed:
        if not isinstance(name, str):
            raise OptionError(f"{show(name)} is not the name of a column; names are text")
    return listed
