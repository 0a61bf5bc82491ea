"""Chosen and rejected as TRL takes them, and UltraFeedback binarized, which adds scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from prefdissect.data.cells import plain, read_numbers
from prefdissect.data.readers.conversation import Exchange, exchange_columns, last_exchange, read_turns
from prefdissect.data.readers.layout import Layout, Part, Reading, join_columns, one_table
from prefdissect.data.readers.orient import CHOSEN_FIRST, orient_chosen

__all__ = ["TRL", "ULTRAFEEDBACK", "chosen_exchanges"]


def chosen_exchanges(table: pd.DataFrame) -> pd.DataFrame:
    """Return prompt, responses and context of the columns prompt (if any), chosen and rejected; chosen is A."""
    prompts = plain(table["prompt"]) if "prompt" in table else pd.Series(None, index=table.index, dtype=object)
    sides = [
        [
            _exchange(prompt, cell, f"column {side!r}, row {row}")
            for row, (prompt, cell) in enumerate(zip(prompts, plain(table[side]), strict=True))
        ]
        for side in ("chosen", "rejected")
    ]
    return pd.DataFrame(exchange_columns(*sides))


def _exchange(prompt: Any, answer: Any, where: str) -> Exchange:
    """Return the last exchange of an answer that is a text, turns to come, or the whole conversation."""
    if answer is None:
        said: list[dict[str, str]] = []
    elif isinstance(answer, str):
        said = [{"role": "assistant", "content": answer}]
    else:
        said = read_turns(answer, where)
    if prompt is None:
        return last_exchange(said)
    asked = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else read_turns(prompt, "column 'prompt'")
    whole = said[: len(asked)] == asked  # the answer repeats the prompt
    return last_exchange(said if whole else [*asked, *said])


def _read_trl(parts: Sequence[Part]) -> Reading:
    table = one_table(parts)
    rest = table.drop(columns=["prompt", "chosen", "rejected"], errors="ignore")
    tidy = join_columns(chosen_exchanges(table), rest)
    facts = [CHOSEN_FIRST, ("judges", "the source does not say whose preferences these are: judge 'chosen'")]
    return Reading(orient_chosen(tidy, "chosen"), facts, {"judges": ["chosen"], "properties": []})


def _read_ultrafeedback(parts: Sequence[Part]) -> Reading:
    table = one_table(parts)
    columns = ("score_chosen", "score_rejected")
    a, b = (pd.Series(read_numbers(table[column], column, gaps=True)) for column in columns)
    tidy = chosen_exchanges(table).assign(prompt_id=table["prompt_id"], score_a=a, score_b=b)
    equal, unknown = a == b, a.isna() | b.isna()
    decided = pd.Series(None, index=tidy.index, dtype=object).mask(equal, "tie")
    tidy["judge_gpt-4"] = decided.mask(unknown, "invalid")  # without both scores nothing says which one was preferred
    used = ["prompt", "prompt_id", "chosen", "rejected", "messages", "score_chosen", "score_rejected"]
    rest = table.drop(columns=used, errors="ignore")
    facts = [CHOSEN_FIRST, ("scores", f"GPT-4 scored each response; equal scores are ties ({int(equal.sum()):,})")]
    if unknown.any():
        facts.append(("no score", f"{int(unknown.sum()):,} pairs lack a score: their verdicts are invalid"))
    tidy = orient_chosen(join_columns(tidy, rest), "gpt-4")
    return Reading(tidy, facts, {"judges": ["gpt-4"], "properties": []})


TRL = Layout("trl", "chosen and rejected, as in TRL", ("chosen", "rejected"), _read_trl)
ULTRAFEEDBACK = Layout(
    "ultrafeedback",
    "UltraFeedback binarized",
    ("prompt", "prompt_id", "chosen", "rejected", "score_chosen", "score_rejected"),
    _read_ultrafeedback,
)
