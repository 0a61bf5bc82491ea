"""The Gaussian sites that stand in for the likelihood of the rows of all cells.

A row's log likelihood is linear t - weight log(2 cosh(t / 2)) with t = x'w, or x'w plus what its pair has that all
judges see; where it could have been a tie, linear t - weight log(2 cosh(t / 2) + nu). The linear part is exact, and the
even term gets a site exp(nu t - tau t**2 / 2), which is moved to the moments of its tilted density under the marginal
of t in the pooled posterior: expectation propagation inside the hierarchy. Cutpoints of ties, log nu, are of each cell,
and take Newton's steps on the evidence.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import joblib
import numpy as np

from prefdissect._typing import FloatArray
from prefdissect.inference.fit_data import start_cut
from prefdissect.inference.pooling.rows import Rows
from prefdissect.inference.prior import CUT_SD

__all__ = ["Sites", "bend", "even_terms", "expand", "first_cuts", "gather", "log_likelihood", "match", "score"]


@dataclass(frozen=True, eq=False)
class Sites:
    """Precision and linear part of the site of each row's even term [row], and cutpoints of ties [scenario, judge].

    Cutpoints are NaN in cells that know no ties.
    """

    tau: FloatArray
    nu: FloatArray
    cut: FloatArray


def first_cuts(rows: Rows) -> FloatArray:
    """Return cutpoints by the share of ties, [scenario, judge]; NaN in cells that know none."""
    could, tied = rows.sum_cells(rows.weight * rows.could), rows.sum_cells(rows.tied)
    rates = np.divide(tied, could, out=np.full(rows.shape, np.nan), where=could > 0)
    return start_cut("davidson", rates)


def expand(rows: Rows, m: FloatArray, cut: FloatArray) -> Sites:
    """Return the sites that are second-order expansions of their terms at `m` [row]."""
    from prefdissect.inference.compiled.pooling import expand_cells

    sites = Sites(np.empty(len(m)), np.empty(len(m)), cut)
    expand_cells(m, rows.weight, rows.starts, rows.opens, cut.ravel(), sites.tau, sites.nu)
    return sites


def match(rows: Rows, sites: Sites, m: FloatArray, v: FloatArray, *, step: float = 1.0) -> tuple[Sites, float]:
    """Return the sites moved to the tilted moments of their terms, under the marginals N(m, v) [row].

    And by how much a cutpoint moved at most, in its standard deviation.
    """
    from prefdissect.inference.compiled.pooling import match_cells

    tau, nu, cut = sites.tau.copy(), sites.nu.copy(), sites.cut.ravel()
    slopes = np.zeros((len(cut), 2))
    _share(
        lambda lo, hi: match_cells(m, v, rows.weight, rows.starts, rows.opens, cut, tau, nu, step, slopes, lo, hi),
        len(cut),
    )
    moved_cut, moved = _move_cuts(rows, sites.cut, slopes.reshape(*rows.shape, 2))
    return Sites(tau, nu, moved_cut), moved


def _move_cuts(rows: Rows, cut: FloatArray, slopes: FloatArray) -> tuple[FloatArray, float]:
    """Return cutpoints after Newton's step to where evidence and prior are highest, and the largest move in its sd."""
    if not rows.ties.any():
        return cut, 0.0
    known = np.maximum(slopes[..., 1], 0.0) + CUT_SD**-2.0
    step = np.clip((rows.sum_cells(rows.tied) + slopes[..., 0] - CUT_SD**-2.0 * cut) / known, -1.0, 1.0)
    return cut + step, float(np.nanmax(np.abs(step) * np.sqrt(known)))


def bend(rows: Rows, cut: FloatArray, m: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what verdicts say of each cutpoint, and how it goes along with weights, under the marginals N(m, v).

    Minus the second derivative of the log likelihood [scenario, judge], and that by cutpoint and weights [..., column].
    """
    from prefdissect.inference.compiled.pooling import bend_cells

    information, mixed = np.zeros(cut.size), np.zeros((cut.size, len(rows.xt)))
    bend_cells(rows.xt, rows.starts, rows.opens, m, v, rows.weight, cut.ravel(), information, mixed)
    return information.reshape(cut.shape), mixed.reshape(*cut.shape, -1)


def score(rows: Rows, mean: FloatArray, cov: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and variance of x'w of each row; `mean` is [scenario, judge, column], `cov` one dimension more."""
    from prefdissect.inference.compiled.pooling import score_cells

    n_columns = mean.shape[-1]
    m, v = np.empty(len(rows.weight)), np.empty(len(rows.weight))
    flat = np.ascontiguousarray(mean.reshape(-1, n_columns))
    matrices = np.ascontiguousarray(cov.reshape(-1, n_columns, n_columns))
    _share(lambda lo, hi: score_cells(rows.xt, rows.starts, flat, matrices, m, v, lo, hi), len(flat))
    return m, v


def gather(rows: Rows, tau: FloatArray, nu: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return X'diag(tau)X and X'nu of each cell, [scenario, judge, column(, column)]."""
    from prefdissect.inference.compiled.pooling import gather_cells

    n_cells, n_columns = len(rows.starts) - 1, len(rows.xt)
    precision, linear = np.empty((n_cells, n_columns, n_columns)), np.empty((n_cells, n_columns))
    _share(lambda lo, hi: gather_cells(rows.xt, rows.starts, tau, nu, precision, linear, lo, hi), n_cells)
    return precision.reshape(*rows.shape, n_columns, n_columns), linear.reshape(*rows.shape, n_columns)


def log_likelihood(rows: Rows, weight: FloatArray, cut: FloatArray) -> FloatArray:
    """Return the log likelihood of each cell, [scenario, judge], at weights [scenario, judge, column].

    Up to a constant that depends on the cutpoints.
    """
    from prefdissect.inference.compiled.pooling import sum_cells

    out = np.empty(len(rows.starts) - 1)
    flat = np.ascontiguousarray(weight.reshape(len(out), -1))
    sum_cells(rows.xt, rows.starts, rows.opens, rows.linear, rows.weight, flat, cut.ravel(), out)
    return out.reshape(rows.shape)


def even_terms(weight: FloatArray, t: FloatArray, cut: FloatArray) -> FloatArray:
    """Return -weight log(2 cosh(t / 2) + nu), `cut` being log nu, -inf where a row could be no tie."""
    return np.asarray(-weight * np.logaddexp(np.abs(t) / 2 + np.log1p(np.exp(-np.abs(t))), cut))


def _share(work: Callable[[int, int], object], n: int) -> None:
    """Do the work from 0 to n in equal parts, a thread each: compiled functions work outside the interpreter's lock."""
    parts = joblib.cpu_count()
    bounds = [n * i // parts for i in range(parts + 1)]
    with ThreadPoolExecutor(parts) as pool:
        list(pool.map(work, bounds[:-1], bounds[1:]))
