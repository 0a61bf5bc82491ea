"""How large each layer is, learned from its effects: MacKay's fixed point, per layer and column.

A variance becomes the sum of squared effects over the number of effects that the data determine, both with a few
effects of the layer's usual size added, so that no scale rests on one column alone. A judge who is unlike the others
would pull everyone's scales up; its own layers have a factor, which is learned the same way over its columns.

Source: MacKay 1992, Neural Computation 4(3), on the evidence framework; Tipping 2001, JMLR 1, on a scale per column.
"""

from __future__ import annotations

import numpy as np

from prefdissect._typing import BoolArray, FloatArray
from prefdissect.inference.pooling.layers import LayerTable, Variances
from prefdissect.inference.pooling.solver import Solution

__all__ = ["first_variances", "learn"]

_ADDED = 4.0  # effects of the usual size
_VARIANCES = (1e-6, 4.0)  # least and most of a learned variance, log-odds squared
_FACTORS = (0.1, 50.0)  # least and most of a judge's
_ADDED_TO_JUDGE = 10.0  # effects of the usual size: with fewer factors are noise, and intervals too narrow


def first_variances(table: LayerTable, n_judges: int, pair_sd: float = 0.0) -> Variances:
    """Return the variances to begin from."""
    return Variances(table.variance.copy(), np.ones(n_judges), np.ones(n_judges), pair_sd)


def learn(table: LayerTable, solution: Solution, *, factors: bool) -> Variances:
    """Return the variances that the effects of a solution speak for; `factors`: a judge's may be of its own size.

    Its properties say how large: habits, such as liking what is shown first, are another thing.
    """
    now = solution.variances
    moments = solution.moments
    sizes = (
        _size(solution.common[None], moments.common[None], now.common),
        _size(solution.judge, moments.judge, now.judge),
        _size(solution.scenario, moments.scenario, now.scenario),
        _size(solution.cell, moments.cell, now.cell),
    )
    judge, cell = now.judge_factor, now.cell_factor
    if factors:
        learned = np.isin(table.how, ("own", "shared")) & (table.role == "property")
        judge = _factor(judge, sizes[1], now.layer[1], learned[1])
        cell = _factor(cell, sizes[3], now.layer[3], learned[3])
    by_judge = (np.ones(1), now.judge_factor[:, None], np.ones(1), now.cell_factor[:, None])
    layer = np.stack(
        [
            _column_variances(table, k, _per_column(squares / by_judge[k]), _per_column(known), now.layer[k])
            for k, (squares, known) in enumerate(sizes)
        ]
    )
    return Variances(layer, judge, cell, now.pair_sd)


def _size(mean: FloatArray, variance: FloatArray, prior: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the squared effects, and how well the data determine each, from 0 to 1."""
    ratio = np.divide(variance, np.broadcast_to(prior, variance.shape), out=np.ones_like(variance), where=prior > 0)
    return mean**2, np.clip(1 - ratio, 0.0, 1.0)


def _per_column(values: FloatArray) -> FloatArray:
    return np.asarray(values.reshape(-1, values.shape[-1]).sum(axis=0))


def _column_variances(
    table: LayerTable, layer: int, squares: FloatArray, known: FloatArray, now: FloatArray
) -> FloatArray:
    """Return the variance of each column in one layer, given sums over its effects."""
    out, how = now.copy(), table.how[layer]
    for role in np.unique(table.role):
        own, shared = (how == "own") & (table.role == role), (how == "shared") & (table.role == role)
        if own.any():
            usual = np.exp(np.log(now[own]).mean())
            out[own] = (squares[own] + _ADDED * usual) / (known[own] + _ADDED)
        if shared.any():
            usual = table.variance[layer, shared].mean()
            out[shared] = (squares[shared].sum() + _ADDED * usual) / (known[shared].sum() + _ADDED)
    learned = np.isin(how, ("own", "shared"))
    out[learned] = np.clip(out[learned], *_VARIANCES)
    return out


def _factor(
    now: FloatArray, size: tuple[FloatArray, FloatArray], variance: FloatArray, learned: BoolArray
) -> FloatArray:
    """Return each judge's factor, given its effects [..., judge, column] as of `_size`, from the columns learned."""
    if not learned.any():
        return now
    total = (size[0] / np.where(learned, variance, np.inf)).sum(axis=-1)
    determined = (size[1] * learned).sum(axis=-1)
    if total.ndim == 2:  # of cells: over scenarios
        total, determined = total.sum(axis=0), determined.sum(axis=0)
    return np.asarray(np.clip((total + _ADDED_TO_JUDGE) / (determined + _ADDED_TO_JUDGE), *_FACTORS))
