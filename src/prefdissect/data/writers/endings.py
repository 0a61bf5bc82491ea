"""What writes a table, by the ending of its file."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from prefdissect.data.cells import plain
from prefdissect.data.writers.described import plain_value
from prefdissect.errors import FileFormatError

__all__ = ["table_writer"]

_Write: TypeAlias = Callable[[pd.DataFrame, Path], Any]


def table_writer(path: Path, *, without: Collection[str] = ()) -> tuple[str, _Write]:
    """Return the file's name without ending, and what writes such a file; `without` are endings that will not do.

    Raises
    ------
    FileFormatError
        If no table has that ending.
    """
    zipped = path.suffix.lower() == ".gz"
    inner = path.with_suffix("") if zipped else path
    writers = {ending: write for ending, write in _WRITERS.items() if ending not in without}
    write = writers.get(inner.suffix.lower())
    if write is None or (zipped and write is _write_parquet):
        raise FileFormatError(
            f"{str(path)!r}: no table has that ending; valid: {', '.join(writers)}, and .gz on top of all but .parquet"
        )
    return inner.stem, write


def _write_parquet(table: pd.DataFrame, path: Path) -> None:
    table.to_parquet(path, index=False)


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    _write_bytes(path, table.to_csv(None, index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC))


def _write_json(table: pd.DataFrame, path: Path) -> None:
    _write_bytes(path, "[\n" + ",\n".join(_json_rows(table)) + "\n]\n")


def _write_json_lines(table: pd.DataFrame, path: Path) -> None:
    _write_bytes(path, "".join(f"{row}\n" for row in _json_rows(table)))


def _json_rows(table: pd.DataFrame) -> list[str]:
    columns = [plain(table[name]).tolist() for name in table.columns]
    rows = zip(*columns, strict=True)
    return [
        json.dumps(dict(zip(table.columns, row, strict=True)), ensure_ascii=False, default=plain_value) for row in rows
    ]


def _write_bytes(path: Path, text: str) -> None:
    content = text.encode("utf-8")
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix.lower() == ".gz" else content)


_WRITERS: dict[str, Callable[[pd.DataFrame, Path], Any]] = {
    ".parquet": _write_parquet,
    ".csv": _write_csv,
    ".json": _write_json,
    ".jsonl": _write_json_lines,
    ".ndjson": _write_json_lines,
}
