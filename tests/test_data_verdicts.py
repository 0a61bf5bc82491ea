"""From cells to verdicts, from verdicts to labels: numbers against a brute-force twin."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefdissect import load
from prefdissect.errors import DuplicateError, VerdictError

WORDS = [
    ("A", 1, "A"),
    ("b", 0, "B"),
    ("tie", 0.5, "tie"),
    ("Tie", 0.5, "tie"),
    (" A \n", 1, "A"),
    ("model_a", 1, "A"),
    ("model_b", 0, "B"),
    ("tie (bothbad)", 0.5, "both_bad"),
    ("both_bad", 0.5, "both_bad"),
    ("response_1", 1, "A"),
    ("response_2", 0, "B"),
    ("response_a", 1, "A"),
    ("response_b", 0, "B"),
    ("1", 1, "A"),
    ("0.0", 0, "B"),
    ("0.5", 0.5, "tie"),
    ("0.7", 0.7, "soft"),
    (1, 1, "A"),
    (0, 0, "B"),
    (0.5, 0.5, "tie"),
    (0.2, 0.2, "soft"),
    (np.float32(0.25), 0.25, "soft"),
    (True, 1, "A"),
    (np.False_, 0, "B"),
    ("invalid", math.nan, "invalid"),
]
NO_VERDICTS = ["C", "", "model_c", "response_3", "nan", "inf", "1.5", "-0.1", 2, -1, 1.0000001, math.inf, -math.inf]


def ask(**columns: object) -> pd.DataFrame:
    """A table of one row per verdict, all of judge h on pair p unless told otherwise."""
    n = len(columns["value"])  # type: ignore[arg-type]
    return pd.DataFrame({"pair_id": ["p"] * n, "judge": ["h"] * n, "x_a": [1] * n, "x_b": [2] * n, **columns})


@pytest.mark.parametrize(("cell", "value", "outcome"), WORDS, ids=repr)
@pytest.mark.parametrize("layout", ["wide", "long"])
def test_vocabulary(cell: object, value: float, outcome: str, layout: str) -> None:
    cells = pd.Series([cell, "B"], dtype=object)
    table = ask(value=cells, pair_id=["p", "q"]) if layout == "long" else pd.DataFrame({"judge_h": cells})
    data = load(table)
    np.testing.assert_array_equal(data.verdicts["value"], [value, 0.0])
    assert data.verdicts["outcome"].tolist() == [outcome, "B"]
    assert data.verdicts["weight"].tolist() == [0.0 if math.isnan(value) else 1.0, 1.0]
    np.testing.assert_array_equal(data.labels["h"], [value, 0.0])


@pytest.mark.parametrize("cell", NO_VERDICTS, ids=repr)
@pytest.mark.parametrize("layout", ["wide", "long"])
def test_what_is_no_verdict_is_an_error(cell: object, layout: str) -> None:
    cells = pd.Series(["A", cell, "B", cell], dtype=object)
    ids = ["p1", "p2", "p3", "p4"]
    columns = {"value": cells} if layout == "long" else {"judge_h": cells}
    table = pd.DataFrame({"pair_id": ids, **({"judge": ["h"] * 4} if layout == "long" else {}), **columns})
    with pytest.raises(VerdictError) as caught:
        load(table)
    message = str(caught.value)
    assert "'h'" in message
    assert "'p2'" in message
    assert repr(cell) in message
    assert "model_a" in message
    assert "tie" in message


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (pd.Categorical(["A", None, "tie"]), [1, math.nan, 0.5]),
        (pd.Categorical([1.0, None, 0.5]), [1, math.nan, 0.5]),
        (pd.array(["A", None, "tie"], "string"), [1, math.nan, 0.5]),
        (pd.array(["A", None, "tie"], "string[pyarrow]"), [1, math.nan, 0.5]),
        (pd.array([1, None, 0], "Int64"), [1, math.nan, 0]),
        (pd.array([1, None, 0], "int8[pyarrow]"), [1, math.nan, 0]),
        (pd.array([0.3, None, 0], "Float64"), [0.3, math.nan, 0]),
        (pd.array([True, None, False], "boolean"), [1, math.nan, 0]),
        (pd.array([True, None, False], "bool[pyarrow]"), [1, math.nan, 0]),
        (np.array([1, 0.5, 0], "float32"), [1, 0.5, 0]),
        ([1, "0", "B"], [1, 0, 0]),
        ([True, math.nan, 0.5], [1, math.nan, 0.5]),
        ([pd.NA, "A", None], [math.nan, 1, math.nan]),
    ],
    ids=lambda v: str(getattr(v, "dtype", "")),
)
def test_verdicts_of_every_dtype(cells: object, labels: list[float]) -> None:
    data = load(pd.DataFrame({"judge_h": cells}))
    np.testing.assert_array_equal(data.labels["h"], labels)
    assert len(data.verdicts) == int(np.isfinite(labels).sum())


def test_an_empty_cell_was_not_asked_and_an_empty_row_is_invalid() -> None:
    wide = load(pd.DataFrame({"judge_h": ["A", None, "invalid"]}))
    assert wide.verdicts["outcome"].tolist() == ["A", "invalid"]
    rows = load(ask(pair_id=["p", "q", "r"], value=["A", None, "invalid"]))
    assert rows.verdicts["outcome"].tolist() == ["A", "invalid", "invalid"]
    for data in (wide, rows):
        np.testing.assert_array_equal(data.labels["h"], [1, math.nan, math.nan])
        assert data.verdicts["weight"].tolist() == [1.0] + [0.0] * (len(data.verdicts) - 1)


def test_two_orders_that_disagree_are_half_and_both_are_kept() -> None:
    data = load(ask(value=["A", "B"], first=["A", "B"]))
    assert data.labels.loc["p", "h"] == 0.5
    assert data.verdicts["outcome"].tolist() == ["A", "B"]
    assert data.verdicts["first"].tolist() == ["A", "B"]
    assert data.verdicts["repeat"].tolist() == [0, 0]
    assert data.verdicts["weight"].tolist() == [0.5, 0.5]


def test_weights_are_shared_over_the_usable_verdicts() -> None:
    data = load(ask(value=["A", None, "tie", "B"], weight=[3, 100, 1, 4]))
    assert data.verdicts["weight"].tolist() == [3 / 8, 0, 1 / 8, 4 / 8]
    assert data.labels.loc["p", "h"] == (3 * 1 + 1 * 0.5 + 4 * 0) / 8


@pytest.mark.parametrize("scale", [1e-300, 1e-10, 1e10, 1e300, 1.7e308 / 4])
def test_the_unit_of_the_weights_does_not_matter(scale: float) -> None:
    data = load(ask(value=["A", "B", "tie"], weight=np.array([2, 1, 1]) * scale))
    assert data.labels.loc["p", "h"] == pytest.approx(0.625, rel=1e-12)
    assert data.verdicts["weight"].to_numpy() == pytest.approx([0.5, 0.25, 0.25], rel=1e-12)


def test_weights_of_zero_leave_no_label() -> None:
    data = load(ask(value=["A", "B", "A"], weight=[0, 0, 5], judge=["h", "h", "g"]))
    assert math.isnan(data.labels.loc["p", "h"])
    assert data.labels.loc["p", "g"] == 1
    assert data.verdicts["weight"].tolist() == [0, 0, 1]


@pytest.mark.parametrize("dtype", ["int64", "float32", "Int64", "Float64", "double[pyarrow]", object])
def test_weights_of_every_numeric_dtype(dtype: object) -> None:
    data = load(ask(value=["A", "B"], weight=pd.Series([3, 1]).astype(dtype)))
    assert data.verdicts["weight"].tolist() == [0.75, 0.25]
    assert data.labels.loc["p", "h"] == 0.75


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["A", "B", "unknown"], ["A", "B", "unknown"]),
        (["model_a", " Response_2 ", None], ["A", "B", "unknown"]),
        (["a", "b", ""], ["A", "B", "unknown"]),
        (pd.Categorical(["A", "B", None]), ["A", "B", "unknown"]),
        (pd.array(["A", "B", None], "string"), ["A", "B", "unknown"]),
        (pd.array(["A", "B", None], "string[pyarrow]"), ["A", "B", "unknown"]),
        ([None, None, None], ["unknown"] * 3),
        ([math.nan] * 3, ["unknown"] * 3),
        (pd.array([None] * 3, "Int64"), ["unknown"] * 3),
    ],
    ids=lambda v: str(getattr(v, "dtype", "")),
)
def test_which_response_came_first(cells: object, first: list[str]) -> None:
    data = load(ask(value=["A", "A", "B"], first=cells))
    assert data.verdicts["first"].tolist() == first
    assert data.labels.loc["p", "h"] == pytest.approx(2 / 3)


def test_first_never_turns_a_verdict() -> None:
    """Outcomes are by content: whoever was seen second, A is A."""
    for first in ("A", "B", "unknown"):
        assert load(ask(value=["A"], first=[first])).labels.loc["p", "h"] == 1


def test_repeats_are_counted_where_the_source_has_none() -> None:
    data = load(ask(value=["A", "A", "B", "B", "A"], first=["A", "B", "A", "A", "B"], judge=list("hhhhg")))
    assert data.verdicts["repeat"].tolist() == [0, 0, 1, 2, 0]
    assert data.labels.loc["p"].to_dict() == {"h": 0.5, "g": 1.0}


@pytest.mark.parametrize("cells", [[5, 2], [5.0, 2.0], ["5", "2"], pd.array([5, 2], "Int64")])
def test_given_repeats_are_kept(cells: object) -> None:
    assert load(ask(value=["A", "B"], repeat=cells)).verdicts["repeat"].tolist() == [5, 2]


def test_the_same_key_twice_is_an_error() -> None:
    with pytest.raises(DuplicateError) as caught:
        load(ask(value=["A", "B", "A"], repeat=[0, 1, 1], first=["B", "B", "B"]))
    assert all(word in str(caught.value) for word in ("'p'", "'h'", "'B'", "1"))
    assert "np." not in str(caught.value)
    assert len(load(ask(value=["A", "B", "A"], repeat=[0, 1, 1], first=["A", "A", "B"])).verdicts) == 3


_ASKED = st.tuples(
    st.sampled_from(["p", "q", "r"]),
    st.sampled_from(["h", "g"]),
    st.sampled_from(["A", "B", "unknown"]),
    st.sampled_from(["A", "B", "tie", "tie (bothbad)", 1, 0, 0.5, 0.125, "0.3", None, "invalid"]),
    st.sampled_from([0, 1, 0.5, 3, 10]),
)
_VALUES = {"A": 1.0, "B": 0.0, "tie": 0.5, "tie (bothbad)": 0.5, "0.3": 0.3}


@settings(max_examples=25)
@given(asked=st.lists(_ASKED, min_size=1, max_size=12))
def test_labels_are_the_weighted_mean(asked: list[tuple[str, str, str, object, float]]) -> None:
    table = pd.DataFrame(asked, columns=["pair_id", "judge", "first", "value", "weight"]).astype({"value": object})
    data = load(table)
    assert len(data.verdicts) == len(asked)
    for pair in data.pairs.index:
        for judge in data.judges:
            answers = [(v, w) for p, j, _, v, w in asked if (p, j) == (pair, judge) and v not in (None, "invalid")]
            usable = [(_VALUES.get(str(v), v), w) for v, w in answers if w > 0]
            total = sum(w for _, w in usable)
            expected = sum(v * w for v, w in usable) / total if usable else math.nan  # type: ignore[operator]
            assert data.labels.loc[pair, judge] == pytest.approx(expected, nan_ok=True)
            rows = data.verdicts[(data.verdicts["pair_id"] == pair) & (data.verdicts["judge"] == judge)]
            assert rows["weight"].sum() == pytest.approx(1.0 if usable else 0.0)
            assert (rows["weight"][rows["value"].isna()] == 0).all()


@settings(max_examples=20)
@given(asked=st.lists(_ASKED, min_size=1, max_size=10))
def test_every_key_is_unique_and_outcomes_agree_with_values(asked: list[tuple[object, ...]]) -> None:
    table = pd.DataFrame(asked, columns=["pair_id", "judge", "first", "value", "weight"]).astype({"value": object})
    verdicts = load(table).verdicts
    assert not verdicts.duplicated(["pair_id", "judge", "first", "repeat"]).any()
    for value, outcome in zip(verdicts["value"], verdicts["outcome"], strict=True):
        if outcome == "soft":
            assert 0 < value < 1
            assert value != 0.5
        else:
            expected = {"A": 1, "B": 0, "tie": 0.5, "both_bad": 0.5, "invalid": math.nan}[outcome]
            assert value == expected or (math.isnan(value) and math.isnan(expected))
