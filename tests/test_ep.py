"""Expectation propagation against a twin that is slow, dense and written from the textbook."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import integrate

from cells import as_arrays, make_cell, reduced
from prefdissect.features import Cell
from prefdissect.inference import Laplace, Normal
from prefdissect.inference.compiled import ep as compiled
from prefdissect.inference.compiled import sites
from prefdissect.inference.ep import fit_ep
from prefdissect.inference.fit_data import FitData
from prefdissect.inference.prior import PriorArrays

NODES, NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(120)


def twin(cell: Cell, prior: PriorArrays, iterations: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance by parallel EP: cavities, and tilted moments by quadrature around the cavity.

    Priors are sites like any other: their tilted moments are numerical integrals, not closed forms.
    """
    x = np.vstack([cell.x, np.eye(len(prior.scale))])
    n = len(cell.x)
    tau = np.r_[0.25 * cell.weight, 1 / prior.sd**2]
    nu = np.r_[cell.weight * (cell.y - 0.5), np.zeros(len(prior.scale))]
    for _ in range(iterations):
        cov = np.linalg.inv(x.T @ (tau[:, None] * x))
        mean = cov @ (x.T @ nu)
        m, v = x @ mean, np.einsum("ij,jk,ik->i", x, cov, x)
        moved = np.empty((2, len(tau)))
        for i in range(len(tau)):
            precision = max(1 / v[i] - tau[i], 1e-6)
            centre, sd = (m[i] / v[i] - nu[i]) / precision, precision**-0.5
            first, second = tilted(centre, sd, i, n, cell, prior)
            spread = second - first**2
            moved[:, i] = 1 / spread - precision, first / spread - centre * precision
        tau += 0.8 * (moved[0] - tau)
        nu += 0.8 * (moved[1] - nu)
    return mean, cov


def tilted(centre: float, sd: float, i: int, n: int, cell: Cell, prior: PriorArrays) -> tuple[float, float]:
    """Return the first two moments of N(centre, sd) times the i-th term: of the likelihood, then of the prior."""
    if i < n:
        t = centre + sd * NODES
        like = cell.y[i] * np.log1p(np.exp(-t)) + (1 - cell.y[i]) * np.log1p(np.exp(t))
        mass = NODE_WEIGHTS * np.exp(-cell.weight[i] * like)
        return float(mass @ t / mass.sum()), float(mass @ t**2 / mass.sum())
    k = i - n

    def density(b: float) -> float:
        size = abs(b) / prior.scale[k] if prior.is_laplace[k] else 0.5 * (b / prior.scale[k]) ** 2
        return float(np.exp(-size - 0.5 * ((b - centre) / sd) ** 2))

    lo, hi = centre - 12 * sd, centre + 12 * sd
    whole = [integrate.quad(lambda b, p=p: b**p * density(b), lo, hi, points=[0.0, centre])[0] for p in range(3)]
    return whole[1] / whole[0], whole[2] / whole[0]


def soft_and_weighted() -> Cell:
    rng = np.random.default_rng(5)
    return make_cell(rng.normal(0, 0.8, (25, 3)), rng.random(25), rng.choice([0.3, 1.0, 2.5, 40.0], 25))


def ternary() -> Cell:
    rng = np.random.default_rng(6)
    x = rng.integers(-1, 2, (30, 3)).astype(float)
    x[~x.any(axis=1), 0] = 1  # the twin divides by the variance of a row's score
    return make_cell(x, (rng.random(30) < 0.6).astype(float))


@pytest.mark.parametrize("cell", [soft_and_weighted(), ternary()], ids=["soft and weighted", "ternary"])
@pytest.mark.parametrize(
    "prior", [Laplace(0.2), Laplace(1.0), {"a": Laplace(0.3), "b": Normal(0.5), "c": Normal(2.0)}], ids=str
)
def test_moments_are_those_of_the_twin(cell, prior):
    """Within 0.002 sd, ep's tolerance being 0.0003 sd as far as moves tell; the twin has converged to six digits."""
    arrays = as_arrays(prior)
    mean, cov = twin(cell, arrays)
    found = fit_ep(reduced(cell), arrays)
    sd = np.sqrt(np.diag(cov))
    assert found.converged
    np.testing.assert_allclose(found.mean / sd, mean / sd, atol=2e-3)
    np.testing.assert_allclose(found.sd, sd, rtol=2e-3)
    np.testing.assert_allclose(found.cov / np.outer(sd, sd), cov / np.outer(sd, sd), atol=4e-3)


def test_the_stand_in_and_the_prior_sites_make_up_the_posterior():
    """With Normal priors, whose sites are exact, the block (H, h) gives mean and covariance back."""
    cell, arrays = ternary(), as_arrays(Normal(0.7))
    found = fit_ep(reduced(cell), arrays)
    whole = found.precision + np.eye(3) / 0.7**2
    np.testing.assert_allclose(found.cov, np.linalg.inv(whole), rtol=1e-8)
    np.testing.assert_allclose(found.mean, np.linalg.solve(whole, found.linear), rtol=1e-8)
    np.testing.assert_array_equal(found.precision, found.precision.T)


def test_rows_beyond_a_block_count_like_the_first():
    """300 rows make three blocks, the last of them short: as the sum over rows of their own."""
    rng = np.random.default_rng(8)
    xt, tau, nu = rng.normal(size=(6, 300)), rng.random(300), rng.normal(size=300)
    precision, shift = np.ones((6, 6)), np.ones(6)
    for start in range(0, 300, 128):
        part = slice(start, start + 128)
        sites.add_sites(xt, start, tau[part], nu[part], precision, shift)
    compiled.mirror(precision)
    np.testing.assert_allclose(precision, 1 + (xt * tau) @ xt.T, rtol=1e-12)
    np.testing.assert_allclose(shift, 1 + xt @ nu, rtol=1e-11)


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("n", [10_000, 1_000_000, 100_000_000])
@pytest.mark.parametrize("w", [[2.0, 1.0], [0.8, -0.5, 0.3], [5.0, 3.0, -4.0]], ids=str)
def test_rows_that_repeat_a_million_times(w, n, scale):
    """Few distinct rows with strong effects: terms so narrow that nodes around 0 would see nothing of them.

    With so many labels the posterior is a Gaussian of the curvature at its mode. Means differ from modes by the
    skewness, which shrinks with sqrt(n); modes are where a few Newton's steps from the truth lead.
    """
    x = np.array(list(itertools.product([-1.0, 0.0, 1.0], repeat=len(w))))
    x = x[len(x) // 2 + 1 :]  # mirror images and the zero row have no part in the fit
    weight = np.full(len(x), n / len(x))
    statistic = (weight / 2 * np.tanh(x @ w / 2)) @ x
    found = fit_ep(FitData(np.ascontiguousarray(x.T), weight, statistic), as_arrays(Laplace(scale), len(w)))
    mode = np.array(w)
    for _ in range(20):
        t = x @ mode
        gradient = statistic - (weight / 2 * np.tanh(t / 2)) @ x - np.sign(mode) / scale
        curvature = (x.T * (weight / 4 / np.cosh(t / 2) ** 2)) @ x
        mode += np.linalg.solve(curvature, gradient)
    sd = np.sqrt(np.diag(np.linalg.inv(curvature)))
    assert found.converged
    np.testing.assert_allclose(found.sd, sd, rtol=1.0 / np.sqrt(n))
    np.testing.assert_allclose(found.mean / sd, mode / sd, atol=10 / np.sqrt(n))


@pytest.mark.parametrize("n", [1, 2, 29, 60])
def test_inverse(n):
    root = np.random.default_rng(n).normal(size=(n, n + 3))
    a = root @ root.T + 0.1 * np.eye(n)
    inverse = a.copy()
    compiled._invert(inverse)
    np.testing.assert_allclose(inverse @ a, np.eye(n), atol=1e-9)


@pytest.mark.parametrize("m", [-40.0, -3.0, 0.0, 0.2, 5.0, 60.0])
@pytest.mark.parametrize("v", [1e-4, 0.1, 1.0, 30.0])
def test_laplace_moments_are_the_integrals(m, v):
    def density(b: float) -> float:
        return float(np.exp(-abs(b) / 0.5 - 0.5 * (b - m) ** 2 / v - level))

    peak = np.sign(m) * max(0.0, abs(m) - v / 0.5)
    level = -abs(peak) / 0.5 - 0.5 * (peak - m) ** 2 / v
    width = 12 * np.sqrt(v)
    whole, first = (
        integrate.quad(lambda b, p=p: (b - peak) ** p * density(b), peak - width, peak + width, points=[0.0, peak])[0]
        for p in (0, 1)
    )
    mean = first / whole
    square = integrate.quad(
        lambda b: (b - peak - mean) ** 2 * density(b), peak - width, peak + width, points=[0.0, peak]
    )[0]
    found = compiled._laplace_moments(m, v, 0.5)
    assert found[0] == pytest.approx(peak + mean, rel=1e-5, abs=1e-5 * np.sqrt(v))
    assert found[1] == pytest.approx(square / whole, rel=1e-5)
