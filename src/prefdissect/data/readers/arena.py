"""Votes of Chatbot Arena as conversations: the first 33,000, human-preference-100k and -140k, expert-5k."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from prefdissect.data.readers.conversation import exchange_columns, last_exchange, read_turns
from prefdissect.data.readers.layout import Layout, Part, Reading, one_table
from prefdissect.errors import DataError, show

__all__ = ["ARENA", "ARENA_COLUMNS", "conversation_exchanges"]

ARENA_COLUMNS = ("model_a", "model_b", "winner", "conversation_a", "conversation_b")
_VOTERS = ("judge", "judge_hash")  # anonymous users, not judges: each votes a few times
_MEASURES = {
    "sum_assistant_{}_tokens": "tokens",
    "header_count_{}": "headers",
    "list_count_{}": "list_items",
    "bold_count_{}": "bold",
}


def conversation_exchanges(table: pd.DataFrame) -> dict[str, Any]:
    """Return prompt, responses and context of the columns conversation_a and conversation_b."""
    sides = [
        [
            last_exchange(read_turns(cell, f"column 'conversation_{side}', row {row}"))
            for row, cell in table[f"conversation_{side}"].items()
        ]
        for side in "ab"
    ]
    return exchange_columns(*sides)


def _read(parts: Sequence[Part]) -> Reading:
    table = one_table(parts)
    tidy = pd.DataFrame(conversation_exchanges(table))
    for name in ("question_id", "id"):
        if name in table:
            tidy.insert(0, "pair_id", table[name])
            break
    tidy["judge"], tidy["first"] = "human", "A"  # A stands on the left, where reading begins
    tidy["verdict"] = table["winner"].astype(object).where(table["winner"].notna(), "invalid")
    facts = [("judges", "every vote is one of judge 'human'; A was on the left")]
    for voter in _VOTERS:
        if voter in table:
            tidy["voter"] = tidy["user"] = table[voter]  # of the verdict, and of the pair: cluster="user"
    cases, tags = _flags(table)
    measures = _measures(table)
    kept = table.drop(
        columns=["winner", "conversation_a", "conversation_b", "question_id", "id", *_VOTERS, *tags], errors="ignore"
    )
    tidy = pd.concat([tidy, kept, cases, measures], axis=1)
    if len(cases.columns):
        facts.append(("tags", f"cases= takes {', '.join(map(repr, cases.columns))}"))
    if len(measures.columns):
        stems = dict.fromkeys(c[:-2] for c in measures.columns)
        facts.append(("style", f"counted by the source; properties= takes {', '.join(map(repr, stems))}"))
    return Reading(tidy, facts, {"properties": []})


def _flags(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return what a vote is tagged with as boolean columns, and the columns that these stand for.

    A tag is a boolean column `is_<tag>`, or an entry of `category_tag` or `occupational_tags`, which
    hold mappings, in part of mappings.
    """
    found: dict[str, list[bool]] = {}
    nested = [c for c in ("category_tag", "occupational_tags") if c in table and table[c].map(_is_mapping).any()]
    for column in nested:
        per_row = [_true_tags(cell) for cell in table[column]]
        for name in sorted({name for tags in per_row for name in tags}):
            found[name] = [name in tags and tags[name] for tags in per_row]
    for column in table.columns:
        if column.startswith("is_") and table[column].dropna().isin([True, False]).all():
            found[column] = [bool(cell) for cell in table[column].fillna(False)]
    return pd.DataFrame(found, index=table.index), [*nested, *(c for c in found if c in table.columns)]


def _is_mapping(cell: object) -> bool:
    return isinstance(cell, Mapping)


def _true_tags(cell: Any) -> dict[str, bool]:
    """Return every boolean of a mapping, and of the mappings in it, by its name."""
    if not isinstance(cell, Mapping):
        return {}
    tags: dict[str, bool] = {}
    for name, value in cell.items():
        if isinstance(value, Mapping):
            tags |= _true_tags(value)
        elif isinstance(value, bool):
            tags[str(name)] = value
    return tags


def _measures(table: pd.DataFrame) -> pd.DataFrame:
    """Return the counts of `conv_metadata` as columns `style_<x>_a` and `style_<x>_b`."""
    if "conv_metadata" not in table:
        return pd.DataFrame(index=table.index)
    cells = [cell if isinstance(cell, Mapping) else {} for cell in table["conv_metadata"]]
    columns = {}
    for pattern, name in _MEASURES.items():
        for side in "ab":
            key = pattern.format(side)
            if any(key in cell for cell in cells):
                columns[f"style_{name}_{side}"] = [_total(cell.get(key)) for cell in cells]
    return pd.DataFrame(columns, index=table.index)


def _total(count: Any) -> float | None:
    """Return a number, or the sum of a mapping of numbers."""
    if isinstance(count, Mapping):
        return float(sum(_total(n) or 0.0 for n in count.values()))
    try:
        return None if count is None else float(count)
    except (TypeError, ValueError):
        raise DataError(f"column 'conv_metadata': {show(count)} is no count") from None


ARENA = Layout("chatbot-arena", "Chatbot Arena conversations", ARENA_COLUMNS, _read)
