"""A bar that shows where work takes more than a moment and someone may look."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

__all__ = ["progress_bar"]

_DELAY, _EVERY = 1.5, 1.0  # seconds until a bar shows, and between two looks at the clock


@contextmanager
def progress_bar(what: str, total: float, progress: bool | None) -> Iterator[Any]:
    """Yield a bar of tqdm's; None shows it if a person is likely to look."""
    from tqdm.auto import tqdm

    bar = tqdm(
        total=total,
        desc=what,
        bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}",
        delay=_DELAY,
        disable=not (_is_watched() if progress is None else progress),
        leave=False,
    )
    with bar, _ticking(bar):
        yield bar


@contextmanager
def _ticking(bar: Any) -> Iterator[None]:
    """Let a bar on a terminal tell the time before its first step, which may be half a minute of compiling."""
    if bar.disable or not sys.stderr.isatty():
        yield
        return
    done = Event()
    clock = Thread(target=_tick, args=(bar, done), daemon=True)
    clock.start()
    try:
        yield
    finally:
        done.set()
        clock.join()  # so that nothing is drawn after the bar was taken away
        bar.clear()  # tqdm itself wipes only what a step has drawn


def _tick(bar: Any, done: Event) -> None:
    wait = _DELAY
    while not done.wait(wait):
        bar.refresh()
        wait = _EVERY


def _is_watched() -> bool:
    """Whether a person is likely to look: a terminal, or a notebook."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules
