"""Which pairs a fit may label, and where their texts are: in the dissection, or in data given beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from prefdissect._typing import BoolArray, FloatArray
from prefdissect.data import PreferenceData, Source, load
from prefdissect.data.cells import plain
from prefdissect.data.flags import flag_pairs, flags_of
from prefdissect.data.readers.conversation import read_turns
from prefdissect.errors import ColumnError, DataError
from prefdissect.features import Design, groups_like, preferences
from prefdissect.schema import PropertySchema
from prefdissect.text import rate_like
from prefdissect.text.cells import as_texts, check_texts

__all__ = ["Candidates", "gather"]

_TEXTS = ("prompt", "response_a", "response_b")
_IDS = ("prompt_id", "response_id_a", "response_id_b")


@dataclass(frozen=True, eq=False)
class Candidates:
    """Pairs that a fit may label, with their texts.

    Parameters
    ----------
    texts
        One row per pair, index `pair_id`: `prompt`, `response_a`, `response_b`, None where there is none, and `turns`,
        what was said before the prompt: a list of role and content.
    x
        The pairs as fits encode them, [pair, property], NaN where a rating is missing.
    in_group
        Boolean, [pair, group], of the groups that were fitted.
    label
        What the judge said, [pair]: 1 for A, 0 for B, between where it did both, NaN if nothing usable.
    why_not
        Why a pair can be no part of a training set, [pair], whatever a fit says of it; "" where it can.
    data_hash
        Of the data that the pairs and ratings are from.
    source
        Where the texts are from, in words.
    """

    texts: pd.DataFrame
    x: FloatArray
    in_group: pd.DataFrame
    label: FloatArray
    why_not: np.ndarray[Any, Any]
    data_hash: str
    source: str


def gather(
    own: PreferenceData, design: Design, judge: str, *, by: str | None, ties: Any, given: Source | None = None
) -> Candidates:
    """Return the pairs to label: those that were dissected, or others that rate the same properties.

    Where all pairs of `given` are of the dissection, by pair id and by the ids of prompt and responses as far as both
    sides know them, only their texts are taken from it. Otherwise they are pairs of their own, and must rate, or have
    texts to measure, the properties of the fit.

    Raises
    ------
    DataError
        If there are no texts, or other pairs lack a property.
    ColumnError
        If a cell that should be a text, or the turns before one, is something else.
    UnknownNameError
        If none of other pairs is in a fitted group.
    """
    base, source, words = _find_pairs(own, design.encoder.schema, given)
    texts, faults = _read_texts(source.reindex(base.pairs.index))
    absent, flags = ~base.pairs.index.isin(source.index), flags_of(base.pairs)
    return Candidates(
        texts=texts,
        x=design.encoder.encode(base),
        in_group=groups_like(base, design, by),
        label=_said(base, judge, ties),
        why_not=np.select([absent, flags != ""], ["not among the pairs of data=", flags], default=faults),
        data_hash=base.hash,
        source=words,
    )


def _find_pairs(
    own: PreferenceData, schema: PropertySchema, given: Source | None
) -> tuple[PreferenceData, pd.DataFrame, str]:
    """Return the data whose ratings and groups count, the pairs whose texts do, and where these are from."""
    if given is None:
        _check_there_are_texts(own.pairs, given=False)
        return own, own.pairs, "of the pairs that were dissected"
    data = given if isinstance(given, PreferenceData) else load(given)
    _check_there_are_texts(data.pairs, given=True)
    known = _known(own.pairs, data.pairs)
    if known.all():
        unsure = int(
            (data.pairs[list(_IDS)].isna() | own.pairs.loc[data.pairs.index, list(_IDS)].isna()).any(axis=1).sum()
        )
        alone = f", of {unsure:,} by pair id alone, as ids of texts are missing" if unsure else ""
        return own, data.pairs, f"from other data, by the ids of pairs, prompts and responses{alone}"
    others = _rate(given, schema, known)
    return others, others.pairs, "of pairs that were not dissected"


def _known(own: pd.DataFrame, given: pd.DataFrame) -> BoolArray:
    """Return which given pairs are the dissection's: of the same id, and of the same texts where that is known."""
    at = own.index.get_indexer(given.index)
    known: BoolArray = at >= 0
    for column in _IDS:
        one, other = (plain(frame[column]).to_numpy() for frame in (own, given))
        known &= np.array([a is None or b is None or a == b for a, b in zip(one[at], other, strict=True)], dtype=bool)
    return known


def _rate(given: Source, schema: PropertySchema, known: BoolArray) -> PreferenceData:
    """Return pairs of their own with the properties of the fit: as they are rated, or measured from their texts."""
    data = rate_like(given if isinstance(given, PreferenceData) else load(given, schema=schema), schema)
    missing = [name for name in schema.ids if name not in data.properties]
    if missing:
        first = str(data.pairs.index[int((~known).argmax())])
        raise DataError(
            f"data= holds other pairs than the dissection ({int((~known).sum())} of {len(known)}; the first is "
            f"{first!r}: that id, or its texts, are unknown there), and they do not rate {', '.join(missing)}; "
            "give the pairs that were dissected, loaded with the same options, or pairs with all ratings"
        )
    return data


def _check_there_are_texts(source: pd.DataFrame, *, given: bool) -> None:
    missing = [name for name in _TEXTS if name not in source.columns]
    if not missing:
        return
    lacking = ", ".join(map(repr, missing))
    if given:
        found = ", ".join(map(repr, source.columns))
        raise ColumnError(f"data= lacks the texts {lacking}; found: {found}; rename yours to these")
    raise DataError(
        f"there is nothing to train on: these data lack the texts {lacking}; a dissection is saved without texts, so "
        "name the pairs with theirs in data= (--data), or save with texts=True"
    )


def _said(data: PreferenceData, judge: str, ties: Any) -> FloatArray:
    if judge not in data.judges:
        return np.full(len(data), np.nan)
    y, weight, _ = preferences(data, [judge], ties)
    return np.asarray(np.where(weight > 0, y, np.nan)[:, 0], dtype=np.float64)


def _read_texts(source: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    """Return the texts of pairs as `Candidates` has them, and what is wrong with those of each pair, "" if nothing."""
    for name in _TEXTS:
        check_texts(source[name])
    texts = pd.DataFrame({name: as_texts(source[name]) for name in _TEXTS}, index=source.index, dtype=object)
    before_a, before_b = _turns_before(source)
    other_request = source["prompt_b"].notna() if "prompt_b" in source else np.zeros(len(texts), dtype=bool)
    faults = {
        "no prompt": [text is None or not text.strip() for text in texts["prompt"]],
        "the responses answer different requests": other_request,
        "the turns before differ": [one != other for one, other in zip(before_a, before_b, strict=True)],
        "a turn of a tool": [any(turn["role"] == "tool" for turn in turns) for turns in before_a],
    }
    flags = np.asarray(flag_pairs(texts), dtype=object)
    wrong = [flags != "", *(np.asarray(rows, dtype=bool) for rows in faults.values())]
    return texts.assign(turns=before_a), np.select(wrong, [flags, *faults], default="").astype(object)


def _turns_before(source: pd.DataFrame) -> tuple[list[Any], list[Any]]:
    """Return what was said before the prompt, in the conversations of A and of B: for each pair a list of turns."""
    if {"context_a", "context_b"} <= set(source.columns):
        return _read_turns(source["context_a"]), _read_turns(source["context_b"])
    turns = _read_turns(source["context"]) if "context" in source.columns else [[] for _ in range(len(source))]
    return turns, turns


def _read_turns(column: pd.Series) -> list[list[dict[str, str]]]:
    try:
        return [read_turns(cell, f"column {column.name!r}, pair {pair!r}") for pair, cell in plain(column).items()]
    except DataError as error:
        raise ColumnError(f"{error}; if that is no part of the conversation, rename or drop the column") from error
