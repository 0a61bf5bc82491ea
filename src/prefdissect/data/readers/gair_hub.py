"""GAIR/preference-dissection, the paper's data as rows: ratings, errors, query information and 33 judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from prefdissect.data.readers.gair_ratings import CASES, cases_of, count_errors, rating_columns
from prefdissect.data.readers.layout import Layout, Part, Reading, one_table
from prefdissect.errors import DataError, show
from prefdissect.schema import PAPER

__all__ = ["GAIR_HUB"]

_INFO = (
    "clear intent",
    "explicitly express feelings",
    "explicit constraints",
    "explicit subjective stances",
    "explicit mistakes or biases",
)
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
    tidy |= {name.replace(" ", "_"): _text(row[name]) for name in _INFO if name in row}
    tidy |= cases_of(row)
    for side, letter in _SIDES.items():
        response = row[f"response_{side}"]
        if not isinstance(response, Mapping):
            raise DataError(
                f"column 'response_{side}', row {number}: {show(response)} has no content, model, num_words"
            )
        tidy[f"response_{letter}"], tidy[f"model_{letter}"] = response.get("content"), response.get("model")
        tidy[f"lengthy_{letter}"] = response.get("num_words")
        tidy |= _ratings(row, number, side, letter)
    labels = row.get("preference_labels") or {}
    return tidy | {f"judge_{judge}": label for judge, label in labels.items()}


def _ratings(row: Mapping[Any, Any], number: Any, side: str, letter: str) -> dict[str, Any]:
    """Return the rating columns of one response."""
    given = {**(row.get(f"basic_response_{side}") or {}), **(row.get(f"query-specific_response_{side}") or {})}
    found = {f"{stem}_{letter}": given.get(name) for name, stem in rating_columns().items() if name in given}
    if f"errors_response_{side}" in row:
        where = f"column 'errors_response_{side}', row {number}"
        check = row[f"errors_response_{side}"]
        counts = count_errors(check, where, applicable="applicable or not", listed="errors")
        found |= {f"{stem}_{letter}": count for stem, count in counts.items()}
    return found


def _text(cell: Any) -> str | None:
    """Return a list of statements as one text, a statement a line."""
    if cell is None or isinstance(cell, str):
        return cell
    return "\n".join(map(str, cell)) or None


GAIR_HUB = Layout(
    "gair-hub",
    "GAIR/preference-dissection (rows)",
    ("query", "response_1", "response_2", "preference_labels"),
    _read,
)
