"""Which column is what, in wide tables and in long ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefdissect import PAPER, PreferenceData, load
from prefdissect.errors import ColumnError

A, B = [1.0, 2.0, 3.0], [2.0, 2.0, 1.0]


def wide(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"x_a": A, "x_b": B, "judge_h": ["A", "B", "tie"], **columns})


def long(**columns: object) -> pd.DataFrame:
    """Two pairs: p is asked of h and g, q twice of h."""
    rows = {"pair_id": ["p", "p", "q", "q"], "judge": ["h", "g", "h", "h"], "value": ["A", "B", "tie", "A"]}
    return pd.DataFrame({**rows, "x_a": [1, 1, 2, 2], "x_b": [0, 0, 3, 3], **columns})


def check_is_wide(data: PreferenceData) -> None:
    """The three pairs of `wide()` were understood, whatever else was in the table."""
    assert data.properties == ["x"]
    assert data.ratings[:, 0, 0].tolist() == A
    assert data.ratings[:, 1, 0].tolist() == B
    assert data.labels["h"].tolist() == [1.0, 0.0, 0.5]


# Ratings


def test_numeric_a_and_b_columns_are_properties_in_the_order_of_the_table() -> None:
    data = load(wide(c_b=[7, 8, 9], c_a=[4, 5, 6], b_a=[0.5, 0.25, 0], b_b=[1, 1, 1])[
        ["b_b", "c_a", "judge_h", "x_a", "b_a", "c_b", "x_b"]
    ])  # fmt: skip
    assert sorted(data.properties) == ["b", "c", "x"]
    of = dict(zip(data.properties, np.moveaxis(data.ratings, 2, 0).tolist(), strict=True))
    assert of["c"] == [[4, 7], [5, 8], [6, 9]]
    assert of["b"] == [[0.5, 1], [0.25, 1], [0, 1]]
    assert of["x"] == [[1, 2], [2, 2], [3, 1]]
    assert np.isnan(data.comparisons).all()
    assert data.comparisons.shape == (3, 3)


@pytest.mark.parametrize("stem", ["id", "index", "context_id", "prompt_idx", "token_pos", "model", "winner_model"])
def test_numbers_that_identify_are_no_properties(stem: str) -> None:
    data = load(wide(**{f"{stem}_a": [10, 20, 30], f"{stem}_b": [40, 50, 60]}))
    check_is_wide(data)
    assert data.pairs[f"{stem}_a"].tolist() == [10, 20, 30]
    assert data.pairs[f"{stem}_b"].tolist() == [40, 50, 60]
    assert f"{stem}_a" in str(data.report)


@pytest.mark.parametrize("stem", ["ids", "valid", "identity", "idx", "pos", "grid", "reindex", "compose", "a", "_a"])
def test_stems_that_only_look_like_identifiers_are_properties(stem: str) -> None:
    data = load(wide(**{f"{stem}_a": [4, 5, 6], f"{stem}_b": [7, 8, 9]}))
    assert data.properties == ["x", stem]
    assert data.ratings[:, :, 1].tolist() == [[4, 7], [5, 8], [6, 9]]


def test_excluded_stem_is_a_property_when_named() -> None:
    data = load(wide(text_pos_a=[4, 5, 6], text_pos_b=[7, 8, 9]), properties=["text_pos"])
    assert data.properties == ["text_pos"]
    assert data.ratings[:, 1, 0].tolist() == [7, 8, 9]


def test_other_columns_are_kept_and_listed() -> None:
    note, text, half, days = ["u", None, "w"], ["r", "s", "t"], [1.5, 2.5, 3.5], pd.to_datetime(["2024-01-01"] * 3)
    data = load(wide(note=note, said_a=text, said_b=text, half_a=half, _a=half, _b=half, when=days))
    check_is_wide(data)
    assert data.pairs["note"].tolist()[::2] == ["u", "w"]
    assert data.pairs["half_a"].tolist() == half
    assert data.pairs["when"].tolist() == list(days)
    for column in ("note", "said_a", "said_b", "half_a", "_a", "when"):
        assert column in data.pairs.columns
        assert column in str(data.report)
        assert column in repr(data)
    for column in ("x_a", "x_b", "judge_h"):
        assert column not in data.pairs.columns


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (np.array([1, 2, 3], "uint8"), [1, 2, 3]),
        (np.array([1, 0.5, 3], "float32"), [1, 0.5, 3]),
        ([True, False, True], [1, 0, 1]),
        ([np.nan] * 3, [np.nan] * 3),
        (pd.array([1, None, 3], "Int64"), [1, np.nan, 3]),
        (pd.array([1.5, None, 3], "Float64"), [1.5, np.nan, 3]),
        (pd.array([True, None, False], "boolean"), [1, np.nan, 0]),
        (pd.array([1, None, 3], "int64[pyarrow]"), [1, np.nan, 3]),
        (pd.array([1.5, None, 3], "double[pyarrow]"), [1.5, np.nan, 3]),
        (pd.array([True, None, False], "bool[pyarrow]"), [1, np.nan, 0]),
        (pd.arrays.SparseArray([1.0, 0, 0]), [1, 0, 0]),
    ],
    ids=lambda v: str(getattr(v, "dtype", "")),
)
def test_ratings_of_every_numeric_dtype(cells: object, read: list[float]) -> None:
    data = load(wide(y_a=cells, y_b=[0, 0, 0]))
    assert data.properties == ["x", "y"]
    np.testing.assert_array_equal(data.ratings[:, 0, 1], read)
    assert data.ratings[:, 1, 1].tolist() == [0, 0, 0]
    assert data.ratings.dtype == np.float64


@pytest.mark.parametrize("cells", [["1", " 2.5 ", None], pd.Categorical([1, 2.5, None]), [1, "2.5", None]])
def test_numbers_in_other_clothes_are_ratings_when_named(cells: object) -> None:
    table = wide(y_a=cells, y_b=[0, 0, 0])
    with pytest.raises(ColumnError, match="'y_a' holds"):  # not named, it must not vanish
        load(table)
    np.testing.assert_array_equal(load(table, properties=["y"]).ratings[:, 0, 0], [1, 2.5, np.nan])


# Named properties and differences


def test_differences_only_when_named() -> None:
    table = wide(d=[0.5, -1, np.nan], e=[9, 9, 9])
    unnamed = load(table)
    check_is_wide(unnamed)
    assert np.isnan(unnamed.comparisons).all()
    assert {"d", "e"} <= set(unnamed.pairs.columns)
    named = load(table, properties=["d", "x"])
    assert named.properties == ["d", "x"]
    np.testing.assert_array_equal(named.comparisons, [[0.5, np.nan], [-1, np.nan], [np.nan, np.nan]])
    np.testing.assert_array_equal(named.ratings[:, :, 0], np.full((3, 2), np.nan))
    assert named.ratings[:, :, 1].tolist() == [[1, 2], [2, 2], [3, 1]]
    assert "d (given as differences)" in str(named.report)
    assert "d" not in named.pairs.columns


def test_a_and_b_columns_win_over_a_column_of_the_same_name() -> None:
    data = load(wide(x=[5, 5, 5]), properties=["x"])
    check_is_wide(data)
    assert np.isnan(data.comparisons).all()


def test_properties_choose_and_the_rest_is_reported() -> None:
    data = load(wide(y_a=[4, 5, 6], y_b=[7, 8, 9]), properties=["y", "y"])
    assert data.properties == ["y"]
    assert data.ratings[:, :, 0].tolist() == [[4, 7], [5, 8], [6, 9]]
    assert data.pairs["x_a"].tolist() == A
    (unused,) = [fact for topic, fact in data.report.facts if topic.startswith("not used")]
    assert "x" in unused.replace("(", " ").split()


def test_schema_decides_order_and_names() -> None:
    columns = {"repetitive_a": [1, 0, 2], "repetitive_b": [0, 0, 1], "lengthy_a": [10, 20, 30], "lengthy_b": [5, 6, 7]}
    schema = PAPER.select(["non-repetitive", "friendly"])
    table = pd.DataFrame({"friendly_a": [1, 2, 3], "friendly_b": [3, 2, 1], **columns, "judge_h": ["A", "B", "A"]})
    data = load(table, schema=schema)
    of = dict(zip(data.properties, np.moveaxis(data.ratings, 2, 0).tolist(), strict=True))
    assert of == {"friendly": [[1, 3], [2, 2], [3, 1]], "non_repetitive": [[1, 0], [0, 0], [2, 1]]}
    assert data.properties == [i for i in PAPER.ids if i in of]
    assert "lengthy" in str(data.report)


# Judges


def test_judge_columns_are_judges() -> None:
    data = load(wide(judge_k=["model_b", None, "model_a"], other=["A", "A", "A"]))
    assert data.judges == ["h", "k"]
    assert data.labels["k"].tolist()[::2] == [0.0, 1.0]
    assert np.isnan(data.labels["k"].iloc[1])
    assert data.pairs["other"].tolist() == ["A", "A", "A"]
    assert "cells without a verdict" in str(data.report)
    assert data.report.to_frame()["n"].tolist() == [1]


@pytest.mark.parametrize("named", [["k", "free"], ["judge_k", "free"]])
def test_judges_by_name_or_column(named: list[str]) -> None:
    data = load(wide(judge_k=["A", "A", "B"], free=[0, 0.5, 1], k=["B", "B", "B"]), judges=named)
    assert data.judges == ["k", "free"]
    assert data.labels.to_dict("list") == {"k": [1, 1, 0], "free": [0, 0.5, 1]}
    assert data.pairs["judge_h"].tolist() == ["A", "B", "tie"]
    assert data.pairs["k"].tolist() == ["B", "B", "B"]


@pytest.mark.parametrize("cells", [(["A", "B", "A"], ["B", "B", "tie"]), ([1, 0, 1], [0, 0, 0.5])])
def test_judge_a_and_judge_b_are_two_judges_and_no_property(cells: tuple[list[object], list[object]]) -> None:
    data = load(wide(judge_a=cells[0], judge_b=cells[1]))
    check_is_wide(data)
    assert data.judges == ["h", "a", "b"]
    assert data.labels[["a", "b"]].to_numpy().tolist() == [[1, 0], [0, 0], [1, 0.5]]


def test_judge_a_and_judge_b_do_not_become_a_property_when_others_are_asked_for() -> None:
    data = load(wide(judge_a=[1, 0, 1], judge_b=[0, 0, 0.5]), judges=["h"])
    check_is_wide(data)
    assert data.judges == ["h"]


def test_empty_judge_column_is_a_judge_without_verdicts() -> None:
    data = load(wide(judge_e=[None, None, None]))
    assert data.judges == ["h", "e"]
    assert data.labels["e"].isna().all()
    assert data.labels["h"].tolist() == [1.0, 0.0, 0.5]
    assert (data.verdicts["judge"] == "e").sum() == 0
    assert data.report.to_frame()["n"].tolist() == [3]


# Long tables


def test_long_table_numbers() -> None:
    data = load(long(note=["u", "u", "v", "v"]))
    assert data.pairs.index.tolist() == ["p", "q"]
    assert data.pairs.index.name == "pair_id"
    assert data.ratings[:, :, 0].tolist() == [[1, 0], [2, 3]]
    assert data.judges == ["h", "g"]
    assert data.labels["h"].tolist() == [1, 0.75]
    assert data.labels["g"].tolist()[:1] == [0]
    assert np.isnan(data.labels.loc["q", "g"])
    assert data.verdicts["repeat"].tolist() == [0, 0, 0, 1]
    assert data.verdicts["weight"].tolist() == [1, 1, 0.5, 0.5]
    assert set(data.verdicts["first"]) == {"unknown"}
    assert data.pairs["note"].tolist() == ["u", "v"]
    assert "note" in str(data.report)


def test_long_table_keeps_pairs_whose_judges_were_not_asked_for() -> None:
    data = load(long(), judges=["g"])
    assert data.judges == ["g"]
    assert len(data) == 2
    assert len(data.verdicts) == 1
    assert data.labels.loc["p", "g"] == 0


@pytest.mark.parametrize("column", ["value", "verdict", "preference", "preferred", "winner", "label"])
def test_long_table_verdict_column_by_any_of_its_names(column: str) -> None:
    assert load(long().rename(columns={"value": column})).labels["h"].tolist() == [1, 0.75]


def test_long_table_without_pair_ids_hashes_the_texts() -> None:
    table = long(prompt=["s", "s", "s", "s"], response_a=["r", "r", "t", "t"], response_b=["u"] * 4)
    data = load(table.drop(columns="pair_id"))
    assert len(data) == 2
    assert data.labels["h"].tolist() == [1, 0.75]
    assert data.pairs["prompt_id"].nunique() == 1
    assert all(len(i) == 16 for i in data.pairs.index)
    again = load(table.drop(columns="pair_id").iloc[::-1])
    assert set(again.pairs.index) == set(data.pairs.index)


def test_long_table_verdict_columns_stay_with_the_verdicts() -> None:
    data = load(long(voter=["v1", "v2", "v3", "v4"], kind=["human"] * 4, run_id=[1, 2, 3, 4]))
    assert data.verdicts["voter"].tolist() == ["v1", "v2", "v3", "v4"]
    assert data.verdicts["run_id"].tolist() == [1, 2, 3, 4]
    assert not {"voter", "kind", "run_id"} & set(data.pairs.columns)


def test_long_table_with_lists_in_a_column() -> None:
    data = load(long(errors=[[1], [1], [2, 3], [2, 3]], meta=[{"k": 1}] * 4))
    assert data.pairs["errors"].tolist() == [[1], [2, 3]]


def test_chats_are_texts_too() -> None:
    """Prompts and responses may be lists of messages, of any length: equal ones have equal ids."""
    ask, answer = {"role": "user", "content": "u"}, {"role": "assistant", "content": "v"}
    data = load(
        wide(prompt=[[ask], [ask, answer, ask], [ask]], response_a=[[], [answer], None], response_b=[[answer]] * 3)
    )
    assert data.pairs["prompt_id"].iloc[0] == data.pairs["prompt_id"].iloc[2]
    assert data.pairs["prompt_id"].nunique() == 2
    assert data.pairs["response_id_a"].isna().tolist() == [False, False, True]
    assert data.pairs["response_id_b"].tolist() == [data.pairs["response_id_a"].iloc[1]] * 3
    assert data.pairs["cluster"].nunique() == 2
    check_is_wide(data)


# Index, names, order


@pytest.mark.parametrize("index", [[0, 0, 1], [5, 5, 5], list("zyx"), [2, 1, 0], [1.5, np.nan, 3]])
@pytest.mark.parametrize("long_table", [False, True])
def test_the_index_of_the_frame_does_not_matter(index: list[object], long_table: bool) -> None:
    table = long(scenario=list("uuvv")) if long_table else wide(scenario=list("uvv"))
    strange = table.set_axis(pd.Index([*index, index[0]][: len(table)]))
    plain, data = load(table), load(strange)
    pd.testing.assert_frame_equal(data.pairs, plain.pairs)
    pd.testing.assert_frame_equal(data.verdicts, plain.verdicts)
    pd.testing.assert_frame_equal(data.groups, plain.groups)
    np.testing.assert_array_equal(data.ratings, plain.ratings)
    assert str(data.report) == str(plain.report)


def test_a_multi_index_does_not_matter() -> None:
    rows = pd.MultiIndex.from_tuples([("u", 1), ("u", 1), ("v", 2)], names=["pair", "k"])
    check_is_wide(load(wide().set_axis(rows)))


def test_an_index_called_pair_id_names_the_pairs() -> None:
    data = load(wide().set_axis(pd.Index([7, 8, 9], name="pair_id")))
    check_is_wide(data)
    assert data.pairs.index.tolist() == ["7", "8", "9"]


@pytest.mark.parametrize("ids", [[3, 1, 2], [3.0, 1.0, 2.0], ["3", "1", "2"], pd.Categorical([3, 1, 2])])
def test_pair_ids_are_text(ids: object) -> None:
    data = load(wide(pair_id=ids))
    check_is_wide(data)
    assert data.pairs.index.tolist() == ["3", "1", "2"]
    assert data.verdicts["pair_id"].tolist() == ["3", "1", "2"]


def test_numbers_as_column_names() -> None:
    data = load(pd.DataFrame([[1, 2, "A", "u"], [3, 1, "B", "v"]], columns=["x_a", "x_b", "judge_h", 5]))
    assert data.ratings[:, :, 0].tolist() == [[1, 2], [3, 1]]
    assert data.pairs["5"].tolist() == ["u", "v"]


@settings(max_examples=20)
@given(order=st.permutations(range(6)), is_long=st.booleans())
def test_row_order_does_not_matter(order: list[int], is_long: bool) -> None:
    ids = ["p", "p", "q", "r", "q", "p"] if is_long else list("abcdef")
    rated = {"p": 1.0, "q": 5.0} if is_long else dict(zip("abcdef", [3.0, 1, 4, 1, 5, 9], strict=True))
    columns = {"pair_id": ids, "x_a": [rated.get(i, 0.5) for i in ids], "x_b": [2.0] * 6}
    verdicts = ["A", "B", 0.25, "tie", None, "A"]
    told = {"judge": list("hhggkk"), "value": verdicts, "weight": [1, 3, 1, 0, 1, 2]} if is_long else {}
    table = pd.DataFrame(columns | (told or {"judge_h": verdicts}))
    straight, mixed = load(table), load(table.iloc[order])
    pd.testing.assert_frame_equal(
        mixed.labels.loc[straight.labels.index, straight.judges], straight.labels, check_column_type=False
    )
    where = mixed.pairs.index.get_indexer(straight.pairs.index)
    np.testing.assert_array_equal(mixed.ratings[where], straight.ratings)
    key = ["pair_id", "judge", "value", "weight"]
    known = [d.verdicts[key].astype({"judge": str}).sort_values(key).to_numpy().tolist() for d in (straight, mixed)]
    assert str(known[0]) == str(known[1])


@settings(max_examples=20)
@given(
    cells=st.lists(
        st.tuples(st.integers(-5, 5), st.integers(-5, 5), st.sampled_from([0, 0.25, 0.5, 1])), min_size=1, max_size=6
    )
)
def test_swapping_the_responses_swaps_ratings_and_turns_labels(cells: list[tuple[int, int, float]]) -> None:
    table = pd.DataFrame(cells, columns=["x_a", "x_b", "judge_h"])
    swapped = table.rename(columns={"x_a": "x_b", "x_b": "x_a"}).assign(judge_h=1 - table["judge_h"])
    one, other = load(table), load(swapped)
    np.testing.assert_array_equal(one.ratings, other.ratings[:, ::-1])
    np.testing.assert_array_equal(one.labels, 1 - other.labels)


@pytest.mark.parametrize("is_long", [False, True])
def test_the_source_is_not_changed(is_long: bool) -> None:
    extra = {"prompt": ["u", None, "u", "w"], "scenario": ["s", "t", None, "s"], 5: [1, 0, 1, 0], "cl": [1, 2, 3, 3]}
    table = long().drop(columns="pair_id").assign(pair_id=list("pqrs"), **{str(k): v for k, v in extra.items()})
    table = table if is_long else table.drop(columns="judge").rename(columns={"value": "judge_h"})
    table = table.set_axis([3, 3, 1, 0]).rename(columns={"5": 5})
    before = table.copy(deep=True)
    data = load(table, scenario="scenario", cases=["5"], cluster="cl")
    data.labels.iloc[:, :] = 9
    data.pairs["prompt"] = "changed"
    data.ratings[:] = 9
    pd.testing.assert_frame_equal(table, before)
    assert data.group_kinds == {"s": "scenario", "t": "scenario", "5": "case"}
