"""Pairs to train on: the counting rule, exact mirrors, nothing lost, files that say what they are."""

from __future__ import annotations

import contextlib
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import prefdissect as pdx
from prefdissect import errors
from prefdissect.cli import app

pytestmark = pytest.mark.lane("oldest")

PROPERTIES = ["lengthy", "clear", "polite"]
SCHEMA = pdx.PAPER.select(PROPERTIES)


def with_texts(data: pdx.PreferenceData) -> pdx.PreferenceData:
    """Return simulated pairs with texts, each response named in its own."""
    pairs = data.pairs
    texts = {
        "prompt": "About " + pairs["prompt_id"],
        "response_a": "This is " + pairs["response_id_a"],
        "response_b": "This is " + pairs["response_id_b"],
    }
    return replace(data, pairs=pairs.assign(**texts))


def fit_of(data: pdx.PreferenceData, **options: object) -> pdx.Dissection:
    return pdx.dissect(data, **{"position": False, "engine": "ep", "draws": 200, "random_seed": 0, **options})


def reweighted(result: pdx.Dissection, weights: dict[str, list[float]]) -> pdx.Dissection:
    """Return a dissection of one judge whose posterior means are these, group by group."""
    fits = {
        (judge, group): replace(fit, mean=np.array(weights[group], dtype=float))
        for (judge, group), fit in result.fitted.fits.items()
    }
    return replace(result, fitted=replace(result.fitted, fits=fits))


@pytest.fixture(scope="module")
def study() -> pdx.Dissection:
    """Return two judges of 300 pairs in two scenarios."""
    made = pdx.simulate(
        300, schema=SCHEMA, judges=["me", "you"], scenarios=["Code", "Advice"], scale=0.8, random_seed=0
    )
    return fit_of(with_texts(made.data))


@pytest.fixture(scope="module")
def saved(study: pdx.Dissection, tmp_path_factory: pytest.TempPathFactory) -> pdx.Dissection:
    """Return the same, as a file without texts gives it back."""
    return pdx.Dissection.load(study.save(tmp_path_factory.mktemp("saved") / "run.nc"))


# The counting rule: pairs with a predicted probability within 50% +- 15% are left out


def test_the_papers_rule_on_a_study_of_the_papers_size() -> None:
    """Twin: each pair by hand, from the table of weights. The paper keeps 4,022 and 3,991 of 5,240 pairs."""
    data = with_texts(pdx.simulate(5240, judges=["me"], scale=0.3, random_seed=3).data)
    result = fit_of(data)
    pairs = result.preference_pairs()
    weights = result.weights.set_index(["group", "property"])["mean"].to_dict()
    x, scenarios = result.design.encoder.encode(data), [g for g in result.groups if data.group_kinds[g] == "scenario"]
    kept, within = {}, dict.fromkeys(scenarios, 0)
    responses = {side: data.pairs[f"response_{side}"].tolist() for side in "ab"}
    inside = data.groups[scenarios].to_numpy()
    for i, pair in enumerate(data.pairs.index):
        (group,) = [g for g, holds in zip(scenarios, inside[i], strict=True) if holds]
        log_odds = math.fsum(weights[group, name] * x[i, k] for k, name in enumerate(data.properties))
        probability = 1 / (1 + math.exp(-log_odds))
        if 0.35 <= probability <= 0.65:
            within[group] += 1
        else:
            first = "a" if probability > 0.5 else "b"
            kept[pair] = (group, probability, responses[first][i])
    assert 1000 < len(kept) < 5000  # the rule has something to do on both sides
    assert pairs.table["pair_id"].tolist() == list(kept)
    assert pairs.table["group"].tolist() == [row[0] for row in kept.values()]
    np.testing.assert_allclose(pairs.table["probability"], [row[1] for row in kept.values()], rtol=1e-12)
    assert pairs.table["chosen"].tolist() == [row[2] for row in kept.values()]
    assert pairs.left_out.set_index("group")["n"].to_dict() == {g: n for g, n in within.items() if n}
    assert set(pairs.left_out["reason"]) == {"within 50% ± 15%"}
    predicted = result.predict(data).set_index("pair_id")["probability"]
    assert set(pairs.table["pair_id"]) == set(predicted.index[(predicted - 0.5).abs() > 0.15])


@pytest.mark.parametrize(
    ("margin", "kept"),
    [
        (0.0, "abcd"),  # sigmoid(1) = .731, sigmoid(.5) = .622, sigmoid(1.5) = .818, sigmoid(1 - .5) = .622, 1/2
        (0.12, "abcd"),
        (0.13, "ac"),
        (0.23, "ac"),
        (0.24, "c"),
        (0.31, "c"),
    ],
)
def test_margins_by_hand(margin: float, kept: str) -> None:
    """Weights 1 and 1/2; five pairs that differ in the first, the second, both, against each other, and not at all."""
    a = {"p": [1, 0, 1, 1, 0], "q": [0, 1, 1, 0, 0]}
    b = {"p": [0, 0, 0, 0, 0], "q": [0, 0, 0, 1, 0]}
    table = pd.DataFrame({f"{k}_{s}": v for s, side in (("a", a), ("b", b)) for k, v in side.items()})
    table = table.assign(pair_id=list("abcde"), prompt="?", response_a="yes", response_b="no", judge_me="A")
    result = reweighted(fit_of(pdx.load(table), min_pairs=1), {"all": [1.0, 0.5]})
    pairs = result.preference_pairs(margin=margin)
    assert "".join(pairs.table["pair_id"]) == kept
    assert (pairs.table["chosen"] == "yes").all()
    assert len(pairs) + pairs.left_out["n"].sum() == 5


def test_labels_are_those_of_the_true_weights_and_of_the_judge() -> None:
    """4,000 pairs, weights known: no sum of them is within 0.3 of the margin (log-odds 0.62), and sds are about 0.06.

    So the fit keeps the pairs that the truth does, and on the same side.

    The judge agrees with as many labels as the probabilities say, within 4 standard deviations of that count.
    """
    truth = {"lengthy": 1.2, "clear": -1.0, "polite": 0.1}
    made = pdx.simulate(4000, schema=SCHEMA, judges=["me"], scenarios=None, weights=truth, random_seed=1)
    result = fit_of(with_texts(made.data))
    pairs = result.preference_pairs()
    x = pd.DataFrame(result.design.encoder.encode(made.data), index=made.data.pairs.index)
    true_log_odds = x @ np.array([truth[name] for name in made.data.properties])
    by_truth = true_log_odds[true_log_odds.abs() > math.log(0.65 / 0.35)]
    assert set(pairs.table["pair_id"]) == set(by_truth.index)
    signs = np.sign(true_log_odds[pairs.table["pair_id"]].to_numpy())
    assert (signs == np.where(pairs.table["side"] == "A", 1, -1)).all()
    sure = np.maximum(pairs.table["probability"], 1 - pairs.table["probability"])
    agreed = (pairs.table["label"] > 0.5) == (pairs.table["probability"] > 0.5)
    assert abs(agreed.sum() - sure.sum()) < 4 * math.sqrt((sure * (1 - sure)).sum())


def test_the_share_of_draws_is_that_of_the_posterior(study: pdx.Dissection) -> None:
    pairs = study.preference_pairs(judge="me", margin=0.0)
    row = pairs.table.sort_values("prob_side").iloc[0]
    fit = study.fitted.fits["me", row["group"]]
    x = study.design.encoder.encode(study.data)[study.data.pairs.index.get_loc(row["pair_id"])]
    draws = fit.draws.reshape(-1, 3).astype(float) @ x
    share = (draws > 0).mean() if row["probability"] > 0.5 else (draws < 0).mean()
    assert row["prob_side"] == pytest.approx(
        share, abs=0.07
    )  # of 500 draws of 800: sd 0.022 x sqrt(3/8), three of them
    assert pairs.table["prob_side"].between(0, 1).all()


def test_more_and_less_count_what_chosen_responses_have(study: pdx.Dissection) -> None:
    pairs = study.preference_pairs(judge="me", margin=0.05)
    x = pd.DataFrame(study.design.encoder.encode(study.data), index=study.data.pairs.index)
    signed = x.loc[pairs.table["pair_id"]].mul(np.where(pairs.table["side"] == "A", 1, -1), axis=0)
    assert pairs.differences["more"].tolist() == (signed > 0).sum().tolist()
    assert pairs.differences["less"].tolist() == (signed < 0).sum().tolist()


# Exact mirrors, whatever the data


RATINGS = st.lists(st.tuples(*[st.sampled_from([0.0, 1.0, 2.0])] * 4), min_size=3, max_size=12)


def table_of(ratings: list[tuple[float, ...]], swapped: bool = False) -> pd.DataFrame:
    """Return pairs with two rated properties and a scenario; `swapped` exchanges A and B."""
    p_a, p_b, q_a, q_b = np.array(ratings).T
    sides = ("b", "a") if swapped else ("a", "b")
    n = range(len(ratings))
    columns = {f"p_{sides[0]}": p_a, f"p_{sides[1]}": p_b, f"q_{sides[0]}": q_a, f"q_{sides[1]}": q_b}
    columns |= {f"response_{sides[0]}": [f"one {i}" for i in n], f"response_{sides[1]}": [f"other {i}" for i in n]}
    names = {"pair_id": [f"new-{i}" for i in n], "scenario": ["x", "y", "z"] * 4, "prompt": [f"say {i}" for i in n]}
    return pd.DataFrame(columns | {k: v[: len(ratings)] for k, v in names.items()})


@pytest.fixture(scope="module")
def two_properties() -> pdx.Dissection:
    """Return a judge with a fit in scenarios x and y, and none in z."""
    rng = np.random.default_rng(0)
    table = table_of([tuple(row) for row in rng.integers(0, 3, (12, 4)).astype(float)])
    rows = pd.concat([table] * 5, ignore_index=True).assign(judge_me=["A", "B"] * 30)
    rows = rows[(rows["scenario"] != "z") | (rows.index < 12)].assign(
        pair_id=lambda t: [f"p{i}" for i in range(len(t))]
    )
    return fit_of(pdx.load(rows))


def rows_of(pairs: pdx.PreferencePairs, path: Path, form: str) -> list[dict]:
    return [json.loads(line) for line in pairs.to_file(path, form=form).read_text(encoding="utf-8").splitlines()]


@settings(max_examples=25)
@given(
    ratings=RATINGS,
    weights=st.lists(st.floats(-3, 3), min_size=4, max_size=4),
    margin=st.floats(0, 0.45),
    form=st.sampled_from(["standard", "conversational"]),
)
def test_mirrors(two_properties, tmp_path_factory, ratings, weights, margin, form) -> None:
    result = reweighted(two_properties, {"x": weights[:2], "y": weights[2:]})
    data = pdx.load(table_of(ratings))
    decided = result.predict(data)["probability"].dropna()
    if not ((decided - 0.5).abs() > margin + 1e-12).any():
        with contextlib.suppress(errors.DataError):  # rounding may leave one that is on the margin
            assert len(result.preference_pairs(data, margin=margin)) > 0
        return
    toward = result.preference_pairs(data, margin=margin)
    away = result.preference_pairs(data, margin=margin, direction="away")
    assert len(toward) + toward.left_out["n"].sum() == len(ratings)
    # away is toward with chosen and rejected exchanged, and nothing else
    exchanged = toward.table.rename(columns={"chosen": "rejected", "rejected": "chosen"})[toward.table.columns]
    exchanged["side"] = exchanged["side"].map({"A": "B", "B": "A"}).astype("str")
    pd.testing.assert_frame_equal(away.table, exchanged, check_exact=True)
    pd.testing.assert_frame_equal(away.left_out, toward.left_out)
    assert away.differences["more"].equals(toward.differences["less"].rename("more"))
    pd.testing.assert_frame_equal(away.inverted().table, toward.table, check_exact=True)
    folder = tmp_path_factory.mktemp("mirror")
    one, other = rows_of(toward, folder / "a.jsonl", form), rows_of(away, folder / "b.jsonl", form)
    for x, y in zip(one, other, strict=True):
        assert (x["prompt"], x["chosen"], x["rejected"]) == (y["prompt"], y["rejected"], y["chosen"])
        assert x["probability_chosen"] > 0.5 + margin - 1e-12
        assert x["probability_chosen"] + y["probability_chosen"] == pytest.approx(1, abs=1e-15)
    # what is called A does not matter
    swapped = result.preference_pairs(pdx.load(table_of(ratings, swapped=True)), margin=margin)
    pd.testing.assert_frame_equal(
        swapped.table[["pair_id", "group", "prob_side", "prompt", "chosen", "rejected"]],
        toward.table[["pair_id", "group", "prob_side", "prompt", "chosen", "rejected"]],
        check_exact=True,
    )
    np.testing.assert_allclose(swapped.table["probability"], 1 - toward.table["probability"], atol=1e-15)


# Nothing is lost


def test_each_pair_left_out_is_counted_once_with_its_reason() -> None:
    n = 40
    table = pd.DataFrame(
        {
            "prompt": [f"say {i}" for i in range(n)],
            "response_a": [f"a {i}" for i in range(n)],
            "response_b": [f"b {i}" for i in range(n)],
            "scenario": ["big"] * 34 + ["thin"] * 4 + [None] * 2,
            "p_a": [1.0] * n,
            "p_b": [0.0] * n,
            "judge_me": ["A"] * n,
        }
    )
    table.loc[0, "p_a"] = np.nan
    table.loc[1, "response_a"] = " "
    table.loc[2, "response_b"] = table.loc[2, "response_a"]
    table.loc[3, "prompt"] = None
    table.loc[4, ["response_a", "response_b"]] = None
    table.loc[5, "p_a"] = 0.0
    table.loc[6, "judge_me"] = None  # no verdict: labelled all the same
    pairs = reweighted(fit_of(pdx.load(table)), {"big": [2.0]}).preference_pairs()
    assert pairs.left_out.to_dict("list") == {
        "group": ["big"] * 5 + ["thin", "(none)"],
        "reason": [
            "empty response",
            "no rating of p",
            "identical responses",
            "no prompt",
            "within 50% ± 15%",
            "no fit: too few pairs",
            "in no fitted group",
        ],
        "n": [2, 1, 1, 1, 1, 4, 2],
    }
    assert len(pairs) == 28
    assert "pair-6" in pairs.table["pair_id"].tolist()
    assert np.isnan(pairs.table.set_index("pair_id").loc["pair-6", "label"])
    for word in ("28 of 40 pairs", "toward 'me'", "50% ± 15%", "28 A, 0 B", "no fit: too few pairs"):
        assert word in repr(pairs)
    assert "&lt;PreferencePairs" in pairs._repr_html_()


def test_a_scenario_can_be_chosen(study: pdx.Dissection) -> None:
    every = study.preference_pairs(judge="me", margin=0.02)
    one = study.preference_pairs(judge="me", margin=0.02, scenario="Code")
    both = study.preference_pairs(judge="me", margin=0.02, scenario=["Advice", "Code"])
    expected = every.table[every.table["group"] == "Code"].reset_index(drop=True)
    pd.testing.assert_frame_equal(one.table, expected)
    pd.testing.assert_frame_equal(both.table, every.table)
    assert one.left_out.set_index("reason")["n"]["in no group of scenario="] == 150


def test_cases_overlap_and_so_one_must_be_named() -> None:
    made = pdx.simulate(400, judges=["me"], random_seed=0)
    data = with_texts(made.data)
    by_case = fit_of(data, by="case")
    with pytest.raises(errors.OptionError, match="cases only, which overlap; name one: 'intent_unclear'"):
        by_case.preference_pairs()
    assert set(by_case.preference_pairs(margin=0, scenario="w_constraints").table["group"]) == {"w_constraints"}
    with pytest.raises(errors.OptionError, match=r"pairs are in several of these groups, the first, 'pair-\d+', is in"):
        by_case.preference_pairs(scenario=["w_constraints", "w_stances", "intent_unclear"])
    both = fit_of(data, by="both").preference_pairs(margin=0)
    assert set(both.table["group"]) <= {g for g, kind in data.group_kinds.items() if kind == "scenario"}


# Texts: of the dissection, or beside it


def test_texts_are_taken_from_data_by_pair(study: pdx.Dissection, saved: pdx.Dissection) -> None:
    expected = study.preference_pairs(judge="me", margin=0.05)
    shuffled = replace(
        study.data, pairs=study.data.pairs.sample(frac=1, random_state=0), ratings=study.data.ratings * 0
    )
    found = saved.preference_pairs(shuffled, "me", margin=0.05)
    pd.testing.assert_frame_equal(found.table, expected.table)  # the ratings are those that were fitted
    assert expected.made["texts"] == "of the pairs that were dissected"
    assert found.made["texts"] == "from other data, by the ids of pairs, prompts and responses"
    some = replace(study.data, pairs=study.data.pairs.iloc[:100])
    part = saved.preference_pairs(some, "me", margin=0.05)
    assert part.left_out.loc[part.left_out["reason"] == "not among the pairs of data=", "n"].sum() == 200
    assert len(part) + part.left_out["n"].sum() == 300


def test_other_texts_under_the_same_ids_are_refused(study: pdx.Dissection, saved: pdx.Dissection) -> None:
    """Ids numbered by row say nothing of what a pair is: the responses do."""
    texts = study.data.pairs[["prompt", "response_a", "response_b"]].reset_index(drop=True)
    wrong = pdx.load(texts.iloc[::-1].reset_index(drop=True))
    assert list(wrong.pairs.index) == list(study.data.pairs.index)
    with pytest.raises(errors.DataError, match=r"other pairs than the dissection \(300 of 300; the first is 'pair-0'"):
        saved.preference_pairs(wrong, "me")
    unnamed = replace(study.data, pairs=study.data.pairs.assign(response_id_a=None, response_id_b=None))
    pairs = saved.preference_pairs(
        unnamed, "me", margin=0.05
    )  # nothing known speaks against them, and the card says so
    assert "of 300 by pair id alone" in pairs.made["texts"]


def test_pairs_that_were_never_seen_are_labelled_as_predicted(study: pdx.Dissection, tmp_path: Path) -> None:
    other = pdx.simulate(200, schema=SCHEMA, judges=["nobody"], scenarios=["Code", "Other"], random_seed=5).data
    pairs = with_texts(other).pairs.set_axis([f"new-{i}" for i in range(200)]).rename_axis("pair_id")
    data = replace(other, pairs=pairs, groups=other.groups.set_axis(pairs.index), verdicts=study.data.verdicts[:0])
    found = study.preference_pairs(data, "you", margin=0.05)
    predicted = study.sel(judge="you").predict(data).set_index("pair_id")["probability"].dropna()
    expected = predicted[(predicted - 0.5).abs() > 0.05]
    assert found.table["pair_id"].tolist() == [p for p in data.pairs.index if p in expected.index]
    np.testing.assert_allclose(found.table["probability"], expected[found.table["pair_id"]])
    assert found.table["label"].isna().all()
    assert found.made["texts"] == "of pairs that were not dissected"
    assert found.left_out.set_index("group")["n"]["(none)"] == 100  # scenario Other was never fitted
    columns = {f"{p}_{s}": data.ratings[:, i, k] for k, p in enumerate(data.properties) for i, s in enumerate("ab")}
    scenario = np.where(data.groups["Code"], "Code", "Other")
    path = tmp_path / "new.parquet"
    data.pairs.assign(**columns, scenario=scenario).reset_index().to_parquet(path)
    pd.testing.assert_frame_equal(study.preference_pairs(path, "you", margin=0.05).table, found.table)


def test_pairs_that_rate_nothing_are_measured() -> None:
    texts = ["Yes.", "Yes, and here is why: it rains, it pours, and nobody goes out."] * 30
    table = pd.DataFrame({"prompt": [f"Rain {i}?" for i in range(60)], "response_a": texts, "response_b": texts[::-1]})
    result = fit_of(table.assign(judge_me=["B", "A"] * 30))
    new = table.assign(prompt="Sun?", response_a="Oh yes.", response_b="Yes, and here is why: no clouds, all day long.")
    assert result.preference_pairs(new).table["side"].eq("B").all()


# What is asked for must make sense


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({}, errors.OptionError, "judge=None, but pairs are labelled for one judge; valid: 'me', 'you'"),
        ({"judge": ["me", "you"]}, errors.OptionError, "for one judge"),
        ({"judge": "mee"}, errors.UnknownNameError, "unknown judge 'mee'; close matches: 'me'"),
        (
            {"judge": "me", "margin": -0.1},
            errors.OptionError,
            "margin=-0.1 must be a number of at least 0 and below 0.5",
        ),
        ({"judge": "me", "margin": 0.5}, errors.OptionError, "margin=0.5"),
        ({"judge": "me", "margin": math.nan}, errors.OptionError, "margin=nan"),
        ({"judge": "me", "margin": True}, errors.OptionError, "margin=True"),
        ({"judge": "me", "margin": "15%"}, errors.OptionError, "margin='15%'"),
        ({"judge": "me", "direction": "towards"}, errors.OptionError, "close matches: 'toward'"),
        (
            {"judge": "me", "scenario": "code"},
            errors.UnknownNameError,
            "unknown scenario 'code'; close matches: 'Code'",
        ),
        ({"judge": "me", "scenario": []}, errors.OptionError, "names none"),
        ({"judge": "me", "margin": 0.49}, errors.DataError, r"no pair is left .*; a smaller margin keeps more"),
    ],
)
def test_wrong_options_are_told(study: pdx.Dissection, options: dict, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        study.preference_pairs(**options)


def test_a_scenario_without_a_fit_is_told(study: pdx.Dissection, two_properties: pdx.Dissection) -> None:
    with pytest.raises(errors.DataError, match="judge 'me' has no fit in 'z': too few pairs; it has one in: 'x', 'y'"):
        two_properties.preference_pairs(scenario=["x", "z"])


def test_missing_texts_are_told(study: pdx.Dissection, saved: pdx.Dissection) -> None:
    with pytest.raises(
        errors.DataError, match=r"lack the texts 'prompt', 'response_a', 'response_b'; .* data= \(--data"
    ):
        saved.preference_pairs(judge="me")
    unnamed = replace(study.data, pairs=study.data.pairs.rename(columns={"prompt": "question"}))
    with pytest.raises(errors.ColumnError, match=r"data= lacks the texts 'prompt'; found: .*'question'"):
        saved.preference_pairs(unnamed, "me")
    listed = replace(study.data, pairs=study.data.pairs.assign(prompt=[["a", "list"]] * 300))
    with pytest.raises(errors.ColumnError, match="column 'prompt', pair 'pair-0'"):
        saved.preference_pairs(listed, "me")


# Files


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".parquet", ".jsonl.gz"])
@pytest.mark.parametrize("form", ["standard", "conversational"])
def test_files_read_back_as_preferences(study: pdx.Dissection, tmp_path: Path, ending: str, form: str) -> None:
    pairs = study.preference_pairs(judge="me", margin=0.05)
    path = pairs.to_file(tmp_path / f"pairs{ending}", form=form)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["pairs.card.md", f"pairs{ending}"]
    again = pdx.load(path)
    assert list(again.pairs.index) == pairs.table["pair_id"].tolist()
    assert again.pairs["prompt"].tolist() == pairs.table["prompt"].tolist()
    chosen = np.where(again.labels["chosen"] == 1, again.pairs["response_a"], again.pairs["response_b"])
    assert chosen.tolist() == pairs.table["chosen"].tolist()


def test_turns_before_the_prompt_are_kept(tmp_path: Path) -> None:
    turns = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hello! What now?"},
        {"role": "user", "content": "Tell me of rain."},
    ]
    answers = [
        [{"role": "assistant", "content": text}] for text in ("It is wet, and it falls from the clouds.", "Wet.")
    ]
    source = pd.DataFrame(
        {"prompt": [turns[3:], *[turns] * 29], "chosen": [answers[0]] * 30, "rejected": [answers[1]] * 30}
    )
    pairs = fit_of(source).preference_pairs(margin=0.01)
    with pytest.raises(errors.DataError, match="have turns before the prompt, .* write form='conversational'"):
        pairs.to_file(tmp_path / "pairs.jsonl")
    assert list(tmp_path.iterdir()) == []
    rows = rows_of(pairs, tmp_path / "pairs.jsonl", "conversational")
    assert [row["prompt"] for row in rows] == source["prompt"].tolist()
    assert all((row["chosen"], row["rejected"]) == tuple(answers) for row in rows)


def test_what_a_conversation_cannot_hold_is_left_out(study: pdx.Dissection) -> None:
    said = json.dumps([{"role": "user", "content": "Hi"}])
    tool = json.dumps([{"role": "tool", "content": "42"}])
    pairs = study.data.pairs.assign(prompt_b=None, context_a=None, context_b=None).astype({"prompt_b": object})
    columns = ["prompt_b", "context_a", "context_b"]
    pairs.loc["pair-0", columns] = ["Another request", None, None]
    pairs.loc["pair-1", columns] = [None, said, None]
    pairs.loc["pair-2", columns] = [None, tool, tool]
    reasons = study.preference_pairs(replace(study.data, pairs=pairs), "me", margin=0).left_out["reason"].tolist()
    assert {"the responses answer different requests", "the turns before differ", "a turn of a tool"} <= set(reasons)
    noted = replace(study.data, pairs=study.data.pairs.assign(context="a paragraph to read"))
    with pytest.raises(errors.ColumnError, match="column 'context', pair 'pair-0': .* rename or drop the column"):
        study.preference_pairs(noted, "me")


def test_files_that_cannot_be_written_are_told(study: pdx.Dissection, tmp_path: Path) -> None:
    pairs = study.preference_pairs(judge="me", margin=0.05)
    with pytest.raises(errors.FileFormatError, match=r"valid: \.parquet, \.json, \.jsonl"):
        pairs.to_file(tmp_path / "pairs.csv")
    with pytest.raises(errors.FileFormatError, match="there is no folder"):
        pairs.to_file(tmp_path / "none" / "pairs.jsonl")
    with pytest.raises(errors.OptionError, match="form='chat' is not an option"):
        pairs.to_file(tmp_path / "pairs.jsonl", form="chat")
    half = replace(pairs, table=pairs.table.assign(prompt=pd.Series(["half: \ud83d"] * len(pairs), dtype=object)))
    with pytest.raises(errors.DataError, match="cannot hold these cells"):
        half.to_file(tmp_path / "pairs.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_the_card_says_what_the_file_is(study: pdx.Dissection, tmp_path: Path) -> None:
    named = replace(
        study.data,
        verdicts=study.data.verdicts.assign(judge=study.data.verdicts["judge"].cat.rename_categories({"me": "m|e"})),
    )
    result = fit_of(named)
    pairs = result.preference_pairs(judge="m|e", margin=0.05, direction="away")
    card = (pairs.to_file(tmp_path / "away.jsonl").parent / "away.card.md").read_text(encoding="utf-8")
    head = yaml.safe_load(card.split("---\n")[1])
    assert head["configs"][0]["data_files"] == "away.jsonl"
    rows = dict(
        line.strip("|").split(" | ", 1) for line in card.splitlines() if line.startswith("| ") and r"\|" not in line
    )
    facts = {name.strip(): value.strip() for name, value in rows.items()}
    assert facts["direction"] == "away"
    assert facts["margin"] == "0.05"
    assert facts["hash of the data fitted"] == result.options["data_hash"]
    assert len(facts["hash of the schema"]) == 32
    assert f"prefdissect {pdx.__version__}" in facts["labelled with"]
    said = pairs.table.dropna(subset="label")
    agree = int(((said["label"] > 0.5) == (said["probability"] > 0.5)).sum())
    assert facts["the judge's own verdicts"] == f"{agree} of {len(said)} decided ones are as predicted"
    assert r"| judge" in card
    assert r"m\|e" in card
    assert f"holds {len(pairs)} of 300 pairs" in card
    assert "is predicted to like less" in card
    assert "The labels are not the judge's" in card
    for group, n in pairs.table["group"].value_counts().items():
        assert any(line.split()[1:2] == [group] and line.rstrip(" |").endswith(f" {n}") for line in card.splitlines())


# The command line


def test_the_command_writes_what_python_writes(study: pdx.Dissection, tmp_path: Path) -> None:
    study.save(tmp_path / "run.nc")
    study.data.pairs[["prompt", "response_a", "response_b"]].reset_index().to_parquet(tmp_path / "texts.parquet")
    words = [
        "pairs",
        "run.nc",
        "out.jsonl",
        "--judge",
        "me",
        "--margin",
        "0.05",
        "--direction",
        "away",
        "--scenario",
        "Code",
    ]
    words = [str(tmp_path / w) if w.startswith(("run", "out")) else w for w in words]
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code == 1
    assert "--data" in refused.output
    assert not (tmp_path / "out.jsonl").exists()
    # The simulated ids of responses are no hashes of texts: texts that name the ids are known to be theirs.
    ids = study.data.pairs.drop(columns="cluster")
    ids.reset_index().to_parquet(tmp_path / "texts.parquet")
    done = CliRunner().invoke(app, [*words, "--data", str(tmp_path / "texts.parquet")])
    assert done.exit_code == 0, done.output
    assert "away from 'me'" in done.output
    assert "out.card.md" in done.output
    ours = study.preference_pairs(judge="me", margin=0.05, direction="away", scenario="Code").to_file(
        tmp_path / "o.jsonl"
    )
    assert (tmp_path / "out.jsonl").read_bytes() == ours.read_bytes()
    wrong = CliRunner().invoke(app, [*words, "--form", "chat"])
    assert wrong.exit_code == 1
    assert "conversational" in wrong.output
