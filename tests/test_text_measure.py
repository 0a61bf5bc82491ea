"""measure_text: the same numbers as one response at a time, whatever the cells, chunks and processes."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import prefdissect as pdx
from prefdissect import TEXT, PreferenceData, measure_text
from prefdissect.errors import ColumnError, DuplicateError, OptionError, PrefDissectError, UnknownNameError
from prefdissect.text import batches
from prefdissect.text.reading import read_response

pytestmark = pytest.mark.lane("oldest")

RESPONSES = [
    "Sure! **Yes**, it may be.",
    "# No\n\n- first\n- then\n\n" + "word by word " * 30,
    "I can't help you.",
    "是的。",
]


def table(n: int = 8, **columns: object) -> pd.DataFrame:
    """Return pairs whose texts come again, with other prompts too."""
    made = {
        "prompt": [f"Question {i % 3}, may it be?" for i in range(n)],
        "response_a": [RESPONSES[i % 4] for i in range(n)],
        "response_b": [RESPONSES[(i // 2) % 4] for i in range(n)],
        "judge_me": ["A", "B"] * (n // 2),
    }
    return pd.DataFrame(made | columns)


def one_by_one(frame: pd.DataFrame) -> np.ndarray:
    sides = [list(zip(frame[side], frame["prompt"], strict=True)) for side in ("response_a", "response_b")]
    rows = [[[read_response(r, p)[name] for name in TEXT.ids] for r, p in pair] for pair in zip(*sides, strict=True)]
    return np.array(rows)


@pytest.mark.parametrize("n", [2, 8, 300])
def test_ratings_are_those_of_one_response_at_a_time(n: int) -> None:
    frame = table(n)
    data = measure_text(frame)
    assert data.properties == list(TEXT.ids)
    np.testing.assert_array_equal(data.ratings, one_by_one(frame))


def test_each_distinct_text_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[tuple[str, str]] = []
    real = batches.read_responses

    def watch(texts: list[tuple[str, str]]) -> np.ndarray:
        read.extend(texts)
        return real(texts)

    monkeypatch.setattr(batches, "read_responses", watch)
    frame = table(300)
    data = measure_text(frame)
    both = {(r, p) for side in ("response_a", "response_b") for r, p in zip(frame[side], frame["prompt"], strict=True)}
    assert len(read) == len(both)
    assert set(read) == both
    assert ("measured", f"{len(both)} distinct responses, by rules from their texts") in data.report.facts


def test_processes_change_nothing() -> None:
    frame = table(300)
    np.testing.assert_array_equal(measure_text(frame, n_jobs=2).ratings, measure_text(frame, n_jobs=1).ratings)


def test_a_selection_is_in_the_order_of_the_schema() -> None:
    whole, some = measure_text(table()), measure_text(table(), properties=["questions", "length", "emoji"])
    assert some.properties == ["length", "questions", "emoji"]
    np.testing.assert_array_equal(some.ratings, whole.ratings[:, :, [TEXT.ids.index(p) for p in some.properties]])
    assert measure_text(table(), properties="bold").properties == ["bold"]


def test_swapping_a_and_b_swaps_the_ratings() -> None:
    swapped = table().rename(columns={"response_a": "response_b", "response_b": "response_a"})
    np.testing.assert_array_equal(measure_text(swapped).ratings, measure_text(table()).ratings[:, ::-1])


def test_what_load_takes_is_taken(tmp_path: Path) -> None:
    frame = table()
    expected = measure_text(frame).ratings
    frame.to_parquet(tmp_path / "pairs.parquet")
    for source in (tmp_path / "pairs.parquet", str(tmp_path / "pairs.parquet"), pl.from_pandas(frame), pdx.load(frame)):
        np.testing.assert_array_equal(measure_text(source).ratings, expected)


def test_it_joins_what_is_rated_already() -> None:
    data = pdx.load(table(clear_a=[1.0] * 8, clear_b=[2.0] * 8))
    more = measure_text(data)
    assert isinstance(more, PreferenceData)
    assert more.properties == ["clear", *TEXT.ids]
    assert data.properties == ["clear"]
    np.testing.assert_array_equal(more.ratings[:, :, 0], data.ratings[:, :, 0])


@pytest.mark.parametrize("empty", [None, "", "  \n", np.nan, pd.NA])
def test_an_empty_response_has_no_rating_and_its_pair_is_left_out_by_reason(empty: object) -> None:
    frame = table(40)
    cells = frame["response_b"].astype(object)
    cells.iloc[3] = empty
    data = measure_text(frame.assign(response_b=cells))
    assert np.isnan(data.ratings[3, 1]).all()
    assert np.isfinite(data.ratings[3, 0, TEXT.ids.index("length")])
    result = pdx.dissect(data, by=None, draws=50, chains=2, engine="ep", random_seed=0)
    same = int((data.pairs["pair_flag"] == "identical responses").sum())
    reasons = [["empty response", 1], ["identical responses", same]]
    assert result.dropped[["reason", "n"]].to_numpy().tolist() == reasons
    assert result.weights["n_pairs"].unique().tolist() == [39 - same]


def test_short_texts_are_fitted_and_not_reported_as_left_out() -> None:
    frame = table()
    frame = frame[frame["response_a"] != frame["response_b"]]
    data = measure_text(frame)
    assert np.isnan(data.ratings).any()
    assert data.report.left_out == ()


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        ([True, False], ["True", "False"]),
        ([42, -7], ["42", "-7"]),
        ([42.0, np.nan], ["42", ""]),
        ([1.5, 2.0], ["1.5", "2"]),
        ([np.int64(3), "x"], ["3", "x"]),
        (pd.Series([4, None], dtype="Int64"), ["4", ""]),
        (pd.Series(["yes", None], dtype="category"), ["yes", ""]),
        (pd.Series(["yes", pd.NA], dtype="string"), ["yes", ""]),
        (pd.Series([True, None], dtype="boolean"), ["True", ""]),
    ],
)
def test_single_values_are_read_as_they_are_written(cells: object, texts: list[str]) -> None:
    frame = pd.DataFrame({"prompt": ["p", "p"], "response_a": cells, "response_b": ["b", "b"], "judge_me": ["A", "B"]})
    np.testing.assert_array_equal(measure_text(frame).ratings, one_by_one(frame.assign(response_a=texts)))


def test_a_missing_prompt_leaves_only_what_compares_with_it_open() -> None:
    prompts = table()["prompt"].astype(object)
    prompts.iloc[0] = None
    rated, whole = measure_text(table(prompt=prompts)).ratings, measure_text(table()).ratings
    compared = [TEXT.ids.index(p) for p in ("prompt_overlap", "same_language")]
    assert np.isnan(rated[0][:, compared]).all()
    np.testing.assert_array_equal(np.delete(rated, compared, axis=2), np.delete(whole, compared, axis=2))
    np.testing.assert_array_equal(rated[1:], whole[1:])


def test_lone_surrogates_and_nul_pass_through() -> None:
    frame = table(2, response_a=pd.Series(["a\ud800b", "x\0y"], dtype=object))
    np.testing.assert_array_equal(measure_text(frame, n_jobs=1).ratings, one_by_one(frame))


@pytest.mark.parametrize("side", ["response_a", "response_b"])
def test_missing_columns_are_named_with_those_found(side: str) -> None:
    with pytest.raises(ColumnError, match=f"missing: '{side}'; found: 'prompt', .*'answer'"):
        measure_text(table().rename(columns={side: "answer"}))


def test_a_prompt_is_needed_only_by_what_compares_with_it() -> None:
    frame = table().drop(columns="prompt")
    with pytest.raises(ColumnError, match="missing: 'prompt'"):
        measure_text(frame)
    with pytest.raises(ColumnError, match="missing: 'prompt'"):
        measure_text(frame, properties=["same_language"])
    others = [p for p in TEXT.ids if p not in ("prompt_overlap", "same_language")]
    assert measure_text(frame, properties=others).properties == others


@pytest.mark.parametrize(
    ("cell", "what"), [(["a", "b"], "list"), ({"role": "user"}, "dict"), (b"bytes", "bytes"), (1j, "complex")]
)
def test_other_cells_are_refused_by_column_and_pair(cell: object, what: str) -> None:
    cells = [*["x"] * 5, cell, "x", "x"]
    with pytest.raises(ColumnError, match=f"'response_b', pair 'pair-5'.*is a {what}, not a text"):
        measure_text(table(response_b=cells))


def test_measuring_twice_is_refused() -> None:
    data = measure_text(table(), properties=["length", "bold"])
    with pytest.raises(DuplicateError, match="'length' is rated already"):
        measure_text(data)
    assert measure_text(data, properties=["emoji"]).properties == ["length", "bold", "emoji"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_jobs": 0}, OptionError, "n_jobs=0"),
        ({"n_jobs": True}, OptionError, "n_jobs=True"),
        ({"n_jobs": 1.5}, OptionError, "n_jobs=1.5"),
        ({"progress": "yes"}, OptionError, "progress='yes'"),
        ({"properties": []}, OptionError, "nothing to measure"),
        ({"properties": ["lenght"]}, UnknownNameError, "'lenght'.*close matches: 'length'"),
    ],
)
def test_bad_options(options: dict[str, object], error: type[PrefDissectError], message: str) -> None:
    with pytest.raises(error, match=message):
        measure_text(table(), **options)  # type: ignore[arg-type]


def test_a_bar_is_shown_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    measure_text(table(300), progress=True)
    assert "Measuring texts: 100%" in capsys.readouterr().err
    measure_text(table(300), progress=False)
    assert capsys.readouterr().err == ""


def test_the_schema_survives_a_file(tmp_path: Path) -> None:
    for name in ("text.yaml", "text.json"):
        assert pdx.PropertySchema.from_file(TEXT.to_file(tmp_path / name)) == TEXT


def test_a_judge_of_length_is_found_out() -> None:
    rng = np.random.default_rng(0)
    vocabulary = ["".join(letters) for letters in product("bdfklm", "aeiou", "nprst")]

    def write(n_words: int) -> str:
        long = rng.integers(3, 25)  # of a sentence: neither it nor the number of sentences tells the length
        parts = np.split(rng.choice(vocabulary, n_words), np.arange(long, n_words, long))
        return " ".join(f"{' '.join(part)}." for part in parts)

    longer = rng.permuted(np.tile([24, 72], (400, 1)), axis=1)
    made = {"prompt": "x", "response_a": list(map(write, longer[:, 0])), "response_b": list(map(write, longer[:, 1]))}
    frame = pd.DataFrame(made | {"judge_me": np.where(longer[:, 0] > longer[:, 1], "A", "B")})
    weights = pdx.dissect(measure_text(frame), by=None, random_seed=0).weights.set_index("property")
    assert weights["mean"].idxmax() == "length"
    assert weights.loc["length", "lower"] > 1
    assert (weights["mean"].drop("length").abs() < 0.5).all()


def test_longer_responses_are_preferred_in_an_arena(data_dir: Path) -> None:
    data = measure_text(data_dir / "arena_llama3" / "pairs.parquet")
    assert np.isfinite(data.ratings[:, :, TEXT.ids.index("length")]).all()
    weights = pdx.dissect(data, by=None, random_seed=0).weights.set_index("property")
    assert weights.loc["length", "lower"] > 0
    assert weights["certified"].all()
