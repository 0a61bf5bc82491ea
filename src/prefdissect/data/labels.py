"""Labels of one judge in a file: a list in the order of the pairs, or by pair id."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from prefdissect.data.files import read_content
from prefdissect.errors import ColumnError, DuplicateError, FileFormatError

__all__ = ["read_labels"]


def read_labels(path: str | Path) -> list[Any] | dict[str, Any]:
    """Return the labels in a file: a list, one per pair in the order of the data, or a mapping from pair id.

    JSON: a list of labels, or an object from pair id to label. CSV and other tables: one column of labels, or a column
    `pair_id` and one of labels.

    Raises
    ------
    FileFormatError
        If the file holds something else.
    ColumnError
        If a table has more columns than that.
    DuplicateError
        If a pair id stands twice.

    Examples
    --------
    >>> import json, tempfile
    >>> from pathlib import Path
    >>> from prefdissect.data import read_labels
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "new.json")
    ...     _ = file.write_text(json.dumps({"pair-0": "A", "pair-1": "B"}))
    ...     read_labels(file)
    {'pair-0': 'A', 'pair-1': 'B'}
    """
    path = Path(path)
    content = read_content(path)
    if isinstance(content, pd.DataFrame):
        return _of_table(content, path)
    if isinstance(content, Mapping):
        return {str(pair): label for pair, label in content.items()}
    if isinstance(content, list):
        return content
    raise FileFormatError(
        f"{str(path)!r} holds {type(content).__name__}; labels are a list, one per pair, or an object by pair_id"
    )


def _of_table(table: pd.DataFrame, path: Path) -> list[Any] | dict[str, Any]:
    others = [column for column in table.columns if column != "pair_id"]
    if len(others) != 1:
        raise ColumnError(
            f"{str(path)!r} has columns {list(table.columns)}; labels are one column, with or without a column pair_id"
        )
    labels = table[others[0]].astype(object)
    labels = labels.where(labels.notna(), None)
    if "pair_id" not in table.columns:
        return labels.tolist()
    ids = table["pair_id"].astype(str)
    if ids.duplicated().any():
        raise DuplicateError(f"{str(path)!r} holds pair_id {ids[ids.duplicated()].iloc[0]!r} more than once")
    return dict(zip(ids, labels, strict=True))
