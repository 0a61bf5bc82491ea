"""Would the same fit find as much in noise: placebo properties and permuted labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import ndtri
from scipy.stats import binom

from prefdissect.check.case import Case
from prefdissect.check.finding import Finding, Level
from prefdissect.inference import stand_in

__all__ = ["check_permuted", "check_placebo"]

_COPIES, _PERMUTATIONS = 5, 999
_LOOK_P = 0.05


def check_placebo(case: Case) -> Finding:
    """Whether properties that cannot matter are claimed more often than intervals allow.

    A placebo is a copy of a property in which A and B are exchanged at random, prompt by prompt: it is as large, and as
    alike within a prompt, as the property, and knows nothing of who won. All are fitted beside the real ones.
    """
    cell, known, allowed = case.cell, case.known, 1 - case.interval
    if not len(known):
        return Finding("placebo", "ok", "not checked: no property differs", look_at=allowed)
    prior, z, found, sizes = case.prior.twice(known.tolist()), ndtri(1 - allowed / 2), 0, []
    for flip in case.flips(_COPIES, "placebo"):
        both = replace(cell, x=np.hstack([cell.x, cell.x[:, known] * flip[:, None]]))
        fitted = stand_in(both, prior, robust=case.robust)
        mean, sd = fitted.mean[-len(known) :], fitted.sd[-len(known) :]
        found += int((np.abs(mean) > z * sd).sum())
        sizes += np.abs(mean).tolist()
    n, floor = len(sizes), float(np.quantile(sizes, 0.95))
    chance = float(binom.sf(found - 1, n, allowed))
    said = (
        f"{found} of {n} placebo properties are claimed, {allowed:.0%} may be; 95% of placebo weights are "
        f"below {floor:.2f}"
    )
    if chance >= case.alpha:
        return Finding("placebo", "ok", said, found / n, look_at=allowed)
    level: Level = "stop" if chance < case.strict and found / n >= 3 * allowed else "look"
    return Finding(
        "placebo", level, said, found / n, allowed, 3 * allowed, "intervals are too narrow: fit with robust=True"
    )


def check_permuted(case: Case) -> Finding:
    """Whether the properties go along with the verdicts more than with verdicts exchanged prompt by prompt.

    The score at weights 0 in the metric of its variance and the prior; an exact test, as exchanging A and B in all
    pairs of a prompt changes nothing if no property matters.
    """
    cell = case.cell
    score = cell.x * (cell.weight * (cell.y - 0.5))[:, None]
    metric = (cell.x * cell.weight[:, None]).T @ cell.x / 4 + np.diag(1 / case.prior.sd**2)
    flips = case.flips(_PERMUTATIONS, "permuted")
    sums = np.vstack([score.sum(axis=0), flips @ score])
    statistic = np.einsum("ik,ik->i", sums, np.linalg.solve(metric, sums.T).T)
    chance = float((statistic[1:] >= statistic[0] * (1 - 1e-12)).sum() + 1) / (_PERMUTATIONS + 1)
    if chance < _LOOK_P:
        said = f"the properties go along with the verdicts more than by chance (p {_p(chance)})"
        return Finding("permuted labels", "ok", said, chance, look_at=_LOOK_P)
    said = f"verdicts exchanged at random go along with the properties as well (p {_p(chance)})"
    advice = "there is no evidence that this judge prefers any of these properties: add pairs or properties"
    return Finding("permuted labels", "look", said, chance, look_at=_LOOK_P, advice=advice)


def _p(chance: float) -> str:
    least = 1 / (_PERMUTATIONS + 1)
    return f"at most {least:g}" if chance <= least else f"{chance:.3f}"
