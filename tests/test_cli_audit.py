"""`prefdissect audit`: of a saved dissection, of a benchmark, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import prefdissect as pdx
from benchmark_worlds import play
from prefdissect.cli import app


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a benchmark of two scenarios and a dissection of it, in which one scenario is too thin."""
    folder = tmp_path_factory.mktemp("audit")
    table, _ = play(np.array([0.5, 0.0, -0.5]), np.array([-0.5, 0.0, 0.5]), n_prompts=300, length_weight=1.0)
    table.to_csv(folder / "pairs.csv", index=False)
    thin = table.assign(scenario=np.where(np.arange(300) < 5, "thin", "thick"))
    pdx.dissect(thin, random_seed=0).save(folder / "run.nc")
    return folder


def run(*args: object) -> tuple[int, str, str]:
    found = CliRunner().invoke(app, ["audit", *map(str, args)])
    return found.exit_code, found.stdout, found.stderr


def test_a_benchmark_is_audited_as_from_python(folder: Path) -> None:
    code, said, _ = run(folder / "pairs.csv", "--csv", folder / "tables")
    assert code == 0
    found = pdx.audit_benchmark(folder / "pairs.csv", random_seed=0)
    assert said.startswith(repr(found))
    board = pd.read_csv(folder / "tables" / "leaderboard.csv")
    pd.testing.assert_frame_equal(board, found.leaderboard.astype(board.dtypes), check_exact=False)
    names = sorted(path.name for path in (folder / "tables").iterdir())
    assert names == ["leaderboard.csv", "rules.csv", "subsets.csv", "weights.csv"]
    assert all(f"wrote {folder / 'tables' / name}" in said for name in names)


def test_options_of_a_benchmark_are_passed_on(folder: Path) -> None:
    given = ["--blind", "length", "--folds", "5", "--encoding", "norm_diff", "--unparsed", "half", "--by", "none"]
    code, said, _ = run(folder / "pairs.csv", "--seed", "3", "--judge", "me", "--property", "length", *given)
    assert code == 0
    options = {"blind": "length", "folds": 5, "encoding": "norm_diff", "unparsed": "half", "by": None}
    assert said.strip() == repr(pdx.audit_benchmark(folder / "pairs.csv", "me", "length", random_seed=3, **options))


def test_a_dissection_is_asked_about_its_judges_and_its_pairs(folder: Path) -> None:
    code, said, _ = run(folder / "run.nc", "--csv", folder / "more")
    assert code == 0
    assert "me: no fit in 'thin'; groups with one: 'thick'" in said
    assert "not scored held out, fewer prompts than folds: thin" in said
    result = pdx.Dissection.load(folder / "run.nc")
    assert said.startswith(f"{result.exploitability()!r}\n\n{result.audit(random_seed=0)!r}")
    assert {path.name for path in (folder / "more").iterdir()} >= {"exploitability.csv", "together.csv"}
    code, said, _ = run(folder / "run.nc", "--skipna", "--together", "1")
    assert code == 0
    assert "me, mean over scenarios: guard against" in said


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["run.nc", "pairs.csv"], "is a saved dissection, which is audited alone; 2 files were given"),
        (["run.nc", "--property", "length"], "--property is an option of pairs; a saved dissection has its own"),
        (["run.nc", "--by", "none"], "--by is an option of pairs"),
        (["pairs.csv", "--skipna"], "--skipna is an option of a saved dissection, RESULT.nc"),
        (["pairs.csv", "--together", "2"], "--together is an option of a saved dissection"),
        (["pairs.csv", "--hold-equal", "lenght"], "'lenght' is not rated, nor one of TEXT; close matches: 'length'"),
        (
            ["pairs.csv", "--schema", "papr"],
            "--schema='papr' is no file, and no schema of that name; close matches: 'paper'",
        ),
        (["pairs.csv", "--unparsed", "no"], "unparsed='no' is not an option"),
        (["pairs.csv", "--judge", "you"], "unknown judge 'you'"),
        (["pairs.csv", "--csv", "nowhere/tables"], "there is no folder above it"),
        (["nothing.nc"], "nothing.nc"),
        (["nothing.csv"], "nothing.csv"),
    ],
    ids=str,
)
def test_what_cannot_be_is_said_in_one_line(folder: Path, args: list[str], said: str) -> None:
    code, _, error = run(*[folder / a if "." in a or "/" in a else a for a in args])
    assert code == 1
    assert said in error
    assert len(error.strip().splitlines()) == 1
