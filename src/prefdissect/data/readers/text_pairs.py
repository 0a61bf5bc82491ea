"""CSV tables of feedback-forensics and ICAI: text_a, text_b, preferred_text, and more annotators in columns."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from prefdissect.data.readers.codes import decode
from prefdissect.data.readers.layout import Layout, Part, Reading, one_table

__all__ = ["TEXT_PAIRS"]

_CODES = {"text_a": "A", "text_b": "B", "tie": "tie", "nan": None}


def _read(parts: Sequence[Part]) -> Reading:
    table = one_table(parts)
    renamed = {"text_a": "response_a", "text_b": "response_b"} | ({} if "prompt" in table else {"input": "prompt"})
    named = [c for c in table.columns if c != "preferred_text" and _names_texts(table[c])]
    judges = {c: f"judge_{c}" for c in ["preferred_text", *named]}
    verdicts = {judge: decode(table[column], _CODES, missing=None) for column, judge in judges.items()}
    tidy = table.drop(columns=list(judges)).rename(columns=renamed).assign(**verdicts)
    return Reading(tidy, [("judges", f"columns that name a text: {', '.join(judges)}")], {"judges": list(judges)})


def _names_texts(column: pd.Series) -> bool:
    """Return whether a column holds the names of the two texts, and ties."""
    found = set(column.dropna().astype(str))
    return bool(found & {"text_a", "text_b"}) and found <= set(_CODES)


TEXT_PAIRS = Layout("text-pairs", "feedback-forensics table", ("text_a", "text_b", "preferred_text"), _read)
