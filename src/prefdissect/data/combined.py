"""Verdicts that combine others: a judge asked several times about a pair, and what its answers come to.

Such a pair has a row of kind `derived`, which bears the whole weight, beside the rows of the questions it was made
from, which bear none. Labels are then the combination exactly, while order, log-probabilities and text of each answer
are kept. What counts questions, or looks at the order, must tell the two apart; that is done here.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from prefdissect._typing import BoolArray
from prefdissect.data.cells import plain

__all__ = ["asked_rows", "counted_rows", "spread_weights"]


def asked_rows(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return the verdicts that a judge gave when asked, without those that combine them.

    Examples
    --------
    >>> import pandas as pd
    >>> from prefdissect.data.combined import asked_rows, counted_rows
    >>> rows = {"pair_id": "p", "judge": "j", "first": ["A", "B", "unknown"], "value": [1.0, 0.0, 0.5]}
    >>> verdicts = pd.DataFrame(rows | {"weight": [0.0, 0.0, 1.0], "kind": ["argmax", "argmax", "derived"]})
    >>> asked_rows(verdicts)["value"].tolist(), counted_rows(verdicts)["value"].tolist()
    ([1.0, 0.0], [0.5])
    """
    return verdicts[~_find(verdicts)[0]]


def counted_rows(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return the verdicts that labels are made from: combinations, and what is in none."""
    return verdicts[~_find(verdicts)[1]]


def spread_weights(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return the verdicts that a judge gave when asked; the weight of a combination is shared by its usable parts."""
    combined, part = _find(verdicts)
    if not combined.any():
        return verdicts
    keys = [verdicts["pair_id"], verdicts["judge"]]
    usable = pd.Series(part & verdicts["value"].notna().to_numpy(), index=verdicts.index)
    total = verdicts["weight"].where(combined, 0.0).groupby(keys, observed=True).transform("sum")
    parts = usable.astype(float).groupby(keys, observed=True).transform("sum")
    shared = np.where(usable, total / parts.where(parts > 0, 1.0), verdicts["weight"])
    return verdicts.assign(weight=shared)[~combined]


def _find(verdicts: pd.DataFrame) -> tuple[BoolArray, BoolArray]:
    """Return which verdicts combine others, and which are combined, each [verdict]."""
    none = np.zeros(len(verdicts), dtype=bool)
    if "kind" not in verdicts or not len(verdicts):
        return none, none
    derived = ((plain(verdicts["kind"]) == "derived") & (verdicts["first"] == "unknown")).to_numpy(dtype=bool)
    if not derived.any():
        return none, none
    others = pd.DataFrame({"weighs": ~derived & (verdicts["weight"] > 0).to_numpy(), "is_other": ~derived})
    found = others.assign(derived=derived).groupby(
        [verdicts["pair_id"].to_numpy(), verdicts["judge"].to_numpy()], observed=True, sort=False
    )
    of_pair = found.transform("any")
    joined = (of_pair["derived"] & of_pair["is_other"] & ~of_pair["weighs"]).to_numpy(dtype=bool)
    return joined & derived, joined & ~derived
