"""Elimination of one layer after the other: cells, then judges, then one dense system of what scenarios are.

Matrices are inverted in units of the prior's standard deviations, so that a variance of 0 is no special case.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from prefdissect._typing import BoolArray, FloatArray
from prefdissect.inference.pooling.layers import Variances

__all__ = [
    "Cells",
    "Evidence",
    "Judges",
    "apply",
    "diagonal",
    "eliminate_cells",
    "eliminate_judges",
    "gather_scenarios",
    "invert_lower",
    "split",
    "whiten",
]


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
class Cells:
    """Cells with their own layer eliminated; `half @ half'` is the covariance of a weight given its other layers."""

    half: FloatArray
    cov: FloatArray
    keep: FloatArray
    precision: FloatArray
    linear: FloatArray
    through: FloatArray
    log_det: float


@dataclass(frozen=True, eq=False)
class Judges:
    """Judges with their own layer eliminated; `onto` [judge, column, all scenarios' unknowns] is what they hang on."""

    half: FloatArray
    cov: FloatArray
    centre: FloatArray
    onto: FloatArray
    log_det: float


def eliminate_cells(evidence: Evidence, variance: FloatArray) -> Cells:
    """Integrate the cell layer out; `variance` is [judge, column]."""
    h = evidence.precision
    half, cov, log_det = _condition(h, np.broadcast_to(variance, evidence.linear.shape))
    known = np.matmul(h, cov)
    precision = h - np.matmul(known, h)
    keep = np.eye(h.shape[-1]) - np.swapaxes(known, -1, -2)
    turned = np.swapaxes(keep, -1, -2)
    return Cells(
        half=half,
        cov=cov,
        keep=keep,
        precision=(precision + np.swapaxes(precision, -1, -2)) / 2,
        linear=apply(turned, evidence.linear),
        through=-np.matmul(turned, evidence.coupling),
        log_det=log_det,
    )


def eliminate_judges(cells: Cells, variance: FloatArray) -> Judges:
    """Integrate the judge layer out; `variance` is [judge, column]."""
    half, cov, log_det = _condition(cells.precision.sum(axis=0), variance)
    hung = np.concatenate([cells.precision, cells.through], axis=-1)  # [scenario, judge, column, unknown]
    n_scenarios, n_judges, n_columns, n_unknown = hung.shape
    hung = hung.transpose(1, 2, 0, 3).reshape(n_judges, n_columns, n_scenarios * n_unknown)
    centre = apply(cov, cells.linear.sum(axis=0))
    return Judges(half=half, cov=cov, centre=centre, onto=np.matmul(cov, hung), log_det=log_det)


def _condition(precision: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """Return a root of inv(precision + 1 / variance), that inverse, and log det(1 + variance precision), summed.

    By way of the prior's unit, in which a variance of 0 is no special case.
    """
    root = np.sqrt(variance)
    scaled = precision * root[..., :, None] * root[..., None, :] + np.eye(precision.shape[-1])
    lower: FloatArray = np.asarray(np.linalg.cholesky(scaled), dtype=np.float64)
    half = root[..., None] * np.swapaxes(np.linalg.inv(lower), -1, -2)
    return half, np.matmul(half, np.swapaxes(half, -1, -2)), float(2 * np.log(diagonal(lower)).sum())


def gather_scenarios(evidence: Evidence, cells: Cells, judges: Judges) -> tuple[FloatArray, FloatArray]:
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
    linear[:, n_columns:] += apply(np.swapaxes(stacked, 1, 2), evidence.linear.reshape(n_scenarios, -1))
    for s in range(n_scenarios):
        information[s, :n_columns, s, :n_columns] += own[s]
        information[s, :n_columns, s, n_columns:] += through[s]
        information[s, n_columns:, s, :n_columns] += through[s].T
        information[s, n_columns:, s, n_columns:] += of_latents[s]
    return information, linear


def whiten(
    information: FloatArray, linear: FloatArray, variances: Variances
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return the dense system in the prior's unit: scenarios, then what they share, then latents.

    Only unknowns that vary are in it; the third value says which of all do.
    """
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
    vector = np.concatenate([(own * pull).ravel(), shared * pull.sum(axis=0), linear[:, n_columns:].ravel()])
    varies = np.concatenate([np.tile(own > 0, n_scenarios), shared > 0, np.ones(n_latents, dtype=bool)])
    return out[np.ix_(varies, varies)], vector[varies], varies


def split(root: FloatArray, variances: Variances, n_scenarios: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return a matrix in the prior's unit as common, scenario and latent rows in log-odds, [..., column, any]."""
    n_columns, width = len(variances.common), root.shape[1]
    a, b = n_scenarios * n_columns, (n_scenarios + 1) * n_columns
    scenario = np.sqrt(variances.scenario)[:, None] * root[:a].reshape(n_scenarios, n_columns, width)
    latent = root[b:].reshape(n_scenarios, (len(root) - b) // n_scenarios, width)
    return np.sqrt(variances.common)[:, None] * root[a:b], scenario, latent


def apply(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    """Return the product with a vector, for each of a stack of both."""
    return np.asarray(np.matmul(matrix, vector[..., None])[..., 0])


def invert_lower(lower: FloatArray) -> FloatArray:
    """Return the inverse of a lower triangular matrix."""
    from scipy.linalg.lapack import dtrtri

    return np.asarray(np.tril(dtrtri(lower, lower=1)[0])) if len(lower) else lower


def diagonal(matrix: FloatArray) -> FloatArray:
    """Return the diagonals of a stack of matrices."""
    return np.asarray(np.diagonal(matrix, axis1=-2, axis2=-1))
