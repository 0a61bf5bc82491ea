"""`prefdissect annotate` rates pairs of a file, says beforehand what that costs, and goes on where it was."""

import os
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

import planted_annotator as planted
import prefdissect as pdx
from prefdissect.cli import app
from served import BAD_JSON, served

SCHEMA = ["clear", "satisfy_constraints", "no_severe_errors"]


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "pairs.parquet"
    planted.make_table(12).assign(judge_me=["A", "B"] * 6).to_parquet(path)
    return path


def run(*arguments):
    return CliRunner().invoke(app, ["annotate", *map(str, arguments)])


def test_a_file_is_rated_and_read_again_by_the_command_that_it_names(source, tmp_path):
    out, schema = tmp_path / "rated.parquet", pdx.PAPER.select(SCHEMA).to_file(tmp_path / "mine.yaml")
    options = ["--model", "m", "--schema", schema, "--scenarios"]
    with served(planted.answer) as server:
        done = run(source, out, *options, "--base-url", server.url)
        n = len(server.log)
        again = run(source, out, *options, "--base-url", server.url)
        estimate = run(source, out, *options, "--base-url", server.url, "--estimate")
        assert len(server.log) == n  # the replies are kept beside OUT
    assert done.exit_code == 0, done.output
    assert (tmp_path / "rated.replies.sqlite").is_file()
    assert "Annotated: 12 pairs, 3 properties rated by m" in done.output
    assert "0 calls, " in again.output
    assert estimate.output.count("m: 0 calls (") == 2
    line = next(line for line in done.output.splitlines() if line.startswith("next: prefdissect "))
    data = pdx.load(out, schema=schema, cases=["w_constraints"])
    assert data.properties == [p.id for p in pdx.PAPER.select(SCHEMA)]
    assert not np.isnan(data.ratings[:, :, 0]).any()
    assert data.groups.columns.tolist() == ["Code", "Advice", "Others", "w_constraints"]
    fit = CliRunner().invoke(app, [*line.split()[2:], "--engine", "ep", "--by", "none"])
    assert fit.exit_code == 0, fit.output
    assert "clear" in fit.output


def test_what_failed_is_told_and_asked_again_on_request(source, tmp_path):
    out, bad = tmp_path / "rated.jsonl", {"on": True}
    options = [
        source,
        out,
        "--model",
        "m",
        "--mode",
        "single",
        "--schema",
        pdx.PAPER.select(["clear"]).to_file(tmp_path / "c.json"),
    ]
    fault = {"faults": lambda body, n: BAD_JSON if bad["on"] and "[[r=r1a]]" in str(body) else None}
    with served(planted.answer, **fault) as server:
        first = run(*options, "--base-url", server.url)
        bad["on"] = False
        second = run(*options, "--base-url", server.url, "--retry-failed", "--limit", "5 calls")
        run(*options, "--base-url", server.url, "--extra", '{"temperature": null, "seed": 7}')
    body = server.log[-1].body
    assert ("temperature" in body, body["seed"]) == (False, 7)
    assert "warning: not all ratings are there: 1 calls gave nothing" in first.output
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "warning" not in second.output
    assert "used: 1 calls, 23 replies kept" in second.output


def test_one_limit_holds_for_scenarios_and_ratings_together(source, tmp_path):
    schema = pdx.PAPER.select(["clear"]).to_file(tmp_path / "c.json")
    options = ["--model", "m", "--schema", schema, "--scenarios", "--limit", "15 calls"]
    with served(planted.answer) as server:
        done = run(source, tmp_path / "o.parquet", *options, "--base-url", server.url)
        assert (done.exit_code, len(server.log)) == (0, 15), done.output
    assert "9 of 12 pairs were not asked" in done.output


def test_an_estimate_needs_neither_key_nor_openai(source, tmp_path):
    code = (
        "import sys; sys.modules['openai'] = None; sys.modules['httpx2'] = None\n"
        "from prefdissect.cli import app; app(sys.argv[1:])"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OPENAI_API_KEY"}
    command = ["annotate", str(source), str(tmp_path / "o.csv"), "--model", "gpt-4o", "--scenarios", "--estimate"]
    done = subprocess.run(
        [sys.executable, "-c", code, *command], env=environment, capture_output=True, text=True, check=False
    )
    lines = done.stdout.splitlines()
    assert lines[0].startswith("scenarios: gpt-4o: 12 calls, about "), done.stderr
    assert lines[1].startswith("ratings: gpt-4o: ")
    assert "about $0." in lines[1]
    assert [path.name for path in tmp_path.iterdir()] == [source.name]


def test_errors_are_one_line(source, tmp_path):
    out = tmp_path / "o.parquet"
    for options, message in [
        (["--model", "m", "--mode", "both"], "error: mode='both' is not an option"),
        (["--model", "m", "--limit", "$5"], "error: no price of model 'm' is known"),
        (["--model", "m", "--schema", "text"], "error: all properties of schema 'text' are measured by rule"),
        (["--model", "m", "--references", "best"], "error: references='best' is no column"),
        (["--model", "m", "--extra", "x=1"], "error: --extra 'x=1' is no JSON object"),
    ]:
        done = run(source, out, *options)
        assert (done.exit_code, done.output.splitlines()[-1][: len(message)]) == (1, message)
    assert run(source, tmp_path / "no" / "o.csv", "--model", "m").exit_code == 1
