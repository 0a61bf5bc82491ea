"""The exact elimination of layers, against one dense matrix of all effects."""

from __future__ import annotations

import numpy as np
import pytest

from prefdissect.inference.pooling.layers import LAYERS, LayerTable, Variances, arrange_layers
from prefdissect.inference.pooling.scales import learn
from prefdissect.inference.pooling.solver import Evidence, Solution, solve

SHAPE = (2, 3, 4)  # scenarios, judges, columns


def make_evidence(rng: np.random.Generator, n_latent: int) -> Evidence:
    n_scenarios, n_judges, n_columns = SHAPE
    roots = rng.standard_normal((*SHAPE, 9))
    coupling = 0.3 * rng.standard_normal((*SHAPE, n_latent))
    precision = roots @ np.swapaxes(roots, -1, -2) + coupling @ np.swapaxes(coupling, -1, -2)
    loading = rng.standard_normal((n_scenarios, n_judges, 2 if n_latent else 0))
    return Evidence(precision, rng.standard_normal(SHAPE), coupling, loading)


def make_variances(rng: np.random.Generator, absent: tuple[str, ...] = ()) -> Variances:
    layer = rng.uniform(0.05, 0.5, (4, SHAPE[2]))
    layer[[LAYERS.index(name) for name in absent]] = 0.0
    return Variances(layer, rng.uniform(0.5, 2.0, SHAPE[1]), rng.uniform(0.5, 2.0, SHAPE[1]))


class Dense:
    """Mean and covariance of all effects, in the order common, judges, scenarios, cells, from one matrix."""

    def __init__(self, evidence: Evidence, variances: Variances) -> None:
        s_, j_, p = SHAPE
        blocks = [("common",)] + [("judge", j) for j in range(j_)] + [("scenario", s) for s in range(s_)]
        blocks += [("cell", s, j) for s in range(s_) for j in range(j_)]
        self.at = {block: slice(i * p, (i + 1) * p) for i, block in enumerate(blocks)}
        of = {"common": lambda b: variances.common, "judge": lambda b: variances.judge[b[1]]}
        of |= {"scenario": lambda b: variances.scenario, "cell": lambda b: variances.cell[b[2]]}
        prior = np.concatenate([of[block[0]](block) for block in blocks])
        n, information, linear = len(prior), np.zeros((len(prior), len(prior))), np.zeros(len(prior))
        self.to_weight = {}
        for s in range(s_):
            maps, scenario = [], np.zeros((j_ * p, j_ * p))
            for j in range(j_):
                one = np.zeros((p, n))
                for block in (("common",), ("judge", j), ("scenario", s), ("cell", s, j)):
                    one[:, self.at[block]] = np.eye(p)
                maps.append(one)
                self.to_weight[s, j] = one
                scenario[j * p : (j + 1) * p, j * p : (j + 1) * p] = evidence.precision[s, j]
                linear += one.T @ evidence.linear[s, j]
            shared = evidence.coupling[s].reshape(j_ * p, -1)
            whole = np.concatenate(maps)
            information += whole.T @ (scenario - shared @ shared.T) @ whole
        root = np.sqrt(prior)
        scaled = np.eye(n) + root[:, None] * information * root
        self.cov = root[:, None] * np.linalg.inv(scaled) * root
        self.mean = self.cov @ linear
        self.log_evidence = (linear @ self.mean - np.linalg.slogdet(scaled)[1]) / 2

    def weights(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and covariance of all weights, scenario by scenario and in it judge by judge."""
        whole = np.concatenate(list(self.to_weight.values()))
        return whole @ self.mean, whole @ self.cov @ whole.T


CASES = [(0, ()), (3, ()), (0, ("scenario",)), (0, ("judge", "cell")), (3, ("cell",)), (3, ("scenario", "cell"))]


@pytest.fixture(params=CASES, ids=str)
def solved(request) -> tuple[Solution, Dense]:
    rng = np.random.default_rng(0)
    n_latent, absent = request.param
    evidence, variances = make_evidence(rng, n_latent), make_variances(rng, absent)
    return solve(evidence, variances), Dense(evidence, variances)


def test_means_covariances_and_evidence_are_those_of_one_dense_matrix(solved):
    found, dense = solved
    near = {"rtol": 0, "atol": 1e-10}
    variance = np.diagonal(dense.cov)
    np.testing.assert_allclose(found.common, dense.mean[dense.at["common",]], **near)
    np.testing.assert_allclose(found.moments.common, variance[dense.at["common",]], **near)
    for j in range(SHAPE[1]):
        np.testing.assert_allclose(found.judge[j], dense.mean[dense.at["judge", j]], **near)
        np.testing.assert_allclose(found.moments.judge[j], variance[dense.at["judge", j]], **near)
    for s in range(SHAPE[0]):
        np.testing.assert_allclose(found.scenario[s], dense.mean[dense.at["scenario", s]], **near)
        np.testing.assert_allclose(found.moments.scenario[s], variance[dense.at["scenario", s]], **near)
        for j in range(SHAPE[1]):
            one = dense.to_weight[s, j]
            np.testing.assert_allclose(found.weight[s, j], one @ dense.mean, **near)
            np.testing.assert_allclose(found.cov[s, j], one @ dense.cov @ one.T, **near)
            np.testing.assert_allclose(found.cell[s, j], dense.mean[dense.at["cell", s, j]], **near)
            np.testing.assert_allclose(found.moments.cell[s, j], variance[dense.at["cell", s, j]], **near)
    assert found.log_evidence == pytest.approx(dense.log_evidence, abs=1e-10)


def test_sums_over_judges_covary_as_in_one_dense_matrix():
    rng = np.random.default_rng(1)
    evidence, variances = make_evidence(rng, 3), make_variances(rng)
    found, dense = solve(evidence, variances), Dense(evidence, variances)
    s_, j_, p = SHAPE
    _, cov = dense.weights()
    cov = cov.reshape(s_, j_, p, s_, j_, p)
    for s in range(s_):
        loading = evidence.loading[s]
        with_sums = np.einsum("jpkq,kr->jprq", cov[s, :, :, s], loading).reshape(j_, p, -1)
        sums = np.einsum("jpkq,jt,kr->tprq", cov[s, :, :, s], loading, loading).reshape(2 * p, 2 * p)
        np.testing.assert_allclose(found.moments.with_sums[s], with_sums, rtol=0, atol=1e-10)
        np.testing.assert_allclose(found.moments.sums[s], sums, rtol=0, atol=1e-10)


def test_draws_are_joint(solved):
    """Covariances of 20,000 draws: the error of one is at most 1.4 var / sqrt(n), 0.005 here; 5 of them."""
    found, dense = solved
    drawn = found.draw(np.random.default_rng(1), 20_000)
    mean, cov = dense.weights()
    weight = drawn["weight"].reshape(20_000, -1)
    assert np.abs(weight.mean(axis=0) - mean).max() < 0.02
    assert np.abs(np.cov(weight.T) - cov).max() < 0.025
    parts = drawn["common"][:, None, None] + drawn["judge"][:, None] + drawn["scenario"][:, :, None] + drawn["cell"]
    np.testing.assert_allclose(parts, drawn["weight"], atol=1e-12)


@pytest.mark.parametrize("layer", range(4))
def test_the_evidence_rises_where_effects_are_larger_than_their_scale(layer):
    """d log evidence / d log variance = (sum mean**2 / variance - number determined) / 2, by finite differences."""
    rng = np.random.default_rng(2)
    evidence, now = make_evidence(rng, 3), make_variances(rng)
    found = solve(evidence, now)
    effects = (found.common, found.judge, found.scenario, found.cell)[layer][..., 1]
    variance = np.array(getattr(now, LAYERS[layer]))[..., 1]
    posterior = getattr(found.moments, LAYERS[layer])[..., 1]
    expected = ((effects**2 - (variance - posterior)) / variance).sum() / 2
    step, moved = 1e-5, []
    for sign in (1, -1):
        changed = now.layer.copy()
        changed[layer, 1] *= np.exp(sign * step)
        moved.append(solve(evidence, Variances(changed, now.judge_factor, now.cell_factor)).log_evidence)
    assert (moved[0] - moved[1]) / (2 * step) == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_fits_apart_and_one_fit_for_all_are_pins():
    rng = np.random.default_rng(3)
    evidence = make_evidence(rng, 0)
    layer = np.zeros((4, SHAPE[2]))
    layer[3] = 0.2
    ones = np.ones(SHAPE[1])
    apart = solve(evidence, Variances(layer, ones, ones))
    for s, j in np.ndindex(*SHAPE[:2]):
        alone = np.linalg.inv(evidence.precision[s, j] + np.eye(SHAPE[2]) / 0.2)
        np.testing.assert_allclose(apart.cov[s, j], alone, atol=1e-12)
        np.testing.assert_allclose(apart.weight[s, j], alone @ evidence.linear[s, j], atol=1e-12)
    together = solve(evidence, Variances(layer[::-1], ones, ones))
    one = np.linalg.inv(evidence.precision.sum(axis=(0, 1)) + np.eye(SHAPE[2]) / 0.2)
    for s, j in np.ndindex(*SHAPE[:2]):
        np.testing.assert_allclose(together.cov[s, j], one, atol=1e-12)
        np.testing.assert_allclose(together.weight[s, j], one @ evidence.linear.sum(axis=(0, 1)), atol=1e-12)


def test_scales_that_are_not_learned_stay():
    rng = np.random.default_rng(4)
    roles = ("property", "property", "property", "nuisance")
    table = arrange_layers(roles, SHAPE[1], SHAPE[0])
    fixed = LayerTable(table.variance, table.how, table.role).fix("judge", np.full(4, 0.3))
    found = solve(make_evidence(rng, 0), Variances(fixed.variance.copy(), np.ones(3), np.ones(3)))
    learned = learn(fixed, found, factors=False)
    assert (learned.layer[1] == 0.3).all()
    assert learned.layer[0, 3] == table.variance[0, 3]  # common, of what is no property
    assert (learned.layer[2:, 3] == 0).all()
    assert (learned.layer[0, :3] == learned.layer[0, 0]).all()  # one scale for all properties
    assert len(set(learned.layer[2, :3])) == 3


@pytest.mark.parametrize(
    ("judges", "scenarios", "absent"),
    [(1, 4, {"judge", "cell"}), (4, 1, {"scenario", "cell"}), (4, 4, set())],
)
def test_layers_that_nothing_tells_apart_are_one(judges, scenarios, absent):
    table = arrange_layers(("property",), judges, scenarios)
    assert {name for name in LAYERS if not table.has(name)} == absent
