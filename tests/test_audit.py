"""Audits of benchmarks whose truth is planted: rules, held-out shares, leaderboards, and their coverage."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

import prefdissect as pdx
from benchmark_worlds import play, style_or_content
from prefdissect.audit.chance import chances_of
from prefdissect.audit.leaderboard import leaderboard
from prefdissect.audit.resampling import resample_shares
from prefdissect.audit.rules import ALL_PAIRS, credit, rule_table
from prefdissect.audit.subsets import subset_table
from prefdissect.errors import ColumnError, DataError, OptionError, UnknownNameError
from prefdissect.features import build_design
from prefdissect.inference import PAPER_PRIOR, arrange_prior, check_options

pytestmark = pytest.mark.lane("oldest")

OPTIONS = check_options("exact", 100, 2, None, 0.94, 2, 0, True)
HOW = {"encoding": "comparison", "unparsed": "drop", "options": OPTIONS, "resamples": 200}
SHARED = {"interval": 0.94, "resamples": 200, "random_seed": 0}


# Rules


@given(st.integers(0, 10_000), st.integers(1, 30))
def test_a_rule_earns_what_counting_says(seed, n):
    rng = np.random.default_rng(seed)
    x, prefers_a = rng.integers(-1, 2, n).astype(float), rng.random(n) < 0.5
    expected = [0.5 if v == 0 else float((v > 0) == a) for v, a in zip(x, prefers_a, strict=True)]
    assert credit(x, prefers_a).tolist() == expected
    assert credit(-x, ~prefers_a).tolist() == expected, "A and B may change places"
    assert (credit(x, prefers_a) + credit(-x, prefers_a) == 1).all()


def test_rules_of_a_small_table_by_hand():
    table = pd.DataFrame(
        {
            "long_a": [9, 9, 1, 5, 7, 2],
            "long_b": [1, 1, 9, 5, 1, 8],
            "scenario": ["x", "x", "x", "y", "y", "y"],
            "judge_me": ["A", "B", "B", "A", "tie", "B"],
        }
    )
    design = build_design(pdx.load(table), ["me"], by="scenario", encoding="comparison", ties="half")
    rules = rule_table(design, **SHARED).set_index(["group", "direction"])
    assert rules.loc[("x", "more"), ["share", "n", "n_equal", "share_differing"]].tolist() == [2 / 3, 3, 0, 2 / 3]
    assert rules.loc[("y", "more"), ["share", "n", "n_equal", "share_differing"]].tolist() == [0.75, 2, 1, 1.0]
    assert rules.loc[(ALL_PAIRS, "more"), ["share", "n"]].tolist() == [0.7, 5], "the tie is not counted"
    assert rules.loc[("y", "less"), ["share", "share_differing"]].tolist() == [0.25, 0.0]


def test_intervals_of_shares_hold_the_truth_and_know_of_clusters():
    """400 studies of 60 prompts with 4 equal pairs each: 94% intervals hold a share of 0.6 in 90% or more.

    Four standard errors of 400 trials are 5 points; as if pairs were independent, intervals would be half as wide.
    """
    inside, width = [], []
    for seed in range(400):
        rng = np.random.default_rng(seed)
        values = np.repeat(rng.random(60) < 0.6, 4).astype(float)[:, None]
        _, low, high = resample_shares(values, np.repeat(np.arange(60), 4), interval=0.94, resamples=300, rng=rng)[:, 0]
        inside.append(low <= 0.6 <= high)
        width.append(high - low)
    assert 0.89 <= np.mean(inside) <= 0.98
    assert np.mean(width) == pytest.approx(2 * 1.88 * np.sqrt(0.24 / 60), rel=0.1)


def test_nothing_and_one_cluster_have_no_interval():
    rng = np.random.default_rng(0)
    assert np.isnan(resample_shares(np.empty((0, 2)), np.empty(0, int), interval=0.9, resamples=100, rng=rng)).all()
    found = resample_shares(np.ones((3, 1)), np.zeros(3, int), interval=0.9, resamples=100, rng=rng)[:, 0]
    assert found[0] == 1
    assert np.isnan(found[1:]).all()


# Subsets


def test_a_benchmark_of_style_is_won_without_reading():
    """Longer wins with log-odds of 1.5, so sigmoid(1.5) = 82% of pairs; 1,200 pairs give 3.5 points at 3 sd."""
    found = pdx.audit_benchmark(style_or_content(style=1.5, content=0, n=1200), blind=["length"], random_seed=0)
    row = found.subsets.iloc[0]
    assert row["rule"] == "more length"
    for name in ("best_rule", "blind", "fit"):
        assert row[name] == pytest.approx(expit(1.5), abs=0.035)
    assert row["blind_lower"] < expit(1.5) < row["blind_upper"]
    assert row["without_reading"]
    assert row["margin"] == row["blind_lower"] - 0.5
    assert row[["rule_chance", "blind_chance"]].tolist() == [0.001, 0.001]
    best = found.rules.iloc[0]
    assert (best["property"], best["direction"]) == ("length", "more")
    assert best["lower"] < expit(1.5) < best["upper"]
    assert "won without reading: one (by at least" in repr(found)


def test_a_benchmark_of_content_is_not():
    found = pdx.audit_benchmark(style_or_content(style=0, content=3, n=1200), blind=["length", "bold"], random_seed=0)
    row = found.subsets.iloc[0]
    assert not row["without_reading"]
    assert row["blind"] == pytest.approx(0.5, abs=0.045), "3 sd of 1,200 coins"
    assert found.rules["share"].between(0.455, 0.545).all()
    assert "no subset is won without reading" in repr(found)
    assert "may be chance" in repr(found)


def test_only_the_subset_that_style_wins_is_named():
    data = style_or_content(style=0, content=1, n=1200, subsets=("read", "skim"))
    skim = data.groups["skim"].to_numpy()
    longer = data.ratings[:, 0, 0] > data.ratings[:, 1, 0]
    table = data.verdicts.copy()
    table["value"] = np.where(skim, longer, table["value"])
    table["outcome"] = np.where(table["value"] == 1, "A", "B")
    found = pdx.audit_benchmark(replace(data, verdicts=table), blind=["length"], random_seed=0)
    assert found.subsets.set_index("group")["without_reading"].to_dict() == {
        "read": False,
        "skim": True,
        ALL_PAIRS: True,
    }
    shares = found.subsets.set_index("group")["fit"]
    assert shares[ALL_PAIRS] == pytest.approx((shares["read"] + shares["skim"]) / 2, abs=1e-9), "of equal size"


def test_false_alarms_are_as_rare_as_intervals_say():
    """120 studies of 60 pairs, four properties that say nothing: 3% are named, 9% would be 4 sd of 120 trials off.

    Held-out intervals alone exclude a half three times as often, since folds share pairs: that is why chances stand
    beside them.
    """
    rng = np.random.default_rng(0)
    table = pd.DataFrame({f"p{k}_{side}": rng.normal(size=60) for k in range(4) for side in "ab"})
    table["judge_me"] = rng.choice(["A", "B"], 60)
    data = pdx.load(table)
    base, named, lucky = build_design(data, ["me"], by=None, encoding="comparison", ties="drop"), [], []
    prior = arrange_prior(PAPER_PRIOR, data.properties)
    for seed in range(120):
        rng = np.random.default_rng(seed)
        y = (rng.random(base.y.shape) < 0.5).astype(float)
        design = replace(base, x=np.sign(rng.normal(size=base.x.shape)), y=y)
        options = SHARED | {"random_seed": seed, "resamples": 100}
        rules = rule_table(design, **options)
        row = subset_table(design, prior, rules, data.properties, folds=10, progress=False, **options).iloc[0]
        named.append(row["without_reading"])
        lucky.append(row["rule_chance"] < 0.03)
    assert np.mean(named) <= 0.09
    assert np.mean(lucky) <= 0.09


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_chances_do_not_depend_on_which_response_is_a(seed):
    rng = np.random.default_rng(seed)
    x, prefers_a, clusters = rng.normal(size=(30, 2)), rng.random(30) < 0.5, rng.integers(0, 9, 30)
    flip = rng.random(30) < 0.5
    mirrored, other = np.where(flip[:, None], -x, x), prefers_a ^ flip
    prior = arrange_prior(PAPER_PRIOR, ["a", "b"])
    found = [
        chances_of(m, [1], p, clusters, prior, np.random.default_rng(1)) for m, p in ((x, prefers_a), (mirrored, other))
    ]
    assert found[0] == pytest.approx(found[1])


def test_chances_are_those_of_all_exchanges():
    """Six prompts have 64 exchanges, which the twin counts all; 999 of them at random are within 4 sd, 0.06."""
    rng = np.random.default_rng(4)
    x, prefers_a, clusters = rng.normal(size=(12, 2)), rng.random(12) < 0.5, np.arange(12) // 2
    prior = arrange_prior(PAPER_PRIOR, ["a", "b"])
    side = np.where(prefers_a, 0.5, -0.5)
    wins, scores = [], []
    for signs in itertools.product((1, -1), repeat=6):
        turned = x * np.repeat(signs, 2)[:, None]
        wins.append(max(abs((np.sign(turned) * side[:, None]).sum(axis=0))))
        score = turned.T @ side
        metric = x.T @ x / 4 + np.diag(1 / prior.sd**2)
        scores.append(score @ np.linalg.inv(metric) @ score)
    expected = [np.mean(np.array(one) >= one[0] - 1e-9) for one in (wins, scores)]
    found = chances_of(x, [0, 1], prefers_a, clusters, prior, np.random.default_rng(0))
    assert found == pytest.approx(expected, abs=0.06)
    assert np.isnan(chances_of(x, [], prefers_a, clusters, prior, rng)[1])


def test_subsets_with_fewer_prompts_than_folds_are_said_and_kept():
    data = style_or_content(style=1, content=0, n=300, subsets=("big",) * 30 + ("thin",))
    found = pdx.audit_benchmark(data, blind=["length"], random_seed=0)
    row = found.subsets.set_index("group").loc["thin"]
    assert row["n_clusters"] == 9
    assert np.isnan(row["fit"])
    assert not row["without_reading"]
    assert "not scored held out, fewer prompts than folds: thin" in repr(found)
    assert np.isfinite(found.rules[found.rules["group"] == "thin"]["share"]).all()


# Leaderboards


def board_of(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    found, weights, _ = leaderboard(pdx.load(table), "me", **HOW)
    return found.set_index("model"), weights


def test_planted_strengths_are_recovered_where_length_is_held_equal():
    """Verbose models are weak here, and longer wins with 1.5 log-odds: raw win rates have them in the wrong order.

    6,000 pairs of 4 models: standard errors of strengths are about 0.04; 0.15 is more than three of them.
    """
    strengths, verbosity = np.array([0.6, 0.2, -0.2, -0.6]), np.array([-1.2, -0.4, 0.4, 1.2])
    found, weights = board_of(play(strengths, verbosity, n_prompts=6000, length_weight=1.5)[0])
    assert found["raw"].sort_values().index.tolist() == ["m0", "m1", "m2", "m3"]
    assert found.index.tolist() == ["m0", "m1", "m2", "m3"]
    assert found["strength"].to_numpy() == pytest.approx(strengths, abs=0.15)
    assert weights["mean"].iloc[0] == pytest.approx(1.5, abs=0.12)
    assert (found["moved"].to_numpy() * verbosity < 0).all(), "the verbose down, the terse up"


def test_being_shown_first_is_no_strength():
    """Four equal models, one of them shown first nine times in ten, to a judge who likes what comes first by 0.8.

    Of 3,000 pairs a strength is known to 0.09, so that 0.3 is more than three sds; without the order it is 0.5.
    """
    table, _ = play(np.zeros(4), np.zeros(4), n_prompts=3000, length_weight=0.3, seed=3)
    rng = np.random.default_rng(4)
    likely = np.select([table["model_a"] == "m3", table["model_b"] == "m3"], [0.9, 0.1], 0.5)
    first = np.where(rng.random(3000) < likely, "A", "B")
    t = 0.3 * np.sign(table["length_a"] - table["length_b"]) + np.where(first == "A", 0.8, -0.8)
    said = np.where(rng.random(3000) < 1 / (1 + np.exp(-t)), "A", "B")
    pairs = table.drop(columns="judge_me").assign(pair_id=[f"p{i}" for i in range(3000)], judge="me")
    pairs["value"] = (said == "A") * 1.0
    named, unnamed = (board_of(one)[0].loc["m3"] for one in (pairs.assign(first=first), pairs))
    assert named["strength_lower"] < 0 < named["strength_upper"]
    assert abs(named["strength"]) < 0.3 < unnamed["strength_lower"]


def test_without_a_pull_of_length_holding_it_equal_moves_nothing():
    found, weights = board_of(
        play(np.array([0.5, 0.0, -0.5]), np.array([1.0, 0, -1]), n_prompts=4000, length_weight=0)[0]
    )
    assert found["moved"].abs().max() < 0.03
    assert ((found["moved_lower"] < 0) & (found["moved_upper"] > 0)).all()
    assert weights["lower"].iloc[0] < 0 < weights["upper"].iloc[0]


def test_two_models_by_hand():
    """One model wins 3 of 4 and ties 1 of 5; with nothing to hold equal, columns of equal length are no columns."""
    table = pd.DataFrame(
        {
            "model_a": ["x", "y", "x", "x", "y", "x"],
            "model_b": ["y", "x", "y", "y", "x", "x"],
            "length_a": [1, 2, 3, 4, 5, 6],
            "length_b": [1, 2, 3, 4, 5, 6],
            "judge_me": ["A", "B", "A", "B", "tie", "A"],
        }
    )
    data = pdx.load(table)
    found, _, left_out = leaderboard(data, "me", **HOW)
    raw = found.set_index("model")
    assert raw.loc["x", ["raw", "n", "n_ties"]].tolist() == [0.7, 5, 1]
    assert raw.loc["y", "raw"] == pytest.approx(0.3)
    assert left_out.to_numpy().tolist() == [["me", "both responses of one model", 1]]
    assert raw["is_baseline"].tolist() == [False, False]
    assert raw.loc["x", "moved"] == pytest.approx(0.0)


def test_the_fit_is_the_mode_that_newton_finds():
    """A twin: penalised logistic regression on the same columns, whose mode lies close to the mean in 3,000 pairs."""
    table, _ = play(np.array([0.5, 0.0, -0.3]), np.array([0.3, 0, -0.5]), n_prompts=3000, length_weight=0.7, seed=3)
    found, weights = board_of(table)
    names = sorted(found.index)
    x = np.column_stack(
        [np.sign(table["length_a"] - table["length_b"])]
        + [(table["model_a"] == m).astype(float) - (table["model_b"] == m) for m in names]
    )
    y, w = (table["judge_me"] == "A").to_numpy(float), np.zeros(4)
    for _ in range(20):
        p = expit(x @ w)
        w = w + np.linalg.solve((x.T * (p * (1 - p))) @ x + np.eye(4), x.T @ (y - p) - w)
    assert found.loc[names, "strength"].to_numpy() == pytest.approx(w[1:] - w[1:].mean(), abs=0.01)
    assert weights["mean"].iloc[0] == pytest.approx(w[0], abs=0.01)
    strength = dict(zip(names, w[1:], strict=True))
    of = {m: (table["model_a"] == m) | (table["model_b"] == m) for m in names}
    for m in names:
        other = np.where(table["model_a"] == m, table["model_b"], table["model_a"])[of[m]]
        expected = np.mean([expit(strength[m] - strength[o]) for o in other])
        assert found.loc[m, "equal"] == pytest.approx(expected, abs=0.005)
        sign = np.where(table["model_a"] == m, 1, -1)[of[m]]
        before = expit(sign * (x[of[m]] @ w)).mean()
        assert found.loc[m, "moved"] == pytest.approx(expected - before, abs=0.005)


def test_rows_and_sides_do_not_matter():
    table, _ = play(np.array([0.5, 0.0, -0.5]), np.zeros(3), n_prompts=400, length_weight=0.5)
    found, _ = board_of(table)
    flip = np.random.default_rng(0).random(400) < 0.5
    other = table.copy()
    for stem in ("model", "length"):
        other[f"{stem}_a"] = np.where(flip, table[f"{stem}_b"], table[f"{stem}_a"])
        other[f"{stem}_b"] = np.where(flip, table[f"{stem}_a"], table[f"{stem}_b"])
    other["judge_me"] = np.where(flip, table["judge_me"].map({"A": "B", "B": "A"}), table["judge_me"])
    mirrored, _ = board_of(other.sample(frac=1, random_state=0))
    columns = ["raw", "equal", "moved", "strength"]
    assert mirrored.loc[found.index, columns].to_numpy() == pytest.approx(found[columns].to_numpy(), abs=1e-6)


@pytest.mark.parametrize(("baseline", "luck", "n_prompts"), [(False, 0.0, 200), (True, 0.8, 80)], ids=str)
def test_coverage_of_leaderboards(baseline, luck, n_prompts):
    """100 studies of 4 models, 200 to 240 pairs each: 94% intervals of strengths and win rates hold the truth.

    Longer counts 0.8 and models differ in verbosity. 400 strengths, four to a study and not independent: 0.94 with a
    standard error of about 1.5 points, so 0.89 is more than three of them off. With luck that the verdicts on a prompt
    share the strength that is estimated is that of the average prompt, some percent nearer to 0.
    """
    inside, held, ranked = [], [], []
    for seed in range(100):
        rng = np.random.default_rng(1000 + seed)
        strengths, verbosity = rng.normal(0, 0.6, 4), rng.normal(0, 0.7, 4)
        table, gap = play(
            strengths, verbosity, n_prompts=n_prompts, length_weight=0.8, baseline=baseline, luck=luck, seed=seed
        )
        found, _ = board_of(table)
        for i, truth in enumerate(strengths - strengths.mean()):
            row = found.loc[f"m{i}"]
            inside.append(row["strength_lower"] <= truth <= row["strength_upper"])
            ranked.append(row["rank_lower"] <= 1 + (strengths > strengths[i]).sum() <= row["rank_upper"])
            if not row["is_baseline"]:
                own = (table["model_a"] == f"m{i}") | (table["model_b"] == f"m{i}")
                win = expit(np.where(table["model_a"] == f"m{i}", gap, -gap)[own]).mean()
                held.append(row["equal_lower"] <= win <= row["equal_upper"])
    assert 0.89 <= np.mean(inside) <= 0.99
    assert 0.89 <= np.mean(held) <= 0.99
    assert np.mean(ranked) >= 0.94


def test_a_baseline_wins_a_half_by_definition_and_is_ranked():
    found, _ = board_of(
        play(np.array([0.0, 0.8, -0.8]), np.zeros(3), n_prompts=300, length_weight=0.3, baseline=True)[0]
    )
    row = found.loc["m0"]
    assert row["is_baseline"]
    assert row[["raw", "equal", "moved"]].tolist() == [0.5, 0.5, 0.0]
    assert row["rank"] == 2
    assert found["is_baseline"].sum() == 1


def test_unread_verdicts_are_left_out_or_half_and_counted():
    table, _ = play(np.array([0.0, 0.5]), np.zeros(2), n_prompts=100, length_weight=0)
    table.loc[:9, "judge_me"] = None
    table["judge_me"] = table["judge_me"].fillna("invalid")
    data = pdx.load(table)
    drop, _, left_out = leaderboard(data, "me", **HOW)
    half, _, _ = leaderboard(data, "me", **{**HOW, "unparsed": "half"})
    drop, half = drop.set_index("model")["raw"], half.set_index("model")["raw"]
    assert half["m1"] == pytest.approx((90 * drop["m1"] + 5) / 100)
    assert left_out[["reason", "n"]].to_numpy().tolist()[0] == ["verdict could not be read", 10]


def test_models_that_are_not_named_are_counted_and_nobody_else_suffers():
    table, _ = play(np.array([0.0, 0.5, -0.5]), np.zeros(3), n_prompts=300, length_weight=0)
    more = table.copy().assign(prompt_id=table["prompt_id"] + "x")
    more["model_b"] = None
    both, alone = pd.concat([table, more], ignore_index=True), board_of(table)[0]
    found, _, left_out = leaderboard(pdx.load(both), "me", **HOW)
    assert left_out.to_numpy().tolist() == [["me", "model not named", 300]]
    found = found.set_index("model").loc[alone.index]
    assert found[["raw", "strength"]].to_numpy() == pytest.approx(alone[["raw", "strength"]].to_numpy(), abs=1e-6)


# The whole


def test_length_of_another_name_stands_for_length_and_is_said():
    table, _ = play(np.array([0.5, -0.5]), np.zeros(2), n_prompts=200, length_weight=0.5)
    renamed = table.rename(columns={"length_a": "words_a", "length_b": "words_b"})
    found = pdx.audit_benchmark(renamed, random_seed=0)
    assert found.hold_equal == ("words",)
    assert found.notes[-1] == "held equal: words, as the data rate no 'length'"
    without = pdx.audit_benchmark(table.rename(columns={"length_a": "tone_a", "length_b": "tone_b"}), random_seed=0)
    assert without.hold_equal == ()
    assert "nothing is held equal" in without.notes[-1]
    assert without.leaderboard["equal"].isna().all()
    assert without.leaderboard["raw"].notna().all()
    assert without.plot().get_xlabel() == "win rate"


def test_an_audit_of_a_dissection_is_that_of_its_data(tmp_path):
    table, _ = play(np.array([0.5, 0.0, -0.5]), np.zeros(3), n_prompts=300, length_weight=0.7)
    result = pdx.dissect(table, random_seed=0)
    direct = pdx.audit_benchmark(table, random_seed=0)
    again = pdx.Dissection.load(result.save(tmp_path / "run.nc")).audit()
    for name in ("rules", "subsets", "leaderboard", "weights"):
        pd.testing.assert_frame_equal(getattr(result.audit(), name), getattr(direct, name))
        pd.testing.assert_frame_equal(getattr(again, name), getattr(direct, name))


def test_several_judges_stand_one_below_the_other():
    table, _ = play(np.array([0.5, -0.5]), np.zeros(2), n_prompts=100, length_weight=0.7)
    found = pdx.audit_benchmark(table.assign(judge_you=table["judge_me"]), random_seed=0)
    assert found.judges == ["me", "you"]
    shares = found.subsets.set_index("judge")["n"].tolist()
    assert shares == [100, 100]
    with pytest.raises(UnknownNameError, match="name one judge in judge=; valid: 'me', 'you'"):
        found.plot()
    assert len(found.plot("rules", judge="you").lines) == 2


def test_what_is_left_out_is_told_by_reason_and_over_how_many_judges():
    table, _ = play(np.array([0.5, -0.5]), np.zeros(2), n_prompts=60, length_weight=0.7)
    table.loc[:1, "judge_me"] = "tie"
    table.loc[2:4, "judge_me"] = None
    assert "left out: 3 no verdict; 2 tie, dropped; 3 of the leaderboard: no verdict" in repr(
        pdx.audit_benchmark(table, random_seed=0)
    )
    more = table.assign(**{f"judge_{name}": table["judge_me"] for name in "xyz"})
    said = " ".join(repr(pdx.audit_benchmark(more, random_seed=0)).split())
    assert "left out (sums over the 4 judges): 12 no verdict; 8 tie, dropped;" in said
    assert "... and 1 more judge; name them in judge=" in said


def test_a_wrong_group_is_told_before_texts_are_measured(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("measured in vain")

    monkeypatch.setattr("prefdissect.audit.run.rate_if_unrated", refuse)
    monkeypatch.setattr("prefdissect.dissection.rate_if_unrated", refuse)
    table = pd.DataFrame({"prompt": ["x"], "response_a": ["y"], "response_b": ["z"], "judge_me": ["A"]})
    for run in (pdx.audit_benchmark, pdx.dissect):
        with pytest.raises(ColumnError, match=r"by='None' is no kind .*; None \(without quotes; --by none\) puts all"):
            run(table, by="None")


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"hold_equal": []}, OptionError, "names nothing to hold equal"),
        ({"hold_equal": "lenght"}, UnknownNameError, "'lenght' is not rated, nor one of TEXT; close matches: 'length'"),
        ({"properties": ["lenght"]}, UnknownNameError, "'lenght' is not rated"),
        ({"blind": "lenght"}, UnknownNameError, "blind names unknown property 'lenght'; close matches: 'length'"),
        ({"unparsed": "tie"}, OptionError, "unparsed='tie' is not an option"),
        ({"encoding": "sign"}, OptionError, "encoding='sign' is not an option"),
        ({"folds": 1}, OptionError, "folds=1 must be a whole number of at least 2"),
        ({"resamples": 10}, OptionError, "resamples=10 must be a whole number of at least 100"),
        ({"judge": "you"}, UnknownNameError, "unknown judge 'you'"),
    ],
    ids=str,
)
def test_bad_options_are_named_with_the_valid_ones(given, error, said):
    table, _ = play(np.array([0.5, -0.5]), np.zeros(2), n_prompts=40, length_weight=0)
    with pytest.raises(error, match=said):
        pdx.audit_benchmark(table, random_seed=0, **given)


def test_a_judge_of_one_model_alone_has_no_leaderboard_and_the_others_have_theirs():
    table, _ = play(np.array([0.5, -0.5]), np.zeros(2), n_prompts=60, length_weight=0)
    half = np.arange(60) < 30
    table["model_b"] = np.where(half, table["model_a"], table["model_b"])
    table["judge_you"] = np.where(half, table["judge_me"], None)
    found = pdx.audit_benchmark(table, random_seed=0)
    assert found.leaderboard["judge"].unique().tolist() == ["me"]
    assert found.notes[-1] == (
        "no leaderboard of you: judge 'you' judged no pair of two different models (columns model_a and model_b), so "
        "there is nothing to rank"
    )
    assert "no leaderboard of you" in repr(found)


def test_figures_that_there_are_not():
    found = pdx.audit_benchmark(style_or_content(style=1, content=0), random_seed=0)
    with pytest.raises(DataError, match="no leaderboard: .*; draw 'rules' or 'subsets'"):
        found.plot("leaderboard")
    with pytest.raises(OptionError, match="kind='bars' is not an option"):
        found.plot("bars")
    with pytest.raises(UnknownNameError, match="unknown group 'two'"):
        found.plot("rules", group="two")
    assert found.plot().get_xlabel() == "share of held-out pairs won"
