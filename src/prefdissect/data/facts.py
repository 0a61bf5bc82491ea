"""What was understood of a table, for its `DataReport`."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from prefdissect._typing import FloatArray, GroupKind
from prefdissect.data.cells import is_numeric
from prefdissect.data.columns import JUDGE_PREFIX, NO_JUDGE, Columns
from prefdissect.data.combined import asked_rows, counted_rows
from prefdissect.data.flags import FLAG, flags_of
from prefdissect.data.report import DataReport
from prefdissect.data.texts import hint_at_texts
from prefdissect.schema import PAPER, PropertySchema

__all__ = ["counted", "listed", "report_on", "shorten", "unrated"]

_READ = ("scenario", "cluster", "prompt", "response_a", "response_b", "judge", "pair_id", "prompt_id")


def report_on(
    table: pd.DataFrame,
    columns: Columns,
    how: str,
    *,
    asked: PropertySchema | None,
    used: Collection[str],
    schema: PropertySchema,
    pairs: pd.DataFrame,
    ratings: FloatArray,
    comparisons: FloatArray,
    verdicts: pd.DataFrame,
    groups: pd.DataFrame,
    group_kinds: Mapping[str, GroupKind],
) -> DataReport:
    """Return the report on the parts that were made from `table`.

    `how` says where pair ids are from, `asked` is the schema that was asked for, and `used` names
    columns whose content stands elsewhere.
    """
    long = "judge" in table.columns
    judges = [str(j) for j in verdicts["judge"].cat.categories]
    rated = [f"{p.id} (given as differences)" if p.id in columns.differences else p.id for p in schema]
    report = (
        DataReport()
        .add("table", f"{len(table):,} rows, one per {'verdict' if long else 'pair'}")
        .add("pairs", f"{len(pairs):,}, ids {how}; {pairs['cluster'].nunique():,} clusters")
        .add("properties", listed(rated))
        .add("judges", listed(judges))
        .add("verdicts", counted(verdicts))
    )
    coded = [j for j in judges if not long and _is_coded(table, j)]
    if coded:
        report = report.add("numbers", f"1 is A, 0 is B, 0.5 a tie: {', '.join(coded)}")
    scenarios = [g for g, kind in group_kinds.items() if kind == "scenario"]
    cases = [g for g, kind in group_kinds.items() if kind == "case"]
    others = [
        c for c in pairs.columns if c in table.columns and c not in ("cluster", "prompt_id", "scenario", FLAG, *used)
    ]
    ids = [] if pairs["response_id_a"].notna().any() else _id_stems(table)
    paper = [p.id for p in PAPER if asked is None and p.kind in ("count", "words") and p.rated in schema.ids]
    lone = [c for c in others if c[-2:] in ("_a", "_b") and f"{c[:-1]}{'ab'[c[-1] == 'a']}" not in table.columns]
    flat, never_rated = _never_differ(schema, ratings, comparisons)
    facts = {
        "scenarios": scenarios,
        "cases": cases,
        "never rated": never_rated,
        "never differ": [name for name in flat if name not in never_rated],
        "not rated": shorten(unrated(asked, schema)),
        "not used": [f"{stem} (numeric, not among the properties)" for stem in columns.other_stems],
    }
    hints = [
        *(f"{stem} may identify the responses: response_id={stem!r}" for stem in ids),
        *(f"{PAPER[p].rated} is a plain number here; schema=PAPER compares it by the paper's rule" for p in paper),
        *(f"{column} has no column of the other response" for column in lone if is_numeric(table[column])),
        *(f"{column!r} is not read; was {meant!r} meant?" for column in others if (meant := _meant(column))),
        *hint_at_texts(pairs, len(schema), asked),
    ]
    for topic, found in facts.items():
        if found:
            report = report.add(topic, "; ".join(found) if topic == "not rated" else listed(found))
    for hint in hints:
        report = report.add("hint", hint)
    report = report.add("other columns", listed(others)) if others else report
    if not long:
        report = report.leave_out("cells without a verdict", len(pairs) * len(judges) - len(verdicts))
    invalid = asked_rows(verdicts)["outcome"] == "invalid"
    report = report.leave_out("verdicts that are invalid", int(invalid.sum()))
    for reason, n in pd.Series(flags_of(pairs)).value_counts().items():
        report = report.leave_out(f"pairs with {reason}, kept but not fitted", n) if reason else report
    outside = int((~groups[scenarios].any(axis=1)).sum()) if scenarios else 0
    return report.leave_out("pairs without a scenario", outside)


def _meant(column: str) -> str | None:
    """Return the name that a column would be read under, if only its writing is another one."""
    plain = "_".join(column.casefold().split())
    known = plain in _READ or (plain.startswith(JUDGE_PREFIX) and plain not in NO_JUDGE)
    return plain if known and plain != column else None


def _is_coded(table: pd.DataFrame, judge: str) -> bool:
    column = JUDGE_PREFIX + judge if JUDGE_PREFIX + judge in table.columns else judge
    return is_numeric(table[column])


def listed(names: list[str]) -> str:
    """Return how many names there are, and the names."""
    return f"{len(names)}: {', '.join(names)}" if names else "none"


def shorten(names: list[str], most: int = 6) -> list[str]:
    """Return the first names, and how many more there are."""
    return names if len(names) <= most else [*names[:most], f"and {len(names) - most} more"]


def unrated(asked: PropertySchema | None, schema: PropertySchema) -> list[str]:
    """Return what the properties that were asked for would be rated by, of those that `schema` lacks."""
    return [p.rated for p in asked if p.id not in schema.ids] if asked else []


def counted(verdicts: pd.DataFrame) -> str:
    """Return how many verdicts there are of each outcome, and what they come to where some are combined."""
    asked, labels = asked_rows(verdicts), counted_rows(verdicts)
    if not len(asked):
        return "none"
    combined = f"; combined to {_tally(labels)}" if len(verdicts) > len(asked) else ""
    return _tally(asked) + combined


def _tally(verdicts: pd.DataFrame) -> str:
    counts = verdicts["outcome"].value_counts()
    return f"{len(verdicts):,}: " + ", ".join(f"{n:,} {o}" for o, n in counts.items() if n)


def _never_differ(schema: PropertySchema, ratings: FloatArray, comparisons: FloatArray) -> tuple[list[str], list[str]]:
    """Return the properties on which no two responses of a pair differ, and those that are never rated."""
    difference = np.where(np.isnan(comparisons), ratings[:, 0] - ratings[:, 1], comparisons)
    flat = [p.id for k, p in enumerate(schema) if not np.nan_to_num(difference[:, k]).any()]
    return flat, [p.id for k, p in enumerate(schema) if np.isnan(difference[:, k]).all()]


def _id_stems(table: pd.DataFrame) -> list[str]:
    """Return stems `<x>_id` that both responses have."""
    names = [str(c) for c in table.columns]
    return [n[:-2] for n in names if n.endswith("_id_a") and n[:-2] + "_b" in names]
