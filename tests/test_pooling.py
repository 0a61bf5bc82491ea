"""`dissect(..., pooling=)`: what comes out, what is refused, and that all that follows works on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import prefdissect as pdx
from prefdissect.describe import tell_of_pooling
from prefdissect.errors import OptionError, UnknownNameError

pytestmark = pytest.mark.lane("oldest")

SCHEMA = pdx.PAPER.select(["clear", "no_severe_errors", "lengthy"])
JUDGES, GROUPS = ["ann", "bob", "cy", "di", "ed"], ["code", "chat"]


@pytest.fixture(scope="module")
def study() -> pdx.Study:
    rng = np.random.default_rng(0)
    weights = np.array([0.5, 0.2, -0.4]) + 0.05 * rng.standard_normal((5, 1, 3))
    return pdx.simulate(160, schema=SCHEMA, judges=JUDGES, scenarios=GROUPS, weights=weights, random_seed=1)


@pytest.fixture(scope="module")
def pooled(study) -> pdx.Dissection:
    return pdx.dissect(study.data, pooling="partial", engine="ep", random_seed=0, progress=False)


@pytest.fixture(scope="module")
def apart(study) -> pdx.Dissection:
    """The same fits without pooling."""
    return pdx.dissect(study.data, engine="ep", random_seed=0, progress=False)


def errors(result: pdx.Dissection, study: pdx.Study) -> np.ndarray:
    both = result.weights.merge(study.weights, on=["judge", "group", "property"])
    return (both["mean"] - both["weight"]).to_numpy()


def test_weights_are_nearer_to_the_truth_where_judges_are_alike(pooled, apart, study):
    assert np.sqrt((errors(pooled, study) ** 2).mean()) < 0.6 * np.sqrt((errors(apart, study) ** 2).mean())
    assert set(pooled.weights["engine"]) == {"pooled"}
    assert list(pooled.weights.columns) == list(apart.weights.columns)
    assert pooled.weights["certified"].all()
    assert pooled.certificates["residual_sd"].between(0, 0.3).all()  # pairs' effects included
    assert (pooled.weights["lower"] < pooled.weights["mean"]).all()


def test_gain_is_held_out_per_judge_and_always_said(pooled):
    gain = pooled.pooling_gain
    assert gain["judge"].tolist() == [*JUDGES, "(all)"]
    assert gain["gain"].to_numpy() == pytest.approx((gain["apart"] - gain["pooled"]).to_numpy())
    assert gain["n"].iloc[-1] == 5 * 160 == gain["n"].iloc[:-1].sum()
    whole = gain.iloc[-1]
    assert whole["gain"] > 2 * whole["se"] > 0
    said = repr(pooled)
    assert f"Pooling gain, held out: {1000 * whole['gain']:+.1f}e-3" in said
    assert all(f"{judge} " in said.split("by judge")[1] for judge in JUDGES)
    assert "pooled fits predict better" in said


@pytest.mark.parametrize(
    ("gain", "said"),
    [(0.03, "predict better"), (0.01, "nobody can tell: take"), (-0.01, "nobody can tell"), (-0.03, "worse: take")],
)
def test_what_follows_from_a_gain_is_said(pooled, gain, said):
    table = pooled.pooling_gain.assign(gain=gain, se=0.01)
    assert said in tell_of_pooling(replace(pooled.fitted.pooled, gain=table))[1]


def test_layers_and_scales(pooled):
    layers = pooled.layers
    assert layers["layer"].value_counts().to_dict() == {"common": 3, "judge": 15, "scenario": 6}
    common = layers[layers["layer"] == "common"].set_index("property")["mean"]
    assert common["clear"] > 0.2 > -0.1 > common["lengthy"]
    assert layers["judge"].isna().sum() == 9
    scales = pooled.scales
    assert scales["layer"].tolist() == [x for x in ("common", "judge", "scenario", "cell") for _ in range(3)] + ["pair"]
    assert (scales["sd"] > 0).all()
    assert layers.attrs["interval"] == 0.94


def test_draws_are_joint_over_cells(pooled):
    """What is common moves all cells: draws of two judges correlate, which those of fits apart do not."""
    draws = pooled.posterior["weight"].sel(group="code", property="lengthy").to_numpy().reshape(-1, 5)
    correlation = np.corrcoef(draws.T)[np.triu_indices(5, 1)]
    assert correlation.min() > 0.2


def test_same_seed_same_numbers_and_other_orders_of_judges_too(study, pooled):
    again = pdx.dissect(study.data, pooling="partial", engine="ep", random_seed=0, progress=False)
    pd.testing.assert_frame_equal(again.weights, pooled.weights)
    pd.testing.assert_frame_equal(again.pooling_gain, pooled.pooling_gain)
    turned = pdx.dissect(study.data, JUDGES[::-1], pooling="partial", engine="ep", random_seed=0, progress=False)
    key = ["judge", "group", "property"]
    one, other = (r.weights.set_index(key).sort_index()["mean"] for r in (pooled, turned))
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_full_pooling_is_one_set_of_weights(study):
    result = pdx.dissect(study.data, pooling="full", prior=pdx.Normal(0.5), pair_effect=False, random_seed=0)
    assert (result.weights.groupby("property")["mean"].nunique() == 1).all()
    assert set(result.layers["layer"]) == {"common"}
    assert result.scales.set_index("layer").loc["common", "sd"].tolist() == pytest.approx([0.5] * 3)
    assert "pooled in full" in repr(result)


def test_small_hierarchies_are_sampled(study):
    asked = {"pooling": "partial", "draws": 100, "pair_effect": False, "progress": False}
    with pytest.warns(pdx.ConvergenceWarning, match="effective sample size"):  # so few draws certify nothing
        result = pdx.dissect(study.data, random_seed=0, **asked)
    assert result.fitted.pooled is not None
    assert result.fitted.pooled.sampled
    assert result.weights["ess_bulk"].min() > 50
    assert result.certificates["acceptance"].min() > 0.8
    assert result.posterior.sizes["draw"] == 100


def test_a_judge_outside_the_pool_is_fitted_on_its_own(study, apart):
    asked = {"engine": "ep", "random_seed": 0, "progress": False}
    result = pdx.dissect(study.data, pooling="partial", exclude_from_pool="bob", **asked)
    assert result.judges == JUDGES
    assert result.pooling_gain["judge"].tolist() == ["ann", "cy", "di", "ed", "(all)"]
    rows = result.weights[result.weights["judge"] == "bob"].reset_index(drop=True)
    alone = apart.weights[apart.weights["judge"] == "bob"].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, alone)


@pytest.mark.parametrize("option", [{"by": None}, {"judge": "ann"}])
def test_one_group_or_one_judge_is_enough(study, option):
    result = pdx.dissect(study.data, pooling="partial", engine="ep", random_seed=0, progress=False, **option)
    absent = result.scales.groupby("layer")["sd"].max()
    wanted = {"scenario", "cell"} if "by" in option else {"judge", "cell"}
    assert {layer for layer in ("judge", "scenario", "cell") if absent[layer] == 0} == wanted


def test_a_judge_who_saw_only_one_group(study):
    table = study.data.verdicts
    group = study.data.groups["code"]
    kept = (table["judge"] != "ed") | table["pair_id"].isin(group[group].index)
    data = replace(study.data, verdicts=table[kept].reset_index(drop=True))
    result = pdx.dissect(data, pooling="partial", engine="ep", random_seed=0)
    missing = result.weights[(result.weights["judge"] == "ed") & (result.weights["group"] == "chat")]
    assert set(missing["engine"]) == {"none"}
    assert np.isfinite(result.weights.loc[result.weights["engine"] != "none", "mean"]).all()


def test_saved_and_read_again(pooled, tmp_path):
    again = pdx.Dissection.load(pooled.save(tmp_path / "pooled.nc"))
    pd.testing.assert_frame_equal(again.layers, pooled.layers)
    pd.testing.assert_frame_equal(again.scales, pooled.scales)
    pd.testing.assert_frame_equal(again.pooling_gain, pooled.pooling_gain)
    assert repr(again) == repr(pooled)


def test_what_follows_a_fit_works_on_pooled_ones(pooled, tmp_path):
    assert pooled.overall()["probability"].notna().all()
    assert len(pooled.predict(pooled.data)) == 5 * 160
    assert pooled.explain(pooled.data.pairs.index[0], judge="ann") is not None
    assert pooled.similarity().overall.shape == (5, 5)
    findings = pooled.sel(judge="ann", group="code").check(progress=False)
    assert "pooled" in str(findings)
    page = pooled.sel(judge=["ann", "bob"]).report(tmp_path / "page.html")
    assert page.stat().st_size > 100_000


def test_without_pooling_there_are_no_layers(apart):
    for name in ("layers", "scales", "pooling_gain"):
        with pytest.raises(OptionError, match="pooling='partial'"):
            getattr(apart, name)


def test_no_judge_is_added_to_a_pool(pooled):
    with pytest.raises(OptionError, match="with_judge"):
        pooled.add("new", ["A"] * 160)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"engine": "nuts"}, OptionError, "engine='nuts'"),
        ({"folds": 5}, OptionError, "folds=5"),
        ({"robust": True}, OptionError, "robust=True"),
        ({"prior": pdx.Normal(1.0)}, OptionError, "prior=Normal"),
        ({"pooling": "some"}, OptionError, "valid: 'none', 'partial', 'full'"),
        ({"exclude_from_pool": "bib"}, UnknownNameError, "'bob'"),
        ({"exclude_from_pool": JUDGES}, OptionError, "there are 0 and 2"),
        ({"judge": "ann", "by": None}, OptionError, "two judges or two groups"),
        ({"pooling": "none", "exclude_from_pool": "bob"}, OptionError, "pooling='none'"),
        ({"pooling": "none", "pair_effect": True}, OptionError, "pooling='none'"),
        ({"pair_effect": "yes"}, OptionError, "pair_effect='yes'"),
    ],
)
def test_what_does_not_go_together_is_refused(study, options, error, said):
    with pytest.raises(error, match=said):
        pdx.dissect(study.data, **({"pooling": "partial", "random_seed": 0} | options))


def test_cases_are_not_pooled():
    data = pdx.simulate(60, schema=SCHEMA, judges=2, random_seed=0).data
    with pytest.raises(OptionError, match="is a case"):
        pdx.dissect(data, pooling="partial", by="both", min_pairs=1)
