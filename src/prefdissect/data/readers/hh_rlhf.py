"""HH-RLHF: two dialogues in one text each, the preferred one first."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from prefdissect.data.cells import plain
from prefdissect.data.readers.conversation import Exchange, exchange_columns, last_exchange, read_dialogue
from prefdissect.data.readers.layout import Layout, Part, Reading, join_columns, one_table
from prefdissect.data.readers.orient import CHOSEN_FIRST, orient_chosen

__all__ = ["HH_RLHF"]


def _read(parts: Sequence[Part]) -> Reading:
    table = one_table(parts)
    sides = [[_exchange(cell) for cell in plain(table[column])] for column in ("chosen", "rejected")]
    rest = table.drop(columns=["chosen", "rejected"])
    tidy = join_columns(pd.DataFrame(exchange_columns(*sides)), rest)
    return Reading(orient_chosen(tidy, "human"), [CHOSEN_FIRST], {"judges": ["human"]})


def _exchange(cell: object) -> Exchange:
    return Exchange([], None, None) if cell is None else last_exchange(read_dialogue(str(cell)))


def _is_dialogue(part: Part) -> bool:
    texts = part.content["chosen"].dropna()
    return len(texts) > 0 and "prompt" not in part.columns and "\n\nAssistant:" in str(texts.iloc[0])


HH_RLHF = Layout("hh-rlhf", "HH-RLHF dialogues", ("chosen", "rejected"), _read, accepts=_is_dialogue)
