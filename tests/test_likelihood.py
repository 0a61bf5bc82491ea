"""The compiled sums over rows against the likelihood term by term."""

from __future__ import annotations

import numpy as np
import pytest

from prefdissect.inference.compiled.likelihood import (
    BLOCK,
    Rows,
    add_log_likelihoods,
    fill_scores,
    log_likelihood,
    log_likelihood_beside,
)


def term_by_term(rows: Rows, w: np.ndarray) -> float:
    return float(rows.statistic @ w - rows.weight @ np.logaddexp(rows.xt.T @ w / 2, -(rows.xt.T @ w) / 2))


@pytest.fixture(params=[(3, 1), (29, 400), (7, BLOCK), (8, 2 * BLOCK + 1)], ids=str)
def xt(request) -> np.ndarray:
    n_columns, n_rows = request.param
    return np.random.default_rng(n_rows).normal(0, 2, (n_columns, n_rows))


@pytest.fixture(params=["unit", "weighted"])
def rows(request, xt) -> Rows:
    rng = np.random.default_rng(1)
    unit = request.param == "unit"
    weight = np.ones(xt.shape[1]) if unit else rng.choice([1e-6, 0.5, 3.0, 1e4], xt.shape[1])
    return Rows(xt, weight, unit, rng.normal(0, 3, len(xt)))


@pytest.mark.parametrize("size", [0.0, 0.1, 30.0])
def test_log_likelihood(rows, size):
    w = size * np.random.default_rng(2).normal(size=len(rows.xt))
    expected = term_by_term(rows, w)
    assert log_likelihood(rows, w, np.empty(BLOCK)) == pytest.approx(expected, rel=1e-12, abs=1e-10)
    several, out = np.stack([w, -w, 2 * w]), np.array([1.0, 2.0, 3.0])
    add_log_likelihoods(rows, several, np.empty(BLOCK), out)
    assert out == pytest.approx(
        [1 + expected, *(a + term_by_term(rows, b * w) for a, b in ((2, -1), (3, 2)))], rel=1e-12
    )


def test_log_likelihood_beside_is_a_difference(rows):
    w, scores = np.random.default_rng(3).normal(size=len(rows.xt)), np.empty(rows.xt.shape[1])
    fill_scores(rows, w, scores)
    np.testing.assert_allclose(scores, rows.xt.T @ w, rtol=1e-12, atol=1e-12)
    now = log_likelihood_beside(rows, scores, w, 0, 0.0, np.empty(BLOCK))
    for k in range(len(w)):
        moved = w.copy()
        moved[k] += 0.7
        difference = term_by_term(rows, moved) - term_by_term(rows, w)
        assert log_likelihood_beside(rows, scores, w, k, 0.7, np.empty(BLOCK)) - now == pytest.approx(
            difference, rel=1e-9, abs=1e-8
        )
