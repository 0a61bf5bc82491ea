"""What a pair has that no property names and all its judges see, integrated out.

Judges who look at the same pair do not err apart: t = x'w + u for every judge of a pair, u ~ Normal(0, pair_sd). Given
the sites, u leaves each scenario's precision coupled between judges,

    blockdiag(X'tau X) - sum over pairs of g g' / r,   r = 1 / pair_sd**2 + sum tau,   g = stacked over judges tau x.

Without it, thirty judges of one pair count as thirty pieces of evidence for what they have in common, and learned
scales multiply that. The coupling is of low rank where `tau` [judge, pair] is, which is nearly constant: rank 1 holds
it, and what a judge's own block lacks then is put back, so that only couplings between two judges are approximate.
With as many ranks as judges all of it is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from prefdissect._typing import FloatArray
from prefdissect.inference.pooling.rows import Rows
from prefdissect.inference.pooling.sites import Sites, gather, score
from prefdissect.inference.pooling.solver import Evidence, Solution

__all__ = ["RANK", "Marginals", "draw_effects", "gather_evidence", "marginals"]

RANK = 1
_SDS = (0.01, 3.0)  # of pair effects, least and most
_BEYOND = 1.5  # of a step in the log
_LEAST_VARIANCE = 1e-10  # of a score: differences of rounded numbers must not fall below


@dataclass(frozen=True, eq=False)
class _Shared:
    """The pairs of one scenario, under the sites.

    `r` [pair] is the precision of a pair's effect; `tau` [judge, pair] and `nu` [pair] are sums of sites; `loading`
    [judge, rank] and `level` [rank, pair] have the product nearest to `tau`; `seen` [pair, rank * column] is level
    times what the judges of a pair see on average.
    """

    r: FloatArray
    tau: FloatArray
    nu: FloatArray
    loading: FloatArray
    level: FloatArray
    seen: FloatArray


def _look_at(rows: Rows, sites: Sites, scenario: int, pair_sd: float) -> _Shared:
    """Return the pairs of a scenario."""
    here, n_judges = rows.scenario(scenario), rows.shape[1]
    pair, tau_of_row = rows.pair[here], sites.tau[here]
    n_pairs = int(pair.max(initial=-1)) + 1
    at = rows.judge[here] * n_pairs + pair
    sums = np.bincount(at, weights=tau_of_row, minlength=n_judges * n_pairs)
    tau: FloatArray = np.asarray(sums, dtype=np.float64).reshape(n_judges, n_pairs)
    pull = np.bincount(pair, weights=sites.nu[here] + rows.linear[here], minlength=n_pairs)
    nu: FloatArray = np.asarray(pull, dtype=np.float64)
    loading = np.linalg.eigh(tau @ tau.T)[1][:, ::-1][:, :RANK]
    level = loading.T @ tau
    seen = (level.T[:, :, None] * rows.seen[scenario][:, None]).reshape(n_pairs, -1)
    r = 1 / pair_sd**2 + tau.sum(axis=0)
    return _Shared(r, tau, nu, loading, level, seen)


def gather_evidence(rows: Rows, sites: Sites, pair_sd: float) -> Evidence:
    """Return what the sites say of the weights of each cell, pair effects of this size integrated out.

    With B the stacked rows of all judges over the root of r and Q a basis of what is nearly all of them, the coupling
    is B'QQ'B, which is never more than B'B. The rest of a judge's own block is taken off as well, unless pair effects
    are so large that the whole might not be positive then.
    """
    if not pair_sd:
        return Evidence.uncoupled(*gather(rows, sites.tau, sites.nu + rows.linear))
    looks = [_look_at(rows, sites, s, pair_sd) for s in range(rows.shape[0])]
    of_row = [rows.pair[rows.scenario(s)] for s in range(rows.shape[0])]
    r = np.concatenate([look.r[pair] for look, pair in zip(looks, of_row, strict=True)])
    mean = np.concatenate([(look.nu / look.r)[pair] for look, pair in zip(looks, of_row, strict=True)])
    largest = max(float(look.tau.max(initial=0.0)) for look in looks)
    share = min(1.0, 1 / (pair_sd**2 * largest)) if largest else 1.0
    tau = sites.tau - share * sites.tau**2 / r
    precision, linear = gather(rows, tau, sites.nu + rows.linear - sites.tau * mean)
    if rows.repeats:
        precision -= share * _across_repeats(rows, sites, r)
    scaled = sites.tau / np.sqrt(r)
    coupling = np.stack([_couple(rows, look, scaled, s) for s, look in enumerate(looks)])
    precision += share * np.matmul(coupling, np.swapaxes(coupling, -1, -2))
    return Evidence(precision, linear, coupling, np.stack([look.loading for look in looks]))


def _couple(rows: Rows, shared: _Shared, scaled: FloatArray, scenario: int) -> FloatArray:
    """Return a root of what couples a scenario's judges, [judge, column, latent]; `scaled` [row] is tau / sqrt(r)."""
    basis = np.linalg.qr(shared.seen / np.sqrt(shared.r)[:, None])[0]
    out = np.zeros((rows.shape[1], len(rows.xt), shared.seen.shape[1]))
    for j in range(rows.shape[1]):
        cell = rows.cell(scenario, j)
        out[j, :, : basis.shape[1]] = (rows.xt[:, cell] * scaled[cell]) @ basis[rows.pair[cell]]
    return out


def _across_repeats(rows: Rows, sites: Sites, r: FloatArray) -> FloatArray:
    """Return the products of different rows of one judge and pair, over r, [scenario, judge, column, column]."""
    out = np.zeros((*rows.shape, len(rows.xt), len(rows.xt)))
    for s, j in np.ndindex(*rows.shape):
        cell = rows.cell(s, j)
        values, pair = (rows.xt[:, cell] * (sites.tau[cell] / np.sqrt(r[cell]))).T, rows.pair[cell]
        summed = np.zeros((int(pair.max(initial=-1)) + 1, len(rows.xt)))
        np.add.at(summed, pair, values)
        out[s, j] = summed.T @ summed - values.T @ values
    return out


@dataclass(frozen=True, eq=False)
class Marginals:
    """Mean and variance of each row's t [row], and the sums behind the next pair_sd: squared effects, and effects."""

    m: FloatArray
    v: FloatArray
    squares: float = 0.0
    effects: float = 0.0

    def next_sd(self, pair_sd: float) -> float:
        """Return the pairs' standard deviation by MacKay's fixed point, and a bit beyond: it creeps towards 0."""
        if not self.effects > 0:
            return pair_sd
        ratio = np.sqrt(self.squares / self.effects) / pair_sd
        return float(np.clip(pair_sd * ratio**_BEYOND, *_SDS))


def marginals(rows: Rows, sites: Sites, solution: Solution) -> Marginals:
    """Return the marginal of t of each row, its pair's effect included."""
    m, v = score(rows, solution.weight, solution.cov)
    pair_sd = solution.variances.pair_sd
    squares = effects = 0.0
    for s in range(rows.shape[0] if pair_sd else 0):
        shared, here = _look_at(rows, sites, s, pair_sd), rows.scenario(s)
        pair, judge = rows.pair[here], rows.judge[here]
        total, with_sum = solution.moments.sums[s], _with_sum(rows, solution, shared, s)
        known = np.bincount(pair, weights=sites.tau[here] * m[here], minlength=len(shared.r))
        mean = (shared.nu - known) / shared.r
        var = 1 / shared.r + np.einsum("ia,ab,ib->i", shared.seen, total, shared.seen, optimize=True) / shared.r**2
        with_sum += (shared.tau - shared.loading @ shared.level)[judge, pair] * v[here]  # what the rank leaves out
        m[here] += mean[pair]
        v[here] += var[pair] - 2 * with_sum / shared.r[pair]
        squares += float((mean**2).sum())
        effects += float(np.clip(1 - var / pair_sd**2, 0.0, 1.0).sum())
    return Marginals(m, np.maximum(v, _LEAST_VARIANCE), squares, effects)


def draw_effects(
    rows: Rows, sites: Sites, scenario: int, t: FloatArray, pair_sd: float, rng: np.random.Generator
) -> FloatArray:
    """Return draws of the effects of a scenario's pairs, [pair, draw], given x'w of its rows [row, draw]."""
    shared, here = _look_at(rows, sites, scenario, pair_sd), rows.scenario(scenario)
    known = np.zeros((len(shared.r), t.shape[1]))
    np.add.at(known, rows.pair[here], sites.tau[here, None] * t)
    mean = (shared.nu[:, None] - known) / shared.r[:, None]
    return np.asarray(mean + rng.standard_normal(mean.shape) / np.sqrt(shared.r)[:, None])


def _with_sum(rows: Rows, solution: Solution, shared: _Shared, scenario: int) -> FloatArray:
    """Return how x'w of each row of a scenario covaries with the sum of tau x'w over its pair's judges, [row]."""
    parts = []
    for j in range(rows.shape[1]):
        cell = rows.cell(scenario, j)
        across = rows.xt[:, cell].T @ solution.moments.with_sums[scenario, j]
        parts.append(np.einsum("ra,ra->r", across, shared.seen[rows.pair[cell]]))
    return np.concatenate(parts)
