"""What is wrong with a table is one clear error: value, row and valid choices, never a traceback of pandas."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefdissect import PAPER, dissect, load
from prefdissect.errors import PrefDissectError

BASE = {"pair_id": ["p1", "p2", "p3"], "x_a": [1.0, 2, 3], "x_b": [2.0, 2, 1], "judge_human": ["A", "B", "tie"]}
LONG = {
    "pair_id": ["p", "p", "q", "q"],
    "judge": ["human", "gpt", "human", "human"],
    "value": ["A", "B", "tie", "A"],
    "x_a": [1, 1, 2, 2],
    "x_b": [0, 0, 3, 3],
}
NOISE = ("np.", "dtype", "slice(", "Traceback", "\nName:")


def refuse(call: Callable[[], object], *words: str) -> str:
    """The call raises one error of ours that says all the words, in one paragraph without pandas in it."""
    with pytest.raises(PrefDissectError) as caught:
        call()
    message = str(caught.value)
    for word in words:
        assert word in message
    for noise in NOISE:
        assert noise not in message
    assert 10 < len(message) < 1000
    return message


def wide(*words: str, options: dict[str, Any] | None = None, index: Any = None, **columns: object) -> str:
    return refuse(lambda: load(pd.DataFrame({**BASE, **columns}, index=index), **(options or {})), *words)


def rows(*words: str, options: dict[str, Any] | None = None, index: Any = None, **columns: object) -> str:
    return refuse(lambda: load(pd.DataFrame({**LONG, **columns}, index=index), **(options or {})), *words)


# Names that do not exist


def test_unknown_judge() -> None:
    more = {"judge_gpt-4": ["A"] * 3, "judge_gpt-3.5": ["B"] * 3}
    message = wide("'humam'", "close matches: 'human'", options={"judges": ["humam"]}, **more)
    assert "'gpt-4'" in message
    wide("'gpt4'", "'gpt-4'", options={"judges": ["human", "gpt4"]}, **more)
    rows("'humam'", "close matches: 'human'", "'gpt'", options={"judges": ["humam"]})
    refuse(lambda: dissect(pd.DataFrame({**BASE, **more}), judge="humam"), "'humam'", "close matches: 'human'")


def test_unknown_columns() -> None:
    for option in ("scenario", "cluster"):
        wide("'promt'", "'prompt'", options={option: "promt"}, prompt=["u", "v", "w"])
    wide("'promt'", "'prompt'", options={"cases": ["promt"]}, prompt=["u", "v", "w"])
    wide("'resp_id_a'", "'response_id_a'", options={"response_id": "resp_id"}, response_id_a=list("abc"))
    wide("'yy'", "'y'", options={"properties": ["x", "yy"]}, y_a=[1] * 3, y_b=[2] * 3)


def test_a_name_that_is_no_name() -> None:
    for option in ("judges", "properties", "cases"):
        for name in (["x"], None, {"x": 1}, 5.5):
            wide(options={option: [name]})


@pytest.mark.parametrize("option", ["judges", "properties", "cases"])
def test_one_name_instead_of_a_list_is_not_read_letter_by_letter(option: str) -> None:
    """`judges="human"` either works or is refused as it stands; 'h' is nobody's name."""
    columns = {"human_a": [1, 2, 3], "human_b": [3, 2, 1], "human": [1, 0, 1]}
    try:
        data = load(pd.DataFrame({**BASE, **columns}), **{option: "human"})
    except PrefDissectError as error:
        assert "'human'" in str(error)  # noqa: PT017 - both ways are right
        assert "'h'" not in str(error)  # noqa: PT017
    else:
        got = {"judges": data.judges, "properties": data.properties, "cases": list(data.groups.columns)}
        assert got[option] == ["human"]


# Verdicts


@pytest.mark.parametrize(
    "value", ["model_c", "win", "", 2, -1, 1.5, math.inf, "1.5", 10**400, 1j, b"A"], ids=lambda v: repr(v)[:9]
)
def test_unknown_label_value(value: Any) -> None:
    words = ("'human'", repr(value)[:20], "model_a", "tie")
    wide(*words, "'p2'", judge_human=pd.Series(["A", value, "B"], dtype=object))
    rows(*words, "'q'", value=pd.Series(["A", "B", value, "A"], dtype=object))


@pytest.mark.parametrize("value", [["A"], {"winner": "A"}, {"A"}, bytearray(b"A")], ids=lambda v: type(v).__name__)
def test_a_verdict_that_is_a_container(value: object) -> None:
    cells = pd.Series(["A", value, "B"], dtype=object)
    wide("'human'", "'p2'", judge_human=cells)


@pytest.mark.parametrize(("dtype", "value"), [("Int64", 7), ("float64", 7.0), ("int8[pyarrow]", 7), ("float32", 7.0)])
def test_a_number_is_named_as_a_number(dtype: str, value: float) -> None:
    wide(f"{value!r}", "'p2'", "'human'", judge_human=pd.Series([1, 7, 0]).astype(dtype))


@pytest.mark.parametrize("cells", [[None] * 3, [math.nan] * 3, ["invalid"] * 3, pd.array([None] * 3, "string")])
def test_a_judge_without_usable_verdicts(cells: object) -> None:
    table = pd.DataFrame({**BASE, "judge_empty": cells})
    assert load(table).judges == ["human", "empty"]
    refuse(lambda: dissect(table, judge="empty"), "'empty'")


# Ratings


@pytest.mark.parametrize("value", [math.inf, -math.inf])
@pytest.mark.parametrize("dtype", ["float64", "Float64", "double[pyarrow]", "float32"])
def test_infinite_rating(value: float, dtype: str) -> None:
    cells = pd.Series([1.0, value, 3.0]).astype(dtype)
    wide(repr(value), "'x'", "'p2'", "infinite", x_a=cells)
    wide(repr(value), "'d'", "'p2'", options={"properties": ["d"]}, d=cells)
    rows("inf", "'x'", "'q'", x_a=[1, 1, math.inf, math.inf])


def test_infinite_rating_is_named_by_pair_whatever_the_index() -> None:
    wide("inf", "'p3'", x_b=[1, 2, math.inf], index=[4, 4, 4])


@pytest.mark.parametrize("cells", [["1", "two", "3"], [1, "two", None], pd.Categorical([1, "two", 3])])
def test_property_that_is_not_numeric(cells: object) -> None:
    wide("'two'", "'y'", "'p2'", "number", options={"properties": ["y"]}, y_a=cells, y_b=[1, 2, 3])
    wide("'two'", "'y'", "'p2'", "number", options={"properties": ["y"]}, y=cells)


@pytest.mark.parametrize(
    "value", [pd.Timestamp("2024-01-01"), 1j, object(), b"1", 10**400, {"k": "u"}, ["u"]], ids=lambda v: repr(v)[:9]
)
def test_property_that_holds_something_else(value: object) -> None:
    cells = pd.Series([1, value, 3], dtype=object)
    wide("'y'", "'p2'", options={"properties": ["y"]}, y_a=cells, y_b=[1, 2, 3])


# Pairs


@pytest.mark.parametrize(
    ("ids", "named"),
    [
        (["p", "q", "p"], "'p'"),
        ([7, 8, 7], "'7'"),
        ([7.0, 8.0, 7.0], "'7'"),
        ([0.5, 8, 0.5], "'0.5'"),
        ([1, "1", 2], "'1'"),
        (pd.Categorical(["p", "q", "p"]), "'p'"),
        (pd.array(["p", "q", "p"], "string[pyarrow]"), "'p'"),
    ],
)
def test_duplicated_pair_id(ids: object, named: str) -> None:
    wide("pair_id", named, "judge", pair_id=ids)
    wide("pair_id", named, "judge", pair_id=ids, index=[3, 3, 3])
    table = pd.DataFrame(BASE).drop(columns="pair_id").set_index(pd.Index(ids, name="pair_id"))
    refuse(lambda: load(table), "pair_id", named)


@pytest.mark.parametrize("ids", [["p", None, "r"], [1, math.nan, 3], pd.array([1, None, 3], "Int64")])
def test_missing_pair_id(ids: object) -> None:
    wide("pair_id", "row 1", pair_id=ids)
    rows("pair_id", "row 1", pair_id=["p", None, "q", "q"], index=[9, 9, 9, 9])


@pytest.mark.parametrize("ids", [[1e20, 2e20, 3.0], [1e300, 1.0, 2.0], [math.inf, 1.0, 2.0]])
def test_enormous_pair_ids_load_or_are_refused(ids: list[float]) -> None:
    try:
        assert load(pd.DataFrame({**BASE, "pair_id": ids})).pairs.index.nunique() == 3
    except PrefDissectError as error:
        assert "pair_id" in str(error)  # noqa: PT017 - refusing is right too


@pytest.mark.parametrize("column", ["pair_id", "prompt_id", "response_id_a", "cluster", "scenario", "prompt"])
def test_text_that_is_not_unicode_loads_or_is_refused(column: str) -> None:
    cells = ["p", "\ud800", "r"]
    try:
        data = load(pd.DataFrame({**BASE, column: pd.Series(cells, dtype=object)}))
    except PrefDissectError as error:
        assert column in str(error)  # noqa: PT017 - refusing is right too
    else:
        assert data.labels["human"].tolist() == [1, 0, 0.5]


# Tables


@pytest.mark.parametrize("long_table", [False, True])
def test_empty_table(long_table: bool) -> None:
    refuse(lambda: load(pd.DataFrame(LONG if long_table else BASE).iloc[:0]), "empty", "x_a")
    refuse(lambda: load(pd.DataFrame()), "empty")


@pytest.mark.parametrize("column", ["x_a", "judge_human", "pair_id", "scenario", "note", "prompt"])
def test_column_name_twice(column: str) -> None:
    table = pd.DataFrame({**BASE, "scenario": "s", "note": "n", "prompt": list("uvw")})
    refuse(lambda: load(pd.concat([table, table[[column]]], axis=1)), repr(column))


@pytest.mark.parametrize("column", ["x_a", "judge", "value", "pair_id", "weight", "note"])
def test_column_name_twice_in_a_long_table(column: str) -> None:
    table = pd.DataFrame({**LONG, "weight": 1.0, "note": "n"})
    refuse(lambda: load(pd.concat([table, table[[column]]], axis=1)), repr(column))


def test_column_names_that_are_the_same_as_text() -> None:
    table = pd.DataFrame(BASE).assign(**{"5": "u"})
    refuse(lambda: load(pd.concat([table, pd.Series([1, 2, 3], name=5)], axis=1)), "'5'")


def test_multi_index_columns() -> None:
    columns = pd.MultiIndex.from_tuples([("x", "a"), ("x", "b"), ("judge", "human")])
    refuse(lambda: load(pd.DataFrame([[1, 2, "A"]], columns=columns)), "column")


# Roles that clash


@pytest.mark.parametrize("column", ["x_a", "judge_human", "pair_id"])
@pytest.mark.parametrize("option", ["cluster", "scenario"])
def test_a_column_of_another_role_groups_pairs_or_is_refused(option: str, column: str) -> None:
    try:
        data = load(pd.DataFrame(BASE), **{option: column})
    except PrefDissectError as error:
        assert repr(column) in str(error)  # noqa: PT017 - refusing is right too
    else:
        found = data.pairs["cluster"] if option == "cluster" else data.groups.idxmax(axis=1)
        assert found.nunique() == pd.Series(BASE[column]).nunique()  # type: ignore[arg-type]


@pytest.mark.parametrize("column", ["judge", "weight", "value"])
def test_a_column_of_verdicts_cannot_describe_pairs(column: str) -> None:
    for options in ({"cluster": column}, {"scenario": column}, {"properties": [column]}):
        rows(repr(column), options=options, weight=[1, 1, 1, 1])


def test_response_ids_that_are_numbers_are_ids_and_no_property() -> None:
    table = pd.DataFrame({**BASE, "rid_a": [10, 20, 30], "rid_b": [40.0, 50.0, math.nan]})
    data = load(table, response_id="rid")
    assert data.properties == ["x"]
    assert data.pairs["response_id_a"].tolist() == ["10", "20", "30"]
    assert data.pairs["response_id_b"].tolist()[:2] == ["40", "50"]
    assert data.pairs["response_id_b"].isna().tolist() == [False, False, True]


def test_cases_must_be_true_or_false() -> None:
    wide("'c'", "'y'", "'p2'", options={"cases": ["c"]}, c=[None, "y", "n"])
    wide("'c'", "2", "'p2'", options={"cases": ["c"]}, c=[0, 2, 1])
    wide("'c'", "scenario", options={"cases": ["c"]}, c=[0, 1, 1], scenario=["c", "d", "d"])


# Long tables


@pytest.mark.parametrize(
    ("column", "cells", "named"),
    [
        ("x_a", [1, 5, 2, 2], ("1", "5", "'p'")),
        ("x_a", [7, None, 2, 2], ("7", "'p'")),
        ("note", ["u", "u", "u", "v"], ("'u'", "'v'", "'q'")),
        ("scenario", ["s", "t", "s", "s"], ("'s'", "'t'", "'p'")),
        ("errors", [[1], [2], [3], [3]], ("[1]", "[2]", "'p'")),
        ("meta", [{}, {}, {"k": 1}, {}], ("{'k': 1}", "'q'")),
    ],
)
def test_inconsistent_rows_of_one_pair(column: str, cells: list[object], named: tuple[str, ...]) -> None:
    rows(repr(column), *named, **{column: cells})


@pytest.mark.parametrize("weight", [-1, -math.inf, math.inf, math.nan, None, "heavy", 1j])
def test_bad_weight(weight: object) -> None:
    cells = [1, 2, weight, 1]
    rows("'weight'", "row 2", weight=cells)
    rows("'weight'", "row 2", weight=pd.Series(cells, dtype=object))
    if weight is not None and weight not in ("heavy", 1j):
        rows("'weight'", str(weight).removesuffix(".0"), weight=cells)


@pytest.mark.parametrize("repeat", [None, math.inf, 0.5, "second", -math.inf])
def test_bad_repeat(repeat: object) -> None:
    rows("'repeat'", "row 3", repeat=[0, 0, 0, repeat])


@pytest.mark.parametrize("first", ["C", "left", 1, 0.5, "tie"])
def test_bad_first(first: object) -> None:
    rows(
        "'first'",
        "row 1",
        repr(first),
        "'A'",
        "'B'",
        "'unknown'",
        first=pd.Series(["A", first, "B", "A"], dtype=object),
    )


def test_long_tables_that_lack_something() -> None:
    frame = pd.DataFrame(LONG)
    refuse(lambda: load(frame.drop(columns="value")), "value", "verdict", "winner")
    refuse(lambda: load(frame.drop(columns="pair_id")), "pair_id", "prompt", "response_a")
    rows("'value'", "'winner'", winner=["A", "B", "A", "B"])
    rows("'judge'", "row 1", judge=["human", None, "human", "human"])
    rows("'p'", "'human'", judge=["human"] * 4, repeat=[0, 0, 0, 1])
    assert load(frame, judges=[]).judges == []


# Anything at all

_GOOD = st.sampled_from([["A", "B", "tie", None], [0, 1, 0.5, None], [1, 2, 3, 4], ["p", "q"], [True, False, None]])
_CELLS = st.sampled_from(
    [None, math.nan, pd.NA, "", "A", "B", "tie", "x", "1", "0.5", 0, 1, 2, -1, 0.5, 1e300, math.inf]
    + [True, False, 10**400, "\ud800", b"A", 1j, pd.Timestamp("2024-01-01"), (1,)]
)
_ODD = _CELLS | st.lists(_CELLS, max_size=2) | st.dictionaries(st.sampled_from("ab"), _CELLS, max_size=1)
_NAMES = ["pair_id", "x_a", "x_b", "id_a", "y_a", "y_b", "judge_h", "judge_a", "judge_b", "judge", "value", "winner"]
_NAMES += ["weight", "first", "repeat", "scenario", "cluster", "prompt", "prompt_id", "response_a", "response_b"]
_NAMES += ["response_id_a", "voter", "c", "d"]
_DTYPES = ["category", "string", "Int64", "Float64", "boolean", "float64", "double[pyarrow]", "string[pyarrow]"]
_OPTIONS = {
    "judges": st.lists(st.sampled_from(["h", "judge_a", "c", "x_a"]), max_size=2),
    "properties": st.lists(st.sampled_from(["x", "c", "d", "y", "weight"]), max_size=2),
    "scenario": st.sampled_from(_NAMES),
    "cases": st.lists(st.sampled_from(["c", "d", "x_a"]), max_size=2),
    "cluster": st.sampled_from(_NAMES),
    "response_id": st.sampled_from(["response_id", "x", "y"]),
}


@st.composite
def columns_of_cells(draw: st.DrawFn, n: int) -> pd.Series:
    """A column of good cells, some of them with an odd one, in any dtype that will take them."""
    cells = draw(st.lists(st.sampled_from(draw(_GOOD)), min_size=n, max_size=n))
    if draw(st.integers(0, 2)) == 0:
        cells[draw(st.integers(0, n - 1))] = draw(_ODD)
    column = pd.Series(cells, dtype=object)
    dtype = draw(st.sampled_from([object, None, *_DTYPES]))
    try:
        return column.infer_objects() if dtype is None else column.astype(dtype)
    except Exception:  # these cells have no such dtype: they stay objects
        return column


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """A good table, wide or long, some of whose columns are replaced, added, or there twice."""
    base = draw(st.sampled_from([BASE, LONG]))
    table = pd.DataFrame(base)
    for _ in range(draw(st.integers(0, 4))):
        name = draw(st.sampled_from([*_NAMES, *base]))
        table[name] = draw(columns_of_cells(len(table)))
    if draw(st.integers(0, 9)) == 0:
        table = pd.concat([table, table[[draw(st.sampled_from(list(table)))]]], axis=1)
    index = draw(st.lists(st.integers(0, 3), min_size=len(table), max_size=len(table)))
    return table.set_axis(pd.Index(index))


@settings(max_examples=100)
@given(table=tables(), options=st.just({}) | st.fixed_dictionaries({}, optional=_OPTIONS))
def test_any_table_loads_or_is_refused(table: pd.DataFrame, options: dict[str, Any]) -> None:
    names, index, cells = list(table.columns), table.index.copy(), str(table.to_numpy().tolist())
    try:
        data = load(table, **options)
    except PrefDissectError as error:
        assert len(str(error)) > 10  # noqa: PT017 - many of these tables are wrong in some way
    else:
        assert data.pairs.index.is_unique
        assert data.ratings.shape == (len(data), 2, len(data.properties))
        assert not np.isinf(data.ratings).any()
        assert data.labels.shape == (len(data), len(data.judges))
        values = data.labels.to_numpy(dtype=float)
        assert ((values >= 0) & (values <= 1) | np.isnan(values)).all()
        assert repr(data).startswith("PreferenceData")
    assert (list(table.columns), str(table.to_numpy().tolist())) == (names, cells)
    assert table.index.equals(index)


# What looks like a property, or like a difference, and is none


@pytest.mark.parametrize("cells", [[1, "?", 3], ["1", "2", "n/a"], ["3,5", 2, 1]])
def test_one_bad_cell_does_not_make_a_property_vanish(cells: list[object]) -> None:
    wide("'y_a'", "row", "properties=", y_a=pd.Series(cells, dtype=object), y_b=[1, 2, 3])
    wide("'y_b'", "row", "properties=", y_b=pd.Series(cells, dtype=object), y_a=[1, 2, 3])


def test_a_number_without_its_other_response_is_hinted_at() -> None:
    report = str(load(pd.DataFrame({**BASE, "tone_a": [1, 2, 3], "tonne_b": [1, 2, 3]})).report)
    assert "tone_a has no column of the other response" in report
    assert "tonne_b has no column of the other response" in report


@pytest.mark.parametrize("name", ["lengthy", "relevant", "clear"])
def test_only_comparisons_can_be_ready_made_for_rules_that_need_both_ratings(name: str) -> None:
    options = {"schema": PAPER, "properties": [name]}
    wide("3.0", repr(name), "'p2'", "(-1, 0, 1)", options=options, **{name: [1, 3, 0]})
    assert load(pd.DataFrame({**BASE, name: [1, -1, 0]}), **options).comparisons[:, 0].tolist() == [1, -1, 0]


def test_labels_in_other_codes_say_how_to_translate() -> None:
    wide("2", ".replace({1: 'A', 2: 'B'", judge_human=[1, 2, 1])
    assert "close matches" not in wide("'draw'", "'tie'", judge_human=["A", "draw", "B"])


def test_a_response_that_is_never_rated_is_a_gap_and_not_text() -> None:
    data = load(pd.DataFrame({**BASE, "y_a": pd.Series([None] * 3, dtype=object), "y_b": [1, 2, 3]}))
    assert data.properties == ["x", "y"]
    assert "never rated" in str(data.report)
    refuse(lambda: dissect(data), "3 no rating of y")
