"""From the codes that a source has for verdicts to the words that ours have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from prefdissect.data.cells import plain
from prefdissect.errors import VerdictError, show

__all__ = ["decode", "decode_sign"]


def decode(cells: pd.Series, codes: Mapping[Any, Any], *, missing: Any = "invalid") -> pd.Series:
    """Return each cell's word; texts are compared without case and spaces around, and "2" is 2.

    True is the word "true" and never 1: yes or no does not say which of two responses is meant.

    Raises
    ------
    VerdictError
        For a cell that is none of the codes; the message names column, row and value.
    """
    known = {_fold(code): word for code, word in codes.items()}
    return _map(cells, lambda cell: known[_fold(cell)], f"valid: {', '.join(map(show, codes))}", missing)


def decode_sign(cells: pd.Series, *, most: float, missing: Any = "invalid") -> pd.Series:
    """Return A where a number is below 0, B where it is above, tie at 0; at most `most` from it.

    Raises
    ------
    VerdictError
        For a cell that is no such number.
    """

    def read(cell: Any) -> str:
        number = float(cell)
        if not abs(number) <= most or isinstance(cell, bool | np.bool_):
            raise ValueError(cell)
        return "A" if number < 0 else "B" if number > 0 else "tie"

    return _map(cells, read, f"a number from {-most:g} (A is better) to {most:g} (B is better)", missing)


def _fold(code: Any) -> Any:
    if isinstance(code, bool | np.bool_):  # before numbers: True equals 1, also as a key
        return str(code).casefold()
    if not isinstance(code, str):
        return float(code) if isinstance(code, int | float) else code
    plain_text = code.strip().casefold()
    try:
        return float(plain_text)
    except ValueError:
        return plain_text


def _map(cells: pd.Series, read: Callable[[Any], Any], valid: str, missing: Any) -> pd.Series:
    out = []
    for row, cell in plain(cells).items():
        if cell is None:
            out.append(missing)
            continue
        try:
            out.append(read(cell))
        except (KeyError, TypeError, ValueError):
            raise VerdictError(
                f"column {cells.name!r}, row {row}: {show(cell)} is no verdict; {valid}; other codes need translating "
                f"first: table[{cells.name!r}].replace({{...}})"
            ) from None
    return pd.Series(out, index=cells.index, dtype=object)
