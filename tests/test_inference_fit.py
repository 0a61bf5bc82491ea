"""From a design to a posterior: streams, folds, summaries, the certificate."""

from __future__ import annotations

import joblib
import numpy as np
import pandas as pd
import pytest
import threadpoolctl

import prefdissect as pdx
from cells import drawn_by_hand, summarise
from prefdissect.errors import ConvergenceWarning, TooFewPairsError
from prefdissect.features import Cell, build_design
from prefdissect.inference.fit import fit_cells, fit_design, leave_out_folds, make_rng
from prefdissect.inference.options import FitOptions
from prefdissect.inference.prior import Normal, arrange_prior
from prefdissect.inference.summary import equal_tailed, keep_draws
from prefdissect.inference.threads import one_blas_thread
from prefdissect.tables import weights_table
from sampler import make_log_density, metropolis, moments

# Few draws cannot pass the certificate: it is tested on draws made by hand.
few_draws = pytest.mark.filterwarnings("ignore::prefdissect.errors.ConvergenceWarning")


def options(**changes) -> FitOptions:
    return FitOptions(
        **{
            "engine": "exact",
            "draws": 1000,
            "chains": 4,
            "folds": None,
            "interval": 0.9,
            "min_pairs": 10,
            "random_seed": 0,
        }
        | changes
    )


def tiny_frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    ratings = {f"{p}_{side}": rng.integers(0, 4, 40) for p in ("p", "q", "r") for side in "ab"}
    return pd.DataFrame(ratings | {f"judge_j{i}": rng.choice(["A", "B"], 40) for i in (1, 2)})


@pytest.fixture(scope="module")
def serial() -> pdx.Dissection:
    with pytest.warns(ConvergenceWarning):
        return pdx.dissect(tiny_frame(), draws=40, chains=2, random_seed=3)


# Streams


@few_draws
def test_part_of_a_grid_repeats_the_grid(serial):
    alone = pdx.dissect(tiny_frame(), judge="j2", draws=40, chains=2, random_seed=3)
    np.testing.assert_array_equal(alone.posterior["weight"], serial.posterior["weight"].sel(judge=["j2"]))
    for column in ("mean", "sd", "lower", "upper"):
        pd.testing.assert_series_equal(alone.weights[column], serial.sel(judge="j2").weights[column], check_exact=True)
    first, second = (serial.posterior["weight"].sel(judge=j) for j in ("j1", "j2"))
    assert not np.array_equal(first, second)


@few_draws
@pytest.mark.timeout(120)
def test_side_by_side_gives_the_same_as_one_after_another(serial):
    with joblib.parallel_config(n_jobs=2):
        parallel = pdx.dissect(tiny_frame(), draws=40, chains=2, random_seed=3)
    np.testing.assert_array_equal(parallel.posterior["weight"], serial.posterior["weight"])
    pd.testing.assert_frame_equal(parallel.weights, serial.weights, check_exact=True)


@few_draws
def test_other_seed_other_draws(serial):
    other = pdx.dissect(tiny_frame(), judge="j1", draws=40, chains=2, random_seed=4)
    assert not np.isin(other.posterior["weight"], serial.posterior["weight"]).any()


def test_streams_differ_by_seed_judge_and_group_and_by_nothing_else():
    def state(judge="j", group="g", **changes):
        cell = Cell(judge, group, np.zeros((1, 1)), np.zeros(1), np.ones(1), np.zeros(1, dtype=np.int64))
        return tuple(make_rng(options(**changes), cell).integers(2**32, size=4))

    several = [state(), state(judge="k"), state(group="h"), state(random_seed=1), state("g", "j")]
    assert len(set(several)) == len(several)
    assert state() == state(draws=5, chains=1, interval=0.5, min_pairs=1, folds=3)
    assert state(random_seed=2**40) != state(random_seed=2**41)


# Folds


@pytest.mark.parametrize(("n", "folds"), [(10, 2), (103, 10), (7, 7), (5240, 10)])
def test_every_row_is_left_out_once(n, folds):
    parts = leave_out_folds(n, options(folds=folds))
    left_out = [np.setdiff1d(np.arange(n), part) for part in parts]
    assert len(parts) == folds
    assert np.sort(np.concatenate(left_out)).tolist() == list(range(n))
    assert {len(rows) for rows in left_out} <= {n // folds, -(-n // folds)}
    assert all((np.diff(part) > 0).all() for part in parts)


def test_folds_are_shuffled_by_the_seed():
    first, again, other = (leave_out_folds(30, options(folds=3, random_seed=s)) for s in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(first[0], np.arange(10, 30)), "the first third is not simply the first rows"


def test_folds_average_the_fits_without_each_fold():
    """Three fits by hand with the independent sampler on the rows that stay.

    60 chains of 800 steps on 40 rows: an error of about 0.02 sd for each, as for NUTS (2 x 1,000
    draws, about 0.025 sd). The tolerance is 4 combined errors; that the fit of all rows is farther
    away than that from the average shows that the test can fail.
    """
    rng = np.random.default_rng(5)
    x = rng.integers(-1, 2, (60, 3)).astype(float)
    y = (x @ [2.0, -1.5, 1.0] + rng.logistic(size=60) > 0).astype(float)
    cell, prior = Cell("j", "g", x, y, np.ones(60), np.arange(60)), arrange_prior(Normal(1.0), ("p", "q", "r"))
    how = options(folds=3, draws=1000, chains=2, random_seed=6)

    def by_hand(rows):
        log_density = make_log_density(x[rows], y[rows], 1.0, is_laplace=False)
        start = rng.normal(0, 1, (60, 3))
        return moments(metropolis(log_density, start, np.eye(3) * 0.15, burn=200, steps=800, rng=rng))

    found = fit_cells([cell], prior, how, kept=1000)[0]
    of_folds = [by_hand(rows) for rows in leave_out_folds(60, how)]
    average = np.mean([m.mean for m in of_folds], axis=0)
    error = np.sqrt(np.sum([m.mean_error**2 for m in of_folds], axis=0)) / 3
    error = np.hypot(error, found.sd / np.sqrt(found.ess_bulk))
    assert (np.abs(found.mean - average) < 4 * error).all()
    assert (np.abs(by_hand(np.arange(60)).mean - average) > 4 * error).any()


def test_folds_mix_in_equal_parts():
    """Mean, sd and bounds are those of all folds' draws together; R-hat the worst, ESS the sum."""
    rng = np.random.default_rng(7)
    drawn = [drawn_by_hand(rng.normal(shift, 1, (4, 500, 2)), d) for shift, d in ((0, 0), (1, 2), (5, 0))]
    one_by_one = [summarise([d], interval=0.9, kept=500) for d in drawn]
    fit = summarise(drawn, interval=0.9, kept=1500)
    every = np.concatenate([d.weight.reshape(-1, 2) for d in drawn])
    np.testing.assert_allclose(fit.mean, np.mean([f.mean for f in one_by_one], axis=0))
    np.testing.assert_allclose(fit.sd, every.std(axis=0, ddof=1))
    np.testing.assert_allclose([fit.lower, fit.upper], np.quantile(every, [0.05, 0.95], axis=0))
    np.testing.assert_allclose(fit.r_hat, np.max([f.r_hat for f in one_by_one], axis=0))
    np.testing.assert_allclose(fit.ess_bulk, np.sum([f.ess_bulk for f in one_by_one], axis=0))
    assert fit.certificate == {"divergences": 2}
    assert not fit.certified


# Summaries


def test_summary_of_draws_by_brute_force():
    weight = np.random.default_rng(8).normal([0.2, -1.0], [0.5, 2.0], (4, 500, 2))
    fit = summarise([drawn_by_hand(weight)], interval=0.8, kept=500)
    for k in range(2):
        flat = np.sort(weight[:, :, k].ravel())
        assert fit.mean[k] == pytest.approx(flat.sum() / 2000)
        assert fit.sd[k] == pytest.approx(np.sqrt(((flat - flat.sum() / 2000) ** 2).sum() / 1999))
        assert fit.prob_positive[k] == np.count_nonzero(flat > 0) / 2000
        assert np.count_nonzero(flat < fit.lower[k]) == 200, "a tenth of the draws lies below"
        assert np.count_nonzero(flat > fit.upper[k]) == 200, "and a tenth above"
    assert fit.certified
    np.testing.assert_array_equal(fit.draws, weight.astype(np.float32))


def test_equal_tailed_leaves_half_of_the_rest_on_each_side():
    lower, upper = equal_tailed(np.arange(101.0)[None], 0.94)
    assert (lower[0], upper[0]) == pytest.approx((3.0, 97.0))
    for n in (1, 2, 7, 400):
        ordered = np.sort(np.random.default_rng(n).normal(size=(3, n)), axis=1)
        np.testing.assert_allclose(equal_tailed(ordered, 0.94), np.quantile(ordered, [0.03, 0.97], axis=1))


@pytest.mark.parametrize(
    ("fault", "certified"), [("none", True), ("stuck", False), ("slow", False), ("divergent", False)]
)
def test_certificate(fault, certified):
    """Needs R-hat of at most 1.01, bulk ESS of at least 400 in each column, and no divergence."""
    rng = np.random.default_rng(9)
    weight = rng.normal(size=(4, 1000, 2))
    if fault == "stuck":
        weight[0, :, 1] += 1.0
    if fault == "slow":  # each value 20 times: 200 independent ones
        weight[:, :, 1] = np.repeat(rng.normal(size=(4, 50)), 20, axis=1)
    fit = summarise([drawn_by_hand(weight, int(fault == "divergent"))], interval=0.9, kept=1000)
    assert fit.certified is certified
    assert (fit.r_hat[1] > 1.01) >= (fault == "stuck")
    assert (fit.ess_bulk[1] < 400) >= (fault == "slow")
    assert fit.r_hat[0] < 1.01
    assert fit.ess_bulk[0] > 2000


def test_large_grids_keep_fewer_draws_and_say_what_they_keep():
    assert [keep_draws(n, 1000, "exact") for n in (1, 50, 51)] == [1000, 1000, 250]
    assert [keep_draws(n, 1000, "ep") for n in (50, 51)] == [1000, 125]
    assert keep_draws(51, 100, "ep") == 100
    weight = np.random.default_rng(10).normal(size=(2, 1000, 2))
    fit = summarise([drawn_by_hand(weight)], interval=0.9, kept=250)
    assert fit.draws.shape == (2, 250, 2)
    assert fit.mean == pytest.approx(weight.mean(axis=(0, 1))), "tables come from all draws"
    assert np.isin(fit.draws, weight.astype(np.float32)).all()
    np.testing.assert_array_equal(fit.draws[:, [0, -1]], weight[:, [0, -1]].astype(np.float32))


def test_doubtful_fit_warns_in_the_callers_file():
    with pytest.warns(ConvergenceWarning, match="1 of 1 fits.*judge 'j1' in group 'all'") as caught:
        pdx.dissect(tiny_frame(), judge="j1", draws=4, chains=2, random_seed=0)
    assert [w.filename for w in caught if w.category is ConvergenceWarning] == [__file__]


def test_nothing_to_fit():
    with pytest.raises(TooFewPairsError, match=r"41 usable pairs.*40, judge 'j1' in group 'all'"):
        pdx.dissect(tiny_frame(), min_pairs=41)


@pytest.mark.filterwarnings("ignore::prefdissect.ConvergenceWarning")
def test_threads_do_not_mix_up_judges():
    """Fits share one compiled model: its data must not change under a sampler in another thread."""
    study = pdx.simulate(100, schema=pdx.PAPER.select(["clear", "lengthy"]), judges=4, scenarios=None, random_seed=3)
    alone = pdx.dissect(study.data, draws=50, chains=2, random_seed=1).weights
    with joblib.parallel_config(backend="threading", n_jobs=2):
        together = pdx.dissect(study.data, draws=50, chains=2, random_seed=1).weights
    pd.testing.assert_frame_equal(alone, together)


def test_calls_at_once_leave_the_linear_algebra_as_it_was():
    """The call that began first ends first: its end must not free the threads of the other, nor pin them for good."""

    def threads() -> list[int]:
        return [pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]

    before, one, other = threads(), one_blas_thread(), one_blas_thread()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert set(threads()) == {1}
    other.__exit__(None, None, None)
    assert threads() == before


def test_an_order_effect_is_recovered_as_a_nuisance():
    """One judge, 1,500 pairs, true effect 0.8: its posterior sd is about 0.06, so 4 sds are 0.25."""
    schema = pdx.PAPER.select(["clear"])
    study = pdx.simulate(
        1500, schema=schema, judges=["j"], scenarios=None, weights={"clear": 0.5}, order_effect=0.8, random_seed=2
    )
    first = np.where(study.data.verdicts["first"] == "A", 1.0, -1.0)
    design = build_design(
        study.data, ["j"], by=None, encoding="comparison", ties="drop", nuisance={"shown first": first}
    )
    options = FitOptions("exact", 1000, 4, None, 0.94, 10, 0)
    posterior = fit_design(design, arrange_prior(pdx.Laplace(0.1), ["clear"], ["shown first"]), options)
    fit = posterior.fits["j", "all"]
    assert abs(fit.mean[1] - 0.8) < 4 * fit.sd[1]
    assert fit.sd[1] < 0.08
    table = weights_table(design, posterior, schema)
    assert table["property"].tolist() == ["clear"]
    assert table["mean"].tolist() == [fit.mean[0]]
