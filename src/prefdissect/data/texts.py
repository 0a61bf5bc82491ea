"""Texts that stand beside ratings, or in their place: what to say of them before anything is measured."""

from __future__ import annotations

import pandas as pd

from prefdissect.schema import PropertySchema

__all__ = ["TEXTS_ALONE", "TEXTS_ASIDE", "hint_at_texts"]

TEXTS_ALONE = (
    "there are texts to measure: measure_text() does it, and so does dissect() without a schema or with schema=TEXT "
    "(--schema text)"
)
TEXTS_ASIDE = (
    "the texts are not measured, as there are ratings: dissect() with schema=TEXT (--schema text) measures them "
    "instead, measure_text() measures them too"
)

_FEW = 10  # ratings: where there are more, the texts have been rated by somebody
_ENDINGS = (("_a", "_b"), ("_A", "_B"), ("_1", "_2"), ("_0", "_1"), ("1", "2"), ("A", "B"))
_WORDS = 3  # on average: a text and not a name
_LOOKED_AT = 100  # rows


def hint_at_texts(pairs: pd.DataFrame, n_rated: int, asked: PropertySchema | None) -> list[str]:
    """Return what a user may do with the texts of responses that are not measured, or that stand under another name.

    `n_rated` properties are rated, by the schema that was `asked` for, if any.
    """
    if {"response_a", "response_b"} <= set(pairs.columns):
        if not (_is_text(pairs["response_a"], words=1) and _is_text(pairs["response_b"], words=1)):
            return []
        few = n_rated < _FEW and asked is None  # with a schema they have been rated as was meant
        return [TEXTS_ALONE] if not n_rated else [TEXTS_ASIDE] if few else []
    found = _find_texts(pairs) if n_rated < _FEW else []
    named = " and ".join(map(repr, found))
    return [f"{named} may be texts to measure: rename them to response_a and response_b"] if found else []


def _find_texts(pairs: pd.DataFrame) -> list[str]:
    """Return the first two columns that hold texts and differ in their ending, as those of two responses do."""
    names = [str(c) for c in pairs.columns]
    for name in names:
        for one, other in _ENDINGS:
            twin = name.removesuffix(one) + other
            if name.endswith(one) and twin in names and _is_text(pairs[name]) and _is_text(pairs[twin]):
                return [name, twin]
    return []


def _is_text(column: pd.Series, *, words: int = _WORDS) -> bool:
    """Return whether the cells that are not empty are text, of at least so many words on average."""
    cells = column.dropna().head(_LOOKED_AT).tolist()
    if not cells or not all(isinstance(cell, str) for cell in cells):
        return False
    return sum(len(cell.split()) for cell in cells) >= words * len(cells)
