"""From either layout, a judge per column or a verdict per row, to the table of verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from prefdissect.data.cells import read_numbers
from prefdissect.data.columns import find_verdict
from prefdissect.data.identity import as_names, check_unique
from prefdissect.data.judge_names import resolve_judge
from prefdissect.data.ratings import check_constant
from prefdissect.data.verdicts import make_verdicts, read_first, read_verdicts
from prefdissect.errors import ColumnError, UnknownNameError, choices

__all__ = ["DETAILS", "OF_A_VERDICT", "one_row_per_pair", "verdicts_of_columns", "verdicts_of_rows"]

# What a row says of a verdict beyond judge and value; the rest describes the pair.
DETAILS = (
    *("voter", "strength", "tie_allowed", "kind", "judge_generator", "judge_prompt", "run_id"),
    *("logprob_a", "logprob_b", "logprob_bound", "judge_score_a", "judge_score_b", "judge_reply"),
)
OF_A_VERDICT = ("judge", "first", "repeat", "weight", *DETAILS)


def verdicts_of_columns(table: pd.DataFrame, names: pd.Series, judges: Mapping[str, str]) -> pd.DataFrame:
    """Expand judge columns: one question each, order unknown; an empty cell was not asked."""
    check_unique(names)
    parts = [pd.DataFrame({"pair_id": [], "judge": [], "value": [], "outcome": []})] if not judges else []
    for judge, column in judges.items():
        value, outcome = read_verdicts(table[column], judge, names)
        asked = np.array([o is not None for o in outcome], dtype=bool)
        parts.append(
            pd.DataFrame({"pair_id": names[asked], "judge": judge, "value": value[asked], "outcome": outcome[asked]})
        )
    out = make_verdicts(pd.concat(parts).assign(first="unknown", repeat=0, weight=1.0))
    # A judge whose column is empty is still a judge: asked for by name, it must fail by name.
    out["judge"] = out["judge"].cat.set_categories(list(judges))
    return out


def verdicts_of_rows(table: pd.DataFrame, names: pd.Series, judges: Sequence[str] | None) -> pd.DataFrame:
    """Read a table of one row per verdict; an empty verdict was asked for and is invalid.

    A row with neither judge nor verdict is that of a pair about which nobody was asked.
    """
    column = find_verdict(table)
    given = table[table["judge"].notna() | table[column].notna()]
    rows = given[_of_judges(given["judge"], judges)]
    out = pd.DataFrame({"pair_id": names[rows.index], "judge": as_names(rows["judge"]), "value": np.nan})
    out["outcome"] = pd.Series(None, index=rows.index, dtype=object)
    for judge, cells in rows[column].groupby(out["judge"], sort=False):
        value, outcome = read_verdicts(cells, str(judge), names[cells.index])
        out.loc[cells.index, "value"] = value
        out.loc[cells.index, "outcome"] = [o or "invalid" for o in outcome]
    out["first"] = read_first(rows["first"]) if "first" in rows else "unknown"
    out["weight"] = read_numbers(rows["weight"], "weight") if "weight" in rows else 1.0
    counted = out.groupby(["pair_id", "judge", "first"], sort=False).cumcount()
    out["repeat"] = read_numbers(rows["repeat"], "repeat", whole=True) if "repeat" in rows else counted
    for detail in DETAILS:
        if detail in rows:
            out[detail] = rows[detail]
    return make_verdicts(out)


def one_row_per_pair(table: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    """Return the first row of each pair, once it is sure that the others say the same of the pair."""
    of_a_pair = [c for c in table.columns if c not in (find_verdict(table), *OF_A_VERDICT)]
    check_constant(table, names, of_a_pair)
    return table.loc[~names.duplicated(), of_a_pair]


def _of_judges(column: pd.Series, judges: Sequence[str] | None) -> pd.Series:
    """Return which rows are of the wanted judges."""
    if column.isna().any():
        raise ColumnError(f"column 'judge' is empty in row {column.index[column.isna()][0]!r}")
    named = as_names(column)
    known = list(named.unique())
    meant = known if judges is None else [resolve_judge(wanted, known) for wanted in judges]
    for name in meant:
        if name not in known:
            raise UnknownNameError(f"unknown judge {name!r}; {choices(name, known)}")
    return named.isin(meant)
