"""The posterior of all layers, given the scales: exact elimination of one layer after the other.

Each cell's likelihood is a Gaussian, exp(linear'b - b'precision b / 2). Given the variances, cells are eliminated first,
then judges, and one dense system is left for the scenarios and what they have in common. It is solved in units of the
prior's standard deviations, so that a layer of variance 0 is simply absent.

Judges of the same pairs may share noise (`pair_effect.py`). What couples their cells is then of low rank: scenario s has
latent z_s ~ Normal(0, 1), and judge j's linear term gets `coupling[s, j] @ z_s`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import joblib
import numpy as np

from prefdissect._typing import FloatArray
from prefdissect.inference.pooling.layers import Variances

__all__ = ["Evidence", "Moments", "Solution", "solve"]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the labels say of the weights of each cell.

    Parameters
    ----------
    precision
        Shape [scenario, judge, column, column]; 0 where a judge said nothing.
    linear
        Shape [scenario, judge, column].
    coupling
        Shape [scenario, judge, column, latent]; no latent where judges share no noise.
    loading
        How much each judge takes part in what they share, [scenario, judge, rank]; sums over judges are those of it.
    """

    precision: FloatArray
    linear: FloatArray
    coupling: FloatArray
    loading: FloatArray

    @classmethod
    def uncoupled(cls, precision: FloatArray, linear: FloatArray) -> Evidence:
        """Return the evidence of judges that share no noise."""
        return cls(precision, linear, np.zeros((*linear.shape, 0)), np.zeros((*linear.shape[:2], 0)))


@dataclass(frozen=True, eq=False)
class _Cells:
    """Cells with their own layer eliminated; `half @ half'` is the covariance of a weight given its other layers."""

    half: FloatArray
    cov: FloatArray
    keep: FloatArray
    precision: FloatArray
    linear: FloatArray
    through: FloatArray
    log_det: float


@dataclass(frozen=True, eq=False)
class _Judges:
    """Judges with their own layer eliminated; `onto` [judge, column, all scenarios' unknowns] is what they hang on."""

    half: FloatArray
    cov: FloatArray
    centre: FloatArray
    onto: FloatArray
    log_det: float


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
    cells: _Cells
    judges: _Judges

    @cached_property
    def _shifts(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """By what scenarios with what they share, judges and latents move with the dense system, [..., unknown]."""
        common, scenario, latent = _split(self.root_of_all, self.variances, len(self.scenario))
        scenario = scenario + common
        stacked = np.concatenate([scenario, latent], axis=1).reshape(-1, common.shape[-1])
        judge = -(self.judges.onto.reshape(-1, len(stacked)) @ stacked)
        return scenario, judge.reshape(*self.judge.shape, -1), latent

    @cached_property
    def moments(self) -> Moments:
        """Second moments, of the weights of each cell and of the effects of each layer."""
        common, scenario, _ = _split(self.root_of_all, self.variances, len(self.scenario))
        with ThreadPoolExecutor(joblib.cpu_count()) as pool:  # numpy works outside the interpreter's lock
            parts = list(pool.map(self._scenario_moments, range(len(self.scenario))))
        cov, of_cell, with_sums, sums = (np.stack(part) for part in zip(*parts, strict=True))
        of_judge = _diagonal(self.judges.cov) + np.einsum("jpd,jpd->jp", self._shifts[1], self._shifts[1])
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
        of_cell = _diagonal(self.cells.cov[s]) + np.einsum("jpq,jqp->jp", np.matmul(away, self.judges.cov), away.swapaxes(1, 2))
        root -= around
        return cov, of_cell + np.einsum("jpd,jpd->jp", root, root), with_sums, sums

    @property
    def cov(self) -> FloatArray:
        """Covariance of the weights of each cell, [scenario, judge, column, column]."""
        return self.moments.cov

    @cached_property
    def sd(self) -> FloatArray:
        """Standard deviation of each weight, [scenario, judge, column]."""
        return np.sqrt(_diagonal(self.cov))

    def draw(self, rng: np.random.Generator, n: int = 1) -> dict[str, FloatArray]:
        """Return joint draws: common, judge, scenario, cell and weight, shaped like their means behind [draw]."""
        noise = rng.standard_normal((len(self.root_of_all), n))
        common, scenario, latent = _split(self.root_of_all @ noise, self.variances, len(self.scenario))
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
    cells = _eliminate_cells(evidence, variances.cell)
    judges = _eliminate_judges(cells, variances.judge)
    information, linear = _gather_scenarios(evidence, cells, judges)
    matrix, vector = _whiten(information, linear, variances)
    lower = np.linalg.cholesky(matrix)
    root = _invert_lower(lower).T
    found = root.T @ vector
    common, scenario, latent = _split((root @ found)[:, None], variances, len(evidence.linear))
    common, scenario, latent = common[:, 0], scenario[..., 0], latent[..., 0]
    moved = np.concatenate([scenario + common, latent], axis=1).ravel()
    judge = judges.centre - judges.onto @ moved
    others = (scenario + common)[:, None] + judge
    pull = evidence.linear + _apply(evidence.coupling, latent[:, None])
    weight = _apply(cells.cov, pull) + _apply(cells.keep, others)
    square = (evidence.linear * _apply(cells.cov, evidence.linear)).sum() + found @ found
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


def _eliminate_cells(evidence: Evidence, variance: FloatArray) -> _Cells:
    """Integrate the cell layer out; `variance` is [judge, column]."""
    h = evidence.precision
    half, cov, log_det = _condition(h, np.broadcast_to(variance, evidence.linear.shape))
    known = np.matmul(h, cov)
    precision = h - np.matmul(known, h)
    keep = np.eye(h.shape[-1]) - np.swapaxes(known, -1, -2)
    turned = np.swapaxes(keep, -1, -2)
    return _Cells(
        half=half,
        cov=cov,
        keep=keep,
        precision=(precision + np.swapaxes(precision, -1, -2)) / 2,
        linear=_apply(turned, evidence.linear),
        through=-np.matmul(turned, evidence.coupling),
        log_det=log_det,
    )


def _eliminate_judges(cells: _Cells, variance: FloatArray) -> _Judges:
    """Integrate the judge layer out; `variance` is [judge, column]."""
    half, cov, log_det = _condition(cells.precision.sum(axis=0), variance)
    hung = np.concatenate([cells.precision, cells.through], axis=-1)  # [scenario, judge, column, unknown]
    n_scenarios, n_judges, n_columns, n_unknown = hung.shape
    hung = hung.transpose(1, 2, 0, 3).reshape(n_judges, n_columns, n_scenarios * n_unknown)
    centre = _apply(cov, cells.linear.sum(axis=0))
    return _Judges(half=half, cov=cov, centre=centre, onto=np.matmul(cov, hung), log_det=log_det)


def _condition(precision: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """Return a root of inv(precision + 1 / variance), that inverse, and log det(1 + variance precision), summed.

    By way of the prior's unit, in which a variance of 0 is no special case.
    """
    root = np.sqrt(variance)
    scaled = precision * root[..., :, None] * root[..., None, :] + np.eye(precision.shape[-1])
    lower = np.linalg.cholesky(scaled)
    half = root[..., None] * np.swapaxes(np.linalg.inv(lower), -1, -2)
    return half, np.matmul(half, np.swapaxes(half, -1, -2)), float(2 * np.log(_diagonal(lower)).sum())


def _gather_scenarios(evidence: Evidence, cells: _Cells, judges: _Judges) -> tuple[FloatArray, FloatArray]:
    """Return what is known of the scenarios' unknowns, [scenario, unknown, scenario, unknown], and its linear part.

    The unknowns of a scenario are its weights without judges and cells, and then its latents.
    """
    n_scenarios, n_judges, n_columns, _ = cells.precision.shape
    n = n_columns + evidence.coupling.shape[-1]
    hung = np.concatenate([cells.precision, cells.through], axis=-1).transpose(1, 2, 0, 3).reshape(-1, n_scenarios * n)
    onto = judges.onto.reshape(n_judges * n_columns, -1)
    information = -(hung.T @ onto).reshape(n_scenarios, n, n_scenarios, n)
    explained = np.matmul(cells.cov, evidence.coupling)
    n_latents = n - n_columns
    stacked = explained.reshape(n_scenarios, n_judges * n_columns, n_latents)
    of_latents = np.eye(n_latents) - np.swapaxes(evidence.coupling.reshape(stacked.shape), 1, 2) @ stacked
    own, through = cells.precision.sum(axis=1), cells.through.sum(axis=1)
    linear = -(hung.T @ judges.centre.ravel()).reshape(n_scenarios, n)
    linear[:, :n_columns] += cells.linear.sum(axis=1)
    linear[:, n_columns:] += _apply(np.swapaxes(stacked, 1, 2), evidence.linear.reshape(n_scenarios, -1))
    for s in range(n_scenarios):
        information[s, :n_columns, s, :n_columns] += own[s]
        information[s, :n_columns, s, n_columns:] += through[s]
        information[s, n_columns:, s, :n_columns] += through[s].T
        information[s, n_columns:, s, n_columns:] += of_latents[s]
    return information, linear


def _whiten(information: FloatArray, linear: FloatArray, variances: Variances) -> tuple[FloatArray, FloatArray]:
    """Return the dense system in the prior's unit: scenarios, then what they share, then latents."""
    n_scenarios, n_columns = len(linear), len(variances.common)
    own, shared = np.sqrt(variances.scenario), np.sqrt(variances.common)
    of_weights = information[:, :n_columns, :, :n_columns]
    across = information[:, :n_columns, :, n_columns:]
    n_latents = n_scenarios * across.shape[-1]
    a, b = n_scenarios * n_columns, (n_scenarios + 1) * n_columns
    out = np.empty((b + n_latents, b + n_latents))
    out[:a, :a] = (own[:, None, None] * of_weights * own).reshape(a, a)
    out[:a, a:b] = (own[:, None] * of_weights.sum(axis=2) * shared).reshape(a, n_columns)
    out[a:b, a:b] = shared[:, None] * of_weights.sum(axis=(0, 2)) * shared
    out[:a, b:] = (own[:, None, None] * across).reshape(a, n_latents)
    out[a:b, b:] = shared[:, None] * across.sum(axis=0).reshape(n_columns, n_latents)
    out[b:, b:] = information[:, n_columns:, :, n_columns:].reshape(n_latents, n_latents)
    out[a:b, :a], out[b:, :b] = out[:a, a:b].T, out[:b, b:].T
    out[np.arange(b), np.arange(b)] += 1.0  # latents have theirs
    pull = linear[:, :n_columns]
    return out, np.concatenate([(own * pull).ravel(), shared * pull.sum(axis=0), linear[:, n_columns:].ravel()])


def _split(root: FloatArray, variances: Variances, n_scenarios: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the rows of a matrix in the prior's unit as common, scenario and latent, in log-odds: [..., column, any]."""
    n_columns, width = len(variances.common), root.shape[1]
    a, b = n_scenarios * n_columns, (n_scenarios + 1) * n_columns
    scenario = np.sqrt(variances.scenario)[:, None] * root[:a].reshape(n_scenarios, n_columns, width)
    return np.sqrt(variances.common)[:, None] * root[a:b], scenario, root[b:].reshape(n_scenarios, -1, width)


def _apply(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    """Return the product with a vector, for each of a stack of both."""
    return np.asarray(np.matmul(matrix, vector[..., None])[..., 0])


def _invert_lower(lower: FloatArray) -> FloatArray:
    from scipy.linalg.lapack import dtrtri

    return np.asarray(np.tril(dtrtri(lower, lower=1)[0]))


def _moments_of_sums(apart: FloatArray, root: FloatArray, loading: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return how weights covary with sums of loading * weight over judges, and the sums with each other."""
    n_judges, n_columns, _ = root.shape
    rank = loading.shape[1]
    summed = np.tensordot(loading.T, root, axes=1).reshape(rank * n_columns, root.shape[-1])
    own = np.einsum("jr,jpq->jprq", loading, apart).reshape(n_judges, n_columns, rank * n_columns)
    weighted = np.einsum("jr,jptq->rptq", loading, own.reshape(n_judges, n_columns, rank, n_columns))
    return own + np.matmul(root, summed.T), weighted.reshape(len(summed), len(summed)) + summed @ summed.T


def _diagonal(matrix: FloatArray) -> FloatArray:
    return np.asarray(np.diagonal(matrix, axis1=-2, axis2=-1))
