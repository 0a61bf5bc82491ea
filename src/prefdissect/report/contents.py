"""Everything that a page tells, gathered in one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from numpy import float32
from numpy.typing import NDArray

from prefdissect.audit import Audit, Exploitability
from prefdissect.check import Checks, HeldOut
from prefdissect.compare import JudgeSimilarity, Measure, ReferenceWeights
from prefdissect.data import PreferenceData
from prefdissect.features import Design
from prefdissect.inference import Posterior

__all__ = ["Compared", "Contents"]


@dataclass(frozen=True)
class Compared:
    """How alike judges are by one measure: `JudgeSimilarity.to_frame()`, the ceilings [judge, row], and the notes."""

    table: pd.DataFrame
    ceiling: pd.DataFrame
    notes: tuple[str, ...]

    @classmethod
    def of(cls, similarity: JudgeSimilarity) -> Compared:
        """Return the tables, without the draws behind them, which take hundreds of megabytes."""
        return cls(similarity.to_frame(), similarity.ceiling, similarity.notes)


@dataclass(frozen=True)
class Contents:
    """What a page is made of; every number in it comes from here.

    Parameters
    ----------
    data, design, posterior, options
        The parts of a dissection.
    weights, overall
        `weights_table` and `overall_table`; `overall` is None where there are cases only.
    joint
        Joint draws of all judges' weights, [draw, group, judge, property]; None for one judge.
    similarities
        By measure; empty where no two judges have a fit in a common group.
    checks, held_out
        What speaks against trusting the fits; `held_out` is None where no fit has clusters enough to hold some out.
    exploitability, audit
        How far judges can be gamed, and how much of these pairs is won by single properties.
    reference
        Released judges to place these among, or None.
    texts
        The columns of `data.pairs` to show, of the pairs to show them of; None: no texts.
    without_texts
        Why there are none, and how to have some.
    """

    data: PreferenceData
    design: Design
    posterior: Posterior
    options: Mapping[str, Any]
    weights: pd.DataFrame
    overall: pd.DataFrame | None
    joint: NDArray[float32] | None
    similarities: Mapping[Measure, Compared]
    checks: Checks
    held_out: HeldOut | None
    exploitability: Exploitability
    audit: Audit
    reference: ReferenceWeights | None
    texts: pd.DataFrame | None
    without_texts: str = ""
