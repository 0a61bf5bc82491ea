"""Moves of the stand-in leave their target as it is."""

from __future__ import annotations

import numpy as np
import pytest

from prefdissect.inference.compiled import moves
from sampler import Moments, in_errors, moments

pytestmark = pytest.mark.lane("oldest")

STEPS = 40_000

LINES = {  # curvature, pull, kink, slope, kink, slope
    "both kinks near": (0.0, 0.0, -0.3, 10.0, 0.3, 10.0),
    "pulled against a kink": (0.0, 2.0, -0.3, 10.0, 0.3, 10.0),
    "curved, and pulled": (5.0, 1.0, -0.3, 10.0, 0.3, 10.0),
    "kinks of unequal slope": (0.5, 1.0, -0.4, 6.0, 0.2, 2.0),
    "kinks far apart": (0.0, 0.0, -3.0, 1.0, 3.0, 1.0),
    "one kink, hardly curved": (0.05, 1.0, 0.0, 0.0, 0.0, 10.0),
    "more curved than its prior": (30.0, 20.0, -0.2, 3.0, 0.4, 2.0),
    "no kink": (2.0, 1.0, 0.0, 0.0, 0.0, 0.0),
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_steps_along_a_line_keep_its_density(line):
    """Within 4 Monte Carlo errors of quadrature, from 50 batches; 16 comparisons fail by chance once in 1,000 runs.

    Each step measures the line from where it stands, as a move of two weights does. Curvature that a step
    would add around that place, not around the kinks, shows by more than 20 errors.
    """
    h, c, k0, s0, k1, s1 = line
    rng, at, chain = np.random.default_rng(0), 0.0, np.empty(STEPS)
    for i in range(STEPS):
        at += moves._draw_on_line(h, c - h * at, np.array([k0 - at, s0, k1 - at, s1]), rng)
        chain[i] = at
    grid = np.linspace(-15, 15, 300_001)
    density = c * grid - 0.5 * h * grid**2 - s0 * abs(grid - k0) - s1 * abs(grid - k1)
    mass = np.exp(density - density.max())
    mean = np.average(grid, weights=mass)
    sd = np.sqrt(np.average((grid - mean) ** 2, weights=mass))
    nothing = np.zeros(1)
    truth = Moments(np.array([mean]), nothing, np.array([sd]), nothing, nothing)
    assert in_errors(moments(chain.reshape(1, -1, 1), batches=50), truth).max() < 4


def surrogate_along(direction: np.ndarray, laplace: np.ndarray) -> moves.Surrogate:
    """Return a stand-in of three weights with a direction to move along."""
    root = np.array([[1.0, 0.5, -1.0], [0.2, 2.0, 0.3], [0.0, 1.0, 1.0]])
    scale = np.array([0.3, 1.0, 0.6])
    nothing = np.empty((2, 0))
    return moves.Surrogate(
        root @ root.T, np.array([1.0, -2.0, 0.5]), scale, laplace, np.eye(3), nothing, direction[None]
    )


@pytest.mark.parametrize("laplace", [[True, True, True], [True, False, True], [False, False, False]], ids=str)
def test_moves_along_a_direction_keep_the_density_on_their_line(laplace):
    """Within 4 Monte Carlo errors of quadrature, from 50 batches; 6 comparisons fail by chance once in 2,600 runs."""
    direction, start = np.array([0.5, -0.3, 0.2]), np.array([0.2, 0.4, -0.1])
    surrogate = surrogate_along(direction, np.array(laplace))
    rng, plan = np.random.default_rng(1), moves.prepare(surrogate)
    w, gradient, chain = start.copy(), np.empty(3), np.empty(STEPS)
    moves.set_gradient(surrogate, w, gradient)
    for i in range(STEPS):
        moves._move_along(surrogate, plan, w, gradient, 0, rng)
        chain[i] = (w - start)[0] / direction[0]
    np.testing.assert_allclose(gradient, surrogate.linear - surrogate.precision @ w, atol=1e-9)
    np.testing.assert_allclose(w, start + chain[-1] * direction, atol=1e-9)
    grid = np.linspace(-20, 20, 100_001)
    line = start[:, None] + grid * direction[:, None]
    scale = surrogate.scale[:, None]
    prior = np.where(np.array(laplace)[:, None], abs(line) / scale, 0.5 * (line / scale) ** 2).sum(axis=0)
    level = surrogate.linear @ line - 0.5 * (line * (surrogate.precision @ line)).sum(axis=0) - prior
    mass = np.exp(level - level.max())
    mean = np.average(grid, weights=mass)
    sd = np.sqrt(np.average((grid - mean) ** 2, weights=mass))
    nothing = np.zeros(1)
    truth = Moments(np.array([mean]), nothing, np.array([sd]), nothing, nothing)
    assert in_errors(moments(chain.reshape(1, -1, 1), batches=50), truth).max() < 4


def test_the_steepest_ridges_are_moved_along():
    """Of 6 pairs above the limit only 4 can be kept, as there are 4 columns."""
    cov = np.array([[1, 0.5, 0.55, -0.6], [0, 1, 0.9, 0.7], [0, 0, 1, -0.8], [0, 0, 0, 1.0]])
    found = moves._find_ridges(cov + np.triu(cov, 1).T)
    assert {(int(i), int(j)): slope for i, j, slope in found} == {(0, 3): -1.0, (1, 2): 1.0, (1, 3): 1.0, (2, 3): -1.0}


def test_ridges_have_the_slope_of_the_spreads():
    cov = np.array([[4.0, -1.5], [-1.5, 1.0]])
    np.testing.assert_allclose(moves._find_ridges(cov), [[0, 1, -0.5]])
