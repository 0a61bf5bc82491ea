"""What is written is read back the same, and other people's programs find what they rely on."""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
import warnings
from dataclasses import replace
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

pytestmark = pytest.mark.lane("newer")

ENDINGS = (".parquet", ".csv", ".csv.gz", ".json", ".json.gz", ".jsonl", ".jsonl.gz", ".ndjson")
CHARACTERS = st.sampled_from(
    list("aZ 0,;'\"\t\n|\\{}[]") + ["\r\n", "\r", "é", "日", "🙂", "\u2028", "nan", "None", "tie"]
)
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
        about = {"pair_id": f"p{i}", "clear_a": float(i), "clear_b": 1.0, "note": f"w{draw(TEXTS)}", "kind_of": i}
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
    assert "pair_flag" not in written[0]
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

    assert (plain.properties, plain.group_kinds) == ([], {})
    assert plain.pairs[["a_y", "b_y"]].to_numpy().tolist() == [[1, 3], [2, 4]]  # no ratings before, and none now
    renamed = replace(data, pairs=data.pairs.rename(columns={"y_a": "a_y", "y_b": "b_y"}))
    assert_same(asked, renamed)
    assert (tmp_path / "t.schema.yaml").is_file()  # the columns alone would say nothing


def test_nested_and_mixed_cells_become_text(tmp_path: Path) -> None:
    table = pd.DataFrame({"judge_j": ["A", "B"], "tags": [["é", 1], {"k": np.float64(2.0)}], "odd": [1, "two"]})
    for ending in (".parquet", ".json"):
        again = pdx.load(pdx.load(table).to_file(tmp_path / f"t{ending}"))
        assert again.pairs["tags"].tolist() == ['["é", 1]', '{"k": 2.0}']
        assert again.pairs["odd"].tolist() == ["1", "two"]


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl"])
def test_pairs_without_a_verdict_keep_their_place_among_rows_per_verdict(tmp_path: Path, ending: str) -> None:
    rows = {"pair_id": ["p", "q", "r", "r"], "judge": ["bob", "bob", "ann", "ann"], "first": ["A", "B", "A", "B"]}
    data = pdx.load(pd.DataFrame(rows | {"verdict": "A", "note": ["x", "y", "z", "z"]}))
    fewer = pdx.load(data.to_file(tmp_path / f"all{ending}"), judges=["ann"])
    again = pdx.load(fewer.to_file(tmp_path / f"fewer{ending}"))
    assert again.judges == fewer.judges == ["ann"]
    assert list(again.pairs.index) == list(fewer.pairs.index) == ["p", "q", "r"]
    assert again.pairs["note"].tolist() == ["x", "y", "z"]
    pd.testing.assert_frame_equal(rows_of(again.verdicts), rows_of(fewer.verdicts), check_dtype=False)


def test_judges_without_a_verdict_are_left_out_of_rows_per_verdict(tmp_path: Path) -> None:
    rows = {"pair_id": ["p", "p"], "judge": "ann", "first": ["A", "B"], "verdict": "A"}
    data = pdx.load(pd.DataFrame(rows)).with_judge("bob", [None])
    with pytest.warns(PrefDissectWarning, match=r"1 judge without any verdict, the first is 'bob'"):
        data.to_file(tmp_path / "fewer.parquet")
    assert pdx.load(tmp_path / "fewer.parquet").judges == ["ann"]


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


GOLDEN = {
    "metadata": {
        "version": "2.0",
        "description": "3 pairs, written by prefdissect. Of soft or disagreeing verdicts, 1 were decided at 0.5 and 1 "
        "left undecided.",
        "dataset_name": "three",
        "default_annotator": "ba751e7b",
        "available_metadata_keys_per_comparison": ["language"],
    },
    "annotators": {
        "ba751e7b": {
            "name": "ann",
            "description": "Default annotator from original dataset (from column `preferred_text`)",
            "type": "unknown",
        },
        "c8ab0d5b": {"name": "bot", "description": "Judge bot", "type": "unknown"},
        "00000000": {
            "name": "clear",
            "description": "Select the response that has more of the property 'clear'",
            "type": "principle",
        },
    },
    "comparisons": [
        {
            "id": "p1",
            "prompt": 'Say "hi"\nnow',
            "response_a": {"text": "hi 🙂", "model": "m1"},
            "response_b": {"text": "no", "model": "m2"},
            "annotations": {
                "ba751e7b": {"pref": "a"},
                "c8ab0d5b": {"pref": "a"},
                "00000000": {"pref": "b"},
            },
            "metadata": {"language": "en"},
        },
        {
            "id": "p2",
            "prompt": None,
            "response_a": {"text": "x", "model": "m1"},
            "response_b": {"text": "(no text) response B of p2", "model": "m2"},
            "annotations": {
                "ba751e7b": {"pref": None, "no_pref_reason": "neither"},
                "c8ab0d5b": {"pref": None, "no_pref_reason": "not_applicable"},
                "00000000": {"pref": None, "no_pref_reason": "neither"},
            },
            "metadata": {},
        },
        {
            "id": "p3",
            "prompt": "Count.",
            "response_a": {"text": "1", "model": "m1"},
            "response_b": {"text": "2", "model": "m2"},
            "annotations": {
                "ba751e7b": {"pref": None, "no_pref_reason": "both"},
                "00000000": {"pref": None, "no_pref_reason": "invalid"},
            },
            "metadata": {"language": "de"},
        },
    ],
}


def three_pairs() -> pdx.PreferenceData:
    table = pd.DataFrame(
        {
            "pair_id": ["p1", "p2", "p3"],
            "prompt": ['Say "hi"\nnow', None, "Count."],
            "response_a": ["hi 🙂", "x", "1"],
            "response_b": ["no", None, "2"],
            "model_a": "m1",
            "model_b": "m2",
            "language": ["en", None, "de"],
            "clear_a": [1, 0, None],
            "clear_b": [2, 0, 3],
            "judge_ann": ["A", "both_bad", "tie"],
            "judge_bot": [0.7, "inconsistent", None],
        }
    )
    return pdx.load(table)


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()[:8]


def test_annotated_pairs_as_written_by_hand(tmp_path: Path) -> None:
    ids = {"c8ab0d5b": md5("Judge bot"), "00000000": md5("Select the response that has more of the property 'clear'")}
    golden = json.dumps(GOLDEN)
    for placeholder, key in ids.items():
        golden = golden.replace(placeholder, key)
    with pytest.warns(PrefDissectWarning, match="1 were decided at 0.5 and 1 left undecided"):
        path = three_pairs().to_annotated_pairs(tmp_path / "three.json")
    text = path.read_text(encoding="utf-8")
    content = json.loads(text)

    assert content["metadata"].pop("created_at")[:2] == "20"
    assert json.dumps(content) == json.dumps(json.loads(golden))  # the order of keys included
    assert "🙂" in text


def test_what_of_annotated_pairs_is_read_back(tmp_path: Path) -> None:
    data = three_pairs()
    with pytest.warns(PrefDissectWarning):
        again = pdx.load(data.to_annotated_pairs(tmp_path / "three.json"))
    said = again.verdicts.set_index(["judge", "pair_id"])["outcome"].astype(str).to_dict()

    assert again.judges == ["ann", "bot"]
    assert [said["ann", p] for p in ("p1", "p2", "p3")] == ["A", "both_bad", "tie"]
    assert (said["bot", "p1"], said["bot", "p2"]) == ("A", "invalid")
    assert ("bot", "p3") not in said
    assert again.properties == ["clear"]
    np.testing.assert_array_equal(again.comparisons, [[-1.0], [0.0], [np.nan]])
    columns = ["prompt", "response_a", "response_b", "model_a", "language", "prompt_id", "response_id_a", "pair_flag"]
    assert {c: cells_of(again.pairs[c]) for c in columns} == {c: cells_of(data.pairs[c]) for c in columns}


def check_rules_of_the_app(path: Path) -> None:
    """Check what feedback-forensics relies on; it fails or drops pairs without a word where it does not hold."""
    content = json.loads(path.read_text(encoding="utf-8"))
    annotators, comparisons = content["annotators"], content["comparisons"]
    assert next(iter(content)) == "metadata"
    assert content["metadata"]["version"] == "2.0"
    assert content["metadata"]["default_annotator"] == "ba751e7b" == md5(annotators["ba751e7b"]["description"])
    assert set(annotators) == {key for comparison in comparisons for key in comparison["annotations"]}
    assert all(key == md5(annotator["description"]) for key, annotator in annotators.items())
    assert len({comparison["id"] for comparison in comparisons}) == len(comparisons)
    for annotator in annotators.values():
        assert annotator["type"] in ("human", "ai", "unknown", "principle")
        assert annotator["type"] != "principle" or annotator["description"].startswith("Select the response that ")
    for comparison in comparisons:
        assert comparison["response_a"]["text"].strip()
        assert comparison["response_b"]["text"].strip()
        assert all(isinstance(cell, str) for cell in comparison["metadata"].values())
        for annotation in comparison["annotations"].values():
            assert annotation["pref"] in ("a", "b", None)
            assert (annotation["pref"] is None) == ("no_pref_reason" in annotation)
            assert annotation.get("no_pref_reason", "both") in ("both", "neither", "invalid", "not_applicable")


@given(table=wide_tables() | long_tables())
@settings(max_examples=40, deadline=None)
def test_annotated_pairs_of_any_data(table: pd.DataFrame) -> None:
    data = pdx.PreferenceData.from_frame(table)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", PrefDissectWarning)
        if data.verdicts.empty:
            with pytest.raises(DataError, match="no verdict"):
                data.to_annotated_pairs(Path(folder) / "t.json")
            return
        path = data.to_annotated_pairs(Path(folder) / "t.json")
        check_rules_of_the_app(path)
        again = pdx.load(path)

    prop = data.schema["clear"]
    np.testing.assert_array_equal(again.comparisons[:, 0], prop.encode(data.ratings[:, 0, 0], data.ratings[:, 1, 0]))
    assert list(again.pairs.index) == list(data.pairs.index)
    for judge in again.judges:  # brute force: what the mean of the verdicts comes to
        before, after = data.labels[judge].round(9), again.labels[judge]
        decided = before.notna() & (before != 0.5)
        assert after[decided].equals((before[decided] > 0.5).astype(float))
        assert set(after[~decided].dropna()) <= {0.5}


def test_annotated_pairs_of_simulated_data(tmp_path: Path) -> None:
    data = pdx.simulate(60, judges=["ann", "bob"], tie_rate=0.2, random_seed=3).data
    path = data.to_annotated_pairs(tmp_path / "study.json", default="bob")
    again = pdx.load(path)

    check_rules_of_the_app(path)
    assert again.judges == ["bob", "ann"]
    pd.testing.assert_frame_equal(again.labels[["ann", "bob"]], data.labels, check_column_type=False)
    assert again.properties == data.properties
    encoded = [p.encode(data.ratings[:, 0, k], data.ratings[:, 1, k]) for k, p in enumerate(data.schema)]
    np.testing.assert_array_equal(again.comparisons, np.column_stack(encoded))
    ids = ["prompt_id", "response_id_a", "response_id_b", "cluster"]
    assert again.pairs[ids].astype(object).equals(data.pairs[ids].astype(object))
    assert "pair_flag" not in again.pairs  # what stands for a text is none: no two of them are identical responses


def test_annotated_pairs_written_twice_stay_the_same(tmp_path: Path) -> None:
    once = pdx.load(Path(__file__).parent / "golden" / "annotated_pairs.json")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PrefDissectWarning)
        twice = pdx.load(once.to_annotated_pairs(tmp_path / "t.json"))

    assert_same(twice, once.__class__(**{**vars(once), "schema": twice.schema}))
    assert [p.description for p in twice.schema] == [p.description for p in once.schema]


@pytest.mark.parametrize("text", ["[{}]", '[{"a": 1}]', "[{1, 2}]", "[{", "nan", "(no text)"])
def test_responses_that_look_like_something_else(tmp_path: Path, text: str) -> None:
    data = pdx.load(pd.DataFrame({"response_a": [text], "response_b": ["y"], "judge_j": ["A"]}))
    assert pdx.load(data.to_annotated_pairs(tmp_path / "t.json")).pairs["response_a"].tolist() == [text]


def test_kinds_of_judges(tmp_path: Path) -> None:
    rows = {"pair_id": "p", "judge": ["h", "m", "d"], "verdict": "A", "kind": ["human", "argmax", "derived"]}
    path = pdx.load(pd.DataFrame(rows)).to_annotated_pairs(tmp_path / "t.json")
    annotators = json.loads(path.read_text(encoding="utf-8"))["annotators"].values()
    assert {a["name"]: a["type"] for a in annotators} == {"h": "human", "m": "ai", "d": "unknown"}


def test_annotated_pairs_errors(tmp_path: Path) -> None:
    data = pdx.load(pd.DataFrame({"judge_ann": ["A"], "judge_bob": [None]}))
    with pytest.raises(UnknownNameError, match="default='bob' is no judge with a verdict; valid: 'ann'"):
        data.to_annotated_pairs(tmp_path / "t.json", default="bob")
    with pytest.raises(FileFormatError, match="there is no folder"):
        data.to_annotated_pairs(tmp_path / "no" / "t.json")


def weights_of(judge: str = "human") -> pd.DataFrame:
    """Return a table of weights that all differ, its rows in another order than the paper's."""
    rows = [
        (judge, s.id, s.kind, name, 100.0 * g + k) for g, s in enumerate(SCENARIOS) for k, name in enumerate(PAPER.ids)
    ]
    table = pd.DataFrame(rows, columns=["judge", "group", "kind", "property", "mean"])
    return table.sample(frac=1, random_state=0)


def test_paper_weights_stand_in_the_papers_order(tmp_path: Path) -> None:
    path = write_paper_weights(weights_of(), tmp_path / "7B_me.json", "human")
    content = json.loads(path.read_text(encoding="utf-8"))

    assert list(content)[:2] == ["[Scenario] Exam Questions", "[Scenario] Code"]
    assert list(content)[-2:] == [
        "[Query-Specific Cases] Show Explicit Subjective Stances",
        "[Query-Specific Cases] Contain Mistakes or Bias",
    ]
    assert list(content.values()) == [[100.0 * g + k for k in range(29)] for g in range(16)]


def test_released_weights_come_out_as_they_went_in(tmp_path: Path, data_dir: Path) -> None:
    released = {}
    for scenario in SCENARIOS:
        file = data_dir / "gair" / "fitted_paras_comparison" / f"model_{scenario.id}_fitted_paras.jsonl"
        lines = map(json.loads, file.read_text(encoding="utf-8").splitlines())
        released[scenario.id] = {line["model_name"]: line["parameters"] for line in lines}["human"]
    rows = [("human", g, name, w) for g, row in released.items() for name, w in zip(PAPER.ids, row, strict=True)]
    table = pd.DataFrame(rows, columns=["judge", "group", "property", "mean"]).sample(frac=1, random_state=1)
    content = json.loads(write_paper_weights(table, tmp_path / "h.json", "human").read_text(encoding="utf-8"))

    assert list(content.values()) == list(released.values())


def test_groups_that_the_paper_does_not_have_or_that_were_not_fitted(tmp_path: Path) -> None:
    table = weights_of().replace({"group": {"Code": "all"}})
    table.loc[(table["group"] == "Advice") & (table["property"] == "lengthy"), "mean"] = np.nan
    content = json.loads(write_paper_weights(table, tmp_path / "w.json", "human").read_text(encoding="utf-8"))

    assert len(content) == 14
    assert not {"[Scenario] Advice", "[Scenario] Code", "[Scenario] all"} & set(content)
    with pytest.raises(DataError, match="no fitted group is one of the paper's; valid: 'Exam Questions'"):
        write_paper_weights(table[table["group"] == "all"], tmp_path / "w.json", "human")


def test_paper_weights_errors(tmp_path: Path) -> None:
    table = weights_of()
    few = table[~table["property"].isin(["lengthy", "clear"])]
    with pytest.raises(DataError, match="missing: clear, lengthy; fit"):
        write_paper_weights(few, tmp_path / "w.json", "human")
    with pytest.raises(UnknownNameError, match="unknown judge 'humen'; close matches: 'human'"):
        write_paper_weights(table, tmp_path / "w.json", "humen")
    with pytest.raises(ColumnError, match="missing: mean"):
        write_paper_weights(table.drop(columns="mean"), tmp_path / "w.json", "human")


def test_weights_of_a_dissection(tmp_path: Path) -> None:
    data = pdx.simulate(400, judges=["me", "you"], random_seed=0).data
    result = pdx.dissect(data, by="both", engine="ep", random_seed=0)
    content = json.loads(result.to_reference(tmp_path / "7B_me.json", "me").read_text(encoding="utf-8"))
    own = result.weights.query("judge == 'me' and group == 'Advice'").set_index("property")["mean"]

    assert content["[Scenario] Advice"] == own[list(PAPER.ids)].tolist()
