"""Cells that hold lists and mappings, as they are or written as text."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from prefdissect.errors import DataError, show

__all__ = ["as_items", "as_mapping", "is_missing"]


def is_missing(cell: Any) -> bool:
    """Return whether a cell is empty, however that is written."""
    return cell is None or cell is pd.NA or (isinstance(cell, float) and bool(np.isnan(cell)))


def as_items(cell: Any, where: str) -> list[Any] | None:
    """Return a cell that holds a list, also one written as JSON or as Python writes it; None if it is empty.

    Raises
    ------
    DataError
        If it holds something else.
    """
    if is_missing(cell):
        return None
    if isinstance(cell, str):
        cell = _parse(cell)
    if isinstance(cell, list | tuple | np.ndarray):
        return list(cell)
    raise DataError(f"{where}: {show(cell)} is no list")


def _parse(text: str) -> Any:
    """Read JSON, else a Python literal; a text that is neither comes back as it is."""
    for read in (json.loads, _read_literal):
        try:
            return read(text)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            continue
    return text


def _read_literal(text: str) -> Any:
    """Read what Python writes for lists and mappings, NaN in them included, which `ast.literal_eval` does not know."""
    return ast.literal_eval(_Gaps().visit(ast.parse(text.strip(), mode="eval")))


class _Gaps(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(float("nan")) if node.id == "nan" else node


def as_mapping(cell: Any, where: str) -> Mapping[Any, Any]:
    """Return a cell that holds a mapping; an empty one if it is empty.

    Raises
    ------
    DataError
        If it holds something else.
    """
    if is_missing(cell):
        return {}
    if isinstance(cell, Mapping):
        return cell
    raise DataError(f"{where}: {show(cell)} is no mapping of names to values")
