"""One more judge, and ratings that were kept elsewhere."""

from __future__ import annotations

import math
from collections import UserDict

import numpy as np
import pandas as pd
import polars as pl
import pytest

from prefdissect import PAPER, PreferenceData, load
from prefdissect.errors import DataError, PrefDissectError, UnknownNameError

NAN = math.nan


def base(**columns: object) -> PreferenceData:
    table = {"pair_id": ["p", "q", "r"], "x_a": [1.0, 2, 3], "x_b": [2.0, 2, 1], "judge_h": ["A", "B", "tie"]}
    ids = {"response_id_a": ["1", "2", "3"], "response_id_b": ["4", "1", None]}
    return load(pd.DataFrame(table | ids | columns))


def refuse(call: object, *words: str) -> None:
    with pytest.raises(PrefDissectError) as caught:
        call()  # type: ignore[operator]
    message = str(caught.value)
    for word in words:
        assert word in message
    assert "np." not in message
    assert len(message) < 1000


# Judges


@pytest.mark.parametrize(
    ("labels", "read"),
    [
        (["B", None, "tie"], [0, NAN, 0.5]),
        (("B", "A", "tie (bothbad)"), [0, 1, 0.5]),
        (np.array([0.25, NAN, 1]), [0.25, NAN, 1]),
        (np.array(["model_a", "model_b", "tie"]), [1, 0, 0.5]),
        (pd.array(["A", None, "B"], "string"), [1, NAN, 0]),
        ({"r": "A", "p": "B"}, [0, NAN, 1]),
        (UserDict({"q": 1}), [NAN, 1, NAN]),
        (pd.Series(["A", "B"], index=["r", "p"]), [0, NAN, 1]),
        (pd.Series([1, None, 0], index=["q", "p", "r"], dtype="Int64"), [NAN, 1, 0]),
        (pd.Series(["A", None, "B"], index=["q", "p", "r"], dtype="category"), [NAN, 1, 0]),
        ({}, [NAN, NAN, NAN]),
        ([None, None, None], [NAN, NAN, NAN]),
    ],
)
def test_a_judge_by_position_or_by_pair(labels: object, read: list[float]) -> None:
    data = base()
    more = data.with_judge("k", labels)  # type: ignore[arg-type]
    assert more.judges == ["h", "k"]
    np.testing.assert_array_equal(more.labels["k"], read)
    np.testing.assert_array_equal(more.labels["h"], data.labels["h"])
    asked = more.verdicts[more.verdicts["judge"] == "k"]
    assert len(asked) == np.isfinite(read).sum()
    assert (asked["weight"] == 1).all()
    assert (asked["first"] == "unknown").all()
    left_out = dict(more.report.left_out)
    assert sum(n for reason, n in left_out.items() if "k" in reason.split()) == np.isnan(read).sum()


def test_the_data_that_were_extended_stay_as_they_were() -> None:
    data = base()
    verdicts, digest, report = data.verdicts.copy(deep=True), data.hash, str(data.report)
    labels = pd.Series(["A", "B", "A"], index=["r", "q", "p"])
    more = data.with_judge("k", labels)
    joined = data.join_ratings(pd.DataFrame({"pair_id": ["p"], "y_a": [1], "y_b": [2]}))
    pd.testing.assert_frame_equal(data.verdicts, verdicts)
    assert (data.judges, data.properties) == (["h"], ["x"])
    assert (base().hash, str(data.report)) == (digest, report)
    assert len({digest, more.hash, joined.hash}) == 3
    assert labels.index.tolist() == ["r", "q", "p"]


def test_a_judge_equals_the_same_judge_as_a_column() -> None:
    added = base().with_judge("k", ["B", None, 0.25])
    column = base(judge_k=["B", None, 0.25])
    assert added.hash == column.hash
    pd.testing.assert_frame_equal(added.labels, column.labels)
    pd.testing.assert_frame_equal(added.verdicts, column.verdicts)


def test_a_judge_on_pairs_that_are_numbers() -> None:
    data = base(pair_id=[1, 2, 3])
    np.testing.assert_array_equal(data.with_judge("k", {3: "A", 1: "B"}).labels["k"], [0, NAN, 1])
    np.testing.assert_array_equal(data.with_judge("k", pd.Series(["A"], index=[2])).labels["k"], [NAN, 1, NAN])


def test_whole_numbers_name_the_same_pair_with_and_without_a_decimal_point() -> None:
    labels = pd.Series(["A"], index=[2.0])
    for ids in ([1, 2, 3], [1.0, 2.0, 3.0]):
        np.testing.assert_array_equal(base(pair_id=ids).with_judge("k", labels).labels["k"], [NAN, 1, NAN])


def test_a_judge_beside_repeats_orders_and_other_fields() -> None:
    rows = {"pair_id": ["p", "p", "q"], "judge": ["h"] * 3, "value": ["A", "B", None], "weight": [3, 1, 1]}
    data = load(pd.DataFrame(rows | {"first": ["A", "B", "A"], "voter": ["v1", "v2", "v3"]}))
    more = data.with_judge("k", ["tie", "A"])
    assert more.verdicts["weight"].tolist() == [0.75, 0.25, 0, 1, 1]
    assert more.verdicts["first"].tolist() == ["A", "B", "A", "unknown", "unknown"]
    assert more.verdicts["voter"].tolist()[:3] == ["v1", "v2", "v3"]
    np.testing.assert_array_equal(more.labels, [[0.75, 0.5], [NAN, 1]])


def test_the_first_judge_of_data_without_any() -> None:
    data = load(pd.DataFrame({"x_a": [1, 2], "x_b": [2, 1]}))
    assert data.judges == []
    assert data.labels.shape == (2, 0)
    assert data.with_judge("k", ["A", "B"]).labels["k"].tolist() == [1, 0]


def test_labels_that_do_not_fit() -> None:
    data = base()
    refuse(lambda: data.with_judge("h", ["A", "B", "A"]), "'h'")
    refuse(lambda: data.with_judge("k", ["A", "B"]), "2 labels", "3 pairs")
    refuse(lambda: data.with_judge("k", []), "0 labels", "3 pairs")
    refuse(lambda: data.with_judge("k", {"p": "A", "zz": "B", "r2": "A"}), "'zz'", "2", "'p'")
    refuse(lambda: data.with_judge("k", ["A", "B", "win"]), "'win'", "'r'", "'k'", "model_a")
    refuse(lambda: data.with_judge("k", {"q": 7}), "7", "'q'", "'k'")
    with pytest.raises(UnknownNameError, match="'qq'.*close matches: 'q'"):
        data.with_judge("k", {"qq": "A"})


def test_one_pair_twice_in_a_series_of_labels() -> None:
    refuse(lambda: base().with_judge("k", pd.Series(["A", "B"], index=["r", "r"])), "'r'")
    refuse(lambda: base(pair_id=[1, 2, 3]).with_judge("k", {1: "A", "1": "B"}), "'1'")


@pytest.mark.parametrize(
    "labels",
    [None, 3, iter("ABA"), [["A"], ["B"], ["A"]], np.ones((3, 2)), pd.DataFrame({"k": list("ABA")}), [{"a": 1}] * 3],
)
def test_labels_that_are_no_labels(labels: object) -> None:
    with pytest.raises(PrefDissectError):
        base().with_judge("k", labels)  # type: ignore[arg-type]


# Ratings


def test_ratings_by_pair_in_any_order() -> None:
    frame = pd.DataFrame({"pair_id": ["q", "zz", "p"], "y_a": [1, 5, 2], "y_b": [3, 5, 4], "z_b": [6.0, 5, NAN]})
    joined = base().join_ratings(frame.assign(z_a=[7, 7, 7], note="u"))
    of = dict(zip(joined.properties, np.moveaxis(joined.ratings, 2, 0), strict=True))
    assert joined.properties[0] == "x"
    assert of["x"].tolist() == [[1, 2], [2, 2], [3, 1]]
    np.testing.assert_array_equal(of["y"], [[2, 4], [1, 3], [NAN, NAN]])
    np.testing.assert_array_equal(of["z"], [[7, NAN], [7, 6], [NAN, NAN]])
    assert joined.comparisons.shape == (3, 3)
    assert list(joined.schema.ids) == joined.properties
    assert dict(joined.report.left_out)["joined rows that match no pair"] == 1
    np.testing.assert_array_equal(joined.labels, base().labels)


@pytest.mark.parametrize("ids", [["4", "1", "9", "2"], [4, 1, 9, 2], [4.0, 1.0, 9.0, 2.0]])
@pytest.mark.parametrize("as_index", [False, True])
def test_ratings_by_response(ids: list[object], as_index: bool) -> None:
    frame = pd.DataFrame({"response_id": ids, "y": [40, 10, 90, 20], "text": list("uvwx")})
    joined = base().join_ratings(frame.set_index("response_id") if as_index else frame)
    assert joined.properties == ["x", "y"]
    np.testing.assert_array_equal(joined.ratings[:, :, 1], [[10, 40], [20, 10], [NAN, NAN]])
    assert dict(joined.report.left_out)["joined rows that match no pair"] == 1


def test_a_rating_without_response_goes_to_no_pair() -> None:
    """Pair r has no response B: a row of ratings without an id must not become its rating."""
    frame = pd.DataFrame({"response_id": ["1", None, "3"], "y": [10, 99, 30]})
    try:
        joined = base().join_ratings(frame)
    except DataError as error:
        assert "response_id" in str(error)  # noqa: PT017 - refusing the row is right too
    else:
        np.testing.assert_array_equal(joined.ratings[:, :, 1], [[10, NAN], [NAN, 10], [30, NAN]])


def test_response_ids_hashed_from_the_text_join_by_hash() -> None:
    data = load(pd.DataFrame({"response_a": ["u", "v"], "response_b": ["w", "u"]}))
    a, b = data.pairs["response_id_a"], data.pairs["response_id_b"]
    assert a.iloc[0] == b.iloc[1]
    assert len({*a, *b}) == 3
    frame = pd.DataFrame({"response_id": [a.iloc[0], a.iloc[1], b.iloc[0]], "y": [1, 2, 3]})
    assert data.join_ratings(frame).ratings[:, :, 0].tolist() == [[1, 3], [2, 1]]


def test_differences_join_only_when_named() -> None:
    frame = pd.DataFrame({"pair_id": ["r", "p"], "d": [-1, 2], "y_a": [1, 1], "y_b": [0, 2]})
    assert base().join_ratings(frame).properties == ["x", "y"]
    joined = base().join_ratings(frame, properties=["d"])
    assert joined.properties == ["x", "d"]
    np.testing.assert_array_equal(joined.comparisons, [[NAN, 2], [NAN, NAN], [NAN, -1]])
    assert np.isnan(joined.ratings[:, :, 1]).all()


def test_ratings_join_under_a_schema() -> None:
    frame = pd.DataFrame({"response_id": ["1", "4"], "repetitive": [1, 0], "friendly": [3, 2]})
    joined = base().join_ratings(frame, schema=PAPER)
    assert set(joined.properties[1:]) == {"friendly", "non_repetitive"}
    assert joined.ratings[0, :, joined.properties.index("friendly")].tolist() == [3, 2]
    assert joined.schema["non_repetitive"].direction == "lower"
    refuse(lambda: base().join_ratings(frame.assign(friendly=[3, 4]), schema=PAPER), "4.0", "friendly", "'p'", "3")


def test_ratings_from_other_kinds_of_tables_join_twice() -> None:
    one = base().join_ratings(pl.DataFrame({"pair_id": ["p"], "y_a": [1], "y_b": [2]}))
    two = one.join_ratings(pd.DataFrame({"z_a": [5], "z_b": [6]}, index=pd.Index(["q"], name="pair_id")))
    assert two.properties == ["x", "y", "z"]
    np.testing.assert_array_equal(
        two.ratings[:, :, 1:], [[[1, NAN], [2, NAN]], [[NAN, 5], [NAN, 6]], np.full((2, 2), NAN)]
    )


@pytest.mark.parametrize("cells", [[True, False], pd.array([1, 0], "Int64"), pd.array([1.0, 0.0], "double[pyarrow]")])
def test_joined_ratings_of_other_dtypes(cells: object) -> None:
    """Rows that match no pair leave gaps: they must not change what is a number."""
    by_response = pd.DataFrame({"response_id": ["1", "4"], "y": cells})
    by_pair = pd.DataFrame({"pair_id": ["p", "r"], "y_a": cells, "y_b": [0, 0]})
    joined = base().join_ratings(by_response)
    assert joined.properties == ["x", "y"]
    np.testing.assert_array_equal(joined.ratings[:, :, 1], [[1, 0], [NAN, 1], [NAN, NAN]])
    joined = base().join_ratings(by_pair)
    assert joined.properties == ["x", "y"]
    np.testing.assert_array_equal(joined.ratings[:, :, 1], [[1, 0], [NAN, NAN], [0, 0]])


def test_ratings_that_do_not_fit() -> None:
    data = base()
    pair = {"pair_id": ["p", "q"], "y_a": [1.0, 2], "y_b": [3.0, 4]}

    def join(**columns: object) -> object:
        frame = pd.DataFrame(pair | columns)
        return lambda: data.join_ratings(frame)

    refuse(join(pair_id=["p", "p"]), "'p'", "pair_id")
    refuse(join(pair_id=["zz", "yy"]), "pair_id", "'zz'", "'p'")
    refuse(join(y_a=[math.inf, 1]), "inf", "'y'", "'p'")
    refuse(join(x_a=[1, 2], x_b=[1, 2]), "'x'")
    refuse(lambda: data.join_ratings(pd.DataFrame(pair).drop(columns="pair_id")), "pair_id", "response_id", "y_a")
    refuse(lambda: data.join_ratings(pd.DataFrame({"pair_id": ["p"], "note": ["u"]})), "note")
    refuse(lambda: data.join_ratings(pd.DataFrame(pair), properties=["yy"]), "'yy'", "'y'")
    refuse(lambda: data.join_ratings(pd.DataFrame(pair).iloc[:0]), "empty")
    refuse(lambda: data.join_ratings(3), "int")  # type: ignore[arg-type]
    refuse(lambda: data.join_ratings(pd.DataFrame(pair | {"y_a": ["u", "v"]}), properties=["y"]), "'u'", "'y'", "'p'")


def test_ratings_by_response_where_no_response_has_an_id() -> None:
    data = load(pd.DataFrame({"x_a": [1], "x_b": [2]}))
    refuse(lambda: data.join_ratings(pd.DataFrame({"response_id": ["1"], "y": [1]})), "response_id")


def test_joined_ratings_follow_the_schema_of_the_data() -> None:
    """More errors are worse: a plain number of them would turn the sign of its weight round."""
    data = load(pd.DataFrame({"pair_id": ["p"], "clear_a": [1], "clear_b": [2]}), schema=PAPER)
    more = data.join_ratings(pd.DataFrame({"pair_id": ["p"], "severe_errors_a": [3], "severe_errors_b": [0], "n": [1]}))
    assert more.properties == ["clear", "no_severe_errors"]
    assert more.schema["no_severe_errors"].direction == "lower"
    assert "2: clear, no_severe_errors" in str(more.report)
    assert "not joined" in str(more.report)


def test_the_report_names_joined_ratings_once() -> None:
    first = pd.DataFrame({"pair_id": ["p"], "clear_a": [1], "clear_b": [2]})
    many = pd.DataFrame({"pair_id": ["p"], **{f"m{i}_{side}": [i] for i in range(9) for side in "ab"}})
    facts = dict(load(first).join_ratings(many).report.facts)
    assert facts["properties"] == "10: clear, m0, m1, m2, m3, m4, m5, m6, m7, m8"
    assert facts["ratings joined"] == "9 of them: m0, m1, m2, m3, m4, m5, and 3 more"
    alone = load(pd.DataFrame({"pair_id": ["p"], "judge_j": ["A"]})).join_ratings(first)
    assert dict(alone.report.facts)["ratings joined"] == "all of them"


def test_the_report_does_not_go_on_missing_what_was_joined() -> None:
    data = load(
        pd.DataFrame({"pair_id": ["p"], "clear_a": [1], "clear_b": [2]}), schema=PAPER.select(["clear", "novel"])
    )
    assert dict(data.report.facts)["not rated"] == "novel"
    more = data.join_ratings(pd.DataFrame({"pair_id": ["p"], "novel_a": [1], "novel_b": [2]}))
    assert "not rated" not in dict(more.report.facts)


def test_the_report_keeps_up_with_a_new_judge() -> None:
    more = base().with_judge("k", ["invalid", "tie", "A"])
    facts = dict(more.report.facts)
    assert facts["judges"].endswith(", k")
    assert str(len(more.verdicts)) in facts["verdicts"]
    assert ("invalid verdicts of k", 1) in more.report.left_out


def test_one_property_to_join_is_named_without_a_list() -> None:
    frame = pd.DataFrame({"pair_id": ["p"], "tone_a": [1], "tone_b": [2], "mood_a": [1], "mood_b": [2]})
    assert base().join_ratings(frame, properties="tone").properties == ["x", "tone"]


def test_a_property_is_named_by_its_columns_too() -> None:
    table = pd.DataFrame({"severe_errors_a": [1], "severe_errors_b": [0]})
    assert load(table, schema=PAPER, properties=["severe_errors"]).properties == ["no_severe_errors"]
