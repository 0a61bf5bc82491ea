"""`prefdissect steer`: messages, an experiment, its estimate, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import prefdissect as pdx
from planted_world import FEATURES, WEIGHTS, answer, log_odds, pairs
from prefdissect.cli import app
from served import served

pytestmark = pytest.mark.lane("newer")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a saved dissection of a planted judge, and prompts."""
    folder = tmp_path_factory.mktemp("steer")
    table = pairs(150)
    rows = table[["prompt", "response_a", "response_b"]].itertuples(index=False)
    table["judge_me"] = ["A" if log_odds(*row, WEIGHTS) > 0 else "B" for row in rows]
    data = pdx.measure_text(table, properties=list(FEATURES), n_jobs=1, progress=False)
    pdx.dissect(data, engine="ep", random_seed=0).save(folder / "run.nc")
    (folder / "prompts.jsonl").write_text("\n".join(json.dumps({"prompt": f"Of {i}"}) for i in range(4)))
    return folder


def run(*args: object) -> tuple[int, str, str]:
    found = CliRunner().invoke(app, ["steer", *map(str, args)])
    return found.exit_code, found.stdout, found.stderr


def test_messages_are_those_of_python(folder: Path) -> None:
    code, said, _ = run(folder / "run.nc", "--k", "1")
    assert code == 0
    result = pdx.Dissection.load(folder / "run.nc")
    for direction in ("toward", "away"):
        message = result.steering_message("all", k=1, direction=direction)
        assert f"{message.why()}\n\n{message}\n" in said
        row = message.properties.iloc[0]
        where = {"toward": "toward me", "away": "away from me"}[direction]
        assert message.why().startswith(f"{where}, all ({row['property']} {row['probability']:.2f})")


def test_a_message_that_cannot_be_made_takes_no_other_with_it(tmp_path: Path) -> None:
    """The judge dislikes one property and surely likes none."""
    schema = pdx.PAPER.select(["clear", "lengthy"])
    study = pdx.simulate(400, schema=schema, judges=["me"], scenarios=None, weights={"lengthy": -1.5}, random_seed=0)
    path = pdx.dissect(study.data, engine="ep", random_seed=0).save(tmp_path / "run.nc")
    code, said, wrong = run(path, "--certain", "--k", 1)
    assert code == 0, wrong
    assert "away from me, all (lengthy 0." in said
    assert "no message toward, all: k=1, but judge 'me' has 0 properties" in wrong
    code, said, wrong = run(path, "--certain", "--k", 2)
    assert (code, "all (" in said) == (1, False)
    assert "no message at all" in wrong


def test_an_experiment_is_that_of_python_and_goes_on_where_it_was(folder: Path) -> None:
    with served(answer) as server:
        given = [folder / "run.nc", folder / "prompts.jsonl", "--k", "1", "--base-url", server.url]
        given += ["--generator", "writer", "--judge", "judge", "--out", folder / "out.csv", "--csv", folder / "tables"]
        code, said, wrong = run(*given, "--estimate")
        assert (code, len(server.log)) == (0, 0), wrong
        assert "12" in said
        code, said, wrong = run(*given, "--seed", "3", "--extra", '{"seed": 7}')
        assert code == 0, wrong
        asked = len(server.log)
        assert {seen.body.get("seed") for seen in server.log if seen.body["model"] == "writer"} == {7}
        again = run(*given, "--seed", "3", "--extra", '{"seed": 7}')
        assert (again[0], len(server.log)) == (0, asked)  # every reply was kept
        found = pdx.run_experiment(
            folder / "prompts.jsonl",
            pdx.ChatGenerator("writer", base_url=server.url, extra={"seed": 7}),
            pdx.ChatJudge("judge", base_url=server.url),
            pdx.Dissection.load(folder / "run.nc").steering(k=1),
            replies=folder / "out.replies.sqlite",
            random_seed=3,
            progress=False,
        )
    out = pd.read_csv(folder / "out.csv")
    assert out["score"].tolist() == pytest.approx(found.judged["score"].tolist())
    assert out["response"].tolist() == found.responses["response"].tolist()
    shifts = pd.read_csv(folder / "tables" / "shifts.csv")
    pd.testing.assert_frame_equal(shifts, found.shifts.astype(shifts.dtypes), check_exact=False)
    assert (folder / "tables" / "scores.csv").exists()
    assert "Shifts from none:" in said


def test_a_judge_of_single_responses_and_a_key_that_goes_to_its_server_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WRITERS_KEY", "secret-of-the-writer")
    with served(answer) as one, served(answer) as other:
        given = ["--base-url", one.url, "--key-env", "WRITERS_KEY", "--judge-base-url", other.url]
        given += ["--generator", "writer", "--judge", "judge", "--way", "score", "--k", "1"]
        replies = folder / "single.sqlite"
        code, said, wrong = run(folder / "run.nc", folder / "prompts.jsonl", *given, "--replies", replies)
        assert code == 0, wrong
        assert "scores from 1 to 10" in said
        assert {seen.body["model"] for seen in one.log} == {"writer"}
        assert {seen.body["model"] for seen in other.log} == {"judge"}
        assert not any("secret-of-the-writer" in str(seen.headers) for seen in other.log)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["prompts.jsonl"], "name who writes and who judges: --generator and --judge"),
        (["--scenario", "Code"], "unknown group 'Code'"),
        (["--by", "nobody"], "unknown judge 'nobody'"),
        (["--k", "9"], "k=9, but judge 'me' has 4 properties"),
        (["prompts.jsonl", "--generator", "w", "--judge", "j", "--way", "loud"], "way='loud' is not an option"),
        (["prompts.jsonl", "--generator", "w", "--judge", "j", "--extra", "[1]"], "is no JSON object"),
        (["--out", "nowhere/out.csv"], "there is no folder"),
        (["--csv", "prompts.jsonl"], "it is a file"),
    ],
)
def test_what_is_refused(folder: Path, given: list[str], told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    code, _, wrong = run("run.nc", *given)
    assert code == 1
    assert told in " ".join(wrong.split())
    assert "Traceback" not in wrong
