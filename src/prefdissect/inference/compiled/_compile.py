"""How the inner loops are compiled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from numba import njit

__all__ = ["compiled"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(**options: Any) -> Callable[[_Function], _Function]:
    """Return a decorator that compiles a function without the interpreter's lock, and keeps the result on disk."""

    def compile_one(function: _Function) -> _Function:
        how = {"nogil": True, "error_model": "numpy"} | options
        try:
            return njit(cache=True, **how)(function)
        except RuntimeError:  # numba found no folder that it may write to: compile in each process
            return njit(**how)(function)

    return compile_one


def _forget_what_changed() -> None:
    """Delete what an earlier source was compiled to: numba looks at a function's own file, not at those it calls."""
    folder = Path(__file__).parent
    changed = max(file.stat().st_mtime for file in folder.glob("*.py"))
    for index in folder.glob("__pycache__/*.nbi"):
        if index.stat().st_mtime < changed:
            index.unlink(missing_ok=True)


_forget_what_changed()
