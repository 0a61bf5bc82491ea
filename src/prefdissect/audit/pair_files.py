"""Labelled pairs as TRL's trainers read them: prompt, chosen, rejected, as texts or as turns of a conversation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prefdissect._typing import PairForm
from prefdissect.data.writers.endings import table_writer
from prefdissect.data.writers.whole import write_whole
from prefdissect.errors import DataError

__all__ = ["trl_table", "write_pairs"]

_NOT_FOR_TRL = (".csv",)  # a cell of it cannot hold turns, and it cannot tell an empty text from none


def write_pairs(table: pd.DataFrame, path: Path, form: PairForm) -> Path:
    """Write the table of `PreferencePairs` in a form that TRL reads, whole or not at all, and return its path.

    Raises
    ------
    FileFormatError
        If the ending is none of JSON, JSON Lines and parquet, or the file cannot be written.
    DataError
        If turns before the prompt would be lost.
    """
    _, write = table_writer(path, without=_NOT_FOR_TRL)
    rows = trl_table(table, form)
    return write_whole(path, lambda whole: write(rows, whole))


def trl_table(table: pd.DataFrame, form: PairForm) -> pd.DataFrame:
    """Return prompt, chosen and rejected as TRL takes them, then pair_id, group and probability_chosen.

    Source: the preference format of TRL's documentation, with an explicit prompt.
    """
    n_longer = sum(map(bool, table["turns"]))
    if form == "standard" and n_longer:
        raise DataError(
            f"{n_longer:,} of {len(table):,} pairs have turns before the prompt, for which the standard form has no "
            "room; write form='conversational' (--form conversational)"
        )
    chose_a = (table["side"] == "A").to_numpy()
    a = table["probability"].to_numpy()
    texts = table[["prompt", "chosen", "rejected"]] if form == "standard" else _as_turns(table)
    return texts.assign(pair_id=table["pair_id"], group=table["group"], probability_chosen=np.where(chose_a, a, 1 - a))


def _as_turns(table: pd.DataFrame) -> pd.DataFrame:
    """Return prompts as the turns up to the request, and each response as one turn of the assistant."""
    asked = [[*before, _turn("user", text)] for before, text in zip(table["turns"], table["prompt"], strict=True)]
    answers = {side: [[_turn("assistant", text)] for text in table[side]] for side in ("chosen", "rejected")}
    columns: dict[str, Any] = {"prompt": asked, **answers}
    return pd.DataFrame(columns, index=table.index)


def _turn(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}
