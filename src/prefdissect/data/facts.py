"""What was understood of a table, for its `DataReport`."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from prefdissect._typing import FloatArray, GroupKind
from prefdissect.data.columns import Columns
from prefdissect.data.report import DataReport
from prefdissect.schema import PAPER, PropertySchema

__all__ = ["report_on"]


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
        .add("properties", _listed(rated))
        .add("judges", _listed(judges))
        .add("verdicts", _counted(verdicts))
    )
    scenarios = [g for g, kind in group_kinds.items() if kind == "scenario"]
    cases = [g for g, kind in group_kinds.items() if kind == "case"]
    others = [c for c in pairs.columns if c in table.columns and c not in ("cluster", "prompt_id", "scenario", *used)]
    ids = [] if pairs["response_id_a"].notna().any() else _id_stems(table)
    paper = [p.id for p in schema if asked is None and PAPER.rates(p.id)]
    facts = {
        "scenarios": scenarios,
        "cases": cases,
        "never differ": _never_differ(schema, ratings, comparisons),
        "not rated": [p.id for p in asked if p.id not in schema.ids] if asked else [],
        "not used": [f"{stem} (numeric, not among the properties)" for stem in columns.other_stems],
        "hint": [
            *(f"{stem} may identify the responses: response_id={stem!r}" for stem in ids),
            *(f"{name} is rated by the paper's schema, here a plain number: schema=PAPER" for name in paper),
        ],
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
