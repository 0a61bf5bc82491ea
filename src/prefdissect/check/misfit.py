"""Do probabilities mean what they say: calibration and lapses of held-out pairs, and posterior predictive checks."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, log_expit, ndtr, xlogy

from prefdissect._typing import FloatArray, IntArray
from prefdissect.check.case import NOISE, Case, sum_clusters
from prefdissect.check.finding import Finding, grade, in_force

__all__ = ["calibrate", "check_calibration", "check_lapses", "check_predictive", "find_lapses"]

_SLOPE, _BAD_SLOPE = np.log(1.25), np.log(2.0)  # |log slope|
_LAPSES, _MANY_LAPSES = 0.05, 0.25  # share of verdicts
_STRONG = 6.0  # standard errors of the calibration slope; with less the curve is too flat to see if it levels off
_DRAWS = 400
_SURE = 0.1  # share of the pairs that the fit is surest of
_LEAST = 50  # decided pairs
_GRID = np.arange(0.0, 0.96, 0.01)
_STEPS = 30


def check_calibration(case: Case) -> Finding:
    """Whether held-out pairs come true as often as predicted.

    Without signal there is no slope to tell: a fold with more of A leaves less of it in the others, so that what they
    predict goes against it, by a slope that varies without bound. What the properties say must be more than noise.
    """
    limits = float(_SLOPE), float(_BAD_SLOPE)
    score, label, cluster = _held_out(case)
    if len(label) < _LEAST:
        return Finding(
            "calibration", "ok", f"not checked: fewer than {_LEAST} held-out decided pairs", float("nan"), *limits
        )
    slope, sd = calibrate(score, label, cluster)
    if not sd > 0:
        return Finding("calibration", "ok", "not checked: all predictions are one half", float("nan"), *limits)
    if case.chance_of_noise >= NOISE:
        said = "not checked: nothing that could be predicted is in sight (see permuted labels)"
        return Finding("calibration", "ok", said, float("nan"), *limits)
    chance = 2 * float(ndtr(-abs(slope - 1) / sd))
    said = f"held-out log-odds come true {slope:.2f} times over (calibration slope, standard error {sd:.2f})"
    number = abs(float(np.log(slope))) if slope > 0 else float("inf")
    look_at = in_force(number, limits[0], significant=chance < case.alpha)
    stop_at = in_force(number, limits[1], significant=chance < case.strict) if slope < 1 else float("nan")
    level = grade(number, look_at, stop_at)
    how, advice = ("", "") if level == "ok" else _tell_slope(slope)
    return Finding("calibration", level, said + how, number, look_at, stop_at, advice)


def _tell_slope(slope: float) -> tuple[str, str]:
    """Return what a slope means, and what to do."""
    if slope > 1:
        advice = "the prior shrinks weights: a wider one, prior=Laplace(0.3), may fit better"
        return ": timid: verdicts are surer than predictions", advice
    if slope > 0:
        advice = "a narrower prior, more pairs or fewer properties may help"
        return ": bold: verdicts are less sure than predictions", advice
    return ": held-out predictions go against what the judge said", "do not use predict(); see prediction"


def check_lapses(case: Case) -> Finding:
    """Whether some verdicts are coin flips, whatever the responses: a curve that levels off before 0 and 1.

    The number is their share.
    """
    score, label, cluster = _held_out(case)
    if len(label) < _LEAST:
        return Finding("lapses", "ok", f"not checked: fewer than {_LEAST} held-out decided pairs")
    slope, sd = calibrate(score, label, cluster)
    if slope < _STRONG * sd:
        return Finding("lapses", "ok", "not checked: held-out predictions are too weak to tell")
    share, chance = find_lapses(score, label, cluster)
    look_at = in_force(share, _LAPSES, significant=chance < case.alpha)
    stop_at = in_force(share, _MANY_LAPSES, significant=chance < case.strict)
    level = grade(share, look_at, stop_at)
    if level == "ok":
        said = f"no sign of verdicts that are coin flips (p {chance:.2g})"
        return Finding("lapses", "ok", said, share, look_at, stop_at)
    said = (
        f"about {share:.0%} of the verdicts look like coin flips: however sure the fit is, the judge is right at most "
        f"{1 - share / 2:.0%} of the time (p {chance:.2g})"
    )
    advice = "see result.surprising(): mistakes, guesses, or a property that is missing; weights are too small by it"
    return Finding("lapses", level, said, share, look_at, stop_at, advice)


def check_predictive(case: Case) -> Finding:
    """Whether verdicts simulated from the posterior look like those that were given.

    Two discrepancies, whose mean and variance given the weights are known, so that nothing need be simulated: the log
    likelihood, and wrong predictions among the tenth of pairs that a draw is surest of. Source: Gelman, Meng and Stern
    1996, Statistica Sinica 6.
    """
    rows = case.decided
    if len(rows) < _LEAST:
        return Finding("predictive", "ok", f"not checked: fewer than {_LEAST} decided pairs", look_at=case.alpha)
    draws = case.fit.draws.reshape(-1, case.cell.x.shape[1]).astype(np.float64)
    draws = draws[:: max(1, len(draws) // _DRAWS)]
    t = case.cell.x[rows] @ draws.T
    label = (case.cell.y[rows] > 0.5)[:, None]
    p = expit(t)
    expected = p * log_expit(t) + (1 - p) * log_expit(-t)
    found = np.where(label, log_expit(t), log_expit(-t))
    variance = (p * (1 - p) * t**2).sum(axis=0)
    likelihood = _tail((found - expected).sum(axis=0), variance)
    unsure = np.minimum(p, 1 - p)
    sure = unsure <= np.quantile(unsure, _SURE, axis=0)
    wrong = ((p > 0.5) != label) & sure
    mistakes = _tail((wrong - unsure * sure).sum(axis=0), (unsure * (1 - unsure) * sure).sum(axis=0))
    number = 2 * min(likelihood, 1 - likelihood, mistakes, 1 - mistakes)
    shares = f"{wrong.sum() / sure.sum():.0%} wrong, {(unsure * sure).sum() / sure.sum():.0%} expected"
    said = f"among the tenth of pairs that the fit is surest of {shares} (posterior predictive p {number:.2g})"
    if number >= case.alpha / 2:
        return Finding("predictive", "ok", said, number, look_at=case.alpha / 2)
    surer = "more" if likelihood > 0.5 else "less"
    said = f"verdicts go along with the fit {surer} than it says itself; {said}"
    advice = "this model would give other verdicts: see calibration and lapses, and result.surprising()"
    return Finding("predictive", "look", said, number, look_at=case.alpha / 2, advice=advice)


def _tail(away: FloatArray, variance: FloatArray) -> float:
    """Return the chance that a replicate is below what was found, averaged over draws."""
    return float(ndtr(away / np.sqrt(np.maximum(variance, 1e-12))).mean())


def _held_out(case: Case) -> tuple[FloatArray, FloatArray, IntArray]:
    """Return held-out log-odds, label and cluster of decided pairs."""
    table = case.held_out
    kept = (table["label"] != 0.5).to_numpy()
    score = table["fit"].to_numpy(dtype=np.float64)[kept]
    label = (table["label"].to_numpy()[kept] > 0.5).astype(np.float64)
    rows = np.flatnonzero(kept)  # of the cell, in its order; none where nothing was held out
    return score, label, case.cell.cluster[rows]


def calibrate(score: FloatArray, label: FloatArray, cluster: IntArray) -> tuple[float, float]:
    """Return the slope of a logistic regression of labels on log-odds, and its clustered standard error.

    Without an intercept: A and B could be exchanged. Source: Cox 1958, Biometrika 45.
    """
    slope = _slope(score, label, 0.0)
    p = expit(slope * score)
    information = float((score**2 * p * (1 - p)).sum())
    scores = sum_clusters(score * (label - p), cluster)
    return slope, float(np.sqrt((scores**2).sum()) / max(information, 1e-12))


def find_lapses(score: FloatArray, label: FloatArray, cluster: IntArray) -> tuple[float, float]:
    """Return the share of verdicts that are coin flips, by maximum likelihood, and the chance of it without any.

    P(A) = share / 2 + (1 - share) sigmoid(slope score). The chance is that of the likelihood ratio, whose share is on
    the edge of its range (half a chi squared), divided by how much clusters widen the score. Source: Wichmann and Hill
    2001, Perception & Psychophysics 63, on lapses; Self and Liang 1987, JASA 82, on edges.
    """
    fits = []
    for share in _GRID:
        q = np.clip(share / 2 + (1 - share) * expit(_slope(score, label, share) * score), 1e-12, 1 - 1e-12)
        fits.append(float((xlogy(label, q) + xlogy(1 - label, 1 - q)).sum()))
    best = int(np.argmax(fits))
    p = expit(_slope(score, label, 0.0) * score)
    alone = np.sign(score) * np.abs(score) ** 3 * (label - p)
    widened = float((sum_clusters(alone, cluster) ** 2).sum()) / max(float((alone**2).sum()), 1e-300)
    ratio = 2 * (fits[best] - fits[0]) / max(widened, 1.0)
    return float(_GRID[best]), float(ndtr(-np.sqrt(max(ratio, 0.0))))


def _slope(score: FloatArray, label: FloatArray, share: float) -> float:
    """Return the slope of highest likelihood where this share of verdicts are coin flips, by Fisher's scoring."""
    slope = 1.0
    for _ in range(_STEPS):
        p = expit(slope * score)
        q = np.clip(share / 2 + (1 - share) * p, 1e-12, 1 - 1e-12)
        gradient = (1 - share) * p * (1 - p) * score
        weight = gradient / (q * (1 - q))
        step = float((weight * (label - q)).sum()) / max(float((weight * gradient).sum()), 1e-12)
        slope = float(np.clip(slope + np.clip(step, -1, 1), -20, 20))
        if abs(step) < 1e-8:
            break
    return slope
