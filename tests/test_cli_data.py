"""Commands that read data: inspect, convert, schema, and dissect on texts that nobody rated."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

import prefdissect as pdx
from prefdissect.cli import app

GOLDEN = Path(__file__).parent / "golden"


def run(*args: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in args])


def counts(output: str) -> dict[str, dict[str, int]]:
    """Return the printed table of judges: name to outcome to number."""
    lines = output.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("judge ") and "verdicts" in line)
    names = lines[start].split()[1:]
    rows = [re.split(r"\s{2,}", line.strip()) for line in lines[start + 2 :]]
    return {row[0]: dict(zip(names, map(int, row[1:]), strict=True)) for row in rows[: [*rows, [""]].index([""])]}


def texts(n: int = 120) -> pd.DataFrame:
    """Return pairs of texts of which one is much longer, which the judge prefers in nine of ten."""
    rng = np.random.default_rng(0)
    words = np.array(["tea", "stone", "river", "house", "green", "slowly", "walks", "under", "bright", "paper"])
    sizes = rng.permuted(np.tile([15, 60], (n, 1)), axis=1)
    sides = [[" ".join(rng.choice(words, k)) + "." for k in sizes[:, s]] for s in (0, 1)]
    longer = sizes[:, 0] > sizes[:, 1]
    wins = np.where(rng.random(n) < 0.9, longer, ~longer)
    return pd.DataFrame(
        {
            "prompt": [f"Tell me about {i}." for i in range(n)],
            "response_a": sides[0],
            "response_b": sides[1],
            "scenario": np.where(np.arange(n) % 2, "odd", "even"),
            "judge_me": np.where(wins, "A", "B"),
        }
    )


def test_inspect_says_layout_judges_and_groups() -> None:
    result = run("inspect", GOLDEN / "helpsteer3.jsonl")

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("layout         helpsteer3: HelpSteer3 preferences\n")
    assert counts(result.stdout) == {"human": {"pairs": 2, "verdicts": 3, "A": 1, "B": 1, "tie": 1}}
    assert re.search(r"^code +scenario +1 +2$", result.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("files", "rows", "expected"),
    [
        (["arena_llama3/pairs.parquet"], 1415, {"human": {"A": 720, "B": 695}}),
        (
            ["pandalm/pairs.parquet"],
            999,
            {
                "human1": {"A": 427, "B": 475, "tie": 97},
                "human2": {"A": 417, "B": 466, "tie": 116},
                "human3": {"A": 411, "B": 475, "tie": 113},
                "gpt35turbo": {"A": 460, "B": 476, "tie": 38},
                "pandalm7b": {"A": 433, "B": 459, "tie": 107},
            },
        ),
        (
            ["pandalm/raw"],
            999,
            {
                "human1": {"A": 427, "B": 475, "tie": 97, "invalid": 0},
                "human3": {"A": 411, "B": 475, "tie": 113, "invalid": 0},
                "gpt-3.5-turbo": {"A": 460, "B": 476, "tie": 38, "invalid": 25},
                "pandalm-7b": {"A": 433, "B": 459, "tie": 107, "invalid": 0},
            },
        ),
        (["alpaca_eval/pairs_v1.parquet"], 9660, {"gpt4": {"A": 3670, "B": 5904, "tie": 5}}),
        (["alpaca_eval/pairs_v2.parquet"], 8855, {"weighted_gpt4_turbo": {"verdicts": 8 * 805}}),
        (
            ["alpaca_eval/raw"],
            2 * 805,
            {
                "alpaca_eval_gpt4": {"verdicts": 805, "tie": 5, "invalid": 1},
                "weighted_alpaca_eval_gpt4_turbo": {"verdicts": 805, "soft": 804, "tie": 1},
            },
        ),
        (["topical_chat/pairs.parquet"], 900, {"human_mean": {"A": 405, "B": 429, "tie": 66}}),
        (
            ["hanna/pairs_overall.parquet"],
            5280,
            {"human1": {"A": 2552, "B": 2487, "tie": 241}, "chatgpt_p1": {"A": 2157, "B": 2204, "tie": 889}},
        ),
        (["hanna/pairs_engagement.parquet"], 5280, {"human1": {"A": 2070, "B": 2036, "tie": 1174}}),
        (["gair/sample_unannotated.jsonl"], 2, {"human": {"B": 2}}),
        (
            ["gair/query_aware_idxs.json", "gair/example_preference_labels.json"],
            5240,
            {"example_preference_labels": {"A": 2609, "B": 2631}},
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_real_data_have_the_counts_of_their_readmes(
    data_dir: Path, files: list[str], rows: int, expected: dict[str, dict[str, int]]
) -> None:
    result = run("inspect", *(data_dir / file for file in files))

    assert result.exit_code == 0, result.output
    assert re.search(rf"^pairs +{rows:,}, ids", result.stdout, re.MULTILINE)
    found = counts(result.stdout)
    for judge, outcomes in expected.items():
        assert {name: found[judge][name] for name in outcomes} == outcomes, judge


def test_the_papers_groups_have_the_papers_sizes(data_dir: Path) -> None:
    gair = data_dir / "gair"
    data = pdx.load([gair / "query_aware_idxs.json", gair / "example_preference_labels.json"])

    assert data.groups.sum().to_dict() == {s.id: s.n_pairs for s in pdx.SCENARIOS}


def test_dissect_measures_texts_that_nobody_rated(tmp_path: Path) -> None:
    texts().to_parquet(tmp_path / "texts.parquet")
    result = run("dissect", tmp_path / "texts.parquet", "--draws", 500)

    assert result.exit_code == 0, result.output
    assert re.search(r"^measured +240 distinct responses, by rules from their texts$", result.stdout, re.MULTILINE)
    heads = [line for line in result.stdout.splitlines() if line.startswith("me, ")]
    assert [h.split(":")[0] for h in heads] == ["me, even", "me, odd"]
    first = [result.stdout.split(head)[1].splitlines()[3].split()[0] for head in heads]
    assert first == ["length", "length"]


def test_dissect_does_not_measure_where_something_is_rated_or_a_schema_is_asked_for() -> None:
    table = texts().assign(clear_a=1.0, clear_b=np.arange(120) % 2)

    assert pdx.dissect(table, by=None, random_seed=0, draws=500).properties == ["clear"]
    with pytest.raises(pdx.PrefDissectError, match="rate no property"):
        pdx.dissect(texts(), schema=pdx.PAPER)


def test_the_schema_of_texts_measures_them_whatever_else_is_rated(tmp_path: Path) -> None:
    table = texts().assign(clear_a=1.0, clear_b=np.arange(120) % 2)
    table.to_parquet(tmp_path / "rated.parquet")
    result = run("dissect", tmp_path / "rated.parquet", "--schema", "text", "-o", tmp_path / "run.nc", "--draws", 500)

    assert result.exit_code == 0, result.output
    assert pdx.Dissection.load(tmp_path / "run.nc").properties == list(pdx.TEXT.ids)
    report = result.stdout.split("\nDissection: ")[0]
    assert "clear (numeric, not among the properties)" in report
    assert "not rated" not in report
    assert "hint" not in report
    data = pdx.load(table, schema=pdx.TEXT)
    assert data.properties == []
    assert pdx.dissect(data, by=None, random_seed=0, draws=500).properties == list(pdx.TEXT.ids)


def test_a_schema_has_those_measured_that_are_of_texts_and_not_rated() -> None:
    schema = pdx.PropertySchema(properties=[pdx.PAPER["clear"], pdx.TEXT["bold"], pdx.TEXT["length"]])
    table = texts().assign(clear_a=1, clear_b=np.arange(120) % 2, length_a=5, length_b=np.arange(120))
    data = pdx.dissect(table, schema=schema, by=None, random_seed=0, draws=500).data

    assert data.properties == ["clear", "length", "bold"]
    assert data.ratings[:, 1, 1].tolist() == list(range(120)), "what the table rates is not measured again"


@pytest.mark.parametrize("command", ["inspect", "dissect"])
def test_texts_that_are_not_measured_are_hinted_at(command: str, tmp_path: Path) -> None:
    texts().assign(n_a=np.arange(120), n_b=1).to_csv(tmp_path / "stray.csv", index=False)
    result = run(command, tmp_path / "stray.csv")

    assert result.exit_code == 0, result.output
    (hint,) = [line for line in result.stdout.splitlines() if line.startswith("hint ")]
    assert all(way in hint for way in ("texts are not measured", "--schema text", "measure_text()"))
    measured = pdx.measure_text(pdx.load(tmp_path / "stray.csv"))
    assert measured.report.hints == []


def test_inspect_says_that_texts_can_be_measured_and_where_they_are(tmp_path: Path) -> None:
    texts().to_csv(tmp_path / "texts.csv", index=False)
    stdout = run("inspect", tmp_path / "texts.csv").stdout
    assert re.search(r"^hint +there are texts to measure: measure_text\(\)", stdout, re.MULTILINE)
    odd = texts().rename(columns={"response_a": "response_1", "response_b": "response_2"})
    odd.to_csv(tmp_path / "odd.csv", index=False)
    said = "'response_1' and 'response_2' may be texts to measure: rename them to response_a and response_b"
    assert said in run("inspect", tmp_path / "odd.csv").stdout
    for options in ((), ("--schema", "text")):
        result = run("dissect", tmp_path / "odd.csv", *options)
        assert result.exit_code == 1
        assert said in result.stderr


def test_names_and_numbers_are_no_texts_to_measure() -> None:
    table = texts(20)[["judge_me"]].assign(model_1="one model", model_2="another", n_1=1, n_2=2, clear_a=1, clear_b=2)
    assert pdx.load(table).report.hints == []


def test_an_error_for_want_of_properties_says_that_texts_can_be_measured() -> None:
    with pytest.raises(pdx.PrefDissectError, match=r"rate no property.*measure_text\(\).*schema=TEXT"):
        pdx.dissect(texts(), schema=pdx.PAPER)


def test_new_pairs_are_measured_to_predict_them() -> None:
    result = pdx.dissect(texts(), by=None, random_seed=0, draws=500)
    new = texts(20).drop(columns="judge_me")
    predicted = result.predict(new)
    longer = new["response_a"].str.len() > new["response_b"].str.len()

    assert ((predicted["probability"] > 0.5).to_numpy() == longer.to_numpy()).all()


def test_convert_writes_what_load_reads(tmp_path: Path) -> None:
    for name in ("pairs.parquet", "pairs.csv", "pairs.json"):
        result = run("convert", GOLDEN / "reward_bench.jsonl", tmp_path / name)
        assert result.exit_code == 0, result.output
        assert result.stdout.endswith(f"wrote {tmp_path / name}\n")
    before, table = pdx.load(GOLDEN / "reward_bench.jsonl"), pdx.load(tmp_path / "pairs.parquet")

    assert table.hash == before.hash
    assert "annotators" in json.loads((tmp_path / "pairs.json").read_text(encoding="utf-8"))
    assert pdx.load(tmp_path / "pairs.json").labels["reference"].tolist() == before.labels["reference"].tolist()


def test_convert_can_measure(tmp_path: Path) -> None:
    texts(10).to_csv(tmp_path / "texts.csv", index=False)
    result = run("convert", tmp_path / "texts.csv", tmp_path / "rated.parquet", "--measure")

    assert result.exit_code == 0, result.output
    assert "length_a" in pd.read_parquet(tmp_path / "rated.parquet").columns
    again = pdx.load(tmp_path / "rated.parquet", schema=pdx.TEXT)
    np.testing.assert_array_equal(again.ratings, pdx.measure_text(texts(10)).ratings)
    for options in (["--schema", "text"], ["--schema", "text", "--measure"]):
        result = run("convert", tmp_path / "texts.csv", tmp_path / "again.parquet", *options)
        assert result.exit_code == 0, result.output
        pd.testing.assert_frame_equal(
            pd.read_parquet(tmp_path / "again.parquet"), pd.read_parquet(tmp_path / "rated.parquet")
        )


@pytest.mark.parametrize(("name", "n"), [("paper", 29), ("TEXT", len(pdx.TEXT))])
def test_schema_prints_and_writes(name: str, n: int, tmp_path: Path) -> None:
    printed, written = run("schema", name), run("schema", name, "--out", tmp_path / "mine.yaml")

    assert printed.exit_code == written.exit_code == 0
    assert f"{n} properties" in printed.stdout
    again = run("schema", tmp_path / "mine.yaml")
    assert again.stdout == printed.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["inspect", "nosuch.parquet"], "there is no file"),
        (["inspect", GOLDEN / "llmbar.json", "--format", "alpaca"], "close matches: 'alpaca-eval'"),
        (["inspect", GOLDEN / "llmbar.json", "--split", "train"], "goes with an address on the Hub"),
        (["convert", GOLDEN / "llmbar.json", "out.xyz"], "ending"),
        (["schema", "papre"], "papre"),
        (["dissect", GOLDEN / "llmbar.json", "--judge", "referens"], "close matches: 'reference'"),
    ],
    ids=str,
)
def test_errors_are_one_line(arguments: list[object], message: str) -> None:
    result = run(*arguments)

    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.splitlines()) == 1
    assert message in result.stderr


def test_groups_are_named_on_the_command_line() -> None:
    arena = GOLDEN / "arena_human_preference_100k.jsonl"
    result = run("inspect", arena, "--scenario", "language", "--case", "math", "--case", "is_code", "--cluster", "user")

    assert result.exit_code == 0, result.output
    assert re.search(r"^pairs +2, .*; 2 clusters$", result.stdout, re.MULTILINE)
    for group, kind in (("English", "scenario"), ("math", "case"), ("is_code", "case")):
        assert re.search(rf"^{group} +{kind} ", result.stdout, re.MULTILINE)


def test_texts_without_prompts_are_measured_by_what_needs_none() -> None:
    result = pdx.dissect(texts().drop(columns="prompt"), by=None, random_seed=0, draws=500)

    assert set(pdx.TEXT.ids) - set(result.properties) == {"prompt_overlap", "same_language"}
    assert result.top(1)["property"].iloc[0] == "length"
