"""The samplers, `exact` and `nuts`: draws come from the model's posterior.

Means and sds are compared within 4 combined Monte Carlo errors: one comparison fails by chance with
probability 6e-5, all of this file (about 150) with less than 0.01, and seeds are fixed. Chains are
cut into batches of 50 draws, which hardly correlate: ESS per draw is about 1 here.
"""

from __future__ import annotations

import numpy as np
import pytest

from cells import fit, make_cell, simulated_cell
from prefdissect.inference import Laplace, Normal
from sampler import Moments, in_errors, make_log_density, metropolis, moments


@pytest.fixture(scope="module", params=["exact", "nuts"])
def engine(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def laplace_fit(engine) -> Moments:
    return fit(engine, simulated_cell(), Laplace(0.1), seed=1, draws=4000)


def test_draws_agree_with_metropolis_for_mixed_priors(engine):
    """Soft labels, row weights, a Normal among Laplace priors, against the log density alone.

    60 chains of 1,500 steps: the sampler's error is about 0.02 sd, that of NUTS about 0.03.
    """
    cell = simulated_cell()
    prior = {"a": Laplace(0.2), "b": Normal(0.5), "c": Normal(0.3)}
    scale, is_laplace = np.array([0.2, 0.5, 0.3]), np.array([True, False, False])
    log_density = make_log_density(cell.x, cell.y, scale, is_laplace, cell.weight)
    rng = np.random.default_rng(2)
    proposal = np.diag([0.12, 0.15, 0.3]) ** 2
    reference = moments(metropolis(log_density, rng.normal(0, 0.3, (60, 3)), proposal, burn=200, steps=1500, rng=rng))
    found = fit(engine, cell, prior, seed=2)
    assert reference.ess.min() > 1000
    assert found.ess.min() > 500
    assert in_errors(found, reference).max() < 4


def test_swapping_a_and_b_flips_the_sign(engine, laplace_fit):
    """A fit of its own with another seed: the sum of both means is 0 within 4 combined errors."""
    cell = simulated_cell()
    swapped = fit(engine, make_cell(-cell.x, cell.y, cell.weight), Laplace(0.1), seed=3)
    error = np.hypot(laplace_fit.mean_error, swapped.mean_error)
    assert (np.abs(laplace_fit.mean + swapped.mean) < 4 * error).all()
    assert (np.abs(laplace_fit.mean[:2]) > 8 * error[:2]).all(), "the test would not see a sign that stays"
    assert (np.abs(laplace_fit.sd - swapped.sd) < 4 * np.hypot(laplace_fit.sd_error, swapped.sd_error)).all()


def test_column_that_never_differs_keeps_its_prior(laplace_fit):
    """Laplace(0.1): mean 0 and sd 0.1 * sqrt(2); the tails make the sd's error about 0.025 of it."""
    assert abs(laplace_fit.mean[2]) < 4 * laplace_fit.mean_error[2]
    assert abs(laplace_fit.sd[2] - 0.1 * np.sqrt(2)) < 4 * laplace_fit.sd_error[2]
    assert laplace_fit.sd_error[2] < 0.1 * 0.1 * np.sqrt(2)


def test_labels_of_one_half_give_mean_zero(engine):
    """Symmetric likelihood and prior: the mean is 0, and the rows still narrow the prior."""
    cell = simulated_cell()
    half = fit(engine, make_cell(cell.x, np.full(len(cell), 0.5)), Normal(1.0), seed=4)
    assert (np.abs(half.mean) < 4 * half.mean_error).all()
    # The curvature at 0 is X'X/4 + 1; x of the two columns that differ is nearly uncorrelated.
    curvature = np.linalg.inv(cell.x.T @ cell.x / 4 + np.eye(3))
    np.testing.assert_allclose(half.sd, np.sqrt(np.diag(curvature)), rtol=0.1)
