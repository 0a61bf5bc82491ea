"""Each rule from two ratings to one signed number, against a twin in plain `if`s.

The twins are written from the text of the paper's rules (Li et al. 2024), not from the library:
they take one pair at a time, count in whole numbers or fractions, and share no code with it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefdissect import PAPER, Property
from prefdissect.errors import OptionError

ENCODINGS = ("comparison", "diff", "norm_diff")
LIKERT_POSITIONS = (*range(15), 16, 18, 19, 23, 24)  # all rated 0 to 3 but repetitive (15) and relevance (17)
STANCES = ("strongly supported", "weakly supported", "neutral", "weakly opposed", "strongly opposed")
CORRECTIONS = (
    "pointed out and corrected",
    "corrected without being pointed out",
    "pointed out but not corrected",
    "neither pointed out nor corrected",
)
LONGER_BY_TABLE = {0: 1, 1: 3, 2: 5, 3: 7, 4: 8, 5: 10, 6: 11, 7: 13, 8: 14, 9: 16, 10: 17, 11: 19}


def sign_of(d: Fraction | int) -> int:
    if d > 0:
        return 1
    if d < 0:
        return -1
    return 0


def share_of(d: Fraction | int, whole: int) -> float:
    if d >= whole:
        return 1.0
    if d <= -whole:
        return -1.0
    return float(Fraction(d) / whole)


def twin_likert(a: Fraction | int, b: Fraction | int, encoding: str) -> float:
    if encoding == "comparison":
        return sign_of(a - b)
    if encoding == "diff":
        return float(a - b)
    return share_of(a - b, 3)


def twin_relevance(a: int, b: int, encoding: str) -> float:
    if encoding != "comparison":
        return twin_likert(a, b, encoding)
    if a > 0 and b == 0:
        return 1
    if a == 0 and b > 0:
        return -1
    return 0


def twin_errors(a: int, b: int, encoding: str) -> float:
    fewer = b - a
    if encoding == "comparison":
        return sign_of(fewer)
    if encoding == "diff":
        return fewer
    return share_of(fewer, 5)


def clearly_longer(short: int, long: int) -> bool:
    if short <= 11:
        return long >= LONGER_BY_TABLE[short]
    gap = long - short
    if 10 * short <= 7 * long and gap >= 10:
        return True
    if 10 * short <= 8 * long and gap >= 20:
        return True
    return 10 * short <= 9 * long and gap >= 40


def twin_length(a: int, b: int, encoding: str) -> float:
    if encoding == "comparison":
        if a > b and clearly_longer(b, a):
            return 1
        if b > a and clearly_longer(a, b):
            return -1
        return 0
    if encoding == "diff":
        return a - b
    if a == b:
        return 0.0
    size = math.log(1 + abs(a - b)) / math.log(501)
    return (1 if a > b else -1) * (size if size < 1 else 1)


def stance_score(label: str) -> int:
    if label == "strongly supported":
        return 2
    if label == "weakly supported":
        return 1
    if label == "weakly opposed":
        return -1
    if label == "strongly opposed":
        return -2
    return 0


def correction_score(label: str) -> int:
    if label == "pointed out and corrected":
        return 3
    if label == "corrected without being pointed out":
        return 2
    if label == "pointed out but not corrected":
        return 1
    return 0


def mean_of(scores: Sequence[int]) -> Fraction:
    return Fraction(sum(scores), len(scores))


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("position", LIKERT_POSITIONS)
def test_likert_rule_on_all_pairs_of_ratings(position: int, encoding: str) -> None:
    pairs = [(a, b) for a in range(4) for b in range(4)]
    got = PAPER[position].encode([a for a, _ in pairs], [b for _, b in pairs], encoding)
    np.testing.assert_allclose(got, [twin_likert(a, b, encoding) for a, b in pairs], rtol=0, atol=1e-15)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_relevance_rule_on_all_pairs_of_ratings(encoding: str) -> None:
    pairs = [(a, b) for a in range(4) for b in range(4)]
    got = PAPER[17].encode([a for a, _ in pairs], [b for _, b in pairs], encoding)
    np.testing.assert_allclose(got, [twin_relevance(a, b, encoding) for a, b in pairs], rtol=0, atol=1e-15)


def test_relevance_counts_only_some_against_none() -> None:
    assert PAPER["relevant"].encode([3, 1, 0, 0, 3], [1, 0, 1, 0, 0]).tolist() == [0, 1, -1, 0, 1]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_repetitive_rule_turns_the_sign_round(encoding: str) -> None:
    pairs = [(a, b) for a in range(4) for b in range(4)]
    got = PAPER[15].encode([a for a, _ in pairs], [b for _, b in pairs], encoding)
    np.testing.assert_allclose(got, [-twin_likert(a, b, encoding) for a, b in pairs], rtol=0, atol=1e-15)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("position", [20, 21, 22])
def test_errors_rule_counts_b_minus_a(position: int, encoding: str) -> None:
    pairs = [(a, b) for a in range(13) for b in range(13)]  # beyond 5 apart on both sides
    got = PAPER[position].encode([a for a, _ in pairs], [b for _, b in pairs], encoding)
    np.testing.assert_allclose(got, [twin_errors(a, b, encoding) for a, b in pairs], rtol=0, atol=1e-15)


def test_errors_known_answers() -> None:
    severe = PAPER["no severe errors"]
    assert severe.encode([0, 2, 6, 1], [1, 0, 0, 1]).tolist() == [1, -1, -1, 0]
    assert severe.encode([0, 2, 6, 1], [1, 0, 0, 1], "norm_diff").tolist() == [0.2, -0.4, -1, 0]


# 600 pairs of lists of 1 to 5 items meet equal means of unequal lists, and both ends, many times.
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_constraints_rule_compares_means_over_the_list(encoding: str) -> None:
    draw = random.Random(25)
    lists = [[draw.randint(0, 3) for _ in range(draw.randint(1, 5))] for _ in range(1200)]
    cells = [[str(score) for score in scores] if k % 2 else scores for k, scores in enumerate(lists)]
    prop = PAPER[25]
    got = prop.encode(prop.read(cells[:600]), prop.read(cells[600:]), encoding)
    means = [(mean_of(a), mean_of(b)) for a, b in zip(lists[:600], lists[600:], strict=True)]
    assert sum(a == b for a, b in means) > 20
    np.testing.assert_allclose(got, [twin_likert(a, b, encoding) for a, b in means], rtol=0, atol=1e-14)


# As above; the mappings are the shape in which an annotator answers, item text to label.
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    ("position", "words", "score"), [(26, STANCES, stance_score), (27, CORRECTIONS, correction_score)]
)
def test_label_rules_compare_means_of_scores(position, words, score, encoding: str) -> None:
    draw = random.Random(position)
    lists = [[draw.choice(words) for _ in range(draw.randint(1, 4))] for _ in range(1200)]
    cells = [{f"item {i}": w.upper() + " " for i, w in enumerate(ws)} if k % 2 else ws for k, ws in enumerate(lists)]
    prop = PAPER[position]
    got = prop.encode(prop.read(cells[:600]), prop.read(cells[600:]), encoding)
    means = [
        (mean_of([score(w) for w in ws]), mean_of([score(w) for w in vs]))
        for ws, vs in zip(lists[:600], lists[600:], strict=True)
    ]
    np.testing.assert_allclose(got, [twin_likert(a, b, encoding) for a, b in means], rtol=0, atol=1e-14)


def test_stances_saturate_beyond_three() -> None:
    prop = PAPER["support stances"]
    a, b = prop.read(STANCES), prop.read(["strongly opposed"] * 5)
    assert prop.encode(a, b, "diff").tolist() == [4, 3, 2, 1, 0]
    assert prop.encode(a, b, "norm_diff").tolist() == [1, 1, 2 / 3, 1 / 3, 0]


def test_mistakes_scores() -> None:
    assert PAPER["correct mistakes"].read(CORRECTIONS).tolist() == [3, 2, 1, 0]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_missing_query_specific_is_zero_and_any_other_is_missing(encoding: str) -> None:
    a, b = [np.nan, 1.0, np.nan, 2.0], [1.0, np.nan, np.nan, 0.0]
    for position, prop in enumerate(PAPER):
        got = prop.encode(a, b, encoding)
        if 23 <= position <= 27:
            assert got[:3].tolist() == [0, 0, 0]
            assert got[3] == twin_likert(2, 0, encoding)
        else:
            assert np.isnan(got[:3]).all()
            assert np.isfinite(got[3])


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_length_rule_on_the_whole_grid(encoding: str) -> None:
    pairs = [(v, w) for v in range(61) for w in range(201)]
    first, second = [v for v, _ in pairs], [w for _, w in pairs]
    expected = [twin_length(v, w, encoding) for v, w in pairs]
    np.testing.assert_allclose(PAPER[28].encode(first, second, encoding), expected, rtol=0, atol=1e-14)
    swapped = [twin_length(w, v, encoding) for v, w in pairs]
    np.testing.assert_allclose(PAPER[28].encode(second, first, encoding), swapped, rtol=0, atol=1e-14)


# The third share matters from 360 words on: 20,000 pairs, most of them near its bounds.
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_length_rule_on_long_responses(encoding: str) -> None:
    draw = random.Random(28)
    short = [draw.randint(12, 1500) for _ in range(20_000)]
    long = [max(0, round(s / draw.choice((0.7, 0.8, 0.9, 1))) + draw.randint(-3, 3)) for s in short]
    expected = [twin_length(v, w, encoding) for v, w in zip(short, long, strict=True)]
    np.testing.assert_allclose(PAPER[28].encode(short, long, encoding), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("short", "bound"), LONGER_BY_TABLE.items())
def test_length_table_at_below_and_above_each_bound(short: int, bound: int) -> None:
    words = [bound - 1, bound, bound + 1]
    assert PAPER["lengthy"].encode(words, [short] * 3).tolist() == [0, 1, 1]
    assert PAPER["lengthy"].encode([short] * 3, words).tolist() == [0, -1, -1]


@pytest.mark.parametrize(
    ("short", "first_clear"),
    [
        (12, 22),  # 0.7 holds from 18 on: the gap of 10 decides
        (24, 35),  # the gap of 10 holds from 34 on: the share of 0.7 decides
        (28, 40),  # exactly 0.7
        (60, 80),  # 0.8 holds from 75 on: the gap of 20 decides
        (100, 125),  # exactly 0.8, and the gap is more than 20
        (200, 240),  # 0.9 holds from 223 on: the gap of 40 decides
        (450, 500),  # exactly 0.9, and the gap is more than 40
    ],
)
def test_length_shares_and_gaps_at_their_bounds(short: int, first_clear: int) -> None:
    longer = [first_clear - 1, first_clear, first_clear + 1]
    assert PAPER["lengthy"].encode(longer, [short] * 3).tolist() == [0, 1, 1]


def test_length_norm_diff_known_answers() -> None:
    got = PAPER["lengthy"].encode([64, 0, 501, 500, 7, 0], [120, 500, 0, 1, 7, 9999], "norm_diff")
    assert got[0] == pytest.approx(-0.6504, abs=5e-5)  # the paper's example of 64 against 120 words
    assert got[[1, 2, 4, 5]].tolist() == [-1, 1, 0, -1]
    assert got[3] == pytest.approx(math.log(500) / math.log(501), abs=1e-14)
    assert got[3] < 1


def ratings_of(prop: Property, units: Sequence[float | None]) -> np.ndarray:
    """Turn numbers in [0, 1] into ratings of the property, None into a missing one."""
    low, high = prop.range or (0, 8 if prop.kind == "count" else 60)
    if prop.labels is not None:
        low, high = min(prop.labels.values()), max(prop.labels.values())
    return np.array([np.nan if u is None else round(low + u * (high - low)) for u in units])


UNITS = st.lists(st.tuples(st.none() | st.floats(0, 1), st.none() | st.floats(0, 1)), min_size=1, max_size=30)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(units=UNITS)
def test_swapping_a_and_b_flips_the_sign_for_every_property(encoding: str, units) -> None:
    for prop in PAPER:
        a, b = ratings_of(prop, [u for u, _ in units]), ratings_of(prop, [u for _, u in units])
        np.testing.assert_array_equal(prop.encode(a, b, encoding), -prop.encode(b, a, encoding))


@given(
    pairs=st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=1, max_size=20),
    threshold=st.floats(0, 20),
    scale=st.floats(0.1, 100),
    compare=st.sampled_from(["sign", "nonzero"]),
    direction=st.sampled_from(["higher", "lower"]),
    encoding=st.sampled_from(ENCODINGS),
)
def test_swapping_and_turning_round_flip_the_sign_of_any_number(
    pairs, threshold, scale, compare, direction, encoding
) -> None:
    made = {"id": "x", "kind": "number", "threshold": threshold, "scale": scale, "compare": compare}
    prop = Property(direction=direction, **made)
    a, b = np.array(pairs).T
    got = prop.encode(a, b, encoding)
    np.testing.assert_array_equal(got, -prop.encode(b, a, encoding))
    turned = Property(direction="lower" if direction == "higher" else "higher", **made)
    np.testing.assert_array_equal(got, -turned.encode(a, b, encoding))


def test_differences_below_the_threshold_count_as_equal() -> None:
    prop = Property(id="x", kind="number", threshold=0.5, scale=2)
    a, b = [0.49, 0.5, 0.51, -0.5, -0.25, 4], [0, 0, 0, 0, 0, 0]
    assert prop.encode(a, b).tolist() == [0, 1, 1, -1, 0, 1]
    assert prop.encode(a, b, "diff").tolist() == [0, 0.5, 0.51, -0.5, 0, 4]
    assert prop.encode(a, b, "norm_diff").tolist() == [0, 0.25, 0.255, -0.25, 0, 1]


def test_scales_by_kind_and_as_stated() -> None:
    rating = Property(id="x", kind="rating", range=(1, 5))
    assert rating.encode([5, 2], [1, 1], "norm_diff").tolist() == [1, 0.25]
    assert Property(id="x", kind="rating", range=(1, 5), scale=2).encode([5, 2], [1, 1], "norm_diff").tolist() == [
        1,
        0.5,
    ]
    label = Property(id="x", kind="label", labels={"bad": -1, "fair": 0, "good": 3})
    assert label.encode(label.read(["good", "fair"]), label.read(["bad", "bad"]), "norm_diff").tolist() == [1, 0.25]
    count = Property(id="x", kind="count", direction="higher")
    assert count.encode([4, 0], [0, 9], "norm_diff").tolist() == [0.8, -1]
    number = Property(id="x", kind="number")
    with pytest.raises(OptionError, match="'x' has no scale"):
        number.encode([1], [0], "norm_diff")
    assert number.encode([1, 30], [0, 0], "norm_diff", scale=10).tolist() == [0.1, 1]


def test_ready_made_differences_keep_their_direction() -> None:
    given_ = [2.0, -0.5, 0.0, np.nan]
    lower = Property(id="x", kind="number", direction="lower", scale=4)
    np.testing.assert_array_equal(lower.encode_difference(given_), [1, -1, 0, np.nan])
    np.testing.assert_array_equal(lower.encode_difference(given_, "diff"), given_)
    np.testing.assert_array_equal(lower.encode_difference(given_, "norm_diff"), [0.5, -0.125, 0, np.nan])
    np.testing.assert_array_equal(PAPER["no severe errors"].encode_difference([1, -1, 0]), [1, -1, 0])
    np.testing.assert_array_equal(PAPER["support stances"].encode_difference([1, np.nan]), [1, 0])
    for encoding in ("diff", "norm_diff"):
        with pytest.raises(OptionError, match="'clear'.*comparisons only"):
            PAPER["clear"].encode_difference([1.0], encoding)
