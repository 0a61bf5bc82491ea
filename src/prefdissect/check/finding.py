"""What one check finds of one fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["LEVELS", "Finding", "Level", "grade", "in_force"]

Level: TypeAlias = Literal["ok", "look", "stop"]
LEVELS: tuple[Level, ...] = ("ok", "look", "stop")  # from good to bad

_NAN = float("nan")


@dataclass(frozen=True)
class Finding:
    """One sentence about one fit, with the number behind it.

    Parameters
    ----------
    check
        Which check.
    level
        `ok`; `look`: read this before reporting the weights; `stop`: do not report them as they are.
    said
        One plain sentence.
    number, look_at, stop_at
        What was measured, and from where on the level is another. NaN: nothing was measured; there is no such limit,
        or what is beyond it may be chance. The level is what these three say.
    advice
        What to do; empty if nothing.
    """

    check: str
    level: Level
    said: str
    number: float = _NAN
    look_at: float = _NAN
    stop_at: float = _NAN
    advice: str = ""


def grade(number: float, look_at: float, stop_at: float = _NAN) -> Level:
    """Return the level of a number that is bad where it is large."""
    return "stop" if number >= stop_at else "look" if number >= look_at else "ok"


def in_force(number: float, limit: float, *, significant: bool) -> float:
    """Return a limit of a number that is tested; NaN where the number is beyond it, and that may be chance."""
    return limit if significant or number < limit else _NAN
