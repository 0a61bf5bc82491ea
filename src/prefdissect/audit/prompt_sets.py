"""Prompts to answer: a list, a table, a file, AlpacaEval's or MT-Bench's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from prefdissect._typing import TableLike
from prefdissect.data.identity import as_names
from prefdissect.data.source import open_parts
from prefdissect.errors import ColumnError, DataError, DuplicateError, choices, show

__all__ = ["Prompts", "load_prompts"]

Prompts = Sequence[str] | pd.DataFrame | TableLike | str | Path

_ON_THE_HUB = {
    "alpaca_eval": "hf://datasets/tatsu-lab/alpaca_eval/alpaca_eval.json",
    "mt_bench": "hf://datasets/HuggingFaceH4/mt_bench_prompts",
}
_COLUMNS = {
    "prompt": ("prompt", "instruction", "turns", "query"),  # a list holds the turns, of which the first is taken
    "baseline": ("baseline", "output"),
    "scenario": ("scenario", "dataset", "category"),
    "prompt_id": ("prompt_id", "question_id"),
}


def load_prompts(source: Prompts) -> pd.DataFrame:
    """Return prompts, one row each: `prompt`, and where the source has them `scenario` and `baseline`.

    Parameters
    ----------
    source
        Texts; a table or file with a column `prompt` (or `instruction`, as AlpacaEval has it, or `turns`, as MT-Bench,
        of which the first is taken), and perhaps `scenario` (`dataset`, `category`), `baseline` (`output`: the response
        to compare with) and `prompt_id` (`question_id`); `alpaca_eval` or `mt_bench`, which come from the Hub.

    Returns
    -------
    DataFrame
        Indexed by `prompt_id`, numbered from 0 where the source has no names.

    Raises
    ------
    ColumnError
        If there is no column of prompts.
    DataError
        If there is no prompt, one is no text or empty, or an id stands twice.

    Examples
    --------
    >>> from prefdissect.audit import load_prompts
    >>> load_prompts(["Why is the sky blue?", "Name three rivers."])["prompt"].tolist()
    ['Why is the sky blue?', 'Name three rivers.']
    """
    table = _read(source)
    found = {name: next((c for c in known if c in table.columns), None) for name, known in _COLUMNS.items()}
    if found["prompt"] is None:
        raise ColumnError(
            f"no column of prompts; {choices('prompt', map(str, table.columns))}; call it 'prompt', or give "
            "a list of texts"
        )
    prompts = pd.DataFrame({name: table[column].to_numpy() for name, column in found.items() if column is not None})
    if not len(prompts):
        raise DataError("there are no prompts")
    prompts["prompt"] = [_first_turn(cell, row) for row, cell in enumerate(prompts["prompt"])]
    names = prompts.pop("prompt_id") if "prompt_id" in prompts else pd.Series(range(len(prompts)))
    prompts.index = pd.Index(as_names(names), name="prompt_id")
    if prompts.index.has_duplicates:
        raise DuplicateError(f"prompt_id {prompts.index[prompts.index.duplicated()][0]!r} stands more than once")
    return prompts


def _read(source: Any) -> pd.DataFrame:
    if isinstance(source, str) and source in _ON_THE_HUB:
        source = _ON_THE_HUB[source]
    if isinstance(source, Sequence) and not isinstance(source, str | bytes):
        return pd.DataFrame({"prompt": list(source)})
    parts = open_parts(source)
    tables = [part.content if isinstance(part.content, pd.DataFrame) else pd.DataFrame(part.content) for part in parts]
    return pd.concat(tables, ignore_index=True)


def _first_turn(cell: Any, row: int) -> str:
    """Return a prompt as text; of several turns the first."""
    if isinstance(cell, list | tuple) and cell:
        cell = cell[0]
    if not isinstance(cell, str) or not cell.strip():
        raise DataError(f"prompt {row} is {show(cell)}, which is no text; leave it out")
    return cell
