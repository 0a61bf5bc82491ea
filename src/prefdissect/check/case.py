"""One fit under examination, and what several checks read of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.special import expit

from prefdissect._typing import BoolArray, Engine, FloatArray, IntArray
from prefdissect.features import Cell
from prefdissect.inference import Fit, PriorArrays, StandIn, stand_in, stream_of

__all__ = ["NOISE", "PERMUTATIONS", "Asked", "Case", "design_effect_of", "listed", "residualise", "sum_clusters"]

_ALPHA = 0.01  # of a study: chance of one false `look` per check, shared by its fits
_STRICT = 0.1  # a `stop` takes a tenth of that
PERMUTATIONS = 999
NOISE = 0.05  # chance of noise from where on there is no evidence that anything is preferred


@dataclass(frozen=True, eq=False)
class Asked:
    """The verdicts of a cell whose order is known: `row` [verdict] of the cell, `first` 1 or -1, `y` and `weight`."""

    row: IntArray
    first: FloatArray
    y: FloatArray
    weight: FloatArray


@dataclass(frozen=True, eq=False)
class Case:
    """One judge's fit in one group.

    Parameters
    ----------
    cell, fit, prior
        What was fitted, what came out, what was believed before.
    is_property, labels
        Of each column, [column].
    asked
        Verdicts whose order is known.
    left_out, nothing_left
        Name to the differences [row] of what the data hold and the fit does not; why that may be nothing.
    held_out
        Rows of `HeldOut.log_odds` of this cell; empty where nothing could be held out.
    family
        Fits of the study: significance is shared among them (Bonferroni).
    n_groups
        Groups of the study.
    engine, robust, interval, random_seed
        How it was fitted.
    effect
        Design effect by which rows' weights were divided; 1 where they were not.
    """

    cell: Cell
    fit: Fit
    prior: PriorArrays
    is_property: BoolArray
    labels: tuple[str, ...]
    asked: Asked
    left_out: Mapping[str, FloatArray]
    nothing_left: str
    held_out: pd.DataFrame
    family: int
    n_groups: int
    engine: Engine
    robust: bool
    interval: float
    random_seed: int
    effect: float = 1.0

    @property
    def alpha(self) -> float:
        """Significance of a `look`."""
        return _ALPHA / self.family

    @property
    def strict(self) -> float:
        """Significance of a `stop`."""
        return self.alpha * _STRICT

    @cached_property
    def known(self) -> IntArray:
        """The properties that differ in some pair."""
        return np.flatnonzero(self.is_property & (self.cell.x != 0).any(axis=0))

    @cached_property
    def plain(self) -> StandIn:
        """The posterior's moments if all pairs were independent."""
        return stand_in(self.cell, self.prior)

    @cached_property
    def p(self) -> FloatArray:
        """Probability of A at the posterior mean, [row]."""
        return np.asarray(expit(self.cell.x @ self.fit.mean), dtype=np.float64)

    @cached_property
    def decided(self) -> IntArray:
        """Rows where one response was preferred."""
        return np.flatnonzero(self.cell.y != 0.5)

    @cached_property
    def n_clusters(self) -> int:
        """Clusters of the cell's pairs."""
        return len(np.unique(self.cell.cluster))

    @cached_property
    def chance_of_noise(self) -> float:
        """The chance that verdicts exchanged prompt by prompt go along with the properties as well, 1 / 1000 at least.

        The score at weights 0 in the metric of its variance and the prior; an exact test, as exchanging A and B in all
        pairs of a prompt changes nothing if no property matters.
        """
        cell = self.cell
        score = cell.x * (cell.weight * (cell.y - 0.5))[:, None]
        metric = (cell.x * cell.weight[:, None]).T @ cell.x / 4 + np.diag(1 / self.prior.sd**2)
        sums = np.vstack([score.sum(axis=0), self.flips(PERMUTATIONS, "permuted") @ score])
        statistic = np.einsum("ik,ik->i", sums, np.linalg.solve(metric, sums.T).T)
        return float((statistic[1:] >= statistic[0] * (1 - 1e-12)).sum() + 1) / (PERMUTATIONS + 1)

    def rng(self, check: str) -> np.random.Generator:
        """Return the random stream of a check."""
        return stream_of(self.random_seed, self.cell.judge, self.cell.group, check)

    def flips(self, n: int, check: str) -> FloatArray:
        """Return 1 or -1 for each row, the same for all of a cluster, [n, row]: A and B exchanged, prompt by prompt."""
        of = np.unique(self.cell.cluster, return_inverse=True)[1]
        return self.rng(check).choice([-1.0, 1.0], size=(n, self.n_clusters))[:, of]


def sum_clusters(values: FloatArray, clusters: IntArray) -> FloatArray:
    """Return sums of `values` [row, ...] within clusters, [cluster, ...]."""
    names, of = np.unique(clusters, return_inverse=True)
    sums = np.zeros((len(names), *values.shape[1:]))
    np.add.at(sums, of, values)
    return sums


def residualise(column: FloatArray, x: FloatArray, weight: FloatArray) -> FloatArray:
    """Return what of `column` [row] is no weighted sum of the columns of `x`."""
    root = np.sqrt(weight)
    coefficient = np.linalg.lstsq(x * root[:, None], column * root, rcond=None)[0]
    return np.asarray(column - x @ coefficient, dtype=np.float64)


def listed(names: list[str], most: int = 3) -> str:
    """Return the first few names, and how many there are besides."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def design_effect_of(fit: Fit) -> float:
    """Return the design effect by which the weights of a fit's rows were divided, 1 where they were not."""
    effect = fit.certificate.get("design_effect", 1.0)
    return effect if np.isfinite(effect) else 1.0
