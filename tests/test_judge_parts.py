"""Parts of `judge` by themselves: letters, combinations, and the figures of a judge's agreement with itself."""

from __future__ import annotations

import math
import sys
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

import prefdissect as pdx
from prefdissect.data.combined import asked_rows, counted_rows, spread_weights
from prefdissect.data.verdicts import make_verdicts
from prefdissect.errors import ModelError
from prefdissect.judge.agreeing import (
    effective_number,
    gain_of,
    measure_bias,
    measure_consistency,
    measure_intensity,
    share_of,
)
from prefdissect.judge.combining import combine
from prefdissect.judge.letters import Letters, first_letter, letters_at, read_letters
from prefdissect.judge.questions import plan_questions
from prefdissect.judge.ways import answer_letters
from prefdissect.llm import Token

TOLERANCE = 0.03  # of coverage over 600 studies: three standard errors of 0.94


class TestLetters:
    def test_tokens_that_spell_a_letter_are_added_up(self) -> None:
        found = letters_at(Token("A", math.log(0.5), {"A": math.log(0.5), " A": math.log(0.2), "B": math.log(0.1)}))
        assert found is not None
        assert (math.exp(found.a), math.exp(found.b), found.bound) == (pytest.approx(0.7), pytest.approx(0.1), None)

    def test_spaces_as_some_servers_write_them(self) -> None:
        for space in ("\u0120", "\u2581", " ", "\n"):
            found = letters_at(Token(f"{space}B", -0.1, {f"{space}B": -0.1, f"{space}A": -3.0}))
            assert found == Letters(-3.0, -0.1)

    def test_words_that_begin_with_a_letter_are_no_letter(self) -> None:
        assert letters_at(Token("Assistant", -0.1, {"Assistant": -0.1, "Both": -3.0, "a": -4.0})) is None

    def test_a_token_alone_says_nothing_of_the_other(self) -> None:
        assert letters_at(Token("A", -0.1)) is None
        assert letters_at(Token("A", -0.1, {"A": -0.1})) is None

    def test_the_token_itself_counts_where_the_likeliest_lack_it(self) -> None:
        assert letters_at(Token("A", -4.0, {"The": -0.1, "B": -3.0})) == Letters(-4.0, -3.0)

    def test_no_number_is_no_report(self) -> None:
        assert letters_at(Token("A", float("nan"), {"The": -0.1, "B": -3.0})) == Letters(-3.0, -3.0, "A")

    def test_what_stands_before_the_answer_is_passed_over(self) -> None:
        place = Token(" B", -0.2, {" B": -0.2, " A": -2.0})
        for before in ("**", "Response", " Answer", ":", "\n"):
            assert read_letters([Token(before, 0.0, {before: 0.0, "A": -9.0}), place]) == Letters(-2.0, -0.2)
        assert read_letters([Token("The", -0.1, {"The": -0.1, "A": -3.0, "B": -4.0}), place]) == Letters(-3.0, -4.0)
        assert read_letters([]) is None

    @pytest.mark.parametrize(
        ("text", "letter"),
        [
            *[
                (text, "A")
                for text in ("A", " A.", "**A**", "(A)", "Response A", "Answer: A", "The".replace("The", "A is"))
            ],
            *[("B\n", "B"), ("Answer: Response B", "B"), ("verdict is B", "B")],
            *[(text, "B") for text in ("<think>A is longer, but</think>\n\nB", "B better")],
            *[
                (text, None)
                for text in ("A and B are alike", "A/B", "A or B", "A, B", "A better answer is", "<think>A")
            ],
            *[(text, None) for text in ("", "a", "Both", "AB", "Neither A nor B", "A1", "I prefer A")],
        ],
    )
    def test_letters_of_answers(self, text: str, letter: str | None) -> None:
        assert first_letter(text) == letter

    def test_thoughts_are_passed_over(self) -> None:
        thoughts = [Token(t, -0.1, {t: -0.1, "A": -0.2, "B": -9.0}) for t in ("<think>", "A", " wins", "</think>")]
        place = Token(" B", -0.2, {" B": -0.2, " A": -2.0})
        assert read_letters([*thoughts, Token("\n\n", 0.0), place]) == Letters(-2.0, -0.2)
        assert read_letters(thoughts[:-1]) is None

    def test_a_letter_that_is_only_bounded_never_wins(self) -> None:
        assert answer_letters(Letters(-3.0, -3.0, "A"), "").value == 0.0
        assert answer_letters(Letters(-3.0, -3.0, "B"), "").value == 1.0
        assert answer_letters(Letters(-3.0, -3.0), "").value == 0.5
        assert answer_letters(Letters(-3.0, -2.0, "A"), "").bound == "first"


logprob = st.floats(-50, 0).map(lambda x: round(x, 3))
answers = st.lists(st.tuples(logprob, logprob), min_size=1, max_size=6)


@given(answers)
def test_combinations_sum_exactly_and_turn_with_the_responses(pairs: list[tuple[float, float]]) -> None:
    """The twin sums in fractions, which have no rounding; order of the answers, and of A and B, does not matter."""
    parts = [{"value": 0.5, "logprob_a": a, "logprob_b": b} for a, b in pairs]
    a, b = (sum(map(Fraction, side)) for side in zip(*pairs, strict=True))
    value, outcome = combine(parts)
    assert combine(parts[::-1]) == (value, outcome)
    if abs(a - b) > 1e-9:
        assert value == float(a > b)
    if sorted(x for x, _ in pairs) == sorted(y for _, y in pairs):
        assert (value, outcome) == (0.5, "tie")
    turned = combine([{"value": 0.5, "logprob_a": y, "logprob_b": x} for x, y in pairs])
    assert turned[0] == 1 - value


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=5))
def test_combinations_without_log_probabilities_are_means(values: list[float]) -> None:
    value, outcome = combine([{"value": v} for v in values])
    assert value == pytest.approx(np.mean(values))
    expected = {(1.0,): "A", (0.0,): "B", (0.5,): "tie"}.get(tuple(set(values)), "soft")
    assert outcome == expected
    assert combine([{"value": v} for v in values] + [{"value": math.nan}])[1] == "invalid"


def verdicts_of(won_a: np.ndarray, won_b: np.ndarray) -> pd.DataFrame:
    """Return rows of values by content, [pair] with A first and with B first."""
    ids = [f"p{i}" for i in range(len(won_a))]
    parts = [pd.DataFrame({"pair_id": ids, "first": first, "value": v}) for first, v in (("A", won_a), ("B", won_b))]
    return pd.concat(parts, ignore_index=True)


def alone(n: int) -> pd.Series:
    return pd.Series([f"c{i}" for i in range(n)], index=[f"p{i}" for i in range(n)])


class TestAgreement:
    def test_known_answers(self) -> None:
        """10 pairs: 6 consistent (one of them tied twice), 3 won by the first, 1 by the second."""
        won_a = np.array([1, 1, 0, 0, 0, 0.5, 1, 1, 1, 0])
        won_b = np.array([1, 1, 0, 0, 0, 0.5, 0, 0, 0, 1])
        table = verdicts_of(won_a, won_b)
        same = measure_consistency(table, alone(10))
        assert (same.value, same.n_pairs) == (0.6, 10)
        assert [same.lower, same.upper] == pytest.approx(beta(6.5, 4.5).ppf([0.03, 0.97]), rel=1e-9)
        assert measure_bias(table, alone(10), "both").value == pytest.approx(10.0)  # (3 - 1) / 10 / 2
        assert measure_bias(table, alone(10), "given").n_pairs == 0

    def test_one_order_is_no_consistency_and_half_pairs_are_left_out(self) -> None:
        table = verdicts_of(np.array([1.0, 0.0, 1.0]), np.array([1.0, np.nan, 0.0]))
        assert measure_consistency(table, alone(3)).n_pairs == 2
        assert measure_bias(table, alone(3), "both").n_pairs == 2
        assert measure_consistency(table[table["first"] == "A"], alone(3)).n_pairs == 0

    def test_random_orders(self) -> None:
        """First wins p0 (A first, A won), p1 (B first, B won); the second wins p2."""
        rows = {"pair_id": ["p0", "p1", "p2"], "first": ["A", "B", "A"], "value": [1.0, 0.0, 0.0]}
        found = measure_bias(pd.DataFrame(rows), alone(3), "random")
        assert found.value == pytest.approx(100 * (2 / 3 - 1 / 2))

    def test_intensity_is_of_means(self) -> None:
        rows = {"pair_id": ["p", "p", "q"], "logprob_a": [-1.0, -3.0, -1.0], "logprob_b": [-2.0, -1.0, math.nan]}
        assert measure_intensity(pd.DataFrame(rows)) == 0.5  # |1 - 2| / 2, and q is not known

    def test_the_interval_holds_its_figure_at_the_edge(self) -> None:
        for won_a, won_b, value in (([1, 1], [0, 0], 50.0), ([0, 0], [1, 1], -50.0), ([1, 1], [1, 1], 0.0)):
            found = measure_bias(verdicts_of(np.array(won_a, float), np.array(won_b, float)), alone(2), "both")
            assert found.value == value
            assert found.lower <= value <= found.upper

    def test_effective_numbers(self) -> None:
        """Copies of a value within a cluster are one value; independent ones count each."""
        rng = np.random.default_rng(0)
        values = rng.random(400)
        assert effective_number(values, np.arange(400)) == pytest.approx(400)
        copied = np.repeat((rng.random(100) < 0.4).astype(float), 4)
        assert effective_number(copied, np.repeat(np.arange(100), 4)) == pytest.approx(100, rel=0.02)
        assert effective_number(np.ones(12), np.repeat(np.arange(4), 3)) == 4


@pytest.mark.parametrize("n_clusters", [40, 150])
@pytest.mark.parametrize("size", [1, 3])
def test_intervals_hold_the_truth_as_often_as_they_say(n_clusters: int, size: int) -> None:
    """600 simulated judges each: pairs of a prompt share how uncertain they are, so that they are alike.

    With 40 prompts the estimated design effect is itself uncertain, so that 0.03 below 94% is allowed, and 0.04 above,
    as the interval never gives a pair more weight than one.
    """
    rng, hits = np.random.default_rng(n_clusters + size), np.zeros(2)
    cluster = np.repeat(np.arange(n_clusters), size)
    chances = np.array([[0.08, 0.87, 0.05], [0.4, 0.4, 0.2]])  # first, same, second wins both times; sure, unsure
    truth = np.array([0.6, 0.4]) @ chances
    for _ in range(600):
        unsure = np.repeat(rng.random(n_clusters) >= 0.6, size).astype(int)
        fate = (rng.random((len(cluster), 1)) > chances[unsure].cumsum(axis=1)).sum(axis=1)
        same, bias = share_of((fate == 1) * 1.0, cluster), gain_of((1.0 - fate) / 2, cluster, evened=True)
        hits += [same.lower < truth[1] < same.upper, bias.lower < 50 * (truth[0] - truth[2]) < bias.upper]
    assert (hits / 600 > 0.94 - TOLERANCE).all(), hits / 600
    assert (hits / 600 < 0.94 + 0.04).all(), hits / 600


def rows_with_combinations() -> pd.DataFrame:
    rows = {
        "pair_id": ["p", "p", "p", "q", "q", "q", "r", "s"],
        "judge": ["m"] * 7 + ["k"],
        "first": ["A", "B", "unknown", "A", "B", "unknown", "A", "unknown"],
        "repeat": 0,
        "value": [1.0, 0.0, 0.5, 1.0, np.nan, np.nan, 1.0, 0.0],
        "outcome": ["A", "B", "soft", "A", "invalid", "invalid", "A", "B"],
        "weight": [0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0],
        "kind": ["argmax", "argmax", "derived", "argmax", "argmax", "derived", "argmax", "derived"],
    }
    return make_verdicts(pd.DataFrame(rows))


def test_combinations_are_told_from_what_they_combine() -> None:
    """A `derived` verdict that stands alone, as of judge k, combines nothing."""
    table = rows_with_combinations()
    assert table["weight"].tolist() == [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0]
    assert asked_rows(table).index.tolist() == [0, 1, 3, 4, 6, 7]
    assert counted_rows(table).index.tolist() == [2, 5, 6, 7]
    spread = spread_weights(table)
    assert dict(zip(spread.index, spread["weight"], strict=True)) == {0: 0.5, 1: 0.5, 3: 0.0, 4: 0.0, 6: 1.0, 7: 1.0}
    for part in (asked_rows, counted_rows, spread_weights):
        assert part(table[table["judge"] == "k"]).index.tolist() == [7]
        assert part(table.drop(columns="kind")).index.tolist() == list(range(8))
        assert len(part(table.iloc[:0])) == 0


def test_questions_follow_from_orders_and_repeats() -> None:
    table = pd.DataFrame({"pair_id": ["p", "q"], "prompt": "Q", "response_a": "x", "response_b": "y", "judge_j": "A"})
    data = pdx.load(table)
    both = plan_questions(data, "both", 2, random_seed=0, sees_order=True)
    assert [q.name for q in both.questions[:4]] == [
        "p, A first",
        "p, B first",
        "p, A first, repeat 1",
        "p, B first, repeat 1",
    ]
    assert (both.per_pair, both.questions[1].shown) == (4, ("y", "x"))
    alone = plan_questions(data, "both", 1, random_seed=0, sees_order=False)
    assert ([q.name for q in alone.questions], alone.per_pair) == (["p, alone", "q, alone"], 1)


def test_a_local_judge_without_torch_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    table = pd.DataFrame({"prompt": ["Q"], "response_a": ["x"], "response_b": ["y"]})
    with pytest.raises(ModelError, match=r'pip install "prefdissect\[local\]"'):
        pdx.collect(table, pdx.LocalJudge("any"), replies=None)
