"""From a posterior to the similarity of its judges: points, and draws of the true weights under one learned prior."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prefdissect._typing import FloatArray, check_choice
from prefdissect.compare.ceiling import ceiling_table
from prefdissect.compare.measures import Measure, compare_weights
from prefdissect.compare.notes import note_few, note_twins
from prefdissect.compare.similarity import FindTable, JudgeSimilarity
from prefdissect.errors import ConvergenceWarning, DataError, PrefDissectWarning
from prefdissect.features import Design
from prefdissect.inference import Posterior, sample_joint

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["draw_jointly", "judge_similarity"]

_MOST_R_HAT = 1.1  # of a similarity; above it its interval's bounds are off by a third of a standard deviation


def draw_jointly(
    design: Design, posterior: Posterior, *, random_seed: int, progress: bool | None = None
) -> NDArray[np.float32]:
    """Return joint draws of all weights, [chain, draw, group, judge, property]; NaN where there is no fit.

    Scenarios share a prior, as their pairs are different ones. A case shares pairs with them, so each is on its own.
    """
    kept = design.is_property
    together = [g for g in posterior.groups if design.group_kinds[g] != "case"]
    blocks = ([together] if together else []) + [[g] for g in posterior.groups if design.group_kinds[g] == "case"]
    drawn: dict[str, NDArray[np.float32]] = {}
    for block in blocks:
        draws = sample_joint(posterior, block, kept, random_seed=random_seed, progress=progress)
        drawn |= {group: draws[:, :, g] for g, group in enumerate(block)}
    n = min(part.shape[1] for part in drawn.values())
    return np.stack([drawn[g][:, :n] for g in posterior.groups], axis=2)


def judge_similarity(
    design: Design,
    posterior: Posterior,
    method: Measure,
    *,
    groups: Sequence[str],
    skipna: bool,
    weights: Callable[[], NDArray[np.float32]],
    refits: Callable[[], FloatArray],
    agreement: FindTable,
) -> JudgeSimilarity:
    """Return how alike the judges are in these groups.

    Called when they are needed: `weights`, which returns joint draws [chain, draw, group, judge, property], once it is
    sure that judges can be compared; `refits` and `agreement` when ceilings and agreement are asked for. See
    `draw_jointly`, `refit_twice`, `agreement_table`.

    Raises
    ------
    DataError
        If there are fewer than two judges, or no two of them have a fit in a common group.
    """
    check_choice("method", method, Measure)
    if len(posterior.judges) < 2:
        raise DataError(
            f"similarity is between judges, and {posterior.judges[0]!r} is the only one here; dissect two judges "
            "or more (all that the data have, if none is named)"
        )
    at = [posterior.groups.index(group) for group in groups]
    if not any(sum((judge, group) in posterior.fits for judge in posterior.judges) >= 2 for group in groups):
        raise DataError(
            "no two judges have a fit in a common group; .certificates lists the fits, .dropped what is missing"
        )
    _warn_of_units(design)
    kept, kinds = design.is_property, {g: design.group_kinds[g] for g in groups}
    means, sds = (np.moveaxis(posterior.stack(name)[:, :, kept], 1, 0)[at] for name in ("mean", "sd"))
    drawn = weights()

    def find_ceiling(judges: Sequence[str], groups: Sequence[str]) -> pd.DataFrame:
        rows, columns = [posterior.judges.index(j) for j in judges], [posterior.groups.index(g) for g in groups]
        return ceiling_table(refits()[np.ix_(rows, columns)], judges, groups, kinds, method, skipna=skipna)

    similarity = JudgeSimilarity(
        method=method,
        judges=posterior.judges,
        groups=tuple(groups),
        kinds=kinds,
        point=compare_weights(means, method),
        draws=_compare_draws(drawn.reshape(-1, *drawn.shape[2:]), at, method),
        chains=len(drawn),
        interval=posterior.interval,
        skipna=skipna,
        signal=_signal(means, sds),
        remarks=(*note_few(design, method), *note_twins(design)),
        find_ceiling=find_ceiling,
        find_agreement=agreement,
    )
    _warn_of_chains(similarity)
    return similarity


def _warn_of_chains(similarity: JudgeSimilarity) -> None:
    """Warn where the chains have not met."""
    if similarity.r_hat > _MOST_R_HAT:
        warnings.warn(
            f"the chains behind the posterior of similarities have not met (R-hat {similarity.r_hat:.2f}, above "
            f"{_MOST_R_HAT}): corrected values and intervals are rough; points are not touched",
            ConvergenceWarning,
            stacklevel=4,
        )


def _warn_of_units(design: Design) -> None:
    """Warn where weights are per unit of ratings whose units differ: the property of the smallest unit decides."""
    encoder = design.encoder
    units = {(prop.kind, prop.range) for prop in encoder.schema}
    if encoder.encoding == "diff" and len(units) > 1:
        warnings.warn(
            "encoding='diff' gives weights per unit of each rating, and units differ here, so that a property with "
            "a small unit decides the similarity; dissect with encoding='comparison' or 'norm_diff' to compare judges",
            PrefDissectWarning,
            stacklevel=4,
        )


def _compare_draws(weights: NDArray[np.float32], groups: Sequence[int], method: Measure) -> NDArray[np.float32]:
    """Return the similarity of each draw, one of the groups at a time to spare memory: [draw, group, judge, judge]."""
    n, _, n_judges, _ = weights.shape
    out = np.empty((n, len(groups), n_judges, n_judges), dtype=np.float32)
    for i, g in enumerate(groups):
        out[:, i] = compare_weights(weights[:, g].astype(float), method)
    return out


def _signal(mean: FloatArray, sd: FloatArray) -> FloatArray:
    """Return the share of judges' weights that is no noise, [group, judge]: spread over spread plus variance."""
    spread, noise = mean.var(axis=-1), (sd**2).mean(axis=-1)
    return np.asarray(spread / (spread + noise))
