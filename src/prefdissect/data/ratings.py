"""From rating columns to arrays, and ratings from elsewhere joined to pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from prefdissect._typing import FloatArray
from prefdissect.data.columns import Columns, find_ratings
from prefdissect.data.identity import as_names
from prefdissect.errors import ColumnError, DuplicateError, RatingError, show
from prefdissect.schema import Property, PropertySchema

__all__ = ["check_constant", "collect_ratings", "spread_ratings"]


def collect_ratings(pairs: pd.DataFrame, columns: Columns) -> tuple[FloatArray, FloatArray]:
    """Return ratings [pair, 2, property] and differences [pair, property], NaN where there is none.

    Raises
    ------
    RatingError
        For a rating that cannot be read; the message names property, pair and value.
    """
    shape = (len(pairs), len(columns.schema))
    ratings, differences = np.full((shape[0], 2, shape[1]), np.nan), np.full(shape, np.nan)
    for k, prop in enumerate(columns.schema):
        for side, column in enumerate(columns.ratings.get(prop.id, ())):
            ratings[:, side, k] = prop.read(pairs[column], pairs.index)
        if prop.id in columns.differences:
            differences[:, k] = _read_differences(prop, pairs[columns.differences[prop.id]])
    return ratings, differences


def _read_differences(prop: Property, cells: pd.Series) -> FloatArray:
    """Return ready-made differences: of numbers any, of all else comparisons (-1, 0, 1), which need no rule.

    Raises
    ------
    RatingError
        Naming the property, the pair and the value.
    """
    read = prop.model_copy(update={"kind": "number", "range": None, "labels": None}).read(cells, cells.index)
    wrong = (prop.kind != "number") & ~np.isnan(read) & ~np.isin(read, (-1.0, 0.0, 1.0))
    if wrong.any():
        first = int(wrong.argmax())
        raise RatingError(
            f"difference {show(read[first])} of property {prop.id!r} in row {str(cells.index[first])!r}: of kind "
            f"{prop.kind!r} only comparisons (-1, 0, 1) can be ready-made; give ratings of both responses instead"
        )
    return read


def check_constant(table: pd.DataFrame, names: pd.Series, columns: Sequence[str]) -> None:
    """Raise if a column that describes the pair differs between the rows of one pair.

    Raises
    ------
    ColumnError
        Naming the column and the pair.
    """
    for column in columns:
        cells = table[column].map(repr) if pd.api.types.is_object_dtype(table[column]) else table[column]
        differs = cells.groupby(names.to_numpy()).nunique(dropna=False) > 1
        if differs.any():
            pair = differs.index[differs][0]
            found = list(dict.fromkeys(map(show, table.loc[(names == pair).to_numpy(), column])))
            raise ColumnError(
                f"column {column!r} differs between the rows of pair {pair!r}: {', '.join(found[:3])} "
                f"({int(differs.sum())} such pairs); what describes a pair must be the same in all its rows"
            )


def spread_ratings(
    frame: pd.DataFrame, pairs: pd.DataFrame, properties: Sequence[str] | None, schema: PropertySchema | None
) -> tuple[pd.DataFrame, Columns, int]:
    """Return rating columns on the rows of `pairs`, their roles, and how many rows matched no pair.

    `frame` has one row per pair (column or index `pair_id`, columns `<x>_a` and `<x>_b`) or one
    row per response (column or index `response_id`, a column for each property).

    Raises
    ------
    ColumnError
        If the frame has neither key, or no row of it matches.
    DuplicateError
        If a key stands in more than one row.
    """
    key = next((k for k in ("pair_id", "response_id") if k in frame.columns), None)
    if key is None:
        raise ColumnError(f"ratings to join need a column 'pair_id' or 'response_id'; found {list(frame.columns)}")
    names = as_names(frame[key])
    if names.isna().any():
        raise ColumnError(f"column {key!r} is empty in row {int(names.isna().to_numpy().argmax())} of the ratings")
    table = frame.set_index(names.to_numpy()).drop(columns=key)
    if table.index.has_duplicates:
        raise DuplicateError(
            f"{key} {table.index[table.index.duplicated()][0]!r} stands in more than one row of ratings"
        )
    if key == "response_id":
        ids = [pairs["response_id_a"], pairs["response_id_b"]]
        known = pd.Index(pd.concat(ids).dropna().unique())
        sides = [table.reindex(i).set_axis(pairs.index).add_suffix(s) for i, s in zip(ids, ("_a", "_b"), strict=True)]
        spread = pd.concat(sides, axis=1)
    else:
        known, spread = pairs.index, table.reindex(pairs.index)
    stray = int((~table.index.isin(known)).sum())
    if stray == len(table):
        theirs = f"the first is {known[0]!r}" if len(known) else "they have none"
        raise ColumnError(f"no {key} of the ratings, such as {table.index[0]!r}, is one of the data's; {theirs}")
    return spread, find_ratings(spread, properties, schema), stray
