"""Draws of weights and scales where there are few judges or few scenarios, so that scales are not well known.

Each iteration draws all effects at once from the Gaussian stand-in under the current scales, and accepts them by the
true likelihood; then scales given the effects; then scales once more given the effects in units of their scales,
which moves where the first does not: near 0. Scales of columns are half-normal, that of the common layer too.

Source: Yu and Meng 2011, Journal of Computational and Graphical Statistics 20(3), on alternating the two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from prefdissect._typing import FloatArray
from prefdissect.inference.pooling.layers import LayerTable, Variances
from prefdissect.inference.pooling.rows import Rows
from prefdissect.inference.pooling.sites import log_likelihood
from prefdissect.inference.pooling.solver import Evidence, Solution, solve

__all__ = ["SCALE_SD", "Chain", "sample_chain"]

SCALE_SD, _COMMON_SD = 0.2, 0.3  # of the half-normal prior of a scale, log-odds
_BURN = 200
_GRID = np.geomspace(1e-3, 1.5, 400)  # scales that the first kind of draw chooses among, before it spreads them
_LEAST = 1e-4  # scale
_SLICE = 25  # draws between two looks at the progress bar
_LEARNED = ("judge", "scenario", "cell")


@dataclass(frozen=True, eq=False)
class Chain:
    """Draws of one chain.

    `weight` [draw, scenario, judge, column]; `common`, `judge` and `scenario` with their shapes; `scale` [draw, layer,
    column], standard deviations; `acceptance` of the joint draws.
    """

    weight: FloatArray
    common: FloatArray
    judge: FloatArray
    scenario: FloatArray
    scale: FloatArray
    acceptance: float


def sample_chain(
    rows: Rows | None,
    table: LayerTable,
    start: Solution,
    cut: FloatArray,
    *,
    draws: int,
    rng: np.random.Generator,
    on_draws: Callable[[int], object] = lambda n: None,
) -> Chain:
    """Return draws of all effects and scales, from the evidence of a fitted solution; judges' factors stay.

    So do cutpoints of ties, `cut` [scenario, judge], which hardly go along with weights.
    `rows` None takes the Gaussian stand-in for the likelihood, as where judges share noise that is integrated out.
    """
    evidence, variances = start.evidence, start.variances
    residual = _make_residual(rows, evidence, cut)
    state, at = _draw_effects(start, rng), -np.inf
    kept: list[tuple[FloatArray, ...]] = []
    accepted = 0
    for i in range(-_BURN, draws):
        proposed = _draw_effects(solve(evidence, variances), rng)
        proposed_at = residual(proposed["weight"])
        if at == -np.inf or np.log(rng.random()) < proposed_at - at:
            state, at = proposed, proposed_at
            accepted += i >= 0
        variances = _draw_scales(table, variances, state, rng)
        state, variances, at = _stretch(table, evidence, variances, state, at, residual, rng)
        if i >= 0:
            kept.append((state["weight"], state["common"], state["judge"], state["scenario"], np.sqrt(variances.layer)))
        if i % _SLICE == 0:
            on_draws(_SLICE)
    weight, common, judge, scenario, scale = (np.stack(part) for part in zip(*kept, strict=True))
    return Chain(weight, common, judge, scenario, scale, accepted / draws)


def _draw_effects(solution: Solution, rng: np.random.Generator) -> dict[str, FloatArray]:
    return {name: drawn[0] for name, drawn in solution.draw(rng).items()}


def _make_residual(rows: Rows | None, evidence: Evidence, cut: FloatArray) -> Callable[[FloatArray], float]:
    """Return the function that tells by how much the true log likelihood is above its stand-in, at given weights."""
    if rows is None:
        return lambda weight: 0.0

    def residual(weight: FloatArray) -> float:
        known = np.matmul(evidence.precision, weight[..., None])[..., 0]
        return float(log_likelihood(rows, weight, cut).sum() - ((evidence.linear - known / 2) * weight).sum())

    return residual


def _draw_scales(
    table: LayerTable, variances: Variances, state: dict[str, FloatArray], rng: np.random.Generator
) -> Variances:
    """Return variances drawn given the effects: each layer and column apart, shared ones once for all their columns."""
    layer = variances.layer.copy()
    by_judge = {"judge": variances.judge_factor[:, None], "cell": variances.cell_factor[:, None]}
    for k, name in enumerate(("common", *_LEARNED)):
        effects = state[name]
        squares = (effects**2 / by_judge.get(name, 1.0)).reshape(-1, effects.shape[-1]).sum(axis=0)
        n = effects.size // effects.shape[-1]
        own = table.how[k] == "own"
        if own.any():
            layer[k, own] = _draw_variance(squares[own], n, SCALE_SD, rng)
        for role in np.unique(table.role):
            shared = (table.how[k] == "shared") & (table.role == role)
            if shared.any():
                total = squares[shared].sum(keepdims=True)
                layer[k, shared] = _draw_variance(total, n * int(shared.sum()), _COMMON_SD, rng)
    return replace(variances, layer=layer)


def _draw_variance(squares: FloatArray, n: int, prior_sd: float, rng: np.random.Generator) -> FloatArray:
    """Return a variance for each sum of squares of n effects, its scale half-normal, by a grid of log scales."""
    log_density = (1 - n) * np.log(_GRID) - squares[:, None] / (2 * _GRID**2) - _GRID**2 / (2 * prior_sd**2)
    mass = np.cumsum(np.exp(log_density - log_density.max(axis=1, keepdims=True)), axis=1)
    at = (mass < rng.random((len(squares), 1)) * mass[:, -1:]).sum(axis=1)
    between = np.log(_GRID[1] / _GRID[0]) * (rng.random(len(squares)) - 0.5)
    return np.asarray((_GRID[at] * np.exp(between)) ** 2)


def _stretch(
    table: LayerTable,
    evidence: Evidence,
    variances: Variances,
    state: dict[str, FloatArray],
    at: float,
    residual: Callable[[FloatArray], float],
    rng: np.random.Generator,
) -> tuple[dict[str, FloatArray], Variances, float]:
    """Return effects, variances and residual after all scales were drawn given the effects in units of them.

    Given those the weights are linear in the scales, so the stand-in is Gaussian in them; half-normal scales may be
    drawn with either sign, which the effects take on.
    """
    learned = (table.how[1:] == "own").ravel()
    if not learned.any():
        return state, variances, at
    shape = evidence.linear.shape
    scale = np.sqrt(variances.layer[1:])
    unit = [
        np.broadcast_to(effects / np.where(scale[k] > 0, scale[k], 1.0), shape)
        for k, effects in enumerate((state["judge"], state["scenario"][:, None], state["cell"]))
    ]
    fixed = [u * np.where(table.how[1 + k] == "own", 0.0, scale[k]) for k, u in enumerate(unit)]
    base = np.broadcast_to(state["common"] + sum(fixed), shape)
    precision, linear = _regress(evidence, unit, base)
    precision, linear = precision[np.ix_(learned, learned)], linear[learned]
    lower = np.linalg.cholesky(precision + np.eye(len(linear)) / SCALE_SD**2)
    drawn = np.linalg.solve(lower.T, np.linalg.solve(lower, linear) + rng.standard_normal(len(linear)))
    new = scale.copy()
    new.reshape(-1)[learned] = drawn
    weight = base + sum(u * np.where(table.how[1 + k] == "own", new[k], 0.0) for k, u in enumerate(unit))
    weight_at = residual(weight)
    if np.log(rng.random()) >= weight_at - at:
        return state, variances, at
    ratio = np.where(scale > 0, new / np.where(scale > 0, scale, 1.0), 1.0)
    moved = {name: state[name] * ratio[k] for k, name in enumerate(_LEARNED)}
    layer = variances.layer.copy()
    layer[1:] = np.where(table.how[1:] == "own", np.maximum(np.abs(new), _LEAST) ** 2, layer[1:])
    return state | moved | {"weight": weight}, replace(variances, layer=layer), weight_at


def _regress(evidence: Evidence, unit: list[FloatArray], base: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what the stand-in says of the scales [layer * column], weights being base + sum of scale * unit."""
    n, n_columns = len(unit), base.shape[-1]
    coupled = [np.einsum("sjpq,sjp->sqp", evidence.coupling, u) for u in unit]  # [scenario, latent, column]
    through = np.einsum("sjpq,sjp->sq", evidence.coupling, base)
    left = evidence.linear - np.einsum("sjpq,sjq->sjp", evidence.precision, base)
    precision, linear = np.empty((n, n_columns, n, n_columns)), np.empty((n, n_columns))
    for a in range(n):
        linear[a] = (unit[a] * left).sum(axis=(0, 1)) + np.einsum("sqp,sq->p", coupled[a], through)
        scaled = evidence.precision * unit[a][..., None]
        for b in range(a, n):
            precision[a, :, b] = np.einsum("sjpq,sjq->pq", scaled, unit[b])
            precision[a, :, b] -= np.tensordot(coupled[a], coupled[b], axes=((0, 1), (0, 1)))
            precision[b, :, a] = precision[a, :, b].T
    return precision.reshape(n * n_columns, -1), linear.ravel()
