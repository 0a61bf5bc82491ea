"""What bears on how to read similarities: too few properties, missing fits, properties that always go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from prefdissect._typing import FloatArray, GroupKind
from prefdissect.compare.measures import Measure, is_correlation
from prefdissect.features import Design

__all__ = ["note_few", "note_gaps", "note_twins"]

_TWINS = 0.999  # cosine from which on two columns are one


def note_few(design: Design, method: Measure) -> tuple[str, ...]:
    """Say that a correlation needs three properties to say anything."""
    n = int(design.is_property.sum())
    if n > 2 or not is_correlation(method):
        return ()
    return (f"a correlation over {'one property is NaN' if n == 1 else 'two properties is 1 or -1'}; use method='l1'",)


def note_gaps(
    signal: FloatArray | None, groups: Sequence[str], kinds: Mapping[str, GroupKind], *, skipna: bool
) -> tuple[str, ...]:
    """Say that overall values are NaN, or of fewer scenarios, where a judge has no fit: `signal` [group, judge] is NaN.

    Without a signal only points are known, and nothing of fits.
    """
    if signal is None:
        return ()
    scenarios = np.isfinite(signal[[kinds[g] != "case" for g in groups]])
    gaps = int((~scenarios.all(axis=1)).sum())
    if not gaps:
        return ()
    then = (
        "two judges are compared in the others"
        if skipna
        else "overall values of a judge are NaN where it lacks one; skipna=True averages over those that two judges "
        "share"
    )
    return (f"in {gaps} of {len(scenarios)} scenarios a judge has no fit (too few pairs): {then}",)


def note_twins(design: Design) -> tuple[str, ...]:
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
