"""What the summary claims, and that it claims nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

import prefdissect as pdx
from prefdissect.report.sections.predicting import mean_with_error
from prefdissect.report.sections.properties import nearly_prior
from prefdissect.report.sections.trust import ASKS
from test_report import given, unpack

SCHEMA = pdx.PAPER.select(["lengthy", "clear", "polite", "funny"])


@pytest.fixture(scope="module")
def study() -> pdx.Dissection:
    """`me` prefers what is clear, `you` what is short; the rest is 0, and nothing is funny."""
    weights = np.zeros((2, 1, 4))
    weights[0, 0, SCHEMA.ids.index("clear")], weights[1, 0, SCHEMA.ids.index("lengthy")] = 1.0, -1.0
    made = pdx.simulate(
        600,
        schema=SCHEMA,
        judges=["me", "you"],
        scenarios=None,
        weights=weights,
        responses_per_prompt=5,
        response_sd=1.0,
        random_seed=0,
    )
    ratings = made.data.ratings.copy()
    ratings[:, :, list(made.data.properties).index("funny")] = 1.0
    return pdx.dissect(replace(made.data, ratings=ratings), engine="ep", draws=500, random_seed=0)


def said(result: pdx.Dissection, path: Path) -> dict[str, list[str]]:
    return {part["topic"]: part["said"] for part in given(result.report(path / "out.html"))["summary"]}


def test_only_intervals_off_one_half_are_findings(study: pdx.Dissection, tmp_path: Path) -> None:
    found = said(study, tmp_path)
    table = study.weights.set_index(["judge", "property"])
    clear, lengthy = expit(table.loc[("me", "clear"), "mean"]), expit(table.loc[("you", "lengthy"), "mean"])
    mine, yours = found["What me prefers"], found["What you prefers"]
    assert mine[0].startswith(f"More of it is preferred: clear {clear:.2f} [")
    assert [line for line in yours if line.startswith(f"Less of it is preferred: lengthy {lengthy:.2f} [")]
    for judge, lines in (("me", mine), ("you", yours)):
        rows = table.loc[judge]
        sure = rows["identified"] & ((rows["lower"] > 0) | (rows["upper"] < 0))
        unsure = int((rows["identified"] & ~sure).sum())
        assert re.match(f"Of {unsure} other (property|properties) ", lines[-2])
        assert lines[-1] == "Nothing is known of 1 property in which no two responses differ."
        assert not any(rows.loc[name, "label"] in " ".join(lines) for name in rows.index[~sure])


def test_trust_comes_before_preferences_and_says_what_to_do(study: pdx.Dissection, tmp_path: Path) -> None:
    found = said(study, tmp_path)
    assert list(found)[1] == "Can it be trusted"
    lines = found["Can it be trusted"]
    worst = study.check().worst()
    assert "look" in set(worst["level"])  # five responses a prompt, with luck that no property names
    for row in worst[worst["level"] != "ok"].itertuples():
        (line,) = [line for line in lines if row.said in line]
        assert f"{row.n} of {row.of} fits" in line
        assert str(row.advice) in line
    unmeasured = study.check().not_checked["check"]
    assert "left out" in set(unmeasured)
    assert [line for line in lines if line.startswith("Not checked") and "left out" in line]


def test_a_check_that_measured_nothing_is_not_ok(study: pdx.Dissection, tmp_path: Path) -> None:
    rows = given(study.report(tmp_path / "out.html"))["trust"]["checks"]
    found = {(row["check"], row["judge"]) for row in rows if row["level"] == "not checked"}
    expected = study.check().not_checked
    assert found == set(zip(expected["check"], expected["judge"], strict=True))
    assert len(found) > 0


def test_the_page_says_what_each_check_asks(study: pdx.Dissection) -> None:
    assert set(ASKS) == set(study.check().table["check"])


def test_judges_as_alike_as_the_most_alike_are_counted(tmp_path: Path) -> None:
    made = pdx.simulate(300, schema=SCHEMA, judges=4, scenarios=None, random_seed=0)
    result = pdx.dissect(made.data, engine="ep", draws=500, random_seed=0)
    table = result.similarity().to_frame().sort_values("corrected", ascending=False)
    lines = said(result, tmp_path)["Who is alike"]
    first, last = table.iloc[0], table.iloc[-1]
    for line, one, n in (
        (lines[1], first, int((table["upper"].iloc[1:] >= first["lower"]).sum())),
        (lines[2], last, int((table["lower"].iloc[:-1] <= last["upper"]).sum())),
    ):
        assert f"{one['judge_a']} and {one['judge_b']}" in line
        assert n > 0
        assert f"so may be {n} of 5 others" in line


def test_the_error_of_independent_rows_is_that_of_a_mean() -> None:
    values = np.random.default_rng(0).normal(size=50)
    mean, error = mean_with_error(values, np.arange(50.0))
    assert mean == pytest.approx(values.mean())
    assert error == pytest.approx(values.std(ddof=1) / np.sqrt(50))
    assert np.isnan(mean_with_error(values, np.zeros(50))[1])


def test_the_error_of_clusters_is_that_of_many_samples() -> None:
    """200 clusters of 1 to 5 rows that share a normal number: the spread of 4,000 means, known to 1.1% (one sd)."""
    rng = np.random.default_rng(0)
    means, errors = [], []
    for _ in range(4000):
        sizes = rng.integers(1, 6, 200)
        cluster = np.repeat(np.arange(200), sizes)
        mean, error = mean_with_error(rng.normal(size=200)[cluster] + rng.normal(size=len(cluster)), cluster)
        means.append(mean)
        errors.append(error)
    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.045)


def test_scores_have_errors_and_the_lead_is_of_the_same_pairs(study: pdx.Dissection, tmp_path: Path) -> None:
    page = given(study.report(tmp_path / "out.html"))
    held_out = study.cross_validate()
    row = next(r for r in page["trust"]["scores"] if (r["judge"], r["model"]) == ("me", "fit"))
    mine = held_out.log_odds[(held_out.log_odds["judge"] == "me") & (held_out.log_odds["label"] != 0.5)]
    right = np.where(mine["fit"] == 0, 0.5, (mine["fit"] > 0) == (mine["label"] > 0.5))
    cluster = mine["pair_id"].map(study.data.pairs["cluster"]).to_numpy()
    sums = np.array([(right - right.mean())[cluster == name].sum() for name in np.unique(cluster)])
    n = len(sums)
    assert row["error"] == pytest.approx(np.sqrt((sums**2).sum() * n / (n - 1)) / len(right), rel=1e-6)
    lines = said(study, tmp_path)["How well it predicts"]
    decided = held_out.log_odds[held_out.log_odds["label"] != 0.5]
    fit, length = (
        np.where(decided[model] == 0, 0.5, (decided[model] > 0) == (decided["label"] > 0.5))
        for model in ("fit", "length only")
    )
    assert f"+{100 * (fit - length).mean():.1f} [" in lines[1]


def test_what_is_nearly_the_prior_is_marked(study: pdx.Dissection, tmp_path: Path) -> None:
    weights = given(study.report(tmp_path / "out.html"))["weights"]
    marked = unpack(weights["is_prior"])[:, 0].astype(bool)
    names = [prop["id"] for prop in weights["properties"]]
    assert marked[:, names.index("funny")].all()
    assert not marked[:, [names.index(name) for name in ("clear", "lengthy", "polite")]].any()  # 600 pairs each
    sd = np.sqrt(2) * 0.1
    mean, wide = np.array([0.0, 0.2 * sd, 0.3 * sd, 0.0]), np.array([1.0, 0.95, 1.2, 0.85]) * sd
    assert nearly_prior(mean, wide, np.full(4, sd)).tolist() == [True, True, False, False]
