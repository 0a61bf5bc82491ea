"""Would the same fit find as much in noise: placebo properties and permuted labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import ndtri
from scipy.stats import binom

from prefdissect.check.case import NOISE, PERMUTATIONS, Case
from prefdissect.check.finding import Finding, grade
from prefdissect.inference import stand_in

__all__ = ["check_permuted", "check_placebo"]

_COPIES = 5
_ROBUST = "intervals are too narrow: name the clusters of pairs that depend on one another, load(..., cluster=)"


def check_placebo(case: Case) -> Finding:
    """Whether properties that cannot matter are claimed more often than intervals allow.

    A placebo is a copy of a property in which A and B are exchanged at random, prompt by prompt: it is as large, and as
    alike within a prompt, as the property, and knows nothing of who won. All are fitted beside the real ones.
    """
    cell, known, allowed = case.cell, case.known, 1 - case.interval
    if not len(known):
        return Finding("placebo", "ok", "not checked: no property differs")
    prior, z, found, sizes = case.prior.twice(known.tolist()), ndtri(1 - allowed / 2), 0, []
    for flip in case.flips(_COPIES, "placebo"):
        both = replace(cell, x=np.hstack([cell.x, cell.x[:, known] * flip[:, None]]))
        fitted = stand_in(both, prior, robust=case.robust)
        mean, sd = fitted.mean[-len(known) :], fitted.sd[-len(known) :]
        found += int((np.abs(mean) > z * sd).sum())
        sizes += np.abs(mean).tolist()
    n, floor = len(sizes), float(np.quantile(sizes, 0.95))
    look_at = _too_many(n, allowed, case.alpha)
    stop_at = max(_too_many(n, allowed, case.strict), int(np.ceil(3 * allowed * n)))
    level = grade(found, look_at, stop_at)
    said = (
        f"{found} of {n} placebo properties are claimed, {allowed * n:.0f} may be and {look_at} are too many; 95% of "
        f"placebo weights are below {floor:.2f}"
    )
    advice = "" if level == "ok" else _ROBUST if case.robust else "intervals are too narrow: fit with robust=True"
    return Finding("placebo", level, said, found, look_at, stop_at, advice)


def _too_many(n: int, allowed: float, alpha: float) -> int:
    """Return how many claims of `n` are so many that chance, which makes `allowed` of them, seldom makes as many."""
    return int(binom.isf(alpha, n, allowed)) + 1


def check_permuted(case: Case) -> Finding:
    """Whether the properties go along with the verdicts more than with verdicts exchanged prompt by prompt.

    This asks for evidence, and says look where there is none. Its significance is that of one fit, however many there
    are: shared among them it would say look more often, not less.
    """
    chance = case.chance_of_noise
    if chance < NOISE:
        said = f"the properties go along with the verdicts more than by chance (p {_p(chance)})"
        return Finding("permuted labels", "ok", said, chance, look_at=NOISE)
    said = f"verdicts exchanged at random go along with the properties as well (p {_p(chance)})"
    advice = "there is no evidence that this judge prefers any of these properties: add pairs or properties"
    return Finding("permuted labels", "look", said, chance, look_at=NOISE, advice=advice)


def _p(chance: float) -> str:
    least = 1 / (PERMUTATIONS + 1)
    return f"at most {least:g}" if chance <= least else f"{chance:.3f}"
