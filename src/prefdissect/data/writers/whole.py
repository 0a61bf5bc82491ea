"""A file is written whole or not at all, and what cannot be written says so."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from prefdissect.errors import DataError, FileFormatError

__all__ = ["write_text", "write_whole"]


def write_whole(path: str | Path, write: Callable[[Path], object]) -> Path:
    """Let `write` fill a file beside `path`, then move it there; return the path.

    Raises
    ------
    FileFormatError
        If `path` is a folder, is in none, or cannot be written.
    DataError
        If the content is nothing that such a file can hold.
    """
    path = Path(path)
    if path.is_dir():
        raise FileFormatError(f"cannot write {str(path)!r}: it is a folder; name a file in it")
    if not path.parent.is_dir():
        raise FileFormatError(f"cannot write {str(path)!r}: there is no folder {str(path.parent)!r}")
    try:
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            whole = Path(folder) / path.name
            write(whole)
            whole.replace(path)
    except OSError as error:
        raise FileFormatError(f"cannot write {str(path)!r}: {error}") from error
    except (UnicodeEncodeError, pa.ArrowException) as error:
        raise DataError(f"cannot write {str(path)!r}: it cannot hold these cells ({error})") from error
    return path


def write_text(path: str | Path, text: str) -> Path:
    """Write a text as UTF-8; errors as of `write_whole`."""
    return write_whole(path, lambda whole: whole.write_bytes(text.encode("utf-8")))
