"""Properties and schemas: cells become ratings, files round trip, and contradictions are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefdissect import PAPER, Property, PropertySchema
from prefdissect.errors import FileFormatError, RatingError, SchemaError

CLEAR = PAPER["clear"]
STANCES = PAPER["support stances"]
NAN = float("nan")

# Reading cells


@pytest.mark.parametrize(
    ("cell", "rating"),
    [
        (2, 2),
        (2.5, 2.5),
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (True, 1),
        ("2", 2),
        (" 3 ", 3),
        ("1.5", 1.5),
        ([1, 2], 1.5),
        (["0", 3, "3"], 2),
        ((3, 0, 0), 1),
        (np.array([1, 3]), 2),
        ({"under 50 words": "3", "in French": 0}, 1.5),
        ([], NAN),
        ({}, NAN),
        (None, NAN),
        (NAN, NAN),
        (np.float64("nan"), NAN),
        (pd.NA, NAN),
        (pd.NaT, NAN),
    ],
)
def test_a_cell_becomes_a_rating(cell: Any, rating: float) -> None:
    # Between a number and a missing cell, so that its place and its neighbours are seen too.
    np.testing.assert_array_equal(CLEAR.read([0, cell, None]), [0, rating, NAN])
    column = pd.Series([0, cell, None], index=[7, 8, 9], dtype=object)
    np.testing.assert_array_equal(CLEAR.read(column, column.index), [0, rating, NAN])


@pytest.mark.parametrize(
    ("cell", "score"),
    [
        ("neutral", 0),
        ("Strongly Supported", 2),
        ("  weakly OPPOSED\n", -1),
        ("STRONGLY OPPOSED", -2),
        (["strongly supported", "neutral", "Strongly supported "], 4 / 3),
        ({"dogs are better": "weakly supported", "cats are worse": "weakly opposed"}, 0),
        (None, NAN),
        ([], NAN),
        (-1, -1),
    ],
)
def test_a_label_becomes_its_score(cell: Any, score: float) -> None:
    np.testing.assert_array_equal(STANCES.read(["weakly supported", cell]), [1, score])


@pytest.mark.parametrize(
    "column",
    [
        [1, 2, None],
        [1.0, 2.0, NAN],
        np.array([1.0, 2.0, NAN]),
        np.array([1, 2, None], dtype=object),
        np.array([1, 2, NAN], dtype=np.float32),
        pd.Series([1.0, 2.0, NAN]),
        pd.Series([1, 2, pd.NA], dtype="Int64"),
        pd.Series([1, 2, pd.NA], dtype="UInt8"),
        pd.Series([1, 2, pd.NA], dtype="Float64"),
        pd.Series([1, 2, pd.NA], dtype="int64[pyarrow]"),
        pd.Series([1, 2, pd.NA], dtype="double[pyarrow]"),
        pd.Series(["1", "2", None], dtype="str"),
        pd.Series(["1", "2", None], dtype="string"),
        pd.Series(["1", "2", None], dtype="category"),
        pd.array([1, 2, pd.NA], dtype="Int64"),
    ],
    ids=lambda column: f"{type(column).__name__}-{getattr(column, 'dtype', '')}",
)
def test_columns_of_every_type_are_read_alike(column: Any) -> None:
    np.testing.assert_array_equal(CLEAR.read(column), [1, 2, NAN])


def test_whole_and_boolean_columns_are_numbers() -> None:
    assert CLEAR.read(np.array([0, 3], dtype=np.uint8)).tolist() == [0, 3]
    assert CLEAR.read(pd.Series([3, 0])).tolist() == [3, 0]
    assert CLEAR.read(np.array([True, False])).tolist() == [1, 0]
    np.testing.assert_array_equal(CLEAR.read(pd.Series([True, pd.NA], dtype="boolean")), [1, NAN])
    assert CLEAR.read([]).tolist() == []


# A table of one item per list is no matrix: numpy must not take the lists for its rows.
@pytest.mark.parametrize("length", [1, 2, 3])
def test_lists_of_equal_length_are_cells(length: int) -> None:
    cells = [[k] * length for k in range(4)]
    for column in (cells, pd.Series(cells), [np.array(c) for c in cells], [tuple(c) for c in cells]):
        assert CLEAR.read(column).tolist() == [0, 1, 2, 3]
    assert CLEAR.read(cells[2:3]).tolist() == [2]


BAD_CELLS = [
    (CLEAR, "abc", r"'abc' of property 'clear' in row 'r1' is not a number"),
    (CLEAR, "", r"'' of property 'clear' in row 'r1' is not a number"),
    (CLEAR, ["2", "x"], r"'x' of property 'clear' in row 'r1' is not a number"),
    (CLEAR, float("inf"), r"inf of property 'clear' in row 'r1' is infinite"),
    (CLEAR, "inf", r"inf of property 'clear' in row 'r1' is infinite"),
    (CLEAR, float("-inf"), r"-inf of property 'clear' in row 'r1' is infinite"),
    (CLEAR, 7, r"7.0 of property 'clear' in row 'r1' is outside 0 to 3"),
    (CLEAR, "7", r"7.0 of property 'clear' in row 'r1' is outside 0 to 3"),
    (CLEAR, -0.5, r"-0.5 of property 'clear' in row 'r1' is outside 0 to 3"),
    (CLEAR, b"2", r"b'2' of property 'clear' in row 'r1' is a bytes, not a rating"),
    (CLEAR, pd.Timestamp("2024-05-16"), r"2024-05-16.* of property 'clear' in row 'r1' is a Timestamp, not a rating"),
    (STANCES, "strongly suported", r"'strongly suported' .*'support_stances' in row 'r1' .*matches: 'strongly supp"),
    (STANCES, ["neutral", "meh"], r"'meh' of property 'support_stances' in row 'r1' is no label.*'weakly opposed'"),
    (STANCES, 3, r"3.0 of property 'support_stances' in row 'r1' is outside -2 to 2"),
    (PAPER["no severe errors"], -1, r"-1.0 of property 'no_severe_errors' \(rated as 'severe_errors'\) in row 'r1'"),
    (PAPER["lengthy"], -1, r"-1.0 of property 'lengthy' in row 'r1' is outside 0 to inf"),
    (Property(id="x", kind="number"), float("inf"), r"inf of property 'x' in row 'r1' is infinite"),
]


@pytest.mark.parametrize(("prop", "cell", "message"), BAD_CELLS)
def test_an_error_names_value_property_and_row(prop: Property, cell: Any, message: str) -> None:
    for column in ([None, cell, None], pd.Series([None, cell, None], dtype=object)):
        with pytest.raises(RatingError, match=message):
            prop.read(column, ["r0", "r1", "r2"])


def test_an_error_in_a_numeric_column_names_the_first_and_counts_the_rest() -> None:
    with pytest.raises(RatingError, match=r"rating 4\.0 of property 'clear' in row 'q' is outside 0 to 3 \(and 2 more"):
        CLEAR.read(np.array([1.0, 4.0, NAN, -1.0, 9.0]), ["p", "q", "r", "s", "t"])
    with pytest.raises(RatingError, match=r"rating 9\.0 of property 'clear' in row '1' is outside"):
        CLEAR.read(pd.Series([3, 9], dtype="Int64"))


def test_ends_of_the_range_are_inside() -> None:
    prop = Property(id="x", kind="rating", range=(1, 5))
    assert prop.read([1, 5, "1", "5"]).tolist() == [1, 5, 1, 5]
    for outside in (0.999, 5.001):
        with pytest.raises(RatingError, match="outside 1 to 5"):
            prop.read([outside])


@pytest.mark.parametrize(
    ("prop", "cell"), [(CLEAR, [1, 5]), (CLEAR, {"a": -1, "b": 3}), (PAPER["no severe errors"], [-1, 3])]
)
def test_an_item_outside_the_range_is_an_error(prop: Property, cell: Any) -> None:
    with pytest.raises(RatingError, match="outside"):
        prop.read([cell])


# Fields


def test_fields_that_follow_from_others_are_filled_in() -> None:
    prop = Property(id="very_clear", kind="number")
    assert (prop.label, prop.name, prop.rated) == ("very clear", "very clear", "very_clear")
    assert (prop.direction, prop.sign, prop.missing, prop.group) == ("higher", 1, "drop", "basic")
    named = Property(id="x", kind="count", label="short", name="", rated="y")
    assert (named.label, named.name, named.rated) == ("short", "short", "y")
    assert (named.direction, named.sign) == ("lower", -1)
    assert Property(id="x", kind="count", direction="higher").sign == 1


LABELS = {"good": 1, "bad": 0}
CONTRADICTIONS = [
    ({"kind": "rating"}, "`range` goes with kind 'rating'"),
    ({"kind": "number", "range": (0, 3)}, "`range` goes with kind 'rating'"),
    ({"kind": "count", "range": (0, 3)}, "`range` goes with kind 'rating'"),
    ({"kind": "rating", "range": (3, 0)}, "must run from low to high"),
    ({"kind": "rating", "range": (2, 2)}, "must run from low to high"),
    ({"kind": "rating", "range": (0, NAN)}, "must run from low to high"),
    ({"kind": "label"}, "`labels` goes with kind 'label'"),
    ({"kind": "number", "labels": LABELS}, "`labels` goes with kind 'label'"),
    ({"kind": "label", "labels": {"good": 1}}, "at least two different scores"),
    ({"kind": "label", "labels": {"good": 1, "fine": 1}}, "at least two different scores"),
    ({"kind": "label", "labels": {}}, "at least two different scores"),
    ({"kind": "words", "scale": 100}, "takes no scale"),
    ({"kind": "words", "threshold": 5}, "takes no scale"),
    ({"kind": "words", "compare": "nonzero"}, "takes no scale"),
    ({"kind": "number", "scale": 0}, "`scale`.*greater than 0, got 0"),
    ({"kind": "number", "scale": NAN}, "`scale`.*greater than 0, got nan"),
    ({"kind": "number", "threshold": -1}, "`threshold`.*greater than or equal to 0, got -1"),
    ({"kind": "numbr"}, "`kind`.*'rating', 'count', 'label', 'words' or 'number', got 'numbr'"),
    ({}, "`kind`.*required"),
    ({"kind": "number", "sacle": 2}, "`sacle`.*not permitted, got 2"),
    ({"kind": "number", "direction": "up"}, "`direction`.*'higher' or 'lower', got 'up'"),
    ({"kind": "number", "missing": "mean"}, "`missing`.*'drop' or 'zero', got 'mean'"),
    ({"kind": "rating", "range": "0-3"}, "`range`.*got '0-3'"),
]


@pytest.mark.parametrize(("fields", "message"), CONTRADICTIONS)
def test_contradictory_fields_are_schema_errors(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SchemaError, match=rf"'tone'.*{message}"):
        Property(id="tone", **fields)


@pytest.mark.parametrize("fields", [{}, {"id": ""}, {"id": None}, {"id": 5}])
def test_a_property_needs_an_id(fields: dict[str, Any]) -> None:
    with pytest.raises(SchemaError, match="`id`"):
        Property(kind="number", **fields)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"id": "x"}, "more than one property with id 'x'"),
        ({"id": "y", "rated": "x"}, "more than one property with rated 'x'"),
    ],
)
def test_a_schema_holds_each_property_once(second: dict[str, str], message: str) -> None:
    properties = (Property(id="x", kind="number"), Property(kind="number", **second))
    with pytest.raises(SchemaError, match=rf"schema 'mine' has {message}"):
        PropertySchema(name="mine", properties=properties)


def test_ids_go_before_labels_names_and_aliases() -> None:
    by_alias = Property(id="p", kind="number", aliases=("r",))
    by_label = Property(id="q", kind="number", label="r")
    by_id = Property(id="r", kind="number")
    assert PropertySchema(properties=(by_alias, by_label))["r"] is by_label
    assert PropertySchema(properties=(by_alias, by_label, by_id))["r"] is by_id
    assert PropertySchema(properties=(by_alias,))["r"] is by_alias


# Files

MINE = PropertySchema(
    name="mine",
    properties=(
        Property(id="tone", kind="rating", range=(-1, 1.5), description="Warm; «наверное».", aliases=("mood", "no")),
        Property(id="calm", kind="rating", range=(0, 3), rated="nervous", direction="lower", compare="nonzero"),
        Property(id="agrees", kind="label", labels={"yes": 1, "No": -0.5, "1": 0}, missing="zero", scale=3),
        Property(id="faults", kind="count", group="error", scale=2.5),
        Property(id="score", kind="number", threshold=1e-05, label="null", name="true"),
        Property(id="length", kind="words", group="text"),
    ),
)
ENDINGS = (".yaml", ".yml", ".json")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("schema", [PAPER, MINE], ids=["paper", "mine"])
def test_a_schema_comes_back_from_its_file(schema: PropertySchema, ending: str, tmp_path: Path) -> None:
    path = schema.to_file(tmp_path / f"schema{ending}")
    again = PropertySchema.from_file(str(path))
    assert again == schema
    assert [p.model_dump() for p in again] == [p.model_dump() for p in schema]
    if ending == ".json":
        assert json.loads(path.read_text(encoding="utf-8"))["name"] == schema.name


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_count_of_which_more_is_better_comes_back_so(ending: str, tmp_path: Path) -> None:
    schema = PropertySchema(properties=(Property(id="sources", kind="count", direction="higher"),))
    again = PropertySchema.from_file(schema.to_file(tmp_path / f"schema{ending}"))
    assert again["sources"].encode([2], [0]).tolist() == [1]
    assert again == schema


def test_a_file_written_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "schema.yaml"
    path.write_text(
        "name: mine\nproperties:\n"
        "- {id: polite, kind: rating, range: [0, 3]}\n"
        "- id: faults\n  kind: count\n"
        "- {id: mood, kind: label, labels: {good: 1, bad: -1}}\n",
        encoding="utf-8",
    )
    schema = PropertySchema.from_file(path)
    assert schema.ids == ("polite", "faults", "mood")
    assert schema["polite"].norm_scale == 3
    assert schema["faults"].encode([2], [0]).tolist() == [-1]
    assert schema["mood"].read(["Bad", "good"]).tolist() == [-1, 1]


@pytest.mark.parametrize("dump", [lambda v: json.dumps(v, indent="\t"), json.dumps], ids=["tabs", "escapes"])
def test_any_json_can_be_read(dump: Callable[[Any], str], tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    fields = {"name": "mine", "properties": [{"id": "x", "kind": "number", "description": "A smile: \U0001f600."}]}
    path.write_text(dump(fields), encoding="utf-8")
    assert PropertySchema.from_file(path)["x"].description == "A smile: \U0001f600."


BROKEN = [
    (b"name: [a", "cannot read"),
    (b"\xff\xfe\x00", "cannot read"),
    (b"", "is no schema"),
    (b"just text", "is no schema"),
    (b"- id: x\n  kind: number\n", "is no schema"),
    (b"name: mine\n", "is no schema.*`properties`"),
    (b"properties: 3", "no valid schema.*`properties`.*got 3"),
    (b"properties: [3]", "no valid schema.*`properties.0`.*got 3"),
    (b"properties: [{kind: number}]", "no valid schema.*`id`.*required"),
    (b"properties: [{id: tone, kind: numbr}]", "no valid schema.*'tone'.*`kind`.*'numbr'"),
    (b"properties: [{id: tone, kind: number, foo: 1}]", "no valid schema.*'tone'.*`foo`"),
    (b"properties: [{id: tone, kind: rating}]", "no valid schema.*'tone'.*`range` goes with"),
    (b"properties: [{id: x, kind: number}, {id: x, kind: words}]", "no valid schema.*more than one.*'x'"),
    (b"properties: [{id: x, kind: number}]\nauthor: me", "no valid schema.*`author`"),
]


@pytest.mark.parametrize(("content", "message"), BROKEN, ids=[repr(c)[:40] for c, _ in BROKEN])
@pytest.mark.parametrize("ending", [".yaml", ".json"])
def test_broken_files_are_errors_that_name_file_and_place(
    content: bytes, message: str, ending: str, tmp_path: Path
) -> None:
    path = tmp_path / f"broken{ending}"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=f"(?s){message}") as caught:
        PropertySchema.from_file(path)
    assert f"broken{ending}" in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"cannot read .*nowhere\.yaml"):
        PropertySchema.from_file(tmp_path / "nowhere.yaml")


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)


# 100 random schemas: YAML has many words and numbers that it must quote to give back as text.
@given(
    labels=st.dictionaries(TEXT, st.floats(-5, 5), min_size=2, max_size=5).filter(
        lambda d: len(set(d.values())) > 1 and len({label.strip().casefold() for label in d}) == len(d)
    ),
    texts=st.tuples(TEXT, TEXT, TEXT.filter(bool)),
    threshold=st.floats(0, 1e6),
    scale=st.none() | st.floats(1e-9, 1e12),
    ending=st.sampled_from(ENDINGS),
)
def test_random_schemas_come_back(tmp_path_factory, labels, texts, threshold, scale, ending: str) -> None:
    name, description, id_ = texts
    fields = {"label": name, "description": description, "threshold": threshold, "scale": scale}
    prop = Property(id=id_, kind="label", labels=labels, aliases=(name, "null", "1e3"), **fields)
    schema = PropertySchema(name=name, properties=(prop,))
    path = tmp_path_factory.getbasetemp() / f"random{ending}"
    assert PropertySchema.from_file(schema.to_file(path)) == schema
