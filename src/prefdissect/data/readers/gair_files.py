"""Files of the paper's repository: pairs, resolved annotations, row numbers of groups, lists of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from prefdissect.data.readers.codes import decode
from prefdissect.data.readers.gair_ratings import CASES, cases_of, count_errors, rating_columns
from prefdissect.data.readers.layout import Layout, Part, Reading, has_columns
from prefdissect.data.readers.nested import as_mapping
from prefdissect.errors import DataError, show
from prefdissect.schema import PAPER

__all__ = ["GAIR_FILES"]

_PAIRS = ("prompt", "response_a", "response_b", "model_a", "model_b", "winner", "group", "scenario")
_RESOLVED = ("query_info", "comparison")
_SIDES = {"Response 1": "a", "Response 2": "b"}
_OF_INDEX = "scenario_of_index"
_WINNERS = {"model_a": "A", "model_b": "B", "tie": "tie", "tie (bothbad)": "both_bad"}

_is_pairs = has_columns(*_PAIRS)
_is_resolved = has_columns(*_RESOLVED)


def _is_index(part: Part) -> bool:
    content = part.content
    return isinstance(content, Mapping) and "all" in content and all(map(_is_numbers, content.values()))


def _is_numbers(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(v, int) and not isinstance(v, bool) for v in values)


def _is_labels(part: Part) -> bool:
    content = part.content
    return isinstance(content, list) and len(content) > 0 and all(isinstance(label, str) for label in content)


def _read(parts: Sequence[Part]) -> Reading:
    """Return all files joined by row number."""
    n = _count_rows(parts)
    table = pd.DataFrame({"pair_id": np.arange(n)})
    options: dict[str, Any] = {"properties": []}
    for part in parts:
        columns = _columns_of(part, n)
        twice = [c for c in columns.columns if c in table]
        differs = [c for c in twice if not columns[c].equals(table[c])]
        if differs:
            raise DataError(f"{part.where}: {differs[0]!r} differs from that of another file; leave one of them out")
        table = pd.concat([table, columns.drop(columns=twice)], axis=1)
        if _is_resolved(part):
            options |= {"schema": PAPER, "properties": [p.rated for p in PAPER if f"{p.rated}_a" in columns]}
    table = _name_scenarios(table)
    cases = [c for c in CASES if c in table]
    facts = [("rows", f"{n:,}, numbered as in the paper's files")]
    return Reading(table, facts, options | ({"cases": cases} if cases else {}))


def _name_scenarios(table: pd.DataFrame) -> pd.DataFrame:
    """Return the merged scenario as `scenario`, by the pairs or else by the row numbers; the fine one aside."""
    named = [table[c] for c in ("group", _OF_INDEX) if c in table]
    rest = table.rename(columns={"scenario": "auto_j_scenario"}).drop(columns=["group", _OF_INDEX], errors="ignore")
    if not named:
        return rest
    return rest.assign(scenario=named[0] if len(named) == 1 else named[0].fillna(named[1]))


def _count_rows(parts: Sequence[Part]) -> int:
    """Return the number of rows that the files number, which must be the same in all that have every row."""
    whole = {part.name: len(part.content["all"] if _is_index(part) else part.content) for part in parts}
    named = {part.name for part in parts if "id" in part.columns}  # its rows say which they are
    sizes = {name: n for name, n in whole.items() if name not in named} or whole
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{name!r} {n:,}" for name, n in sizes.items())
        raise DataError(f"files of the same rows differ in length: {found}")
    return max(sizes.values())


def _columns_of(part: Part, n: int) -> pd.DataFrame:
    if _is_index(part):
        return _read_index(part, n)
    if _is_labels(part):
        labels = decode(pd.Series(part.content, name=part.name), {"A": "A", "B": "B", "tie": "tie"})
        return pd.DataFrame({f"judge_{part.name}": labels})
    if _is_resolved(part):
        return pd.DataFrame([_read_resolved(row, cells) for row, cells in enumerate(part.content.to_dict("records"))])
    table = part.content.assign(judge_human=decode(part.content["winner"], _WINNERS)).drop(columns="winner")
    return _place(part.where, table, n)


def _place(where: str, table: pd.DataFrame, n: int) -> pd.DataFrame:
    """Return pairs on the rows that their column `id` names."""
    if "id" not in table:
        return table
    at = pd.to_numeric(table["id"], errors="coerce")
    wrong = ~(at.isin(range(n)) & ~at.duplicated())
    if len(table) != n and wrong.any():
        raise DataError(f"{where}: id {show(table['id'][wrong].iloc[0])} is no row below {n:,}, or stands twice")
    if wrong.any():  # other ids, but a row for each: the order says it
        return table.rename(columns={"id": "source_id"})
    return table.set_axis(at.astype(int), axis=0).reindex(range(n)).drop(columns="id")


def _read_index(part: Part, n: int) -> pd.DataFrame:
    """Return the scenario of each row, and its cases."""
    scenario, cases = pd.Series(None, index=range(n), dtype=object), {}
    for group, rows in part.content.items():
        if rows and not 0 <= min(rows) <= max(rows) < n:
            raise DataError(f"{part.where}: group {group!r} has row {max(rows)}, but there are {n:,}")
        if group in CASES:
            cases[group] = np.isin(np.arange(n), rows)
        elif group != "all":
            taken = scenario.iloc[rows].dropna()
            if len(taken):
                raise DataError(
                    f"{part.where}: row {taken.index[0]} is in two scenarios, {taken.iloc[0]!r} and {group!r}"
                )
            scenario.iloc[rows] = group
    return pd.DataFrame({_OF_INDEX: scenario, **cases})


def _read_resolved(number: int, row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the rating columns of one resolved annotation, and what was found about its query."""
    where = f"row {number}"
    compared = as_mapping(row["comparison"], f"{where}, 'comparison'")
    columns: dict[str, Any] = {}
    for name, stem in rating_columns().items():
        meta = _meta(compared, name, where)
        for key, side in _SIDES.items():
            columns[f"{stem}_{side}"] = _rating(meta, key)
    for key, side in _SIDES.items():
        check = _meta(compared, "accuracy", where).get(key)
        counts = count_errors(check, f"{where}, {key}", applicable="accuracy check", listed="inaccuracies")
        columns |= {f"{stem}_{side}": count for stem, count in counts.items()}
        columns[f"lengthy_{side}"] = _meta(compared, "length", where).get(key)
    return columns | cases_of(as_mapping(row["query_info"], f"{where}, 'query_info'"), where)


def _meta(compared: Mapping[Any, Any], name: str, where: str) -> Mapping[Any, Any]:
    """Return the ratings behind one comparison."""
    return as_mapping(as_mapping(compared.get(name), f"{where}, {name!r}").get("meta"), f"{where}, 'meta' of {name!r}")


def _rating(meta: Mapping[Any, Any], key: str) -> Any:
    """Return one response's rating, or its ratings by item where a query states several."""
    if key in meta:
        return meta[key]
    items = [item[key] for item in meta.values() if isinstance(item, Mapping) and key in item]
    return items or None


def _accepts(part: Part) -> bool:
    return _is_pairs(part) or _is_resolved(part) or _is_index(part) or _is_labels(part)


GAIR_FILES = Layout("gair-files", "files of GAIR-NLP/Preference-Dissection", (), _read, accepts=_accepts)
