"""The texts of pairs, as models are shown them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prefdissect.errors import ColumnError, OptionError, choices, show

if TYPE_CHECKING:
    from prefdissect.data import PreferenceData

__all__ = ["PairTexts", "Prompts", "read_pairs", "read_prompts"]

_RESPONSES = ("response_a", "response_b")
_GIVEN = "reference"


@dataclass(frozen=True)
class PairTexts:
    """The texts of one pair; prompt and reference are None where there is none."""

    pair_id: str
    prompt: str | None
    responses: tuple[str, str]
    reference: str | None = None


Prompts = dict[str, str]  # a prompt to the id of the first pair that has it


def read_pairs(
    data: PreferenceData, *, needs_prompt: bool, references: str | Mapping[str, str] | None
) -> tuple[list[PairTexts], dict[str, str]]:
    """Return the pairs that can be rated, and for the others why not, by pair id.

    A pair of which one response is empty, or both are the same, is not shown to a model: fits leave it out.

    Raises
    ------
    ColumnError
        If a column of texts is missing, or a cell is no text.
    OptionError
        If `references` names no pair and no prompt of the data.
    """
    from prefdissect.data.flags import EMPTY, UNFIT, flags_of

    _need(data, (*(("prompt",) if needs_prompt else ()), *_RESPONSES))
    prompts = _texts(data, "prompt") if "prompt" in data.pairs.columns else [None] * len(data)
    known = _find_references(data, references)
    pairs, left_out = [], {}
    a_and_b = (_texts(data, c) for c in _RESPONSES)
    rows = zip(data.pairs.index, prompts, *a_and_b, known, flags_of(data.pairs), strict=True)
    for pair_id, prompt, a, b, reference, flag in rows:
        if flag in UNFIT or a is None or b is None:
            left_out[str(pair_id)] = flag or EMPTY
        elif needs_prompt and not (prompt or "").strip():
            left_out[str(pair_id)] = "empty prompt"
        else:
            pairs.append(PairTexts(str(pair_id), prompt, (a, b), reference))
    return pairs, left_out


def read_prompts(data: PreferenceData) -> Prompts:
    """Return the distinct prompts, each with the id of its first pair; empty ones are left out.

    Raises
    ------
    ColumnError
        If there is no column of prompts, or a cell is no text.
    """
    _need(data, ("prompt",))
    found: Prompts = {}
    for pair_id, prompt in zip(data.pairs.index, _texts(data, "prompt"), strict=True):
        if prompt is not None and prompt.strip():
            found.setdefault(prompt, str(pair_id))
    return found


def _need(data: PreferenceData, columns: tuple[str, ...]) -> None:
    missing = [c for c in columns if c not in data.pairs.columns]
    if missing:
        raise ColumnError(
            f"a model is shown the columns {', '.join(map(repr, columns))}; missing: {', '.join(map(repr, missing))}; "
            f"found: {', '.join(map(repr, data.source_columns)) or 'none'}; rename yours to these"
        )


def _texts(data: PreferenceData, column: str) -> list[str | None]:
    from prefdissect.text.cells import as_texts, check_texts

    check_texts(data.pairs[column])
    return as_texts(data.pairs[column])


def _find_references(data: PreferenceData, references: str | Mapping[str, str] | None) -> list[str | None]:
    """Return the reference of each pair: from a column, or by the id of pair or prompt; None where there is none."""
    if references is None and _GIVEN not in data.pairs.columns:
        return [None] * len(data)
    if references is None or isinstance(references, str):
        column = references or _GIVEN
        if column not in data.pairs.columns:
            raise OptionError(f"references={column!r} is no column; {choices(column, data.source_columns)}")
        found = _texts(data, column)
    else:
        found = _look_up(data, references)
    return [text if text is not None and text.strip() else None for text in found]


def _look_up(data: PreferenceData, references: Mapping[str, str]) -> list[str | None]:
    ids = list(zip(data.pairs.index.astype(str), data.pairs["prompt_id"].astype(object), strict=True))
    known = {name for both in ids for name in both}
    strange = [name for name in references if name not in known]
    if strange:
        raise OptionError(
            f"references: {strange[0]!r} is the id of no pair and no prompt ({len(strange)} such); "
            f"{choices(strange[0], data.pairs.index, most=3)}"
        )
    wrong = next((name for name, text in references.items() if not isinstance(text, str)), None)
    if wrong is not None:
        raise OptionError(f"references: {show(references[wrong])} of {wrong!r} is no text")
    return [references.get(pair, references.get(prompt)) for pair, prompt in ids]
