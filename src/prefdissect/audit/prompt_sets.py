"""Prompts to answer: a list, a table, a file, AlpacaEval's or MT-Bench's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from prefdissect._typing import TableLike
from prefdissect.data import load
from prefdissect.data.identity import as_names
from prefdissect.data.source import open_parts
from prefdissect.errors import ColumnError, DataError, DuplicateError, choices, show
from prefdissect.measure import assign_scenarios

__all__ = ["Prompts", "load_prompts", "sort_prompts"]

Prompts: TypeAlias = "Sequence[str] | pd.Series | pd.DataFrame | TableLike | str | Path"

_ON_THE_HUB = {
    # of AlpacaEval 2.0, whose baseline is GPT-4 Turbo; alpaca_eval.json beside it is 1.0's, with text-davinci-003
    "alpaca_eval": "hf://datasets/tatsu-lab/alpaca_eval/alpaca_eval_gpt4_baseline.json",
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
        to compare with) and `prompt_id` (`question_id`); `alpaca_eval` (2.0: the baseline is GPT-4 Turbo) or
        `mt_bench`, which come from the Hub.

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


def sort_prompts(prompts: Prompts, model: str, **options: Any) -> pd.DataFrame:
    """Return prompts with a column `scenario`: the kind of request that a model takes each for.

    Each different prompt is asked about once. A prompt of whose call nothing came is left out, with a warning.

    Parameters
    ----------
    prompts
        As for `load_prompts`; scenarios that they have are replaced.
    model
        Name by which the server knows the model that sorts.
    options
        Those of `assign_scenarios`: `scenarios`, `base_url`, `replies`, `limit` and so on.

    Raises
    ------
    DataError
        If no prompt has a scenario.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> prompts = pdx.sort_prompts("alpaca_eval", "gpt-4o-mini")  # doctest: +SKIP
    >>> prompts["scenario"].value_counts()  # doctest: +SKIP
    Functional Writing    151
    Name: count, dtype: int64
    """
    table = load_prompts(prompts)
    pairs = pd.DataFrame({"pair_id": table.index, "prompt": table["prompt"].to_numpy()})
    groups = assign_scenarios(load(pairs.assign(response_a="", response_b="")), model, **options).groups
    groups = groups.reindex(table.index)
    known = groups.to_numpy(dtype=bool).any(axis=1)
    if not known.any():
        raise DataError("no prompt has a scenario: no call gave one")
    return table.assign(scenario=groups.idxmax(axis=1).to_numpy()).iloc[np.flatnonzero(known)]


def _read(source: Any) -> pd.DataFrame:
    if isinstance(source, str) and source in _ON_THE_HUB:
        source = _ON_THE_HUB[source]
    if isinstance(source, pd.Series) or (isinstance(source, Sequence) and not isinstance(source, str | bytes)):
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
