"""From answers by position to verdicts by content, and from a judge's answers on a pair to what they come to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from prefdissect.judge.answers import Answer, Answers
from prefdissect.judge.questions import Question

__all__ = ["combine", "tabulate_answers"]

_OUTCOME = {1.0: "A", 0.0: "B", 0.5: "tie"}
_NOT_KNOWN = (np.nan, np.nan)


def tabulate_answers(questions: Sequence[Question], found: Answers, *, per_pair: int, **of_all: str) -> pd.DataFrame:
    """Return one row per question that was asked, and one per pair that combines its rows if it has several.

    A question whose answer could not be used is `invalid`; one that was not asked has no row. `of_all` are columns
    that are the same in all rows.
    """
    failed = {failure.job for failure in found.failures}
    asked = [q for q in questions if q.name in found.answers or q.name in failed]
    rows = [_row(q, found.answers.get(q.name), found.heard.get(q.name, "")) for q in asked]
    if per_pair > 1:
        rows = _with_combinations(rows, per_pair)
    table = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS).assign(**of_all)
    always = ["pair_id", "first", "repeat", "value", "outcome", "weight", "kind"]
    empty = [c for c in table if c not in always and (table[c].isna() | (table[c] == "")).all()]
    return table.drop(columns=empty)


_COLUMNS = {
    "pair_id": "object",
    "first": "object",
    "repeat": "int64",
    "value": "float64",
    "outcome": "object",
    "weight": "float64",
    "kind": "object",
    "logprob_a": "float64",
    "logprob_b": "float64",
    "logprob_bound": "object",
    "judge_score_a": "float64",
    "judge_score_b": "float64",
    "judge_reply": "object",
}


def _row(question: Question, answer: Answer | None, heard: str) -> dict[str, Any]:
    """Return one verdict, by content."""
    about = {"pair_id": question.pair, "first": question.first, "repeat": question.repeat, "weight": 1.0}
    if answer is None:
        return about | {"value": np.nan, "outcome": "invalid", "kind": "argmax", "judge_reply": heard or None}
    turn = -1 if question.first == "B" else 1
    sides = "AB"[::turn]
    logprob, score = (answer.logprobs or _NOT_KNOWN)[::turn], (answer.scores or _NOT_KNOWN)[::turn]
    value = 1 - answer.value if turn < 0 else answer.value
    return about | {
        "value": value,
        "outcome": _OUTCOME[value],
        "kind": answer.kind,
        "logprob_a": logprob[0],
        "logprob_b": logprob[1],
        "logprob_bound": None if answer.bound is None else sides[answer.bound == "second"],
        "judge_score_a": score[0],
        "judge_score_b": score[1],
        "judge_reply": answer.text or None,
    }


def _with_combinations(rows: Sequence[dict[str, Any]], per_pair: int) -> list[dict[str, Any]]:
    """Return the rows of each pair, which then weigh nothing, followed by the one that combines them."""
    by_pair: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_pair.setdefault(row["pair_id"], []).append(row | {"weight": 0.0})
    return [row for parts in by_pair.values() for row in (*parts, _combined(parts, per_pair))]


def _combined(parts: Sequence[Mapping[str, Any]], per_pair: int) -> dict[str, Any]:
    """Return the row that combines those of a pair; invalid unless all questions have an answer.

    With an answer missing, one order would weigh more than the other, and what is first would count.
    """
    whole = len(parts) == per_pair
    value, outcome = combine(parts) if whole else (np.nan, "invalid")
    repeats = [part["repeat"] for part in parts if part["first"] == "unknown"]
    row = {"pair_id": parts[0]["pair_id"], "first": "unknown", "repeat": max(repeats) + 1 if repeats else 0}
    row |= {"value": value, "outcome": outcome, "kind": "derived", "weight": 1.0}
    numbers = ("logprob_a", "logprob_b", "judge_score_a", "judge_score_b")
    return row | {name: _mean([part.get(name, np.nan) for part in parts]) for name in numbers if whole}


def combine(parts: Sequence[Mapping[str, Any]]) -> tuple[float, str]:
    """Return value and outcome that the verdicts of one judge on one pair come to.

    Log-probabilities (or scores) of all verdicts are summed; the response with more is preferred, and a tie is a tie.
    Where some lack them, the values are averaged: what is neither all A, all B nor all ties is soft, so that two
    orders that disagree are 0.5 and no tie.

    Source: Li et al., ACL 2024, where a tie of sums was counted as B.

    Examples
    --------
    >>> from prefdissect.judge.combining import combine
    >>> sure, unsure = {"logprob_a": -0.1, "logprob_b": -2.0}, {"logprob_a": -1.0, "logprob_b": -0.5}
    >>> combine([sure | {"value": 1.0}, unsure | {"value": 0.0}])
    (1.0, 'A')
    >>> combine([{"value": 1.0}, {"value": 0.0}])
    (0.5, 'soft')
    """
    values = [float(part["value"]) for part in parts]
    if any(math.isnan(value) for value in values):
        return math.nan, "invalid"
    for name in ("logprob", "judge_score"):
        sides = [[float(part.get(f"{name}_{side}", math.nan)) for part in parts] for side in "ab"]
        a, b = (math.fsum(side) if all(map(math.isfinite, side)) else math.nan for side in sides)
        if not math.isnan(a - b):
            value = 0.5 if a == b else float(a > b)
            return value, _OUTCOME[value]
    value = math.fsum(values) / len(values)
    alike = len(set(values)) == 1
    return value, _OUTCOME[value] if alike else "soft"


def _mean(numbers: Sequence[float]) -> float:
    return math.fsum(numbers) / len(numbers) if all(map(math.isfinite, numbers)) else math.nan
