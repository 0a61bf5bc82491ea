"""Data as one tidy table that `load` reads back: a row per pair where that says it all, else a row per verdict."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from prefdissect.data.columns import JUDGE_PREFIX, VERDICT_COLUMNS, find_judges, find_ratings
from prefdissect.data.expand import DETAILS, OF_A_VERDICT
from prefdissect.data.verdicts import KEY
from prefdissect.data.writers.described import describe_pairs
from prefdissect.data.writers.endings import table_writer
from prefdissect.data.writers.whole import write_whole
from prefdissect.errors import ColumnError, DataError, PrefDissectWarning
from prefdissect.schema import PropertySchema

if TYPE_CHECKING:
    from prefdissect.data.preference_data import PreferenceData

__all__ = ["check_table", "tidy_table", "write_table"]

_VERDICT = "verdict"


def write_table(data: PreferenceData, path: str | Path) -> Path:
    """Write pairs, ratings, verdicts and scenarios as one table that `load` reads back, and return its path.

    The ending says how: `.parquet`, `.csv`, `.json`, `.jsonl` or `.ndjson`, and `.gz` on top of the texts. There is
    one row per pair, with a column `judge_<name>` for each judge, where each was asked once at most about a pair and
    nothing but the verdict is known; else one row per verdict, which repeats the pair's columns.

    A table cannot say which columns are cases, how properties are rated, or which columns hold ready-made differences:
    `load(path, cases=..., schema=..., properties=...)` does. Where the properties do not follow from the columns, the
    schema is written beside it as `<name>.schema.yaml`. Nested cells become JSON text. Among rows per verdict a pair
    without any has a row that names no judge; there is no room for a judge without any, and the judges may come back in
    another order. CSV has no types: an empty text comes back missing, and what looks like a number as one.

    Numbers of both responses that are no ratings, `<x>_a` and `<x>_b`, are written as `a_<x>` and `b_<x>`.

    Raises
    ------
    FileFormatError
        If no table has that ending, or the file cannot be written.
    DataError
        If two columns would have one name, or a cell is nothing that the file can hold.

    Warns
    -----
    PrefDissectWarning
        If judges are left out.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import prefdissect as pdx
    >>> study = pdx.simulate(20, judges=["ann", "bob"], random_seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_table(study.data, Path(folder) / "study.parquet")
    ...     again = pdx.load(path, schema=path.with_suffix(".schema.yaml"))
    >>> again.labels.equals(study.data.labels), again.properties == study.data.properties
    (True, True)
    """
    path = Path(path)
    name, write = table_writer(path)
    table = tidy_table(data)
    schema = _schema_to_write(data, table)
    write_whole(path, lambda whole: write(table, whole))
    if schema is not None:
        write_whole(path.with_name(f"{name}.schema.yaml"), schema.to_file)
    return path


def check_table(pairs: pd.DataFrame, path: str | Path) -> None:
    """Raise, before any work, where a table of one row per verdict about these pairs could not be written.

    Raises
    ------
    FileFormatError
        If no table has that ending.
    ColumnError
        If a column of the pairs would be read as part of the verdict.
    """
    table_writer(Path(path))
    check_long_table(pairs.columns)


def tidy_table(data: PreferenceData) -> pd.DataFrame:
    """Return the table that `write_table` writes."""
    pairs = pd.concat([_set_aside(describe_pairs(data), data), _rating_columns(data)], axis=1)
    pairs.attrs = {}
    wide = pd.concat([pairs, _judge_columns(data)], axis=1) if _one_question_each(data.verdicts) else None
    if wide is not None and list(find_judges(wide.rename(columns=str.strip), None)) == data.judges:
        return _check_names(wide.reset_index())
    return _long_table(data, pairs)


def _set_aside(pairs: pd.DataFrame, data: PreferenceData) -> pd.DataFrame:
    """Return the pairs' own columns; numbers of both responses that are no ratings get names not read as such."""
    found = find_ratings(pairs, None, None).ratings
    sides = {column: f"{side}_{stem}" for stem, both in found.items() for side, column in zip("ab", both, strict=True)}
    return pairs.rename(columns=sides)


def _check_names(table: pd.DataFrame) -> pd.DataFrame:
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise ColumnError(f"two columns of the table would be called {twice[0]!r}; rename one of them in `pairs`")
    return table


def _rating_columns(data: PreferenceData) -> pd.DataFrame:
    """Return two columns of ratings a property, or one of differences where there are only those."""
    columns: dict[str, Any] = {}
    for k, prop in enumerate(data.schema):
        if np.isnan(data.ratings[:, :, k]).all() and not np.isnan(data.comparisons[:, k]).all():
            columns[prop.id] = data.comparisons[:, k]
        else:
            columns |= {f"{prop.rated}_{side}": data.ratings[:, i, k] for i, side in enumerate("ab")}
    return pd.DataFrame(columns, index=data.pairs.index)


def _one_question_each(verdicts: pd.DataFrame) -> bool:
    """Return whether a cell per judge and pair says all that is known of the verdicts."""
    weighed = verdicts["weight"].to_numpy() == verdicts["value"].notna().to_numpy()
    return bool(
        set(verdicts.columns) <= {*KEY, "value", "outcome", "weight"}
        and not verdicts.duplicated(["pair_id", "judge"]).any()
        and (verdicts["first"] == "unknown").all()
        and (verdicts["repeat"] == 0).all()
        and weighed.all()
    )


def _words(verdicts: pd.DataFrame) -> list[str]:
    """Return each verdict as the word or number that is read as the same."""
    soft = {True: "inconsistent"}
    return [
        str(outcome) if outcome != "soft" else soft.get(value == 0.5, repr(float(value)))
        for value, outcome in zip(verdicts["value"], verdicts["outcome"], strict=True)
    ]


def _judge_columns(data: PreferenceData) -> pd.DataFrame:
    words = pd.Series(_words(data.verdicts), index=data.verdicts.index, dtype="str")
    columns = {}
    for judge in data.judges:
        own = (data.verdicts["judge"] == judge).to_numpy()
        by_pair = words[own].set_axis(data.verdicts.loc[own, "pair_id"].to_numpy())
        columns[JUDGE_PREFIX + judge] = by_pair.reindex(data.pairs.index)
    return pd.DataFrame(columns, index=data.pairs.index)


def check_long_table(pairs: Iterable[object]) -> None:
    """Raise `ColumnError` where a column of the pairs would be read as part of a verdict, were there a row for each."""
    taken = [c for c in pairs if c in (*VERDICT_COLUMNS, *OF_A_VERDICT)]
    if taken:
        raise ColumnError(
            f"these verdicts need one row each, and there column {taken[0]!r} would be read as part of the verdict; "
            "rename or drop it in `pairs`"
        )


def _long_table(data: PreferenceData, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return one row per verdict, in the order of the pairs; a pair without any has a row that names no judge."""
    check_long_table(pairs.columns)
    verdicts = data.verdicts.assign(**{_VERDICT: _words(data.verdicts)}).astype({"judge": "str", "first": "str"})
    unasked = pairs.index.difference(pd.Index(verdicts["pair_id"]), sort=False)
    rows = _with_empty_rows(verdicts.set_index("pair_id"), unasked)
    rows = rows.iloc[np.argsort(pairs.index.get_indexer(rows.index), kind="stable")]
    kept = ["judge", _VERDICT, "first", "repeat", "weight", *(c for c in DETAILS if c in rows)]
    of_pairs = pairs.loc[rows.index].rename_axis("pair_id").reset_index()
    _warn_of_missing(pd.Index(data.judges).difference(pd.Index(verdicts["judge"]), sort=False))
    return _check_names(pd.concat([of_pairs, rows[kept].reset_index(drop=True)], axis=1))


def _with_empty_rows(rows: pd.DataFrame, unasked: pd.Index) -> pd.DataFrame:
    if not len(unasked):
        return rows  # numbers keep their types
    at = np.concatenate([np.arange(len(rows)), np.full(len(unasked), -1)])
    return rows.reset_index(drop=True).reindex(at).set_axis([*rows.index, *unasked], axis=0)


def _warn_of_missing(judges: pd.Index) -> None:
    if len(judges):
        warnings.warn(
            f"left out of the file, which has one row per verdict: {len(judges)} judge{'s' * (len(judges) != 1)} "
            f"without any verdict, the first is {judges[0]!r}",
            PrefDissectWarning,
            stacklevel=5,
        )


def _schema_to_write(data: PreferenceData, table: pd.DataFrame) -> PropertySchema | None:
    """Return the schema that reads the table back: the one once asked for if it does; None if none is needed."""
    schema, given = data.schema, data.vocabulary
    table = table.drop(columns=[name for name in DETAILS if name in table])  # of verdicts, and never ratings
    try:
        if given is None and find_ratings(table, None, None).schema.properties == schema.properties:
            return None
        if given is not None and find_ratings(table, None, given).schema == schema:
            return given
    except DataError:  # the columns mislead; the schema alone will do
        pass
    return schema if len(schema) else None
