"""Simulated studies follow the model they record.

Statistical tests are two-sided z tests at |z| < 4 (size 6e-5) or chi-square tests at p > 1e-4;
with fixed seeds and about 20 of them a correct simulator fails by chance with probability 0.002.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import bisect
from scipy.special import expit
from scipy.stats import chi2

import prefdissect as pdx
from prefdissect import errors

SCHEMA = pdx.PAPER.select(["clear", "novel", "no_severe_errors"])
WEIGHTS = {"clear": 0.9, "novel": -0.5, "no_severe_errors": 1.4}


def compare(study: pdx.Study) -> np.ndarray:
    """Return the comparisons [pair, property] by brute force: all three are signs of differences."""
    a, b = study.data.ratings[:, 0], study.data.ratings[:, 1]
    return np.sign(a - b) * [1, 1, -1]  # more errors are worse


def z_of_a(outcome: np.ndarray, p: np.ndarray) -> float:
    """Return the z statistic of the number of wins of A against independent chances `p`."""
    return float(((outcome == "A").sum() - p.sum()) / np.sqrt((p * (1 - p)).sum()))


def chi_square(hits: np.ndarray, p: np.ndarray, cell: np.ndarray) -> tuple[float, int]:
    """Return chi-square and degrees of freedom of hits against chances `p` in the cells."""
    table = pd.DataFrame({"hits": hits, "p": p, "variance": p * (1 - p), "cell": cell}).groupby("cell").sum()
    return float(((table["hits"] - table["p"]) ** 2 / table["variance"]).sum()), len(table)


@pytest.fixture(scope="module")
def paper() -> pdx.Study:
    return pdx.simulate(random_seed=0)


# The model


def test_wins_follow_the_sigmoid_in_every_cell():
    """20,000 pairs in the 27 combinations of three comparisons: observed against sigmoid(x . w)."""
    study = pdx.simulate(20_000, schema=SCHEMA, judges=1, scenarios=None, weights=WEIGHTS, random_seed=1)
    x = compare(study)
    p = expit(x @ list(WEIGHTS.values()))
    outcome = study.data.verdicts["outcome"].to_numpy(object)
    statistic, df = chi_square(outcome == "A", p, x @ [1, 3, 9])
    assert df == 27
    assert chi2.sf(statistic, df) > 1e-4
    wrong, _ = chi_square(outcome == "A", expit(1.1 * x @ list(WEIGHTS.values())), x @ [1, 3, 9])
    assert chi2.sf(wrong, df) < 1e-4, "weights off by a tenth would show"


def test_ties_follow_davidson():
    """P(tie) = nu / (2 cosh(t/2) + nu), with the stated share on average; the decided follow the sigmoid."""
    study = pdx.simulate(20_000, schema=SCHEMA, judges=1, scenarios=None, weights=WEIGHTS, tie_rate=0.3, random_seed=2)
    verdicts, x = study.data.verdicts, compare(study)
    tied = (verdicts["outcome"] == "tie").to_numpy()
    t = x @ list(WEIGHTS.values())
    nu = bisect(lambda nu: (nu / (2 * np.cosh(t / 2) + nu)).mean() - 0.3, 1e-6, 1e3)
    p = nu / (2 * np.cosh(t / 2) + nu)
    assert abs(tied.sum() - 6000) / np.sqrt((p * (1 - p)).sum()) < 4
    statistic, df = chi_square(tied, p, np.abs(t).round(6))
    assert chi2.sf(statistic, df) > 1e-4
    flat, _ = chi_square(tied, np.full(len(t), 0.3), np.abs(t).round(6))
    assert chi2.sf(flat, df) < 1e-4, "ties that ignore t would show"
    assert (verdicts["value"][tied] == 0.5).all()
    assert abs(z_of_a(verdicts["outcome"].to_numpy(object)[~tied], expit(t[~tied]))) < 4


def test_first_response_gains_the_order_effect():
    """Without weights A wins with sigmoid(0.8) if shown first, else sigmoid(-0.8); both orders are as frequent."""
    study = pdx.simulate(20_000, schema=SCHEMA, judges=1, scenarios=None, weights={}, order_effect=0.8, random_seed=3)
    verdicts = study.data.verdicts
    a_first = (verdicts["first"] == "A").to_numpy()
    outcome = verdicts["outcome"].to_numpy(object)
    assert set(verdicts["first"]) == {"A", "B"}
    assert abs(a_first.sum() - 10_000) / np.sqrt(5000) < 4
    assert abs(z_of_a(outcome[a_first], np.full(a_first.sum(), expit(0.8)))) < 4
    assert abs(z_of_a(outcome[~a_first], np.full((~a_first).sum(), expit(-0.8)))) < 4


def test_weights_are_those_of_the_judge_and_scenario():
    """An array [judge, group, property]: each cell's wins follow its own weights, and are recorded."""
    truth = np.random.default_rng(4).normal(0, 1.5, (2, 3, 3))
    study = pdx.simulate(
        9000, schema=SCHEMA, judges=["x", "y"], scenarios=["p", "q", "r"], weights=truth, random_seed=5
    )
    recorded = study.weights.set_index(["judge", "group", "property"])["weight"]
    x, data = compare(study), study.data
    for j, judge in enumerate(["x", "y"]):
        verdicts = data.verdicts[data.verdicts["judge"] == judge].set_index("pair_id").loc[data.pairs.index]
        for g, group in enumerate(["p", "q", "r"]):
            assert recorded[judge, group].to_dict() == dict(zip(SCHEMA.ids, truth[j, g], strict=True))
            rows = data.groups[group].to_numpy()
            assert rows.sum() == 3000
            won = verdicts["outcome"].to_numpy(object)[rows] == "A"
            statistic, df = chi_square(won, expit(x[rows] @ truth[j, g]), x[rows] @ [1, 3, 9])
            assert chi2.sf(statistic, df) > 1e-4


def test_drawn_weights_have_the_stated_scale():
    """1,500 draws of Laplace(0, 0.4): mean |w| is 0.4 with standard error 0.4 / sqrt(1500) = 0.0103."""
    study = pdx.simulate(10, schema=SCHEMA, judges=500, scenarios=None, scale=0.4, random_seed=6)
    weight = study.weights["weight"]
    assert len(weight) == 1500
    assert abs(weight.abs().mean() - 0.4) < 4 * 0.0103
    assert abs(weight.mean()) < 4 * 0.4 * np.sqrt(2 / 1500)


# Responses and clusters


def test_pairs_of_a_prompt_share_responses_and_ratings():
    study = pdx.simulate(30, schema=SCHEMA, judges=1, responses_per_prompt=4, scenarios=None, random_seed=7)
    pairs, ratings = study.data.pairs, study.data.ratings
    assert pairs.groupby("prompt_id").size().tolist() == [6] * 5
    assert (pairs["cluster"] == pairs["prompt_id"]).all()
    seen: dict[str, np.ndarray] = {}
    for i, (a, b) in enumerate(zip(pairs["response_id_a"], pairs["response_id_b"], strict=True)):
        assert a != b
        for side, response in enumerate((a, b)):
            np.testing.assert_array_equal(seen.setdefault(response, ratings[i, side]), ratings[i, side])
    assert len(seen) == 20
    assert len(set(zip(pairs["response_id_a"], pairs["response_id_b"], strict=True))) == 30
    assert len(np.unique(list(seen.values()), axis=0)) > 5


def test_luck_of_a_response_is_shared_by_the_judges():
    """Two judges without weights agree in half of 4,000 pairs, sd 0.0079; with luck of sd 2 far more often.

    Then both win with sigmoid(d), d of sd 2 sqrt(2): they agree with E[p^2 + (1-p)^2], here by simulation.
    """
    agree = {}
    for sd in (0.0, 2.0):
        study = pdx.simulate(4000, schema=SCHEMA, judges=2, scenarios=None, weights={}, response_sd=sd, random_seed=8)
        labels = study.data.labels
        agree[sd] = (labels.iloc[:, 0] == labels.iloc[:, 1]).mean()
    p = expit(np.random.default_rng(9).normal(0, 2 * np.sqrt(2), 1_000_000))
    expected = (p**2 + (1 - p) ** 2).mean()
    assert abs(agree[0.0] - 0.5) < 4 * 0.0079
    assert abs(agree[2.0] - expected) < 4 * 0.0079


# The paper's study


def test_default_is_of_the_papers_size(paper):
    data = paper.data
    assert (len(data), len(data.judges), len(data.properties)) == (5240, 33, 29)
    assert len(data.verdicts) == 5240 * 33
    assert data.schema == pdx.PAPER
    scenarios = [s for s in pdx.SCENARIOS if s.kind == "scenario"]
    sizes = data.groups[[s.id for s in scenarios]].sum()
    assert sizes.tolist() == [s.n_pairs for s in scenarios]
    assert sorted(sizes) == [400] * 9 + [820] * 2
    assert (data.groups[[s.id for s in scenarios]].sum(axis=1) == 1).all()
    assert len(paper.weights) == 33 * 11 * 29


def test_cases_are_about_as_frequent_as_in_the_paper(paper):
    """Binomial counts around the paper's: the variance is at most the count, so 4 sqrt(n) is generous."""
    data = paper.data
    for case in (s for s in pdx.SCENARIOS if s.kind == "case"):
        assert data.group_kinds[case.id] == "case"
        assert abs(data.groups[case.id].sum() - case.n_pairs) < 4 * np.sqrt(case.n_pairs)
    # Per scenario too: constraints are common in creative writing (195) and rare in chat (13), of 400 each.
    both = {
        s: int((data.groups[s] & data.groups["w_constraints"]).sum()) for s in ("Creative Writing", "Communication")
    }
    assert abs(both["Creative Writing"] - 195) < 4 * 10
    assert abs(both["Communication"] - 13) < 4 * 3.6


def test_query_specific_properties_are_rated_where_their_case_applies(paper):
    case_of = {
        "clarify_intent": "intent_unclear",
        "show_empathetic": "express_feeling",
        "satisfy_constraints": "w_constraints",
        "support_stances": "w_stances",
        "correct_mistakes": "w_mistakes",
    }
    for k, prop in enumerate(pdx.PAPER):
        rated = np.isfinite(paper.data.ratings[:, :, k])
        expected = paper.data.groups[case_of[prop.id]].to_numpy() if prop.id in case_of else np.ones(5240, dtype=bool)
        np.testing.assert_array_equal(rated, np.column_stack([expected, expected]), err_msg=prop.id)


def test_ratings_are_what_the_schema_allows(paper):
    for k, prop in enumerate(pdx.PAPER):
        rated = paper.data.ratings[:, :, k]
        values = set(rated[np.isfinite(rated)].tolist())
        if prop.kind == "rating":
            assert values == {0, 1, 2, 3}, prop.id
        elif prop.kind == "label":
            assert values == set(prop.labels.values()), prop.id
        else:
            assert min(values) >= 0, prop.id
            assert all(v == int(v) for v in values), prop.id


# Seeds and names


def test_same_seed_same_study_and_other_seed_another():
    def make(seed):
        return pdx.simulate(50, schema=SCHEMA, judges=2, random_seed=seed)

    one, same, generator, other = make(1), make(1), make(np.random.default_rng(1)), make(2)
    assert one.data.hash == same.data.hash == generator.data.hash
    assert one.data.hash != other.data.hash
    pd.testing.assert_frame_equal(one.weights, same.weights, check_exact=True)
    assert not np.isin(one.weights["weight"], other.weights["weight"]).any()


def test_mapping_of_weights_is_zero_elsewhere_and_knows_labels():
    study = pdx.simulate(10, judges=1, scenarios=None, weights={"no severe errors": 2.0}, random_seed=0)
    recorded = study.weights.set_index("property")["weight"]
    assert recorded["no_severe_errors"] == 2.0
    assert (recorded.drop("no_severe_errors") == 0).all()


def test_simulate_is_a_function_whatever_was_imported_before():
    """In a fresh interpreter: another name of the same room comes first."""
    code = "import prefdissect as pdx; pdx.Study; print(callable(pdx.simulate), len(pdx.simulate(10, judges=1).data))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout.split() == ["True", "10"], run.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        {"n_pairs": 0},
        {"tie_rate": 1.0},
        {"tie_rate": -0.1},
        {"tie_rate": float("nan")},
        {"responses_per_prompt": 1},
        {"scale": -1.0},
        {"response_sd": -1.0},
        {"judges": 0},
        {"judges": "me"},
        {"scenarios": "Code"},
        {"scenarios": []},
        {"weights": np.zeros(7)},
        {"weights": {"claer": 1.0}},
    ],
    ids=str,
)
def test_bad_argument_is_named(arguments):
    """Also a name where a list of names is due: its letters are not judges."""
    with pytest.raises(errors.PrefDissectError, match=next(iter(arguments)) + "|claer") as caught:
        pdx.simulate(**{"n_pairs": 10, "schema": SCHEMA, "judges": 1, "scenarios": None} | arguments)
    assert "\n" not in str(caught.value)
