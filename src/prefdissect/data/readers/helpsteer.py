"""HelpSteer2 and 3: preferences from -3 to 3 by several people, and HelpSteer2's ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from prefdissect.data.cells import plain, read_numbers
from prefdissect.data.readers.codes import decode_sign
from prefdissect.data.readers.conversation import exchange_columns, last_exchange, read_turns
from prefdissect.data.readers.layout import Layout, Part, Reading, join_columns, one_table
from prefdissect.data.readers.nested import as_items
from prefdissect.data.readers.orient import name_pair, number_repeats
from prefdissect.errors import DataError

__all__ = ["HELPSTEER_2", "HELPSTEER_2_RATINGS", "HELPSTEER_3"]

_ASPECTS = ("correctness", "coherence", "complexity", "verbosity")
_UNUSABLE = -100  # of people who found that neither response can be judged
_STRENGTH = ("strength", "-3 to 3 became who is better; how much better stands in the verdicts' column 'strength'")


def _read_preferences(parts: Sequence[Part]) -> Reading:
    table = one_table(parts)
    tidy = table.rename(columns={"response_1": "response_a", "response_2": "response_b"})
    raw = "all_preferences_unprocessed"
    per_pair = [
        _strengths(cell, alone, f"column {raw!r}, row {row}")
        for row, (cell, alone) in enumerate(
            zip(table.get(raw, pd.Series(None, index=table.index)), table["preference_strength"], strict=True)
        )
    ]
    shown = tidy.drop(
        columns=[
            raw,
            "preference_strength",
            "preference_statement",
            "preference_elaboration",
            "three_most_similar_preferences",
        ],
        errors="ignore",
    )
    return Reading(_a_row_per_person(shown, per_pair), [_STRENGTH])


def _strengths(cell: Any, alone: Any, where: str) -> list[Any]:
    """Return what each person said; the preference of all together where that is not known."""
    items = as_items(cell, where) or []
    return [item.get("strength") if isinstance(item, Mapping) else item for item in items] or [alone]


def _read_3(parts: Sequence[Part]) -> Reading:
    table = one_table(parts)
    contexts = [read_turns(cell, f"column 'context', row {row}") for row, cell in plain(table["context"]).items()]
    sides = [
        [
            last_exchange([*turns, {"role": "assistant", "content": text}] if text is not None else turns)
            for turns, text in zip(contexts, plain(table[side]), strict=True)
        ]
        for side in ("response1", "response2")
    ]
    said = table.get("individual_preference", pd.Series(None, index=table.index))
    per_pair = [
        _scores(cell, alone, f"column 'individual_preference', row {row}")
        for row, (cell, alone) in enumerate(zip(said, table["overall_preference"], strict=True))
    ]
    tidy = pd.DataFrame(exchange_columns(*sides))
    rest = table.drop(
        columns=["context", "response1", "response2", "overall_preference", "individual_preference"], errors="ignore"
    )
    if "domain" in rest:
        rest = rest.rename(columns={"domain": "scenario"})
    return Reading(_a_row_per_person(join_columns(tidy, rest), per_pair), [_STRENGTH])


def _scores(cell: Any, alone: Any, where: str) -> list[Any]:
    items = as_items(cell, where) or []
    return [item.get("score") if isinstance(item, Mapping) else item for item in items] or [alone]


def _a_row_per_person(pairs: pd.DataFrame, per_pair: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Return one row per verdict of judge 'human', the people being its repeats."""
    if "pair_id" not in pairs:
        names = [name_pair(*row) for row in pairs[["prompt", "response_a", "response_b"]].to_numpy(dtype=object)]
        pairs = pairs.assign(pair_id=number_repeats(names))
    times = [len(said) for said in per_pair]
    long = pairs.loc[pairs.index.repeat(times)].reset_index(drop=True)
    strength = pd.Series([s for said in per_pair for s in said], dtype=object, name="preference")
    usable = strength.where(pd.to_numeric(strength, errors="coerce") != _UNUSABLE, None)
    long["judge"], long["verdict"] = "human", decode_sign(usable, most=3)
    long["strength"] = pd.to_numeric(usable, errors="coerce")
    return long


def _read_ratings(parts: Sequence[Part]) -> Reading:
    table = one_table(parts)
    if len(table) % 2 or (table["prompt"].iloc[::2].to_numpy() != table["prompt"].iloc[1::2].to_numpy()).any():
        raise DataError(
            f"column 'prompt': rows 0 and 1, 2 and 3, and so on do not all share a prompt ({len(table):,} rows); "
            "pair the responses yourself and name the columns <x>_a and <x>_b"
        )
    sides = [table.iloc[start::2].reset_index(drop=True) for start in (0, 1)]
    tidy = pd.DataFrame({"prompt": sides[0]["prompt"]})
    for name, rows in zip("ab", sides, strict=True):
        for column in ("response", *_ASPECTS):
            tidy[f"{column}_{name}"] = rows[column]
    helpful = [read_numbers(rows["helpfulness"], "helpfulness", gaps=True) for rows in sides]
    tidy["judge_helpfulness"] = decode_sign(
        pd.Series(helpful[1] - helpful[0], name="helpfulness"), most=np.inf, missing=None
    )
    fact = ("judges", "judge 'helpfulness' prefers the response that was rated more helpful; derived, not asked")
    return Reading(tidy, [fact], {"judges": ["helpfulness"], "properties": list(_ASPECTS)})


HELPSTEER_2 = Layout(
    "helpsteer2",
    "HelpSteer2 preferences",
    ("prompt", "response_1", "response_2", "preference_strength"),
    _read_preferences,
)
HELPSTEER_2_RATINGS = Layout(
    "helpsteer2-ratings", "HelpSteer2 ratings", ("prompt", "response", "helpfulness", *_ASPECTS), _read_ratings
)
HELPSTEER_3 = Layout(
    "helpsteer3", "HelpSteer3 preferences", ("context", "response1", "response2", "overall_preference"), _read_3
)
