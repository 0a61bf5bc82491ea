"""The verdicts of all cells, and the Gaussian sites that stand in for their likelihood.

A row's log likelihood is linear t - weight log(2 cosh(t / 2)) with t = x'w, or x'w plus what its pair has that all
judges see. The linear part is exact, and the even term gets a site exp(nu t - tau t**2 / 2), which is moved to the
moments of its tilted density under the marginal of t in the pooled posterior: expectation propagation inside the
hierarchy. Nothing else of the likelihood is known here, so that another even term needs another `match_rows` only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import joblib
import numpy as np

from prefdissect._typing import BoolArray, FloatArray, IntArray
from prefdissect.features import Design

__all__ = ["Rows", "Sites", "arrange_rows", "expand", "gather", "keep_rows", "log_likelihood", "match", "score"]


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of all cells side by side, scenario by scenario and in it judge by judge.

    Parameters
    ----------
    xt
        Shape [column, row].
    weight, linear
        Of each row: its weight, and weight * (y - 1/2).
    starts
        First row of each cell, and the number of rows at the end: [scenario * judge + 1].
    pair
        Number of each row's pair inside its scenario, [row].
    shape
        Scenarios and judges.
    """

    xt: FloatArray
    weight: FloatArray
    linear: FloatArray
    starts: IntArray
    pair: IntArray
    shape: tuple[int, int]

    def cell(self, scenario: int, judge: int) -> slice:
        """Return the rows of one cell."""
        c = scenario * self.shape[1] + judge
        return slice(int(self.starts[c]), int(self.starts[c + 1]))

    def scenario(self, scenario: int) -> slice:
        """Return the rows of one scenario."""
        return slice(int(self.starts[scenario * self.shape[1]]), int(self.starts[(scenario + 1) * self.shape[1]]))

    @cached_property
    def judge(self) -> IntArray:
        """Number of each row's judge, [row]."""
        cell = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        return np.asarray(cell % self.shape[1])

    @cached_property
    def seen(self) -> list[FloatArray]:
        """What the judges of each pair see on average, [pair, column] of each scenario."""
        found = []
        for s in range(self.shape[0]):
            pair, x = self.pair[self.scenario(s)], self.xt[:, self.scenario(s)]
            times = np.maximum(np.bincount(pair), 1)
            found.append(np.stack([np.bincount(pair, weights=column) / times for column in x], axis=1))
        return found

    @cached_property
    def repeats(self) -> bool:
        """Whether a judge has several rows of one pair."""
        at = (
            np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts)) * (self.pair.max(initial=0) + 1)
            + self.pair
        )
        return len(np.unique(at)) < len(at)

    @property
    def present(self) -> BoolArray:
        """Whether a cell has rows, [scenario, judge]."""
        return np.asarray((np.diff(self.starts) > 0).reshape(self.shape))


@dataclass(frozen=True, eq=False)
class Sites:
    """Precision and linear part of the site of each row's even term, [row]."""

    tau: FloatArray
    nu: FloatArray


def arrange_rows(
    design: Design,
    judges: Sequence[str],
    scenarios: Sequence[str],
    *,
    min_pairs: int = 1,
    kept: BoolArray | None = None,
    own: Mapping[str, FloatArray] | None = None,
) -> Rows:
    """Return the rows of these judges in these scenarios; of a design's rows those that are `kept`, by default all.

    A cell with fewer than `min_pairs` rows has none. `own`: columns that differ between judges, [row, judge].
    """
    pair_of = np.unique(design.pair_ids.astype(str), return_inverse=True)[1]
    starts, x, weight, linear, pair = [0], [], [], [], []
    for group in scenarios:
        inside = design.in_group[:, design.groups.index(group)]
        pairs = np.unique(pair_of[inside])
        for judge in judges:
            rows, j = design.rows(judge, group), design.judges.index(judge)
            rows = rows if kept is None else rows[kept[rows]]
            rows = rows if len(rows) >= min_pairs else rows[:0]
            starts.append(starts[-1] + len(rows))
            x.append(_columns_of(design, rows, j, own or {}))
            weight.append(design.weight[rows, j])
            linear.append(design.weight[rows, j] * (design.y[rows, j] - 0.5))
            pair.append(np.searchsorted(pairs, pair_of[rows]))
    return Rows(
        xt=np.ascontiguousarray(np.concatenate(x).T),
        weight=np.concatenate(weight),
        linear=np.concatenate(linear),
        starts=np.array(starts),
        pair=np.concatenate(pair),
        shape=(len(scenarios), len(judges)),
    )


def _columns_of(design: Design, rows: IntArray, judge: int, own: Mapping[str, FloatArray]) -> FloatArray:
    """Return the columns of some rows as a judge sees them."""
    x = design.x[rows].copy()
    for name, values in own.items():
        x[:, design.columns.index(name)] = values[rows, judge]
    return x


def expand(rows: Rows, m: FloatArray) -> Sites:
    """Return the sites that are second-order expansions of their terms at `m` [row]."""
    from prefdissect.inference.compiled.pooling import expand_rows

    sites = Sites(np.empty(len(m)), np.empty(len(m)))
    expand_rows(m, rows.weight, sites.tau, sites.nu, 0, len(m))
    return sites


def match(rows: Rows, sites: Sites, m: FloatArray, v: FloatArray, *, step: float = 1.0) -> Sites:
    """Return the sites moved to the tilted moments of their terms, under the marginals N(m, v) [row]."""
    from prefdissect.inference.compiled.pooling import match_rows

    moved = Sites(sites.tau.copy(), sites.nu.copy())
    _share(lambda lo, hi: match_rows(m, v, rows.weight, moved.tau, moved.nu, step, lo, hi), len(m))
    return moved


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


def log_likelihood(rows: Rows, weight: FloatArray) -> FloatArray:
    """Return the log likelihood of each cell, [scenario, judge], at weights [scenario, judge, column]."""
    from prefdissect.inference.compiled.pooling import sum_cells

    out = np.empty(len(rows.starts) - 1)
    flat = np.ascontiguousarray(weight.reshape(len(out), -1))
    sum_cells(rows.xt, rows.starts, rows.linear, rows.weight, flat, out)
    return out.reshape(rows.shape)


def keep_rows(rows: Rows, kept: BoolArray) -> Rows:
    """Return some of the rows; cells stay, also where they have none."""
    counts = np.add.reduceat(np.append(kept, False), rows.starts[:-1]) * (np.diff(rows.starts) > 0)
    return replace(
        rows,
        xt=np.ascontiguousarray(rows.xt[:, kept]),
        weight=rows.weight[kept],
        linear=rows.linear[kept],
        starts=np.concatenate([[0], np.cumsum(counts)]),
        pair=rows.pair[kept],
    )


def _share(work: Callable[[int, int], object], n: int) -> None:
    """Do the work from 0 to n in equal parts, a thread each: compiled functions work outside the interpreter's lock."""
    parts = joblib.cpu_count()
    bounds = [n * i // parts for i in range(parts + 1)]
    with ThreadPoolExecutor(parts) as pool:
        list(pool.map(work, bounds[:-1], bounds[1:]))
