"""GAIR/preference-dissection, the paper's data as rows: ratings, errors, query information and 33 judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from prefdissect.data.readers.gair_ratings import CASES, cases_of, count_errors, rating_columns
from prefdissect.data.readers.layout import Layout, Part, Reading, one_table
from prefdissect.data.readers.nested import as_items, as_mapping
from prefdissect.schema import PAPER

__all__ = ["GAIR_HUB"]

_INFO = (
    "clear intent",
    "explicitly express feelings",
    "explicit constraints",
    "explicit subjective stances",
    "explicit mistakes or biases",
)
_LISTS = _INFO[2:]
_SIDES = {"1": "a", "2": "b"}


def _read(parts: Sequence[Part]) -> Reading:
    table = one_table(parts)
    tidy = pd.DataFrame([_row(row, cells) for row, cells in zip(table.index, table.to_dict("records"), strict=True)])
    judges = [c for c in tidy.columns if c.startswith("judge_")]
    facts = [("properties", "the annotators' ratings by the schema PAPER; errors counted by severity")]
    options = {"judges": judges, "schema": PAPER, "cases": list(CASES), "properties": _rated(tidy)}
    return Reading(tidy, facts, {k: v for k, v in options.items() if v or k != "properties"})


def _rated(tidy: pd.DataFrame) -> list[str]:
    return [p.rated for p in PAPER if f"{p.rated}_a" in tidy]


def _row(number: Any, row: Mapping[Any, Any]) -> dict[str, Any]:
    tidy: dict[str, Any] = {
        "prompt": row["query"],
        "scenario": row.get("scenario_group"),
        "auto_j_scenario": row.get("scenario_auto-j"),
        "reference": row.get("gpt-4-turbo_reference"),
    }
    tidy |= {name.replace(" ", "_"): _text(row[name], number, name) for name in _INFO if name in row}
    tidy |= cases_of(row, f"row {number}")
    for side, letter in _SIDES.items():
        response = as_mapping(row[f"response_{side}"], f"column 'response_{side}', row {number}")
        tidy[f"response_{letter}"], tidy[f"model_{letter}"] = response.get("content"), response.get("model")
        tidy[f"lengthy_{letter}"] = response.get("num_words")
        tidy |= _ratings(row, number, side, letter)
    labels = as_mapping(row.get("preference_labels"), f"column 'preference_labels', row {number}")
    return tidy | {f"judge_{judge}": label for judge, label in labels.items()}


def _ratings(row: Mapping[Any, Any], number: Any, side: str, letter: str) -> dict[str, Any]:
    """Return the rating columns of one response."""
    kinds = (f"basic_response_{side}", f"query-specific_response_{side}")
    given = {k: v for kind in kinds for k, v in as_mapping(row.get(kind), f"column {kind!r}, row {number}").items()}
    found = {f"{stem}_{letter}": given.get(name) for name, stem in rating_columns().items() if name in given}
    if f"errors_response_{side}" in row:
        where = f"column 'errors_response_{side}', row {number}"
        check = row[f"errors_response_{side}"]
        counts = count_errors(check, where, applicable="applicable or not", listed="errors")
        found |= {f"{stem}_{letter}": count for stem, count in counts.items()}
    return found


def _text(cell: Any, number: Any, name: str) -> str | None:
    """Return a list of statements as one text, a statement a line."""
    if name in _LISTS:
        return "\n".join(map(str, as_items(cell, f"column {name!r}, row {number}") or [])) or None
    return None if cell is None else str(cell)


GAIR_HUB = Layout(
    "gair-hub",
    "GAIR/preference-dissection (rows)",
    ("query", "response_1", "response_2", "preference_labels"),
    _read,
)
