"""How long to wait before asking again, for all threads together."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from prefdissect.llm.server import TransientError

__all__ = ["Backoff"]

_T = TypeVar("_T")
_FIRST, _MOST = 0.5, 60.0


class Backoff:
    """Calls something again after transient errors, ever later; a busy server makes all threads wait.

    Parameters
    ----------
    retries
        How often to try again, after the first time. Where the server is busy, and has answered others meanwhile, as
        often once more: under a rate limit some thread always comes too late.
    stopped
        Set when the run is over: nobody waits on.
    first
        Seconds of the first wait; each one after it is twice as long, up to a minute, less up to a quarter by chance.
        What the server asks for goes before, up to two minutes.
    """

    def __init__(self, retries: int, stopped: threading.Event, *, first: float = _FIRST) -> None:
        self.retries = retries
        self._stopped = stopped
        self._first = first
        self._lock = threading.Lock()
        self._open_at = 0.0  # until then no thread asks
        self._answered = 0  # calls of all threads

    def call(self, ask: Callable[[], _T]) -> _T:
        """Return what `ask` returns, asked again as long as it raises `TransientError` and tries are left."""
        tried, answered = 0, self._answered
        while True:
            self._wait_for_all()
            try:
                found = ask()
            except TransientError as error:
                if error.busy and tried >= self.retries and self._answered > answered:
                    tried, answered = 0, self._answered
                if tried >= self.retries or self._stopped.is_set():
                    raise
                self._wait_after(error, tried)
                tried += 1
            else:
                self._count_answered()
                return found

    def _count_answered(self) -> None:
        with self._lock:
            self._answered += 1

    def _wait_for_all(self) -> None:
        while (left := self._open_at - time.monotonic()) > 0 and not self._stopped.wait(left):
            pass

    def _wait_after(self, error: TransientError, tried: int) -> None:
        own = min(self._first * 2.0**tried, _MOST) * (1 - 0.25 * random.random())
        seconds = own if error.retry_after is None else min(error.retry_after, 2 * _MOST) + own / 10
        if error.busy:
            with self._lock:
                self._open_at = max(self._open_at, time.monotonic() + seconds)
        else:
            self._stopped.wait(seconds)
