"""How alike a judge would be to itself: what noise leaves of a similarity of 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pandas as pd
from scipy.special import expit

from prefdissect._typing import BoolArray, FloatArray, GroupKind
from prefdissect.compare.measures import Measure, compare_weights
from prefdissect.compare.rows import OVERALL, mean_over, names_of_rows
from prefdissect.features import Cell, Design
from prefdissect.inference import Posterior, refit
from prefdissect.inference.fit import stream_of
from prefdissect.inference.progress import progress_bar
from prefdissect.inference.threads import one_blas_thread

__all__ = ["ceiling_table", "refit_twice"]

_REPLICATES = 20


def refit_twice(
    design: Design,
    posterior: Posterior,
    *,
    replicates: int = _REPLICATES,
    random_seed: int,
    progress: bool | None = None,
) -> FloatArray:
    """Return the weights of two refits of each judge to fresh labels, [judge, group, replicate, 2, property].

    Draw weights once from the posterior, simulate two sets of labels on the same pairs, fit both. NaN without a fit.
    """
    kept = design.is_property
    out = np.full((len(posterior.judges), len(posterior.groups), replicates, 2, int(kept.sum())), np.nan)
    with (
        progress_bar("ceilings", len(posterior.fits), progress) as bar,
        one_blas_thread(),
        ThreadPoolExecutor(joblib.cpu_count()) as pool,
    ):

        def work(key: tuple[str, str]) -> None:
            at = posterior.judges.index(key[0]), posterior.groups.index(key[1])
            rng = stream_of(random_seed, *key, "ceiling")
            out[at] = _refit_cell(design.decided(*key)[1], posterior, kept, replicates, rng)
            bar.update(1)

        list(pool.map(work, posterior.fits))
    return out


def ceiling_table(
    refits: FloatArray,
    judges: Sequence[str],
    groups: Sequence[str],
    kinds: Mapping[str, GroupKind],
    method: Measure,
    *,
    skipna: bool,
) -> pd.DataFrame:
    """Return how alike two refits of the same judge are, [judge, group]: the most that a point similarity could reach.

    The median over replicates of `refit_twice`. The column `overall` compares as the overall similarity does: the
    mean over scenarios, then the median; `skipna` takes the scenarios that the judge has a fit in. NaN without a fit.
    """
    each = compare_weights(refits, method)[..., 0, 1]
    in_scenario = [kinds[g] != "case" for g in groups]
    table = pd.DataFrame(np.median(each, axis=-1), index=pd.Index(list(judges), name="judge"), columns=list(groups))
    if any(in_scenario):
        table.insert(0, OVERALL, np.median(mean_over(each[:, in_scenario], 1, skipna=skipna), axis=-1))
    return table[names_of_rows(groups, kinds)]


def _refit_cell(
    cell: Cell, posterior: Posterior, kept: BoolArray, replicates: int, rng: np.random.Generator
) -> FloatArray:
    """Return the weights of two refits of one judge in one group, [replicate, 2, property]."""
    fit = posterior.fits[cell.judge, cell.group]
    draws = fit.draws.reshape(-1, fit.draws.shape[-1])
    weights = draws[rng.integers(len(draws), size=replicates)].astype(float)
    labels = rng.random((2, replicates, len(cell))) < expit(weights @ cell.x.T)
    means = refit(cell, labels.reshape(2 * replicates, -1).astype(float), posterior.prior)[:, kept]
    return np.moveaxis(means.reshape(2, replicates, -1), 0, 1)
