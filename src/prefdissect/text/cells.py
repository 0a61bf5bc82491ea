"""The cells of a column of texts: text, or None where there is none."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from prefdissect.errors import ColumnError, show

__all__ = ["as_texts", "check_texts"]


def check_texts(column: pd.Series) -> None:
    """Raise if a cell is neither text, number, truth value nor missing.

    Raises
    ------
    ColumnError
        Naming the column, the pair and the cell.
    """
    if not pd.api.types.is_object_dtype(column):
        return  # text, numbers, truth values or categories of them: all can be written
    for pair, cell in column.items():
        if not (isinstance(cell, str) or _is_missing(cell) or isinstance(_plain(cell), bool | int | float)):
            raise ColumnError(
                f"column {column.name!r}, pair {pair!r}: {show(cell)} is a {type(cell).__name__}, not a text; of a "
                "conversation give the text of the last answer"
            )


def as_texts(column: pd.Series) -> list[str | None]:
    """Return the cells as text, None where there is none; numbers and truth values as they are written.

    Whole numbers lose their point: a gap in a column of whole numbers makes them floats.
    """
    return [_write(cell) for cell in column.astype(object)]


def _write(cell: Any) -> str | None:
    if isinstance(cell, str):
        return cell
    if _is_missing(cell):
        return None
    plain = _plain(cell)
    return str(int(plain)) if isinstance(plain, float) and plain.is_integer() else str(plain)


def _is_missing(cell: Any) -> bool:
    return cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and math.isnan(cell))


def _plain(cell: Any) -> Any:
    """Return a numpy scalar as the Python value that it holds."""
    return cell.item() if getattr(cell, "ndim", None) == 0 else cell
