"""The pooled fit: sites, pairs' effects, scales; known answers and twins, then recovery."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pooled_study import Hierarchy, draw_hierarchy
from prefdissect.inference import ep
from prefdissect.inference.fit_data import FitData
from prefdissect.inference.pooling import pair_effect
from prefdissect.inference.pooling.fit import State, iterate
from prefdissect.inference.pooling.layers import LayerTable, Variances, arrange_layers
from prefdissect.inference.pooling.one_verdict import attenuation
from prefdissect.inference.pooling.pair_effect import gather_evidence, marginals
from prefdissect.inference.pooling.rows import Rows, keep_rows
from prefdissect.inference.pooling.scales import first_variances
from prefdissect.inference.pooling.sites import Sites, log_likelihood
from prefdissect.inference.pooling.solver import solve
from prefdissect.inference.prior import PriorArrays

pytestmark = pytest.mark.lane("oldest")

Z = 1.8808  # of a 94% interval


def table_for(rows: Rows) -> LayerTable:
    return arrange_layers(("property",) * len(rows.xt), rows.shape[1], rows.shape[0])


def fit(rows: Rows, *, pair_sd: float = 0.0, factors: bool = False, tolerance: float = 0.02) -> State:
    table = table_for(rows)
    start = first_variances(table, rows.shape[1], pair_sd)
    return iterate(rows, table, start, factors=factors, tolerance=tolerance)


def covered(state: State, study: Hierarchy, factor: float = 1.0) -> float:
    return float((np.abs(factor * state.solution.weight - study.weights) < Z * factor * state.solution.sd).mean())


@pytest.fixture
def exactly(monkeypatch):
    """Let expectation propagation go on to the end."""
    monkeypatch.setattr(ep, "_TOLERANCE", 1e-12)
    monkeypatch.setattr(ep, "_MOST_ITERATIONS", 400)


def alone(x: np.ndarray, y: np.ndarray, variance: np.ndarray) -> ep.StandIn:
    data = FitData(np.ascontiguousarray(x.T), np.ones(len(y)), (y - 0.5) @ x)
    return ep.fit_ep(data, PriorArrays(np.sqrt(variance), np.zeros(len(variance), dtype=bool)))


@pytest.mark.usefixtures("exactly")
def test_pins_are_fits_apart_and_one_fit_for_all():
    study = draw_hierarchy(0, shape=(2, 3, 4), n_pairs=80)
    rows, variance = study.rows(), np.array([0.02, 0.05, 0.1, 0.2])
    table = table_for(rows)
    apart = table.pin("common", "judge", "scenario").fix("cell", variance)
    found = iterate(rows, apart, first_variances(apart, 3), factors=False, tolerance=1e-11).solution
    for s, j in np.ndindex(2, 3):
        twin = alone(study.x[s], study.y[s, j], variance)
        np.testing.assert_allclose(found.weight[s, j], twin.mean, atol=1e-6)
        np.testing.assert_allclose(found.cov[s, j], twin.cov, atol=1e-6)
    together = table.pin("judge", "scenario", "cell").fix("common", variance)
    found = iterate(rows, together, first_variances(together, 3), factors=False, tolerance=1e-11).solution
    twin = alone(np.repeat(study.x[:, None], 3, axis=1).reshape(-1, 4), study.y.ravel(), variance)
    np.testing.assert_allclose(found.weight, np.broadcast_to(twin.mean, found.weight.shape), atol=1e-6)
    np.testing.assert_allclose(found.cov[1, 2], twin.cov, atol=1e-6)


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_exchanging_a_and_b_in_any_pair_changes_nothing(seed):
    study = draw_hierarchy(1, shape=(2, 4, 3), n_pairs=30)
    flips = np.random.default_rng(seed).random((2, 30)) < 0.5
    x = np.where(flips[..., None], -study.x, study.x)
    y = np.where(flips[:, None], 1 - study.y, study.y)
    one, other = (fit(s.rows(), pair_sd=0.5) for s in (study, replace(study, x=x, y=y)))
    np.testing.assert_allclose(one.solution.weight, other.solution.weight, atol=1e-9)
    np.testing.assert_allclose(one.solution.sd, other.solution.sd, atol=1e-9)
    assert one.variances.pair_sd == pytest.approx(other.variances.pair_sd)


@pytest.mark.parametrize("pair_sd", [0.0, 0.5])
def test_columns_and_rows_of_zeros_leave_the_rest_alone(pair_sd):
    study = draw_hierarchy(2, shape=(3, 4, 3), n_pairs=60)
    empty = replace(study, x=study.x.copy())
    empty.x[0, :, 1] = 0.0  # never differs in the first scenario
    empty.x[:, :5] = 0.0
    found = fit(empty.rows(), pair_sd=pair_sd)
    assert found.converged
    assert np.isfinite(found.solution.weight).all()
    assert (found.solution.sd[0, :, 1] > found.solution.sd[1:, :, 1].max()).all()
    without = fit(replace(empty, x=empty.x[:, 5:], y=empty.y[:, :, 5:]).rows(), pair_sd=0.0)
    if not pair_sd:  # a row of zeros says nothing
        np.testing.assert_allclose(found.solution.weight, without.solution.weight, atol=1e-6)


def some_sites(rows: Rows, rng: np.random.Generator, vary: float = 0.3) -> Sites:
    """Return sites as they might be, each in proportion to its row's weight."""
    tau = 0.2 * np.exp(vary * rng.standard_normal(len(rows.weight))) * rows.weight
    return Sites(tau, 0.05 * rng.standard_normal(len(tau)), np.full(rows.shape, np.nan))


def uneven_rows(
    rng: np.random.Generator, shape: tuple[int, int, int], n_pairs: int, missing: float, repeats: int
) -> Rows:
    """Return rows of which some are missing and some are another row of a pair; weights differ."""
    study = draw_hierarchy(3, shape=shape, n_pairs=n_pairs)
    whole = study.rows()
    rows = keep_rows(whole, rng.random(len(whole.weight)) >= missing)
    pair, xt = rows.pair.copy(), rows.xt.copy()
    for start in rows.starts[:-1]:
        pair[start + 1 : start + 1 + repeats] = pair[start]
        xt[:, start + 1 : start + 1 + repeats] = xt[:, [start]]
    weight = rng.uniform(0.3, 1.0, len(pair))
    return replace(rows, xt=xt, pair=pair, weight=weight, linear=rows.linear * weight)


def by_dense_matrix(rows: Rows, sites: Sites, variances: Variances) -> tuple[np.ndarray, ...]:
    """Return means and sds of weights, and marginals of all t, from the prior covariance of all t at once."""
    x, judge = rows.xt.T, rows.judge
    scenario = np.repeat(np.arange(rows.shape[0]), np.diff(rows.starts[:: rows.shape[1]]))
    common, of_judge, of_scenario, of_cell = variances.layer

    def prior(s: np.ndarray, j: np.ndarray) -> np.ndarray:
        same_j, same_s = (j[:, None] == judge)[..., None], (s[:, None] == scenario)[..., None]
        return common + of_judge * same_j + of_scenario * same_s + of_cell * (same_j & same_s)

    same_pair = (scenario[:, None] == scenario) & (rows.pair[:, None] == rows.pair)
    cov = np.einsum("rp,tp,rtp->rt", x, x, prior(scenario, judge)) + variances.pair_sd**2 * same_pair
    tau, pull = sites.tau, sites.nu + rows.linear
    posterior = np.linalg.inv(np.eye(len(tau)) + cov * tau) @ cov
    gain = np.linalg.inv(np.diag(1 / tau) + cov)
    mean, sd = [], []
    for s, j in np.ndindex(*rows.shape):
        across = (prior(np.array([s]), np.array([j]))[0] * x).T
        mean.append(across @ gain @ (pull / tau))
        total = common + of_judge + of_scenario + of_cell
        sd.append(np.sqrt(total - np.einsum("pr,rt,pt->p", across, gain, across)))
    shape = (*rows.shape, x.shape[1])
    return np.reshape(mean, shape), np.reshape(sd, shape), posterior @ pull, np.diagonal(posterior)


def shared_variances(n_columns: int, n_judges: int, pair_sd: float) -> Variances:
    layer = np.repeat([[0.09], [0.02], [0.02], [0.01]], n_columns, axis=1)
    return Variances(layer, np.ones(n_judges), np.ones(n_judges), pair_sd)


@pytest.mark.parametrize(("missing", "repeats"), [(0.0, 0), (0.3, 0), (0.3, 2)])
def test_pairs_effects_are_integrated_out_exactly_with_a_rank_a_judge(missing, repeats, monkeypatch):
    monkeypatch.setattr(pair_effect, "RANK", 3)
    rng = np.random.default_rng(4)
    rows = uneven_rows(rng, (2, 3, 3), 20, missing, repeats)
    sites, variances = some_sites(rows, rng), shared_variances(3, 3, 0.8)
    solution = solve(gather_evidence(rows, sites, 0.8), variances)
    found = marginals(rows, sites, solution)
    mean, sd, m, v = by_dense_matrix(rows, sites, variances)
    np.testing.assert_allclose(solution.weight, mean, atol=1e-10)
    np.testing.assert_allclose(solution.sd, sd, atol=1e-10)
    np.testing.assert_allclose(found.m, m, atol=1e-10)
    np.testing.assert_allclose(found.v, v, atol=1e-10)


@pytest.mark.parametrize(("missing", "bound"), [(0.0, 0.05), (0.4, 0.08), (0.7, 0.15)])
def test_rank_one_is_nearly_exact(missing, bound):
    """Sites that differ by 30% at random, the more so where verdicts are missing: a hard case for a low rank."""
    rng = np.random.default_rng(5)
    rows = uneven_rows(rng, (1, 12, 4), 60, missing, 0)
    sites, variances = some_sites(rows, rng), shared_variances(4, 12, 0.8)
    solution = solve(gather_evidence(rows, sites, 0.8), variances)
    mean, sd, _, _ = by_dense_matrix(rows, sites, variances)
    assert (np.abs(solution.weight - mean) / sd).max() < bound
    assert np.abs(solution.sd / sd - 1).max() < bound / 2


def test_large_pairs_effects_leave_the_evidence_positive():
    rng = np.random.default_rng(6)
    rows = uneven_rows(rng, (2, 6, 4), 30, 0.5, 1)
    for pair_sd in (1.0, 3.0):
        solution = solve(gather_evidence(rows, some_sites(rows, rng, 1.0), pair_sd), shared_variances(4, 6, pair_sd))
        assert (np.linalg.eigvalsh(solution.cov) > 0).all()


def test_log_likelihood_by_hand():
    study = draw_hierarchy(7, shape=(2, 2, 3), n_pairs=40)
    t = np.einsum("sjp,snp->sjn", study.weights, study.x)
    expected = np.where(study.y == 1, -np.log1p(np.exp(-t)), -np.log1p(np.exp(t))).sum(axis=-1)
    np.testing.assert_allclose(
        log_likelihood(study.rows(), study.weights, np.full(study.y.shape[:2], np.nan)), expected, atol=1e-9
    )


@pytest.mark.parametrize("pair_sd", [0.3, 1.0, 2.0])
def test_attenuation_is_the_slope_of_averaged_verdicts(pair_sd):
    """A logistic regression of 300,000 simulated verdicts on t, whose slope has a standard error of about 0.006."""
    rng = np.random.default_rng(8)
    t = 0.6 * rng.standard_normal(300_000)
    y = rng.random(len(t)) < 1 / (1 + np.exp(-t - pair_sd * rng.standard_normal(len(t))))
    slope = 1.0
    for _ in range(20):
        p = 1 / (1 + np.exp(-slope * t))
        slope += (t @ (y - p)) / ((t * t) @ (p * (1 - p)))
    assert attenuation(pair_sd, 0.6) == pytest.approx(slope, abs=0.025)


def test_scales_are_found_again():
    """Ten effects a column and layer and eight columns: each scale's error is about 8%, of cells less."""
    study = draw_hierarchy(9, (0.3, 0.2, 0.1, 0.15), shape=(10, 10, 8), n_pairs=400)
    found = fit(study.rows())
    assert found.converged
    common, judge, scenario, cell = np.sqrt(np.exp(np.log(found.variances.layer).mean(axis=1)))
    assert common == pytest.approx(0.3, rel=0.6)  # of eight effects
    assert judge == pytest.approx(0.2, rel=0.25)
    assert scenario == pytest.approx(0.1, rel=0.25)
    assert cell == pytest.approx(0.15, rel=0.15)
    assert covered(found, study) == pytest.approx(0.94, abs=0.03)  # 800 weights, sd of the share about 0.01


def test_a_negated_judge_is_flagged_and_the_others_keep_their_intervals():
    """At the paper's number of properties; with fewer a judge has fewer weights to be known by."""
    study = draw_hierarchy(10, (0.3, 0.1, 0.1, 0.1), shape=(8, 12, 20), n_pairs=200)
    study.weights[:, 3] *= -1
    logit = np.einsum("sjp,snp->sjn", study.weights, study.x)
    y = np.random.default_rng(11).random(logit.shape) < 1 / (1 + np.exp(-logit))
    turned = replace(study, y=y.astype(float))
    found = fit(turned.rows(), factors=True)
    factor = np.maximum(found.variances.judge_factor, found.variances.cell_factor)
    assert factor[3] > 5
    assert np.delete(factor, 3).max() < 3
    assert covered(found, turned) > 0.91  # one study; over 200 see docs/explanation/pooling.md
    without = fit(turned.rows(), factors=False)
    assert np.sqrt(found.variances.layer[1]).mean() < 0.8 * np.sqrt(without.variances.layer[1]).mean()


def test_noise_that_judges_share_is_told_from_agreement():
    """Twelve studies with shared noise of sd 1, of which `docs/explanation/pooling.md` has 200: 64 weights each.

    The share of 768 weights inside has a standard error of about 0.012, as a study's weights err together.
    """
    inside, naive, sds = [], [], []
    for seed in range(12):
        study = draw_hierarchy(100 + seed, (0.3, 0.1, 0.1, 0.1), shape=(4, 8, 2), n_pairs=100, pair_sd=1.0)
        rows = study.rows()
        found = fit(rows, pair_sd=0.3)
        sds.append(found.variances.pair_sd)
        inside.append(covered(found, study))  # of the weights given the pair's effect
        blind = fit(rows)
        naive.append(covered(blind, replace(study, weights=study.weights * attenuation(1.0, 0.4))))
    assert np.mean(sds) == pytest.approx(1.0, abs=0.12)
    assert np.mean(inside) > 0.9
    assert np.mean(naive) < np.mean(inside) - 0.04


def test_no_noise_is_found_where_there_is_none():
    found = fit(draw_hierarchy(12, shape=(6, 8, 6), n_pairs=200).rows(), pair_sd=0.3)
    assert found.variances.pair_sd < 0.15


def test_cells_without_verdicts_are_what_the_others_say():
    study = draw_hierarchy(13, shape=(3, 4, 3), n_pairs=200)
    rows = study.rows()
    kept = np.ones(len(rows.weight), dtype=bool)
    kept[rows.cell(1, 2)] = False
    found = fit(keep_rows(rows, kept)).solution
    np.testing.assert_allclose(found.cell[1, 2], 0.0, atol=1e-12)
    np.testing.assert_allclose(found.weight[1, 2], found.common + found.judge[2] + found.scenario[1], atol=1e-12)
    assert (found.sd[1, 2] > found.sd[0, 2]).all()
