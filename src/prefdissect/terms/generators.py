"""Who wrote the responses: a signed column for each model, so that weights are those within a pair of models."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from prefdissect._typing import BoolArray, FloatArray, IntArray
from prefdissect.data import PreferenceData
from prefdissect.data.cells import plain
from prefdissect.errors import OptionError

__all__ = ["GENERATOR", "SIDES", "columns_like", "generator_columns"]

GENERATOR = "generator: "  # before the name of a model: a column, 1 where it wrote A, -1 where it wrote B
SIDES = ("model_a", "model_b")
_PAIRS_EACH = 25  # pairs a model, in the average group: with fewer, held-out verdicts are predicted worse (docs: terms)
_KNOWN = 0.9  # share of pairs whose models are both known


def generator_columns(
    data: PreferenceData, used: BoolArray, n_groups: int, generators: bool | Literal["auto"]
) -> tuple[dict[str, FloatArray], tuple[str, ...]]:
    """Return the columns of the models, [pair] each, none where the term is left out, and what to say of it.

    `used` [pair] are pairs that are fitted, in `n_groups` groups. `auto`: if both names are known in nearly all of
    them, two models differ, and the average group has 25 pairs a model.

    Raises
    ------
    OptionError
        If `generators` is True and no two models meet.
    """
    if generators is False:
        return {}, ()
    names, a, b = _names(data)
    met = used & (a >= 0) & (b >= 0) & (a != b)
    seen = np.unique(np.concatenate([a[met], b[met]]))
    if len(seen) < 2:
        none = "no pair names two models (model_a, model_b)"
        said = f"only {names[0]!r} wrote responses" if len(names) == 1 else none
        if generators is True:
            raise OptionError(f"generators=True, but {said}; generators='auto' leaves the term out")
        return {}, (f"generators: {said}",) if len(names) == 1 else ()
    known, enough = (a[used] >= 0) & (b[used] >= 0), met.sum() >= _PAIRS_EACH * len(seen) * n_groups
    if generators == "auto" and (not used.any() or known.mean() < _KNOWN or not enough):
        few = f"{met.sum():,} pairs of {len(seen)} models in {n_groups} groups are too few"
        return {}, (f"generators: left out, as {few if not enough else 'many pairs do not name both models'}",)
    columns = {GENERATOR + names[g]: ((a == g) * 1.0 - (b == g)) * (met | ~used & (a >= 0) & (b >= 0)) for g in seen}
    return columns, tuple(_describe(names, a, b, met, seen, int((~known).sum())))


def columns_like(data: PreferenceData, columns: tuple[str, ...]) -> dict[str, FloatArray]:
    """Return these columns of other pairs: 0 where a name is missing, or a model was not there before."""
    names, a, b = _names(data)
    numbers = [names.index(c.removeprefix(GENERATOR)) if c.removeprefix(GENERATOR) in names else -9 for c in columns]
    both = np.isin(a, numbers) & np.isin(b, numbers)
    return {c: ((a == g) * 1.0 - (b == g)) * both for c, g in zip(columns, numbers, strict=True)}


def _names(data: PreferenceData) -> tuple[list[str], IntArray, IntArray]:
    """Return the names of all models, and the number of A's and of B's in each pair, -1 where it is not told."""
    if not all(side in data.pairs for side in SIDES):
        nobody = np.full(len(data), -1)
        return [], nobody, nobody
    both = [pd.Series(plain(data.pairs[side])).astype(object) for side in SIDES]
    named = [part.notna().to_numpy(dtype=bool) for part in both]
    text = [part.astype(str).to_numpy(dtype=object) for part in both]
    names = sorted({str(n) for part, told in zip(text, named, strict=True) for n in part[told]})
    a, b = (
        np.where(told, pd.Index(names, dtype=object).get_indexer(pd.Index(part)), -1).astype(np.int64)
        for part, told in zip(text, named, strict=True)
    )
    return names, a, b


def _describe(names: list[str], a: IntArray, b: IntArray, met: BoolArray, seen: IntArray, n_unknown: int) -> list[str]:
    """Say what weights mean now, and which models never meet."""
    notes = [f"generators: {len(seen)} models are terms, so that weights compare responses of the same two models"]
    parts = _parts(a[met], b[met], seen)
    if len(parts) > 1:
        smallest = ", ".join(names[g] for g in min(parts, key=len))
        said = f"{len(parts)} sets of models never meet, and the prior alone places them ({smallest})"
        notes.append(f"generators: {said}")
    if n_unknown:
        notes.append(f"generators: {n_unknown:,} pairs do not name both models and tell nothing of them")
    return notes


def _parts(a: IntArray, b: IntArray, seen: IntArray) -> list[list[int]]:
    """Return the sets of models that are joined by pairs."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    at = np.searchsorted(seen, a), np.searchsorted(seen, b)
    n, of = connected_components(coo_matrix((np.ones(len(a)), at), shape=(len(seen), len(seen))), directed=False)
    return [seen[of == part].tolist() for part in range(n)]
