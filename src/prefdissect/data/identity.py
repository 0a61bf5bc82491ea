"""Names for pairs, prompts and responses: given, or hashed from the text, or unknown."""

from __future__ import annotations

import hashlib

import pandas as pd

from prefdissect.data.cells import plain
from prefdissect.errors import ColumnError, DuplicateError, show

__all__ = ["as_names", "complete_ids", "hash_text", "name_pairs"]

_EXACT = 2.0**53  # above it a float no longer tells one whole number from the next
_TEXTS_OF_A_PAIR = ("prompt", "response_a", "response_b")


def hash_text(text: str) -> str:
    """Return 16 hexadecimal digits that name a text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def as_names(column: pd.Series) -> pd.Series:
    """Return a column of ids or names as text; whole numbers without a decimal point, NaN kept.

    Raises
    ------
    ColumnError
        If the column holds text that is not Unicode (half of a surrogate pair).
    """
    names = list(map(_as_name, plain(column)))
    try:
        return pd.Series(names, index=column.index, dtype="str")
    except UnicodeEncodeError as error:
        raise ColumnError(f"column {column.name!r} holds text that is not Unicode: {show(error.object)}") from error


def _as_name(cell: object) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    whole = isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT
    return str(int(cell)) if whole else str(cell)  # type: ignore[call-overload]  # a float if whole


def name_pairs(table: pd.DataFrame) -> tuple[pd.Series, str]:
    """Return the id of the pair in each row, and how it was found.

    Raises
    ------
    ColumnError
        If an id is missing.
    """
    if "pair_id" in table.columns:
        names, how = as_names(table["pair_id"]), "from column 'pair_id'"
    elif "judge" in table.columns:
        names, how = _hash_texts(table), "hashed from prompt and responses"
    else:
        names, how = pd.Series([f"pair-{i}" for i in range(len(table))]), "numbered in the order of the rows"
    if names.isna().any():
        row = int(names.isna().to_numpy().argmax())
        raise ColumnError(f"column 'pair_id' is empty in row {row}; every pair needs an id")
    return names.set_axis(table.index), how


def _hash_texts(table: pd.DataFrame) -> pd.Series:
    missing = [c for c in _TEXTS_OF_A_PAIR if c not in table.columns]
    if missing:
        raise ColumnError(
            f"a table of one row per verdict needs a column 'pair_id' (or all of {_TEXTS_OF_A_PAIR} to make one); "
            f"missing: {missing}"
        )
    texts = table[list(_TEXTS_OF_A_PAIR)].fillna("").astype(str)
    return texts.agg("\x1f".join, axis=1).map(hash_text)


def check_unique(names: pd.Series) -> None:
    """Raise `DuplicateError` if a pair id stands in more than one row."""
    twice = names[names.duplicated()]
    if len(twice):
        row = names.index.get_loc(twice.index[0])
        raise DuplicateError(
            f"pair_id {twice.iloc[0]!r} stands in more than one row (again in row {row}; {twice.nunique()} such ids); "
            "a wide table has one row per pair, a table of one row per verdict needs a column 'judge'"
        )


def complete_ids(pairs: pd.DataFrame, cluster: str | None, response_id: str | None) -> pd.DataFrame:
    """Return pairs with `prompt_id`, `response_id_a`, `response_id_b` and `cluster` filled.

    Ids that the source lacks are hashed from the text, NaN where there is none. The cluster of
    a pair is its prompt unless a column says otherwise; without a prompt it is the pair alone.
    """
    stem = response_id or "response_id"
    given = {
        "prompt_id": ("prompt_id", "prompt"),
        "response_id_a": (f"{stem}_a", "response_a"),
        "response_id_b": (f"{stem}_b", "response_b"),
    }
    out = pairs.copy()
    for target, (column, text) in given.items():
        if column in pairs.columns:
            out[target] = as_names(pairs[column])
        elif text in pairs.columns:
            out[target] = _hash_column(pairs[text])
        else:
            out[target] = pd.Series(None, index=pairs.index, dtype="str")
    alone = pd.Series(pairs.index, index=pairs.index, dtype="str")
    source = cluster or ("cluster" if "cluster" in pairs.columns else None)
    out["cluster"] = (as_names(pairs[source]) if source else out["prompt_id"]).fillna(alone)
    return out


def _hash_column(texts: pd.Series) -> pd.Series:
    hashed = [None if text is None else hash_text(str(text)) for text in plain(texts)]
    return pd.Series(hashed, index=texts.index, dtype="str")
