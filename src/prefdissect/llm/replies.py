"""Every reply that was paid for, in one sqlite file."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from prefdissect.errors import FileFormatError
from prefdissect.llm.request import Reply, Request

if TYPE_CHECKING:
    from typing import Self

__all__ = ["ReplyCache"]

_APPLICATION = 0x70646C72  # marks the file as one of ours ("pdlr")
_VERSION = 1
_PATIENCE = 60.0  # seconds to wait for others that have the file open
_TABLE = """
CREATE TABLE IF NOT EXISTS replies (
    key TEXT PRIMARY KEY,
    request TEXT NOT NULL,
    reply TEXT NOT NULL,
    unusable TEXT,
    asked_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) WITHOUT ROWID
"""


class ReplyCache:
    """Replies by the hash of their whole request, in a sqlite file; each is on disk before it is used.

    Parameters
    ----------
    path
        The file; made where there is none, with its folder. None keeps replies in memory only.

    Raises
    ------
    FileFormatError
        If the file is there and is something else.

    Examples
    --------
    >>> from prefdissect.llm import Reply, ReplyCache, Request
    >>> request = Request(model="m", messages=(("user", "Hello"),))
    >>> with ReplyCache(None) as replies:
    ...     replies.keep("http://127.0.0.1/v1", request, Reply("Hi"))
    ...     replies.find("http://127.0.0.1/v1", request).text
    'Hi'
    """

    def __init__(self, path: str | Path | None) -> None:
        self.path = None if path is None else Path(path)
        self._lock = threading.Lock()
        try:
            if self.path is not None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = _connect(self.path)
        except (OSError, sqlite3.Error) as error:
            raise _unfit(path, error) from None
        try:
            self._open()
        except sqlite3.Error as error:
            self._db.close()
            raise _unfit(path, error) from None

    def _open(self) -> None:
        """Make sure of the file, as one step: several processes may open a new one at the same time."""
        self._db.execute("BEGIN IMMEDIATE")
        found = self._db.execute("PRAGMA application_id").fetchone()[0]
        tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if tables and (found != _APPLICATION or version > _VERSION):
            raise sqlite3.DatabaseError("it holds other tables, or those of a later version")
        if not tables:
            self._db.execute(f"PRAGMA application_id = {_APPLICATION}")
            self._db.execute(f"PRAGMA user_version = {_VERSION}")
            self._db.execute(_TABLE)
        self._db.execute("COMMIT")
        # With a log written ahead a killed process loses nothing that was committed, without waiting for the disk.
        self._write_ahead()
        self._db.execute("PRAGMA synchronous = NORMAL")

    def _write_ahead(self) -> None:
        """Switch to a log written ahead; while others open the file sqlite refuses that at once, without waiting."""
        ends = time.monotonic() + _PATIENCE
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > ends:
                    raise
                time.sleep(0.01)

    def find(self, base_url: str, request: Request) -> Reply | None:
        """Return the reply to this very request, or None if it was never answered."""
        with self._lock:
            row = self._db.execute("SELECT reply FROM replies WHERE key = ?", (request.key(base_url),)).fetchone()
        return Reply.from_json(row[0]) if row else None

    def keep(self, base_url: str, request: Request, reply: Reply) -> None:
        """Write a reply to the file."""
        asked = json.dumps([base_url, request.path, request.body, request.repeat])
        with self._lock:
            self._db.execute(
                "INSERT OR REPLACE INTO replies (key, request, reply) VALUES (?, ?, ?)",
                (request.key(base_url), asked, reply.to_json()),
            )

    def mark_unusable(self, base_url: str, request: Request, reason: str) -> None:
        """Note why a reply could not be used; it stays, and `forget_unusable` clears the way to ask again."""
        with self._lock:
            self._db.execute("UPDATE replies SET unusable = ? WHERE key = ?", (reason, request.key(base_url)))

    def forget_unusable(self, base_url: str, request: Request) -> bool:
        """Drop the reply to this request if it was marked unusable; return whether it was."""
        with self._lock:
            gone = self._db.execute(
                "DELETE FROM replies WHERE key = ? AND unusable IS NOT NULL", (request.key(base_url),)
            )
        return gone.rowcount > 0

    def __len__(self) -> int:
        """Return the number of replies."""
        with self._lock:
            return int(self._db.execute("SELECT count(*) FROM replies").fetchone()[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; replies kept so far stay in it."""
        with self._lock:
            self._db.close()


def _connect(path: Path | None) -> sqlite3.Connection:
    return sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None, timeout=_PATIENCE)


def _unfit(path: str | Path | None, error: Exception) -> FileFormatError:
    said = getattr(error, "strerror", None) or error
    return FileFormatError(f"{str(path)!r} is no file of replies ({said}); name another one: replies='replies.sqlite'")
