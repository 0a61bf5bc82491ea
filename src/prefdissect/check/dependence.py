"""Are pairs as independent as the fit took them to be."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from prefdissect.check.case import Case, sum_clusters
from prefdissect.check.finding import Finding, grade, in_force
from prefdissect.inference import stand_in

__all__ = ["check_clusters"]

_LOOK, _STOP = 1.05, 1.25  # robust over plain width
_FEW = 8  # clusters, or as many as properties if more: below, robust intervals hold less than they say (check-rates.md)


def check_clusters(case: Case) -> Finding:
    """Whether pairs of one cluster say more of the same than independent ones would."""
    cell, n = case.cell, case.cell.n_pairs
    if case.n_clusters == n:
        return Finding("clusters", "ok", "no two pairs share a prompt (cluster)", 1.0, _LOOK, _STOP)
    of = f"{n:,} pairs share {case.n_clusters:,} prompts (clusters)"
    if case.n_clusters < 2:
        said = f"{of}: how much pairs depend on one another cannot be seen"
        return Finding("clusters", "look", said, look_at=_LOOK, stop_at=_STOP, advice="add pairs of other prompts")
    enough = max(_FEW, len(case.known))
    if case.robust and case.n_clusters < enough:
        said = f"{of}; intervals are robust, but from so few clusters they hold less than they say"
        return Finding("clusters", "look", said, case.n_clusters, enough, advice="add pairs of other prompts")
    robust = stand_in(cell, case.prior, robust=True)
    ratio = float(np.median(robust.sd[case.known] / case.plain.sd[case.known])) if len(case.known) else 1.0
    chance = _chance(case)
    look_at = in_force(ratio, _LOOK, significant=chance < case.alpha)
    stop_at = in_force(ratio, _STOP, significant=chance < case.strict)
    level = grade(ratio, look_at, stop_at)
    if case.robust:
        said = f"{of}; intervals are robust, {ratio:.2f} times as wide as if pairs were independent"
        return Finding("clusters", "ok", said, ratio)
    if level != "ok":
        said = f"{of} and what their prompts share: honest intervals are {ratio:.2f} times as wide (median property)"
        robustly = "robust=True" + ", which goes with pooling='none'" * (case.fit.engine == "pooled")
        more = ", and add pairs of other prompts" if case.n_clusters < enough else ""
        return Finding("clusters", level, said, ratio, look_at, stop_at, f"fit again with {robustly}{more}")
    seem = "hardly matters" if chance < case.alpha else "does not show"
    met = (
        f", which {seem} given the properties"
        if case.effect == 1
        else f"; rows weigh one over {case.effect:.2f} for it"
    )
    said = f"{of}{met}: robust intervals are {ratio:.2f} times as wide"
    return Finding("clusters", "ok", said, ratio, look_at, stop_at)


def _chance(case: Case) -> float:
    """Return the chance that scores go together so much within clusters if they are independent.

    The sum over clusters of s_i' inv(H) s_j over all i other than j has mean 0 then, and about the variance
    2 sum (s_i' inv(H) s_j)^2; s are the rows' scores x weight (y - p).
    """
    cell, plain = case.cell, case.plain
    p = 1 / (1 + np.exp(-np.clip(cell.x @ plain.mean, -700, 700)))
    scores = cell.x * (cell.weight * (cell.y - p))[:, None]
    values, vectors = np.linalg.eigh(plain.precision)
    kept = values > 1e-9 * values.max()
    white = scores @ (vectors[:, kept] / np.sqrt(values[kept]))
    alone = (white**2).sum(axis=1)
    together = float((sum_clusters(white, cell.cluster) ** 2).sum() - alone.sum())
    order = np.argsort(cell.cluster, kind="stable")
    bounds = np.flatnonzero(np.diff(cell.cluster[order])) + 1
    squares = sum(float(((part.T @ part) ** 2).sum()) for part in np.split(white[order], bounds))
    spread = np.sqrt(max(2 * (squares - float((alone**2).sum())), 1e-300))
    return float(ndtr(-together / spread))
