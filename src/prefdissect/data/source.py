"""From what a user gives, a table, a file, a folder or several of them, to the parts that readers take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prefdissect._typing import TableLike
from prefdissect.data.files import ENDINGS, is_data_file, read_content
from prefdissect.data.frame import as_frame
from prefdissect.data.hub import fetch, is_hub_address
from prefdissect.data.readers.layout import Part
from prefdissect.errors import DataError, FileFormatError, OptionError, show

__all__ = ["open_parts"]


def open_parts(source: Any, *, split: str | None = None, revision: str | None = None) -> list[Part]:
    """Return the parts of a source, in the order given; those of a folder in the order of their names.

    Raises
    ------
    OptionError
        If a split or revision is asked of what is no address on the Hub.
    HubError
        If a data set of the Hub cannot be had.
    FileFormatError
        If a file cannot be read, or a folder holds none.
    DataError
        If the source is nothing that holds a table.
    """
    if is_hub_address(source):
        return _same_columns(source, [_open_file(path) for path in fetch(source, split=split, revision=revision)])
    for name, value in (("split", split), ("revision", revision)):
        if value is not None:
            raise OptionError(f"{name}={value!r} goes with an address on the Hub, such as hf://datasets/OWNER/NAME")
    if isinstance(source, str | Path):
        return [_open_file(path) for path in _list_files(Path(source))]
    if isinstance(source, Sequence) and not isinstance(source, bytes) and source:
        if not all(isinstance(item, str | Path | pd.DataFrame | TableLike) for item in source):
            raise DataError(
                f"cannot read a {type(source).__name__} that holds {show(source[0])}; give paths or DataFrames (or "
                "anything whose .to_pandas() makes one)"
            )
        return [part for item in source for part in open_parts(item)]
    return [Part("table", _with_lists(as_frame(source)))]


def _same_columns(source: str | Path, parts: list[Part]) -> list[Part]:
    """Return the parts of one split, which must be pieces of one table."""
    for part in parts:
        if part.columns != parts[0].columns:
            raise FileFormatError(
                f"{parts[0].where} and {part.where} of {str(source)!r} have different columns; name one of them"
            )
    return parts


def _list_files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.is_file() and is_data_file(file))
    if not files:
        raise FileFormatError(f"the folder {str(path)!r} holds no table: no file that ends in {', '.join(ENDINGS)}")
    return files


def _open_file(path: Path) -> Part:
    content = read_content(path)
    name = path.name.removesuffix(".gz").removesuffix(".GZ")
    table = _with_lists(as_frame(content)) if isinstance(content, pd.DataFrame) else content
    return Part(Path(name).stem, table, repr(str(path)))


def _with_lists(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with lists for cells that are arrays, as parquet and numpy give them: `==` compares those."""
    nested = [c for c in table.columns if any(isinstance(cell, np.ndarray) for cell in _cells(table[c]))]
    lists = {c: [cell.tolist() if isinstance(cell, np.ndarray) else cell for cell in table[c]] for c in nested}
    return table.assign(**{c: pd.Series(cells, index=table.index, dtype=object) for c, cells in lists.items()})


def _cells(column: pd.Series) -> Iterable[object]:
    """Return the cells that may be anything."""
    return column if pd.api.types.is_object_dtype(column) else ()
