"""The same table from every kind of file and every kind of table; files that are no table."""

from __future__ import annotations

import gzip
import json
import math
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from prefdissect import PreferenceData, load
from prefdissect.errors import DataError, FileFormatError, PrefDissectError

ROWS = [
    {"pair_id": "p1", "x_a": 1.5, "x_b": 2, "prompt": "\u00e9t\u00e9", "judge_h": "A", "judge_k": 0.25},
    {"pair_id": "p2", "x_a": None, "x_b": 0, "prompt": None, "judge_h": None, "judge_k": 1},
    {"pair_id": "p3", "x_a": -3, "x_b": 4, "prompt": 'a "b", c', "judge_h": "tie", "judge_k": 0},
]
CSV = pd.DataFrame(ROWS).to_csv(index=False)
LINES = "\n".join(json.dumps(row) for row in ROWS)
TEXTS = {".csv": CSV, ".json": json.dumps(ROWS), ".jsonl": LINES, ".ndjson": LINES + "\n\n"}
NAMES = [*TEXTS, *(ending + ".gz" for ending in TEXTS)]


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    raw = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") and isinstance(text, str) else raw)
    return path


def refuse(path: Path | str, *words: str) -> str:
    """The one error of an unreadable file names the file and says why."""
    with pytest.raises(FileFormatError) as caught:
        load(path)
    message = str(caught.value)
    assert Path(path).name in message
    for word in words:
        assert word in message
    assert len(message) < 1000
    return message


def check(data: PreferenceData) -> None:
    assert data.pairs.index.tolist() == ["p1", "p2", "p3"]
    assert data.properties == ["x"]
    np.testing.assert_array_equal(data.ratings[:, :, 0], [[1.5, 2], [math.nan, 0], [-3, 4]])
    assert data.judges == ["h", "k"]
    np.testing.assert_array_equal(data.labels, [[1, 0.25], [math.nan, 1], [0.5, 0]])
    assert data.pairs["prompt"].tolist()[::2] == ["\u00e9t\u00e9", 'a "b", c']
    assert data.pairs["prompt_id"].isna().tolist() == [False, True, False]
    assert data.pairs["cluster"].tolist()[1] == "p2"


@pytest.mark.parametrize("ending", NAMES)
def test_text_files(ending: str, tmp_path: Path) -> None:
    path = write(tmp_path, "pairs" + ending, TEXTS[ending.removesuffix(".gz")])
    check(load(path))
    check(load(str(path)))


@pytest.mark.parametrize("name", ["pairs.v2.CSV", "pairs.v2.csv.gz", "my.json.csv"])
def test_the_last_ending_counts(name: str, tmp_path: Path) -> None:
    check(load(write(tmp_path, name, CSV)))


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "pairs.parquet"
    pd.DataFrame(ROWS).to_parquet(path)
    check(load(path))
    pd.DataFrame(ROWS).set_index("pair_id").to_parquet(path)
    check(load(path))


def test_the_same_data_have_the_same_hash_from_every_source(tmp_path: Path) -> None:
    pd.DataFrame(ROWS).to_parquet(tmp_path / "pairs.parquet")
    sources = [write(tmp_path, "pairs" + e, TEXTS[e.removesuffix(".gz")]) for e in NAMES]
    hashes = {load(s).hash for s in [*sources, tmp_path / "pairs.parquet", pd.DataFrame(ROWS), pl.DataFrame(ROWS)]}
    assert hashes == {load(pd.DataFrame(ROWS)).hash}


def test_anything_with_to_pandas() -> None:
    class Wrapped:
        def to_pandas(self) -> pd.DataFrame:
            return pd.DataFrame(ROWS)

    check(load(Wrapped()))
    check(load(pl.DataFrame(ROWS)))
    check(load(pa.Table.from_pylist(ROWS)))
    check(PreferenceData.from_frame(pl.DataFrame(ROWS)))


def test_data_come_back_as_they_are() -> None:
    data = load(pd.DataFrame(ROWS))
    assert load(data) is data


def test_options_reach_the_table(tmp_path: Path) -> None:
    path = write(tmp_path, "pairs.csv", CSV)
    data = load(path, judges=["k"], properties=["x"], cluster="judge_h", scenario="prompt")
    assert data.judges == ["k"]
    assert data.pairs["cluster"].tolist()[0] == "A"
    assert list(data.groups.columns) == ["\u00e9t\u00e9", 'a "b", c']


def test_a_list_column_of_a_parquet_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "pairs.parquet"
    pd.DataFrame(ROWS).assign(errors=[[1, 2], [], [3]]).to_parquet(path)
    data = load(path)
    check(data)
    assert [list(v) for v in data.pairs["errors"]] == [[1, 2], [], [3]]


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (pa.array([True, None, False]), [1, math.nan, 0]),
        (pa.array([1, None, 2]), [1, math.nan, 2]),
        (pa.array([Decimal("1.5"), None, Decimal("2")], pa.decimal128(5, 2)), [1.5, math.nan, 2]),
    ],
    ids=["bool", "int", "decimal"],
)
def test_numbers_with_gaps_in_parquet_are_ratings(cells: pa.Array, read: list[float], tmp_path: Path) -> None:
    """Gaps make pandas read the column as objects; it still holds numbers."""
    path = tmp_path / "pairs.parquet"
    pq.write_table(pa.table({"y_a": cells, "y_b": [0.0, 1.0, 2.0], "judge_h": ["A", "B", "A"]}), path)
    data = load(path)
    assert data.properties == ["y"]
    np.testing.assert_array_equal(data.ratings[:, 0, 0], read)


def test_nan_in_json_is_a_missing_rating_or_verdict(tmp_path: Path) -> None:
    text = '[{"x_a": NaN, "x_b": 1, "judge_h": "A"}, {"x_a": 2, "x_b": 1, "judge_h": NaN}]'
    for name, content in (("a.json", text), ("a.jsonl", text[1:-1].replace("}, ", "}\n"))):
        data = load(write(tmp_path, name, content))
        np.testing.assert_array_equal(data.ratings[:, 0, 0], [math.nan, 2])
        np.testing.assert_array_equal(data.labels["h"], [1, math.nan])


@pytest.mark.parametrize("number", ["Infinity", "-Infinity", "1e999"])
def test_infinity_in_json_is_an_infinite_rating(number: str, tmp_path: Path) -> None:
    path = write(tmp_path, "a.json", f'[{{"x_a": {number}, "x_b": 1, "judge_h": "A"}}]')
    with pytest.raises(DataError, match=r"inf.*'x'.*'pair-0'.*infinite"):
        load(path)


def test_a_csv_with_verdicts_of_mixed_type(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "judge_h,judge_k,judge_e\n1,True,\n0.5,False,\nA,,\n")
    np.testing.assert_array_equal(load(path).labels, [[1, 1, math.nan], [0.5, 0, math.nan], [1, math.nan, math.nan]])


# Files that are no table


@pytest.mark.parametrize("ending", [e for e in NAMES if not e.endswith(".gz")])
def test_a_truncated_gzip_file(ending: str, tmp_path: Path) -> None:
    whole = gzip.compress(TEXTS[ending].encode())
    for part in (whole[: len(whole) // 2], whole[:-8], whole[:5]):
        refuse(write(tmp_path, f"pairs{ending}.gz", part))


@pytest.mark.parametrize("ending", [e for e in NAMES if not e.endswith(".gz")])
def test_a_damaged_gzip_file(ending: str, tmp_path: Path) -> None:
    whole = gzip.compress(TEXTS[ending].encode())
    refuse(write(tmp_path, f"checksum{ending}.gz", whole[:-8] + bytes(8)))
    refuse(write(tmp_path, f"stream{ending}.gz", whole[:15] + b"\xff" * 8 + whole[23:]))
    refuse(write(tmp_path, f"plain{ending}.gz", TEXTS[ending].encode()), "gzip")


@pytest.mark.parametrize("name", ["a.txt", "a", "a.gz", "a.tsv", "a.xlsx", "a.parquet.gz", "csv", "a.csv.zip"])
def test_another_ending(name: str, tmp_path: Path) -> None:
    message = refuse(write(tmp_path, name, CSV.encode()), ".parquet", ".csv", ".json", ".jsonl", ".gz")
    assert "ending" in message


def test_no_file(tmp_path: Path) -> None:
    refuse(tmp_path / "missing.csv")
    refuse(str(tmp_path / "missing.parquet"))
    (tmp_path / "folder.csv").mkdir()
    refuse(tmp_path / "folder.csv")
    refuse(tmp_path)


@pytest.mark.parametrize("ending", [*TEXTS, ".parquet"])
def test_bytes_that_are_no_text(ending: str, tmp_path: Path) -> None:
    refuse(write(tmp_path, "noise" + ending, bytes(range(255, 0, -1))))
    refuse(write(tmp_path, "utf16" + ending, CSV.encode("utf-16")))


def test_a_damaged_parquet_file(tmp_path: Path) -> None:
    path = tmp_path / "whole.parquet"
    pd.DataFrame(ROWS).to_parquet(path)
    raw = path.read_bytes()
    for name, part in (("cut", raw[:-50]), ("empty", b""), ("holes", raw[:4] + b"\xff" * 60 + raw[64:])):
        refuse(write(tmp_path, f"{name}.parquet", part))


@pytest.mark.parametrize("text", ["{}", '{"x_a": [1]}', "[1, 2]", '"text"', "3", "null", '[{"x_a": 1}, null]', "[[1]]"])
def test_json_that_is_no_table(text: str, tmp_path: Path) -> None:
    refuse(write(tmp_path, "a.json", text), "list of objects")


@pytest.mark.parametrize("text", ["", "[", '[{"x_a": 1', "{'x_a': 1}", "x_a,x_b", "[" * 20_000])
def test_json_that_is_no_json(text: str, tmp_path: Path) -> None:
    refuse(write(tmp_path, "a.json", text))


@pytest.mark.parametrize("line", ["{oops", "[1]", "3", '{"x_a": 1', "{} {}", "[" * 20_000])
def test_a_bad_line_is_named(line: str, tmp_path: Path) -> None:
    refuse(write(tmp_path, "a.jsonl", f'{{"x_a": 1, "x_b": 2}}\n\n{line}\n'), "line 3")


@pytest.mark.parametrize(
    "text",
    ["", "\n\n", "x_a,x_b\n1,2\n1,2,3,4\n", 'x_a,judge_h\n1,"A\n2,B\n'],
    ids=["empty", "blank", "ragged", "open quote"],
)
def test_csv_that_is_no_table(text: str, tmp_path: Path) -> None:
    refuse(write(tmp_path, "a.csv", text))


def test_csv_rows_longer_than_the_header_are_not_shifted(tmp_path: Path) -> None:
    """With one cell too many in every row, pandas would take the first for an index."""
    refuse(write(tmp_path, "a.csv", "x_a,x_b,judge_h\n9,1,2,A\n8,1,2,B\n"))


@pytest.mark.parametrize(
    ("name", "text"), [("a.csv", "x_a,x_b,judge_h\n"), ("a.json", "[]"), ("a.jsonl", ""), ("b.jsonl", "\n \n")]
)
def test_a_file_without_rows(name: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(PrefDissectError, match="empty"):
        load(write(tmp_path, name, text))


def test_a_parquet_file_without_rows(tmp_path: Path) -> None:
    pd.DataFrame(ROWS).iloc[:0].to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"empty.*x_a"):
        load(tmp_path / "a.parquet")


@pytest.mark.parametrize("source", [None, 3, {"x_a": [1]}, [1, 2], object(), pd.Series([1]), pl.Series([1]), b"a.csv"])
def test_what_is_no_table_at_all(source: object) -> None:
    with pytest.raises(DataError) as caught:
        load(source)  # type: ignore[arg-type]
    assert type(source).__name__ in str(caught.value)
    assert "to_pandas" in str(caught.value)


def test_a_to_pandas_that_makes_no_frame() -> None:
    class Liar:
        def to_pandas(self) -> object:
            return 3

    with pytest.raises(DataError, match="Liar"):
        load(Liar())  # type: ignore[arg-type]


def test_a_csv_with_other_marks_says_what_to_do(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "x_a;x_b;judge_h\n1;2;A\n")
    with pytest.raises(FileFormatError, match="sep="):
        load(path)


def test_ids_and_words_in_csv_stay_what_they_are(tmp_path: Path) -> None:
    """007 is not 7, and NA is a country; in a column of numbers NA is a gap."""
    text = "pair_id,country,x_a,x_b,judge_h\n007,NA,1,NA,A\n7,DE,2,3,B\n"
    data = load(write(tmp_path, "a.csv", text))
    assert data.pairs.index.tolist() == ["007", "7"]
    assert data.pairs["country"].tolist() == ["NA", "DE"]
    np.testing.assert_array_equal(data.ratings[:, :, 0], [[1, np.nan], [2, 3]])


def test_a_csv_header_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="'judge_h'"):
        load(write(tmp_path, "a.csv", "x_a,x_b,judge_h,judge_h\n1,2,A,B\n"))
