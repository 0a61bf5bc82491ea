"""LLMBar and JudgeBench: pairs with one objectively better response."""

from __future__ import annotations

from collections.abc import Sequence

from prefdissect.data.identity import as_names
from prefdissect.data.readers.codes import decode
from prefdissect.data.readers.layout import Layout, Part, Reading, one_table
from prefdissect.data.readers.orient import number_repeats

__all__ = ["JUDGE_BENCH", "LLMBAR"]

_REFERENCE = ("judges", "what the benchmark calls right is judge 'reference'")


def _read_llmbar(parts: Sequence[Part]) -> Reading:
    table = one_table(parts)
    renamed = {"input": "prompt", "output_1": "response_a", "output_2": "response_b"}
    tidy = table.drop(columns="label").rename(columns=renamed)
    if len(parts) > 1:
        tidy["scenario"] = [part.name for part in parts for _ in range(len(part.content))]
    facts = [_REFERENCE] + ([("scenarios", "one a file")] if len(parts) > 1 else [])
    return Reading(tidy.assign(judge_reference=decode(table["label"], {1: "A", 2: "B"})), facts)


def _read_judge_bench(parts: Sequence[Part]) -> Reading:
    table = one_table(parts)
    renamed = {"question": "prompt", "response_A": "response_a", "response_B": "response_b", "source": "scenario"}
    tidy = table.drop(columns="label").rename(columns=renamed)
    codes = {"A>B": "A", "B>A": "B", "A=B": "tie"}
    facts = [_REFERENCE]
    if "pair_id" in tidy and tidy["pair_id"].notna().all():
        ids = as_names(tidy["pair_id"])
        tidy["pair_id"] = number_repeats(list(ids))
        again = int(ids.duplicated().sum())
        if again:
            facts.append(("repeated ids", f"{again:,} rows have the pair_id of another; theirs end in -2, -3, ..."))
    return Reading(tidy.assign(judge_reference=decode(table["label"], codes)), facts)


LLMBAR = Layout("llmbar", "LLMBar", ("input", "output_1", "output_2", "label"), _read_llmbar)
JUDGE_BENCH = Layout(
    "judge-bench", "JudgeBench", ("question", "source", "response_A", "response_B", "label"), _read_judge_bench
)
