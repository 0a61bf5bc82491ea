"""Cutpoints of ties of a pooled fit, given its weights: what is known of them, and draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from prefdissect._typing import FloatArray
from prefdissect.inference.pooling.fit import State
from prefdissect.inference.pooling.one_verdict import OneVerdict
from prefdissect.inference.pooling.pair_effect import marginals
from prefdissect.inference.pooling.rows import Rows
from prefdissect.inference.pooling.sites import bend
from prefdissect.inference.posterior import Cutpoint
from prefdissect.inference.prior import CUT_SD

__all__ = ["Cuts", "look_at_cuts"]


@dataclass(frozen=True, eq=False)
class Cuts:
    """Cutpoints of all cells, Gaussian given the weights.

    Parameters
    ----------
    mean
        Those of one verdict, [scenario, judge]; NaN in cells that know no ties.
    known
        Their precision given the weights, [scenario, judge].
    mixed
        By what precision they go along with weights given pairs' effects, [scenario, judge, column].
    """

    mean: FloatArray
    known: FloatArray
    mixed: FloatArray

    def of_cell(
        self, at: tuple[int, int], away: FloatArray, cov: FloatArray, interval: float, rng: np.random.Generator
    ) -> Cutpoint | None:
        """Return the cutpoint of a cell whose weights are drawn `away` [chain, draw, column] from their mean."""
        if not np.isfinite(self.mean[at]):
            return None
        slope, noise = self.mixed[at] / self.known[at], 1 / np.sqrt(self.known[at])
        sd = float(np.hypot(noise, np.sqrt(slope @ cov @ slope)))
        draws = self.mean[at] + away @ slope + noise * rng.standard_normal(away.shape[:2])
        mean, half = float(self.mean[at]), float(ndtri((1 + interval) / 2)) * sd
        return Cutpoint(mean, sd, mean - half, mean + half, draws.astype(np.float32))


def look_at_cuts(rows: Rows, state: State, told: OneVerdict) -> Cuts:
    """Return the cutpoints of a pooled fit, which are `told` as those of one verdict."""
    cut = state.sites.cut
    if not rows.ties.any():
        return Cuts(cut, cut, np.zeros(state.solution.weight.shape))
    found = marginals(rows, state.sites, state.solution)
    information, mixed = bend(rows, cut, found.m, found.v)
    return Cuts(told.cut, information + CUT_SD**-2.0, mixed)
