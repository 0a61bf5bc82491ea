"""MT-Bench human judgments: many voters on the same pairs, in either order; and GPT-4's verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from prefdissect.data.cells import read_numbers
from prefdissect.data.readers.arena import ARENA_COLUMNS, conversation_exchanges
from prefdissect.data.readers.codes import decode
from prefdissect.data.readers.layout import Layout, Part, Reading, one_table
from prefdissect.data.readers.nested import as_items
from prefdissect.data.readers.orient import swap_sides

__all__ = ["MT_BENCH"]

_CODES = {
    "model_a": "A",
    "model_b": "B",
    "tie": "tie",
    "tie (inconsistent)": "inconsistent",
    "error": "invalid",
}
_TURNED = {"A": "B", "B": "A"}


def _read(parts: Sequence[Part]) -> Reading:
    table = one_table(parts)
    turns = read_numbers(table["turn"], "turn", whole=True)
    upto = table.assign(
        conversation_a=[_upto(c, t) for c, t in zip(table["conversation_a"], turns, strict=True)],
        conversation_b=[_upto(c, t) for c, t in zip(table["conversation_b"], turns, strict=True)],
    )
    tidy = pd.concat([pd.DataFrame(conversation_exchanges(upto)), table[["model_a", "model_b", "turn"]]], axis=1)
    word = decode(table["winner"], _CODES)
    swapped = table["model_b"].astype(str) < table["model_a"].astype(str)
    tidy = swap_sides(tidy, swapped)
    names = [
        f"{q}-{t}-{a}-{b}"
        for q, t, a, b in zip(table["question_id"], table["turn"], tidy["model_a"], tidy["model_b"], strict=True)
    ]
    tidy.insert(0, "pair_id", names)
    tidy["question_id"] = tidy["cluster"] = table["question_id"]
    tidy["verdict"] = word.map(lambda w: _TURNED.get(w, w)).where(swapped, word)
    voters = table["judge"].map(_voter)
    model = voters.str.startswith("gpt")
    tidy["judge"] = voters.where(model, "human")
    tidy["voter"] = voters.where(~model, None)
    facts = [
        ("judges", "experts and authors are voters of one judge, 'human'"),
        ("A and B", "the model whose name comes first is A, since voters saw the same pair in either order"),
    ]
    if (word == "inconsistent").any():
        facts.append(("inconsistent", "two orders that disagree are no tie but a preference of 0.5"))
    return Reading(tidy, facts)


def _upto(conversation: Any, turn: Any) -> Any:
    """Return a conversation as it was when turn 1 or 2 was judged."""
    turns = as_items(conversation, "a conversation")
    return None if turns is None else turns[: 2 * int(turn)]


def _voter(judge: Any) -> str:
    """Return who judged; models are written as their name and the prompt's."""
    listed = not isinstance(judge, str) or judge.startswith("[")
    parts = as_items(judge, "column 'judge'") or [] if listed else [judge]
    return " ".join(map(str, parts))


def _is_mt_bench(part: Part) -> bool:
    """Tell it from arena conversations, which have the same columns: these say whether models were anonymous."""
    return "anony" not in part.columns


MT_BENCH = Layout(
    "mt-bench", "MT-Bench judgments", ("question_id", "judge", "turn", *ARENA_COLUMNS), _read, accepts=_is_mt_bench
)
