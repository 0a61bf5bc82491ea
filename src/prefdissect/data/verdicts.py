"""From cells to verdicts: who preferred which response, by content and never by position."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from prefdissect._typing import FloatArray
from prefdissect.data.cells import plain
from prefdissect.errors import DuplicateError, VerdictError, choices, show

__all__ = ["KEY", "OUTCOMES", "labels_of", "make_verdicts", "read_first", "read_verdicts", "share_weights"]

KEY = ["pair_id", "judge", "first", "repeat"]
OUTCOMES = ("A", "B", "tie", "both_bad", "soft", "invalid")
_FIRST = ("A", "B", "unknown")
_VALUE_OF = {"A": 1.0, "B": 0.0, "tie": 0.5, "both_bad": 0.5, "soft": 0.5, "invalid": np.nan}

_WORDS: dict[str, tuple[str, ...]] = {
    "A": ("a", "model_a", "response_a", "response_1", "response 1", "text_a"),
    "B": ("b", "model_b", "response_b", "response_2", "response 2", "text_b"),
    "tie": ("tie", "equal"),
    "both_bad": ("both_bad", "tie (bothbad)", "both bad"),
    "soft": ("inconsistent", "tie (inconsistent)"),  # two orders that disagree are no tie
    "invalid": ("invalid",),
}
_OUTCOME_OF = {word: outcome for outcome, words in _WORDS.items() for word in words}
_READABLE = (
    "valid: A, B, tie, both_bad, inconsistent and invalid (model_a, response_1, text_a and the like too), or a number "
    "from 0 (B) to 1 (A); other codes need translating first, such as .replace({1: 'A', 2: 'B', 'draw': 'tie'})"
)


def read_verdicts(cells: pd.Series, judge: str, pair_ids: pd.Series) -> tuple[FloatArray, np.ndarray[Any, Any]]:
    """Return value (1 = A, 0 = B) and outcome of each cell, shape [row]; both missing where empty.

    Raises
    ------
    VerdictError
        For a value that is no verdict; the message names judge, pair and value.
    """
    codes, distinct = _factorize(cells, judge, pair_ids)  # an empty cell has code -1
    read = [_read_verdict(cell) for cell in distinct]
    unknown = [cell for cell, verdict in zip(distinct, read, strict=True) if verdict is None]
    if unknown:
        wrong = np.isin(codes, [code for code, verdict in enumerate(read) if verdict is None])
        raise VerdictError(
            f"judge {judge!r}, pair {pair_ids.to_numpy()[wrong.argmax()]!r}: {show(unknown[0])} is no verdict "
            f"({int(wrong.sum())} such cells); {_READABLE}; if this is no judge, name those that are: "
            "load(..., judges=[...])"
        )
    known = [verdict for verdict in read if verdict is not None] + [(np.nan, None)]  # the last one is code -1
    values = np.array([value for value, _ in known], dtype=np.float64)
    outcomes = np.array([outcome for _, outcome in known], dtype=object)
    return values[codes], outcomes[codes]


def _factorize(cells: pd.Series, judge: str, pair_ids: pd.Series) -> tuple[Any, Any]:
    """Return the code of each cell and the distinct cells."""
    try:
        return pd.factorize(plain(cells))
    except TypeError:
        row = next(i for i, cell in enumerate(cells) if type(cell).__hash__ is None)
        raise VerdictError(
            f"judge {judge!r}, pair {pair_ids.iloc[row]!r}: {show(cells.iloc[row])} is no verdict; {_READABLE}"
        ) from None


def _read_verdict(cell: Any) -> tuple[float, str] | None:
    """Return value and outcome of one cell, or None if it is no verdict."""
    if isinstance(cell, str):
        outcome = _OUTCOME_OF.get(cell.strip().casefold())
        if outcome is not None:
            return _VALUE_OF[outcome], outcome
        try:
            cell = float(cell)
        except ValueError:
            return None
    if not isinstance(cell, bool | np.bool_ | int | float | np.number | Decimal) or not 0 <= cell <= 1:
        return None
    value = float(cell)
    return value, {1.0: "A", 0.0: "B", 0.5: "tie"}.get(value, "soft")


def read_first(cells: pd.Series) -> np.ndarray[Any, Any]:
    """Return which response the judge saw first: A, B or unknown.

    Raises
    ------
    VerdictError
        For a value that names neither response.
    """
    known = {word: side for side in ("A", "B") for word in _WORDS[side]} | {
        "unknown": "unknown",
        "": "unknown",
    }
    sides = [known.get(str(cell or "").strip().casefold()) for cell in plain(cells)]
    if None in sides:
        row = cells.index[sides.index(None)]
        raise VerdictError(f"column 'first', row {row}: {show(cells[row])} is no response; {choices('', _FIRST)}")
    return np.array(sides, dtype=object)


def make_verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Return the verdict table in its final types, weights shared, keys checked.

    Raises
    ------
    DuplicateError
        If two rows share pair, judge, order and repeat.
    """
    first = [*KEY, "value", "outcome", "weight"]
    out = table[[*first, *(c for c in table.columns if c not in first)]].reset_index(drop=True)
    out["judge"] = pd.Categorical(out["judge"], categories=list(pd.unique(out["judge"])))
    out["first"] = pd.Categorical(out["first"], categories=_FIRST)
    out["outcome"] = pd.Categorical(out["outcome"], categories=OUTCOMES)
    out["repeat"] = out["repeat"].astype(np.int64)
    twice = out[out.duplicated(KEY)]
    if len(twice):
        key = ", ".join(f"{name} {show(value)}" for name, value in twice.iloc[0][KEY].items())
        raise DuplicateError(f"{len(twice)} verdicts stand more than once under the same key, the first is {key}")
    return share_weights(out)


def share_weights(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return verdicts whose weights sum to 1 over the usable ones of one judge on one pair.

    Asking twice is not evidence twice. A verdict that cannot be used has weight 0.
    """
    usable = verdicts["value"].notna()
    weight = verdicts["weight"].where(usable, 0.0)
    keys = [verdicts["pair_id"], verdicts["judge"]]
    largest = weight.groupby(keys, observed=True).transform("max")
    weight = weight / largest.where(largest > 0, 1.0)  # before summing, so that huge weights do not overflow
    total = weight.groupby(keys, observed=True).transform("sum")
    return verdicts.assign(weight=np.where(total > 0, weight / total.where(total > 0, 1.0), 0.0))


def labels_of(verdicts: pd.DataFrame, pair_ids: pd.Index, judges: list[str]) -> pd.DataFrame:
    """Return the weighted mean verdict, DataFrame [pair, judge] in [0, 1], NaN where there is none."""
    usable = verdicts[verdicts["weight"] > 0]
    keys = [usable["pair_id"], usable["judge"]]
    sums = (usable["value"] * usable["weight"]).groupby(keys, observed=True).sum()
    means = sums / usable["weight"].groupby(keys, observed=True).sum()
    return means.unstack("judge").reindex(index=pair_ids, columns=judges).astype(float)
