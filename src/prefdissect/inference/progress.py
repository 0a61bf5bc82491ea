"""A bar that shows where work takes more than a moment and someone may look."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["progress_bar"]


def progress_bar(what: str, total: float, progress: bool | None) -> Any:
    """Return a bar of tqdm's, to be used as a context; None shows it if a person is likely to look."""
    from tqdm.auto import tqdm

    return tqdm(
        total=total,
        desc=what,
        bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}",
        delay=1.5,
        disable=not (_is_watched() if progress is None else progress),
        leave=False,
    )


def _is_watched() -> bool:
    """Whether a person is likely to look: a terminal, or a notebook."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules
