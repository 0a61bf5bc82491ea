"""Data in two small tables: how often each judge said what, and how many pairs each group has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from prefdissect.data.combined import asked_rows
from prefdissect.data.verdicts import OUTCOMES

if TYPE_CHECKING:
    from prefdissect.data.preference_data import PreferenceData

__all__ = ["count_groups", "count_judges"]


def count_judges(data: PreferenceData) -> pd.DataFrame:
    """Return one row per judge: pairs, verdicts, and how many of them there are of each outcome.

    Columns: judge, pairs, verdicts, and those of A, B, tie, both_bad, soft, invalid that occur. What combines several
    verdicts on a pair is none itself.
    """
    verdicts = asked_rows(data.verdicts)
    counts = pd.crosstab(verdicts["judge"].astype(str), verdicts["outcome"].astype(str))
    counts = counts.reindex(index=data.judges, columns=[o for o in OUTCOMES if o in counts], fill_value=0)
    pairs = verdicts.groupby("judge", observed=False)["pair_id"].nunique().reindex(data.judges).to_numpy()
    table = counts.assign(judge=data.judges, pairs=pairs, verdicts=counts.sum(axis=1))
    return table[["judge", "pairs", "verdicts", *counts.columns]].reset_index(drop=True).rename_axis(columns=None)


def count_groups(data: PreferenceData) -> pd.DataFrame:
    """Return one row per group: group, kind, pairs, and verdicts of all judges together."""
    per_pair = asked_rows(data.verdicts)["pair_id"].value_counts().reindex(data.pairs.index, fill_value=0).to_numpy()
    rows = [
        (str(name), data.group_kinds[str(name)], int(marks.sum()), int(per_pair[marks.to_numpy()].sum()))
        for name, marks in data.groups.items()
    ]
    return pd.DataFrame(rows, columns=["group", "kind", "pairs", "verdicts"])
