"""Order, repeats, generators and clusters: rows of the design, and what fits make of them."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from typer.testing import CliRunner

import prefdissect as pdx
from prefdissect import errors
from prefdissect.cli import app
from prefdissect.features import Cell, build_design
from prefdissect.inference import Laplace, arrange_prior, stand_in
from prefdissect.inference.clustering import design_effect, weigh_clusters
from prefdissect.inference.fit import fit_without
from prefdissect.terms import ORDER, rows_of
from written import written_by

SMALL = pdx.PAPER.select(["lengthy", "clear"])
FAST = {"engine": "ep", "random_seed": 0, "progress": False}


def asked(verdicts: list[tuple[object, ...]], **columns: object) -> pdx.PreferenceData:
    """Return pairs of two rated responses each, and verdicts: pair, judge, first, verdict and perhaps more."""
    table = pd.DataFrame(verdicts, columns=["pair_id", "judge", "first", "verdict", *columns.get("more", ())])
    number = table["pair_id"].astype("category").cat.codes
    table["clear_a"], table["clear_b"] = (number % 3 - 1.0), 0.0
    for name, values in columns.items():
        if name != "more":
            table[name] = values
    return pdx.load(table)


def in_both_orders(n: int = 400, *, effect: float = 0.5, tau: float = 0.0, seed: int = 0) -> pdx.PreferenceData:
    """Return verdicts of one judge on each pair in both orders, with a liking of the pair that no property names."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-1, 2, n)
    t = 0.8 * x + tau * rng.standard_normal(n)
    parts = []
    for first, sign in (("A", 1.0), ("B", -1.0)):
        says = np.where(rng.random(n) < expit(t + effect * sign), "A", "B")
        parts.append(
            pd.DataFrame({"pair_id": [f"p{i}" for i in range(n)], "judge": "me", "first": first, "verdict": says,
                          "clear_a": x, "clear_b": 0})
        )  # fmt: skip
    return pdx.load(pd.concat(parts))


def test_each_order_is_a_row_and_both_count():
    data = asked(
        [("p0", "me", "A", "A"), ("p0", "me", "B", "B"), ("p1", "me", "A", "B"), ("p0", "you", "unknown", "A")]
    )
    rows = rows_of(data, ["me", "you"], "davidson", orders=np.array([True, False]))
    assert rows.pair.tolist() == [0, 0, 0, 1]
    assert rows.first.tolist() == [-1.0, 0.0, 1.0, 1.0]
    assert rows.y[:, 0].tolist() == [0.0, 0.5, 1.0, 0.0]
    assert rows.weight.tolist() == [[0.5, 0.0], [0.0, 1.0], [0.5, 0.0], [1.0, 0.0]]
    together = rows_of(data, ["me", "you"], "davidson")
    assert together.y[:, 0].tolist() == [0.5, 0.0]  # two orders that disagree are no tie
    assert together.tied.sum() == 0


def test_ties_and_verdicts_that_could_be_none():
    data = asked(
        [("p0", "me", "A", "tie", True), ("p1", "me", "A", "A", True), ("p2", "me", "A", "B", False),
         ("p3", "me", "A", 0.7, True), ("p4", "me", "A", "both_bad", True)],
        more=["tie_allowed"],
    )  # fmt: skip
    rows = rows_of(data, ["me"], "davidson")
    assert rows.tied[:, 0].tolist() == [1.0, 0.0, 0.0, 0.0, 1.0]
    assert rows.open[:, 0].tolist() == [1.0, 1.0, 0.0, 0.0, 1.0]  # a soft label is no tie, nor could it be one
    assert (rows_of(data, ["me"], "drop").weight[:, 0] > 0).tolist() == [False, True, True, True, False]


def test_repeats_weigh_as_their_correlation_says():
    """By hand: residuals after what order does, products within pairs over mean squares."""
    rng = np.random.default_rng(0)
    y = np.where(rng.random((60, 2)) < expit(1.5 * rng.standard_normal((60, 1))), "A", "B")
    verdicts = [(f"p{i:02}", "me", first, y[i, k]) for i in range(60) for k, first in enumerate("AB")]
    data = asked([*verdicts, ("q0", "me", "unknown", "A")])
    rows = rows_of(data, ["me"], "davidson", orders=np.array([True]), repeats=True)
    away = (y == "A") - 0.5
    first = np.array([1.0, -1.0])
    effect = (away * first).sum() / away.size
    away = away - effect * first
    r = 2 * (away[:, 0] * away[:, 1]).sum() / (away**2).sum()
    assert 0.05 < r < 0.9
    assert rows.correlation[0] == pytest.approx(r, rel=1e-9)
    assert rows.weight[:-1, 0] == pytest.approx(1 / (1 + r))
    assert rows.weight[-1, 0] == 1.0  # asked once


def test_identical_repeats_are_one_verdict_and_few_are_taken_to_be():
    same = [(f"p{i}", "me", "A", "AB"[i % 2]) for i in range(40) for _ in range(3)]
    rows = rows_of(asked(same), ["me"], "davidson", repeats=True)
    assert rows.correlation[0] == 1.0
    assert rows.weight == pytest.approx(1.0)
    few = [(f"p{i}", "me", "A", "AB"[k]) for i in range(5) for k in range(2)]
    assert rows_of(asked(few), ["me"], "davidson", repeats=True).weight == pytest.approx(1.0)


def test_order_is_a_term_where_it_is_known_and_varies():
    study = pdx.simulate(200, schema=SMALL, judges=["me", "you"], scenarios=None, random_seed=0)
    design = pdx.dissect(study.data, **FAST).design
    assert design.columns == ("clear", "lengthy", ORDER)
    assert design.roles[-1] == "order"
    unknown = replace(study.data, verdicts=study.data.verdicts.assign(first="unknown"))
    assert ORDER not in pdx.dissect(unknown, **FAST).design.columns
    fixed = replace(study.data, verdicts=study.data.verdicts.assign(first="A"))
    left_out = pdx.dissect(fixed, **FAST).design
    assert ORDER not in left_out.columns
    assert "hardly varies" in left_out.notes[0]
    assert pdx.dissect(fixed, position=True, **FAST).design.x[:, 2].tolist() == [1.0] * 200
    with pytest.raises(errors.OptionError, match="position=True, but no verdict says"):
        pdx.dissect(unknown, position=True, **FAST)


def test_order_unknown_of_some_verdicts_is_said_and_counts_as_neither():
    study = pdx.simulate(200, schema=SMALL, judges=["me"], scenarios=None, random_seed=0)
    first = study.data.verdicts["first"].astype(object).where(np.arange(200) >= 30, "unknown")
    data = replace(study.data, verdicts=study.data.verdicts.assign(first=pd.Categorical(first)))
    result = pdx.dissect(data, **FAST)
    assert "not known of some verdicts" in result.design.notes[0]
    assert "30 of me" in result.design.notes[0]
    assert (result.design.x[:, -1] == 0).sum() == 30
    assert result.nuisance.set_index("term").loc["order", "n_differs"] == 170


@pytest.mark.parametrize("tau", [0.0, 2.0])
def test_flipping_a_pair_with_its_verdict_and_order_changes_nothing(tau):
    data = in_both_orders(150, tau=tau)
    turned = np.random.default_rng(1).random(150) < 0.5
    ids = data.pairs.index[turned]
    flip = data.verdicts["pair_id"].isin(ids).to_numpy()
    swap = {"A": "B", "B": "A"}
    verdicts = data.verdicts.assign(
        value=np.where(flip, 1 - data.verdicts["value"], data.verdicts["value"]),
        outcome=pd.Categorical(np.where(flip, data.verdicts["outcome"].map(swap), data.verdicts["outcome"])),
        first=pd.Categorical(np.where(flip, data.verdicts["first"].map(swap), data.verdicts["first"])),
    )
    ratings = np.where(turned[:, None, None], data.ratings[:, ::-1], data.ratings)
    one, other = (pdx.dissect(d, **FAST) for d in (data, replace(data, verdicts=verdicts, ratings=ratings)))
    columns = ["mean", "sd", "lower", "upper"]
    np.testing.assert_allclose(one.weights[columns], other.weights[columns], atol=1e-6)
    np.testing.assert_allclose(one.nuisance[columns], other.nuisance[columns], atol=1e-6)


def test_being_shown_first_is_found_again():
    result = pdx.dissect(in_both_orders(800, effect=0.5), **FAST)
    row = result.nuisance.set_index("term").loc["order"]
    assert row["lower"] < 0.5 < row["upper"]
    assert row["points"] == pytest.approx(100 * (expit(row["mean"]) - 0.5))
    assert result.weights["n_pairs"].tolist() == [800]
    assert len(result.design.x) == 1600
    assert result.surprising(3)["pair_id"].is_unique


def both_order_coverage(studies: int, tau: float, how: str, seed: int = 0) -> float:
    """Return how often 94% intervals hold the weights that one verdict a pair would give, over studies.

    Weights are drawn from their prior, so that coverage is 94% if all is well. What one verdict a pair estimates is
    found by a fit to very many, without a prior to speak of.
    """
    rng, hits = np.random.default_rng(seed), []
    prior = arrange_prior(Laplace(0.3), [f"p{k}" for k in range(6)], ["order"])
    factor = marginal_factor(tau)
    for _ in range(studies):
        n = 500
        x = rng.integers(-1, 2, (n, 6)).astype(float)
        w = rng.laplace(0, 0.3, 6)
        t = x @ (w / factor) + tau * rng.standard_normal(n)
        says = np.stack([rng.random(n) < expit(t + 0.4 * sign) for sign in (1, -1)]).astype(float)
        q = np.repeat([1.0, -1.0], n)
        both = np.column_stack([np.vstack([x, x]), q])
        y = says.ravel()
        r = np.corrcoef(says)[0, 1]
        if how == "ties":
            flipped = says[0] != says[1]
            mean = says.mean(axis=0)
            cell = Cell("j", "g", x, mean, np.ones(n), np.arange(n), "davidson", flipped * 1.0, np.ones(n))
            found = stand_in(cell, prior.take(range(6)))
        else:
            weight = np.full(2 * n, 1 / (1 + max(r, 0.0)))
            found = stand_in(Cell("j", "g", both, y, weight, np.tile(np.arange(n), 2)), prior)
        hits.append(np.abs(found.mean[:6] - w) < 1.881 * found.sd[:6])
    return float(np.mean(hits))


def marginal_factor(tau: float) -> float:
    """Return by how much weights shrink when a pair's own liking is averaged over: the slope of E sigmoid(t + u)."""
    node, mass = np.polynomial.hermite_e.hermegauss(61)
    mass = mass / mass.sum()
    t = np.linspace(-1.5, 1.5, 61)
    p = (mass * expit(t[:, None] + tau * node)).sum(axis=1)
    weight = np.exp(-0.5 * (t / 0.6) ** 2)
    slope = 1.0
    for _ in range(60):
        q = expit(slope * t)
        slope += float((weight * t * (p - q)).sum() / (weight * t * t * q * (1 - q)).sum())
    return slope


@pytest.mark.parametrize("tau", [0.0, 2.0])
def test_both_orders_keep_coverage(tau):
    """40 studies of six weights: 240 intervals, whose share has a standard error of 1.5%; the gate is 3.5 of them."""
    assert 0.89 < both_order_coverage(40, tau, "weights") <= 1.0


def test_orders_that_disagree_are_no_ties():
    """Taken as ties they double the log-odds of what is left, and coverage fails."""
    assert both_order_coverage(20, 0.0, "ties") < 0.8


@pytest.mark.parametrize("tau", [0.0, 1.0, 2.0, 4.0])
def test_both_orders_keep_coverage_over_many_studies(tau):
    """200 studies, 1,200 intervals: standard error 0.7%."""
    assert 0.93 <= both_order_coverage(200, tau, "weights", seed=1) <= 0.97


def test_generators_free_weights_of_who_wrote_what():
    table, strength = written_by(4000)
    result = pdx.dissect(table, prior=pdx.Normal(1.0), **FAST)
    assert result.design.roles.count("generator") == 4
    assert "same two models" in result.design.notes[-1]
    row = result.weights.iloc[0]
    assert row["lower"] < 0.5 < row["upper"]
    without = pdx.dissect(table, prior=pdx.Normal(1.0), generators=False, **FAST).weights.iloc[0]
    assert without["lower"] > 0.6  # what the models have in common with the property is put down to it
    board = result.nuisance.query("term == 'generator'").set_index("name").sort_index()
    assert ((board["lower"] < strength) & (strength < board["upper"])).all()
    assert board["mean"].sum() == pytest.approx(0, abs=1e-9)
    assert board["probability"].to_numpy() == pytest.approx(expit(board["mean"].to_numpy()))
    assert result.properties == ["clear"]
    assert result.weights["property"].tolist() == ["clear"]


def generator_coverage(studies: int, *, known: bool, seed: int = 0) -> float:
    """Return how often 94% intervals hold the weights where eight models have qualities that no property names."""
    rng, hits = np.random.default_rng(seed), []
    prior = arrange_prior(Laplace(0.2), [f"p{k}" for k in range(6)], [f"m{k}" for k in range(8)] if known else ())
    for _ in range(studies):
        n = 1000
        quality, taste = 0.5 * rng.standard_normal(8), 0.8 * rng.standard_normal((8, 6))
        taste[:, 0] = 1.6 * quality  # a property goes along with it
        a = rng.integers(0, 8, n)
        b = (a + rng.integers(1, 8, n)) % 8
        x = np.sign(np.round(taste[a] - taste[b] + 1.2 * rng.standard_normal((n, 6))))
        w = rng.laplace(0, 0.2, 6)
        y = (rng.random(n) < expit(x @ w + quality[a] - quality[b])).astype(float)
        wrote = np.eye(8)[a] - np.eye(8)[b]
        columns = np.column_stack([x, wrote]) if known else x
        found = stand_in(Cell("j", "g", columns, y, np.ones(n), np.arange(n)), prior)
        hits.append(np.abs(found.mean[:6] - w) < 1.881 * found.sd[:6])
    return float(np.mean(hits))


def test_generators_keep_coverage_where_models_differ_in_what_no_property_names():
    """40 studies, 240 intervals: standard error 1.5%. Without the terms a fifth of the weights is missed."""
    assert generator_coverage(40, known=True) > 0.89
    assert generator_coverage(40, known=False) < 0.85


def test_generators_keep_coverage_over_many_studies():
    """200 studies, 1,200 intervals: standard error 0.7%."""
    assert 0.92 <= generator_coverage(200, known=True, seed=1) <= 0.96


def test_generators_are_left_out_where_they_are_too_few_or_unknown():
    table, _ = written_by(90)
    thin = pdx.dissect(table, **FAST).design
    assert "generator" not in thin.roles
    assert "too few" in thin.notes[0]
    assert "generator" in pdx.dissect(table, generators=True, **FAST).design.roles
    one = table.assign(model_a="m0", model_b="m0")
    assert "only 'm0' wrote responses" in pdx.dissect(one, **FAST).design.notes[0]
    with pytest.raises(errors.OptionError, match="generators=True, but only 'm0' wrote"):
        pdx.dissect(one, generators=True, **FAST)
    with pytest.raises(errors.OptionError, match="generators=True, but no pair names two"):
        pdx.dissect(table.drop(columns=["model_a", "model_b"]), generators=True, **FAST)


def test_models_that_never_meet_are_said_to_rest_on_the_prior():
    table, _ = written_by(400)
    other = table.assign(model_a=table["model_a"].str.upper(), model_b=table["model_b"].str.upper())
    notes = pdx.dissect(pd.concat([table, other]), **FAST).design.notes
    assert any("2 sets of models never meet" in note for note in notes)


def test_pairs_without_names_tell_nothing_of_models():
    table, _ = written_by(400)
    table.loc[:19, "model_b"] = None
    result = pdx.dissect(table, **FAST)
    assert any("20 pairs do not name both models" in note for note in result.design.notes)
    assert (result.design.x[:20, 1:] == 0).all()
    assert len(result.predict(table.iloc[20:25])) == 5


def test_predictions_know_models_that_were_there_before():
    table, strength = written_by(2000)
    result = pdx.dissect(table, **FAST)
    equal = pd.DataFrame({"clear_a": [0.0, 0.0], "clear_b": 0.0, "model_a": ["m3", "new"], "model_b": ["m0", "m0"]})
    found = result.predict(equal)["probability"]
    assert found[0] == pytest.approx(expit(strength[3] - strength[0]), abs=0.06)
    assert found[1] == 0.5


def clustered_cell(copies: int = 1, seed: int = 0) -> Cell:
    """Return 300 rows of 60 clusters, each row so many times."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-1, 2, (300, 3)).astype(float)
    y = (rng.random(300) < expit(x @ [0.8, -0.4, 0.0])).astype(float)
    rows = np.tile(np.arange(300), copies)
    return Cell("j", "g", x[rows], y[rows], np.ones(len(rows)), rows if copies > 1 else np.arange(300))


@pytest.mark.parametrize("copies", [2, 5])
def test_copies_in_one_cluster_leave_intervals_as_they_are(copies):
    prior = arrange_prior(Laplace(0.2), ["a", "b", "c"])
    one, many = clustered_cell(), clustered_cell(copies)
    alone = stand_in(one, prior)
    assert design_effect(one, alone.mean) == 1.0
    weighted, effect = weigh_clusters(many, stand_in(many, prior).mean)
    assert effect == pytest.approx(copies, rel=0.01)
    found = stand_in(weighted, prior)
    np.testing.assert_allclose(found.mean, alone.mean, atol=0.02 * alone.sd.max())
    np.testing.assert_allclose(found.sd, alone.sd, rtol=0.01)


def test_one_cluster_cannot_be_weighed():
    cell = replace(clustered_cell(), cluster=np.zeros(300, dtype=np.int64))
    same, effect = weigh_clusters(cell, np.zeros(3))
    assert np.isnan(effect)
    assert same is cell


def test_cluster_weights_are_reported_and_widen():
    study = pdx.simulate(
        600, schema=SMALL, judges=["me"], scenarios=None, responses_per_prompt=6, response_sd=1.5, random_seed=0
    )
    plain, weighted = (pdx.dissect(study.data, cluster=c, **FAST) for c in ("none", "auto"))  # type: ignore[arg-type]
    effect = weighted.certificates["design_effect"][0]
    assert effect > 1.2
    assert plain.certificates["design_effect"].isna().all()
    assert (weighted.weights["sd"] > plain.weights["sd"]).all()


def test_a_scenario_of_one_cluster_keeps_its_weights(tmp_path):
    study = pdx.simulate(200, schema=SMALL, judges=["me"], scenarios=["Code", "Advice"], random_seed=0)
    in_code = study.data.groups["Code"].to_numpy()
    pairs = study.data.pairs.assign(cluster=np.where(in_code, "one prompt", study.data.pairs["cluster"]))
    data = replace(study.data, pairs=pairs)
    plain, weighted = (pdx.dissect(data, cluster=c, **FAST) for c in ("none", "auto"))  # type: ignore[arg-type]
    effects = weighted.certificates.set_index("group")["design_effect"]
    assert np.isnan(effects["Code"])
    assert effects["Advice"] == 1.0
    pd.testing.assert_frame_equal(weighted.weights, plain.weights)
    loaded = pdx.Dissection.load(weighted.save(tmp_path / "run.nc"))
    assert np.isnan(loaded.certificates.set_index("group")["design_effect"]["Code"])
    said = weighted.check(progress=False).table.query("check == 'clusters' and group == 'Code'")["said"].iloc[0]
    assert "cannot be seen" in said


def test_a_judge_that_never_ties_is_plain_among_judges_that_do():
    study = pdx.simulate(300, schema=SMALL, judges=["ties", "never"], scenarios=None, tie_rate=0.3, random_seed=0)
    verdicts = study.data.verdicts
    kept = ~((verdicts["judge"] == "never") & (verdicts["outcome"] == "tie"))
    data = replace(study.data, verdicts=verdicts[kept].reset_index(drop=True))
    result = pdx.dissect(data, position=False, **FAST)
    assert result.design.may_tie.tolist() == [True, False]
    assert result.nuisance["judge"].tolist() == ["ties"]
    alone = pdx.dissect(data, judge="never", ties="drop", position=False, **FAST)
    pd.testing.assert_frame_equal(
        result.sel(judge="never").weights.reset_index(drop=True), alone.weights.reset_index(drop=True)
    )
    predicted = result.predict(data)
    assert (predicted.query("judge == 'never'")["p_tie"] == 0).all()
    np.testing.assert_allclose(predicted[["p_a", "p_tie", "p_b"]].sum(axis=1), 1)
    assert alone.predict(data)["p_tie"].isna().all()


@pytest.mark.parametrize("ties", ["davidson", "ordered"])
def test_ties_go_through_every_question(ties, tmp_path):
    study = pdx.simulate(
        400, schema=SMALL, judges=["me", "you"], scenarios=["Code", "Advice"], tie_rate=0.25, order_effect=0.3,
        random_seed=1,
    )  # fmt: skip
    result = pdx.dissect(study.data, ties=ties, **FAST)
    table = result.nuisance
    rates = table[(table["term"] == "ties") & (table["group"] == "overall")].set_index("judge")["probability"]
    said = study.data.verdicts.groupby("judge", observed=True)["outcome"].apply(lambda o: (o == "tie").mean())
    assert rates.to_numpy() == pytest.approx(said.to_numpy(), abs=0.05)
    found = result.explain("pair-0", judge="me")
    assert sum(found.outcomes) == pytest.approx(1)
    assert "P(tie)" in repr(found)
    loaded = pdx.Dissection.load(result.save(tmp_path / "run.nc"))
    pd.testing.assert_frame_equal(loaded.nuisance, table)
    pd.testing.assert_frame_equal(loaded.weights, result.weights)
    added = loaded.add("new", ["A", "B"] * 200)
    assert added.fitted.fits["new", "Code"].cut is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert result.check(progress=False).table["level"].isin(["ok", "look", "stop"]).all()
        assert len(result.similarity().to_frame()) > 0
        assert result.overall()["probability"].notna().all()


def test_the_papers_preset_is_the_papers_model():
    table, _ = written_by(300)
    table.loc[:40, "judge_me"] = "tie"
    result = pdx.dissect(table, preset="paper", **FAST)
    plain = pdx.dissect(table, ties="drop", position=False, generators=False, **FAST)
    pd.testing.assert_frame_equal(result.weights, plain.weights)
    assert len(result.nuisance) == 0
    assert result.weights["n_pairs"].tolist() == [259]
    with pytest.raises(errors.OptionError, match="preset='paper' has ties='drop', and ties='half' was given"):
        pdx.dissect(table, preset="paper", ties="half", **FAST)
    with pytest.raises(errors.OptionError, match="preset='papers'"):
        pdx.dissect(table, preset="papers", **FAST)  # type: ignore[arg-type]
    with pytest.raises(errors.OptionError, match="position='yes' must be True, False or 'auto'"):
        pdx.dissect(table, position="yes", **FAST)  # type: ignore[arg-type]


def test_folds_of_tied_cells_are_fits_of_the_rows_that_stay():
    study = pdx.simulate(120, schema=SMALL, judges=["me"], scenarios=None, tie_rate=0.3, random_seed=2)
    cell = build_design(study.data, ["me"], by=None, encoding="comparison", ties="davidson").cell("me", "all")
    prior = arrange_prior(Laplace(0.1), SMALL.ids)
    kept = [np.arange(0, 100), np.arange(20, 120)]
    each = fit_without(cell, kept, prior)
    result = pdx.dissect(study.data, position=False, folds=2, **FAST)
    assert each.shape == (2, 3)
    assert result.fitted.fits["me", "all"].cut is not None


def test_the_command_line_has_the_terms(tmp_path):
    table, _ = written_by(300)
    table.loc[:40, "judge_me"] = "tie"
    file = tmp_path / "pairs.csv"
    table.to_csv(file, index=False)
    shown = CliRunner().invoke(app, ["dissect", str(file), "--draws", "100", "--ties", "ordered"])
    assert shown.exit_code == 0, shown.output
    assert "beside properties" in shown.stdout
    assert "ordered" in shown.stdout
    assert "m3" in shown.stdout
    assert "same two models" in shown.stdout
    plain = CliRunner().invoke(app, ["dissect", str(file), "--draws", "100", "--preset", "paper"])
    assert "beside properties" not in plain.stdout
    assert "tie, dropped" in plain.stdout
    none = CliRunner().invoke(app, ["dissect", str(file), "--draws", "100", "--generators", "no", "--order", "no"])
    assert "generator" not in none.stdout
    wrong = CliRunner().invoke(app, ["dissect", str(file), "--order", "maybe"])
    assert wrong.exit_code == 1
    assert "--order='maybe' is not an option; close matches: 'yes'; valid: 'auto', 'yes', 'no'" in wrong.output
    wrong = CliRunner().invoke(app, ["dissect", str(file), "--cluster-weights", "story"])
    assert "--cluster-weights='story' is not an option; valid: 'auto', 'none'" in wrong.output
