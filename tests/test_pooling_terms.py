"""Pooled fits with ties, order, models and cluster weights: twins, known answers, recovery, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import prefdissect as pdx
from prefdissect.errors import DataError, OptionError, TooFewPairsError
from prefdissect.features import Design, build_design
from prefdissect.inference import PriorArrays, ep, outcome_probabilities
from prefdissect.inference.fit_data import gather
from prefdissect.inference.pooling.cutpoints import look_at_cuts
from prefdissect.inference.pooling.fit import iterate
from prefdissect.inference.pooling.layers import arrange_layers
from prefdissect.inference.pooling.one_verdict import to_one_verdict
from prefdissect.inference.pooling.rows import arrange_rows
from prefdissect.inference.pooling.scales import first_variances
from prefdissect.inference.pooling.sites import first_cuts, log_likelihood

pytestmark = pytest.mark.lane("oldest")

SCHEMA = pdx.PAPER.select(["clear", "no_severe_errors", "lengthy"])
JUDGES = ["ann", "bob", "cy", "di"]
ASKED = {"engine": "ep", "random_seed": 0, "progress": False}


def simulate(n: int = 300, seed: int = 0, **options: object) -> pdx.PreferenceData:
    """Return a study of four judges who tie, and of pairs of three models."""
    asked = {"judges": JUDGES, "scenarios": None, "tie_rate": 0.2, "order_effect": 0.5, "scale": 0.3} | options
    data = pdx.simulate(n, schema=SCHEMA, random_seed=seed, **asked).data
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 3, n)
    models = [f"m{k}" for k in a], [f"m{k}" for k in (a + rng.integers(1, 3, n)) % 3]
    return replace(data, pairs=data.pairs.assign(model_a=models[0], model_b=models[1]))


@pytest.fixture(scope="module")
def data() -> pdx.PreferenceData:
    return simulate()


@pytest.fixture(scope="module")
def pooled(data) -> pdx.Dissection:
    return pdx.dissect(data, pooling="partial", **ASKED)


def design_of(data: pdx.PreferenceData, **options: object) -> Design:
    return build_design(data, JUDGES, by=None, encoding="comparison", ties="davidson", **options)


def test_a_pool_of_nothing_in_common_is_fits_apart_also_with_ties(data):
    """With a judge layer only, under Normal(0, 0.5), weights and cutpoints are those of each cell's own fit."""
    design = design_of(data)
    rows = arrange_rows(design, JUDGES, ["all"])
    table = arrange_layers(design.roles, 4, 1).pin("common").fix("judge", np.full(3, 0.25))
    found = iterate(rows, table, first_variances(table, 4), factors=False, tolerance=1e-9)
    cuts = look_at_cuts(rows, found, to_one_verdict(found.sites.cut, 0.0, 1.0))
    prior = PriorArrays(np.full(3, 0.5), np.zeros(3, dtype=bool)).with_cut()
    for j, judge in enumerate(JUDGES):
        cell = design.cell(judge, "all")
        (parts,) = gather([cell], [[np.arange(len(cell))]])
        twin = ep.fit_ep(parts[0], prior)
        np.testing.assert_allclose(found.solution.weight[0, j], twin.mean[:3], atol=5e-4 * twin.sd[:3].min())
        np.testing.assert_allclose(found.solution.sd[0, j], twin.sd[:3], rtol=5e-3)  # the cutpoint adds that little
        cut = cuts.of_cell((0, j), np.zeros((2, 5, 3)), found.solution.cov[0, j], 0.94, np.random.default_rng(0))
        assert cut is not None
        assert cut.mean == pytest.approx(twin.mean[3], abs=1e-3 * twin.sd[3])
        assert cut.sd == pytest.approx(twin.sd[3], rel=5e-3)


def test_log_likelihood_of_ties_by_hand(data):
    design = design_of(data)
    rows, rng = arrange_rows(design, JUDGES, ["all"]), np.random.default_rng(1)
    weights, cut = rng.standard_normal((1, 4, 3)), rng.standard_normal((1, 4))
    expected = np.zeros((1, 4))
    for j in range(4):
        p = outcome_probabilities("davidson", design.x @ weights[0, j], cut[0, j])
        said = design.y[:, j]
        each = np.select([said == 1, said == 0.5], [p[:, 0], p[:, 1]], p[:, 2])
        expected[0, j] = np.log(each).sum() - cut[0, j] * (said == 0.5).sum()
    np.testing.assert_allclose(log_likelihood(rows, weights, cut), expected, atol=1e-7)


def test_rows_that_could_be_ties_in_part_are_shared(data):
    design = design_of(data)
    whole = arrange_rows(design, JUDGES, ["all"])
    opened = np.where(np.arange(300)[:, None] < 20, 0.5, design.open)
    rows = arrange_rows(replace(design, open=opened), JUDGES, ["all"])
    assert len(rows.weight) == len(whole.weight) + 4 * 20
    for name in ("weight", "linear", "tied"):
        sums = np.bincount(rows.source + 300 * rows.judge, weights=getattr(rows, name))
        np.testing.assert_allclose(sums, np.bincount(whole.source + 300 * whole.judge, weights=getattr(whole, name)))
    assert rows.repeats
    assert (rows.opens - rows.starts[:-1] == 20).all()


def test_a_judge_that_never_ties_has_no_cutpoint_in_the_pool(data):
    table = data.verdicts
    kept = ~((table["judge"] == "di") & (table["outcome"] == "tie"))
    some = replace(data, verdicts=table[kept].reset_index(drop=True))
    rows = arrange_rows(design_of(some), JUDGES, ["all"])
    assert np.isnan(first_cuts(rows)).tolist() == [[False] * 3 + [True]]
    result = pdx.dissect(some, pooling="partial", **ASKED)
    assert result.nuisance.query("term == 'ties'")["judge"].tolist() == JUDGES[:3]
    assert (result.predict(some).query("judge == 'di'")["p_tie"] == 0).all()


def test_terms_of_pooled_fits_are_found_again(data, pooled):
    """A fifth of ties among equal responses, 0.5 for being shown first, models that are alike: 1,200 verdicts."""
    assert pooled.options["ties"] == "davidson"
    table = pooled.nuisance
    ties = table.query("term == 'ties'")
    assert ((ties["probability_lower"] < 0.22) & (ties["probability_upper"] > 0.18)).all()
    order = table.query("term == 'order'")
    assert ((order["lower"] < 0.5) & (order["upper"] > 0.5)).all()
    assert (table.query("term == 'generator'")["lower"] < 0.15).all()
    assert set(pooled.weights["property"]) == set(pooled.layers["property"].dropna()) == set(SCHEMA.ids)
    apart = pdx.dissect(data, **ASKED).nuisance.query("term == 'order'")
    assert (order["sd"].to_numpy() < apart["sd"].to_numpy()).all()  # judges say something of each other's habits
    said = pooled.predict(data)
    np.testing.assert_allclose(said[["p_a", "p_tie", "p_b"]].sum(axis=1), 1)


def test_coverage_of_pooled_weights_with_all_terms():
    """8 studies of 8 judges and 3 weights: 192 intervals, whose share has a standard error of about 2%."""
    inside = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        truth = 0.3 * rng.standard_normal(3) + 0.1 * rng.standard_normal((8, 1, 3))
        study = pdx.simulate(
            150,
            schema=SCHEMA,
            judges=8,
            scenarios=None,
            weights=truth,
            tie_rate=0.25,
            order_effect=0.4,
            random_seed=rng,
        )
        result = pdx.dissect(study.data, pooling="partial", **ASKED)
        both = result.weights.merge(study.weights, on=["judge", "property"])
        inside.append((both["lower"] < both["weight"]) & (both["weight"] < both["upper"]))
    assert 0.87 < np.mean(inside) <= 1


def test_exchanging_a_and_b_changes_nothing_in_the_pool(data, pooled):
    table = data.verdicts
    swap = {"A": "B", "B": "A"}
    turned = replace(
        data,
        pairs=data.pairs.assign(model_a=data.pairs["model_b"], model_b=data.pairs["model_a"]),
        ratings=data.ratings[:, ::-1],
        comparisons=-data.comparisons,
        verdicts=table.assign(
            value=1 - table["value"],
            outcome=table["outcome"].astype(object).replace(swap).astype(table["outcome"].dtype),
            first=table["first"].astype(object).replace(swap).astype(table["first"].dtype),
        ),
    )
    other = pdx.dissect(turned, pooling="partial", **ASKED)
    for name in ("mean", "sd"):
        np.testing.assert_allclose(other.weights[name], pooled.weights[name], atol=1e-5)
        np.testing.assert_allclose(other.nuisance[name], pooled.nuisance[name], atol=5e-3)  # models by draws


def test_cluster_weights_go_into_the_pool():
    """Each pair twice in one cluster: design effects near 2, and intervals as of each pair once, to 5%."""
    once = simulate(150, tie_rate=0.0, order_effect=0.0)
    pairs, table = once.pairs, once.verdicts
    again = pairs.set_axis(pairs.index + "-again", axis=0)
    said = table.assign(pair_id=table["pair_id"] + "-again")
    twice = replace(
        once,
        pairs=pd.concat([pairs.assign(cluster=pairs.index), again.assign(cluster=pairs.index)]),
        ratings=np.concatenate([once.ratings, once.ratings]),
        comparisons=np.concatenate([once.comparisons, once.comparisons]),
        verdicts=pd.concat([table, said], ignore_index=True),
        groups=pd.concat([once.groups, once.groups.set_axis(again.index, axis=0)]),
    )
    asked = ASKED | {"pooling": "partial", "position": False, "generators": False, "pair_effect": False}
    one, two, raw = (pdx.dissect(d, **asked, cluster=c) for d, c in ((once, "none"), (twice, "auto"), (twice, "none")))
    assert two.certificates["design_effect"].to_numpy() == pytest.approx(2, abs=0.1)
    assert (two.weights["sd"] / one.weights["sd"]).to_numpy() == pytest.approx(1, abs=0.05)
    assert (raw.weights["sd"] < 0.9 * two.weights["sd"]).all()
    assert two.pooling_gain["n"].iloc[-1] == 1200


def test_few_judges_with_ties_are_sampled_by_their_true_likelihood(data):
    asked = {"pooling": "partial", "pair_effect": False, "draws": 150, "random_seed": 0, "progress": False}
    with pytest.warns(pdx.ConvergenceWarning, match="effective sample size"):  # so few draws certify nothing
        result = pdx.dissect(data, **asked)
    twin = pdx.dissect(data, pooling="partial", pair_effect=False, **ASKED)
    assert result.fitted.pooled is not None
    assert result.fitted.pooled.sampled
    assert result.certificates["acceptance"].min() > 0.8
    away = (result.weights["mean"] - twin.weights["mean"]) / twin.weights["sd"]
    assert away.abs().max() < 0.8  # scales drawn, and not the likeliest
    ties = [r.nuisance.query("term == 'ties'")["mean"].to_numpy() for r in (result, twin)]
    np.testing.assert_allclose(*ties)


def test_pooled_fits_with_terms_are_saved_and_read_again(pooled, tmp_path):
    again = pdx.Dissection.load(pooled.save(tmp_path / "run.nc"))
    pd.testing.assert_frame_equal(again.nuisance, pooled.nuisance)
    pd.testing.assert_frame_equal(again.weights, pooled.weights)
    pd.testing.assert_frame_equal(again.pooling_gain, pooled.pooling_gain)
    assert repr(again) == repr(pooled)


def test_gain_is_of_three_outcomes_where_ties_are_a_term(pooled):
    """Less than the entropy of a fifth of ties and two halves of the rest, which no property is needed for."""
    share = np.array([0.4, 0.2, 0.4])
    loss = pooled.pooling_gain.iloc[-1]
    assert 0.75 < loss["pooled"] < -(share * np.log(share)).sum() + 0.02
    assert loss["apart"] > 0.75


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ties": "ordered"}, "pooling='partial' does not go with ties='ordered'"),
        ({"preset": "paper"}, "preset='paper' has pooling='none', and pooling='partial' was given"),
        ({"self_preference": True, "generators": False}, "self_preference=True needs generators"),
        ({"self_preference": "yes"}, "self_preference='yes'"),
    ],
)
def test_what_does_not_go_with_pooling_is_refused(data, options, said):
    with pytest.raises(OptionError, match=said):
        pdx.dissect(data, pooling="partial", **ASKED, **options)


def test_a_judge_that_is_said_to_be_two_generators_is_an_error(data):
    named = data.verdicts.assign(judge_generator=np.where(data.verdicts.index % 2, "m0", "m1"))
    with pytest.raises(DataError, match="judge 'ann' is said to be 2 generators"):
        pdx.dissect(replace(data, verdicts=named), pooling="partial", self_preference=True, **ASKED)


def test_a_judge_that_wrote_nothing_here_has_no_self_preference(data):
    who = data.verdicts["judge"].astype(object).map({"ann": "m0", "bob": "elsewhere"})
    named = replace(data, verdicts=data.verdicts.assign(judge_generator=who))
    result = pdx.dissect(named, pooling="partial", self_preference=True, **ASKED)
    assert result.self_preference["judge"].tolist() == ["ann"]
    assert set(result.nuisance["term"]) == {"ties", "order", "generator"}


def test_a_judge_unlike_the_others_is_known_by_its_weights_whatever_other_terms_there_are():
    """A judge with negated weights among nine: order and six models, on which they agree, do not hide it."""
    rng = np.random.default_rng(0)
    truth = np.array([0.4, 0.6, -0.3]) + 0.1 * rng.standard_normal((9, 1, 3))
    truth[8] *= -1
    study = pdx.simulate(300, schema=SCHEMA, judges=9, scenarios=None, weights=truth, random_seed=1)
    a = rng.integers(0, 6, 300)
    named = {"model_a": [f"m{k}" for k in a], "model_b": [f"m{k}" for k in (a + 1) % 6]}
    data = replace(study.data, pairs=study.data.pairs.assign(**named))
    factors = [
        pdx.dissect(data, pooling="partial", **ASKED, position=on, generators=on).pooling_gain["factor"].iloc[8]
        for on in (False, True)
    ]
    assert factors[0] > 3
    assert factors[1] > 0.75 * factors[0]


def test_an_empty_pool_is_said_and_not_left_for_fits_apart(data):
    """Three judges with eight pairs each, and one with all of them, who is excluded."""
    table = data.verdicts
    few = table["pair_id"].isin(data.pairs.index[:8]) | (table["judge"] == "ann")
    some = replace(data, verdicts=table[few].reset_index(drop=True))
    with pytest.raises(TooFewPairsError, match="no judge has 10 usable pairs"):
        pdx.dissect(some, pooling="partial", exclude_from_pool="ann", **ASKED)
