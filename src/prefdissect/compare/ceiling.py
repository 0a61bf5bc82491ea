"""How alike a judge would be to itself: what noise leaves of a similarity of 1."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pandas as pd
from scipy.special import expit

from prefdissect._typing import BoolArray, FloatArray
from prefdissect.compare.measures import Measure, compare_weights
from prefdissect.compare.rows import OVERALL, names_of_rows
from prefdissect.features import Cell, Design
from prefdissect.inference import Posterior, refit
from prefdissect.inference.fit import stream_of
from prefdissect.inference.progress import progress_bar
from prefdissect.inference.threads import one_blas_thread

__all__ = ["ceiling_table"]

_REPLICATES = 20


def ceiling_table(
    design: Design,
    posterior: Posterior,
    method: Measure,
    *,
    replicates: int = _REPLICATES,
    random_seed: int,
    progress: bool | None = None,
) -> pd.DataFrame:
    """Return how alike two refits of the same judge are, [judge, group]: the most that a point similarity could reach.

    Draw weights once from the posterior, simulate two sets of labels on the same pairs, fit both, compare the two
    posterior means; the median over replicates. The column `overall` compares as the overall similarity does: the
    mean over scenarios, then the median. NaN without a fit.
    """
    kept = design.is_property
    with (
        progress_bar("ceilings", len(posterior.fits), progress) as bar,
        one_blas_thread(),
        ThreadPoolExecutor(joblib.cpu_count()) as pool,
    ):

        def work(key: tuple[str, str]) -> FloatArray:
            rng = stream_of(random_seed, *key, "ceiling")
            found = _self_similarities(design.cell(*key), posterior, method, kept, replicates, rng)
            bar.update(1)
            return found

        of_fit = dict(zip(posterior.fits, pool.map(work, posterior.fits), strict=True))
    missing = np.full(replicates, np.nan)
    each = np.array([[of_fit.get((j, g), missing) for g in posterior.groups] for j in posterior.judges])
    in_scenario = [design.group_kinds[g] != "case" for g in posterior.groups]
    table = pd.DataFrame(
        np.median(each, axis=-1), index=pd.Index(posterior.judges, name="judge"), columns=posterior.groups
    )
    if any(in_scenario):
        table.insert(0, OVERALL, np.median(each[:, in_scenario].mean(axis=1), axis=-1))
    return table[names_of_rows(posterior.groups, design.group_kinds)]


def _self_similarities(
    cell: Cell, posterior: Posterior, method: Measure, kept: BoolArray, replicates: int, rng: np.random.Generator
) -> FloatArray:
    """Return the similarity of two refits of one judge in one group, [replicate]."""
    fit = posterior.fits[cell.judge, cell.group]
    draws = fit.draws.reshape(-1, fit.draws.shape[-1])
    weights = draws[rng.integers(len(draws), size=replicates)].astype(float)
    labels = rng.random((2, replicates, len(cell))) < expit(weights @ cell.x.T)
    means = refit(cell, labels.reshape(2 * replicates, -1).astype(float), posterior.prior)[:, kept]
    return compare_weights(np.moveaxis(means.reshape(2, replicates, -1), 0, 1), method)[:, 0, 1]
