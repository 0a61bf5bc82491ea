"""The engine: collapsed rows mean the same, and draws come from the model's posterior.

Statistical tests compare means and sds within 4 combined Monte Carlo errors: one comparison fails
by chance with probability 6e-5, all of this file (about 50) with less than 0.005, and seeds are
fixed. Chains of NUTS are cut into batches of 50 draws, which hardly correlate: ESS per draw is
about 1 here.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from prefdissect.features import Cell
from prefdissect.inference import Laplace, Normal, arrange_prior, nuts
from prefdissect.inference.nuts import collapse, sample
from sampler import Moments, in_errors, make_log_density, metropolis, moments

COLUMNS = ("a", "b", "c")


def brute_force(cell: Cell, w: np.ndarray) -> float:
    """Return the log likelihood of one weight vector, row by row."""
    total = 0.0
    for x, y, weight in zip(cell.x, cell.y, cell.weight, strict=True):
        p = 1 / (1 + np.exp(-float(x @ w)))
        total += weight * (y * np.log(p) + (1 - y) * np.log(1 - p))
    return total


def from_collapsed(cell: Cell, w: np.ndarray) -> float:
    rows, statistic, weight = collapse(cell)
    return float(statistic @ w - weight @ np.logaddexp(0, rows @ w))


def make_cell(x: np.ndarray, y: np.ndarray, weight: np.ndarray | float = 1.0) -> Cell:
    return Cell("j", "g", np.asarray(x, dtype=float), np.asarray(y, dtype=float), np.broadcast_to(weight, len(y)) * 1.0)


def simulated_cell(n: int = 250, seed: int = 0) -> Cell:
    """Return rows with ties in x, soft labels and row weights, and a last column that never differs."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-1, 2, (n, 3)) * [1.0, 1.0, 0.0]
    y = (rng.random(n) < 1 / (1 + np.exp(-(x @ [0.8, -0.4, 0.0])))).astype(float)
    y[: n // 4] = rng.random(n // 4)
    return make_cell(x, y, rng.uniform(0.5, 1.5, n))


def fit(cell: Cell, prior: object, *, seed: int) -> Moments:
    drawn = sample(cell, arrange_prior(prior, COLUMNS), draws=1000, chains=2, seed=np.random.SeedSequence(seed))
    return moments(drawn.weight, batches=20)


# Collapsing


rows = hnp.arrays(float, st.tuples(st.integers(1, 12), st.just(3)), elements=st.sampled_from([-1.5, -1, -0.0, 0, 1]))


@settings(max_examples=200)
@given(rows, st.integers(0, 2**32 - 1))
def test_collapsed_rows_have_the_same_likelihood(x, seed):
    """Any rows, among them mirrored, repeated, zero ones and -0.0; soft labels and row weights."""
    rng = np.random.default_rng(seed)
    cell = make_cell(x, rng.choice([0.0, 0.5, 1.0, rng.random()], len(x)), rng.uniform(0.1, 3, len(x)))
    w = rng.normal(0, 2, 3)
    assert from_collapsed(cell, w) == pytest.approx(brute_force(cell, w), rel=1e-10, abs=1e-10)


def test_equal_and_mirrored_rows_become_one():
    x = [[1, 0, -1], [-1, 0, 1], [1, -0.0, -1], [-1, -0.0, 1], [0, 1, 0], [0, -1, -0.0], [0, 0, 0], [-0.0, 0, 0]]
    cell = make_cell(np.array(x), np.array([1, 0, 0.25, 1, 1, 1, 0, 1.0]), np.array([1, 2, 3, 4, 5, 6, 7, 8.0]))
    distinct, statistic, weight = collapse(cell)
    found = {tuple(row): total for row, total in zip(distinct.tolist(), weight.tolist(), strict=True)}
    assert found == {(1, 0, -1): 10, (0, 1, 0): 11, (0, 0, 0): 15}
    assert not np.signbit(distinct[distinct == 0]).any()
    # Row 1: 1*1 + 2*(1-0) + 3*0.25 + 4*(1-1); row 2: 5*1 + 6*(1-1).
    assert statistic.tolist() == pytest.approx([3.75, 5, -3.75])


def test_weight_two_is_each_row_twice():
    cell = simulated_cell()
    twice = cell.take(np.repeat(np.arange(len(cell)), 2))
    doubled = make_cell(cell.x, cell.y, 2 * cell.weight)
    for one, other in zip(collapse(twice), collapse(doubled), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    assert collapse(doubled)[2].sum() == pytest.approx(2 * cell.weight.sum())


def test_swapping_a_and_b_collapses_to_the_mirror_image():
    """The rows are the same, and the log likelihood of w is that of -w."""
    cell = simulated_cell()
    swapped = make_cell(-cell.x, cell.y, cell.weight)
    w = np.array([0.3, -1.2, 0.7])
    np.testing.assert_array_equal(collapse(swapped)[0], collapse(cell)[0])
    assert from_collapsed(swapped, w) == pytest.approx(brute_force(cell, -w))


# Draws


@pytest.fixture(scope="module")
def laplace_fit() -> Moments:
    return fit(simulated_cell(), Laplace(0.1), seed=1)


def test_draws_agree_with_metropolis_for_mixed_priors():
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
    found = fit(cell, prior, seed=2)
    assert reference.ess.min() > 1000
    assert found.ess.min() > 500
    assert in_errors(found, reference).max() < 4


def test_swapping_a_and_b_flips_the_sign(laplace_fit):
    """A fit of its own with another seed: the sum of both means is 0 within 4 combined errors."""
    cell = simulated_cell()
    swapped = fit(make_cell(-cell.x, cell.y, cell.weight), Laplace(0.1), seed=3)
    error = np.hypot(laplace_fit.mean_error, swapped.mean_error)
    assert (np.abs(laplace_fit.mean + swapped.mean) < 4 * error).all()
    assert (np.abs(laplace_fit.mean[:2]) > 8 * error[:2]).all(), "the test would not see a sign that stays"
    assert (np.abs(laplace_fit.sd - swapped.sd) < 4 * np.hypot(laplace_fit.sd_error, swapped.sd_error)).all()


def test_column_that_never_differs_keeps_its_prior(laplace_fit):
    """Laplace(0.1): mean 0 and sd 0.1 * sqrt(2); the tails make the sd's error about 0.045 of it."""
    assert abs(laplace_fit.mean[2]) < 4 * laplace_fit.mean_error[2]
    assert abs(laplace_fit.sd[2] - 0.1 * np.sqrt(2)) < 4 * laplace_fit.sd_error[2]
    assert laplace_fit.sd_error[2] < 0.1 * 0.1 * np.sqrt(2)


def test_labels_of_one_half_give_mean_zero():
    """Symmetric likelihood and prior: the mean is 0, and the rows still narrow the prior."""
    cell = simulated_cell()
    half = fit(make_cell(cell.x, np.full(len(cell), 0.5)), Normal(1.0), seed=4)
    assert (np.abs(half.mean) < 4 * half.mean_error).all()
    # The curvature at 0 is X'X/4 + 1; x of the two columns that differ is nearly uncorrelated.
    curvature = np.linalg.inv(cell.x.T @ cell.x / 4 + np.eye(3))
    np.testing.assert_allclose(half.sd, np.sqrt(np.diag(curvature)), rtol=0.1)


def test_on_draw_counts_every_step():
    cell, calls = simulated_cell(40), []
    prior = arrange_prior(Laplace(0.1), COLUMNS)
    drawn = sample(cell, prior, draws=20, chains=2, seed=np.random.SeedSequence(5), on_draw=lambda: calls.append(1))
    assert drawn.weight.shape == (2, 20, 3)
    assert len(calls) == 2 * (500 + 20)
    assert not np.array_equal(drawn.weight[0], drawn.weight[1]), "chains have streams of their own"


def test_a_second_fit_compiles_nothing(monkeypatch):
    """Other rows, another number of rows, another prior: the compiled density of the first fit serves them."""
    from numba.core.dispatcher import Dispatcher
    from pytensor.compile import FunctionMaker

    built, compiled = [], []

    def build(self, *args, _original=FunctionMaker.__init__, **kwargs):
        built.append(self)
        _original(self, *args, **kwargs)

    def compile_signature(self, signature, _original=Dispatcher.compile):
        known = len(self.overloads)
        result = _original(self, signature)
        compiled.extend([self] * (len(self.overloads) - known))
        return result

    monkeypatch.setattr(FunctionMaker, "__init__", build)
    monkeypatch.setattr(Dispatcher, "compile", compile_signature)
    nuts._compile_model.cache_clear()
    fit(simulated_cell(), Laplace(0.1), seed=1)
    assert built
    assert compiled
    built.clear(), compiled.clear()
    fit(simulated_cell(n=90, seed=5), Normal(0.3), seed=2)
    assert not built
    assert not compiled
