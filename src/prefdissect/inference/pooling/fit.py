"""The pooled fit: sites under the posterior, the posterior under the scales, scales under both, until none moves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from prefdissect.inference.pooling.layers import LayerTable, Variances
from prefdissect.inference.pooling.pair_effect import gather_evidence, marginals
from prefdissect.inference.pooling.rows import Rows
from prefdissect.inference.pooling.scales import learn
from prefdissect.inference.pooling.sites import Sites, expand, first_cuts, match
from prefdissect.inference.pooling.solver import Solution, solve
from prefdissect.inference.threads import one_blas_thread

__all__ = ["State", "iterate"]

_TOLERANCE = 0.02  # largest move of a mean, in its standard deviation, in one iteration
_NEWTON, _LEAST, _MOST = 2, 8, 60  # iterations: by expansions, with what they lead to, at most
_RESIZED = 0.01  # largest move of the sd of pairs' effects, log-odds
_PATIENCE = 30  # iterations before steps are halved


@dataclass(frozen=True, eq=False)
class State:
    """Where a pooled fit is.

    Parameters
    ----------
    sites
        Of each row, and cutpoints of ties.
    solution
        The posterior of all layers under them.
    iterations, moved, converged
        How it was found; `moved` is the largest move of a mean or cutpoint in the last iteration, in its sd.
    """

    sites: Sites
    solution: Solution
    iterations: int
    moved: float
    converged: bool

    @property
    def variances(self) -> Variances:
        """Of each layer."""
        return self.solution.variances


@one_blas_thread()
def iterate(
    rows: Rows,
    table: LayerTable,
    start: Variances,
    *,
    factors: bool,
    sites: Sites | None = None,
    tolerance: float = _TOLERANCE,
) -> State:
    """Return the pooled fit; `sites` are where to begin, for one that is near another."""
    warm = sites is not None
    sites = expand(rows, np.zeros(len(rows.weight)), first_cuts(rows)) if sites is None else sites
    solution = solve(gather_evidence(rows, sites, start.pair_sd), start)
    learns, moved = bool(np.isin(table.how, ("own", "shared")).any()), np.inf
    for iteration in range(1, _MOST + 1):
        found, bent = marginals(rows, sites, solution), 0.0
        if not warm and iteration <= _NEWTON:
            sites = expand(rows, found.m, sites.cut)
        else:
            sites, bent = match(rows, sites, found.m, found.v, step=1.0 if iteration <= _PATIENCE else 0.5)
        variances = solution.variances
        if learns:
            variances = replace(
                learn(table, solution, factors=factors),
                pair_sd=found.next_sd(variances.pair_sd) if start.pair_sd else 0.0,
            )
        before, solution = solution, solve(gather_evidence(rows, sites, variances.pair_sd), variances)
        moved = max(bent, float((np.abs(solution.weight - before.weight) / np.maximum(before.sd, 1e-8)).max()))
        resized = abs(variances.pair_sd - before.variances.pair_sd)
        if moved < tolerance and resized <= _RESIZED and (warm or iteration >= _LEAST):
            return State(sites, solution, iteration, moved, True)
    return State(sites, solution, _MOST, moved, False)
