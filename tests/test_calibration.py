"""Are the stated uncertainties right: weights drawn from the prior, studies simulated from them, and fitted."""

from __future__ import annotations

import joblib
import numpy as np
import pytest
from scipy import stats

import prefdissect as pdx
from cells import as_arrays, make_cell, reduced
from prefdissect.inference import Laplace
from prefdissect.inference.ep import fit_ep
from prefdissect.inference.prior import PriorArrays
from prefdissect.inference.surrogate import sample_exact

pytestmark = pytest.mark.lane("newer")

PROPERTIES = [
    *pdx.PAPER.ids[:7],
    "relevant",
    "no_severe_errors",
    "satisfy_constraints",
    "support_stances",
    "lengthy",
]


def coverage(*, studies: int, judges: int, **how) -> float:
    """Return the share of true weights inside their 94% intervals: `studies` of 200 pairs and 12 properties."""
    schema = pdx.PAPER.select(PROPERTIES)
    inside = []
    for seed in range(studies):
        study = pdx.simulate(200, schema=schema, judges=judges, scenarios=None, random_seed=seed)
        result = pdx.dissect(study.data, random_seed=seed, **how)
        table = result.weights.merge(study.weights, on=["judge", "group", "property"], validate="1:1")
        inside.append((table["lower"] <= table["weight"]) & (table["weight"] <= table["upper"]))
    return float(np.mean(inside))


@pytest.mark.parametrize("engine", ["exact", "ep"])
def test_intervals_cover_the_truth(engine):
    """1,000 fits of 12 weights drawn from the prior that the fit assumes.

    12,000 intervals: were they independent, the standard error of their coverage at 0.94 would be
    sqrt(0.94 * 0.06 / 12000) = 0.0022, so a calibrated engine stays within 0.01 with probability above
    0.999. Weights of one fit are nearly independent given the pairs, and each study has its own.
    """
    assert abs(coverage(studies=20, judges=50, engine=engine) - 0.94) <= 0.01


@pytest.mark.slow
@pytest.mark.timeout(7200)
# With 300 draws R-hat itself is too noisy for the certificate; the quantiles are exact enough.
@pytest.mark.filterwarnings("ignore::prefdissect.ConvergenceWarning")
def test_intervals_of_nuts_cover_the_truth():
    """500 fits, 6,000 intervals: as above, with a standard error of 0.0031."""
    with joblib.parallel_config(n_jobs=joblib.cpu_count()):
        assert abs(coverage(studies=10, judges=50, engine="nuts", draws=300) - 0.94) <= 0.01


SCALES = {"weak": Laplace(0.1), "strong": Laplace(1.0)}


def ranks_of_truth(prior: PriorArrays, n_fits: int, n_rows: int, n_ranks: int, seed: int) -> np.ndarray:
    """Return the rank of each true weight among thinned draws of its posterior, [fit, column], 0 to n_ranks."""
    rng = np.random.default_rng(seed)
    p = len(prior.scale)
    ranks = np.empty((n_fits, p), dtype=int)
    for i in range(n_fits):
        w = rng.laplace(0, prior.scale)
        # Correlated columns, the last one with a unit of its own
        x = rng.integers(-1, 2, (n_rows, p)).astype(float)
        x[:, 1] = np.where(rng.random(n_rows) < 0.7, x[:, 0], x[:, 1])
        x[:, -1] *= 3
        y = (rng.random(n_rows) < 1 / (1 + np.exp(-(x @ w)))).astype(float)
        data = reduced(make_cell(x, y))
        drawn = sample_exact(
            data,
            prior,
            fit_ep(data, prior),
            draws=500,
            chains=2,
            rng=np.random.default_rng([seed, i]),
            on_share=lambda share: None,
        )
        ranks[i] = (drawn.weight[:, ::10].reshape(-1, p)[:n_ranks] < w).sum(axis=0)
    return ranks


@pytest.mark.parametrize("strength", SCALES)
def test_ranks_of_the_truth_are_uniform(strength):
    """Simulation-based calibration of `exact` (Talts et al. 2018, arXiv 1804.06788): 600 fits of 5 weights.

    Every tenth of 2 x 500 draws is kept, 99 in all, which hardly correlate; ranks 0 to 99 fall into 20
    bins of 5. Chi-squared tests of each weight at a family-wise level of 1% by Holm's correction, for
    a fixed seed. That the test can fail is shown by ranks of a posterior whose sd is 20% off.
    """
    prior = as_arrays(SCALES[strength], 5)
    ranks = ranks_of_truth(prior, n_fits=600, n_rows=80, n_ranks=99, seed=11)
    counts = np.array([np.bincount(column // 5, minlength=20) for column in ranks.T])
    p_values = np.sort(stats.chisquare(counts, axis=1).pvalue)
    holm = 0.01 / np.arange(len(p_values), 0, -1)
    assert (p_values > holm).all(), p_values


def test_the_test_of_ranks_sees_a_posterior_that_is_too_narrow():
    """600 ranks of standard normals among 99 draws whose sd is 0.8: far below the level of the test above."""
    rng = np.random.default_rng(0)
    ranks = (rng.normal(0, 0.8, (600, 99)) < rng.normal(size=(600, 1))).sum(axis=1)
    assert stats.chisquare(np.bincount(ranks // 5, minlength=20)).pvalue < 0.01 / 5
