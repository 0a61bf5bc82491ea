"""The command `compare`."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

import prefdissect as pdx
from prefdissect.cli import app

pytestmark = pytest.mark.lane("newer")


def run(*args: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in args])


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    study = pdx.simulate(1500, judges=["a", "b", "c"], scenarios=["Code", "Advice"], random_seed=0)
    return pdx.dissect(study.data, engine="ep", random_seed=0).save(tmp_path_factory.mktemp("runs") / "run.nc")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder in the layout of the released weights: judges `x` and `y`."""
    folder, rng = tmp_path_factory.mktemp("reference"), np.random.default_rng(0)
    for group in ("Code", "Advice"):
        lines = [json.dumps({"model_name": j, "parameters": rng.normal(0, 0.2, 29).tolist()}) for j in "xy"]
        (folder / f"model_{group}_fitted_paras.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_similarities_ceilings_and_clusters_are_printed_and_written(saved, tmp_path):
    file = tmp_path / "all.csv"
    done = run("compare", saved, "--k", 2, "--csv", file)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("similarity (pearson), overall; lower and upper bound the 94% interval")
    assert "ceiling_a" in done.stdout
    assert "<JudgeClusters: 3 judges in 2 clusters>" in done.stdout
    written = pd.read_csv(file)
    expected = pdx.Dissection.load(saved).similarity().to_frame(ceiling=True)
    pd.testing.assert_frame_equal(written, expected, check_dtype=False)


def test_a_group_and_another_measure(saved):
    done = run("compare", saved, "--group", "Code", "--method", "l1")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("similarity (l1), Code;")
    assert run("compare", saved, "--group", "Cde").stderr.startswith(
        "error: unknown group 'Cde'; close matches: 'Code'"
    )
    assert "pearson" in run("compare", saved, "--method", "cosine").stderr


def test_judges_are_placed_among_a_reference(saved, folder):
    done = run("compare", saved, "--against", "paper", "--reference", folder)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("nearest of 2 judges (paper)")
    assert "JudgeClusters" in done.stdout


def test_one_judge_is_placed_and_not_compared(folder, tmp_path):
    study = pdx.simulate(400, judges=["a"], scenarios=["Code"], random_seed=0)
    one = pdx.dissect(study.data, engine="ep", random_seed=0).save(tmp_path / "one.nc")
    done = run("compare", one, "--against", "paper", "--reference", folder)
    assert done.exit_code == 0, done.output
    assert "similarity (" not in done.stdout
    alone = run("compare", one)
    assert alone.exit_code == 1
    assert alone.stderr.startswith(
        "error: similarity is between judges, and 'a' is the only one here; dissect two judges or more"
    )
    assert "None" not in alone.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--method", "cosine"], "method='cosine'"),
        (["--group", "Cde"], "unknown group 'Cde'"),
        (["--k", "9"], "k=9 clusters of 3 judges"),
    ],
)
def test_what_cannot_be_done_is_refused_before_the_work(saved, options, said, monkeypatch):
    monkeypatch.setattr(pdx.Dissection, "similarity", None)
    done = run("compare", saved, *options)
    assert done.stderr.startswith(f"error: {said}")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--reference", "x"], "--against paper"),
        (["--against", "papr"], "valid: 'paper'"),
        (["--against", "paper", "--reference", "nowhere"], "is no folder"),
        (["--csv", "nowhere/x.csv"], "there is no folder 'nowhere'"),
        (["--k", "9"], "k=9 clusters of 3 judges"),
    ],
)
def test_bad_options_are_one_line(saved, options, said):
    done = run("compare", saved, *options)
    assert done.exit_code == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) <= 2  # a caution may stand before it


def test_a_file_that_is_no_dissection(tmp_path):
    (tmp_path / "x.nc").write_text("x")
    assert "is no saved dissection" in run("compare", tmp_path / "x.nc").stderr
