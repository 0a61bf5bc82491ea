"""Simulated truth from the prior: do 94% intervals hold 94% of the true weights?"""

import joblib
import numpy as np
import pytest

import prefdissect as pdx

STUDIES, JUDGES, PAIRS = 10, 50, 200
PROPERTIES = [
    *pdx.PAPER.ids[:7],
    "relevant",
    "no_severe_errors",
    "satisfy_constraints",
    "support_stances",
    "lengthy",
]


@pytest.mark.slow
@pytest.mark.timeout(7200)
# With 300 draws R-hat itself is too noisy for the certificate; the quantiles are exact enough.
@pytest.mark.filterwarnings("ignore::prefdissect.ConvergenceWarning")
def test_intervals_cover_the_truth():
    """500 fits of 12 weights drawn from the prior that the fit assumes.

    6,000 intervals: were they independent, the standard error of their coverage at 0.94 would be
    sqrt(0.94 * 0.06 / 6000) = 0.0031, so a calibrated sampler stays within 0.01 with probability
    0.999. Weights of one fit are nearly independent given the pairs, and each study has its own.
    """
    schema = pdx.PAPER.select(PROPERTIES)
    inside = []
    with joblib.parallel_config(n_jobs=joblib.cpu_count()):
        for seed in range(STUDIES):
            study = pdx.simulate(PAIRS, schema=schema, judges=JUDGES, scenarios=None, random_seed=seed)
            result = pdx.dissect(study.data, draws=300, random_seed=seed)
            table = result.weights.merge(study.weights, on=["judge", "group", "property"], validate="1:1")
            inside.append((table["lower"] <= table["weight"]) & (table["weight"] <= table["upper"]))
    coverage = float(np.mean(inside))
    assert abs(coverage - 0.94) <= 0.01
