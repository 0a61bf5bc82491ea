"""A small hierarchy whose layers are known, and what a long run of NUTS says of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prefdissect.inference.pooling.rows import Rows

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Hierarchy:
    """True weights [scenario, judge, column], rows [scenario, pair, column], preferences [scenario, judge, pair]."""

    weights: Array
    x: Array
    y: Array

    def rows(self) -> Rows:
        """Return the rows of all cells."""
        n_scenarios, n_judges, n_pairs = self.y.shape
        x = np.repeat(self.x[:, None], n_judges, axis=1).reshape(-1, self.x.shape[-1])
        return Rows(
            xt=np.ascontiguousarray(x.T),
            weight=np.ones(len(x)),
            linear=self.y.ravel() - 0.5,
            tied=np.zeros(len(x)),
            starts=np.arange(n_scenarios * n_judges + 1) * n_pairs,
            opens=np.arange(1, n_scenarios * n_judges + 1) * n_pairs,  # none could have been a tie
            pair=np.tile(np.arange(n_pairs), n_scenarios * n_judges),
            source=np.arange(len(x)),
            shape=(n_scenarios, n_judges),
        )


def draw_hierarchy(
    seed: int,
    scales: tuple[float, float, float, float] = (0.3, 0.15, 0.1, 0.15),
    *,
    shape: tuple[int, int, int] = (4, 4, 8),
    n_pairs: int = 300,
    pair_sd: float = 0.0,
) -> Hierarchy:
    """Return a study of scenarios x judges x columns; scales of the common, judge, scenario and cell layers."""
    rng = np.random.default_rng(seed)
    n_scenarios, n_judges, n_columns = shape
    sizes = [(n_columns,), (n_judges, n_columns), (n_scenarios, 1, n_columns), shape]
    weights = sum(scale * rng.standard_normal(size) for scale, size in zip(scales, sizes, strict=True))
    x = rng.choice([-1.0, 0.0, 1.0], (n_scenarios, n_pairs, n_columns))
    seen = pair_sd * rng.standard_normal((n_scenarios, 1, n_pairs))
    logit = np.einsum("sjp,snp->sjn", weights, x) + seen
    return Hierarchy(np.asarray(weights), x, (rng.random(logit.shape) < 1 / (1 + np.exp(-logit))).astype(float))


def run_nuts(study: Hierarchy, *, draws: int, tune: int, seed: int) -> dict[str, Array]:
    """Return means and sds of weights and scales by PyMC, whose model is written here once more, non-centred."""
    import pymc as pm

    n_scenarios, n_judges, n_columns = study.weights.shape
    with pm.Model():
        common_sd = pm.HalfNormal("common_sd", 0.3)
        sds = [pm.HalfNormal(name, 0.2, shape=n_columns) for name in ("judge_sd", "scenario_sd", "cell_sd")]
        common = common_sd * pm.Normal("common", shape=n_columns)
        judge = sds[0] * pm.Normal("judge", shape=(n_judges, n_columns))
        scenario = sds[1] * pm.Normal("scenario", shape=(n_scenarios, 1, n_columns))
        cell = sds[2] * pm.Normal("cell", shape=(n_scenarios, n_judges, n_columns))
        weight = pm.Deterministic("weight", common + judge + scenario + cell)
        for s in range(n_scenarios):
            pm.Bernoulli(f"y{s}", logit_p=pm.math.dot(weight[s], study.x[s].T), observed=study.y[s])
        trace = pm.sample(draws, tune=tune, chains=4, cores=1, random_seed=seed, progressbar=False, target_accept=0.95)
    posterior = trace.posterior
    out = {}
    for name in ("weight", "common_sd", "judge_sd", "scenario_sd", "cell_sd"):
        values = posterior[name].to_numpy()
        out |= {f"{name}_mean": values.mean(axis=(0, 1)), f"{name}_sd": values.std(axis=(0, 1))}
    return out
