"""Data with one more judge, or with more properties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from prefdissect._typing import TableLike
from prefdissect.data.combined import asked_rows
from prefdissect.data.facts import counted, listed, shorten, unrated
from prefdissect.data.frame import as_frame, as_list, as_schema
from prefdissect.data.identity import as_names
from prefdissect.data.ratings import collect_ratings, spread_ratings
from prefdissect.data.report import DataReport
from prefdissect.data.texts import TEXTS_ALONE, TEXTS_ASIDE, hint_at_texts
from prefdissect.data.verdicts import make_verdicts, read_verdicts
from prefdissect.errors import DataError, DuplicateError, UnknownNameError, choices
from prefdissect.schema import PropertySchema

if TYPE_CHECKING:
    from prefdissect.data.preference_data import PreferenceData

__all__ = ["add_judge", "add_ratings", "add_verdicts", "check_new_judge"]


def add_judge(data: PreferenceData, name: str, labels: Sequence[Any] | Mapping[str, Any] | pd.Series) -> dict[str, Any]:
    """Return the fields of `data` that a new judge changes; see `PreferenceData.with_judge`."""
    check_new_judge(data, name)
    cells = _labels_by_pair(data, labels)
    ids = pd.Series(cells.index, index=cells.index)
    value, outcome = read_verdicts(cells, name, ids)
    asked = np.array([o is not None for o in outcome])
    new = pd.DataFrame({"pair_id": ids[asked], "value": value[asked], "outcome": outcome[asked]})
    return add_verdicts(data, name, new.assign(first="unknown", repeat=0, weight=1.0))


def check_new_judge(data: PreferenceData, name: str) -> None:
    """Raise `DuplicateError` if there is a judge of that name."""
    if name in data.judges:
        raise DuplicateError(f"there is a judge {name!r} already; give the new one another name")


def add_verdicts(data: PreferenceData, name: str, rows: pd.DataFrame) -> dict[str, Any]:
    """Return the fields of `data` that a new judge changes, given a row per verdict as `verdicts` has them.

    Raises
    ------
    DuplicateError
        If the name is taken, or two rows have the same pair, order and repeat.
    """
    check_new_judge(data, name)
    old = data.verdicts.astype({"judge": object, "first": object, "outcome": object})
    parts = [part for part in (old, rows.assign(judge=name)) if len(part)]
    verdicts = make_verdicts(pd.concat(parts, ignore_index=True) if parts else old)
    verdicts["judge"] = verdicts["judge"].cat.set_categories([*data.judges, name])
    own = asked_rows(verdicts[verdicts["judge"] == name])
    report = data.report.replace("judges", listed([*data.judges, name])).replace("verdicts", counted(verdicts))
    report = report.add("judge added", f"{name}: {counted(verdicts[verdicts['judge'] == name])}")
    report = report.leave_out(f"invalid verdicts of {name}", int((own["outcome"] == "invalid").sum()))
    asked = data.pairs.index.isin(own["pair_id"])
    return {
        "verdicts": verdicts,
        "report": report.leave_out(f"pairs without a verdict of {name}", int((~asked).sum())),
    }


def _labels_by_pair(data: PreferenceData, labels: Sequence[Any] | Mapping[str, Any] | pd.Series) -> pd.Series:
    """Return one cell per pair of `data`, by position or by pair id."""
    if isinstance(labels, Mapping | pd.Series):
        given = labels.astype(object) if isinstance(labels, pd.Series) else pd.Series(dict(labels), dtype=object)
        given.index = pd.Index(as_names(given.index.to_series()))
        if given.index.has_duplicates:
            twice = given.index[given.index.duplicated()][0]
            raise DuplicateError(f"the labels hold pair_id {twice!r} more than once")
        unknown = given.index[~given.index.isin(data.pairs.index)]
        if len(unknown):
            raise UnknownNameError(
                f"pair_id {unknown[0]!r} of the labels is not in the data ({len(unknown)} such ids); "
                f"{choices(unknown[0], data.pairs.index, most=3)}"
            )
        return given.reindex(data.pairs.index)
    if not isinstance(labels, Sized) or isinstance(labels, str):
        raise DataError(f"labels of type {type(labels).__name__}; give a list, a mapping by pair id or a Series")
    if len(labels) != len(data):
        raise DataError(f"{len(labels):,} labels for {len(data):,} pairs; give one per pair, or a mapping by pair id")
    cells = np.empty(len(data), dtype=object)  # filled one by one: numpy would unpack a list of lists
    for row, label in enumerate(labels):
        cells[row] = label
    return pd.Series(cells, index=data.pairs.index)


def add_ratings(
    data: PreferenceData,
    frame: pd.DataFrame | TableLike,
    properties: Sequence[str] | None,
    schema: PropertySchema | str | Path | None,
) -> dict[str, Any]:
    """Return the fields of `data` that more ratings change; see `PreferenceData.join_ratings`."""
    spread, columns, stray = spread_ratings(
        as_frame(frame), data.pairs, as_list(properties), as_schema(schema) or data.vocabulary
    )
    if not len(columns.schema):
        raise DataError(f"the ratings hold no property; columns: {', '.join(map(str, spread.columns))}")
    twice = [p for p in columns.schema.ids if p in data.properties]
    if twice:
        raise DuplicateError(f"property {twice[0]!r} is rated already; rename its columns to keep both")
    ratings, comparisons = collect_ratings(spread, columns)
    both = PropertySchema(name=data.schema.name, properties=(*data.schema.properties, *columns.schema.properties))
    unrated = int(np.isnan(ratings).any(axis=(1, 2)).sum()) if not columns.differences else 0
    aside = [str(c) for c in spread.columns if c not in columns.used]
    report = _report_joined(data, both, list(columns.schema.ids))
    report = report.add("not joined", listed(aside)) if aside else report
    return {
        "schema": both,
        "ratings": np.concatenate([data.ratings, ratings], axis=2),
        "comparisons": np.concatenate([data.comparisons, comparisons], axis=1),
        "report": report.leave_out("joined rows that match no pair", stray).leave_out(
            "pairs without all of the joined ratings", unrated
        ),
    }


def _report_joined(data: PreferenceData, schema: PropertySchema, joined: list[str]) -> DataReport:
    """Return the report of `data` once these are rated as well: what it said was missing may be there now."""
    report = data.report.replace("properties", listed(list(schema.ids)))
    still = unrated(data.vocabulary, schema)
    report = report.replace("not rated", "; ".join(shorten(still))) if still else report.retract("not rated")
    report = report.retract("hint", TEXTS_ALONE, TEXTS_ASIDE)
    for hint in hint_at_texts(data.pairs, len(schema), data.vocabulary):
        report = report if hint in report.hints else report.add("hint", hint)
    names = ", ".join(shorten(joined))
    return report.add("ratings joined", f"{len(joined)} of them: {names}" if data.properties else "all of them")
