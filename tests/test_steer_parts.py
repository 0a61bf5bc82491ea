"""The parts of an experiment: prompts, messages of several scenarios, what is predicted, tables, the figure."""

import json
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from huggingface_hub import constants

import prefdissect as pdx
from planted_world import FEATURES, WEIGHTS, answer, log_odds, pairs, write
from prefdissect.audit import Steering, run_experiment
from prefdissect.audit.expected import expected_by_condition, rate_texts
from prefdissect.audit.experiment_tables import ALL_PROMPTS, experiment_tables
from prefdissect.audit.generating import ChatGenerator
from prefdissect.audit.length_control import length_controlled
from prefdissect.audit.trials import Trial, plan_trials
from prefdissect.errors import DataError, OptionError, TooFewPairsError, UnknownNameError
from served import Answer, served

pytestmark = pytest.mark.lane("newer")

KINDS = ("none", "toward", "away")


def study(n=240):
    """Return pairs in two scenarios and a case, judged by the planted weights; `thin` has too few pairs for a fit."""
    table = pairs(n).assign(scenario=np.where(np.arange(n) < 4, "thin", np.where(np.arange(n) % 2, "odd", "even")))
    ahead = [
        log_odds(*row, WEIGHTS) > 0 for row in table[["prompt", "response_a", "response_b"]].itertuples(index=False)
    ]
    table["judge_me"] = np.where(ahead, "A", "B")
    return table.assign(late=np.arange(n) > n / 2)


@pytest.fixture(scope="module")
def result():
    data = pdx.load(study(), schema=pdx.TEXT.select(FEATURES), cases=["late"])
    data = pdx.measure_text(data, properties=list(FEATURES), n_jobs=1, progress=False)
    return pdx.dissect(data, by="both", engine="ep", min_pairs=20, random_seed=0)


@pytest.fixture(scope="module")
def steering(result):
    return result.steering(k=1)


# Prompts


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))

    def put(repo, name, rows):
        folder = tmp_path / f"datasets--{repo.replace('/', '--')}"
        snapshot = folder / "snapshots" / ("0" * 40)
        snapshot.mkdir(parents=True)
        (folder / "refs").mkdir()
        (folder / "refs" / "main").write_text("0" * 40)
        table = pd.DataFrame(rows)
        write = {"json": lambda p: p.write_text(json.dumps(rows)), "parquet": table.to_parquet}
        write[name.rpartition(".")[2]](snapshot / name)

    return put


def test_alpaca_eval_is_that_of_version_2_whose_baseline_is_gpt_4_turbo(cache):
    rows = [
        {"instruction": f"Do {i}", "output": f"Done {i}", "generator": "gpt4", "dataset": "koala"} for i in range(3)
    ]
    old = [{**row, "output": "old"} for row in rows]
    cache("tatsu-lab/alpaca_eval", "alpaca_eval_gpt4_baseline.json", rows)
    (folder,) = Path(constants.HF_HUB_CACHE).glob("datasets--*/snapshots/*")
    (folder / "alpaca_eval.json").write_text(json.dumps(old))
    found = pdx.load_prompts("alpaca_eval")
    assert found["baseline"].tolist() == ["Done 0", "Done 1", "Done 2"]
    assert found["scenario"].tolist() == ["koala"] * 3


def test_mt_bench_gives_first_turns(cache):
    rows = [{"prompt": [f"First {i}", "then"], "category": "math", "prompt_id": 81 + i} for i in range(2)]
    cache("HuggingFaceH4/mt_bench_prompts", "train-00000-of-00001.parquet", rows)
    found = pdx.load_prompts("mt_bench")
    assert found["prompt"].tolist() == ["First 0", "First 1"]
    assert found.index.tolist() == ["81", "82"]
    assert "baseline" not in found


def test_local_files_and_columns_of_tables_are_prompts(tmp_path):
    rows = [{"question_id": 81, "category": "writing", "turns": ["Write.", "Again."]}]
    (tmp_path / "question.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = pdx.load_prompts(tmp_path / "question.jsonl")
    assert found.reset_index().to_dict("records") == [{"prompt_id": "81", "prompt": "Write.", "scenario": "writing"}]
    assert pdx.load_prompts(pd.Series(["a", "b"]))["prompt"].tolist() == ["a", "b"]


def test_prompts_are_sorted_into_scenarios_by_asking():
    def sort(body):
        prompt = body["messages"][-1]["content"]
        return json.dumps({"scenario": 2 if "cook" in prompt else 1})

    kinds = {"facts": "Asks what is so.", "help": "Asks for something to be done."}
    prompts = pd.DataFrame({"prompt": ["Why?", "Please cook"], "baseline": ["a", "b"]}, index=[7, 8])
    with served(sort) as server:
        found = pdx.sort_prompts(prompts, "sorter", scenarios=kinds, base_url=server.url, replies=None, progress=False)
    assert found["scenario"].tolist() == ["facts", "help"]
    assert found["baseline"].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("column", "cells"), [("baseline", ["b", None]), ("scenario", ["odd", None]), ("scenario", ["odd", np.nan])]
)
def test_a_gap_in_a_column_is_an_error_and_not_a_guess(steering, column, cells):
    table = pdx.load_prompts(pd.DataFrame({"prompt": ["x", "y"], "scenario": ["odd", "even"], column: cells}))
    with pytest.raises(DataError, match=rf"prompt '1' has {column} .*, which is no text, and others have one"):
        plan_trials(table, steering, KINDS, "pairwise", None)
    if column == "baseline":  # of no use where each response is judged alone
        assert len(plan_trials(table, steering, KINDS, "single", None)) == 6


# Messages


def test_each_prompt_gets_the_message_of_its_scenario_and_a_case_may_be_named(result, steering):
    table = pdx.load_prompts(pd.DataFrame({"prompt": ["x", "y"], "scenario": ["odd", "even"]}))
    trials = plan_trials(table, steering, KINDS, "pairwise", None)
    for trial in trials:
        expected = (
            None
            if trial.condition == "none"
            else result.steering_message(trial.scenario, k=1, direction=trial.condition)
        )
        assert trial.message == (None if expected is None else expected.text)
    assert {t.scenario for t in plan_trials(table, steering, KINDS, "pairwise", "late")} == {"late"}
    with pytest.raises(UnknownNameError, match=r"no fit of judge 'me' in scenario 'thin'"):
        plan_trials(table, steering, KINDS, "pairwise", "thin")
    with pytest.raises(OptionError, match="sort_prompts tells which each belongs to"):
        plan_trials(table.drop(columns="scenario"), steering, KINDS, "pairwise", None)


def test_a_judge_without_any_fit_is_said_to_have_none(result):
    empty = Steering(result.design, replace(result.fitted, fits={}), "me")
    with pytest.raises(TooFewPairsError, match="judge 'me' has no fit in any group"):
        plan_trials(pdx.load_prompts(["x"]), empty, KINDS, "pairwise", None)


def test_a_message_that_works_against_itself_is_remarked(result):
    (toward, away) = result.steering(k=4).remarks(["odd"], KINDS)
    disliked = {name for name, weight in zip(FEATURES, WEIGHTS, strict=True) if weight < 0}
    assert toward.startswith("toward asks for what has a weight below 0: ")
    assert all(name in toward for name in disliked)
    assert away.startswith("away asks for what has a weight above 0: ")
    assert result.steering(k=1).remarks(["odd"], KINDS) == []


@pytest.mark.parametrize(("direction", "sign", "side"), [("toward", "liked", "above"), ("away", "disliked", "below")])
def test_what_the_fit_is_not_sure_of_is_named(direction, sign, side):
    schema = pdx.PAPER.select(["clear", "lengthy", "funny"])
    truth = {"clear": 1.5, "lengthy": -1.5}
    study = pdx.simulate(400, schema=schema, judges=["me"], scenarios=None, weights=truth, random_seed=0)
    result = pdx.dissect(study.data, engine="ep", random_seed=0)
    message = result.steering_message("all", k=3, direction=direction)
    assert message.doubtful == ["funny", "lengthy" if direction == "toward" else "clear"]
    assert f"not surely {sign} (the interval is not all {side} 0): funny, " in repr(message)
    certain = result.steering_message("all", k=1, direction=direction, certain=True)
    assert certain.doubtful == []
    assert "not surely" not in repr(certain)


def test_a_steering_can_be_looked_at_where_a_message_is_lacking(result):
    assert "no message, as fewer than 4 are certain" in repr(result.steering(k=4, certain=True))
    assert "no message, as fewer than 9 are there" in repr(result.steering(k=9))


def test_a_property_without_description_is_asked_for_by_name():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({f"wit_{side}": rng.normal(size=60) for side in "ab"})
    table["judge_me"] = np.where(table["wit_a"] > table["wit_b"], "A", "B")
    message = pdx.dissect(table, engine="ep", random_seed=0).steering_message("all", k=1)
    assert "\n- plenty of wit\n" in message.text


# What is predicted


def trials_of(n=12):
    found = []
    for i in range(n):
        base = write(f"p{i}", "", "1")
        texts = {"none": base, "toward": write(f"p{i}", "bold", "2"), "away": write(f"p{i}", "list items", "3")}
        found += [
            Trial(str(i), ("odd", "even")[i % 2], c, f"p{i}", None, response=texts[c], baseline=base) for c in KINDS
        ]
    return found


def test_predicted_chances_are_those_of_predict_and_equal_texts_are_not_rated(result, steering):
    trials, asked = trials_of(), []
    rate = rate_texts(steering)

    def counted(table):
        asked.append(table)
        return rate(table)

    found = expected_by_condition(steering, trials, counted)
    assert [len(table) for table in asked] == [sum(t.response != t.baseline for t in trials)]
    assert (found["none"] == 0.5).all()
    moved = [t for t in trials if t.condition == "toward"]
    table = pd.DataFrame(
        {
            "pair_id": [t.prompt_id for t in moved],
            "prompt": [t.prompt for t in moved],
            "response_a": [t.response for t in moved],
            "response_b": [t.baseline for t in moved],
        }
    )
    data = pdx.measure_text(table, properties=list(FEATURES), n_jobs=1, progress=False)
    x = result.design.encoder.encode(data)
    for at, trial in enumerate(moved):  # at posterior mean weights, as everywhere
        weights = result.fitted.fits["me", trial.scenario].mean
        assert found["toward"][0, at] == pytest.approx(1 / (1 + np.exp(-x[at] @ weights)))


# Tables


def judged_of(n=14, seed=0):
    rng = np.random.default_rng(seed)
    parts = [
        pd.DataFrame(
            {
                "prompt_id": [str(i) for i in range(n)],
                "scenario": [("odd", "even")[i % 2] for i in range(n)],
                "condition": condition,
                "score": rng.random(n) if condition != "none" else 0.5,
                "won": rng.integers(0, 3, n) / 2,
                "longer_by": rng.normal(10, 20, n) if condition != "none" else 0.0,
            }
        )
        for condition in KINDS
    ]
    return pd.concat(parts, ignore_index=True)


def test_tables_against_a_brute_force_twin():
    judged, rng = judged_of(), np.random.default_rng(3)
    n, draws = 14, 30
    expected = {c: rng.random((1 + draws, n)) for c in KINDS}
    expected["toward"][:, 4] = np.nan
    scores, shifts = experiment_tables(judged, expected, interval=0.8, resamples=4000, rng=rng)
    assert list(dict.fromkeys(shifts["group"])) == ["odd", "even", ALL_PROMPTS]
    for row in shifts.to_dict("records"):
        own = judged if row["group"] == ALL_PROMPTS else judged[judged["scenario"] == row["group"]]
        none, some = (own[own["condition"] == c].set_index("prompt_id") for c in ("none", row["condition"]))
        change = some["score"] - none["score"]
        assert row["shift"] == pytest.approx(change.mean())
        # the bounds of a mean of resampled prompts: near those of the normal law, 1.28 standard errors for 80%
        wide = 1.2816 * change.std(ddof=0) / np.sqrt(len(change))
        assert row["shift_upper"] - row["shift_lower"] == pytest.approx(2 * wide, rel=0.15)
        assert row["won"] == pytest.approx((some["won"] - none["won"]).mean())
        controlled = length_controlled(some["score"].to_numpy(), some["longer_by"].to_numpy())[0] - 0.5
        assert row["controlled"] == pytest.approx(controlled, abs=1e-4)
        at = [int(name) for name in some.index]
        predicted = (expected[row["condition"]] - expected["none"])[:, at]
        known = np.isfinite(predicted[0])
        assert row["n_predicted"] == known.sum()
        assert row["predicted"] == pytest.approx(predicted[0, known].mean())
        bounds = np.quantile(predicted[1:, known].mean(axis=1), [0.1, 0.9])
        assert [row["predicted_lower"], row["predicted_upper"]] == pytest.approx(bounds)
        won = (some["won"] - none["won"]).to_numpy()[known]
        assert row["gap"] == pytest.approx(won.mean() - predicted[0, known].mean())
    toward = scores[(scores["condition"] == "toward") & (scores["group"] == ALL_PROMPTS)].iloc[0]
    assert toward["score"] == pytest.approx(judged.loc[judged["condition"] == "toward", "score"].mean())
    assert toward["lower"] < toward["score"] < toward["upper"]


def test_intervals_of_shifts_are_paired():
    judged = judged_of(60)
    judged["score"] = np.tile(np.random.default_rng(0).random(60), 3) + np.repeat([0.0, 0.1, -0.1], 60)
    _, shifts = experiment_tables(judged, None, interval=0.94, resamples=200, rng=np.random.default_rng(0))
    # all prompts shift by as much, so resampling them changes nothing, however much scores differ
    assert np.allclose(shifts["shift_upper"] - shifts["shift_lower"], 0)
    assert "predicted" not in shifts


def test_one_prompt_has_no_interval():
    one = judged_of(1)
    scores, shifts = experiment_tables(one, None, interval=0.94, resamples=200, rng=np.random.default_rng(0))
    assert scores[["lower", "upper"]].isna().all(axis=None)
    assert shifts["shift"].notna().all()


# Judges and writers who do less than one would like


def small(server, steering, model="writer", **options):
    table = pd.DataFrame({"prompt": [f"Of {i}" for i in range(6)], "scenario": ["odd", "even"] * 3})
    return run_experiment(
        table,
        ChatGenerator(model, base_url=server.url, max_tokens=options.pop("max_tokens", 2048)),
        pdx.ChatJudge("judge", base_url=server.url),
        steering,
        replies=None,
        progress=False,
        resamples=100,
        **options,
    )


@pytest.fixture(scope="module")
def silent(steering):
    """Return an experiment with a judge that gives no log-probabilities."""

    def bare(body):
        said = answer(body)
        return said.text if body["model"] == "judge" else said

    with served(bare) as server:
        return small(server, steering)


def test_a_judge_without_log_probabilities_is_taken_by_its_verdict_and_that_is_said(silent):
    own = silent.judged[silent.judged["score"] != 0.5]
    assert own["score"].isin([0.0, 1.0]).all()
    assert not own["weighted"].any()
    assert any(
        note == f"{(~silent.judged['weighted']).sum()} of 18 scores are by the verdict alone: "
        "the judge gave no log-probabilities"
        for note in silent.notes
    )


def test_scenarios_and_all_prompts_have_rows(silent):
    assert list(dict.fromkeys(silent.shifts["group"])) == ["odd", "even", ALL_PROMPTS]
    assert silent.shifts.set_index("group").loc[ALL_PROMPTS, "n"].tolist() == [6, 6]
    assert "compared with what the model writes unasked" in silent.notes
    assert "intervals are too narrow where there are fewer than 20 prompts: odd (3), even (3)" in silent.notes


def test_shifts_are_drawn_as_they_stand(silent):
    ax = silent.plot()
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["toward, observed", "toward, predicted", "away, observed", "away, predicted"]
    first = ax.get_lines()[1].get_xdata()
    rows = silent.shifts[silent.shifts["condition"] == "toward"]
    assert np.allclose(np.asarray(first, dtype=float), 100 * rows["won"])
    plt.close(ax.figure)


def test_responses_that_were_cut_off_are_kept_and_counted(steering):
    def cut(body):
        said = answer(body)
        if body["model"] != "writer" or any(m["role"] == "system" for m in body["messages"]):
            return said
        return Answer(said, finish_reason="length")

    with served(cut) as server:
        found = small(server, steering)
    assert found.responses.groupby("condition")["cut"].sum().to_dict() == {"away": 0, "none": 6, "toward": 0}
    assert "6 of 18 responses were cut off at the most tokens that they may have" in found.notes
    assert len(found.judged) == 18


def test_a_limit_that_stops_all_says_how_to_go_on(steering):
    with (
        served(answer) as server,
        pytest.raises(DataError, match="10 calls is reached; raise it and call again"),
    ):
        small(server, steering, limit=10)


def test_rules_judge_but_have_no_cost(steering):
    judge = pdx.RuleJudge("longest")
    table = pd.DataFrame({"prompt": ["Of 1", "Of 2"], "scenario": ["odd", "even"]})
    with served(answer) as server:
        writer = ChatGenerator("writer", base_url=server.url)
        found = run_experiment(table, writer, judge, steering, replies=None, progress=False, resamples=100)
        assert {seen.body["model"] for seen in server.log} == {"writer"}
    assert found.judged["won"].isin([0.0, 0.5, 1.0]).all()
    assert found.use[1] is None
    with pytest.raises(OptionError, match="is not behind a server, so there is no cost of it to estimate"):
        pdx.estimate_experiment(table, writer, judge, steering, replies=None)
