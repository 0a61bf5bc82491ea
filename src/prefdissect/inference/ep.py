"""Expectation propagation: a Gaussian stand-in for the likelihood, the prior kept exact.

With s = X'(weight (y - 1/2)) the log likelihood is s'w - sum_i weight_i log(2 cosh(x_i'w / 2)): the
linear part is exact, and each even term is replaced by a Gaussian site exp(shift_i t - precision_i t**2 / 2)
in t = x_i'w. Sites are updated all at once (Minka 2001; for sparse linear models Seeger 2008, JMLR 9), with
quadrature around the current marginal: there the ratio of a term to its site is nearly flat, so few
nodes are exact. The prior's moments have closed forms.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from prefdissect._typing import FloatArray
from prefdissect.inference.fit_data import FitData
from prefdissect.inference.prior import PriorArrays

__all__ = ["StandIn", "fit_ep"]

_TOLERANCE = 3e-4  # largest move of a mean, in its standard deviation, and of log sd, that may be left
_PATIENCE, _MOST_ITERATIONS = 20, 100  # iterations before steps are halved, and in all


@dataclass(frozen=True, eq=False)
class StandIn:
    """The Gaussian block of a fit's likelihood, and the posterior's moments.

    Parameters
    ----------
    precision, linear
        The likelihood is about exp(linear'w - w'precision w / 2): [column, column] and [column].
    prior_precision, prior_linear
        The same of the prior, which has no other entries than these: [column].
    mean, cov
        Of the posterior: [column] and [column, column].
    iterations, converged
        How it was found.
    """

    precision: FloatArray
    linear: FloatArray
    prior_precision: FloatArray
    prior_linear: FloatArray
    mean: FloatArray
    cov: FloatArray
    iterations: int
    converged: bool

    @cached_property
    def sd(self) -> FloatArray:
        """Standard deviation of each weight, [column]."""
        return np.sqrt(np.diagonal(self.cov))

    @cached_property
    def cavity(self) -> tuple[FloatArray, FloatArray]:
        """What the data say of each weight, the prior's site taken out: precision and its product with the mean."""
        variance = np.diagonal(self.cov)
        return np.maximum(1 / variance - self.prior_precision, 0.0), self.mean / variance - self.prior_linear


def fit_ep(data: FitData, prior: PriorArrays) -> StandIn:
    """Return the stand-in of a fit; where rounding spoils it, the one that iterations begin with, not converged."""
    from prefdissect.inference.compiled.ep import Block, Problem, is_sound, propagate

    n = len(data.statistic)
    problem = Problem(data.xt, data.weight, data.statistic, prior.scale, prior.is_laplace)
    linear, prior_precision, prior_linear, mean = np.empty((4, n))
    block = Block(np.empty((n, n)), linear, prior_precision, prior_linear, mean, np.empty((n, n)))
    found = propagate(problem, block, _TOLERANCE, _PATIENCE, _MOST_ITERATIONS)
    if not is_sound(block):
        found = propagate(problem, block, _TOLERANCE, _PATIENCE, 0)
    return StandIn(*block, *found)
