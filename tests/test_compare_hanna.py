"""The page on HANNA says what the code finds: 23 judges, their similarities, their tree."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import prefdissect as pdx
from prefdissect.cli import app

pytestmark = pytest.mark.lane("oldest")

PAGE = (Path(__file__).parents[1] / "docs" / "explanation" / "hanna-judges.md").read_text(encoding="utf-8")
PEOPLE = ["human1", "human2", "human3"]


@pytest.fixture(scope="module")
def names(data_dir) -> dict[str, object]:
    """Return what the code on the page defines."""
    found: dict[str, object] = {"file": data_dir / "hanna" / "pairs_engagement.parquet"}
    exec(re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1], found)
    return found


@pytest.fixture(scope="module")
def similarity(names) -> pdx.JudgeSimilarity:
    return names["compare_judges"](names["file"])


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading of the page."""
    part = PAGE.partition(f"## {heading}")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def bounds(cell: str) -> list[float]:
    return [float(value) for value in re.split(r" to |, ", cell.strip("[]"))]


def test_people_agree_little_and_prefer_alike(similarity):
    """Bounds come from about 600 effective draws: their error is 0.01 at most, and 0.03 is three of them."""
    table = similarity.to_frame().set_index(["judge_a", "judge_b"])
    for judges, point, corrected, interval, agreement, kappa in rows("People"):
        row = table.loc[tuple(judges.split(", ")) if tuple(judges.split(", ")) in table.index else ()]
        assert row["similarity"] == pytest.approx(float(point), abs=0.006)
        assert [row["corrected"], row["lower"], row["upper"]] == pytest.approx(
            [float(corrected), *bounds(interval)], abs=0.03
        )
        assert [row["agreement"], row["kappa"]] == pytest.approx([float(agreement), float(kappa)], abs=0.006)
    assert similarity.ceiling.loc[PEOPLE, "overall"].min() > 0.93
    assert "caution" not in repr(similarity)
    assert "note" not in repr(similarity)


def test_models_and_people(similarity):
    judges = list(similarity.judges)
    mean = similarity.overall_draws[:, [judges.index(j) for j in PEOPLE]].mean(axis=1)
    for judge, corrected, interval in rows("Models and people"):
        if judge != "...":
            draws = mean[:, judges.index(judge)]
            found = [draws.mean(), *np.quantile(draws, [0.03, 0.97])]
            assert found == pytest.approx([float(corrected), *bounds(interval)], abs=0.035)
    assert [r[0] for r in rows("Models and people")] == [r[0] for r in rows("Models and people")]
    models = [j for j in judges if j not in PEOPLE]
    nearest = np.bincount(mean[:, [judges.index(j) for j in models]].argmax(axis=1), minlength=20) / len(mean)
    assert nearest.max() == pytest.approx(0.4, abs=0.12)
    assert models[nearest.argmax()] == "chatgpt_p4"
    gain = mean[:, judges.index("chatgpt_p4")] - mean[:, judges.index("chatgpt_p3")]
    assert (gain > 0).mean() > 0.97


def test_the_tree_holds_little(similarity):
    kept = [j for j in similarity.judges if not j.startswith("llama13b")]
    clusters = similarity.sel(judge=kept).clusters()
    assert clusters.k == 2
    support = {
        frozenset(branch): s for branch, s in zip(*clusters.support[["judges", "support"]].to_numpy().T, strict=True)
    }
    assert support[frozenset({"human1", "human3"})] == pytest.approx(0.87, abs=0.08)
    shown = [int(v) for v in re.findall(r"in (\d+)% of draws", PAGE)]
    assert np.mean(np.sort(clusters.support["support"])[:-1]) == pytest.approx(np.mean(shown) / 100, abs=0.06)
    assert sum(s < 0.37 for s in support.values()) >= 11
    llama = [j for j in similarity.judges if j.startswith("llama13b")]
    inside = similarity.corrected.loc[llama, llama].to_numpy()[np.triu_indices(4, 1)]
    assert inside.mean() == pytest.approx(0.23, abs=0.03)


def test_model_or_prompt(similarity):
    model = {j: j.split("_")[0] for j in similarity.judges if "_" in j}
    prompt = {j: j.split("_")[1] for j in model}
    by_model, by_prompt = similarity.grouping(model), similarity.grouping(prompt, within=model)
    assert [by_model.corrected, by_model.lower, by_model.upper] == pytest.approx([0.09, 0.06, 0.13], abs=0.012)
    assert [by_prompt.corrected, by_prompt.lower, by_prompt.upper] == pytest.approx([0.02, 0.0, 0.04], abs=0.012)
    assert by_model.p_value == pytest.approx(0.008, abs=0.004)
    assert by_prompt.p_value == pytest.approx(0.05, abs=0.012)
    assert set(by_model.left_out) == set(PEOPLE)


def test_a_mirrored_property_doubles_intervals(names, similarity):
    whole = pdx.dissect(
        names["file"], judge=PEOPLE + list(similarity.judges[3:]), preset="paper", engine="ep", random_seed=0
    )
    x = whole.design.x[:, [whole.properties.index(p) for p in ("text_length", "compression")]]
    np.testing.assert_array_equal(x[:, 0], -x[:, 1])
    found = whole.similarity()
    assert found.notes == (
        "'text length' and 'compression' mirror each other in every pair, so that nothing tells how a weight is split "
        "between them, and intervals are wide; leave one out",
    )
    assert f"note: {found.notes[0]}" in repr(found)
    assert [found.lower.loc["human1", "human3"], found.upper.loc["human1", "human3"]] == pytest.approx(
        [0.58, 0.97], abs=0.06
    )


def test_the_command_compares_all_of_them(names, tmp_path):
    saved = tmp_path / "run.nc"
    pdx.dissect(names["file"], preset="paper", engine="ep", random_seed=0).save(saved)
    done = CliRunner().invoke(app, ["compare", str(saved), "--k", "3", "--csv", str(tmp_path / "all.csv")])
    assert done.exit_code == 0, done.output
    assert "the 213 least alike pairs of judges are not shown" in done.stdout
    assert "<JudgeClusters: 23 judges in 3 clusters>" in done.stdout
    lines = (tmp_path / "all.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + 23 * 22 // 2
    assert lines[0].endswith("n,agreement,kappa,ceiling_a,ceiling_b")
