"""The posterior of all layers, given the scales.

Each cell's likelihood is a Gaussian, exp(linear'b - b'precision b / 2). Given the variances, cells are eliminated
first, then judges, and one dense system is left for the scenarios and what they have in common; all of it exactly.

Judges of the same pairs may share noise (`pair_effect.py`). What couples their cells is then of low rank: scenario s
has latent z_s ~ Normal(0, 1), and judge j's linear term gets `coupling[s, j] @ z_s`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import joblib
import numpy as np

from prefdissect._typing import FloatArray
from prefdissect.inference.pooling.elimination import (
    Cells,
    Evidence,
    Judges,
    apply,
    diagonal,
    eliminate_cells,
    eliminate_judges,
    gather_scenarios,
    invert_lower,
    split,
    whiten,
)
from prefdissect.inference.pooling.layers import Variances

__all__ = ["Evidence", "Moments", "Solution", "solve"]


@dataclass(frozen=True, eq=False)
class Moments:
    """Second moments of a solution.

    Parameters
    ----------
    cov
        Of the weights of each cell, [scenario, judge, column, column].
    with_sums, sums
        Of weights with `sum over judges of loading * weight`, [scenario, judge, column, rank * column], and of those
        sums, [scenario, rank * column, rank * column].
    common, judge, scenario, cell
        Variances of the effects of each layer, shaped like their means.
    """

    cov: FloatArray
    with_sums: FloatArray
    sums: FloatArray
    common: FloatArray
    judge: FloatArray
    scenario: FloatArray
    cell: FloatArray


@dataclass(frozen=True, eq=False)
class Solution:
    """Means of all layers, and what their covariances and joint draws are made of.

    `common` [column], `judge` [judge, column], `scenario` [scenario, column], `cell` and `weight` [scenario, judge,
    column] are posterior means; `root_of_all @ root_of_all'` is the covariance of the scenarios' unknowns.
    """

    evidence: Evidence
    variances: Variances
    common: FloatArray
    judge: FloatArray
    scenario: FloatArray
    cell: FloatArray
    weight: FloatArray
    latent: FloatArray
    root_of_all: FloatArray
    log_evidence: float
    cells: Cells
    judges: Judges

    @cached_property
    def _shifts(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """By what scenarios with what they share, judges and latents move with the dense system, [..., unknown]."""
        common, scenario, latent = split(self.root_of_all, self.variances, len(self.scenario))
        scenario = scenario + common
        stacked = np.concatenate([scenario, latent], axis=1)
        stacked = stacked.reshape(stacked.shape[0] * stacked.shape[1], stacked.shape[2])
        judge = -(self.judges.onto.reshape(-1, len(stacked)) @ stacked)
        return scenario, judge.reshape(*self.judge.shape, stacked.shape[1]), latent

    @cached_property
    def moments(self) -> Moments:
        """Second moments, of the weights of each cell and of the effects of each layer."""
        common, scenario, _ = split(self.root_of_all, self.variances, len(self.scenario))
        with ThreadPoolExecutor(joblib.cpu_count()) as pool:  # numpy works outside the interpreter's lock
            parts = list(pool.map(self._scenario_moments, range(len(self.scenario))))
        cov, of_cell, with_sums, sums = (np.stack(part) for part in zip(*parts, strict=True))
        of_judge = diagonal(self.judges.cov) + np.einsum("jpd,jpd->jp", self._shifts[1], self._shifts[1])
        of_scenario = np.einsum("spd,spd->sp", scenario, scenario)
        return Moments(cov, with_sums, sums, (common**2).sum(axis=-1), of_judge, of_scenario, of_cell)

    def _scenario_moments(self, s: int) -> tuple[FloatArray, ...]:
        """Return covariances of the weights of a scenario's cells, variances of the cell layer, and those of sums."""
        scenario, judge, latent = self._shifts
        keep, around = self.cells.keep[s], judge + scenario[s]
        root = np.matmul(keep, around)
        if len(latent[s]):
            root += np.matmul(np.matmul(self.cells.cov[s], self.evidence.coupling[s]), latent[s])
        apart = self.cells.cov[s] + np.matmul(np.matmul(keep, self.judges.cov), np.swapaxes(keep, -1, -2))
        cov = apart + np.matmul(root, np.swapaxes(root, -1, -2))
        with_sums, sums = _moments_of_sums(apart, root, self.evidence.loading[s])
        away = keep - np.eye(keep.shape[-1])
        of_cell = diagonal(self.cells.cov[s]) + np.einsum(
            "jpq,jqp->jp", np.matmul(away, self.judges.cov), away.swapaxes(1, 2)
        )
        root -= around
        return cov, of_cell + np.einsum("jpd,jpd->jp", root, root), with_sums, sums

    @property
    def cov(self) -> FloatArray:
        """Covariance of the weights of each cell, [scenario, judge, column, column]."""
        return self.moments.cov

    @cached_property
    def sd(self) -> FloatArray:
        """Standard deviation of each weight, [scenario, judge, column]."""
        return np.sqrt(diagonal(self.cov))

    def draw(self, rng: np.random.Generator, n: int = 1) -> dict[str, FloatArray]:
        """Return joint draws: common, judge, scenario, cell and weight, shaped like their means behind [draw]."""
        noise = rng.standard_normal((self.root_of_all.shape[1], n))
        common, scenario, latent = split(self.root_of_all @ noise, self.variances, len(self.scenario))
        moved = np.concatenate([scenario + common, latent], axis=1).reshape(-1, n)
        judge = np.matmul(self.judges.half, rng.standard_normal((*self.judge.shape, n)))
        judge -= (self.judges.onto.reshape(-1, len(moved)) @ moved).reshape(judge.shape)
        others = (scenario + common)[:, None] + judge
        around = np.matmul(self.cells.keep, others)
        around += np.matmul(self.cells.half, rng.standard_normal((*self.weight.shape, n)))
        if latent.shape[1]:
            around += np.matmul(self.cells.cov, np.matmul(self.evidence.coupling, latent[:, None]))
        parts = {"common": common, "judge": judge, "scenario": scenario, "cell": around - others, "weight": around}
        return {name: getattr(self, name) + np.moveaxis(part, -1, 0) for name, part in parts.items()}


def solve(evidence: Evidence, variances: Variances) -> Solution:
    """Return the posterior of all layers given their variances.

    `log_evidence` is the log of the integral of the Gaussian likelihood over the prior.
    """
    cells = eliminate_cells(evidence, variances.cell)
    judges = eliminate_judges(cells, variances.judge)
    information, linear = gather_scenarios(evidence, cells, judges)
    matrix, vector, varies = whiten(information, linear, variances)
    lower: FloatArray = np.asarray(np.linalg.cholesky(matrix), dtype=np.float64)
    root = np.zeros((len(varies), len(lower)))
    root[varies] = invert_lower(lower).T
    found = root[varies].T @ vector
    common, scenario, latent = split((root @ found)[:, None], variances, len(evidence.linear))
    common, scenario, latent = common[:, 0], scenario[..., 0], latent[..., 0]
    moved = np.concatenate([scenario + common, latent], axis=1).ravel()
    judge = judges.centre - judges.onto @ moved
    others = (scenario + common)[:, None] + judge
    pull = evidence.linear + apply(evidence.coupling, latent[:, None])
    weight = apply(cells.cov, pull) + apply(cells.keep, others)
    square = (evidence.linear * apply(cells.cov, evidence.linear)).sum() + found @ found
    square += (cells.linear.sum(axis=0) * judges.centre).sum()
    log_det = cells.log_det + judges.log_det + 2 * np.log(np.diagonal(lower)).sum()
    return Solution(
        evidence,
        variances,
        common,
        judge,
        scenario,
        weight - others,
        weight,
        latent,
        root,
        float(square - log_det) / 2,
        cells,
        judges,
    )


def _moments_of_sums(apart: FloatArray, root: FloatArray, loading: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return how weights covary with sums of loading * weight over judges, and the sums with each other."""
    n_judges, n_columns, _ = root.shape
    rank = loading.shape[1]
    summed = np.tensordot(loading.T, root, axes=1).reshape(rank * n_columns, root.shape[-1])
    own = np.einsum("jr,jpq->jprq", loading, apart).reshape(n_judges, n_columns, rank * n_columns)
    weighted = np.einsum("jr,jptq->rptq", loading, own.reshape(n_judges, n_columns, rank, n_columns))
    return own + np.matmul(root, summed.T), weighted.reshape(len(summed), len(summed)) + summed @ summed.T
