"""What may be claimed: the prior's part in it, signs that are wrong, and properties that were left out."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from prefdissect._typing import BoolArray, FloatArray
from prefdissect.check.case import Case, listed, residualise, sum_clusters
from prefdissect.check.finding import Finding
from prefdissect.inference import stand_in

__all__ = ["check_left_out", "check_prior", "check_signs", "safe_claims"]

_MOST_WRONG = 0.05  # share of claims
_MOVED = 3.0  # posterior standard deviations


def check_prior(case: Case) -> Finding:
    """How far weights move when the prior's scale is halved and doubled, in posterior standard deviations."""
    known = case.known
    if not len(known):
        return Finding("prior", "ok", "not checked: no property differs", look_at=_MOVED)
    half, double = (stand_in(case.cell, case.prior.scaled(f), robust=case.robust) for f in (0.5, 2.0))
    plain = stand_in(case.cell, case.prior, robust=case.robust)
    z = ndtri(0.5 + case.interval / 2)
    claimed = [np.abs(one.mean[known]) > z * one.sd[known] for one in (half, plain, double)]
    moved = np.abs(double.mean - half.mean)[known] / plain.sd[known]
    k = int(moved.argmax())
    changed = int((claimed[0] != claimed[2]).sum())
    turned = [
        case.labels[known[i]]
        for i in np.flatnonzero(claimed[1] & ((np.sign(half.mean) != np.sign(double.mean))[known]))
    ]
    said = (
        f"with the prior half and twice as wide, {case.labels[known[k]]} has {half.mean[known[k]]:+.2f} and "
        f"{double.mean[known[k]]:+.2f}, {moved[k]:.1f} posterior standard deviations apart; "
        f"{changed} of {len(known)} properties are claimed under one of the two only"
    )
    number = float(moved[k])
    if turned:
        said = f"{said}; claims change sign: {listed(turned)}"
        return Finding("prior", "stop", said, float(len(turned)), stop_at=1.0, advice="do not claim these signs")
    if number >= _MOVED:
        advice = "report the prior beside the weights, and what another gives; signs and order are safer than sizes"
        return Finding("prior", "look", said, number, look_at=_MOVED, advice=advice)
    return Finding("prior", "ok", said, number, look_at=_MOVED)


def check_signs(case: Case) -> Finding:
    """How many of the claims, weights whose interval is on one side of 0, have the wrong sign, to be expected."""
    fit = case.fit
    wrong = np.minimum(fit.prob_positive, 1 - fit.prob_positive)
    claimed = case.is_property & ((fit.lower > 0) | (fit.upper < 0))
    n, expected = int(claimed.sum()), float(wrong[claimed].sum())
    safe = safe_claims(wrong, case.is_property)
    names = listed([case.labels[i] for i in np.argsort(wrong, kind="stable") if safe[i]], most=4)
    said = (
        f"wrong signs to be expected among {n} claims: {expected:.2f}; the most that can be claimed with under "
        f"{_MOST_WRONG:.0%} wrong: {int(safe.sum())}" + (f" ({names})" if names else "")
    )
    share = expected / n if n else 0.0
    if share < _MOST_WRONG:
        return Finding("signs", "ok", said, share, look_at=_MOST_WRONG)
    advice = "claim only these, or take a wider interval="
    return Finding("signs", "look", said, share, look_at=_MOST_WRONG, advice=advice)


def safe_claims(wrong: FloatArray, kept: BoolArray) -> BoolArray:
    """Return the largest set of signs of which under 5% are wrong, to be expected, [column].

    `wrong` is the chance that a sign is wrong, [column]. Source: Stephens 2017, Biostatistics 18(2), the local false
    sign rate and its tail average.
    """
    order = [i for i in np.argsort(wrong, kind="stable") if kept[i]]
    average = np.cumsum(wrong[order]) / np.arange(1, len(order) + 1)
    n = int((average < _MOST_WRONG).sum())  # averages of sorted numbers never fall
    safe = np.zeros(len(wrong), dtype=np.bool_)
    safe[order[:n]] = True
    return safe


def check_left_out(case: Case) -> Finding:
    """Whether something that the data hold and the fit does not goes along with what the fit cannot explain."""
    cell = case.cell
    p = case.p
    spread = cell.weight * p * (1 - p)
    best = ("", 0.0, 0.0)
    n = 0
    for name, values in case.left_out.items():
        column = np.nan_to_num(values)
        if not column.any():
            continue
        n += 1
        column = np.clip(column / np.quantile(np.abs(column[column != 0]), 0.95), -1, 1)
        alone = residualise(column, cell.x, spread)
        sums = sum_clusters(alone * cell.weight * (cell.y - p), cell.cluster)
        variance = float((sums**2).sum())
        information = float((spread * alone**2).sum())
        if information > 1e-6 * float((spread * column**2).sum()) and variance > 0:
            z = float(sums.sum()) / np.sqrt(variance)
            if abs(z) > abs(best[1]):
                best = (name, z, float(sums.sum()) / information)
    limit = float(-ndtri(case.alpha / (2 * max(n, 1))))
    if not n:
        return Finding("left out", "ok", f"not checked: {case.nothing_left}", look_at=limit)
    name, z, weight = best
    if 2 * n * float(ndtr(-abs(z))) >= case.alpha:
        said = f"none of {n} other numbers in the data goes along with what the fit does not explain"
        return Finding("left out", "ok", said, abs(z), limit)
    said = (
        f"{name} is in the data, not in the fit, and goes along with what the fit does not explain "
        f"(about {weight:+.2f} log-odds where it differs much, z {z:+.1f})"
    )
    advice = f"add {name} to the properties: weights of what goes along with it may be its doing"
    return Finding("left out", "look", said, abs(z), limit, advice=advice)
