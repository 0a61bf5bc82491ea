"""Whether pooling pays: each judge's held-out verdicts predicted by the pooled fit, and by fits apart.

Clusters of pairs (by default: of one prompt) are left out whole and for all judges at once: a fit that has seen another
judge's verdict on a pair knows what the pair has, and would predict the next judge too well.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from prefdissect._typing import BoolArray, FloatArray, IntArray
from prefdissect.features import Design
from prefdissect.inference.fit import fit_without, stream_of
from prefdissect.inference.options import FitOptions
from prefdissect.inference.pooling.fit import State, iterate
from prefdissect.inference.pooling.layers import LayerTable
from prefdissect.inference.pooling.one_verdict import to_one_verdict
from prefdissect.inference.pooling.rows import Rows, keep_rows
from prefdissect.inference.pooling.sites import Sites, even_terms
from prefdissect.inference.prior import PriorArrays
from prefdissect.inference.progress import progress_bar

__all__ = ["measure_gain"]

_FOLDS = 5


def measure_gain(
    design: Design,
    prior: PriorArrays,
    rows: Rows,
    state: State,
    table: LayerTable,
    options: FitOptions,
    *,
    factors: bool,
    progress: bool | None = None,
) -> pd.DataFrame:
    """Return the held-out log loss of fits apart and of the pooled fit, one row per judge and one for all, `(all)`.

    Columns: judge, n (verdicts), apart, pooled (log loss in nats a verdict, at posterior means, of A, tie or B where
    ties are a term), gain (apart - pooled), se (over clusters), factor (see `Pooled`). Of at most five folds of
    clusters; empty where there are fewer than two clusters.
    """
    fold = _deal(design, options.random_seed)
    if fold is None:
        return pd.DataFrame(columns=["judge", "n", "apart", "pooled", "gain", "se", "factor"])
    of_row, cluster = fold[rows.source], design.cluster[rows.source]
    apart, together = np.full(len(of_row), np.nan), np.full(len(of_row), np.nan)
    n_folds = int(fold.max()) + 1
    with progress_bar("measuring the gain", n_folds + 1, progress) as bar:
        _predict_apart(design, prior, rows, fold, n_folds, apart)
        bar.update(1)
        for k in range(n_folds):
            _predict_together(rows, state, table, of_row != k, together, factors=factors)
            bar.update(1)
    return _tabulate(design, rows, state, cluster, [apart, together])


def _deal(design: Design, random_seed: int) -> IntArray | None:
    """Return the fold of each row of the design, clusters whole; None where there is one cluster only."""
    n_clusters = int(design.cluster.max(initial=-1)) + 1
    if n_clusters < 2:
        return None
    shuffled = stream_of(random_seed, "pooled", "folds").permutation(n_clusters)
    return np.asarray((shuffled % min(_FOLDS, n_clusters))[design.cluster])


def _predict_apart(
    design: Design, prior: PriorArrays, rows: Rows, fold: IntArray, n_folds: int, found: FloatArray
) -> None:
    """Write the loss of each row by the fit of its own cell to the other folds."""
    for s, j in zip(*rows.present.nonzero(), strict=True):
        judge, group, here = design.judges[j], design.groups[s], rows.cell(s, j)
        cell, folds = design.cell(judge, group), fold[design.rows(judge, group)]
        means = fit_without(cell, [np.flatnonzero(folds != k) for k in range(n_folds)], prior)[fold[rows.source[here]]]
        n = cell.x.shape[1]
        cut = np.where(rows.could[here], means[:, -1] if cell.ties else 0.0, -np.inf)
        found[here] = _loss(rows, np.einsum("kr,rk->r", rows.xt[:, here], means[:, :n]), cut, here)


def _predict_together(
    rows: Rows, state: State, table: LayerTable, seen: BoolArray, found: FloatArray, *, factors: bool
) -> None:
    """Write the loss of unseen rows by the pooled fit to the others, which begins where the fit to all ended."""
    some, sites = keep_rows(rows, seen), Sites(state.sites.tau[seen], state.sites.nu[seen], state.sites.cut)
    ended = iterate(some, table, state.variances, factors=factors, sites=sites)
    weight = ended.solution.weight.reshape(len(rows.opens), -1)
    log_odds = np.einsum("kr,rk->r", rows.xt, weight[rows.number])
    told = to_one_verdict(ended.sites.cut, ended.variances.pair_sd, float(np.sqrt(np.mean(log_odds**2))))
    log_odds *= told.factor.ravel()[rows.number]
    found[~seen] = _loss(rows, log_odds, rows.spread_cuts(told.cut), slice(None))[~seen]


def _loss(rows: Rows, log_odds: FloatArray, cut: FloatArray, here: slice) -> FloatArray:
    """Return minus the log probability of the verdicts of some rows, A, tie or B, for a weight of 1."""
    weight, tied = rows.weight[here], rows.tied[here]
    linear = rows.linear[here] * log_odds + np.where(tied > 0, tied, 0.0) * np.where(np.isfinite(cut), cut, 0.0)
    return np.asarray(-(linear + even_terms(weight, log_odds, cut)) / weight)


def _tabulate(design: Design, rows: Rows, state: State, cluster: IntArray, losses: list[FloatArray]) -> pd.DataFrame:
    """Return losses per judge, each verdict by its weight, and over all."""
    factor = np.maximum(state.variances.judge_factor, state.variances.cell_factor)
    out = []
    for j, judge in enumerate((*design.judges, "(all)")):
        mine = rows.judge == j if j < len(design.judges) else np.ones(len(cluster), dtype=bool)
        if mine.any():
            n = len(np.unique(rows.source[mine] * rows.shape[1] + rows.judge[mine]))
            size = float(factor[j]) if j < len(factor) else np.nan
            out.append((judge, n, *_compare(rows.weight[mine], cluster[mine], losses, mine), size))
    table = pd.DataFrame(out, columns=["judge", "n", "apart", "pooled", "gain", "se", "factor"])
    return table.astype({"judge": "str"})


def _compare(
    weight: FloatArray, cluster: IntArray, losses: list[FloatArray], mine: BoolArray
) -> tuple[float, float, float, float]:
    """Return both mean losses, their difference, and its standard error over clusters."""
    apart, pooled = (float(weight @ loss[mine] / weight.sum()) for loss in losses)
    away = weight * (losses[0][mine] - losses[1][mine] - (apart - pooled))
    sums = np.bincount(np.unique(cluster, return_inverse=True)[1], weights=away)
    n = len(sums)
    se = float(np.sqrt(n / (n - 1) * (sums @ sums)) / weight.sum()) if n > 1 else float("nan")
    return apart, pooled, apart - pooled, se
