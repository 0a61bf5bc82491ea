"""Tables: every column by brute force from the draws. No fit runs here: draws are made by hand."""

from __future__ import annotations

import re
from math import exp

import numpy as np
import pandas as pd
import pytest

import prefdissect as pdx
from cells import drawn_by_hand, summarise
from prefdissect.dissection import Dissection
from prefdissect.errors import OptionError, UnknownNameError
from prefdissect.features import build_design
from prefdissect.inference import PAPER_PRIOR, Posterior, arrange_prior

JUDGES, PROPERTIES = ("me", "you"), ("clear", "long", "flat")
SCENARIOS, CASES = ("Code", "Chat", "Thin"), ("hard",)
COLUMNS = [
    *("judge", "group", "kind", "property", "label", "mean", "sd", "lower", "upper", "prob_positive", "probability"),
    *("identified", "n_pairs", "n_differs", "r_hat", "ess_bulk", "engine", "certified", "n_soft"),
]


def sigmoid(t: float) -> float:
    return 1 / (1 + exp(-t))


def table_of_pairs() -> pd.DataFrame:
    """Return 60 pairs: 30 Code, 24 Chat, 6 Thin; `flat` never differs, `long` does not in Chat."""
    rng = np.random.default_rng(0)
    df = pd.DataFrame({f"{p}_{side}": rng.integers(0, 3, 60) for p in PROPERTIES for side in "ab"})
    df["scenario"] = ["Code"] * 30 + ["Chat"] * 24 + ["Thin"] * 6
    df["flat_b"] = df["flat_a"]
    df.loc[df["scenario"] == "Chat", "long_b"] = df["long_a"]
    df["hard"] = rng.random(60) < 0.6
    df["judge_me"] = rng.choice(["A", "B", "tie"], 60)
    df["judge_you"] = rng.choice(["A", "B"], 60)
    return df


def make_result(df: pd.DataFrame | None = None, *, fit_thin: bool = False) -> Dissection:
    """Return a dissection whose draws come from a normal distribution of known seed."""
    data = pdx.PreferenceData.from_frame(table_of_pairs() if df is None else df, cases=CASES)
    design = build_design(data, JUDGES, by="both", encoding="comparison", ties="drop")
    fits = {}
    rng = np.random.default_rng(1)
    for judge in JUDGES:
        for group in design.groups:
            weight = rng.normal([0.5, -0.3, 0.1], [0.3, 0.2, 0.5], (4, 500, 3)) + rng.normal(0, 0.3, 3)
            if group != "Thin" or fit_thin:
                fits[judge, group] = summarise([drawn_by_hand(weight)], interval=0.8, kept=500)
    prior = arrange_prior(PAPER_PRIOR, PROPERTIES)
    posterior = Posterior(
        judges=JUDGES, groups=design.groups, columns=PROPERTIES, fits=fits, shape=(4, 500), interval=0.8, prior=prior
    )
    asked = {
        "by": "both",
        "encoding": "comparison",
        "prior": "Laplace(scale=0.1)",
        "engine": "nuts",
        "data_hash": data.hash,
    }
    return Dissection(data, design, posterior, asked)


@pytest.fixture(scope="module")
def result() -> Dissection:
    return make_result()


@pytest.fixture(scope="module")
def complete() -> Dissection:
    return make_result(fit_thin=True)


# weights


def test_weights_have_the_stated_columns_and_order(result):
    weights = result.weights
    assert list(weights.columns) == COLUMNS
    keys = [(j, g, p) for j in JUDGES for g in (*SCENARIOS, *CASES) for p in PROPERTIES]
    assert list(weights[["judge", "group", "property"]].itertuples(index=False, name=None)) == keys
    assert weights["kind"].tolist() == (["scenario"] * 9 + ["case"] * 3) * 2
    assert weights.attrs == {"interval": 0.8, "interval_kind": "equal-tailed"}


def test_numbers_of_weights_by_brute_force(result):
    for row in result.weights[result.weights["group"] != "Thin"].itertuples():
        draws = result.posterior["weight"].sel(judge=row.judge, group=row.group, property=row.property)
        flat = np.sort(draws.to_numpy().astype(float).ravel())
        assert len(flat) == 2000
        assert row.mean == pytest.approx(flat.mean(), abs=1e-6)
        assert row.sd == pytest.approx(flat.std(ddof=1), rel=1e-5)
        # An 80% interval of 2,000 draws leaves 200 on each side.
        assert flat[199] - 1e-6 <= row.lower <= flat[200] + 1e-6
        assert flat[1799] - 1e-6 <= row.upper <= flat[1800] + 1e-6
        assert row.prob_positive == pytest.approx((flat > 0).sum() / 2000)
        assert row.probability == pytest.approx(sigmoid(row.mean), rel=1e-12)
        assert 0.99 < row.r_hat < 1.02
        assert row.ess_bulk > 1000
        assert row.engine == "nuts"
        assert row.certified == result.fitted.fits[row.judge, row.group].certified


def test_counts_of_weights_by_brute_force(result):
    df = table_of_pairs()
    for row in result.weights.itertuples():
        group = df["hard"] if row.group == "hard" else df["scenario"] == row.group
        used = df[group & (df[f"judge_{row.judge}"] != "tie")]
        assert row.n_pairs == len(used)
        assert row.n_differs == (used[f"{row.property}_a"] != used[f"{row.property}_b"]).sum()
        assert row.identified == (row.n_differs > 0)
    flat = result.weights.groupby("property")["identified"].sum()
    assert flat.to_dict() == {"clear": 8, "long": 6, "flat": 0}


def test_group_without_a_fit_is_in_weights_with_nan(result):
    thin = result.weights[result.weights["group"] == "Thin"]
    assert len(thin) == 6
    assert thin.loc[:, "mean":"probability"].isna().all(axis=None)
    assert thin[["r_hat", "ess_bulk"]].isna().all(axis=None)
    assert (thin["engine"] == "none").all()
    assert not thin["certified"].any()
    assert (thin["n_pairs"] > 0).all()
    weight = result.posterior["weight"]
    assert weight.dims == ("chain", "draw", "judge", "group", "property")
    assert weight.dtype == np.float32
    assert np.isnan(weight.sel(group="Thin")).all()
    assert np.isfinite(weight.drop_sel(group="Thin")).all()


# summary, top, sel


def test_summary_is_largest_first_in_each_cell(result):
    summary = result.summary()
    weights = result.weights.set_index(["judge", "group", "property"])
    assert list(dict.fromkeys(summary.index.droplevel("property"))) == [
        (j, g) for j in JUDGES for g in ("Code", "Chat", "hard")
    ]
    for key, rows in summary.groupby(["judge", "group"], sort=False):
        assert rows["mean"].is_monotonic_decreasing, key
        assert len(rows) == 3
    pd.testing.assert_frame_equal(summary, weights.loc[summary.index, summary.columns], check_exact=True)


def test_top_gives_both_ends_without_properties_that_never_differ(result):
    top = result.top(2)
    for (judge, group), rows in top.groupby(["judge", "group"]):
        weights = result.weights
        usable = weights[(weights["judge"] == judge) & (weights["group"] == group) & weights["identified"]]
        ordered = usable.sort_values("mean", ascending=False)["property"].tolist()
        assert rows[rows["side"] == "most"]["property"].tolist() == ordered[:2]
        assert rows[rows["side"] == "least"]["property"].tolist() == ordered[::-1][:2]
        assert rows.groupby("side")["rank"].apply(list).map(lambda r: r == list(range(1, len(r) + 1))).all()
    assert set(top["group"]) == {"Code", "Chat", "hard"}
    merged = top.merge(result.weights, on=["judge", "group", "property"], suffixes=("", "_of_weights"))
    assert len(merged) == len(top)
    for column in ("mean", "lower", "upper", "probability", "label"):
        assert (merged[column] == merged[column + "_of_weights"]).all()
    assert (result.top(1).groupby(["judge", "group"]).size() == 2).all()
    with pytest.raises(OptionError, match="k=0"):
        result.top(0)


def test_sel_keeps_the_rows_of_these_judges_and_groups(result):
    part = result.sel(judge="you", group=["hard", "Code"])
    expected = pd.concat([result.weights.query("judge == 'you' and group == @g") for g in ("hard", "Code")])
    pd.testing.assert_frame_equal(part.weights, expected.reset_index(drop=True), check_exact=True)
    np.testing.assert_array_equal(
        part.posterior["weight"], result.posterior["weight"].sel(judge=["you"], group=["hard", "Code"])
    )
    assert set(part.dropped["judge"]) <= {"you"}
    assert result.sel(judge="judge_me").judges == ["me"]


def test_sel_of_unknown_names(result):
    with pytest.raises(UnknownNameError, match="unknown judge 'yuo'; close matches: 'you'"):
        result.sel(judge="yuo")
    with pytest.raises(UnknownNameError, match="unknown group 'Cod'; close matches: 'Code'"):
        result.sel(group="Cod")
    with pytest.raises(OptionError, match=r"group=\[\]"):
        result.sel(group=[])


def test_selection_without_a_fit_still_answers(result):
    """The group that had too few pairs, alone: tables of NaN, no error."""
    thin = result.sel(group="Thin")
    assert thin.weights["mean"].isna().all()
    assert thin.top().empty
    assert thin.overall()["probability"].isna().all()
    assert len(thin.summary()) == 0
    assert "Not fitted" in repr(thin)
    assert "Not fitted" in thin._repr_html_()
    assert np.isnan(thin.posterior["weight"]).all()
    assert thin.posterior["weight"].shape[2:] == (2, 1, 3)


# overall


def test_overall_is_the_mean_over_scenarios_not_cases(complete):
    overall = complete.overall()
    assert overall[["judge", "property"]].to_numpy().tolist() == [[j, p] for j in JUDGES for p in PROPERTIES]
    for row in overall.itertuples():
        cells = [complete.fitted.fits[row.judge, g] for g in SCENARIOS]
        k = PROPERTIES.index(row.property)
        point = sum(sigmoid(cell.mean[k]) for cell in cells) / 3
        assert row.probability == pytest.approx(point, rel=1e-12)
        draws = sum(1 / (1 + np.exp(-cell.draws[:, :, k].astype(float))) for cell in cells) / 3
        assert (row.lower, row.upper) == pytest.approx(tuple(np.quantile(draws, [0.1, 0.9])), rel=1e-9)
        assert row.n_groups == 3
        with_case = (3 * point + sigmoid(complete.fitted.fits[row.judge, "hard"].mean[k])) / 4
        assert abs(row.probability - with_case) > 1e-4, "a case in the mean would show"


def test_overall_is_nan_where_a_scenario_is_not_fitted_unless_skipna(result):
    overall = result.overall()
    assert overall[["probability", "lower", "upper"]].isna().all(axis=None)
    assert (overall["n_groups"] == 2).all()
    skipping = result.overall(skipna=True)
    for row in skipping.itertuples():
        k = PROPERTIES.index(row.property)
        cells = [sigmoid(result.fitted.fits[row.judge, g].mean[k]) for g in ("Code", "Chat")]
        assert row.probability == pytest.approx(sum(cells) / 2, rel=1e-12)


def test_overall_of_cases_alone_is_refused(result):
    with pytest.raises(OptionError, match="these fits are of cases"):
        result.sel(group="hard").overall(skipna=True)


# text


@pytest.mark.parametrize("style", ["markdown", "latex"])
def test_text_tables_hold_the_numbers(result, style):
    text = getattr(result, f"to_{style}")(digits=3)
    separator = "|" if style == "markdown" else "&"
    rows = [
        [cell.strip() for cell in re.sub(r"\\\\$", "", line.strip()).strip("|").split(separator)]
        for line in text.splitlines()
        if line.count(separator) >= 6
    ]
    body = [r for r in rows if r[0] in JUDGES]
    fitted = result.weights[result.weights["engine"] != "none"]
    assert len(body) == len(fitted)
    for cells, row in zip(body, fitted.itertuples(), strict=True):
        assert cells[:3] == [row.judge, row.group, row.label]
        assert cells[3] == f"{row.mean:.3f}"
        assert cells[4] == f"[{row.lower:.3f}, {row.upper:.3f}]"
        assert [float(c) for c in cells[5:]] == pytest.approx([row.prob_positive, row.probability], abs=6e-4)
    assert ("80%" if style == "markdown" else r"80\% interval") in text


def test_repr_tells_both_ends_intervals_and_what_is_left_out(result):
    text = repr(result)
    assert "2 judges x 4 groups, 3 properties (comparison)" in text
    assert "80% equal-tailed intervals" in text
    for judge in JUDGES:
        row = result.weights.query("judge == @judge and group == 'Code' and identified").nlargest(1, "mean").iloc[0]
        block = text.split(f"{judge}, Code:")[1]
        assert (
            block.split("most")[1]
            .lstrip()
            .startswith(f"{row['label']} {row['mean']:+.2f} [{row['lower']:.2f}, {row['upper']:.2f}]")
        )
    n = result.weights.query("judge == 'you' and group == 'Thin'")["n_pairs"].iloc[0]
    assert f"you in Thin ({n})" in text
    unidentified = int((~result.weights[result.weights["engine"] != "none"]["identified"]).sum())
    assert re.search(rf"Not identified.*: {unidentified}\b", text)
    ties = (table_of_pairs()["judge_me"] == "tie").sum()
    hard_ties = (table_of_pairs().query("hard")["judge_me"] == "tie").sum()
    assert f"{ties + hard_ties} tie, dropped" in text
    assert text.splitlines()[0] in result._repr_html_()
