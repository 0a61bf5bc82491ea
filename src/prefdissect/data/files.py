"""Tables from files, by the file's ending."""

from __future__ import annotations

import csv
import gzip
import json
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from prefdissect.errors import FileFormatError

__all__ = ["ENDINGS", "is_data_file", "read_content"]

_BY_PANDAS = "or read it with pandas, where sep=, decimal= and encoding= can be set, and pass the DataFrame"
_TEXTS = ("prompt", "response_a", "response_b", "model_a", "model_b", "judge", "cluster", "scenario")
_GAPS = ("NA", "N/A", "NaN", "nan", "NULL", "null", "None", "<NA>")
_ENDINGS_OF_IDS = ("_id", "_id_a", "_id_b")


def _read_json(path: Path) -> Any:
    """Return a table where the file holds a list of objects, else what it holds."""
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig") as file:
        content = json.load(file)
    rows = isinstance(content, list) and all(isinstance(row, dict) for row in content)
    return pd.DataFrame(content) if rows else content


def _read_json_lines(path: Path) -> pd.DataFrame:
    opener: Callable[..., Any] = gzip.open if path.suffix.lower() == ".gz" else open
    rows = []
    with opener(path, "rt", encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise FileFormatError(f"{str(path)!r}, line {number}: not JSON ({error})") from error
            if not isinstance(row, dict):
                raise FileFormatError(f"{str(path)!r}, line {number}: {type(row).__name__} instead of an object")
            rows.append(row)
    return pd.DataFrame(rows)


def _read_csv(path: Path) -> pd.DataFrame:
    """Read a CSV file; ids and texts as they stand, so that 007 stays 007 and "None" a word."""
    opener: Callable[..., Any] = gzip.open if path.suffix.lower() == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file), [])
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        raise FileFormatError(
            f"{str(path)!r} has one column {header[0][:60]!r}: its cells seem to be separated by another mark than a "
            f"comma; {_BY_PANDAS}"
        )
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise FileFormatError(f"{str(path)!r} has more than one column {twice[0]!r}; rename or drop the others")
    as_it_stands = {name: _text_or_none for name in header if name in _TEXTS or name.endswith(_ENDINGS_OF_IDS)}
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header
        try:
            table = pd.read_csv(path, index_col=False, converters=as_it_stands, keep_default_na=False, na_values=[""])
        except pd.errors.ParserWarning as error:
            raise FileFormatError(f"{str(path)!r}: a row has more cells than the header ({error})") from error
    others = {name: _fill_gaps(table[name]) for name in table.columns if name not in as_it_stands}
    return table.assign(**others).convert_dtypes(dtype_backend="numpy_nullable")


def _fill_gaps(column: pd.Series) -> pd.Series:
    """Return a column of numbers with gaps written as NA or NaN as numbers; words such as NA stay words elsewhere."""
    if pd.api.types.is_numeric_dtype(column):
        return column
    filled = column.mask(column.isin(_GAPS))
    numbers = pd.to_numeric(filled, errors="coerce")
    return numbers if filled.notna().any() and numbers.notna().eq(filled.notna()).all() else column


def _text_or_none(cell: str) -> str | None:
    return cell or None


_READERS: dict[str, Callable[[Path], Any]] = {
    ".parquet": pd.read_parquet,
    ".csv": _read_csv,
    ".json": _read_json,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
}


ENDINGS = tuple(_READERS)


def is_data_file(path: Path) -> bool:
    """Return whether a file ends as one that can be read."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    return bool(suffixes) and (suffixes[-1] in _READERS or (suffixes[-1] == ".gz" and suffixes[0] in _READERS))


def read_content(path: str | Path) -> Any:
    """Read parquet, CSV, JSON or JSON Lines; all but parquet may be gzipped.

    A DataFrame, but for JSON that is no list of objects: that comes back as it is.

    Raises
    ------
    FileFormatError
        If the file is missing, has another ending, or cannot be read.
    """
    path = Path(path)
    zipped = path.suffix.lower() == ".gz"
    endings = path.suffixes[-2:] if zipped else path.suffixes[-1:]
    reader = _READERS.get(endings[0].lower()) if endings else None
    if reader is None or (zipped and reader is pd.read_parquet):
        raise FileFormatError(
            f"{str(path)!r}: no table has that ending; valid: {', '.join(_READERS)}, and .gz on top; {_BY_PANDAS}"
        )
    if not path.is_file():
        raise FileFormatError(f"there is no file {str(path)!r}")
    try:
        return reader(path)
    except FileFormatError:
        raise
    except (OSError, EOFError, ValueError, RecursionError, zlib.error) as error:  # pyarrow's are ValueErrors too
        raise FileFormatError(f"cannot read {str(path)!r} as {endings[0]}: {error}; {_BY_PANDAS}") from error
