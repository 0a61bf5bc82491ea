"""How the inner loops are compiled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from numba import njit

__all__ = ["SOURCES", "compiled"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _digest_sources() -> str:
    sources = b"".join(file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py")))
    return hashlib.blake2b(sources, digest_size=6).hexdigest()


SOURCES = _digest_sources()


def compiled(*, inner: bool = False, **options: Any) -> Callable[[_Function], _Function]:
    """Return a decorator that compiles a function without the interpreter's lock, and keeps the result on disk.

    Numba looks whether a function's own file has changed, not those of the functions that it calls. It files
    what it compiled under the function's name, so the name here says what all the files hold. An `inner`
    function is called by compiled ones only, whose files hold it: it has no door to Python and no file.
    """

    def compile_one(function: _Function) -> _Function:
        how = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True, "no_cpython_wrapper": inner} | options
        function.__qualname__ += f"-{SOURCES}"
        try:
            return njit(cache=not inner, **how)(function)
        except RuntimeError:  # numba found no folder that it may write to: compile in each process
            return njit(**how)(function)

    return compile_one
