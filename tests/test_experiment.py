"""The closed loop on a served world: collect, dissect, steer, judge again."""

import numpy as np
import pandas as pd
import pytest

import prefdissect as pdx
from planted_world import FEATURES, WEIGHTS, answer, pairs
from prefdissect.audit import Steering, estimate_experiment, run_experiment
from prefdissect.audit.generating import ChatGenerator
from prefdissect.audit.length_control import length_controlled
from prefdissect.errors import DataError, OptionError, PrefDissectWarning, UnknownNameError
from served import refused, served

pytestmark = pytest.mark.lane("newer")

N_PAIRS, N_PROMPTS = 700, 200
PROMPTS = [f"Write a few lines about the {word} of {n}." for n in range(N_PROMPTS // 2) for word in ("sea", "hills")]


@pytest.fixture(scope="module")
def world():
    with served(answer) as server:
        yield server


def dissected(world, judge):
    options = {"replies": None, "concurrency": 8, "progress": False}
    collected = pdx.collect(pairs(N_PAIRS), pdx.ChatJudge(judge, base_url=world.url), orders="random", **options)
    data = pdx.measure_text(collected.data, properties=list(FEATURES), n_jobs=1)
    return pdx.dissect(data, judge=judge, prior=pdx.Laplace(1.0), random_seed=0)


@pytest.fixture(scope="module")
def result(world):
    return dissected(world, "judge")


@pytest.fixture(scope="module")
def indifferent(world):
    return dissected(world, "indifferent")


def steering(result, **options):
    return Steering(result.design, result.fitted, result.judges[0], **{"k": 1, **options})


def experiment(world, result, judge="judge", prompts=PROMPTS, **options):
    given = {"replies": None, "concurrency": 8, "progress": False, "resamples": 400, **options}
    way = "score" if given.get("scoring") == "single" else "letter"
    return run_experiment(
        prompts,
        ChatGenerator(given.pop("generator", "writer"), base_url=world.url),
        pdx.ChatJudge(judge, base_url=world.url, way=way),
        given.pop("steering", None) or steering(result),
        **given,
    )


@pytest.fixture(scope="module")
def done(world, result):
    return experiment(world, result)


def row(table, condition, group="all"):
    (found,) = table[(table["condition"] == condition) & (table["group"] == group)].to_dict("records")
    return found


def test_the_world_is_what_it_says(result):
    # 700 pairs know each weight to about 0.15, so that four of four inside their 94% intervals is to be expected in
    # 78 of 100 worlds; this one is fixed, and a judge read with the wrong sign or scale would miss by far
    found = result.weights.set_index("property")
    inside = (found["lower"] <= WEIGHTS) & (found["upper"] >= WEIGHTS)
    assert inside.sum() >= 3
    assert np.abs(found["mean"].to_numpy() - WEIGHTS).max() < 0.6


def test_steering_moves_the_score_as_predicted(done):
    for condition, sign in (("toward", 1), ("away", -1)):
        shift = row(done.shifts, condition)
        assert shift["n"] == N_PROMPTS
        lower, upper = sorted((sign * shift["shift_lower"], sign * shift["shift_upper"]))
        assert 0 < lower < sign * shift["shift"] < upper
        lower, upper = sorted((sign * shift["predicted_lower"], sign * shift["predicted_upper"]))
        assert 0 < lower < sign * shift["predicted"] < upper
        # observed and predicted agree: the interval of their difference, of prompts and weights, holds 0
        assert shift["gap_lower"] < 0 < shift["gap_upper"]
        assert shift["gap"] == pytest.approx(shift["won"] - shift["predicted"])


def test_scores_are_those_of_the_judge(done):
    none = row(done.scores, "none")
    assert (none["score"], none["lower"], none["upper"]) == (0.5, 0.5, 0.5)  # it is compared with itself
    toward = row(done.scores, "toward")
    assert toward["score"] == pytest.approx(done.judged.query("condition == 'toward'")["score"].mean())
    assert toward["lower"] < toward["score"] < toward["upper"]
    assert done.judged["weighted"].all()
    assert not done.left_out
    assert not done.failures


def test_the_messages_ask_for_what_the_judge_likes_most_and_least(done, result):
    asked = done.responses.drop_duplicates("condition").set_index("condition")["message"]
    assert asked["none"] is None
    assert "bold" in asked["toward"]
    assert "list_items" in asked["away"].replace(" ", "_")
    assert "toward: bold" in repr(steering(result))


def test_a_judge_without_preferences_is_not_moved(world, indifferent):
    # Of ten 94% intervals 0.6 miss their 0 on average, and three or more in 2 of 100 worlds; this one is fixed
    held = []
    for judge in ("indifferent", *(f"indifferent {k}" for k in range(2, 6))):
        found = experiment(world, indifferent, judge=judge, prompts=PROMPTS[:100])
        for condition in ("toward", "away"):
            shift = row(found.shifts, condition)
            assert shift["predicted_lower"] < 0 < shift["predicted_upper"]
            held.append(shift["shift_lower"] < 0 < shift["shift_upper"])
    assert sum(held) >= 8


def test_no_certain_properties_is_an_error_that_says_so(indifferent):
    with pytest.raises(OptionError, match=r"k=3, but judge 'indifferent' has \d prop\w+ whose .* certainly above 0"):
        steering(indifferent, k=3, certain=True).message("all", "toward")


def test_one_response_at_a_time(world, result):
    found = experiment(world, result, scoring="single")
    toward, away = row(found.shifts, "toward"), row(found.shifts, "away")
    assert toward["shift_lower"] > 0 > away["shift_upper"]
    assert found.scores["score"].between(1, 10).all()
    assert "controlled" not in found.scores


def test_a_baseline_of_ones_own_and_scenarios(world, result):
    table = pd.DataFrame({"instruction": PROMPTS[:20], "output": ["River stone."] * 20, "dataset": ["all"] * 20})
    found = experiment(world, result, prompts=table)
    assert set(found.responses["baseline"]) == {"River stone."}
    assert row(found.scores, "none")["score"] != 0.5
    with pytest.raises(UnknownNameError, match="no fit of judge 'judge' in scenario 'Code'"):
        experiment(world, result, prompts=PROMPTS, scenario="Code")


def test_it_goes_on_where_it_was(world, result, tmp_path):
    options = {"prompts": PROMPTS[:12], "replies": tmp_path / "r.sqlite"}
    with pytest.warns(PrefDissectWarning, match="were not asked .the limit of 50 calls"):
        part = experiment(world, result, limit=50, **options)
    assert 0 < len(part.judged) < 36
    assert part.left_out == (("not judged under all conditions", 12 - len(part.judged) // 3),)
    before = len(world.log)
    whole = experiment(world, result, **options)
    asked = len(world.log) - before
    assert len(whole.judged) == 36
    assert asked + 50 == 12 * 3 + sum(u.kept for u in part.use) + 2 * (whole.judged["score"] != 0.5).sum()
    assert sum(use.calls for use in whole.use) == asked


def test_a_generator_that_returns_nothing(world, result):
    with pytest.raises(DataError, match="no prompt was judged.*18 responses failed, the first: the reply is empty"):
        experiment(world, result, generator="mute", prompts=PROMPTS[:6])


def test_responses_that_fail_are_left_out_and_counted(result):
    faults, told = {2: refused(400, "not that one")}, "1 responses or judgements failed"
    with served(answer, faults=faults) as server, pytest.warns(PrefDissectWarning, match=told):
        found = experiment(server, result, prompts=PROMPTS[:10], concurrency=1)
    assert found.left_out == (("a response is missing", 1),)
    assert found.failures[0].reason.endswith("not that one")
    assert row(found.scores, "toward")["n"] == 9


def test_an_estimate_asks_nothing_and_is_near(world, result, done):
    before = len(world.log)
    writing, judging = estimate_experiment(
        PROMPTS,
        ChatGenerator("writer", base_url=world.url),
        pdx.ChatJudge("judge", base_url=world.url),
        steering(result),
    )
    assert len(world.log) == before
    assert writing.calls == done.use[0].calls == 3 * N_PROMPTS
    assert judging.calls == 4 * N_PROMPTS  # `none` is compared with itself
    assert done.use[1].calls <= judging.calls


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"conditions": ("toward",)}, "must be 'none' and at least one more"),
        ({"conditions": ("none", "up")}, "conditions='up' is not an option"),
        ({"scoring": "elo"}, "scoring='elo' is not an option"),
        ({"interval": 94}, "interval=94"),
        ({"prompts": [""]}, "prompt 0 is '', which is no text"),
        ({"prompts": []}, "there are no prompts"),
        ({"prompts": pd.DataFrame({"text": ["a"]})}, "no column of prompts"),
    ],
)
def test_bad_input(world, result, options, told):
    with pytest.raises(pdx.PrefDissectError, match=told):
        experiment(world, result, **options)


def test_a_judge_of_the_other_way_is_refused(world, result):
    judge = pdx.ChatJudge("judge", base_url=world.url, way="score")
    with pytest.raises(OptionError, match="scoring='pairwise' needs a judge with a way that compares"):
        run_experiment(PROMPTS, ChatGenerator("writer", base_url=world.url), judge, steering(result), replies=None)


def test_length_control_against_a_brute_force_twin():
    from scipy.optimize import minimize

    rng = np.random.default_rng(1)
    won, longer_by = rng.random(60), rng.normal(30, 80, 60)
    counts = rng.multinomial(60, np.full(60, 1 / 60), size=2)
    z = np.tanh(longer_by / longer_by.std())

    def loss(beta, weight):
        t = beta[0] + beta[1] * z
        return float(np.sum(weight * (np.logaddexp(0, t) - won * t)) + 0.5e-3 * beta @ beta)

    for at, weight in enumerate(counts):
        best = minimize(loss, np.zeros(2), args=(weight,), tol=1e-12).x[0]
        assert length_controlled(won, longer_by, counts)[at] == pytest.approx(1 / (1 + np.exp(-best)), abs=1e-5)


def test_length_control_holds_where_all_is_won_or_all_lengths_are_equal():
    assert length_controlled(np.ones(10), np.arange(10.0))[0] > 0.9
    assert length_controlled(np.full(10, 0.3), np.zeros(10))[0] == pytest.approx(0.3, abs=1e-3)
