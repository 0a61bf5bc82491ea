"""What the data hold of both responses, and the fit does not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from prefdissect._typing import FloatArray
from prefdissect.check.case import listed
from prefdissect.check.heldout import LENGTHS
from prefdissect.data import PreferenceData
from prefdissect.features import Design

__all__ = ["differences_left_out", "longer", "why_nothing_is_left"]

_TEXTS = ("response_a", "response_b")
_MOSTLY = 0.5  # share of pairs that must have a number


def differences_left_out(data: PreferenceData, design: Design) -> dict[str, FloatArray]:
    """Return by how much A has more of what the data hold of both responses and the fit does not, [row of the design].

    Numbers in columns <x>_a and <x>_b that are no ids, and the words of the texts where no property stands for length.
    """
    every = _differences(data, design)
    found = {name: values for name, values in every.items() if np.isfinite(values).mean() > _MOSTLY}
    words = longer(data, design)
    return found if words is None else found | {"number of words": words}


def _differences(data: PreferenceData, design: Design) -> dict[str, FloatArray]:
    """Return A's number less B's of each that is given of both in some pair and not fitted, NaN where it is not."""
    pairs = data.pairs.loc[design.pair_ids]
    found = {}
    for column in pairs.columns:
        name = column.removesuffix("_a")
        if name == column or f"{name}_b" not in pairs or name in design.columns or _names_an_id(name):
            continue
        a, b = (pd.to_numeric(pairs[c], errors="coerce").to_numpy(dtype=np.float64) for c in (column, f"{name}_b"))
        if np.isfinite(a - b).any():
            found[name] = a - b
    return found


def why_nothing_is_left(data: PreferenceData, design: Design) -> str:
    """Say why nothing can be held against the fit, where that is so."""
    sparse = [name for name, values in _differences(data, design).items() if np.isfinite(values).mean() <= _MOSTLY]
    numbers = "the data hold no other numbers of the two responses (columns <x>_a and <x>_b)"
    if sparse:
        numbers = f"the data hold {listed(sparse)} of both responses in too few pairs"
    fitted = [name for name in LENGTHS if name in design.columns]
    if not set(_TEXTS) <= set(data.pairs.columns):
        return f"{numbers} and no texts"
    if fitted:
        return f"{numbers}, and of the texts the length, which is in the fit ({fitted[0]})"
    return f"{numbers}, and the texts of a pair are equally long"


def _names_an_id(name: str) -> bool:
    """Whether a column is `id` or `<x>_id`; words that end like it, such as `valid`, are measures like any other."""
    return name == "id" or name.endswith("_id")


def longer(data: PreferenceData, design: Design) -> FloatArray | None:
    """Return the log of how many times A has B's words, [row of the design]; None without texts, or if it is fitted."""
    if not set(_TEXTS) <= set(data.pairs.columns) or set(design.columns) & set(LENGTHS):
        return None
    pairs = data.pairs.loc[design.pair_ids]
    a, b = (np.array([len(text.split()) for text in pairs[c].fillna("").astype(str)], dtype=np.float64) for c in _TEXTS)
    difference: FloatArray = np.log1p(a) - np.log1p(b)
    return difference
