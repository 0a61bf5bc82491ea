"""What is written is read back the same, and other people's programs find what they rely on."""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import prefdissect as pdx
from prefdissect.data.writers import write_paper_weights
from prefdissect.errors import (
    ColumnError,
    DataError,
    FileFormatError,
    PrefDissectWarning,
    UnknownNameError,
)
from prefdissect.schema import PAPER, SCENARIOS

ENDINGS = (".parquet", ".csv", ".csv.gz", ".json", ".json.gz", ".jsonl", ".jsonl.gz", ".ndjson")
CHARACTERS = st.sampled_from(list("aZ 0,;'\"\t\n|\\{}[]") + ["\r\n", "é", "日", "🙂", "\u2028", "nan", "None", "tie"])
TEXTS = st.lists(CHARACTERS, min_size=1, max_size=6).map("".join)
VERDICTS = st.sampled_from(["A", "B", "tie", "both_bad", "invalid", "inconsistent", 0.1, 0.75, 1 / 3, None])
NUMBERS = st.none() | st.floats(-1e6, 1e6, allow_nan=False)


def rows_of(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return verdicts as text and numbers, in an order that does not depend on where they stood."""
    plain = verdicts.astype({"judge": "str", "first": "str", "outcome": "str", "pair_id": "str"})
    return plain.sort_values(["pair_id", "judge", "first", "repeat"]).reset_index(drop=True)[sorted(plain.columns)]


def cells_of(column: pd.Series) -> list[Any]:
    return [None if pd.isna(cell) else cell for cell in column]


def assert_same(again: pdx.PreferenceData, data: pdx.PreferenceData) -> None:
    """Check pairs, ratings, comparisons, verdicts and groups, by their cells."""
    assert again.schema.properties == data.schema.properties
    np.testing.assert_allclose(
        again.ratings, data.ratings, rtol=1e-14
    )  # some pandas read a CSV to the last digit but one
    np.testing.assert_allclose(again.comparisons, data.comparisons, rtol=1e-14)
    assert list(again.pairs.index) == list(data.pairs.index)
    assert {c: cells_of(again.pairs[c]) for c in again.pairs} == {c: cells_of(data.pairs[c]) for c in data.pairs}
    pd.testing.assert_frame_equal(rows_of(again.verdicts), rows_of(data.verdicts), rtol=1e-12, check_dtype=False)
    pd.testing.assert_frame_equal(again.groups, data.groups, check_index_type=False, check_column_type=False)
    assert again.group_kinds == data.group_kinds


def read_back(data: pdx.PreferenceData, path: Path, **options: Any) -> pdx.PreferenceData:
    data.to_file(path)
    beside = path.with_name(path.name.split(".")[0] + ".schema.yaml")
    return pdx.load(path, schema=beside if beside.exists() else None, **options)


@st.composite
def wide_tables(draw: st.DrawFn) -> pd.DataFrame:
    n = draw(st.integers(1, 6))

    def column(cells: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(cells, min_size=n, max_size=n))

    table = pd.DataFrame({"pair_id": [f"p{i}" for i in range(n)]})
    if draw(st.booleans()):
        for name in ("prompt", "response_a", "response_b"):
            table[name] = pd.Series(column(st.none() | TEXTS), dtype=object)
    for side in "ab":
        table[f"clear_{side}"] = pd.Series([1.5, *column(NUMBERS)[1:]], dtype=float)
    table["scenario"] = ["x", *column(st.sampled_from(["x", "y", None]))[1:]]
    table["note"] = pd.Series(["word", *column(st.none() | TEXTS)[1:]], dtype=object)
    for judge in ("ann", 'bob\'s, "own"'):
        table[f"judge_{judge}"] = pd.Series(column(VERDICTS), dtype=object)
    return table


@st.composite
def long_tables(draw: st.DrawFn) -> pd.DataFrame:
    n = draw(st.integers(1, 4))
    rows = []
    for i in range(n):
        about = {"pair_id": f"p{i}", "clear_a": float(i), "clear_b": 1.0, "note": draw(TEXTS), "kind_of": i}
        keys = st.tuples(st.sampled_from(["ann", "bob"]), st.sampled_from(["A", "B", "unknown"]), st.integers(0, 2))
        for judge, first, repeat in draw(st.lists(keys, min_size=1, max_size=5, unique=True)):
            said = draw(VERDICTS.filter(lambda cell: cell is not None))
            detail = {"weight": draw(st.sampled_from([0.5, 1.0, 3.0])), "run_id": draw(st.sampled_from(["r1", "r2"]))}
            rows.append({**about, "judge": judge, "first": first, "repeat": repeat, "verdict": said, **detail})
    return pd.DataFrame(rows)


@pytest.mark.parametrize("ending", ENDINGS)
@given(table=wide_tables() | long_tables())
@settings(max_examples=15, deadline=None)
def test_any_data_are_read_back_the_same(ending: str, table: pd.DataFrame) -> None:
    data = pdx.PreferenceData.from_frame(table)
    with tempfile.TemporaryDirectory() as folder:
        again = read_back(data, Path(folder) / f"study{ending}")

    assert_same(again, data)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("order_effect", [0.0, 0.5])
def test_simulated_data_are_read_back_the_same(tmp_path: Path, ending: str, order_effect: float) -> None:
    study = pdx.simulate(60, judges=["ann", "bob"], tie_rate=0.2, order_effect=order_effect, random_seed=1)
    data = study.data
    cases = [group for group, kind in data.group_kinds.items() if kind == "case"]
    again = read_back(data, tmp_path / f"study{ending}")

    assert again.vocabulary == data.schema
    np.testing.assert_array_equal(again.ratings, data.ratings)
    pd.testing.assert_frame_equal(rows_of(again.verdicts), rows_of(data.verdicts), check_dtype=False)
    scenarios = data.groups.drop(columns=cases)
    pd.testing.assert_frame_equal(again.groups[scenarios.columns], scenarios, check_index_type=False)
    assert again.groups.shape[1] == scenarios.loc[:, scenarios.any()].shape[1]


def test_one_row_per_pair_where_that_says_it_all(tmp_path: Path) -> None:
    cells = ["A", "tie", 0.25, "inconsistent", "invalid", None, "both_bad"]
    table = pd.DataFrame({"judge_me": cells, "x_a": range(7), "x_b": 3.0})
    path = pdx.load(table).to_file(tmp_path / "wide.jsonl")
    written = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    assert path == tmp_path / "wide.jsonl"
    assert [row["judge_me"] for row in written] == ["A", "tie", "0.25", "inconsistent", "invalid", None, "both_bad"]
    assert "flag" not in written[0]
    assert list(tmp_path.iterdir()) == [path]  # the columns say all that a schema would


@pytest.mark.parametrize("name", ["model", "prompt", "x "])
def test_judges_whose_column_would_be_no_judge_get_a_row_per_verdict(tmp_path: Path, name: str) -> None:
    data = pdx.load(pd.DataFrame({"x_a": [1, 2], "x_b": [2, 1]}), judges=[], properties=["x"]).with_judge(
        name, ["A", "tie"]
    )
    again = pdx.load(data.to_file(tmp_path / "t.parquet"))

    assert again.judges == [name]
    assert again.labels[name].tolist() == [1.0, 0.5]


def test_what_only_arguments_bring_back(tmp_path: Path) -> None:
    table = pd.DataFrame({"more": [1.0, -1.0], "y_a": [1, 2], "y_b": [3, 4], "hard": [True, False], "judge_j": "A"})
    data = pdx.load(table, properties=["more"], cases=["hard"])
    path = data.to_file(tmp_path / "t.csv")
    plain, asked = pdx.load(path), pdx.load(path, properties=["more"], cases=["hard"])

    assert (plain.properties, plain.group_kinds) == (["y"], {})
    assert_same(asked, data)
    assert (tmp_path / "t.schema.yaml").is_file()  # the columns alone would say y


def test_nested_and_mixed_cells_become_text(tmp_path: Path) -> None:
    table = pd.DataFrame({"judge_j": ["A", "B"], "tags": [["é", 1], {"k": np.float64(2.0)}], "odd": [1, "two"]})
    for ending in (".parquet", ".json"):
        again = pdx.load(pdx.load(table).to_file(tmp_path / f"t{ending}"))
        assert again.pairs["tags"].tolist() == ['["é", 1]', '{"k": 2.0}']
        assert again.pairs["odd"].tolist() == ["1", "two"]


def test_pairs_and_judges_that_a_row_per_verdict_has_no_room_for(tmp_path: Path) -> None:
    rows = {"pair_id": ["p", "p", "q"], "judge": ["ann", "ann", "bob"], "first": ["A", "B", "A"], "verdict": "A"}
    data = pdx.load(pd.DataFrame(rows))
    fewer = pdx.load(data.to_file(tmp_path / "all.parquet"), judges=["ann"])
    assert len(fewer) == 2
    with pytest.warns(PrefDissectWarning, match=r"1 pair without any verdict, the first is 'q'"):
        fewer.to_file(tmp_path / "fewer.parquet")
    assert list(pdx.load(tmp_path / "fewer.parquet").pairs.index) == ["p"]


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    data = pdx.load(pd.DataFrame({"judge_j": ["A"], "note": pd.Series(["\ud800"], dtype=object)}))
    for name, said in {"t.xlsx": "valid: .parquet, .csv", "t.parquet.gz": "no table", "t": "no table"}.items():
        with pytest.raises(FileFormatError, match=said):
            data.to_file(tmp_path / name)
    with pytest.raises(FileFormatError, match="there is no folder"):
        data.to_file(tmp_path / "no" / "t.csv")
    for name in ("t.csv", "t.jsonl", "t.parquet"):
        with pytest.raises(DataError, match="cannot hold"):
            data.to_file(tmp_path / name)
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(FileFormatError, match="it is a folder"):
        data.to_file(tmp_path / "d.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["d.csv"]  # nothing half-written is left


def test_a_column_that_would_be_read_as_the_verdict(tmp_path: Path) -> None:
    rows = {"judge_j": ["A"], "winner": ["x"]}
    data = pdx.load(pd.DataFrame(rows), judges=[], properties=[]).with_judge("model", ["A"])
    with pytest.raises(ColumnError, match="'winner' would be read as part of the verdict"):
        data.to_file(tmp_path / "t.parquet")


def test_gzip_holds_what_the_plain_file_holds(tmp_path: Path) -> None:
    data = pdx.load(pd.DataFrame({"judge_j": ["A", "B"]}))
    plain, zipped = data.to_file(tmp_path / "t.csv"), data.to_file(tmp_path / "t.csv.gz")
    assert gzip.decompress(zipped.read_bytes()) == plain.read_bytes()
