"""Ties, order and weights of rows in the pooled fit: twins, known answers, recovery."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import prefdissect as pdx
from pooled_study import Hierarchy, draw_hierarchy
from prefdissect.inference import ep, outcome_probabilities
from prefdissect.inference.pooling.fit import State, iterate
from prefdissect.inference.pooling.layers import arrange_layers
from prefdissect.inference.pooling.one_verdict import attenuate_cuts, attenuation
from prefdissect.inference.pooling.rows import Rows
from prefdissect.inference.pooling.scales import first_variances
from prefdissect.inference.prior import PriorArrays

Z = 1.8808  # of a 94% interval


def with_ties(study: Hierarchy, cuts: np.ndarray, seed: int) -> tuple[Rows, np.ndarray]:
    """Return rows whose verdicts are drawn again, with ties by cutpoints [scenario, judge]; and the verdicts."""
    rng = np.random.default_rng(seed)
    p = outcome_probabilities("davidson", np.einsum("sjp,snp->sjn", study.weights, study.x), cuts[..., None])
    drawn = (rng.random(p.shape[:-1])[..., None] > np.cumsum(p, axis=-1)).sum(axis=-1)  # 0: A, 1: tie, 2: B
    rows, tied = study.rows(), (drawn == 1).astype(float).ravel()
    linear = 0.5 - drawn.ravel() / 2
    return replace(rows, linear=linear, tied=tied, opens=rows.starts[:-1]), drawn


def fit(rows: Rows, tolerance: float = 0.02) -> State:
    table = arrange_layers(("property",) * len(rows.xt), rows.shape[1], rows.shape[0])
    return iterate(rows, table, first_variances(table, rows.shape[1]), factors=False, tolerance=tolerance)


def test_pinned_layers_are_fits_apart_with_ties(monkeypatch):
    """Without anything in common each cell is the fit that it is apart: weights to 1e-5, cutpoints as well."""
    monkeypatch.setattr(ep, "_TOLERANCE", 1e-12)
    monkeypatch.setattr(ep, "_MOST_ITERATIONS", 400)
    study = draw_hierarchy(0, shape=(2, 3, 4), n_pairs=80)
    rows, _ = with_ties(study, np.full((2, 3), -0.5), 1)
    variance = np.array([0.02, 0.05, 0.1, 0.2])
    table = arrange_layers(("property",) * 4, 3, 2).pin("common", "judge", "scenario").fix("cell", variance)
    found = iterate(rows, table, first_variances(table, 3), factors=False, tolerance=1e-10)
    prior = PriorArrays(np.sqrt(variance), np.zeros(4, dtype=bool)).with_cut()
    for s, j in np.ndindex(2, 3):
        here = rows.cell(s, j)
        data = ep.FitData(
            np.ascontiguousarray(rows.xt[:, here]),
            np.ones(80),
            np.append(rows.xt[:, here] @ rows.linear[here], rows.tied[here].sum()),
            np.array([0, 80, 80, 80]),
            -0.5,
        )
        twin = ep.fit_ep(data, prior)
        np.testing.assert_allclose(found.solution.weight[s, j], twin.mean[:4], atol=1e-5)
        assert found.sites.cut[s, j] == pytest.approx(twin.mean[4], abs=1e-5)


def test_weights_and_cutpoints_are_recovered():
    """Ten studies of 6 x 6 cells with 150 pairs: of 1,440 weights and 360 cutpoints 94% are in their intervals.

    Cells of a study share layers, so that the share of weights has an sd of about 1.5 points, that of cutpoints 1.3.
    """
    inside, inside_cut = [], []
    for seed in range(10):
        study = draw_hierarchy(100 + seed, shape=(6, 6, 4), n_pairs=150)
        cuts = np.random.default_rng(seed).normal(-0.7, 0.7, (6, 6))
        rows, _ = with_ties(study, cuts, seed)
        state = fit(rows)
        assert state.converged
        away = np.abs(state.solution.weight - study.weights) / state.solution.sd
        inside.append((away < Z).mean())
        share = rows.sum_cells(rows.tied) / 150
        known = 150 * share * (1 - share) + 0.25  # about: a binomial's, and the prior's
        inside_cut.append((np.abs(state.sites.cut - cuts) * np.sqrt(known) < Z).mean())
    assert np.mean(inside) == pytest.approx(0.94, abs=0.045)
    assert np.mean(inside_cut) == pytest.approx(0.94, abs=0.04)


@pytest.mark.parametrize(("pair_sd", "cut"), [(0.5, -1.5), (1.0, -0.2), (2.0, 0.7)])
def test_weights_of_one_verdict_predict_what_pairs_average_to(pair_sd, cut):
    """P(A), P(tie), P(B) averaged over pairs' effects, by sampling 400,000 of them, are those told to half a point."""
    rng = np.random.default_rng(6)
    factor = attenuation(pair_sd, 0.8, np.array([cut]))
    told = attenuate_cuts(np.array([cut]), pair_sd, 0.8, factor)
    for t in (-1.0, 0.0, 0.6, 1.2):
        sampled = outcome_probabilities("davidson", t + pair_sd * rng.standard_normal(400_000), cut).mean(axis=0)
        found = outcome_probabilities("davidson", np.array(factor[0] * t), told[0])
        np.testing.assert_allclose(found, sampled, atol=0.02 if pair_sd > 1 else 0.006)


@pytest.fixture(scope="module")
def study() -> pdx.Study:
    """Six judges, two of whom never tie, who like what is shown first."""
    schema = pdx.PAPER.select(["clear", "lengthy", "polite"])
    truth = np.array([0.6, -0.3, 0.1]) + 0.1 * np.random.default_rng(0).standard_normal((6, 2, 3))
    found = pdx.simulate(
        700,
        schema=schema,
        judges=6,
        scenarios=["code", "chat"],
        weights=truth,
        tie_rate=0.2,
        order_effect=0.5,
        random_seed=1,
    )
    verdicts = found.data.verdicts
    kept = ~(verdicts["judge"].isin(["judge3", "judge5"]) & (verdicts["outcome"] == "tie"))
    return replace(found, data=replace(found.data, verdicts=verdicts[kept].reset_index(drop=True)))


@pytest.fixture(scope="module")
def pooled(study) -> pdx.Dissection:
    return pdx.dissect(study.data, pooling="partial", engine="ep", random_seed=0, progress=False)


def test_ties_and_order_are_terms_of_pooled_fits(study, pooled):
    """Order: 700 verdicts a judge say it to 0.08; four sds. Ties: the share that the data hold, to three points."""
    rows = pooled.nuisance
    order = rows[(rows["term"] == "order") & (rows["group"] != "overall")]
    assert len(order) == 12
    assert order["mean"].between(0.2, 0.8).all()
    assert order["mean"].mean() == pytest.approx(0.5, abs=0.13)
    ties = rows[(rows["term"] == "ties") & (rows["group"] != "overall")]
    assert set(ties["judge"]) == {"judge1", "judge2", "judge4", "judge6"}, "the others never tie"
    assert (ties["lower"] < ties["mean"]).all()
    apart = pdx.dissect(study.data, engine="ep", random_seed=0, progress=False).nuisance
    same = apart[(apart["term"] == "ties") & (apart["group"] != "overall")]
    np.testing.assert_allclose(ties["mean"], same["mean"], atol=0.06)
    np.testing.assert_allclose(ties["sd"], same["sd"], rtol=0.05)
    assert pooled.posterior["cutpoint"].sizes["judge"] == 6


def test_held_out_loss_is_of_three_outcomes(study, pooled):
    """A model that knows nothing but shares of ties has a loss of about the verdicts' entropy; the fits have less."""
    gain = pooled.pooling_gain.set_index("judge")
    said = study.data.verdicts.groupby("judge")["outcome"].apply(lambda said: (said == "tie").mean())
    rate = said.reindex(gain.index[:-1])
    entropy = -(rate * np.log(rate.clip(1e-9)) + (1 - rate) * np.log((1 - rate) / 2))
    assert (gain["pooled"][:-1] < entropy).all()
    assert (gain["pooled"][:-1] > entropy - 0.12).all()


def test_cells_share_what_all_judges_see_with_ties_as_well():
    """Noise that all judges of a pair see, sd 1, is found to 0.2 and weights cover; 8 judges, 600 pairs, 15% ties."""
    study = draw_hierarchy(11, (0.3, 0.1, 0.0, 0.0), shape=(1, 8, 4), n_pairs=600)
    seen = np.random.default_rng(12).standard_normal(600)
    p = outcome_probabilities("davidson", np.einsum("sjp,snp->sjn", study.weights, study.x) + seen, -1.0)
    drawn = (np.random.default_rng(13).random(p.shape[:-1])[..., None] > np.cumsum(p, axis=-1)).sum(axis=-1)
    rows = study.rows()
    rows = replace(
        rows, linear=0.5 - drawn.ravel() / 2, tied=(drawn == 1).astype(float).ravel(), opens=rows.starts[:-1]
    )
    table = arrange_layers(("property",) * 4, 8, 1)
    state = iterate(rows, table, first_variances(table, 8, 0.3), factors=False)
    assert state.converged
    assert state.variances.pair_sd == pytest.approx(1.0, abs=0.2)
    away = np.abs(state.solution.weight - study.weights) / state.solution.sd
    assert (away < Z).mean() > 0.8  # of 32 that share a layer
    assert state.sites.cut == pytest.approx(-1.0, abs=0.35)
