"""Joint draws of all judges' weights: against a plain twin, and against known truths."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import invwishart

import prefdissect as pdx
from prefdissect.compare import compare_weights
from prefdissect.inference import joint, sample_joint
from prefdissect.inference.compiled.joint import Evidence, run_joint

pytestmark = pytest.mark.lane("oldest")

NU, TYPICAL, TAIL = 0.5, 1.0, 3.0  # the prior, written down once more: a twin must not read it from the original


def make_evidence(n_groups: int, n_judges: int, n_columns: int, seed: int) -> Evidence:
    """Return what 60 labels a cell would say, about: precisions of full rank but for the level."""
    rng = np.random.default_rng(seed)
    root = rng.normal(0, 1, (n_groups, n_judges, 60, n_columns)) * 0.4
    precision = np.swapaxes(root, -1, -2) @ root
    truth = rng.normal(0, 0.5, (1, n_judges, n_columns)) + rng.normal(0, 0.3, (n_groups, n_judges, n_columns))
    linear = np.einsum("gjkl,gjl->gjk", precision, truth) + np.einsum(
        "gjnk,gjn->gjk", root, rng.normal(0, 1, (n_groups, n_judges, 60))
    )
    return joint._take_level(precision, linear)[1]


def twin(evidence: Evidence, sweeps: int, seed: int) -> np.ndarray:
    """Return draws [sweep, group, judge, column] by the textbook's sampler: one block at a time, nothing integrated."""
    rng = np.random.default_rng(seed)
    n_groups, n_judges, n_columns = evidence.linear.shape
    common, own = np.zeros((n_judges, n_columns)), np.zeros((n_groups, n_judges, n_columns))
    a = np.ones((2, n_judges))
    spread = np.ones(n_columns)
    out = np.empty((sweeps, n_groups, n_judges, n_columns))
    shared = n_groups > 1
    for i in range(sweeps):
        sets = [common[None], own] if shared else [common[None][:0], own]
        precision = []
        for layer, values in enumerate(sets):
            scatter = 2 * NU * np.diag(1 / a[layer]) + np.einsum("sjk,slk,k->jl", values, values, 1 / spread)
            covariance = invwishart.rvs(NU + n_judges - 1 + len(values) * n_columns, scatter, random_state=rng).reshape(
                n_judges, n_judges
            )
            precision.append(np.linalg.inv(covariance))
            rate = NU * np.diag(precision[layer]) + 1 / TYPICAL**2
            a[layer] = rate / rng.gamma((NU + n_judges) / 2, size=n_judges)
        squares = sum(np.einsum("sjk,jl,slk->k", v, q, v) for v, q in zip(sets, precision, strict=True))
        n_values = (n_groups + shared) * n_judges
        spread = (TAIL + squares) / 2 / rng.gamma((TAIL + n_values) / 2, size=n_columns)
        for k in range(n_columns) if shared else ():  # what groups share, given the weights
            weights = own[:, :, k] + common[:, k]
            known = (precision[0] + n_groups * precision[1]) / spread[k]
            mean = np.linalg.solve(known, precision[1] @ weights.sum(axis=0) / spread[k])
            common[:, k] = rng.multivariate_normal(mean, np.linalg.inv(known))
            own[:, :, k] = weights - common[:, k]
        for g in range(n_groups):  # the weights of all judges in a group, in one block
            known = np.kron(precision[1], np.diag(1 / spread))
            linear = known @ common.ravel() + evidence.linear[g].ravel()
            for j in range(n_judges):
                block = slice(j * n_columns, (j + 1) * n_columns)
                known[block, block] += evidence.precision[g, j]
            weights = rng.multivariate_normal(np.linalg.solve(known, linear), np.linalg.inv(known))
            own[g] = weights.reshape(n_judges, n_columns) - common
        out[i] = own + common
    return out


def draw(evidence: Evidence, n: int, seed: int, thin: int = 2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    state, out = joint._start(evidence, rng), np.empty((n, *evidence.linear.shape))
    run_joint(evidence, state, 1, rng, np.empty((200, *evidence.linear.shape)))
    run_joint(evidence, state, thin, rng, out)
    return out


def batch_error(values: np.ndarray, batches: int = 20) -> np.ndarray:
    """Return the Monte Carlo error of the mean over the first dimension, from the means of batches."""
    means = np.array([part.mean(axis=0) for part in np.array_split(values, batches)])
    return means.std(axis=0, ddof=1) / np.sqrt(batches)


@pytest.mark.parametrize(("n_groups", "n_judges"), [(1, 2), (3, 3)])
def test_the_sampler_agrees_with_a_plain_twin(n_groups, n_judges):
    """Means of weights, their squares and similarities: of up to 60 figures the largest distance is 3 errors by chance.

    5 errors of both runs together are allowed: a chance of 4e-5 in 60 figures, were the errors known exactly; they come
    from 20 batches, which makes it 5e-3.
    """
    evidence = make_evidence(n_groups, n_judges, 4, seed=n_groups)
    ours, theirs = draw(evidence, 6000, 1), twin(evidence, 9000, 2)[1000:]

    def figures(w: np.ndarray) -> np.ndarray:
        w = w - w.mean(axis=-1, keepdims=True)
        similarity = compare_weights(w, "pearson")[..., *np.triu_indices(n_judges, 1)]
        parts = [w, w**2, similarity, similarity.mean(axis=1, keepdims=True) ** 2]
        return np.concatenate([p.reshape(len(w), -1) for p in parts], axis=1)

    a, b = figures(ours), figures(theirs)
    distance = np.abs(a.mean(axis=0) - b.mean(axis=0)) / np.hypot(batch_error(a), batch_error(b))
    assert distance.max() < 5


def make_result(similarity: float, n: int, seed: int, judges: int = 2) -> pdx.Dissection:
    rng = np.random.default_rng(seed)
    weights = rng.normal(0, 0.25, (judges, 29))
    weights -= weights.mean(axis=1, keepdims=True)
    unit = weights[0] / np.linalg.norm(weights[0])
    for j in range(1, judges):
        rest = weights[j] - (weights[j] @ unit) * unit
        length = np.linalg.norm(weights[j])
        weights[j] = length * (similarity * unit + np.sqrt(1 - similarity**2) * rest / np.linalg.norm(rest))
    study = pdx.simulate(n, judges=judges, scenarios=None, weights=(weights + 0.1)[:, None], random_seed=seed)
    return pdx.dissect(study.data, position=False, engine="ep", draws=4, random_seed=seed)


def test_intervals_hold_a_known_similarity_and_points_are_too_low():
    """60 studies of 400 pairs, truth 0.6: of 94% intervals 50 or fewer would hold it with a chance of 3e-3.

    The point is lowered by noise, by 0.14 on average with a standard error of 0.02; the corrected mean by less.
    """
    truth, held, points, corrected = 0.6, 0, [], []
    for seed in range(60):
        found = make_result(truth, 400, seed).similarity()
        held += found.lower.iloc[0, 1] <= truth <= found.upper.iloc[0, 1]
        points.append(found.overall.iloc[0, 1])
        corrected.append(found.corrected.iloc[0, 1])
    assert held > 50
    assert np.mean(points) < truth - 0.06
    assert np.mean(points) < np.mean(corrected) < truth + 0.06


def test_correlating_independent_draws_would_be_wrong():
    """What this replaces: at 400 pairs draws of two judges' own posteriors correlate at half the truth."""
    result = make_result(0.6, 400, 5)
    rng = np.random.default_rng(0)
    own = [rng.multivariate_normal(f.mean, f.cov, 1000) for f in result.fitted.fits.values()]
    naive = compare_weights(np.stack(own, axis=1), "pearson")[:, 0, 1].mean()
    assert naive < 0.8 * result.similarity().overall.iloc[0, 1]


def test_seeds_reproduce_and_differ():
    result = make_result(0.6, 200, 1)
    every = np.ones(29, dtype=bool)
    one, same, other = (sample_joint(result.fitted, ["all"], every, random_seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert one.shape == (4, 500, 1, 2, 29)


def test_a_judge_without_a_fit_has_no_draws_and_leaves_the_others_alone():
    result = make_result(0.6, 200, 1, judges=3)
    fits = {key: fit for key, fit in result.fitted.fits.items() if key[0] != "judge2"}
    draws = sample_joint(replace(result.fitted, fits=fits), ["all"], np.ones(29, dtype=bool), random_seed=1)
    assert np.isnan(draws[:, :, :, 1]).all()
    assert np.isfinite(draws[:, :, :, [0, 2]]).all()


def test_levels_come_back():
    """The level is flat in the prior: with 20,000 pairs the mean weight is the true 0.1, with an error of 0.005."""
    result = make_result(0.6, 20_000, 3)
    draws = sample_joint(result.fitted, ["all"], np.ones(29, dtype=bool), random_seed=1)
    mean = draws.mean(axis=(0, 1))[0]
    for j, judge in enumerate(result.judges):
        fit = result.fitted.fits[judge, "all"]
        assert mean[j].mean() == pytest.approx(0.1, abs=0.02)
        assert np.corrcoef(mean[j], fit.mean)[0, 1] > 0.99


def test_nuisance_columns_are_integrated_out():
    """The block of properties is the inverse of their covariance in the joint one, the nuisance having its prior."""
    result = make_result(0.6, 300, 2)
    fit = result.fitted.fits["judge1", "all"]
    kept = np.arange(29) < 26
    precision, linear = joint._block(result.fitted, "judge1", "all", kept)
    whole = fit.precision + np.diag(np.where(kept, 0.0, 1.0))
    cov = np.linalg.inv(whole)
    np.testing.assert_allclose(precision, np.linalg.inv(cov[:26, :26]), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(np.linalg.solve(precision, linear), (cov @ fit.linear)[:26], rtol=1e-6, atol=1e-8)
