"""lmsys-arena-human-preference-55k: turns as lists in texts, the winner as three columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from prefdissect.data.readers.codes import decode
from prefdissect.data.readers.conversation import Exchange, content_text, exchange_columns
from prefdissect.data.readers.layout import Layout, Part, Reading, join_columns, one_table
from prefdissect.data.readers.nested import as_items
from prefdissect.errors import VerdictError

__all__ = ["ARENA_55K"]

_WINNERS = {"winner_model_a": "A", "winner_model_b": "B", "winner_tie": "tie"}


def _read(parts: Sequence[Part]) -> Reading:
    table = one_table(parts)
    sides = [[_exchange(table, row, side) for row in table.index] for side in "ab"]
    tidy = pd.DataFrame(exchange_columns(*sides))
    if "id" in table:
        tidy.insert(0, "pair_id", table["id"])
    tidy["judge"], tidy["first"], tidy["verdict"] = "human", "A", _winner(table)
    rest = table.drop(columns=["id", "prompt", "response_a", "response_b", *_WINNERS], errors="ignore")
    return Reading(join_columns(tidy, rest), [("judges", "every vote is one of judge 'human'; A was on the left")])


def _exchange(table: pd.DataFrame, row: int, side: str) -> Exchange:
    """Return the last turn of one side, and the turns before it."""
    asked = as_items(table["prompt"][row], f"column 'prompt', row {row}") or []
    said = as_items(table[f"response_{side}"][row], f"column 'response_{side}', row {row}") or []
    turns = [[("user", q), ("assistant", a)] for q, a in zip(asked[:-1], said, strict=False)]
    context = [
        {"role": role, "content": text}
        for turn in turns
        for role, content in turn
        if (text := content_text(content)) is not None
    ]
    last = said[-1] if said and len(said) == len(asked) else None
    return Exchange(context, content_text(asked[-1]) if asked else None, content_text(last))


def _winner(table: pd.DataFrame) -> list[Any]:
    """Return the one winner of each row.

    Raises
    ------
    VerdictError
        If a row has more or fewer than one.
    """
    codes = {0: 0, 1: 1, "true": 1, "false": 0}
    marks = pd.DataFrame({c: decode(table[c], codes, missing=0).astype(int) for c in _WINNERS})
    many = marks.sum(axis=1) > 1
    if many.any():
        raise VerdictError(f"row {many.idxmax()} has more than one winner among {', '.join(_WINNERS)}")
    word = marks.idxmax(axis=1).map(_WINNERS)
    return list(word.where(marks.sum(axis=1) == 1, "invalid"))


ARENA_55K = Layout(
    "arena-55k",
    "lmsys-arena-human-preference-55k",
    ("model_a", "model_b", "prompt", "response_a", "response_b", *_WINNERS),
    _read,
)
