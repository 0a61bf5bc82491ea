"""The cells of a column, whatever its dtype: plain Python values, None where there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd

from prefdissect._typing import FloatArray
from prefdissect.errors import ColumnError, show

__all__ = ["first_text", "is_numeric", "mostly_numbers", "plain", "read_numbers"]

_MOST = 0.5

_NUMERIC = ("boolean", "decimal", "floating", "integer", "mixed-integer-float")


def plain(column: pd.Series) -> pd.Series:
    """Return the column as objects, None where a cell is missing."""
    return column.astype(object).where(column.notna(), None)


def is_numeric(column: pd.Series) -> bool:
    """Return whether all cells are numbers; gaps do not matter, but a column of gaps alone must say so."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return False
    if pd.api.types.is_numeric_dtype(column):
        return not pd.api.types.is_complex_dtype(column)
    return pd.api.types.infer_dtype(plain(column), skipna=True) in _NUMERIC


def mostly_numbers(column: pd.Series) -> bool:
    """Return whether more than half of the cells that are not empty read as numbers."""
    cells = plain(column).dropna()
    return len(cells) > 0 and bool(pd.to_numeric(cells.astype(str), errors="coerce").notna().mean() > _MOST)


def first_text(column: pd.Series) -> tuple[object, object]:
    """Return row and content of the first cell that reads as no number; of the first cell if all do."""
    cells = plain(column).dropna()
    wrong = cells[pd.to_numeric(cells.astype(str), errors="coerce").isna()]
    first = wrong if len(wrong) else cells
    return first.index[0], first.iloc[0]


def read_numbers(column: pd.Series, name: str, *, whole: bool = False, gaps: bool = False) -> FloatArray:
    """Return a column of finite numbers of at least 0, whole ones if `whole`; NaN where empty, if `gaps` may be.

    Raises
    ------
    ColumnError
        Naming the column, the row and the value.
    """
    numbers = pd.to_numeric(plain(column).astype(object).map(_real), errors="coerce").astype(float)
    wrong = ~((numbers >= 0) & (numbers < float("inf")) & ((numbers % 1 == 0) | (not whole)))
    wrong &= column.notna() | (not gaps)
    if wrong.any():
        row = column.index[int(wrong.to_numpy().argmax())]
        kind = "whole number" if whole else "finite number"
        raise ColumnError(f"column {name!r}, row {row}: {show(column.loc[row])} is not a {kind} of at least 0")
    return np.asarray(numbers, dtype=np.float64)


def _real(cell: object) -> object:
    """Return a complex cell as the real number that it is, or as none; any other as it stands."""
    if not isinstance(cell, complex | np.complexfloating):
        return cell
    return float(cell.real) if cell.imag == 0 else None
