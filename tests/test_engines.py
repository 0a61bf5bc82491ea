"""The fast engines: right on hard cases, certified by their own criteria, and replaced where those fail.

Comparisons with a sampler are within 4 combined Monte Carlo errors: one fails by chance with
probability 6e-5, all of this file (about 400) with less than 0.03, and seeds are fixed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import prefdissect as pdx
from cells import as_arrays, draws_of, make_cell, reduced
from prefdissect.errors import ConvergenceWarning
from prefdissect.features import Cell
from prefdissect.inference import Laplace, Normal
from prefdissect.inference.certificate import certify_standin
from prefdissect.inference.ep import fit_ep
from prefdissect.inference.fit import FitOptions, fit_cells
from prefdissect.inference.prior import PriorArrays
from prefdissect.inference.summary import summarise
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
    fit = summarise([drawn], arrays, interval=0.94, kept=1000)
    assert drawn.certified, drawn.certificate
    assert (np.abs(fit.mean - reference.mean) < 0.03 * reference.sd + 4 * reference.mean_error).all()
    assert (np.abs(fit.sd / reference.sd - 1) < 0.03 + 4 * reference.sd_error / reference.sd).all()


def test_a_broken_stand_in_is_refused_by_ep_and_put_right_by_exact():
    """Its precision is halved: draws are far too wide, which acceptance corrects and the certificate sees."""
    cell, prior = ternary_cell(300, 10), as_arrays(Laplace(0.3), 10)
    data = reduced(cell)
    right = fit_ep(data, prior)
    broken = replace(right, precision=right.precision / 2, cov=right.cov * 2)
    plan = {"draws": 4000, "chains": 4, "rng": np.random.default_rng(1), "on_share": lambda share: None}
    good, found = (sample_exact(data, prior, standin=s, **plan) for s in (right, broken))
    assert in_errors(moments(found.weight, batches=20), moments(good.weight, batches=20)).max() < 4
    assert sample_ep(data, prior, standin=right, **plan).certified
    assert not sample_ep(data, prior, standin=broken, **plan).certified
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
        sample_exact(
            data, arrays, standin=s, draws=8000, chains=4, rng=np.random.default_rng(i), on_share=lambda share: None
        )
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
    fit = summarise([drawn], arrays, interval=0.94, kept=1000)
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
    fit = summarise([draws_of("ep", cell, arrays)], arrays, interval=0.94, kept=1000)
    draws = draws_of("exact", cell, arrays, draws=20000, chains=4).weight.reshape(-1, 6)
    lower, upper = np.quantile(draws, [0.03, 0.97], axis=0)
    assert (np.abs(fit.lower - lower) < 0.05 * fit.sd).all()
    assert (np.abs(fit.upper - upper) < 0.05 * fit.sd).all()
    assert np.abs(fit.prob_positive - (draws > 0).mean(axis=0)).max() < 0.03
    gaussian = fit.mean - 1.8807936 * fit.sd
    assert np.abs(gaussian - lower).max() > 0.1 * fit.sd.max()


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


def test_a_fit_that_exact_cannot_certify_goes_to_nuts(monkeypatch):
    """The stand-in is spoilt, so that acceptance falls below its limit."""
    from prefdissect.inference import surrogate

    def spoilt(data, prior):
        standin = fit_ep(data, prior)
        return replace(standin, precision=standin.precision / 20)

    monkeypatch.setattr(surrogate, "fit_ep", spoilt)
    study = pdx.simulate(400, schema=pdx.PAPER.select(pdx.PAPER.ids[:8]), judges=["me"], scenarios=None, random_seed=0)
    with pytest.warns(ConvergenceWarning, match="'nuts' for judge 'me' in group 'all'"):
        result = pdx.dissect(study.data, random_seed=0, prior=Normal(1.0))
    assert set(result.weights["engine"]) == {"nuts"}
    assert result.weights["certified"].all()


def test_few_draws_are_no_reason_to_take_another_engine():
    study = pdx.simulate(100, schema=pdx.PAPER.select(["clear"]), judges=["me"], scenarios=None, random_seed=0)
    with pytest.warns(ConvergenceWarning, match="1 of 1 fits are not certified"):
        result = pdx.dissect(study.data, draws=20, chains=2, random_seed=0)
    assert set(result.weights["engine"]) == {"exact"}
    assert not result.weights["certified"].any()


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
