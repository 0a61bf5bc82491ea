"""HH-RLHF: two dialogues in one text each, the preferred one first."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from prefdissect.data.cells import plain
from prefdissect.data.readers.chosen_rejected import chosen_exchanges
from prefdissect.data.readers.conversation import is_dialogue, read_dialogue
from prefdissect.data.readers.layout import Layout, Part, Reading, join_columns, one_table
from prefdissect.data.readers.orient import CHOSEN_FIRST, orient_chosen

__all__ = ["HH_RLHF"]

_MOST = 0.5


def _read(parts: Sequence[Part]) -> Reading:
    table = one_table(parts)
    turns = {side: plain(table[side]).map(_split) for side in ("chosen", "rejected")}
    rest = table.drop(columns=list(turns))
    tidy = join_columns(chosen_exchanges(pd.DataFrame(turns)), rest)
    return Reading(orient_chosen(tidy, "human"), [CHOSEN_FIRST], {"judges": ["human"]})


def _split(cell: object) -> object:
    """Return the turns of a dialogue; a text that is none, or turns already, as they are."""
    return read_dialogue(cell) if isinstance(cell, str) and is_dialogue(cell) else cell


def _holds_dialogues(part: Part) -> bool:
    """Tell it from other pairs of chosen and rejected: one answer may quote a dialogue, most do not."""
    cells = plain(part.content["chosen"]).dropna()
    return sum(isinstance(cell, str) and is_dialogue(cell) for cell in cells) > _MOST * len(cells)


HH_RLHF = Layout("hh-rlhf", "HH-RLHF dialogues", ("chosen", "rejected"), _read, accepts=_holds_dialogues)
