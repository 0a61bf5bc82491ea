"""A bar shows while its first step takes long, and nothing of it is left behind."""

from __future__ import annotations

import io
import sys
import time

import pytest

from prefdissect.inference import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("watched", [True, False])
def test_a_first_step_that_takes_long_is_told_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, watched: bool
) -> None:
    screen = Terminal() if watched else io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(progress, "_DELAY", 0.02)
    monkeypatch.setattr(progress, "_EVERY", 0.02)
    with progress.progress_bar("compiling", 1, None):
        for _ in range(100):  # at most a second
            time.sleep(0.01)
            if screen.getvalue().count("compiling:   0%") >= 2:
                break
    assert screen.getvalue().count("compiling:   0%") >= 2 if watched else screen.getvalue() == ""
    shown = screen.getvalue()
    time.sleep(0.05)
    assert screen.getvalue() == shown  # nobody draws any more
    assert shown.rpartition("compiling:   0%")[2].count("\r") >= 2 or not watched  # the line was wiped
    assert shown.endswith("\r") or not watched


def test_a_step_that_is_quick_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with progress.progress_bar("fitting", 2, None) as bar:
        bar.update(2)
    assert "fitting" not in screen.getvalue()


def test_an_error_inside_comes_out_and_stops_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(ZeroDivisionError), progress.progress_bar("fitting", 2, None):
        1 / 0  # noqa: B018
