"""Keep libraries of linear algebra from starting threads of their own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from threadpoolctl import ThreadpoolController

__all__ = ["one_blas_thread"]


@lru_cache(maxsize=1)
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


class _Users:
    """How many calls want one thread, and what the first of them found."""

    lock = threading.Lock()
    count = 0
    limiter: Any = None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep the linear algebra from threads of its own: on matrices this narrow they only wait.

    The first of several calls at once sets the limit, the last one lifts it.
    """
    with _Users.lock:
        _Users.count += 1
        if _Users.count == 1:
            _Users.limiter = _blas().limit(limits=1, user_api="blas")
    try:
        yield
    finally:
        with _Users.lock:
            _Users.count -= 1
            if _Users.count == 0:
                _Users.limiter.restore_original_limits()
