"""Everything that a page tells, gathered in one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from numpy import float32
from numpy.typing import NDArray

from prefdissect.check import Checks, HeldOut
from prefdissect.compare import JudgeSimilarity, Measure, ReferenceWeights
from prefdissect.data import PreferenceData
from prefdissect.features import Design
from prefdissect.inference import Posterior

__all__ = ["Contents"]


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
        By measure; empty for one judge.
    checks, held_out
        What speaks against trusting the fits; `held_out` is None where no fit has clusters enough to hold some out.
    reference
        Released judges to place these among, or None.
    texts
        The columns of `data.pairs` to show, of the pairs to show them of; None: no texts.
    """

    data: PreferenceData
    design: Design
    posterior: Posterior
    options: Mapping[str, Any]
    weights: pd.DataFrame
    overall: pd.DataFrame | None
    joint: NDArray[float32] | None
    similarities: Mapping[Measure, JudgeSimilarity]
    checks: Checks
    held_out: HeldOut | None
    reference: ReferenceWeights | None
    texts: pd.DataFrame | None
