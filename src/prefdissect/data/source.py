"""From what a user gives, a table, a file, a folder or several of them, to the parts that readers take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from prefdissect._typing import TableLike
from prefdissect.data.files import ENDINGS, is_data_file, read_content
from prefdissect.data.frame import as_frame
from prefdissect.data.readers.layout import Part
from prefdissect.errors import DataError, FileFormatError, show

__all__ = ["open_parts"]


def open_parts(source: Any) -> list[Part]:
    """Return the parts of a source, in the order given; those of a folder in the order of their names.

    Raises
    ------
    FileFormatError
        If a file cannot be read, or a folder holds none.
    DataError
        If the source is nothing that holds a table.
    """
    if isinstance(source, str | Path):
        return [_open_file(path) for path in _list_files(Path(source))]
    if isinstance(source, Sequence) and not isinstance(source, bytes) and source:
        if not all(isinstance(item, str | Path | pd.DataFrame | TableLike) for item in source):
            raise DataError(
                f"cannot read a {type(source).__name__} that holds {show(source[0])}; give paths or DataFrames (or "
                "anything whose .to_pandas() makes one)"
            )
        return [part for item in source for part in open_parts(item)]
    return [Part("table", as_frame(source))]


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
    return Part(Path(name).stem, as_frame(content) if isinstance(content, pd.DataFrame) else content, repr(str(path)))
