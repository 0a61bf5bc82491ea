"""Draws of the weights of all judges in all groups under one prior that is learned.

`inference.joint` says what the model is. The covariances are integrated out of every draw of weights: given the
other judges, a judge's weights are a regression on theirs, whose coefficients and variance have the conjugate prior
that an inverse Wishart implies, and all of it (coefficients, what groups share, weights of every group) is one block.
Drawing weights given a covariance, and a covariance given weights, forgets ten times as slowly where judges are alike.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from prefdissect._typing import FloatArray
from prefdissect.inference.compiled._compile import compiled

__all__ = ["Evidence", "State", "run_joint"]

# The prior (Huang and Wand 2013, Bayesian Analysis 8(2)): every correlation has density (1 - r**2)**(_NU / 2 - 1),
# however many judges there are, every scale is half-t with _NU degrees of freedom and scale _TYPICAL (log-odds).
# At 2 correlations are uniform, and intervals of noisy judges lie too low; at 1/2 they cover as they say
# (docs/explanation/similarity.md).
_NU, _TYPICAL = 0.5, 1.0
_TAIL = 3.0  # degrees of freedom of the spread of properties: some matter to all judges, some to none


class Evidence(NamedTuple):
    """What the data say of the weights, but for a constant added to all: about exp(linear'w - w'precision w / 2).

    `precision` is [group, judge, column, column], `linear` [group, judge, column].
    """

    precision: FloatArray
    linear: FloatArray


class State(NamedTuple):
    """Where a chain is; the weights of a group are `common` + `own`.

    `common` is [1 or 0, judge, column], what groups share, without a set where there is one group only; `own` is
    [group, judge, column]. `floors` [2, judge] are the diagonals of the scales of the two inverse Wisharts, and
    `spread` [column] the variance of each property's weights relative to the others'.
    """

    common: FloatArray
    own: FloatArray
    floors: FloatArray
    spread: FloatArray


@compiled(inner=True)
def _factorise(matrix: FloatArray) -> FloatArray:
    """Return the lower Cholesky factor."""
    return np.linalg.cholesky(matrix)  # type: ignore[return-value]  # of float64, as `matrix` is


@compiled(inner=True)
def _solve_rows(lower: FloatArray, rows: FloatArray) -> None:
    """Overwrite the matrix with inv(lower) @ rows."""
    for i in range(len(lower)):
        for k in range(i):
            factor = lower[i, k]
            for c in range(rows.shape[1]):
                rows[i, c] -= factor * rows[k, c]
        for c in range(rows.shape[1]):
            rows[i, c] /= lower[i, i]


@compiled(inner=True)
def _solve(lower: FloatArray, vector: FloatArray) -> None:
    """Overwrite the vector with inv(lower) @ vector."""
    for i in range(len(lower)):
        for k in range(i):
            vector[i] -= lower[i, k] * vector[k]
        vector[i] /= lower[i, i]


@compiled(inner=True)
def _draw_normal(lower: FloatArray, linear: FloatArray, rng: np.random.Generator) -> None:
    """Overwrite `linear` with a draw from exp(linear'x - x'precision x / 2), given the factor of the precision."""
    _solve(lower, linear)
    for i in range(len(linear)):
        linear[i] += rng.standard_normal()
    for i in range(len(linear) - 1, -1, -1):
        linear[i] /= lower[i, i]
        for k in range(i):
            linear[k] -= lower[i, k] * linear[i]


@compiled(inner=True)
def _draw_wishart(df: float, inverse_scale: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draw from a Wishart distribution (Bartlett's decomposition)."""
    n = len(inverse_scale)
    factor = np.zeros((n, n))
    for i in range(n):
        factor[i, i] = np.sqrt(2 * rng.standard_gamma((df - i) / 2))
        for k in range(i):
            factor[i, k] = rng.standard_normal()
    root = np.linalg.solve(_factorise(inverse_scale).T, factor)
    return root @ root.T


@compiled(inner=True)
def _scatter(sets: FloatArray, spread: FloatArray, floor: FloatArray) -> FloatArray:
    """Return diag(floor) + sum over sets and columns of x x' / spread, sets being [set, judge, column]."""
    out = np.diag(floor)
    root = 1 / np.sqrt(spread)
    for s in range(len(sets)):
        scaled = sets[s] * root
        out += scaled @ scaled.T
    return out


@compiled(inner=True)
def _draw_floor(precision: FloatArray, floor: FloatArray, rng: np.random.Generator) -> None:
    """Draw the diagonal of the inverse Wishart's scale anew, given the precision between judges."""
    n = len(floor)
    for j in range(n):
        rate = _NU * precision[j, j] + 1 / _TYPICAL**2
        floor[j] = 2 * _NU * rng.standard_gamma((_NU + n) / 2) / rate


@compiled(inner=True)
def _add_squares(precision: FloatArray, sets: FloatArray, out: FloatArray) -> None:
    """Add x'precision x to `out` [column], for every column x of every set."""
    for s in range(len(sets)):
        product = precision @ sets[s]
        for j in range(sets.shape[1]):
            for k in range(sets.shape[2]):
                out[k] += product[j, k] * sets[s, j, k]


@compiled(inner=True)
def _draw_scales(state: State, rng: np.random.Generator) -> None:
    """Draw the floors of both layers and the spread of properties, by way of the precisions between judges."""
    _, n_judges, n_columns = state.own.shape
    squares, n_values = np.zeros(n_columns), 0
    for layer, sets in enumerate((state.common, state.own)):
        if len(sets) > 0:
            df = _NU + n_judges - 1 + len(sets) * n_columns
            precision = _draw_wishart(df, _scatter(sets, state.spread, state.floors[layer]), rng)
            _draw_floor(precision, state.floors[layer], rng)
            _add_squares(precision, sets, squares)
            n_values += len(sets) * n_judges
    for k in range(n_columns):
        state.spread[k] = 0.5 * (_TAIL + squares[k]) / rng.standard_gamma((_TAIL + n_values) / 2)


@compiled(inner=True)
def _leave_out(sets: FloatArray, j: int) -> FloatArray:
    """Return the sets without judge j, [set, judge - 1, column]."""
    out = np.empty((len(sets), sets.shape[1] - 1, sets.shape[2]))
    out[:, :j] = sets[:, :j]
    out[:, j:] = sets[:, j + 1 :]
    return out


@compiled(inner=True)
def _regress(
    sets: FloatArray, spread: FloatArray, floor: FloatArray, j: int, rng: np.random.Generator
) -> tuple[float, FloatArray]:
    """Draw the variance that is left of judge j given the others; also return the factor of the others' scatter."""
    n = len(floor)
    whole = _scatter(sets, spread, floor)
    others = np.empty((n - 1, n - 1))
    shared = np.empty(n - 1)
    for a in range(n - 1):
        row = a if a < j else a + 1
        shared[a] = whole[row, j]
        for b in range(n - 1):
            others[a, b] = whole[row, b if b < j else b + 1]
    lower = _factorise(others)
    _solve(lower, shared)
    rest = whole[j, j] - shared @ shared  # includes floor[j]
    df = _NU + n - 1 + len(sets) * sets.shape[2]
    return 0.5 * rest / rng.standard_gamma(df / 2), lower


@compiled(inner=True)
def _draw_judge(evidence: Evidence, j: int, state: State, rng: np.random.Generator) -> None:
    """Draw all weights of judge j anew, given those of the others; the covariances are integrated out."""
    common, own, floors, spread = state
    n_groups, n_judges, n_columns = own.shape
    variance, _ = _regress(own, spread, floors[1], j, rng)
    others = _leave_out(own, j)
    # Of the coefficients of the regression: precision, linear part. And of what groups share, and of both.
    precision, linear = np.zeros((n_judges - 1, n_judges - 1)), np.zeros(n_judges - 1)
    total, total_linear = np.zeros((n_columns, n_columns)), np.zeros(n_columns)
    mixed = np.zeros((n_judges - 1, n_columns))
    factors = np.empty((n_groups, n_columns, n_columns))
    for g in range(n_groups):
        known, known_linear = _integrate_weights(evidence, g, j, variance * spread, factors[g])
        seen = others[g] @ known
        precision += seen @ others[g].T
        linear += others[g] @ known_linear
        mixed += seen
        total += known
        total_linear += known_linear
    for a in range(n_judges - 1):
        precision[a, a] += floors[1, a if a < j else a + 1] / variance
    if len(common) > 0:
        total += _precision_given_others(common, spread, floors[0], j, rng)
        factor = _factorise(total)
        back, part = np.ascontiguousarray(mixed.T), total_linear.copy()
        _solve_rows(factor, back)
        _solve(factor, part)
        precision -= back.T @ back
        linear -= back.T @ part
        _draw_normal(_factorise(precision), linear, rng)
        total_linear -= mixed.T @ linear
        _draw_normal(factor, total_linear, rng)
        common[0, j] = total_linear
    else:
        _draw_normal(_factorise(precision), linear, rng)
    for g in range(n_groups):
        mean = others[g].T @ linear
        if len(common) > 0:
            mean += common[0, j]
        weights = evidence.linear[g, j] + mean / (variance * spread)
        _draw_normal(factors[g], weights, rng)
        own[g, j] = weights - common[0, j] if len(common) > 0 else weights


@compiled(inner=True)
def _integrate_weights(
    evidence: Evidence, g: int, j: int, variance: FloatArray, factor: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return what a group says of the mean of a judge's weights, which vary around it by `variance` [column].

    h - h inv(h + 1 / variance) h, and likewise of the linear part. `factor` is overwritten with that of the sum.
    """
    h, n = evidence.precision[g, j], len(variance)
    noisy = h.copy()
    for k in range(n):
        noisy[k, k] += 1 / variance[k]
    factor[:] = _factorise(noisy)
    root = np.empty((n, n + 1))
    root[:, :n] = h
    root[:, n] = evidence.linear[g, j]
    _solve_rows(factor, root)
    square = np.ascontiguousarray(root[:, :n])
    return h - square.T @ square, evidence.linear[g, j] - square.T @ np.ascontiguousarray(root[:, n])


@compiled(inner=True)
def _precision_given_others(
    sets: FloatArray, spread: FloatArray, floor: FloatArray, j: int, rng: np.random.Generator
) -> FloatArray:
    """Return the precision of judge j's only set given the others' [column, column], coefficients integrated out."""
    variance, factor = _regress(sets, spread, floor, j, rng)
    root = 1 / np.sqrt(spread)
    explained = _leave_out(sets, j)[0] * root
    _solve_rows(factor, explained)
    out = -(explained.T @ explained)
    for k in range(len(root)):
        out[k, k] += 1.0
        out[k] *= root[k] / variance
        out[:, k] *= root[k]
    return out


@compiled()
def run_joint(evidence: Evidence, state: State, thin: int, rng: np.random.Generator, out: FloatArray) -> None:
    """Move a chain on and fill `out` [draw, group, judge, column] with weights, each up to a constant of its judge's.

    `thin` sweeps a draw; a sweep draws every judge anew.
    """
    common, own = state.common, state.own
    for i in range(len(out)):
        for _ in range(thin):
            _draw_scales(state, rng)
            for j in range(own.shape[1]):
                _draw_judge(evidence, j, state, rng)
        for g in range(len(own)):
            out[i, g] = own[g] + common[0] if len(common) > 0 else own[g]
