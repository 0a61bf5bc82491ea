"""From a posterior to the similarity of its judges: points, and draws of the true weights under one learned prior."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from prefdissect._typing import BoolArray, FloatArray, check_choice
from prefdissect.compare.ceiling import ceiling_table
from prefdissect.compare.measures import Measure, compare_weights, is_correlation
from prefdissect.compare.similarity import JudgeSimilarity
from prefdissect.errors import ConvergenceWarning, DataError, PrefDissectWarning
from prefdissect.features import Design
from prefdissect.inference import Posterior, sample_joint
from prefdissect.inference.diagnostics import diagnose

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["draw_jointly", "judge_similarity"]

_TWINS = 0.999  # cosine from which on two columns are one
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
    weights: NDArray[np.float32],
    method: Measure,
    *,
    skipna: bool,
    refits: Callable[[], FloatArray],
    agreement: Callable[[], pd.DataFrame],
) -> JudgeSimilarity:
    """Return how alike the judges are; `weights` are joint draws, [chain, draw, group, judge, property].

    `refits` and `agreement` are called when ceilings and agreement are asked for; see `refit_twice`, `agreement_table`.

    Raises
    ------
    DataError
        If there are fewer than two judges, or no two of them have a fit in a common group.
    """
    check_choice("method", method, Measure)
    if len(posterior.judges) < 2:
        raise DataError(
            f"similarity is between judges, and {posterior.judges[0]!r} is the only one here; dissect several: "
            "judge=None takes all that the data have"
        )
    fitted = np.array([[(j, g) in posterior.fits for g in posterior.groups] for j in posterior.judges])
    if not (fitted.sum(axis=0) >= 2).any():
        raise DataError(
            "no two judges have a fit in a common group; .certificates lists the fits, .dropped what is missing"
        )
    _warn_of_units(design)
    kept = design.is_property
    means = np.moveaxis(posterior.stack("mean")[:, :, kept], 1, 0)
    draws = _compare_draws(weights.reshape(-1, *weights.shape[2:]), method)
    similarity = JudgeSimilarity(
        method=method,
        judges=posterior.judges,
        groups=posterior.groups,
        kinds={g: design.group_kinds[g] for g in posterior.groups},
        point=compare_weights(means, method),
        draws=draws,
        interval=posterior.interval,
        skipna=skipna,
        signal=_signal(means, np.moveaxis(posterior.stack("sd")[:, :, kept], 1, 0)),
        notes=(*_note_few(design, method), *_note_gaps(design, fitted, skipna=skipna), *_note_twins(design)),
        find_ceiling=lambda: ceiling_table(design, posterior, refits(), method),
        find_agreement=agreement,
    )
    return _diagnose(similarity, chains=weights.shape[0])


def _diagnose(similarity: JudgeSimilarity, *, chains: int) -> JudgeSimilarity:
    """Return the similarity with R-hat and ESS; warn where the chains have not met."""
    scenarios = any(kind != "case" for kind in similarity.kinds.values())
    draws = similarity.overall_draws if scenarios else similarity.group_draws
    a, b = np.triu_indices(len(similarity.judges), 1)
    flat = draws[..., a, b].reshape(len(draws), -1).astype(float)
    known = np.isfinite(flat).all(axis=0)
    if not known.any():
        return similarity
    r_hat, ess = diagnose(flat[:, known].reshape(chains, -1, int(known.sum())))
    if r_hat.max() > _MOST_R_HAT:
        warnings.warn(
            f"the chains behind the posterior of similarities have not met (R-hat {r_hat.max():.2f}, above "
            f"{_MOST_R_HAT}): corrected values and intervals are rough; points are not touched",
            ConvergenceWarning,
            stacklevel=4,
        )
    return replace(similarity, r_hat=float(r_hat.max()), ess=float(ess.min()))


def _note_few(design: Design, method: Measure) -> tuple[str, ...]:
    """Say that a correlation needs three properties to say anything."""
    n = int(design.is_property.sum())
    if n > 2 or not is_correlation(method):
        return ()
    return (f"a correlation over {'one property is NaN' if n == 1 else 'two properties is 1 or -1'}; use method='l1'",)


def _note_gaps(design: Design, fitted: BoolArray, *, skipna: bool) -> tuple[str, ...]:
    """Say that overall values are NaN, or of fewer scenarios, where a judge has no fit; `fitted` is [judge, group]."""
    scenarios = fitted[:, [design.group_kinds[g] != "case" for g in design.groups]]
    gaps = int((~scenarios.all(axis=0)).sum())
    if not gaps:
        return ()
    then = (
        "two judges are compared in the others"
        if skipna
        else "overall values of a judge are NaN where it lacks one; skipna=True averages over those that two judges "
        "share"
    )
    return (f"in {gaps} of {scenarios.shape[1]} scenarios a judge has no fit (too few pairs): {then}",)


def _note_twins(design: Design) -> tuple[str, ...]:
    """Say which properties always go together: how a weight is split between them cannot be told."""
    names, x = design.encoder.schema.labels, design.x[:, design.is_property]
    length = np.sqrt((x * x).sum(axis=0))
    cosine = (x.T @ x) / np.outer(*[np.where(length > 0, length, np.inf)] * 2)
    return tuple(
        f"{names[a]!r} and {names[b]!r} {'mirror' if cosine[a, b] < 0 else 'repeat'} each other in every pair, so that "
        "nothing tells how a weight is split between them, and intervals are wide; leave one out"
        for a, b in zip(*np.triu_indices(x.shape[1], 1), strict=True)
        if abs(cosine[a, b]) > _TWINS
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


def _compare_draws(weights: NDArray[np.float32], method: Measure) -> NDArray[np.float32]:
    """Return the similarity of each draw, one group at a time to spare memory: [draw, group, judge, judge]."""
    n, n_groups, n_judges, _ = weights.shape
    out = np.empty((n, n_groups, n_judges, n_judges), dtype=np.float32)
    for g in range(n_groups):
        out[:, g] = compare_weights(weights[:, g].astype(float), method)
    return out


def _signal(mean: FloatArray, sd: FloatArray) -> FloatArray:
    """Return the share of judges' weights that is no noise, [group, judge]: spread over spread plus variance."""
    spread, noise = mean.var(axis=-1), (sd**2).mean(axis=-1)
    return np.asarray(spread / (spread + noise))
