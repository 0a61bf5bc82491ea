"""Did the fit work, and do the pairs suffice: convergence, pairs per property, separation."""

from __future__ import annotations

import numpy as np

from prefdissect._typing import FloatArray
from prefdissect.check.case import Case
from prefdissect.check.finding import Finding, grade, in_force
from prefdissect.inference import failed_criteria

__all__ = ["check_convergence", "check_pairs", "check_separation", "separates", "unfitted"]

_FEW, _TOO_FEW = 10.0, 3.0  # pairs per property: Peduzzi et al. 1996, J. Clin. Epidemiol. 49, asks for 10
_NEVER_WRONG = 20  # pairs, from which on a property that is never contradicted is one to look at
_NEARLY = 0.85  # share of pairs that a fit gets right where they may be separable
_MARGIN = 1e-6


def check_convergence(case: Case) -> Finding:
    """Whether the engine's certificate holds.

    The number is how many of its criteria fail; 1 for an engine that another replaced.
    """
    fit = case.fit
    if not fit.certified:
        failed = failed_criteria(fit.r_hat, fit.ess_bulk, fit.certificate)
        said = f"the draws of engine {fit.engine!r} are not certified: {', '.join(failed)}"
        return Finding("convergence", "stop", said, len(failed), stop_at=1, advice="fit with more draws= or chains=")
    if fit.engine not in (case.engine, "robust", "pooled"):
        said = f"the certificate of engine {case.engine!r} failed; engine {fit.engine!r} took over, and its own holds"
        return Finding("convergence", "look", said, 1, look_at=1, advice="see result.certificates")
    return Finding("convergence", "ok", f"the certificate of engine {fit.engine!r} holds", 0, look_at=1, stop_at=1)


def check_pairs(case: Case) -> Finding:
    """Whether there are pairs enough for so many properties."""
    n, k = case.cell.n_pairs, len(case.known)
    per = n / max(k, 1)
    level = grade(-per, -_FEW, -_TOO_FEW)
    said = f"{n:,} pairs for {k} properties that differ, {per:.1f} each" + (
        ": the weights owe much to the prior" if level != "ok" else ""
    )
    together = ", or fit groups together (by=None)" if case.n_groups > 1 else ""
    advice = "" if level == "ok" else f"add pairs, or fit fewer properties{together}"
    return Finding("pairs", level, said, per, _FEW, _TOO_FEW, advice)


def unfitted(n: int, min_pairs: int, n_groups: int) -> Finding:
    """Say that a judge was not fitted in a group at all."""
    said = f"{n} usable pairs, fewer than min_pairs={min_pairs}: not fitted"
    advice = "leave the group out, or take by=None" if n_groups > 1 else "leave the judge out, or add pairs"
    return Finding("pairs", "look", said, n, min_pairs, advice=advice)


def check_separation(case: Case) -> Finding:
    """Whether a rule without error exists, so that the data alone bound no weight."""
    rows = case.decided
    x, side = case.cell.x[rows], np.where(case.cell.y[rows] > 0.5, 1.0, -1.0)
    right = float((np.sign(x @ case.fit.mean) == side).mean()) if len(rows) else float("nan")
    if right >= _NEARLY and separates(x * side[:, None]):
        said = (
            f"a weighted sum of the properties tells all {len(rows):,} decided pairs without error (separation), so "
            "the data bound no weight from above: how large weights are is the prior's doing"
        )
        advice = "report signs and order, not sizes; add pairs; compare only under one prior"
        return Finding("separation", "stop", said, 1.0, stop_at=1.0, advice=advice)
    agrees = np.sign(x[:, case.known]) * side[:, None]
    for_it, against = (agrees > 0).sum(axis=0), (agrees < 0).sum(axis=0)
    lone = np.flatnonzero((np.minimum(for_it, against) == 0) & (for_it + against >= _NEVER_WRONG))
    if len(lone):
        k = lone[np.argmax((for_it + against)[lone])]
        n = int((for_it + against)[k])
        said = (
            f"{case.labels[case.known[k]]} decides each of the {n} decided pairs in which it "
            "differs, so the data do not bound its weight: its size is the prior's doing"
        )
        return Finding("separation", "look", said, n, _NEVER_WRONG, advice="report its sign, not its size")
    if not len(rows):
        return Finding("separation", "ok", "not checked: no pair is decided")
    said = f"no rule without error is in sight: the fit gets {right:.0%} of the decided pairs right that it has seen"
    return Finding("separation", "ok", said, right, stop_at=in_force(right, 1.0, significant=False))


def separates(signed: FloatArray) -> bool:
    """Whether some weights give every row a positive score; rows are signed, the preferred response first.

    By linear programming: rows w >= 1 has a solution, or none.
    """
    from scipy.optimize import linprog  # slow to import

    distinct = np.unique(signed[signed.any(axis=1)], axis=0)  # rows of zeros say nothing
    if not len(distinct):
        return False
    found = linprog(
        np.zeros(signed.shape[1]), A_ub=-distinct, b_ub=-np.ones(len(distinct)), bounds=(None, None), method="highs"
    )
    return bool(found.success and (distinct @ found.x > _MARGIN).all())
