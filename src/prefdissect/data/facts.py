"""What was understood of a table, for its `DataReport`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from prefdissect._typing import FloatArray, GroupKind
from prefdissect.data.columns import Columns
from prefdissect.data.report import DataReport
from prefdissect.schema import PropertySchema

__all__ = ["report_on"]


def report_on(
    table: pd.DataFrame,
    columns: Columns,
    how: str,
    response_id: str | None,
    *,
    schema: PropertySchema,
    pairs: pd.DataFrame,
    ratings: FloatArray,
    comparisons: FloatArray,
    verdicts: pd.DataFrame,
    groups: pd.DataFrame,
    group_kinds: Mapping[str, GroupKind],
) -> DataReport:
    """Return the report on the parts that were made from `table`; `how` says where pair ids are from."""
    long = "judge" in table.columns
    judges = [str(j) for j in verdicts["judge"].cat.categories]
    rated = [f"{p.id} (given as differences)" if p.id in columns.differences else p.id for p in schema]
    report = (
        DataReport()
        .add("table", f"{len(table):,} rows, one per {'verdict' if long else 'pair'}")
        .add("pairs", f"{len(pairs):,}, ids {how}; {pairs['cluster'].nunique():,} clusters")
        .add("properties", _listed(rated))
        .add("judges", _listed(judges))
        .add("verdicts", _counted(verdicts))
    )
    scenarios = [g for g, kind in group_kinds.items() if kind == "scenario"]
    cases = [g for g, kind in group_kinds.items() if kind == "case"]
    others = [c for c in pairs.columns if c in table.columns and c not in ("cluster", "prompt_id")]
    ids = [] if response_id or "response_id_a" in table.columns else _id_stems(table)
    facts = {
        "scenarios": scenarios,
        "cases": cases,
        "never differ": _never_differ(schema, ratings, comparisons),
        "not used": [f"{stem} (numeric, not among the properties)" for stem in columns.other_stems],
        "hint": [f"{stem} may identify the responses: response_id={stem!r}" for stem in ids],
        "other columns": others,
    }
    for topic, found in facts.items():
        if found:
            report = report.add(topic, _listed(found))
    if not long:
        report = report.leave_out("cells without a verdict", len(pairs) * len(judges) - len(verdicts))
    report = report.leave_out("verdicts that are invalid", int((verdicts["outcome"] == "invalid").sum()))
    outside = int((~groups[scenarios].any(axis=1)).sum()) if scenarios else 0
    return report.leave_out("pairs without a scenario", outside)


def _listed(names: list[str]) -> str:
    return f"{len(names)}: {', '.join(names)}" if names else "none"


def _counted(verdicts: pd.DataFrame) -> str:
    counts = verdicts["outcome"].value_counts()
    return f"{len(verdicts):,}: " + ", ".join(f"{n:,} {o}" for o, n in counts.items() if n) if len(verdicts) else "none"


def _never_differ(schema: PropertySchema, ratings: FloatArray, comparisons: FloatArray) -> list[str]:
    """Return the properties on which no two responses of a pair differ."""
    difference = np.where(np.isnan(comparisons), ratings[:, 0] - ratings[:, 1], comparisons)
    return [p.id for k, p in enumerate(schema) if not np.nan_to_num(difference[:, k]).any()]


def _id_stems(table: pd.DataFrame) -> list[str]:
    """Return stems `<x>_id` that both responses have."""
    names = [str(c) for c in table.columns]
    return [n[:-2] for n in names if n.endswith("_id_a") and n[:-2] + "_b" in names]
