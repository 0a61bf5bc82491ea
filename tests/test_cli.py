"""The command line, through typer's runner: what it prints, writes, and how it fails."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

import prefdissect as pdx
from prefdissect.cli import app
from test_dissection import table_of_pairs


def run(*args: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in args])


@pytest.fixture
def csv(tmp_path) -> Path:
    path = tmp_path / "pairs.csv"
    table_of_pairs(60).to_csv(path, index=False)
    return path


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of printed tables: columns stand two or more spaces apart."""
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]


def test_folds_are_those_of_python(csv: Path, tmp_path: Path):
    assert run("dissect", csv, "--folds", 3, "--csv", tmp_path / "weights.csv").exit_code == 0
    ours = pdx.dissect(csv, folds=3, random_seed=0).weights
    pd.testing.assert_series_equal(pd.read_csv(tmp_path / "weights.csv")["mean"], ours["mean"])
    assert run("dissect", csv, "--folds", 1).exit_code == 1


def test_judges_are_pooled_as_in_python(csv: Path, tmp_path: Path):
    pooled = ["--pooling", "partial", "--engine", "ep", "--csv", tmp_path / "weights.csv"]
    result = run("dissect", csv, *pooled)
    assert result.exit_code == 0, result.output
    assert "Pooling gain, held out:" in result.output
    ours = pdx.dissect(csv, pooling="partial", engine="ep", random_seed=0, progress=False)
    found = pd.read_csv(tmp_path / "weights.csv")
    pd.testing.assert_series_equal(found["mean"], ours.weights["mean"])
    assert set(found["engine"]) == {"pooled"}
    alone = run("dissect", csv, *pooled, "--exclude-from-pool", "nobody")
    assert alone.exit_code == 1
    assert "exclude_from_pool= names 'nobody'" in alone.output
    assert "model_a and model_b" in run("dissect", csv, *pooled, "--self-preference").output


def test_a_saved_dissection_becomes_a_page(csv: Path, tmp_path: Path):
    assert run("dissect", csv, "--engine", "ep", "--draws", 200, "--out", tmp_path / "run.nc").exit_code == 0
    result = run("report", tmp_path / "run.nc", tmp_path / "out.html", "--title", "Mine & <yours>", "--texts", "none")
    assert result.exit_code == 0, result.output
    assert "<title>Mine &amp; &lt;yours&gt;</title>" in (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "no texts" not in result.output  # nobody asked for any
    assert "--data" in run("report", tmp_path / "run.nc", tmp_path / "out.html").output  # it has none, which is said
    assert run("report", tmp_path / "run.nc", tmp_path / "none" / "out.html").exit_code == 1
    wrong = run("report", tmp_path / "run.nc", tmp_path / "out.html", "--texts", "few")
    assert wrong.exit_code == 1
    assert "sample" in wrong.output


def test_the_demo_writes_a_page_and_says_where(tmp_path: Path):
    result = run("demo", "--report", "--out", tmp_path / "demo.html")
    assert str(tmp_path / "demo.html") in result.output
    assert (tmp_path / "demo.html").stat().st_size > 50_000


def test_demo_prints_truth_beside_estimate():
    """Ten known weights from 2,000 pairs each: posterior sds are below 0.07, so 0.3 is beyond 4 of them."""
    result = run("demo", "--seed", 1)
    assert result.exit_code == 0, result.output
    rows = [r for r in rows_of(result.stdout) if r[0] in ("human", "llm") and len(r) == 7]
    truth = {(r[0], r[1]): float(r[2]) for r in rows}
    assert len(rows) == 10
    assert truth["human", "admit limits"] == -0.5
    assert truth["llm", "no severe errors"] == 1.2
    for _judge, _name, true, estimate, lower, upper, inside in rows:
        assert abs(float(estimate) - float(true)) < 0.3
        assert float(lower) < float(estimate) < float(upper)
        if min(abs(float(true) - float(lower)), abs(float(true) - float(upper))) > 0.01:
            assert inside == ("yes" if float(lower) < float(true) < float(upper) else "no")
    held = sum(r[6] == "yes" for r in rows)
    assert f"{held} of 10 true weights lie inside their 94% intervals" in result.stdout


def test_dissect_prints_and_writes_the_weights(csv, tmp_path):
    out, weights = tmp_path / "run.nc", tmp_path / "weights.csv"
    result = run("dissect", csv, "--judge", "me", "-o", out, "--csv", weights, "--seed", 3)
    assert result.exit_code == 0, result.output
    written = pd.read_csv(weights)
    loaded = pdx.Dissection.load(out)
    pd.testing.assert_frame_equal(written, loaded.weights, check_dtype=False, check_exact=False, rtol=1e-12)
    assert loaded.options["random_seed"] == 3
    ordered = written.sort_values("mean", ascending=False)
    printed = [r for r in rows_of(result.stdout) if r[0].removesuffix(" *") in set(written["label"])]
    assert [r[0].removesuffix(" *") for r in printed] == ordered["label"].tolist()
    assert [r[0] for r in printed if r[0].endswith(" *")] == ["flat *"], "what never differs is marked"
    assert "\n* not identified: the property never differs" in result.stdout
    for cells, row in zip(printed, ordered.itertuples(), strict=True):
        assert [float(c) for c in cells[1:4]] == pytest.approx([row.mean, row.lower, row.upper], abs=0.0051)
    assert "me, all: 60 pairs" in result.stdout
    assert str(out) in result.stdout.replace("\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--judge", "mee"], "unknown judge 'mee'; close matches: 'me'"),
        (["--by", "scenari"], "by='scenari'"),
        (["--ties", "keep"], "ties='keep'"),
        (["--draws", "1"], "draws=1"),
    ],
)
def test_bad_option_is_one_line_and_exit_code_1(csv, tmp_path, arguments, message):
    result = run("dissect", csv, *arguments, "--out", tmp_path / "run.nc", "--csv", tmp_path / "w.csv")
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["pairs.csv"], "nothing is half-written"


def test_unreadable_file_is_one_line_and_exit_code_1(tmp_path):
    result = run("dissect", tmp_path / "absent.csv")
    assert result.exit_code == 1
    assert len(result.stderr.strip().splitlines()) == 1
    assert "absent.csv" in result.stderr
    (tmp_path / "broken.parquet").write_text("no parquet")
    result = run("dissect", tmp_path / "broken.parquet", "--judge", "me")
    assert result.exit_code == 1
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("option", ["--out", "--csv"])
def test_output_that_cannot_be_written_is_one_line_and_exit_code_1(csv, tmp_path, option):
    result = run("dissect", csv, "--judge", "me", "--draws", 10, option, tmp_path / "absent" / "file")
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == 1
    lines = [line for line in result.stderr.strip().splitlines() if not line.startswith("warning: ")]
    assert len(lines) == 1
    assert "absent" in lines[0]


def test_help_names_both_commands():
    result = run("--help")
    assert result.exit_code == 0
    assert {"demo", "dissect", "explain"} <= set(re.findall(r"\w+", result.stdout))


def test_both_outputs_are_checked_before_the_work(tmp_path):
    """Nothing half-written: not the one file when the other cannot be."""
    table = tmp_path / "pairs.csv"
    table.write_text("x_a,x_b,judge_j\n" + "1,0,A\n0,1,B\n" * 10)
    good, bad = tmp_path / "run.nc", tmp_path / "absent" / "w.csv"
    result = CliRunner().invoke(app, ["dissect", str(table), "--out", str(good), "--csv", str(bad)])
    assert result.exit_code == 1
    assert "no folder" in result.output
    assert not good.exists()


def test_explain_prints_what_python_says_and_writes_the_table(csv, tmp_path):
    out, table = tmp_path / "run.nc", tmp_path / "pair.csv"
    assert run("dissect", csv, "--judge", "me", "--out", out).exit_code == 0
    result = run("explain", out, "pair-3", "-j", "me", "--group", "all", "--csv", table)
    assert result.exit_code == 0, result.output
    expected = pdx.Dissection.load(out).explain("pair-3")
    assert result.stdout.startswith(repr(expected))
    pd.testing.assert_frame_equal(pd.read_csv(table), expected.table, check_dtype=False, rtol=1e-12)
    assert str(table) in result.stdout.replace("\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pair-600"], "unknown pair 'pair-600'"),
        (["pair-3", "--judge", "you"], "unknown judge 'you'"),
        (["pair-3", "--group", "some"], "unknown group 'some'"),
    ],
)
def test_what_cannot_be_explained_is_one_line_and_exit_code_1(csv, tmp_path, arguments, message):
    out, table = tmp_path / "run.nc", tmp_path / "pair.csv"
    run("dissect", csv, "--judge", "me", "--out", out)
    result = run("explain", out, *arguments, "--csv", table)
    assert result.exit_code == 1
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not table.exists()


def test_properties_are_chosen_whether_rated_or_measured_from_texts(csv, tmp_path):
    table = pd.read_csv(csv)
    rated = [c.removesuffix("_a") for c in table.columns if c.endswith("_a") and table[c].dtype != object][:1]
    table["response_a"] = ["a b c d", "e", "f g"] * (len(table) // 3) + ["h"] * (len(table) % 3)
    table["response_b"] = ["a", "b c"] * (len(table) // 2) + ["d"] * (len(table) % 2)
    table.to_csv(tmp_path / "texts.csv", index=False)
    found = run(
        "dissect", tmp_path / "texts.csv", "--property", rated[0], "--property", "length", "--csv", tmp_path / "w.csv"
    )
    assert found.exit_code == 0, found.output
    assert set(pd.read_csv(tmp_path / "w.csv")["property"]) == {rated[0], "length"}
    table[["response_a", "response_b", *[c for c in table if c.startswith("judge_")]]].to_csv(tmp_path / "only.csv")
    found = run("dissect", tmp_path / "only.csv", "--property", "length", "--csv", tmp_path / "w.csv")
    assert found.exit_code == 0, found.output
    assert set(pd.read_csv(tmp_path / "w.csv")["property"]) == {"length"}
    found = run("dissect", tmp_path / "texts.csv", "--property", "lenght")
    assert found.exit_code == 1
    assert "property 'lenght' is not rated, nor one of TEXT" in found.output
    assert "length" in found.output
