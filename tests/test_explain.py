"""Single pairs: contributions, Shapley values against enumeration, what-if, surprising and telling pairs."""

from __future__ import annotations

import itertools
from math import factorial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

import prefdissect as pdx
from prefdissect.errors import DataError, OptionError, RatingError, UnknownNameError
from prefdissect.features import Encoder
from prefdissect.inference import shapley_values
from prefdissect.inference.shapley import sum_of_sines

pytestmark = pytest.mark.lane("newer")

SMALL = pdx.PAPER.select(["friendly", "clear", "novel", "lengthy"])
TERM = st.floats(-6, 6, allow_nan=False)


def enumerate_coalitions(terms: np.ndarray) -> np.ndarray:
    """Return Shapley values by their definition: the mean gain over all coalitions of the others."""
    n, out = len(terms), np.zeros(len(terms))
    for k in range(n):
        others = [j for j in range(n) if j != k]
        for size in range(n):
            weight = factorial(size) * factorial(n - size - 1) / factorial(n)
            for coalition in itertools.combinations(others, size):
                base = terms[list(coalition)].sum()
                out[k] += weight * (expit(base + terms[k]) - expit(base))
    return out


@pytest.mark.parametrize("n", range(1, 13))
def test_shapley_values_are_those_of_enumeration(n):
    """Up to 12 properties; the sum of |terms| reaches from 0.5 to 30."""
    rng = np.random.default_rng(n)
    terms = rng.normal(0, rng.uniform(0.3, 3), n)
    np.testing.assert_allclose(shapley_values(terms[None])[0], enumerate_coalitions(terms), atol=1e-10)


@pytest.mark.parametrize("total", [11.9, 12.1, 39.9, 40.1, 119.0, 121.0, 399.0, 2000.0])
def test_large_terms_are_exact_too(total):
    terms = np.random.default_rng(0).normal(0, 1, 8)
    terms *= total / np.abs(terms).sum()
    np.testing.assert_allclose(shapley_values(terms[None])[0], enumerate_coalitions(terms), atol=1e-10)


@pytest.mark.parametrize("reach", [1.0, 1.5, 2.8, 6.0, 11.9, 12.1, 50.0, 1000.0])
def test_sines_add_up_to_the_sigmoid(reach):
    """Over all that coalitions can reach, with amplitudes too small to lose digits in."""
    step, amplitude = sum_of_sines(reach)
    s = np.linspace(-reach, reach, 2001)
    found = 0.5 + np.sin(step * np.outer(s, np.arange(len(amplitude)) + 0.5)) @ amplitude
    np.testing.assert_allclose(found, expit(s), atol=3e-13)
    assert np.abs(amplitude).sum() < 3


def test_shapley_values_are_those_of_the_shap_package():
    """Its exact explainer enumerates all coalitions, in double precision; the background is a pair of equals."""
    shap = pytest.importorskip("shap", reason="shap has no release for this Python")
    rng = np.random.default_rng(0)
    weights, rows = rng.normal(0, 1, 10), rng.integers(-1, 2, (20, 10)).astype(float)
    explainer = shap.explainers.Exact(lambda x: expit(x @ weights), np.zeros((1, 10)))
    np.testing.assert_allclose(shapley_values(rows * weights), explainer(rows).values, atol=1e-8)


@given(st.lists(TERM, min_size=1, max_size=40))
def test_shapley_values_add_up_and_turn_with_the_sides(terms):
    """Efficiency, antisymmetry, nothing for nothing, alike for alike: what defines Shapley values."""
    row = np.array([[*terms, 0.0, terms[0]]])
    values = shapley_values(row)[0]
    assert values.sum() == pytest.approx(expit(row.sum()) - 0.5, abs=1e-10)
    assert values[-2] == 0.0
    assert values[-1] == pytest.approx(values[0], abs=1e-12)
    np.testing.assert_allclose(shapley_values(-row)[0], -values, atol=1e-12)


@pytest.fixture(scope="module")
def result() -> pdx.Dissection:
    weights = np.array([0.2, 0.8, -0.4, 1.0])
    study = pdx.simulate(
        1000, schema=SMALL, judges=["me", "you"], scenarios=["Code", "Advice"], weights=weights, random_seed=0
    )
    return pdx.dissect(study.data, position=False, engine="ep", random_seed=0)


def row_of(result: pdx.Dissection, pair_id: str) -> np.ndarray:
    return result.design.x[list(result.design.pair_ids).index(pair_id)]


def test_contributions_add_up_to_the_prediction(result):
    found = result.explain("pair-7", judge="me")
    fit, x = result.fitted.fits["me", found.group], row_of(result, "pair-7")
    table = found.table.set_index("property").loc[list(SMALL.ids)]
    np.testing.assert_allclose(table["contribution"], fit.mean * x)
    np.testing.assert_allclose(table["shapley"], enumerate_coalitions(fit.mean * x), atol=1e-10)
    assert found.probability == pytest.approx(expit(table["contribution"].sum()))
    assert found.probability == pytest.approx(0.5 + table["shapley"].sum())
    predicted = result.predict(result.data).set_index(["judge", "group", "pair_id"]).loc["me", found.group, "pair-7"]
    assert found.probability == pytest.approx(predicted["probability"])
    assert [found.lower, found.upper] == pytest.approx([predicted["lower"], predicted["upper"]], abs=0.02)
    assert found.table["shapley"].abs().is_monotonic_decreasing


def test_intervals_are_those_of_draws(result):
    found = result.explain("pair-7", judge="me")
    fit, x = result.fitted.fits["me", found.group], row_of(result, "pair-7")
    flat = fit.draws.reshape(-1, 4).astype(float)
    every = np.linspace(0, len(flat) - 1, 500).round().astype(int)
    values = np.array([enumerate_coalitions(w * x) for w in flat[every]])
    low, high = np.quantile(values, [0.03, 0.97], axis=0)
    table = found.table.set_index("property").loc[list(SMALL.ids)]
    np.testing.assert_allclose(table["shapley_lower"], low, atol=1e-9)
    np.testing.assert_allclose(table["shapley_upper"], high, atol=1e-9)


def test_ratings_and_the_verdict_are_shown(result):
    found = result.explain("pair-7", judge="me")
    at = list(result.data.pairs.index).index("pair-7")
    table = found.table.set_index("property")
    for k, name in enumerate(result.data.properties):
        assert table.loc[name, ["rating_a", "rating_b"]].tolist() == result.data.ratings[at, :, k].tolist()
    assert found.label == result.data.labels.loc["pair-7", "me"]
    side = "A" if found.probability >= 0.5 else "B"
    assert found.sentence.startswith(
        f"me prefers {side} with probability {max(found.probability, 1 - found.probability):.2f}"
    )
    said = "A" if found.label else "B"
    assert (f"and did say {said}" if said == side else f"but said {said}") in found.sentence
    assert found.sentence in repr(found)


def test_ratings_are_written_with_as_few_decimals_as_tell_them_apart():
    ratings = {
        "third": (20 / 3, 2.0, "6.67", "2"),
        "whole": (120.0, 100.0, "120", "100"),
        "close": (0.00123, 0.0012, "0.00123", "0.0012"),
    }
    columns = {f"{name}_{side}": [r[k]] * 20 for name, r in ratings.items() for k, side in enumerate("ab")}
    table = pd.DataFrame({**columns, "tone": [1] * 20, "judge_me": ["A", "B"] * 10})
    data = pdx.load(table, properties=[*ratings, "tone"])
    found = pdx.dissect(data, engine="ep", random_seed=0).explain("pair-0")
    lines = [line.split() for line in repr(found).splitlines()]
    shown = {words[0]: words[1:3] for words in lines if words[0] in (*ratings, "tone")}
    assert shown == {name: [r[2], r[3]] for name, r in ratings.items()} | {"tone": ["-", "-"]}


def test_many_pairs_are_explained_from_one_encoding(result, monkeypatch):
    """Each explanation used to encode all pairs again: minutes for a few thousand of them."""
    again, encode, times = result.sel(judge="me"), Encoder.encode, []
    monkeypatch.setattr(Encoder, "encode", lambda *args: times.append(1) or encode(*args))
    for i in range(5):
        again.explain(f"pair-{i}")
        again.what_if(f"pair-{i}", "clear")
    again.surprising(3)
    again.telling("clear", 3)
    assert len(times) == 1


def test_equal_responses_have_nothing_to_explain():
    table = pd.DataFrame(
        {"clear_a": [2, 1, 3, 1] * 8, "clear_b": [2, 3, 1, 2] * 8, "judge_me": ["A", "B", "A", "A"] * 8}
    )
    found = pdx.dissect(table, engine="ep", random_seed=0).explain("pair-0")
    assert found.probability == 0.5
    assert "nothing that was rated differs" in found.sentence


def test_what_if_by_hand(result):
    group = result.explain("pair-7", judge="me").group
    fit, x = result.fitted.fits["me", group], row_of(result, "pair-7")
    table = result.what_if("pair-7", ["clear", "lengthy"], judge="me")
    assert list(table.index) == ["as it is", "clear", "lengthy", "all of these"]
    without = x.copy()
    without[[list(SMALL.ids).index(name) for name in ("clear", "lengthy")]] = 0
    assert table.loc["all of these", "probability"] == pytest.approx(expit(fit.mean @ without))
    assert table.loc["all of these", "change"] == pytest.approx(expit(fit.mean @ without) - expit(fit.mean @ x))
    assert table.loc["as it is", ["change", "change_lower", "change_upper"]].tolist() == [0, 0, 0]
    assert len(result.what_if("pair-7", "clear", judge="me")) == 2


def test_surprising_pairs_have_the_least_likely_labels(result):
    table = result.surprising(5, judge="me")
    by_hand = []
    for g, group in enumerate(result.groups):
        rows = np.flatnonzero(result.design.in_group[:, g])
        p = expit(result.design.x[rows] @ result.fitted.fits["me", group].mean)
        y = result.design.y[rows, 0]
        by_hand += list(zip(-np.log(np.where(y > 0.5, p, 1 - p)), result.design.pair_ids[rows], strict=True))
    expected = sorted(by_hand, reverse=True)[:5]
    np.testing.assert_allclose(table["surprise"], [value for value, _ in expected])
    assert set(result.surprising(3, judge="me", group="Code")["group"]) == {"Code"}


def test_telling_pairs_show_the_property_at_work(result):
    table = result.telling("lengthy", 5, judge="me")
    k = list(SMALL.ids).index("lengthy")
    for row in table.itertuples():
        x, fit = row_of(result, row.pair_id), result.fitted.fits["me", row.group]
        assert row.contribution == pytest.approx(x[k] * fit.mean[k])
        assert (row.contribution > 0) == (row.label > 0.5)
        assert row.shapley == pytest.approx(enumerate_coalitions(x * fit.mean)[k], abs=1e-10)
        assert row.share == pytest.approx(abs(x[k] * fit.mean[k]) / np.abs(x * fit.mean).sum())
    assert (table["shapley"].abs() * table["share"]).is_monotonic_decreasing


def test_a_case_can_be_asked_for():
    study = pdx.simulate(3000, schema=SMALL, judges=["me"], random_seed=0)
    result = pdx.dissect(study.data, by="both", engine="ep", random_seed=0)
    both = study.data.groups["w_constraints"]
    pair_id = both.index[both][0]
    assert result.explain(pair_id).group in [g for g, kind in study.data.group_kinds.items() if kind == "scenario"]
    assert result.explain(pair_id, group="w_constraints").group == "w_constraints"


def test_a_saved_dissection_explains_alike(result, tmp_path):
    again = pdx.Dissection.load(result.save(tmp_path / "run.nc")).explain("pair-7", judge="me")
    pd.testing.assert_frame_equal(again.table, result.explain("pair-7", judge="me").table)


def test_a_missing_rating_is_named():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"clear_a": rng.integers(0, 4, 40).astype(float), "clear_b": rng.integers(0, 4, 40)})
    table["judge_me"] = rng.choice(["A", "B"], 40)
    table.loc[3, "clear_a"] = np.nan
    result = pdx.dissect(table, engine="ep", random_seed=0)
    with pytest.raises(RatingError, match="has no rating of clear"):
        result.explain("pair-3")


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda r: r.explain("pair-7"), OptionError, "judge=None"),
        (lambda r: r.explain("pair-7000", judge="me"), UnknownNameError, "unknown pair 'pair-7000'"),
        (lambda r: r.explain(["pair-7"], judge="me"), OptionError, r"pair_id=\['pair-7'\] must be the id of one pair"),
        (lambda r: r.what_if(7, "clear", judge="me"), OptionError, "pair_id=7 must be the id of one pair"),
        (lambda r: r.explain("pair-7", judge="mee"), UnknownNameError, "unknown judge 'mee'"),
        (lambda r: r.explain("pair-7", judge="me", group="Chess"), UnknownNameError, "unknown group"),
        (lambda r: r.what_if("pair-7", "claer", judge="me"), UnknownNameError, "clear"),
        (lambda r: r.what_if("pair-7", [], judge="me"), OptionError, "names no property"),
        (lambda r: r.surprising(0, judge="me"), OptionError, "k=0"),
        (lambda r: r.telling("claer", judge="me"), UnknownNameError, "clear"),
    ],
)
def test_bad_input_is_one_clear_error(result, call, error, said):
    with pytest.raises(error, match=said):
        call(result)


def test_a_pair_of_another_group_is_refused(result):
    group = result.explain("pair-7", judge="me").group
    other = next(g for g in result.groups if g != group)
    with pytest.raises(UnknownNameError, match=f"is not in group '{other}'; it is in: {group}"):
        result.explain("pair-7", judge="me", group=other)


def test_a_property_that_never_works_has_no_telling_pair():
    table = pd.DataFrame({"clear_a": [1, 2] * 20, "clear_b": [2, 1] * 20, "dull_a": [1] * 40, "dull_b": [1] * 40})
    table["judge_me"] = ["B", "A"] * 20
    with pytest.raises(DataError, match="no pair shows 'dull' at work"):
        pdx.dissect(table, engine="ep", random_seed=0).telling("dull")
