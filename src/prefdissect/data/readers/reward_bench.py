"""RewardBench: chosen and rejected by subset; version 2 has one or more chosen against several rejected."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from prefdissect.data.readers.chosen_rejected import chosen_exchanges
from prefdissect.data.readers.layout import Layout, Part, Reading, join_columns, one_table
from prefdissect.data.readers.nested import as_items
from prefdissect.data.readers.orient import CHOSEN_FIRST, orient_chosen

__all__ = ["REWARD_BENCH", "REWARD_BENCH_2"]

_REFERENCE = ("judges", "what the benchmark calls right is judge 'reference'")


def _read(parts: Sequence[Part]) -> Reading:
    table = one_table(parts).rename(
        columns={"chosen_model": "model_a", "rejected_model": "model_b", "subset": "scenario"}
    )
    rest = table.drop(columns=["prompt", "chosen", "rejected"])
    tidy = orient_chosen(join_columns(chosen_exchanges(table), rest), "reference")
    return Reading(tidy, [CHOSEN_FIRST, _REFERENCE], {"judges": ["reference"], "properties": []})


def _read_2(parts: Sequence[Part]) -> Reading:
    table = one_table(parts)
    rows = []
    for row in table.index:
        lists = [as_items(table[c][row], f"column {c!r}, row {row}") or [] for c in ("chosen", "rejected")]
        rows += [(row, chosen, rejected) for chosen in lists[0] for rejected in lists[1]]
    pairs = pd.DataFrame(rows, columns=["row", "chosen", "rejected"])
    rest = table.drop(columns=["chosen", "rejected"]).rename(columns={"subset": "scenario", "id": "prompt_id"})
    spread = pd.concat([pairs[["chosen", "rejected"]], rest.loc[pairs["row"]].reset_index(drop=True)], axis=1)
    tidy = join_columns(chosen_exchanges(spread), spread.drop(columns=["prompt", "chosen", "rejected"]))
    spread_out = f"each chosen response with each rejected one: {len(table):,} rows, {len(tidy):,} pairs"
    facts = [CHOSEN_FIRST, _REFERENCE, ("one against many", spread_out)]
    alone = len(table) - pairs["row"].nunique()
    if alone:
        facts.append(("no pair", f"{alone:,} rows have no chosen response, or no rejected one"))
    return Reading(orient_chosen(tidy, "reference"), facts, {"judges": ["reference"], "properties": []})


REWARD_BENCH = Layout(
    "reward-bench", "RewardBench", ("prompt", "chosen", "chosen_model", "rejected", "rejected_model", "subset"), _read
)
REWARD_BENCH_2 = Layout(
    "reward-bench-2", "RewardBench 2", ("id", "prompt", "chosen", "rejected", "subset", "num_correct"), _read_2
)
