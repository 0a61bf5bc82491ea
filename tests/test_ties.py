"""Ties: terms, cutpoints and engines against sums over rows, numerical integrals and a sampler of our own."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from numba import njit
from scipy.optimize import approx_fprime

from cells import draws_of, reduced
from prefdissect.features import Cell
from prefdissect.inference import Laplace, Normal, arrange_prior, outcome_probabilities, stand_in, tie_rate
from prefdissect.inference.compiled import tied
from prefdissect.inference.compiled.likelihood import BLOCK, Rows, log_likelihood
from prefdissect.inference.ep import fit_ep
from prefdissect.inference.fit import fit_without, prior_of
from prefdissect.inference.fit_data import gather
from prefdissect.inference.ties import score_rows
from sampler import in_errors, metropolis, moments

pytestmark = pytest.mark.lane("oldest")

MODELS = ("davidson", "ordered")
COLUMNS = ("a", "b", "c")


def tied_cell(ties: str, n: int = 300, seed: int = 0, cut: float = -0.3, scale: float = 0.6) -> Cell:
    """Return verdicts of the model, some of which could be no tie, with row weights."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-1, 2, (n, 3)).astype(float)
    p = outcome_probabilities(ties, x @ (scale * np.array([1.0, -0.5, 0.2])), cut)
    could = rng.random(n) < 0.8
    p[~could, 1] = 0.0
    u = rng.random(n) * p.sum(axis=1)
    y = np.where(u < p[:, 0], 1.0, np.where(u < p[:, 0] + p[:, 1], 0.5, 0.0))
    weight = rng.choice([0.5, 1.0, 2.0], n)
    return Cell("j", "g", x, y, weight, np.arange(n), ties, (y == 0.5).astype(float), could.astype(float))


def log_density(cell: Cell, w: np.ndarray) -> np.ndarray:
    """Return the log likelihood row by row, from the probabilities alone: w is [..., column + 1]."""
    t = w[..., :-1] @ cell.x.T
    p = np.moveaxis(outcome_probabilities(cell.ties, t, w[..., -1:]), -1, 0)
    said = np.where(cell.tied > 0, p[1], np.where(cell.y > 0.5, p[0], p[2]))
    plain = 1 / (1 + np.exp(-t * (2 * cell.y - 1)))
    return (np.log(np.where(cell.open > 0, said, plain)) * cell.weight).sum(axis=-1)


@pytest.mark.parametrize("ties", MODELS)
def test_probabilities_add_up_and_mirror(ties):
    t, cut = np.linspace(-40, 40, 81), np.linspace(-6, 4, 5)[:, None]
    p = outcome_probabilities(ties, t, cut)
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-12)
    np.testing.assert_allclose(p[..., ::-1], outcome_probabilities(ties, -t, cut), rtol=1e-9)
    if ties == "davidson":  # given a decision it is logistic, whatever the cutpoint
        np.testing.assert_allclose(np.log(p[..., 0] / p[..., 2]), np.broadcast_to(t, p.shape[:-1]), atol=1e-9)
    assert tie_rate(ties, -0.5) == pytest.approx(outcome_probabilities(ties, np.zeros(1), -0.5)[0, 1])


@pytest.mark.parametrize("kind", [tied.DAVIDSON, tied.DECIDED, tied.BETWEEN])
def test_slopes_of_terms_are_those_of_differences(kind):
    def term(at: np.ndarray) -> float:
        return slopes_of(kind, at)[0]

    for t, cut in itertools.product((-3.0, -0.2, 0.7, 5.0), (-2.0, -0.3, 1.0)):
        at, h = np.array([t, cut]), 1e-4
        value, *slopes = slopes_of(kind, at)
        by = approx_fprime(at, term, 1e-6)
        bent = [(term(at + s) - 2 * value + term(at - s)) / h**2 for s in (np.array([h, 0]), np.array([0, h]))]
        corners = [term(at + h * np.array(s)) for s in ((1, 1), (-1, -1), (1, -1), (-1, 1))]
        mixed = (corners[0] + corners[1] - corners[2] - corners[3]) / (4 * h * h)
        expected = [by[0], bent[0], by[1], bent[1], mixed]
        np.testing.assert_allclose(slopes, expected, rtol=1e-4, atol=2e-5)


@njit
def slopes_of(kind, at):
    """Return a term and its slopes; the compiled functions have no door to Python, so this one is compiled, too."""
    size = tied._tie_size(kind, at[1])
    first, twice, by_cut, twice_cut, both = tied._slopes(kind, at[0], size)
    return tied._term(kind, at[0], size), first, twice, by_cut, twice_cut, both


@pytest.mark.parametrize("ties", MODELS)
def test_compiled_likelihood_is_the_sum_over_rows(ties):
    cell, rng = tied_cell(ties), np.random.default_rng(1)
    data = reduced(cell)
    rows = Rows(data.xt, data.weight, data.unit, data.statistic, data.ends)
    at = rng.normal(0, 0.7, (6, 4))
    found = np.array([log_likelihood(rows, w, np.empty(BLOCK)) for w in at])
    expected = log_density(cell, at)
    np.testing.assert_allclose(found - found[0], expected - expected[0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("ties", MODELS)
def test_unit_weights_take_the_short_way_to_the_same(ties):
    cell = replace(tied_cell(ties, n=700), weight=np.ones(700))
    cell = replace(cell, x=cell.x + np.random.default_rng(0).normal(0, 1e-3, cell.x.shape))  # no two rows are equal
    data = reduced(cell)
    assert data.unit
    w = np.array([0.3, 0.8, -0.5, 2.5])
    both = [
        log_likelihood(Rows(data.xt, data.weight, unit, data.statistic, data.ends), w, np.empty(BLOCK))
        for unit in (True, False)
    ]
    assert both[0] == pytest.approx(both[1], rel=1e-12)


@pytest.mark.parametrize("ties", MODELS)
def test_scores_are_slopes_of_the_likelihood(ties):
    cell, at = tied_cell(ties, n=40), np.array([0.3, -0.2, 0.1, -0.4])
    found = score_rows(cell, at).sum(axis=0)
    np.testing.assert_allclose(found, approx_fprime(at, lambda w: log_density(cell, w), 1e-6), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("ties", MODELS)
def test_cutpoint_is_where_log_evidence_is_highest(ties):
    """With one column the evidence is an integral; its highest point is EP's cutpoint, to what EP approximates."""
    cell = tied_cell(ties, n=120)
    cell = cell.only(0)
    arrays = prior_of(cell, arrange_prior(Normal(0.7), ["a"]))
    grid, cuts = np.linspace(-3, 3, 301), np.linspace(-1.8, 1.2, 301)

    def evidence(cut: float) -> float:
        w = np.column_stack([grid, np.full(len(grid), cut)])
        f = log_density(cell, w) - grid**2 / (2 * 0.7**2) - cut**2 / 8
        return float(np.log(np.exp(f - f.max()).sum()) + f.max())

    values = np.array([evidence(cut) for cut in cuts])
    found = fit_ep(reduced(cell), arrays)
    assert found.mean[-1] == pytest.approx(cuts[values.argmax()], abs=0.011)  # the grid's step
    mass = np.exp(values - values.max())
    sd = np.sqrt((mass * (cuts - (mass @ cuts) / mass.sum()) ** 2).sum() / mass.sum())
    assert found.sd[-1] == pytest.approx(sd, rel=0.05)


@pytest.mark.parametrize("ties", MODELS)
def test_engines_agree_with_a_sampler_of_our_own(ties):
    cell = tied_cell(ties, n=250)
    arrays = prior_of(cell, arrange_prior(Laplace(0.3), COLUMNS))
    found = fit_ep(reduced(cell), arrays)

    def density(w: np.ndarray) -> np.ndarray:
        return log_density(cell, w) - (np.abs(w[:, :3]) / 0.3).sum(axis=1) - w[:, 3] ** 2 / 8

    rng = np.random.default_rng(3)
    start = found.mean + 0.1 * rng.standard_normal((40, 4))
    truth = moments(metropolis(density, start, found.cov, burn=200, steps=2000, rng=rng))
    exact = draws_of("exact", cell, arrays, draws=4000, chains=4)
    assert exact.certified
    assert in_errors(moments(exact.weight, batches=20), truth).max() < 4.5
    np.testing.assert_allclose(found.mean, truth.mean, atol=0.06 * truth.sd.max())
    np.testing.assert_allclose(found.sd, truth.sd, rtol=0.04)


@pytest.mark.parametrize("ties", MODELS)
def test_chains_that_also_walk_sample_the_same(ties):
    """A wide prior on few rows makes the stand-in doubtful, so that chains walk, cutpoint included."""
    cell = tied_cell(ties, n=25, seed=2, scale=3.0)
    arrays = prior_of(cell, arrange_prior(Laplace(3.0), COLUMNS))
    found = fit_ep(reduced(cell), arrays)
    drawn = draws_of("exact", cell, arrays, draws=10_000, chains=4)
    assert drawn.certificate["walks"] > 0

    def density(w: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return log_density(cell, w) - (np.abs(w[:, :3]) / 3.0).sum(axis=1) - w[:, 3] ** 2 / 8

    rng = np.random.default_rng(4)
    start = found.mean + 0.1 * rng.standard_normal((40, 4))
    truth = moments(metropolis(density, start, found.cov, burn=1000, steps=5000, rng=rng))
    assert in_errors(moments(drawn.weight, batches=20), truth).max() < 5


def test_without_ties_davidson_is_logistic():
    cell = tied_cell("davidson", n=400)
    decided = cell.take(cell.tied == 0)
    prior = arrange_prior(Laplace(0.2), COLUMNS)
    plain = stand_in(replace(decided, ties=None), prior)
    with_cut = stand_in(decided, prior)  # the cutpoint goes as low as its prior lets it
    np.testing.assert_allclose(with_cut.mean, plain.mean, atol=0.05 * plain.sd.max())
    np.testing.assert_allclose(with_cut.sd, plain.sd, rtol=0.02)


def test_davidson_weights_are_those_of_dropped_ties():
    cells = [tied_cell("davidson", n=600, seed=seed) for seed in range(20)]
    prior = arrange_prior(Laplace(0.3), COLUMNS)
    kept = [stand_in(cell, prior) for cell in cells]
    dropped = [stand_in(replace(cell.take(cell.tied == 0), ties=None), prior) for cell in cells]
    away = np.array([(a.mean - b.mean) / b.sd for a, b in zip(kept, dropped, strict=True)])
    assert np.abs(away.mean(axis=0)).max() < 0.2  # what ties say of a weight is that it is small, and little
    ratio = np.array([a.sd / b.sd for a, b in zip(kept, dropped, strict=True)])
    assert ratio.min() > 0.95
    assert ratio.max() < 1.05


@pytest.mark.parametrize("ties", MODELS)
def test_turning_a_pair_round_changes_nothing(ties):
    cell = tied_cell(ties)
    sign = np.random.default_rng(0).choice([-1.0, 1.0], len(cell))
    turned = replace(cell, x=cell.x * sign[:, None], y=np.where(sign > 0, cell.y, 1 - cell.y))
    arrays = prior_of(cell, arrange_prior(Laplace(0.2), COLUMNS))
    one, other = fit_ep(reduced(cell), arrays), fit_ep(reduced(turned), arrays)
    np.testing.assert_allclose(one.mean, other.mean, atol=1e-9)
    np.testing.assert_allclose(one.cov, other.cov, atol=1e-9)


@pytest.mark.parametrize("ties", MODELS)
def test_a_part_of_the_rows_is_fitted_alone(ties):
    cell, some = tied_cell(ties), np.arange(100)
    prior = arrange_prior(Laplace(0.2), COLUMNS)
    alone = fit_ep(reduced(cell.take(some)), prior_of(cell, prior)).mean
    np.testing.assert_allclose(fit_without(cell, [some], prior)[0], alone, atol=1e-6)


@pytest.mark.parametrize("ties", MODELS)
@pytest.mark.parametrize("what", ["all ties", "no ties", "one row", "column of zeros", "rows of zeros"])
def test_edges_leave_a_sound_posterior(ties, what):
    cell = tied_cell(ties, n=60)
    if what == "all ties":
        cell = replace(cell, y=np.full(60, 0.5), tied=np.ones(60), open=np.ones(60))
    elif what == "no ties":
        cell = cell.take(cell.tied == 0)
    elif what == "one row":
        cell = cell.take(np.array([0]))
    elif what == "column of zeros":
        cell = replace(cell, x=cell.x * [1.0, 1.0, 0.0])
    else:
        cell = replace(cell, x=cell.x * (np.arange(60) > 30)[:, None])
    found = fit_ep(reduced(cell), prior_of(cell, arrange_prior(Laplace(0.2), COLUMNS)))
    assert found.converged
    assert np.isfinite(found.mean).all()
    assert (found.sd > 0).all()


def test_plain_and_tied_cells_share_nothing_they_should_not():
    """Cells of the same rows are gathered together, one without ties, one with each model."""
    one, other = tied_cell("davidson"), tied_cell("ordered")
    cells = [replace(one, ties=None), one, replace(other, x=one.x)]
    every = [np.arange(len(one))]
    parts = [part for (part,) in gather(cells, [every] * 3)]
    assert [part.has_cut for part in parts] == [False, True, True]
    assert parts[0].weight.sum() == pytest.approx(parts[1].weight.sum())


def coverage_of_ties(ties: str, studies: int, seed: int = 0) -> tuple[float, float]:
    """Return how often 94% intervals hold the weights, and the cutpoint, where both are drawn from their priors."""
    rng, names = np.random.default_rng(seed), [f"p{k}" for k in range(8)]
    prior = arrange_prior(Laplace(0.3), names).with_cut()
    hits, cuts = [], []
    for _ in range(studies):
        x = rng.integers(-1, 2, (300, 8)).astype(float)
        w, cut = rng.laplace(0, 0.3, 8), np.clip(2 * rng.standard_normal(), -3, 3)
        p = outcome_probabilities(ties, x @ w, cut)
        u = rng.random(300)
        y = np.where(u < p[:, 0], 1.0, np.where(u < p[:, 0] + p[:, 1], 0.5, 0.0))
        tied = (y == 0.5).astype(float)
        found = fit_ep(reduced(Cell("j", "g", x, y, np.ones(300), np.arange(300), ties, tied, np.ones(300))), prior)
        inside = np.abs(found.mean - np.append(w, cut)) < 1.881 * found.sd
        hits.append(inside[:8])
        cuts.append(inside[8])
    return float(np.mean(hits)), float(np.mean(cuts))


@pytest.mark.parametrize("ties", MODELS)
def test_intervals_hold_what_they_say(ties):
    """200 studies: 1,600 weights (standard error 0.6%) and 200 cutpoints (1.7%); the gates are some three of them."""
    weights, cuts = coverage_of_ties(ties, 200)
    assert 0.92 < weights < 0.96
    assert 0.89 < cuts < 0.99
