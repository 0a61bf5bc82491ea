"""`prefdissect judge` for a newcomer: fields of one's own, a Ctrl-C, a model that rates and one that judges, hints."""

import _thread
import signal
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import planted
import planted_annotator
import prefdissect as pdx
from prefdissect.cli import app
from served import served

KEY = "sk-0123456789"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    planted.pairs(10).to_csv("pairs.csv", index=False)


def run(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments)])


def test_fields_of_ones_own_go_with_each_request_and_temperature_can_be_left_out():
    fields = '{"max_tokens": null, "max_completion_tokens": 2000, "temperature": null}'
    with served(planted.judge, also=["max_completion_tokens"]) as server:
        done = run("judge", "pairs.csv", "o.csv", "--model", "m", "--base-url", server.url, "--extra", fields)
    assert done.exit_code == 0, done.output
    sent = server.log[0].body
    assert (sent["max_completion_tokens"], {"max_tokens", "temperature"} & set(sent)) == (2000, set())


def test_it_says_how_to_go_on_and_leaves_no_schema_that_nothing_needs():
    with served(planted.judge) as server:
        done = run("judge", "pairs.csv", "judged.csv", "--model", "m", "--base-url", server.url)
    assert done.output.splitlines()[-1] == "next: prefdissect dissect judged.csv"
    assert not Path("judged.schema.yaml").exists()
    seen = run("inspect", "judged.csv")
    assert "properties     4: kind, wordy, plain, blue" in seen.output
    assert "note:" not in seen.output


@pytest.fixture
def heeds_interrupts():
    """Heed Ctrl-C, which a run of tests in the background has been told to ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeds_interrupts")
def test_after_an_interrupt_it_says_what_is_kept_and_goes_on():
    heard = []

    def answer(body):
        heard.append(body)
        if len(heard) == 6:
            _thread.interrupt_main()  # what Ctrl-C does
        return planted.judge(body)

    with served(answer, delay=0.1) as server:
        ask = ["judge", "pairs.csv", "o.csv", "--model", "m", "--base-url", server.url, "--concurrency", "2"]
        stopped = run(*ask)
        n = len(heard)
        again = run(*ask)
    assert stopped.exit_code == 130
    assert "stopped; replies so far are kept in o.replies.sqlite: give the same command again" in stopped.output
    assert again.exit_code == 0, again.output
    assert 6 <= n <= 8  # six, and what was in flight
    assert len(heard) <= 22  # 20 questions; at most two were in flight, and are asked again


def test_pairs_are_rated_then_judged_then_dissected_by_the_commands_that_are_named():
    planted_annotator.make_table(12).to_parquet("texts.parquet")
    pdx.PAPER.select(["clear", "satisfy_constraints"]).to_file("two.yaml")
    with served(planted_annotator.answer) as server:
        at = ["--model", "m", "--base-url", server.url]
        rated = run("annotate", "texts.parquet", "rated.parquet", "--schema", "two.yaml", *at)
    judge, dissect = (line.split()[2:] for line in rated.output.splitlines()[-2:])
    assert judge == ["judge", "rated.parquet", "judged-rated.parquet", "--schema", "two.yaml", "--model", "MODEL"]
    with served(lambda body: "A") as server:
        judged = run(*judge[:-1], "j", "--way", "letter", "--base-url", server.url)
    assert judged.exit_code == 0, judged.output
    found = run(*dissect, "--engine", "ep")
    assert found.exit_code == 0, found.output
    data = pdx.load("judged-rated.parquet", schema="two.yaml", cases=["w_constraints"])
    assert (data.judges, data.groups.columns.tolist()) == (["j"], ["w_constraints"])
    assert data.properties == ["clear", "satisfy_constraints"]


def test_a_schema_beside_the_file_is_pointed_out():
    planted_annotator.make_table(12).assign(judge_me=["A", "B"] * 6).to_parquet("texts.parquet")
    with served(planted_annotator.answer) as server:
        run("annotate", "texts.parquet", "rated.csv.gz", "--model", "m", "--base-url", server.url)
    note = "note: rated.schema.yaml says how these columns are rated: --schema rated.schema.yaml"
    for command in ("inspect", "dissect"):
        assert note in run(command, "rated.csv.gz").output.splitlines()
        assert "note:" not in run(command, "rated.csv.gz", "--schema", "rated.schema.yaml").output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["o.csv", "--key-env", KEY], "error: key_env (--key-env) must be the name of an environment variable"),
        (["o.csv", "--extra", "x=1"], "error: --extra 'x=1' is no JSON object"),
        (["o.csv", "--base-url", "http://127.0.0.1:9/v1"], "error: no connection to http://127.0.0.1:9/v1: nothing"),
    ],
)
def test_errors_are_one_line_without_a_key(options, message):
    done = run("judge", "pairs.csv", *options, "--model", "m")
    assert (done.exit_code, done.output.splitlines()[-1][: len(message)]) == (1, message)
    assert KEY not in done.output


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="no folder here in which even root cannot write")
def test_a_folder_in_which_nothing_can_be_written_is_told_before_anything_is_asked():
    with served(planted.judge) as server:
        done = run("judge", "pairs.csv", "/proc/o.csv", "--model", "m", "--base-url", server.url)
    assert "error: cannot write '/proc/o.csv': nothing can be written in '/proc'" in done.output
    assert (done.exit_code, server.log) == (1, [])


def test_small_sums_are_not_free_and_an_unknown_price_names_the_way_out():
    asked = run("judge", "pairs.csv", "o.csv", "--model", "gpt-4o-mini", "--estimate").output
    assert "less than $0.01" in asked
    assert (
        "price unknown (give it in a file: prices=, --prices)"
        in run("judge", "pairs.csv", "o.csv", "--model", "mine", "--estimate").output
    )


def test_data_that_nobody_judged_name_the_command_that_asks_a_model():
    pd.read_csv("pairs.csv").to_parquet("pairs.parquet")
    assert "ask a model (prefdissect judge, collect()), or name" in run("dissect", "pairs.parquet").output
