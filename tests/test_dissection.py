"""The facade: `dissect` on tables, its options and errors, `predict`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import prefdissect as pdx
from prefdissect import errors
from prefdissect.schema import Property, PropertySchema

PROPERTIES = ("clear", "long", "flat")
few_draws = pytest.mark.filterwarnings("ignore::prefdissect.errors.ConvergenceWarning")
FEW = {"draws": 10, "chains": 2, "random_seed": 0}


def table_of_pairs(n: int = 150) -> pd.DataFrame:
    """Return pairs whose judge `me` prefers what is clear and short; `flat` never differs."""
    rng = np.random.default_rng(0)
    df = pd.DataFrame({f"{p}_{side}": rng.integers(0, 4, n).astype(float) for p in PROPERTIES for side in "ab"})
    df["flat_b"] = df["flat_a"]
    x = np.sign(df["clear_a"] - df["clear_b"]) - 0.5 * np.sign(df["long_a"] - df["long_b"])
    df["judge_me"] = np.where(x + rng.logistic(size=n) > 0, "A", "B")
    df["judge_opposite"] = np.where(df["judge_me"] == "A", "B", "A")
    return df


@pytest.fixture(scope="module")
def result() -> pdx.Dissection:
    """Return three judges: one, its opposite, and one who contradicts itself when the order turns."""
    wide = pdx.load(table_of_pairs())
    twice = pd.concat(
        wide.verdicts[wide.verdicts["judge"] == "me"].assign(judge="torn", first=first, value=value, outcome=first)
        for first, value in (("A", 1.0), ("B", 0.0))
    )
    long = pd.concat([wide.verdicts.astype({"judge": object, "first": object, "outcome": object}), twice])
    ratings = table_of_pairs().drop(columns=["judge_me", "judge_opposite"]).assign(pair_id=wide.pairs.index)
    columns = long[["pair_id", "judge", "first", "repeat", "value"]]
    return pdx.dissect(columns.merge(ratings, on="pair_id"), draws=1000, chains=2, random_seed=1)


def cell(result: pdx.Dissection, judge: str) -> pd.DataFrame:
    return result.sel(judge=judge).weights.set_index("property")


# What a dissection says of judges. Means are compared within 4 combined Monte Carlo errors, sd /
# sqrt(ESS) with ESS of about 2,000: a comparison fails by chance with probability 6e-5.


def test_opposite_verdicts_give_opposite_weights(result):
    me, opposite = cell(result, "me"), cell(result, "opposite")
    error = np.hypot(me["sd"] / np.sqrt(me["ess_bulk"]), opposite["sd"] / np.sqrt(opposite["ess_bulk"]))
    assert (np.abs(me["mean"] + opposite["mean"]) < 4 * error).all()
    assert me["mean"]["clear"] > 20 * error["clear"]
    assert me["mean"]["long"] < -4 * error["long"]


def test_judge_who_contradicts_itself_is_kept_at_one_half(result):
    """Two orders that disagree are no tie: all 150 pairs stay under ties='drop', and weights are 0."""
    torn = cell(result, "torn")
    assert (torn["n_pairs"] == 150).all()
    assert (np.abs(torn["mean"]) < 4 * torn["sd"] / np.sqrt(torn["ess_bulk"])).all()
    assert (result.data.labels["torn"] == 0.5).all()


def test_property_that_never_differs_is_the_prior(result):
    """Laplace(0.1): mean 0, sd 0.141; the sd of 2,000 draws of it is known to about 4%."""
    flat = result.weights[result.weights["property"] == "flat"]
    assert not flat["identified"].any()
    assert (flat["n_differs"] == 0).all()
    assert (np.abs(flat["mean"]) < 4 * flat["sd"] / np.sqrt(flat["ess_bulk"])).all()
    np.testing.assert_allclose(flat["sd"], 0.1 * np.sqrt(2), rtol=0.16)
    assert "Not identified" in repr(result)
    assert result.weights[result.weights["property"] != "flat"]["identified"].all()


@few_draws
def test_swapping_both_responses_and_verdicts_changes_nothing():
    """The collapsed rows are the same, so the draws are the same, bit for bit."""
    df = table_of_pairs()
    swapped = df.rename(columns={f"{p}_{s}": f"{p}_{t}" for p in PROPERTIES for s, t in ("ab", "ba")})
    swapped["judge_me"] = df["judge_opposite"]
    one, other = (pdx.dissect(d, judge="me", **FEW).posterior["weight"] for d in (df, swapped))
    np.testing.assert_allclose(one, other, rtol=1e-4)


# Groups and options


@few_draws
def test_thin_group_is_reported_and_not_fitted():
    df = table_of_pairs(60).assign(kind=["big"] * 50 + ["small"] * 9 + [None])
    result = pdx.dissect(df, judge="me", by="kind", **FEW)
    weights = result.weights.set_index(["group", "property"])
    assert weights["engine"].to_dict() == {
        (g, p): e for g, e in (("big", "exact"), ("small", "none")) for p in PROPERTIES
    }
    assert weights.loc["small", "mean"].isna().all()
    assert (weights.loc["small", "n_pairs"] == 9).all()
    assert np.isnan(result.posterior["weight"].sel(group="small")).all()
    assert "too few pairs: me in small (9)" in repr(result)


def test_nothing_fitted_at_all():
    with pytest.raises(errors.TooFewPairsError, match="me.*min_pairs=10.*9|min_pairs=10.*9.*me"):
        pdx.dissect(table_of_pairs(9), judge="me")


@few_draws
def test_seed_is_recorded_and_repeats_the_fit():
    fresh = pdx.dissect(table_of_pairs(30), judge="me", draws=10, chains=2, random_seed=None)
    seed = fresh.options["random_seed"]
    assert isinstance(seed, int)
    again = pdx.dissect(table_of_pairs(30), judge="me", draws=10, chains=2, random_seed=seed)
    np.testing.assert_array_equal(fresh.posterior["weight"], again.posterior["weight"])


@few_draws
def test_generator_gives_a_recorded_seed():
    """The same generator state gives the same seed, and a fit moves the state on."""
    generator = np.random.default_rng(7)
    first = pdx.dissect(table_of_pairs(30), judge="me", draws=10, chains=2, random_seed=generator)
    assert first.options["random_seed"] == int(np.random.default_rng(7).integers(2**32))
    assert generator.bit_generator.state != np.random.default_rng(7).bit_generator.state


@few_draws
@pytest.mark.parametrize(
    ("column", "judge"), [("X", "X"), ("judge_X", "X"), ("judge_X", "judge_X"), ("judge_X", ["X", "judge_X"])]
)
def test_judge_is_named_with_or_without_prefix(column, judge):
    df = table_of_pairs(30).rename(columns={"judge_me": column})
    result = pdx.dissect(df, judge=judge, **FEW)
    assert result.judges == ["X"]
    assert len(result.weights) == 3
    expected = (df[column] == "A").astype(float)
    np.testing.assert_array_equal(result.design.y[:, 0], expected)


@few_draws
def test_ties_are_dropped_or_half():
    df = table_of_pairs(40)
    df.loc[:9, "judge_me"] = "tie"
    dropped, half = (pdx.dissect(df, judge="me", ties=t, **FEW) for t in ("drop", "half"))
    assert dropped.weights["n_pairs"].unique().tolist() == [30]
    assert dropped.dropped.to_dict("records") == [{"judge": "me", "group": "all", "reason": "tie, dropped", "n": 10}]
    assert half.weights["n_pairs"].unique().tolist() == [40]
    assert half.dropped.empty
    assert (half.design.y[:10, 0] == 0.5).all()


# Errors: one line each, with the value, where it is, and what would do


def broken(**columns) -> pd.DataFrame:
    return table_of_pairs(30).assign(**columns)


NUMBERS = [1.0] * 30
BAD = {
    "unknown judge": (broken(), {"judge": "mee"}, errors.UnknownNameError, "unknown judge 'mee'; close matches: 'me'"),
    "no judge": (
        table_of_pairs(30).drop(columns=["judge_me", "judge_opposite"]),
        {},
        errors.UnknownNameError,
        "no judge",
    ),
    "label": (
        broken(judge_me=["A"] * 29 + ["C"], pair_id=[f"p{i}" for i in range(30)]),
        {},
        errors.VerdictError,
        "judge 'me', pair 'p29': 'C' is no verdict.*valid",
    ),
    "duplicate": (
        broken(pair_id=["p0", *(f"p{i}" for i in range(29))]),
        {},
        errors.DuplicateError,
        "pair_id 'p0'.*row 1",
    ),
    "no verdict": (broken(judge_me=[None] * 30), {"judge": "me"}, errors.DataError, "judge 'me' has no usable verdict"),
    "only ties": (
        broken(judge_me=["tie"] * 30),
        {"judge": "me"},
        errors.DataError,
        "decided no pair: all 30 usable verdicts are ties",
    ),
    "infinite": (
        broken(clear_a=[*NUMBERS[:29], np.inf], pair_id=[f"p{i}" for i in range(30)]),
        {},
        errors.RatingError,
        "clear.*p29.*inf|clear.*inf.*p29",
    ),
    "empty": (table_of_pairs(30).iloc[:0], {}, errors.DataError, "empty"),
    "no file": ("nowhere/pairs.csv", {}, errors.FileFormatError, "there is no file 'nowhere/pairs.csv'"),
    "no property": (table_of_pairs(30)[["judge_me"]], {}, errors.DataError, "rate no property"),
    "by": (broken(), {"by": "scenari"}, errors.ColumnError, "by='scenari'.*close matches: 'scenario'"),
    "case": (broken(), {"by": "case"}, errors.ColumnError, "by='case', but the data mark no cases"),
    "encoding": (broken(), {"encoding": "dif"}, errors.OptionError, "encoding='dif'.*close matches: 'diff'"),
    "ties": (
        broken(),
        {"ties": "keep"},
        errors.OptionError,
        "ties='keep'.*valid: 'davidson', 'ordered', 'drop', 'half'",
    ),
    "engine": (broken(), {"engine": "nutz"}, errors.OptionError, "engine='nutz'.*'nuts'"),
    "interval": (broken(), {"interval": 94}, errors.OptionError, "interval=94 must be.*below 1"),
    "draws": (broken(), {"draws": 3}, errors.OptionError, "draws=3 must be a whole number of at least 4"),
    "chains": (broken(), {"chains": 0}, errors.OptionError, "chains=0"),
    "folds": (broken(), {"folds": 1}, errors.OptionError, "folds=1 must be a whole number of at least 2"),
    "min_pairs": (broken(), {"min_pairs": 2.5}, errors.OptionError, "min_pairs=2.5"),
    "seed": (broken(), {"random_seed": -1}, errors.OptionError, "random_seed=-1"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_clear_line(name):
    data, options, kind, message = BAD[name]
    with pytest.raises(kind, match=message) as caught:
        pdx.dissect(data, **options)
    assert "\n" not in str(caught.value)


def test_property_that_is_not_numeric():
    df = broken(clear_a=["high"] * 30)
    with pytest.raises(errors.DataError, match="clear.*'high'|'high'.*clear") as caught:
        pdx.dissect(pdx.load(df, properties=["clear", "long"]))
    assert "\n" not in str(caught.value)


def test_unreadable_file(tmp_path):
    path = tmp_path / "pairs.parquet"
    path.write_text("no parquet")
    with pytest.raises(errors.FileFormatError, match=r"cannot read .*pairs\.parquet"):
        pdx.dissect(path, judge="me")


# predict


@pytest.fixture(scope="module")
def normed() -> pdx.Dissection:
    with pytest.warns(errors.ConvergenceWarning):
        return pdx.dissect(table_of_pairs(), judge="me", encoding="norm_diff", draws=20, chains=2, random_seed=2)


def new_pairs() -> pd.DataFrame:
    """Return ratings far beyond those of the fit, so that scales learned anew would differ."""
    rng = np.random.default_rng(3)
    df = pd.DataFrame({f"{p}_{s}": rng.normal(0, 20, 25) for p in PROPERTIES for s in "ab"})
    df.loc[4, "long_b"] = np.nan
    return df.assign(clear_a=lambda d: d["clear_b"] + rng.normal(0, 1, 25))


def test_predict_by_hand(normed):
    old, new = table_of_pairs(), new_pairs()
    weight = normed.weights.set_index("property")["mean"]
    draws = normed.posterior["weight"].sel(judge="me", group="all").to_numpy().reshape(-1, 3).astype(float)
    predicted = normed.predict(new)
    assert predicted["pair_id"].tolist() == [f"pair-{i}" for i in range(25)]
    for i, row in enumerate(predicted.itertuples()):
        x = []
        for p in PROPERTIES:
            scale = np.quantile(np.abs(old[f"{p}_a"] - old[f"{p}_b"]), 0.95) or 1.0
            x.append(float(np.clip((new[f"{p}_a"][i] - new[f"{p}_b"][i]) / scale, -1, 1)))
        if i == 4:
            assert np.isnan([row.probability, row.lower, row.upper]).all()
            continue
        assert row.probability == pytest.approx(1 / (1 + np.exp(-(weight.to_numpy() @ x))), rel=1e-6)
        of_draws = np.quantile(1 / (1 + np.exp(-(draws @ x))), [0.03, 0.97])
        # Quantile and sigmoid change places: they differ by the interpolation between two of 40 draws.
        assert (row.lower, row.upper) == pytest.approx(tuple(of_draws), abs=0.002)
        assert row.lower < row.probability < row.upper
    assert predicted.attrs["interval"] == 0.94


def test_predict_needs_every_property(normed):
    lacking = new_pairs().drop(columns=["long_a"])
    with pytest.raises(errors.ColumnError, match="property 'long' has no columns"):
        normed.predict(lacking)
    with pytest.raises(errors.UnknownNameError, match="lack property 'long'"):
        normed.predict(pdx.load(lacking))


@few_draws
def test_predict_reads_a_table_as_the_fit_did():
    """A frame whose columns only the schema understands: rated the other way round, with labels."""
    properties = (
        Property(id="fresh", kind="rating", range=(0, 3), rated="stale", direction="lower"),
        Property(id="agrees", kind="label", labels={"yes": 1.0, "no": -1.0}),
    )
    schema, rng = PropertySchema(name="mine", properties=properties), np.random.default_rng(4)
    df = pd.DataFrame({f"stale_{s}": rng.integers(0, 4, 60) for s in "ab"})
    df = df.assign(**{f"agrees_{s}": rng.choice(["yes", "no"], 60) for s in "ab"})
    df["judge_me"] = np.where(df["stale_a"] < df["stale_b"], "A", "B")
    data = pdx.load(df, schema=schema)
    result = pdx.dissect(data, **FEW)
    pd.testing.assert_frame_equal(result.predict(df), result.predict(data))


@few_draws
def test_predict_by_scenario():
    """A pair is predicted by the fit of its own scenario; pairs of none that was fitted are an error."""
    df = table_of_pairs(60).assign(scenario=["Code", "Chat"] * 30)
    result = pdx.dissect(df, judge="me", **FEW)
    predicted = result.predict(df)
    assert predicted.groupby("group")["pair_id"].agg(list).to_dict() == {
        "Code": [f"pair-{i}" for i in range(0, 60, 2)],
        "Chat": [f"pair-{i}" for i in range(1, 60, 2)],
    }
    mean = result.weights.set_index(["group", "property"])["mean"]
    for row in predicted.itertuples():
        pair = df.iloc[int(row.pair_id.removeprefix("pair-"))]
        t = sum(mean[row.group, p] * np.sign(pair[f"{p}_a"] - pair[f"{p}_b"]) for p in PROPERTIES)
        assert row.probability == pytest.approx(1 / (1 + np.exp(-t)), rel=1e-9)
    with pytest.raises(errors.UnknownNameError, match="none of the fitted groups"):
        result.predict(df.assign(scenario="Poetry"))
