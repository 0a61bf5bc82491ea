"""Posteriors as wide as clusters say: against the formula, against independence, and how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, ndtr
from typer.testing import CliRunner

import prefdissect as pdx
from cells import make_cell, reduced
from prefdissect.cli import app
from prefdissect.errors import OptionError
from prefdissect.features import Cell
from prefdissect.inference import PAPER_PRIOR, arrange_prior
from prefdissect.inference.ep import fit_ep
from prefdissect.inference.robust import sample_robust, widen

pytestmark = pytest.mark.lane("newer")


def clustered(seed: int, n_clusters: int, size: int, correlation: float, p: int = 8) -> tuple[np.ndarray, Cell]:
    """Return true weights from the prior, and labels that correlate within clusters through a copula.

    The chance that A is preferred is the model's in every pair, so the model holds pair by pair; properties are shared
    in part, as those of responses to one prompt are.
    """
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(n_clusters), size)
    weights = rng.laplace(0, 0.1, p)
    z = np.sqrt(0.6) * rng.standard_normal((n_clusters, p))[of] + np.sqrt(0.4) * rng.standard_normal((len(of), p))
    x = np.where(np.abs(z) > 0.5, np.sign(z), 0.0)
    luck = np.sqrt(correlation) * rng.standard_normal(n_clusters)[of]
    u = ndtr(luck + np.sqrt(1 - correlation) * rng.standard_normal(len(of)))
    return weights, Cell("j", "g", x, (u < expit(x @ weights)).astype(float), np.ones(len(of)), of)


def test_the_block_is_the_sandwich_of_clustered_scores():
    _, cell = clustered(0, 40, 5, 0.5, p=3)
    prior = arrange_prior(PAPER_PRIOR, ("a", "b", "c"))
    plain = fit_ep(reduced(cell), prior)
    found = widen(cell, np.arange(len(cell)), plain)
    scores = np.zeros((40, 3))
    for i in range(len(cell)):
        scores[cell.cluster[i]] += cell.x[i] * (cell.y[i] - expit(cell.x[i] @ plain.mean))
    spread = 40 / 39 * sum(np.outer(s, s) for s in scores)
    wider = np.trace(np.linalg.inv(plain.precision) @ spread) / 3
    assert wider > 1
    spread = spread + 3 / (40 - 3) * wider * plain.precision  # what 40 clusters do not show of three columns
    np.testing.assert_allclose(found.precision, plain.precision @ np.linalg.inv(spread) @ plain.precision, rtol=1e-8)
    centre = np.linalg.solve(plain.precision, plain.linear)
    np.testing.assert_allclose(np.linalg.solve(found.precision, found.linear), centre, rtol=1e-8)  # stays where it is


def test_a_column_of_zeros_keeps_its_prior():
    """Of 4,000 draws from Laplace(0.1), whose sd is 0.141, the sd has an error of 0.0035: 0.015 is four of them."""
    _, cell = clustered(1, 60, 4, 0.3, p=2)
    cell = Cell("j", "g", np.column_stack([cell.x, np.zeros(len(cell))]), cell.y, cell.weight, cell.cluster)
    prior = arrange_prior(PAPER_PRIOR, ("a", "b", "c"))
    found = widen(cell, np.arange(len(cell)), fit_ep(reduced(cell), prior))
    drawn = sample_robust(prior, found, draws=1000, chains=4, clusters=60, rng=np.random.default_rng(0))
    assert drawn.weight[..., 2].std() == pytest.approx(0.1 * np.sqrt(2), abs=0.015)
    assert drawn.certified


def test_independent_pairs_are_as_wide_as_before():
    """20,000 independent pairs: each estimated variance has a relative error of about 0.01, sds of 4,000 draws 0.01."""
    study = pdx.simulate(20_000, schema=pdx.PAPER.select(["clear", "lengthy"]), judges=1, scenarios=None, random_seed=0)
    plain, robust = (pdx.dissect(study.data, robust=r, random_seed=0).weights for r in (False, True))
    np.testing.assert_allclose(robust["sd"] / plain["sd"], 1, atol=0.06)
    np.testing.assert_allclose(robust["mean"], plain["mean"], atol=0.1 * plain["sd"].max())
    assert set(robust["engine"]) == {"robust"}
    assert robust["certified"].all()


def test_intervals_hold_the_truth_in_clusters_and_plain_ones_do_not():
    """60 studies of 8 weights in 100 clusters of 10 pairs: shares of 480 have an error of about 0.015 with clustering.

    Robust 94% intervals hold some 0.925; four errors below are 0.865. Plain ones hold some 0.85, seven points less.
    """
    held = np.zeros(2)
    prior = arrange_prior(PAPER_PRIOR, tuple("abcdefgh"))
    for seed in range(60):
        truth, cell = clustered(seed, 100, 10, 0.4)
        plain = fit_ep(reduced(cell), prior)
        for i, standin in enumerate((plain, widen(cell, np.arange(len(cell)), plain))):
            rng = np.random.default_rng(seed)
            drawn = sample_robust(prior, standin, draws=500, chains=2, clusters=100, rng=rng).weight.reshape(-1, 8)
            low, high = np.quantile(drawn, [0.03, 0.97], axis=0)
            held[i] += ((low <= truth) & (truth <= high)).mean() / 60
    assert held[1] > 0.865
    assert held[1] - held[0] > 0.03


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_intervals_from_few_clusters_hold_the_truth(correlation):
    """60 studies of 8 weights in 11 clusters of 54 pairs: shares of 480 have an error of about 0.013.

    Robust 94% intervals hold some 0.93 of the weights, and four errors below are 0.88; without what 11 clusters do not
    show they held 0.82 to 0.87.
    """
    held, prior = 0.0, arrange_prior(PAPER_PRIOR, tuple("abcdefgh"))
    for seed in range(60):
        truth, cell = clustered(seed, 11, 54, correlation)
        standin = widen(cell, np.arange(len(cell)), fit_ep(reduced(cell), prior))
        rng = np.random.default_rng(seed)
        drawn = sample_robust(prior, standin, draws=500, chains=2, clusters=11, rng=rng).weight.reshape(-1, 8)
        low, high = np.quantile(drawn, [0.03, 0.97], axis=0)
        held += ((low <= truth) & (truth <= high)).mean() / 60
    assert held > 0.88


def test_half_ties_are_less_variable_than_verdicts():
    """Four in five pairs tied: the quasi-likelihood takes each for a coin toss, and scores vary much less than that."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"clear_a": rng.integers(0, 4, 400), "clear_b": rng.integers(0, 4, 400)})
    side = np.where(table["clear_a"] > table["clear_b"], "A", "B")
    table["judge_me"] = np.where(rng.random(400) < 0.8, "tie", side)
    plain, robust = (
        pdx.dissect(table, ties="half", robust=r, prior=pdx.Normal(10), random_seed=0).weights for r in (False, True)
    )
    assert robust["sd"].item() < 0.7 * plain["sd"].item()


def test_clusters_can_be_named_and_are_kept(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"clear_a": rng.integers(0, 4, 200), "clear_b": rng.integers(0, 4, 200)})
    table["judge_me"] = rng.choice(["A", "B"], 200)
    table["annotator"] = rng.integers(0, 20, 200)
    result = pdx.dissect(pdx.load(table, cluster="annotator"), robust=True, random_seed=0)
    assert result.certificates["clusters"].item() == 20
    again = pdx.Dissection.load(result.save(tmp_path / "run.nc"))
    np.testing.assert_array_equal(again.design.cluster, result.design.cluster)
    assert again.weights.equals(result.weights)


def test_folds_and_many_judges_can_be_robust():
    study = pdx.simulate(600, schema=pdx.PAPER.select(["clear", "lengthy"]), judges=3, scenarios=None, random_seed=0)
    weights = pdx.dissect(study.data, robust=True, folds=5, random_seed=0).weights
    assert set(weights["engine"]) == {"robust"}
    similarity = pdx.dissect(study.data, robust=True, random_seed=0).similarity()
    assert np.isfinite(similarity.upper.to_numpy()).all()


def test_the_command_line_asks_for_it(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"clear_a": rng.integers(0, 4, 100), "clear_b": rng.integers(0, 4, 100)})
    table.assign(judge_me=rng.choice(["A", "B"], 100)).to_csv(tmp_path / "pairs.csv", index=False)
    done = CliRunner().invoke(
        app, ["dissect", str(tmp_path / "pairs.csv"), "--robust", "--csv", str(tmp_path / "w.csv")]
    )
    assert done.exit_code == 0, done.output
    assert pd.read_csv(tmp_path / "w.csv")["engine"].tolist() == ["robust"]
    assert "engine robust" in done.stdout
    assert "engine exact" not in done.stdout


def test_a_robust_result_says_so():
    plain, robust = (repr(pdx.dissect(make_frame(), robust=r, random_seed=0)) for r in (False, True))
    assert "engine exact" in plain.splitlines()[0]
    assert "engine robust, by clusters of pairs" in robust.splitlines()[0]


def test_means_move_by_the_prior_alone():
    """The mean is the centre less the covariance times the prior's pull: 0 under a flat prior, else another one.

    The Laplace prior pulls by 1 / scale on each weight far from 0; its site in `ep` says by how much on average.
    """
    rng = np.random.default_rng(0)
    _, cell = clustered(0, 60, 15, 0.4, p=3)
    y = (rng.random(len(cell)) < expit(cell.x @ [1.0, 1.2, 0.8])).astype(float)
    cell = Cell("j", "g", cell.x, y, cell.weight, cell.cluster)
    for prior, moves in ((pdx.Normal(100.0), False), (PAPER_PRIOR, True)):
        plain = fit_ep(reduced(cell), arrange_prior(prior, ("a", "b", "c")))
        found = widen(cell, np.arange(len(cell)), plain)
        pull = plain.prior_linear - plain.prior_precision * found.mean
        centre = np.linalg.solve(plain.precision, plain.linear)
        np.testing.assert_allclose(found.mean, centre + np.linalg.solve(found.precision, pull), atol=1e-9)
        assert (np.abs(found.mean - plain.mean).max() > 0.01) == moves


def test_bad_input_is_one_clear_error():
    with pytest.raises(OptionError, match="robust='yes'"):
        pdx.dissect(make_frame(), robust="yes")


def make_frame() -> pd.DataFrame:
    return pd.DataFrame({"clear_a": [1, 2] * 10, "clear_b": [2, 1] * 10, "judge_me": ["A", "B"] * 10})


def test_cells_of_other_tests_are_clusters_of_one():
    """What `make_cell` makes is independent pairs, as all other tests take it."""
    assert len(np.unique(make_cell(np.eye(3), np.ones(3)).cluster)) == 3
