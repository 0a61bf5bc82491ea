"""The fast engines against stored long runs, and on real preferences against NUTS.

The stored runs are NUTS of another library (4 chains of 20,000 draws, ESS above 68,000): their error is
about 0.004 sd for a mean, and up to 0.02 sd for the 3% and 97% quantiles.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prefdissect as pdx
from cells import draws_of, make_cell, summary_of
from prefdissect.features import Cell
from prefdissect.inference.prior import PriorArrays
from reference_study import make_study

PRIOR = PriorArrays(np.full(29, 0.1), np.ones(29, dtype=bool))
FITS = [("Advice", 0), ("Others", 20), ("express_feeling", 0)]


@pytest.fixture(scope="module")
def stored(data_dir) -> dict[str, np.ndarray]:
    file = data_dir.parent / "reference" / "long_nuts_reference.npz"
    if not file.is_file():
        pytest.skip(f"no stored runs: {file.name} is not beside the data")
    with np.load(file) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def study(data_dir) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    return make_study(data_dir / "gair")


def cell_of(study, group: str, judge: int) -> Cell:
    x, labels, rows = study
    return make_cell(x[rows[group]], labels[rows[group], judge])


@pytest.mark.parametrize(("group", "judge"), FITS)
def test_ep_is_near_the_stored_runs(study, stored, group, judge):
    """Means within 0.03 sd, sds within 3%, bounds within 0.1 sd; in the first fit six columns never differ."""
    cell = cell_of(study, group, judge)
    drawn = draws_of("ep", cell, PRIOR, draws=250, chains=4)
    fit = summary_of(drawn, cell, PRIOR)
    mean, sd, quantiles = (stored[f"{group}|{judge}|{name}"] for name in ("mean", "sd", "q"))
    assert drawn.certified
    assert np.abs((fit.mean - mean) / sd).max() < 0.03
    assert np.abs(fit.sd / sd - 1).max() < 0.03
    assert np.abs((fit.lower - quantiles[0]) / sd).max() < 0.1
    assert np.abs((fit.upper - quantiles[2]) / sd).max() < 0.1


@pytest.mark.parametrize(("group", "judge"), FITS)
def test_exact_is_within_monte_carlo_errors_of_the_stored_runs(study, stored, group, judge):
    """Means within 4 errors of 160,000 draws and the stored run's; sds within 4%, and quantiles within 0.07 sd.

    Their errors: sds 1% (a Laplace has a kurtosis of 6), quantiles 0.015 sd, in both runs.
    """
    drawn = draws_of("exact", cell_of(study, group, judge), PRIOR, draws=40_000, chains=4)
    draws = drawn.weight.reshape(-1, 29)
    mean, sd, quantiles = (stored[f"{group}|{judge}|{name}"] for name in ("mean", "sd", "q"))
    error = sd * np.hypot(1 / np.sqrt(drawn.ess_bulk), 1 / np.sqrt(68_000))
    assert drawn.certified
    assert drawn.ess_bulk.min() > 20_000
    assert (np.abs(draws.mean(axis=0) - mean) < 4 * error).all()
    assert np.abs(draws.std(axis=0) / sd - 1).max() < 0.04
    assert np.abs((np.quantile(draws, [0.03, 0.5, 0.97], axis=0) - quantiles) / sd).max() < 0.07


# Real preferences


@pytest.fixture(scope="module")
def hanna(data_dir) -> Path:
    return data_dir / "hanna" / "pairs_engagement.parquet"


def test_bounds_of_ep_where_two_columns_are_collinear(hanna):
    """HANNA, judge beluga13b_p2, compression and text_length: bounds within 0.1 sd of 40,000 exact draws.

    The quantiles of those have an error of about 0.02 sd.
    """
    data = pdx.load(hanna, judges=["judge_beluga13b_p2"])
    ep = pdx.dissect(data, engine="ep", preset="paper", random_seed=0).weights
    exact = pdx.dissect(data, draws=10_000, preset="paper", random_seed=0).weights
    correlation = np.corrcoef(
        pdx.dissect(data, preset="paper", random_seed=0)
        .design.x[:, [ep["property"].tolist().index(p) for p in ("compression", "text_length")]]
        .T
    )[0, 1]
    assert abs(correlation) > 0.8
    assert set(ep["engine"]) == {"ep"}
    assert ep["certified"].all()
    for column in ("lower", "upper"):
        assert (np.abs(ep[column] - exact[column]) < 0.1 * exact["sd"]).all()
    assert (np.abs(ep["mean"] - exact["mean"]) < 0.03 * exact["sd"] + 4 * exact["sd"] / exact["ess_bulk"] ** 0.5).all()


@pytest.mark.parametrize("source", ["hanna/pairs_engagement.parquet", "topical_chat/pairs.parquet"])
def test_default_engine_agrees_with_nuts(data_dir, source):
    """A judge and 550 pairs at most: means within 4 combined Monte Carlo errors, at an ESS of 1,000 or more each."""
    data = pdx.load(pd.read_parquet(data_dir / source).head(550))  # 10 prompts of HANNA
    judges = data.judges[:1]
    exact = pdx.dissect(data, judges, random_seed=0).weights
    nuts = pdx.dissect(data, judges, engine="nuts", random_seed=1).weights
    assert set(exact["engine"]) == {"exact"}
    assert set(nuts["engine"]) == {"nuts"}
    assert exact["certified"].all()
    assert exact["ess_bulk"].min() > 1000
    error = np.hypot(exact["sd"] / exact["ess_bulk"] ** 0.5, nuts["sd"] / nuts["ess_bulk"] ** 0.5)
    assert (np.abs(exact["mean"] - nuts["mean"]) < 4 * error).all()
    assert (np.abs(exact["sd"] / nuts["sd"] - 1) < 0.15).all()


def test_fold_means_of_ep_agree_with_nuts_refits(data_dir):
    """Topical-Chat, five folds: within 0.03 sd and 4 Monte Carlo errors of NUTS on the same folds."""
    data = pdx.load(data_dir / "topical_chat" / "pairs.parquet")
    judge = data.judges[0]
    asked = {"folds": 5, "preset": "paper", "random_seed": 0}
    ep, nuts = (pdx.dissect(data, judge, engine=e, **asked).weights for e in ("ep", "nuts"))
    assert set(ep["engine"]) == {"ep"}
    error = nuts["sd"] / nuts["ess_bulk"] ** 0.5
    assert (np.abs(ep["mean"] - nuts["mean"]) < 0.03 * nuts["sd"] + 4 * error).all()
    assert (np.abs(ep["sd"] / nuts["sd"] - 1) < 0.1).all()
