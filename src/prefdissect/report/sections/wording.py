"""Numbers as sentences of the page have them."""

from __future__ import annotations

__all__ = ["counted", "fixed", "within"]

_PLURALS = {"property": "properties", "other property": "other properties"}


def counted(n: int, noun: str) -> str:
    """Return a number of things, such as `1 pair` or `2,000 pairs`.

    >>> counted(2000, "pair"), counted(1, "property"), counted(2, "other property")
    ('2,000 pairs', '1 property', '2 other properties')
    """
    return f"{n:,} {noun if n == 1 else _PLURALS.get(noun, f'{noun}s')}"


def fixed(value: float, digits: int = 2) -> str:
    """Return a number with so many digits, its minus a minus and not a hyphen."""
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def within(low: float, high: float, digits: int = 2) -> str:
    """Return an interval, such as `[0.53, 0.59]`."""
    return f"[{fixed(low, digits)}, {fixed(high, digits)}]"
