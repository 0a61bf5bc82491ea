"""Does it matter which response is A, or which was shown first."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, ndtr

from prefdissect.check.case import Case, residualise, sum_clusters
from prefdissect.check.finding import Finding, grade, in_force
from prefdissect.terms import ORDER

__all__ = ["check_balance", "check_order"]

_UNEVEN, _ONE_SIDED = 0.1, 0.45  # share of A away from a half
_LARGE = 1.0  # log-odds of being first, from which on the order decides more than most properties
_FEW_ORDERS = 20
_STEPS = 20  # of Newton's method, more than it takes


def check_balance(case: Case) -> Finding:
    """Whether A and B are preferred about equally often."""
    rows = case.decided
    if not len(rows):
        return Finding("balance", "look", "no pair is decided: all are ties", look_at=_UNEVEN, stop_at=_ONE_SIDED)
    label = case.cell.y[rows] > 0.5
    share = float(label.mean())
    away = abs(share - 0.5)
    sums = sum_clusters(np.where(label, 0.5, -0.5), case.cell.cluster[rows])
    chance = 2 * float(ndtr(-abs(sums.sum()) / np.sqrt((sums**2).sum())))
    what = "pairs" if case.cell.n_pairs == len(case.cell) else "verdicts"  # both orders of a pair are two
    said = f"A is preferred in {share:.0%} of {len(rows):,} decided {what}"
    look_at = in_force(away, _UNEVEN, significant=chance < case.alpha)
    stop_at = in_force(away, _ONE_SIDED, significant=len(rows) >= _FEW_ORDERS)
    level = grade(away, look_at, stop_at)
    advice = ""
    if level == "stop":
        advice = "the source may put the preferred response first: load it with its reader, or shuffle A and B"
    elif level == "look":
        advice = "see what sets A apart: shown first, or always from one model? Shuffle A and B if nothing should"
    return Finding("balance", level, said, away, look_at, stop_at, advice)


def check_order(case: Case) -> Finding:
    """Whether being shown first wins, where the order is known."""
    if ORDER in case.labels:
        return _from_fit(case)
    asked = case.asked
    if len(asked.row) < _FEW_ORDERS or np.ptp(asked.first) == 0:
        how = "was always the same" if len(asked.row) >= _FEW_ORDERS else "is not known"
        said = f"not checked: which response was shown first {how}"
        return Finding("order", "ok", said, stop_at=_LARGE)
    effect, chance = _estimate(case)
    wins = float(expit(effect))
    said = f"of two equal responses the one shown first wins {wins:.0%} of the time ({effect:+.2f} log-odds)"
    look_at = in_force(abs(effect), 0.0, significant=chance < case.alpha)
    stop_at = in_force(abs(effect), _LARGE, significant=chance < case.strict)
    level = grade(abs(effect), look_at, stop_at)
    if level == "ok":
        return Finding("order", "ok", f"{said}, which may be chance", abs(effect), look_at, stop_at)
    advice = "ask in both orders, or at random, and say so; where order goes along with a property, weights mislead"
    return Finding("order", level, said, abs(effect), look_at, stop_at, advice)


def _from_fit(case: Case) -> Finding:
    """Say what the fit found of order, which is one of its terms."""
    k = case.labels.index(ORDER)
    if not case.cell.x[:, k].any():
        return Finding("order", "ok", "not checked: which response was shown first is not known", stop_at=_LARGE)
    effect, sd = float(case.fit.mean[k]), float(case.fit.sd[k])
    said = (
        f"of two equal responses the one shown first wins {expit(effect):.0%} of the time ({effect:+.2f} log-odds); "
        "weights are those with order held equal"
    )
    chance = 2 * float(ndtr(-abs(effect) / sd))
    stop_at = in_force(abs(effect), _LARGE, significant=chance < case.strict)
    level = grade(abs(effect), float("nan"), stop_at)
    advice = "" if level == "ok" else "the order decides more than most properties: ask in both orders"
    return Finding("order", level, said, abs(effect), float("nan"), stop_at, advice)


def _estimate(case: Case) -> tuple[float, float]:
    """Return the log-odds of being first, given the properties, and the chance of one so large if there is none."""
    asked, x = case.asked, case.cell.x[case.asked.row]
    offset, effect = x @ case.fit.mean, 0.0
    p = expit(offset)
    alone = residualise(asked.first, x, asked.weight * p * (1 - p))
    scores = sum_clusters(alone * asked.weight * (asked.y - p), case.cell.cluster[asked.row])
    chance = 2 * float(ndtr(-abs(scores.sum()) / np.sqrt(max((scores**2).sum(), 1e-300))))
    for _ in range(_STEPS):
        p = expit(offset + effect * alone)
        slope = float((asked.weight * alone**2 * p * (1 - p)).sum())
        effect += float(np.clip((asked.weight * alone * (asked.y - p)).sum() / max(slope, 1e-12), -1, 1))
    return effect, chance
