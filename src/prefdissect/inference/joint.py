"""The weights of all judges in all groups under one prior, which is learned: what similarities are made of.

Two judges' own posteriors cannot be compared by correlating draws of one with draws of the other: each was pulled to 0
by its own prior, and what is left of noise in both is counted as disagreement. Here the likelihood of each judge is the
Gaussian block of its fit, and the weights of judge j for column k in group g are

    weight[g, j, k] = level[g, j] + common[j, k] + own[g, j, k]
    common[:, k] ~ Normal(0, spread[k] * Common),  own[g, :, k] ~ Normal(0, spread[k] * Own)

with covariances between judges, Common and Own, that have the prior of Huang and Wand (2013, Bayesian Analysis 8(2)):
correlations are alike whatever the number of judges, scales half-t. Levels are flat, spread[k] is inverse gamma (some
properties matter to all judges, some to none). With one group there is no `common`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import joblib
import numpy as np
from numpy.typing import NDArray

from prefdissect._typing import BoolArray, FloatArray
from prefdissect.inference.posterior import Posterior
from prefdissect.inference.prior import NUISANCE_SD
from prefdissect.inference.progress import progress_bar
from prefdissect.inference.threads import one_blas_thread

if TYPE_CHECKING:
    from prefdissect.inference.compiled.joint import Evidence, State

__all__ = ["CHAINS", "sample_joint"]

CHAINS = 4
_BURN, _DRAWS = 150, 500  # draws of a chain before any counts, and those that count
_LARGE, _DRAWS_OF_LARGE = 50, 250  # fits from which on fewer draws are kept, to spare memory
_SWEEPS = 800  # fits times sweeps a draw, at most: few judges can afford many sweeps
_MOST_THIN, _MOST_THIN_OF_ONE = 8, 4  # one group mixes faster: nothing is shared that could be its own as well
_SLICE = 25  # draws between two looks at the progress bar
_START_PRECISION = 20.0  # of weights of about 0.2


def sample_joint(
    posterior: Posterior,
    groups: Sequence[str],
    kept: BoolArray,
    *,
    random_seed: int,
    progress: bool | None = None,
) -> NDArray[np.float32]:
    """Return joint draws of the weights of all judges in these groups, [chain, draw, group, judge, column].

    NaN where a judge has no fit. `kept` [column] says which columns are properties; the others are integrated out.
    """
    blocks = [[_block(posterior, judge, group, kept) for judge in posterior.judges] for group in groups]
    precision = np.array([[p for p, _ in row] for row in blocks])
    linear = np.array([[h for _, h in row] for row in blocks])
    streams = np.random.default_rng([random_seed, len(groups), len(posterior.judges)]).spawn(CHAINS)
    n = _DRAWS_OF_LARGE if len(groups) * len(posterior.judges) > _LARGE else _DRAWS
    with (
        progress_bar("comparing", CHAINS * (n + _BURN), progress) as bar,
        one_blas_thread(),
        ThreadPoolExecutor(joblib.cpu_count()) as pool,
    ):
        chains = list(pool.map(lambda rng: _run_chain(precision, linear, n, rng, bar.update), streams))
    draws = np.array(chains, dtype=np.float32)
    for g, group in enumerate(groups):
        for j, judge in enumerate(posterior.judges):
            if (judge, group) not in posterior.fits:
                draws[:, :, g, j] = np.nan
    return draws


def _block(posterior: Posterior, judge: str, group: str, kept: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Return what a judge's labels say of the weights of properties: precision and linear part; 0 without a fit."""
    fit = posterior.fits.get((judge, group))
    n = int(kept.sum())
    if fit is None:
        return np.zeros((n, n)), np.zeros(n)
    precision, linear = fit.precision[np.ix_(kept, kept)], fit.linear[kept]
    if kept.all():
        return precision, linear
    across = fit.precision[np.ix_(kept, ~kept)]
    others = fit.precision[np.ix_(~kept, ~kept)] + np.eye(len(kept) - n) / NUISANCE_SD**2
    solved = np.linalg.solve(others, np.column_stack([across.T, fit.linear[~kept]]))
    return precision - across @ solved[:, :n], linear - across @ solved[:, n]


def _run_chain(
    precision: FloatArray, linear: FloatArray, n: int, rng: np.random.Generator, on_draws: Callable[[int], object]
) -> FloatArray:
    """Return draws of one chain, [draw, group, judge, column]; blocks are [group, judge, column (, column)]."""
    from prefdissect.inference.compiled.joint import run_joint

    level, evidence = _take_level(precision, linear)
    state = _start(evidence, rng)
    n_groups, n_judges, _ = linear.shape
    thin = int(np.clip(_SWEEPS // (n_groups * n_judges), 1, _MOST_THIN if n_groups > 1 else _MOST_THIN_OF_ONE))
    draws = np.empty((n, *linear.shape))
    scratch = np.empty((_BURN, *linear.shape))
    for out in (scratch, draws):
        for start in range(0, len(out), _SLICE):
            part = out[start : start + _SLICE]
            run_joint(evidence, state, thin, rng, part)
            on_draws(len(part))
    return draws + level.draw(draws, rng)[..., None]


@dataclass(frozen=True)
class _Level:
    """What the data say of a constant added to all weights of a judge in a group, given the weights otherwise.

    `precision` is [group, judge], and 0 where there are no data; `linear` too; `slope` [group, judge, column].
    """

    precision: FloatArray
    linear: FloatArray
    slope: FloatArray

    def draw(self, weights: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return a level for each draw, [draw, group, judge], given the weights [draw, group, judge, column]."""
        known = np.where(self.precision > 0, self.precision, np.inf)
        mean = (self.linear - np.einsum("dgjk,gjk->dgj", weights, self.slope)) / known
        return np.asarray(mean + rng.standard_normal(mean.shape) / np.sqrt(known))


def _take_level(precision: FloatArray, linear: FloatArray) -> tuple[_Level, Evidence]:
    """Return the flat level and, integrated over it, the evidence on the weights."""
    from prefdissect.inference.compiled.joint import Evidence

    slope = precision.sum(axis=-1)
    total, total_linear = slope.sum(axis=-1), linear.sum(axis=-1)
    share = slope / np.where(total > 0, total, np.inf)[..., None]
    rest = Evidence(
        np.ascontiguousarray(precision - share[..., :, None] * slope[..., None, :]),
        np.ascontiguousarray(linear - share * total_linear[..., None]),
    )
    return _Level(total, total_linear, slope), rest


def _start(evidence: Evidence, rng: np.random.Generator) -> State:
    """Return the start of a chain: weights drawn under a prior of a usual size, apart for each judge and group."""
    from prefdissect.inference.compiled.joint import State

    n_groups, n_judges, n_columns = evidence.linear.shape
    lower = np.linalg.cholesky(evidence.precision + _START_PRECISION * np.eye(n_columns))
    back = np.linalg.solve(lower, evidence.linear[..., None]) + rng.standard_normal((*evidence.linear.shape, 1))
    weights = np.ascontiguousarray(np.linalg.solve(np.swapaxes(lower, -1, -2), back)[..., 0])
    common = weights.mean(axis=0, keepdims=True)[: 1 if n_groups > 1 else 0]
    own = weights - common if n_groups > 1 else weights
    return State(common, np.ascontiguousarray(own), np.ones((2, n_judges)), np.ones(n_columns))
