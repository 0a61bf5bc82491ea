"""From raw texts to a page: annotate, collect, dissect, report, all asked of a server whose answers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

import planted_annotator
import prefdissect as pdx
from planted_annotator import make_table, marks, number, split_blocks
from served import Answer, Token, served

pytestmark = pytest.mark.lane("newer")

N_PAIRS = 400
SCHEMA = pdx.PAPER.select(["friendly", "clear", "novel", "no severe errors", "satisfy constraints"])
WEIGHTS = {"friendly": 1.0, "clear": -0.7, "novel": 0.8, "no_severe_errors": 0.0, "satisfy_constraints": 0.0}


def answer(body: dict) -> Answer:
    """Answer as the annotator, or as a judge who likes what the annotator rates."""
    if body["model"] == "annotator":
        return planted_annotator.brief(body)
    blocks, _ = split_blocks(
        body["messages"][0]["content"].replace("response_A", "first").replace("response_B", "second")
    )
    odds = log_odds(marks(blocks["first"])["r"], marks(blocks["second"])["r"])
    a, b = -math.log1p(math.exp(-odds)), -math.log1p(math.exp(odds))
    letter = "A" if a > b else "B"
    return Answer(letter, tokens=[Token(letter, max(a, b), {"A": a, "B": b})])


def log_odds(first: str, second: str) -> float:
    """Return the log-odds that the first is better: w'x, and logistic noise; swapped, it changes its sign."""
    x = [np.sign(number(first, name, 4) - number(second, name, 4)) for name in ("friendly", "clear", "novel")]
    drawn = number("|".join(sorted((first, second))), "noise, coarse", 16) * 16
    u = (drawn + number("|".join(sorted((first, second))), "noise, fine", 16) + 0.5) / 256
    return float(np.dot(x, list(WEIGHTS.values())[:3])) + math.log(u / (1 - u)) * (1 if first < second else -1)


def test_from_raw_texts_to_a_page(tmp_path):
    texts = make_table(N_PAIRS, words=40)
    options = {"replies": tmp_path / "replies.sqlite", "concurrency": 16, "progress": False}
    with served(answer) as server:
        annotated = pdx.annotate(texts, "annotator", schema=SCHEMA, base_url=server.url, **options)
        collected = pdx.collect(annotated.data, pdx.ChatJudge("judge", base_url=server.url), **options)
        asked = len(server.log)
        again = pdx.annotate(texts, "annotator", schema=SCHEMA, base_url=server.url, **options)
        assert len(server.log) == asked == annotated.use.calls + collected.use.calls
    assert again.data.hash == annotated.data.hash
    assert not annotated.failures + collected.failures
    assert collected.consistency.value == 1.0

    result = pdx.dissect(collected.data, judge="judge", by=None, prior=pdx.Laplace(0.5), random_seed=0)
    found = result.weights.set_index("property")
    # 400 pairs know a weight to 0.13 to 0.2. All five inside their 94% intervals are to be expected in 73 worlds of
    # 100; this one is fixed, and four must be: an order or a side that got lost would move all three weights to 0.
    inside = [found.loc[p, "lower"] <= w <= found.loc[p, "upper"] for p, w in WEIGHTS.items()]
    assert sum(inside) >= 4
    assert all(np.sign(found.loc[p, "mean"]) == np.sign(w) for p, w in WEIGHTS.items() if w)

    page = result.report(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "friendly" in page
    assert "w_constraints" in collected.data.groups
