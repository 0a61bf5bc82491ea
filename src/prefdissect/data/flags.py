"""Pairs that no fit can use: a response is empty, both are the same, or ratings failed that would count as equal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from prefdissect.data.cells import plain

__all__ = ["FLAG", "UNFIT", "UNRATED", "flag_pairs", "flags_of"]

FLAG = "pair_flag"  # the column of `pairs`; "" where nothing is wrong
UNRATED = "ratings_failed"  # a column; names the ratings that are missing by failure, not because none is called for
EMPTY, IDENTICAL, INCOMPLETE = "empty response", "identical responses", "ratings that failed"
UNFIT = (EMPTY, IDENTICAL)  # for showing to a model: nothing can come of it


def flag_pairs(pairs: pd.DataFrame) -> np.ndarray[Any, Any] | None:
    """Return what is wrong with the responses of each pair, [pair]; None where the table has no texts.

    A pair without any text is nothing to complain of: public files often strip texts.
    """
    if not {"response_a", "response_b"} <= set(pairs.columns):
        return None
    a, b = (plain(pairs[column]) for column in ("response_a", "response_b"))
    prompt = plain(pairs["prompt"]) if "prompt" in pairs else pd.Series(None, index=pairs.index, dtype=object)
    blank_a, blank_b = (side.map(_is_blank).to_numpy(dtype=bool) for side in (a, b))
    textless = a.isna().to_numpy() & b.isna().to_numpy() & prompt.isna().to_numpy()
    same = np.array(
        [x is not None and y is not None and str(x) == str(y) for x, y in zip(a, b, strict=True)], dtype=bool
    )
    failed = plain(pairs[UNRATED]).notna() if UNRATED in pairs else pd.Series(False, index=pairs.index)
    conditions = [textless & ~failed.to_numpy(), blank_a | blank_b, same, failed.to_numpy()]
    return np.select(conditions, ["", EMPTY, IDENTICAL, INCOMPLETE], default="").astype(object)


def flags_of(pairs: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Return the flags of pairs, "" for all where there are none."""
    if FLAG not in pairs:
        return np.full(len(pairs), "", dtype=object)
    flags = pairs[FLAG].astype(object)
    return flags.where(flags.isin([EMPTY, IDENTICAL, INCOMPLETE]), "").to_numpy(dtype=object)


def _is_blank(cell: object) -> bool:
    return cell is None or not str(cell).strip()
