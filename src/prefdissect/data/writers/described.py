"""The pairs as a writer takes them: what the source said of them, with a column that names the scenario."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from prefdissect.data.cells import plain
from prefdissect.data.flags import FLAG
from prefdissect.data.identity import as_names

if TYPE_CHECKING:
    from prefdissect.data.preference_data import PreferenceData

__all__ = ["describe_pairs", "plain_value"]

_NESTED = (dict, list, tuple, set, np.ndarray)


def describe_pairs(data: PreferenceData) -> pd.DataFrame:
    """Return `pairs` without the flag, with the scenario's name, nested cells as JSON text.

    A column whose cells are of several kinds, which no file can hold, becomes text.
    """
    pairs = data.pairs.drop(columns=FLAG, errors="ignore")
    pairs = pairs.set_axis([str(c) for c in pairs.columns], axis=1)
    scenarios = [g for g in data.groups.columns if data.group_kinds[g] == "scenario"]
    if "scenario" in pairs.columns:
        pairs["scenario"] = as_names(pairs["scenario"])
    elif scenarios:
        marked = data.groups[scenarios].to_numpy(dtype=bool)
        names = np.where(marked.any(axis=1), np.array(scenarios, dtype=object)[marked.argmax(axis=1)], None)
        pairs["scenario"] = pd.Series(names, index=pairs.index, dtype="str")
    columns = {name: _flatten(pairs[name]) for name in pairs.columns}
    return pd.DataFrame(columns, index=pairs.index)


def _flatten(column: pd.Series) -> pd.Series:
    if not pd.api.types.is_object_dtype(column):
        return column
    cells = [_to_json(cell) if isinstance(cell, _NESTED) else cell for cell in plain(column)]
    if pd.api.types.infer_dtype(cells, skipna=True) in ("mixed", "mixed-integer"):
        cells = [None if cell is None else str(cell) for cell in cells]
    return pd.Series(cells, index=column.index, dtype=object)


def _to_json(cell: Any) -> str:
    return json.dumps(cell, ensure_ascii=False, default=plain_value)


def plain_value(value: Any) -> Any:
    """Return what JSON has no word for as something that it has: arrays as lists, all else as text."""
    if isinstance(value, set):
        return sorted(value, key=str)
    return value.tolist() if hasattr(value, "tolist") else str(value)
