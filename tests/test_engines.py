"""The fast engines: right on hard cases, certified by their own criteria, and replaced where those fail.

Comparisons with a sampler are within 4 combined Monte Carlo errors: one fails by chance with
probability 6e-5, all of this file (about 400) with less than 0.03, and seeds are fixed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import prefdissect as pdx
from cells import as_arrays, draws_of, make_cell, reduced, summary_of
from prefdissect.errors import ConvergenceWarning
from prefdissect.features import Cell
from prefdissect.inference import Fit, Laplace, Normal, engines
from prefdissect.inference.certificate import certify_standin, failed_criteria
from prefdissect.inference.ep import StandIn, fit_ep
from prefdissect.inference.fit import fit_cells
from prefdissect.inference.options import FitOptions
from prefdissect.inference.prior import PriorArrays
from prefdissect.inference.surrogate import sample_ep, sample_exact
from sampler import Moments, in_errors, make_log_density, metropolis, moments


def ternary_cell(n: int, p: int = 6, *, seed: int = 0, effect: float = 0.5) -> Cell:
    rng = np.random.default_rng(seed)
    x = rng.integers(-1, 2, (n, p)).astype(float)
    w = rng.normal(0, effect, p)
    return make_cell(x, (rng.random(n) < 1 / (1 + np.exp(-(x @ w)))).astype(float))


def separable_cell() -> Cell:
    """Return labels that one column tells without error."""
    rng = np.random.default_rng(1)
    x = np.column_stack([rng.choice([-1.0, 1.0], 80), rng.integers(-1, 2, (80, 2))])
    return make_cell(x, (x[:, 0] > 0).astype(float))


def soft_cell() -> Cell:
    rng = np.random.default_rng(2)
    x = rng.integers(-1, 2, (120, 3)).astype(float)
    return make_cell(x, rng.random(120), rng.choice([0.5, 1.0, 2.0], 120))


def collinear_cell() -> Cell:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(200, 3))
    x[:, 1] = x[:, 0] + 0.15 * x[:, 1]
    return make_cell(x, (rng.random(200) < 1 / (1 + np.exp(-x[:, 0]))).astype(float))


HARD = {
    "ternary, scale 0.1": (ternary_cell(200), Laplace(0.1)),
    "ternary, scale 1": (ternary_cell(100, effect=1.0), Laplace(1.0)),
    "ternary, scale 3": (ternary_cell(60, effect=2.0), Laplace(3.0)),
    "fewer rows than columns": (ternary_cell(5, 8), Laplace(1.0)),
    "separable": (separable_cell(), Laplace(1.0)),
    "one pair": (make_cell(np.array([[1.0, -1.0, 0.0]]), np.ones(1)), Laplace(0.5)),
    "soft labels and weights": (soft_cell(), Laplace(0.3)),
    "collinear": (collinear_cell(), Laplace(0.5)),
    "normal prior": (ternary_cell(100), Normal(1.0)),
    "unit of a hundredth": (make_cell(ternary_cell(150).x * 100, ternary_cell(150).y), Laplace(0.001)),
}


def by_metropolis(cell: Cell, prior: PriorArrays) -> Moments:
    """Return moments from the log density alone: 200 chains that start from ep's Gaussian, twice as wide.

    Steps are counted so that the error is a few hundredths of a posterior sd.
    """
    rng = np.random.default_rng(7)
    standin = fit_ep(reduced(cell), prior)
    start = rng.multivariate_normal(standin.mean, 4 * standin.cov, 200)
    log_density = make_log_density(cell.x, cell.y, prior.scale, prior.is_laplace, cell.weight)
    return moments(metropolis(log_density, start, standin.cov, burn=800, steps=2500, rng=rng))


@pytest.mark.parametrize("case", HARD)
def test_exact_draws_from_the_posterior(case):
    cell, prior = HARD[case]
    arrays = as_arrays(prior, cell.x.shape[1])
    reference = by_metropolis(cell, arrays)
    drawn = draws_of("exact", cell, arrays, draws=4000, chains=4, seed=3)
    found = moments(drawn.weight, batches=20)
    assert reference.ess.min() > 2000, "the comparison would be blunt"
    assert found.ess.min() > 400
    assert in_errors(found, reference).max() < 4


@pytest.mark.parametrize("case", ["ternary, scale 0.1", "soft labels and weights", "normal prior", "one pair"])
def test_ep_has_the_moments_of_the_posterior_where_it_is_certified(case):
    """Within 0.03 posterior sd beyond the reference's error; what ep leaves out is of that order."""
    cell, prior = HARD[case]
    arrays = as_arrays(prior, cell.x.shape[1])
    reference = by_metropolis(cell, arrays)
    drawn = draws_of("ep", cell, arrays)
    fit = summary_of(drawn, cell, arrays)
    assert drawn.certified, drawn.certificate
    assert (np.abs(fit.mean - reference.mean) < 0.03 * reference.sd + 4 * reference.mean_error).all()
    assert (np.abs(fit.sd / reference.sd - 1) < 0.03 + 4 * reference.sd_error / reference.sd).all()


def test_a_broken_stand_in_is_refused_by_ep_and_put_right_by_exact():
    """Its precision is halved: draws are far too wide, which acceptance corrects and the certificate sees."""
    cell, prior = ternary_cell(300, 10), as_arrays(Laplace(0.3), 10)
    data = reduced(cell)
    right = fit_ep(data, prior)
    broken = replace(right, precision=right.precision / 2, cov=right.cov * 2)
    plan = {"draws": 16000, "chains": 4, "rng": np.random.default_rng(1), "on_share": lambda share: None}
    good, found = (sample_exact(data, prior, s, **plan) for s in (right, broken))
    assert in_errors(moments(found.weight, batches=20), moments(good.weight, batches=20)).max() < 4
    assert sample_ep(data, prior, right, **plan).certified
    assert not sample_ep(data, prior, broken, **plan).certified
    assert found.certificate["acceptance"] < 0.7 < good.certificate["acceptance"]


@pytest.mark.parametrize("prior", [Laplace(0.3), Normal(0.5)], ids=str)
def test_any_middle_to_reflect_at_is_allowed(prior):
    """Middles that are wrong by some sd make reflections be refused, or go far; they do not bend what is drawn."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(150, 5)) + 1.2 * rng.normal(size=(150, 1))
    data, arrays = reduced(make_cell(x, rng.integers(0, 2, 150))), as_arrays(prior, 5)
    right = fit_ep(data, arrays)
    off = replace(right, prior_linear=right.prior_linear + 10.0, prior_precision=2 * right.prior_precision)
    good, found = (
        sample_exact(data, arrays, s, draws=8000, chains=4, rng=np.random.default_rng(i), on_share=lambda share: None)
        for i, s in enumerate((right, off))
    )
    assert in_errors(moments(found.weight, batches=20), moments(good.weight, batches=20)).max() < 4
    assert found.ess_bulk.max() < 0.7 * good.ess_bulk.min(), "the middle made no difference, so nothing was tested"


@pytest.mark.parametrize("engine", ["ep", "exact"])
@pytest.mark.parametrize("prior", [Laplace(0.2), Normal(0.7)])
def test_column_that_never_differs_has_its_prior(engine, prior):
    cell = ternary_cell(150, 3)
    cell.x[:, 1] = 0
    arrays = as_arrays(prior)
    drawn = draws_of(engine, cell, arrays, draws=4000, chains=4)
    fit = summary_of(drawn, cell, arrays)
    sd = arrays.sd[1]
    bound = 0.2 * np.log(1 / 0.06) if isinstance(prior, Laplace) else 0.7 * 1.8807936
    if engine == "ep":  # in closed form
        assert fit.mean[1] == pytest.approx(0, abs=1e-9)
        assert fit.sd[1] == pytest.approx(sd, rel=1e-6)
        assert [fit.lower[1], fit.upper[1]] == pytest.approx([-bound, bound], rel=1e-3)
        assert fit.prob_positive[1] == pytest.approx(0.5)
    else:  # 16,000 draws: errors of 0.008 sd for the mean, and of 2% for sd and bounds of a Laplace
        assert abs(fit.mean[1]) < 4 * 0.008 * sd
        assert fit.sd[1] == pytest.approx(sd, rel=0.08)
        assert [fit.lower[1], fit.upper[1]] == pytest.approx([-bound, bound], rel=0.1)


def test_bounds_of_ep_near_the_kink():
    """Against quantiles of 80,000 exact draws, whose error at 3% and 97% is about 0.01 sd: within 0.05 sd.

    Gaussian bounds would be off by more than 0.1 here, so the test can fail.
    """
    cell, arrays = ternary_cell(60, 6, effect=0.1), as_arrays(Laplace(0.1), 6)
    fit = summary_of(draws_of("ep", cell, arrays), cell, arrays)
    draws = draws_of("exact", cell, arrays, draws=20000, chains=4).weight.reshape(-1, 6)
    lower, upper = np.quantile(draws, [0.03, 0.97], axis=0)
    assert (np.abs(fit.lower - lower) < 0.05 * fit.sd).all()
    assert (np.abs(fit.upper - upper) < 0.05 * fit.sd).all()
    assert np.abs(fit.prob_positive - (draws > 0).mean(axis=0)).max() < 0.03
    gaussian = fit.mean - 1.8807936 * fit.sd
    assert np.abs(gaussian - lower).max() > 0.1 * fit.sd.max()


def by_grid(x: np.ndarray, y: np.ndarray, scale: float, extent: float) -> np.ndarray:
    """Return mean, sd and the 3% and 97% quantiles of two weights by a sum over a fine grid, [column, 4]."""
    w = np.linspace(-extent, extent, 801)
    rows, counts = np.unique(np.column_stack([x, y]), axis=0, return_counts=True)
    density = -(np.abs(w)[:, None] + np.abs(w)) / scale
    for (a, b, label), n in zip(rows, counts, strict=True):
        t = a * w[:, None] + b * w
        density += n * (label * t - np.logaddexp(0, t))
    mass = np.exp(density - density.max())
    found = []
    for k in (0, 1):
        one = mass.sum(axis=1 - k) / mass.sum()
        mean = one @ w
        cdf = np.cumsum(one) - one / 2
        found.append([mean, np.sqrt(one @ (w - mean) ** 2), *np.interp([0.03, 0.97], cdf, w)])
    return np.array(found)


@pytest.mark.parametrize("scale", [0.1, 0.3, 1.0])
@pytest.mark.parametrize("noise", [0.0, 0.15, 0.4], ids=["twice the same", "nearly", "alike"])
@pytest.mark.parametrize("engine", ["ep", "exact"])
def test_columns_that_say_the_same(engine, noise, scale):
    """Means within 0.05 sd, sds within 4%, bounds within 0.1 sd of a sum over a grid.

    Both engines rest on some 4,000 effective draws here: errors of 0.015 sd, 1% and 0.03 sd. EP's own sds, or
    few conditionals, would be off by up to 10% and 0.2 sd.
    """
    rng = np.random.default_rng(8)
    x = rng.choice([-1.0, 0.0, 1.0], (300, 1)).repeat(2, axis=1)
    other = rng.random(300) < noise
    x[other, 1] = rng.choice([-1.0, 0.0, 1.0], other.sum())
    y = (rng.random(300) < 1 / (1 + np.exp(-0.6 * x[:, 0]))).astype(float)
    cell, arrays = make_cell(x, y), as_arrays(Laplace(scale), 2)
    drawn = draws_of(engine, cell, arrays, draws=4000, chains=4)
    fit = summary_of(drawn, cell, arrays)
    truth = by_grid(x, y, scale, extent=1.2 + 7 * scale)
    assert drawn.certified, drawn.certificate
    assert (np.abs(fit.mean - truth[:, 0]) < 0.05 * truth[:, 1]).all()
    np.testing.assert_allclose(fit.sd, truth[:, 1], rtol=0.04)
    assert (np.abs(np.stack([fit.lower, fit.upper], axis=1) - truth[:, 2:]) < 0.1 * truth[:, 1:2]).all()


def of_four_equal(statistic: float, rows: int, scale: float) -> np.ndarray:
    """Return mean, sd and the 3% and 97% quantiles of each of four weights whose columns are the same.

    All enter the likelihood by their sum: one weight and the sum of the other three, whose prior is a
    convolution, on a grid.
    """
    half = 40 * scale
    z = np.linspace(-half, half, 4001)
    one = np.exp(-np.abs(z) / scale)
    two = np.convolve(one, one, mode="same")
    three = np.convolve(two, one, mode="same")
    total = z[:, None] + z
    level = statistic * total - rows * np.log(2 * np.cosh(total / 2))
    mass = one / one.sum() * (np.exp(level - level.max()) @ three)
    mass /= mass.sum()
    mean = mass @ z
    return np.array([mean, np.sqrt(mass @ (z - mean) ** 2), *np.interp([0.03, 0.97], np.cumsum(mass) - mass / 2, z)])


def of_a_sum(x: np.ndarray, y: np.ndarray, scale: float) -> np.ndarray:
    """Return mean, sd and 3% and 97% quantiles of three weights, [column, 4]; the third column is the others' sum.

    The likelihood knows two sums of weights; the third weight is where on the line between them.
    """
    axis, free = np.linspace(-3.0, 3.0, 241), np.linspace(-40 * scale, 40 * scale, 4001)
    rows, counts = np.unique(np.column_stack([x[:, :2], y]), axis=0, return_counts=True)
    level = np.zeros((len(axis), len(axis)))
    for (a, b, label), n in zip(rows, counts, strict=True):
        t = a * axis[:, None] + b * axis
        level += n * (label * t - np.logaddexp(0, t))
    known = np.exp(level - level.max())
    grid = np.linspace(-6.0 - 40 * scale, 6.0 + 40 * scale, 8001)
    mass = np.zeros((3, len(grid)))
    prior_third = np.abs(free) / scale
    for i, first in enumerate(axis):
        for j in np.flatnonzero(known[i] > 1e-12):
            second = axis[j]
            weight = known[i, j] * np.exp(-(np.abs(first - free) + np.abs(second - free)) / scale - prior_third)
            for k, value in enumerate((first - free, second - free, free)):
                at = ((value - grid[0]) / (grid[1] - grid[0])).round().astype(int)
                mass[k] += np.bincount(at, weights=weight, minlength=len(grid))
    out = []
    for one in mass / mass.sum(axis=1, keepdims=True):
        mean = one @ grid
        quantiles = np.interp([0.03, 0.97], np.cumsum(one) - one / 2, grid)
        out.append([mean, np.sqrt(one @ (grid - mean) ** 2), *quantiles])
    return np.array(out)


def assert_near(fit: Fit, truth: np.ndarray) -> None:
    """Means within 0.06 sd, sds within 5%, bounds within 0.12 sd.

    Of some 15,000 effective draws 97% quantiles err by 0.02 to 0.04 sd, of 10,000 by a quarter more.
    """
    assert (np.abs(fit.mean - truth[:, 0]) < 0.06 * truth[:, 1]).all()
    np.testing.assert_allclose(fit.sd, truth[:, 1], rtol=0.05)
    assert (np.abs(np.stack([fit.lower, fit.upper], axis=1) - truth[:, 2:]) < 0.12 * truth[:, 1:2]).all()


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("engine", ["ep", "exact"])
def test_four_columns_that_are_the_same(engine, scale):
    """Pairs of weights alone creep here: sds would be off by up to two thirds, bounds by more than half an sd."""
    rng = np.random.default_rng(0)
    x = rng.integers(-1, 2, (400, 1)).astype(float)
    y = (rng.random(400) < 1 / (1 + np.exp(-2 * x[:, 0]))).astype(float)
    cell, arrays = make_cell(np.repeat(x, 4, axis=1), y), as_arrays(Laplace(scale), 4)
    drawn = draws_of(engine, cell, arrays, draws=4000, chains=4)
    truth = of_four_equal(float((y - 0.5) @ x[:, 0]), int(np.abs(x).sum()), scale)
    assert drawn.certified, drawn.certificate
    assert_near(summary_of(drawn, cell, arrays), np.tile(truth, (4, 1)))


@pytest.mark.parametrize("scale", [0.1, 1.0])
@pytest.mark.parametrize("engine", ["ep", "exact"])
def test_a_column_that_is_the_sum_of_two_others(engine, scale):
    rng = np.random.default_rng(1)
    x = rng.integers(-1, 2, (600, 2)).astype(float)
    y = (rng.random(600) < 1 / (1 + np.exp(-x[:, 0]))).astype(float)
    cell, arrays = make_cell(np.column_stack([x, x.sum(axis=1)]), y), as_arrays(Laplace(scale))
    drawn = draws_of(engine, cell, arrays, draws=4000, chains=4)
    assert drawn.certified, drawn.certificate
    assert_near(summary_of(drawn, cell, arrays), of_a_sum(x, y, scale))


def test_the_certificate_of_ep_looks_at_the_draws_behind_its_tables(monkeypatch):
    """Where they creep, as along ridges without moves that go along them, the fit is handed on."""
    rng = np.random.default_rng(0)
    x = np.repeat(rng.normal(size=(5000, 1)), 4, axis=1)
    y = (rng.random(5000) < 1 / (1 + np.exp(-x[:, 0]))).astype(float)
    cell, arrays = make_cell(x, y), as_arrays(Laplace(1.0), 4)
    assert draws_of("ep", cell, arrays).certified
    monkeypatch.setattr(StandIn, "directions", np.empty((0, 4)))
    creeping = draws_of("ep", cell, arrays)
    assert not creeping.certified
    assert creeping.certificate["ridge_ess"] < 2000


@pytest.mark.parametrize("engine", ["ep", "exact"])
def test_a_hundred_thousand_pairs_of_few_kinds(engine):
    """Rows repeat 10,000 times: the posterior is Gaussian, with the moments of its mode and curvature.

    Means within 4 Monte Carlo errors and what they differ from modes, 0.01 sd at this n.
    """
    rng = np.random.default_rng(9)
    w = np.array([2.0, 1.0])
    x = rng.choice([-1.0, 0.0, 1.0], (100_000, 2))
    y = (rng.random(len(x)) < 1 / (1 + np.exp(-(x @ w)))).astype(float)
    cell, arrays = make_cell(x, y), as_arrays(Laplace(0.1), 2)
    data, mode = reduced(cell), w.copy()
    for _ in range(10):
        t = mode @ data.xt
        gradient = data.statistic - data.xt @ (data.weight / 2 * np.tanh(t / 2)) - np.sign(mode) / 0.1
        covariance = np.linalg.inv((data.xt * (data.weight / 4 / np.cosh(t / 2) ** 2)) @ data.xt.T)
        mode += covariance @ gradient
    sd = np.sqrt(np.diag(covariance))
    drawn = draws_of(engine, cell, arrays, draws=1000, chains=4)
    fit = summary_of(drawn, cell, arrays)
    ess = 1e9 if engine == "ep" else fit.ess_bulk
    assert drawn.certified, drawn.certificate
    assert (np.abs(fit.mean - mode) < (0.02 + 4 / np.sqrt(ess)) * sd).all()
    np.testing.assert_allclose(fit.sd, sd, rtol=0.05)
    assert fit.lower == pytest.approx(mode - 1.8808 * sd, abs=0.1 * sd.max())


def test_tables_of_ep_do_not_depend_on_how_many_draws_are_kept():
    """A part of a grid keeps more draws than the grid."""
    cell, arrays = ternary_cell(80, 4), as_arrays(Laplace(0.3), 4)
    how = {"chains": 4, "folds": None, "interval": 0.94, "min_pairs": 10, "random_seed": 0}
    options = FitOptions(engine="ep", draws=1000, **how)
    few, many = (fit_cells([cell], arrays, options, kept=n)[0] for n in (10, 1000))
    assert (few.draws.shape, many.draws.shape) == ((4, 10, 4), (4, 1000, 4))
    assert few.certificate == many.certificate
    for name in few.SUMMARIES:
        np.testing.assert_array_equal(getattr(few, name), getattr(many, name))


def test_folds_do_not_depend_on_how_many_draws_are_kept():
    """Neither their certificates nor, with that, the engine: a part of a grid is what it is in the grid."""
    cells, arrays = [ternary_cell(60, 4, seed=s) for s in range(6)], as_arrays(Laplace(1.0), 4)
    options = FitOptions("ep", draws=1000, chains=4, folds=5, interval=0.94, min_pairs=10, random_seed=0)
    for cell in cells:
        few, many = (fit_cells([cell], arrays, options, kept=n)[0] for n in (10, 1000))
        assert few.engine == many.engine
        assert few.certificate == many.certificate
        np.testing.assert_array_equal(few.mean, many.mean)


def test_folds_of_which_a_sampler_took_over_some(monkeypatch):
    """Its draws and as many of ep's make up the table: within 0.06 sd of exact folds, bounds within 0.15.

    Both have 4,000 draws in each of 5 folds.
    """
    cell, arrays = ternary_cell(60, 4), as_arrays(Laplace(0.3), 4)
    options = FitOptions("ep", draws=1000, chains=4, folds=5, interval=0.94, min_pairs=10, random_seed=0)
    exact = fit_cells([cell], arrays, replace(options, engine="exact"), kept=10)[0]
    calls = []

    def refuse_one(*args, **kwargs):
        calls.append(1)
        return replace(sample_ep(*args, **kwargs), certified=len(calls) != 2)

    monkeypatch.setitem(engines._SAMPLERS, "ep", refuse_one)
    mixed = fit_cells([cell], arrays, options, kept=10)[0]
    assert mixed.engine == "exact"
    assert mixed.draws.shape == (4, 10, 4)
    assert np.isfinite(mixed.r_hat).all()
    assert (mixed.ess_bulk > 400).all()
    assert (np.abs(mixed.mean - exact.mean) < 0.06 * exact.sd).all()
    for name in ("lower", "upper"):
        assert (np.abs(getattr(mixed, name) - getattr(exact, name)) < 0.15 * exact.sd).all()


@pytest.mark.parametrize("engine", ["ep", "exact"])
@pytest.mark.parametrize(("folds", "off"), [(None, 0.06), (5, 0.12)])
def test_a_fit_carries_its_covariance_and_the_likelihoods_gaussian(engine, folds, off):
    """With Normal priors they are one and the same thing, up to what draws err and, in variances, folds differ.

    Means of 5 folds of a fifth each vary by 1/16 of the variance, with the spread of a variance of five.
    """
    cell, arrays = collinear_cell(), as_arrays(Normal(0.5))
    how = {"draws": 4000, "chains": 4, "interval": 0.94, "min_pairs": 10, "random_seed": 0}
    fit = fit_cells([cell], arrays, FitOptions(engine=engine, folds=folds, **how), kept=1000)[0]
    whole = fit.precision + np.eye(3) / 0.5**2
    scaled = np.outer(fit.sd, fit.sd)
    np.testing.assert_allclose(np.diag(fit.cov), fit.sd**2)
    np.testing.assert_allclose(fit.cov / scaled, np.linalg.inv(whole) / scaled, atol=off)
    np.testing.assert_allclose(fit.mean / fit.sd, np.linalg.solve(whole, fit.linear) / fit.sd, atol=off)


def test_folds_of_ep_agree_with_exact_refits():
    cell, arrays = ternary_cell(150, 4), as_arrays(Laplace(0.3), 4)
    how = {"draws": 2000, "chains": 4, "folds": 5, "interval": 0.94, "min_pairs": 10, "random_seed": 0}
    ep, exact = (fit_cells([cell], arrays, FitOptions(engine=e, **how), kept=1000)[0] for e in ("ep", "exact"))
    assert (ep.engine, exact.engine) == ("ep", "exact")
    error = exact.sd / np.sqrt(exact.ess_bulk)
    assert (np.abs(ep.mean - exact.mean) < 0.03 * exact.sd + 4 * error).all()
    np.testing.assert_allclose(ep.sd, exact.sd, rtol=0.05)
    assert (np.abs(ep.lower - exact.lower) < 0.1 * exact.sd).all()
    assert (np.abs(ep.upper - exact.upper) < 0.1 * exact.sd).all()


@pytest.mark.parametrize("engine", ["ep", "exact"])
def test_rounding_errors_do_not_keep_an_engine_busy_for_ever(engine):
    """Units and weights so large that double precision does not hold the posterior: an answer, and no certificate."""
    cell = make_cell(1e5 * ternary_cell(1, 5).x, np.ones(1), 1e6)
    drawn = draws_of(engine, cell, as_arrays(Laplace(10.0), 5), draws=50, chains=2)
    assert not drawn.certified


# Certificates and what follows from them


def test_certificate_of_a_stand_in():
    """Constant residuals pass whatever their level; a wide or a skewed one, or no convergence, does not."""
    rng = np.random.default_rng(0)
    residual = rng.normal(5.0, 0.05, 200)
    holds, figures = certify_standin(residual, converged=True)
    assert holds
    assert figures["residual_sd"] == pytest.approx(residual.std(ddof=1))
    ratio = np.exp(residual)
    assert figures["efficiency"] == pytest.approx(ratio.sum() ** 2 / (200 * (ratio**2).sum()))
    assert not certify_standin(residual, converged=False)[0]
    assert not certify_standin(rng.normal(0, 0.4, 200), converged=True)[0]
    assert not certify_standin(np.append(residual[:99], residual[0] + 2.5), converged=True)[0], "one heavy weight"


def test_a_fit_that_ep_cannot_certify_goes_to_exact_and_the_row_says_so():
    study = pdx.simulate(40, schema=pdx.PAPER.select(pdx.PAPER.ids[:12]), judges=["me"], scenarios=None, random_seed=0)
    with pytest.warns(ConvergenceWarning, match="1 of 1 fits failed the certificate of engine 'ep'.*'exact' for judge"):
        result = pdx.dissect(study.data, engine="ep", prior=Laplace(10.0), random_seed=0)
    assert set(result.weights["engine"]) == {"exact"}
    assert result.weights["certified"].all()
    assert result.options["engine"] == "ep"


@pytest.fixture
def spoilt(monkeypatch) -> pdx.PreferenceData:
    """Spoil the stand-in of each fit, so that acceptance falls below its limit; return data to fit."""

    def spoil(data, prior):
        standin = fit_ep(data, prior)
        return replace(standin, precision=standin.precision / 20)

    monkeypatch.setattr("prefdissect.inference.fit.fit_ep", spoil)
    schema = pdx.PAPER.select(pdx.PAPER.ids[:8])
    return pdx.simulate(400, schema=schema, judges=["me"], scenarios=None, random_seed=0).data


def test_a_fit_that_exact_cannot_certify_goes_to_nuts(spoilt):
    with pytest.warns(ConvergenceWarning, match="'nuts' for judge 'me' in group 'all'"):
        result = pdx.dissect(spoilt, random_seed=0, prior=Normal(1.0))
    assert set(result.weights["engine"]) == {"nuts"}
    assert result.weights["certified"].all()


def test_few_draws_are_no_reason_to_take_another_engine():
    study = pdx.simulate(100, schema=pdx.PAPER.select(["clear"]), judges=["me"], scenarios=None, random_seed=0)
    with pytest.warns(ConvergenceWarning, match="1 of 1 fits are not certified; ") as warned:
        result = pdx.dissect(study.data, draws=20, chains=2, random_seed=0)
    assert set(result.weights["engine"]) == {"exact"}
    assert not result.weights["certified"].any()
    (ess,) = result.certificates["ess_bulk"]
    assert f"group 'all', which fails by effective sample size {ess:.0f} (at least 400)" in str(warned[0].message)


@pytest.mark.parametrize(
    ("r_hat", "ess", "certificate", "expected"),
    [
        ([1.0, 1.02], [900, 900], {"acceptance": 0.9}, ["R-hat 1.020 (at most 1.01)"]),
        ([1.0, np.nan], [900, 900], {}, ["R-hat nan (at most 1.01)"]),
        ([1.0, 1.0], [900, 31.4], {"divergences": 0}, ["effective sample size 31 (at least 400)"]),
        (
            [1.0, 1.0],
            [900, 300],
            {"acceptance": 0.25},
            ["effective sample size 300 (at least 400)", "acceptance 0.25 (at least 0.7)"],
        ),
        ([1.0, 1.0], [900, 900], {"divergences": 3.0}, ["3 divergences (none)"]),
        ([1.0, 1.0], [900, 900], {"acceptance": 0.9}, ["effective sample size of a fold (at least 400)"]),
    ],
)
def test_which_criteria_a_fit_fails(r_hat, ess, certificate, expected):
    assert failed_criteria(np.array(r_hat), np.array(ess), certificate) == expected


def test_a_fold_that_is_too_short_is_said():
    """Summed over 10 folds the effective sample size is large enough, and that of each is not.

    On another machine the worst R-hat of 10 may be above its limit too, and is what is said then.
    """
    study = pdx.simulate(100, schema=pdx.PAPER.select(["clear"]), judges=["me"], scenarios=None, random_seed=0)
    with pytest.warns(ConvergenceWarning, match="which fails by (effective sample size of a fold|R-hat)") as warned:
        result = pdx.dissect(study.data, draws=190, chains=2, folds=10, random_seed=0)
    assert result.certificates["ess_bulk"].iloc[0] >= 400
    assert len(warned) == 1


def test_few_draws_that_do_not_move_go_to_nuts(spoilt):
    """A stand-in that is refused at nearly every step is no matter of how many draws there are."""
    with pytest.warns(ConvergenceWarning, match="'nuts' for judge"):
        result = pdx.dissect(spoilt, random_seed=0, prior=Normal(1.0), draws=100)
    assert set(result.weights["engine"]) == {"nuts"}


def test_where_all_engines_fail_the_best_is_kept(monkeypatch):
    cell, prior = ternary_cell(80, 3), as_arrays(Laplace(0.3))
    good = draws_of("exact", cell, prior)

    def fake(engine, r_hat):
        return lambda *args, **kwargs: replace(good, engine=engine, certified=False, r_hat=np.full(3, r_hat))

    made = {"ep": fake("ep", np.nan), "exact": fake("exact", 1.2), "nuts": fake("nuts", 1.5)}
    monkeypatch.setattr(engines, "_SAMPLERS", made)
    data = reduced(cell)
    how = {"draws": 1000, "kept": 100, "chains": 4, "rng": np.random.default_rng(0), "on_share": lambda share: None}
    assert engines.draw(data, prior, fit_ep(data, prior), engine="ep", **how).engine == "exact"


@pytest.mark.parametrize("prior", [Laplace(1e-49), Normal(1e-49), Laplace(1e49), Normal(1e49)], ids=str)
@pytest.mark.parametrize("engine", ["ep", "exact"])
def test_scales_at_their_limits(engine, prior):
    """A prior that forbids all, or allows anything: no error, and no number that is none."""
    cell = ternary_cell(60, 2)
    drawn = draws_of(engine, cell, as_arrays(prior, 2), draws=100)
    assert np.isfinite(drawn.weight).all()


@pytest.mark.parametrize("scale", [1e-60, 1e60])
def test_scales_beyond_their_limits_are_refused(scale):
    with pytest.raises(pdx.PrefDissectError, match=r"must be a number above 1e-50 and below 1e\+50"):
        Laplace(scale)


# Invariants


@pytest.mark.parametrize("engine", ["ep", "exact"])
def test_draws_do_not_depend_on_what_else_is_in_the_task(engine):
    cells = [ternary_cell(80, 5, seed=s) for s in range(3)]
    for cell in cells[1:]:
        cell.x[:] = cells[0].x
    how = FitOptions(engine=engine, draws=200, chains=2, folds=None, interval=0.94, min_pairs=1, random_seed=0)
    named = [replace(cell, judge=f"j{i}") for i, cell in enumerate(cells)]
    arrays = as_arrays(Laplace(0.3), 5)
    together = fit_cells(named, arrays, how, kept=200)
    alone = [fit_cells([cell], arrays, how, kept=200)[0] for cell in named]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one.mean, other.mean, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(one.draws, other.draws, rtol=1e-5, atol=1e-7)


def test_permuting_columns_permutes_the_moments_of_ep():
    cell, order = ternary_cell(90, 5), np.array([3, 0, 4, 1, 2])
    arrays = PriorArrays(np.array([0.1, 0.3, 1.0, 0.2, 0.5]), np.array([True, False, True, True, False]))
    permuted = PriorArrays(arrays.scale[order], arrays.is_laplace[order])
    one = fit_ep(reduced(cell), arrays)
    other = fit_ep(reduced(make_cell(cell.x[:, order], cell.y)), permuted)
    np.testing.assert_allclose(other.mean, one.mean[order], rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(other.sd, one.sd[order], rtol=1e-7)


def test_swapping_a_and_b_flips_the_means_of_ep():
    cell, arrays = ternary_cell(90, 5), as_arrays(Laplace(0.3), 5)
    one, other = (fit_ep(reduced(make_cell(sign * cell.x, cell.y)), arrays) for sign in (1, -1))
    np.testing.assert_allclose(other.mean, -one.mean, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(other.linear, -one.linear, rtol=1e-7, atol=1e-10)
