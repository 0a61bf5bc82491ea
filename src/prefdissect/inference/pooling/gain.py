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
from prefdissect.inference.pooling.pair_effect import attenuation
from prefdissect.inference.pooling.sites import Rows, Sites, keep_rows
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

    Columns: judge, n, apart, pooled (log loss in nats a verdict, at posterior means), gain (apart - pooled), se (over
    clusters), factor (see `Pooled`). Of at most five folds of clusters; empty where there are fewer than two clusters.
    """
    fold = _deal(design, options.random_seed)
    if fold is None:
        return pd.DataFrame(columns=["judge", "n", "apart", "pooled", "gain", "se", "factor"])
    of_row, cluster, y = _look_up(design, rows, fold)
    apart, together = np.full(len(y), np.nan), np.full(len(y), np.nan)
    n_folds = int(fold.max()) + 1
    with progress_bar("measuring the gain", n_folds + 1, progress) as bar:
        _predict_apart(design, prior, rows, of_row, n_folds, apart)
        bar.update(1)
        for k in range(n_folds):
            _predict_together(rows, state, table, of_row != k, together, factors=factors)
            bar.update(1)
    losses = [_loss(y, log_odds) for log_odds in (apart, together)]
    return _tabulate(design, rows, state, cluster, losses)


def _deal(design: Design, random_seed: int) -> IntArray | None:
    """Return the fold of each row of the design, clusters whole; None where there is one cluster only."""
    n_clusters = int(design.cluster.max(initial=-1)) + 1
    if n_clusters < 2:
        return None
    shuffled = stream_of(random_seed, "pooled", "folds").permutation(n_clusters)
    return np.asarray((shuffled % min(_FOLDS, n_clusters))[design.cluster])


def _look_up(design: Design, rows: Rows, fold: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Return fold, cluster and preference of each row of all cells."""
    used = [
        design.rows(judge, group) if rows.present[s, j] else np.empty(0, dtype=np.int64)
        for s, group in enumerate(design.groups)
        for j, judge in enumerate(design.judges)
    ]
    at = np.concatenate(used)
    return fold[at], design.cluster[at], design.y[at, rows.judge]


def _predict_apart(
    design: Design, prior: PriorArrays, rows: Rows, fold: IntArray, n_folds: int, found: FloatArray
) -> None:
    """Write the log-odds of each row by the fit of its own cell to the other folds."""
    for s, j in zip(*rows.present.nonzero(), strict=True):
        here = rows.cell(s, j)
        cell, folds = design.cell(design.judges[j], design.groups[s]), fold[here]
        means = fit_without(cell, [np.flatnonzero(folds != k) for k in range(n_folds)], prior)
        found[here] = np.einsum("rk,rk->r", cell.x, means[folds])


def _predict_together(
    rows: Rows, state: State, table: LayerTable, seen: BoolArray, found: FloatArray, *, factors: bool
) -> None:
    """Write the log-odds of unseen rows by the pooled fit to the others, which begins where the fit to all ended."""
    some, sites = keep_rows(rows, seen), Sites(state.sites.tau[seen], state.sites.nu[seen])
    solution = iterate(some, table, state.variances, factors=factors, sites=sites).solution
    counts = np.diff(rows.starts)
    weight = np.repeat(solution.weight.reshape(len(counts), -1), counts, axis=0)
    log_odds = np.einsum("kr,rk->r", rows.xt, weight)
    pair_sd = solution.variances.pair_sd
    factor = attenuation(pair_sd, float(np.sqrt(np.mean(log_odds**2)))) if pair_sd else 1.0
    found[~seen] = factor * log_odds[~seen]


def _loss(y: FloatArray, log_odds: FloatArray) -> FloatArray:
    return np.asarray(np.logaddexp(0.0, log_odds) - y * log_odds)


def _tabulate(design: Design, rows: Rows, state: State, cluster: IntArray, losses: list[FloatArray]) -> pd.DataFrame:
    """Return losses per judge, each verdict by its weight, and over all."""
    factor = np.maximum(state.variances.judge_factor, state.variances.cell_factor)
    out = []
    for j, judge in enumerate((*design.judges, "(all)")):
        mine = rows.judge == j if j < len(design.judges) else np.ones(len(cluster), dtype=bool)
        if mine.any():
            size = float(factor[j]) if j < len(factor) else np.nan
            out.append((judge, int(mine.sum()), *_compare(rows.weight[mine], cluster[mine], losses, mine), size))
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
