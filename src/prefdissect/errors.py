"""Everything that prefdissect raises or warns.

Each error names the value it met, where it met it, the valid choices and the way out. Errors
that a user may want to catch by habit are also the built-in kind that habit expects.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "ColumnError",
    "ConvergenceWarning",
    "DataError",
    "DuplicateError",
    "FileFormatError",
    "HubError",
    "LimitReachedError",
    "ModelError",
    "OptionError",
    "PrefDissectError",
    "PrefDissectWarning",
    "RatingError",
    "SchemaError",
    "TooFewPairsError",
    "UnknownNameError",
    "UnusableReplyError",
    "VerdictError",
    "choices",
    "closest",
    "show",
]


_MOST_CHARACTERS = 80


class PrefDissectError(Exception):
    """Root of every error that prefdissect raises on purpose."""


class OptionError(PrefDissectError, ValueError):
    """An argument has a value that is not among the valid ones."""


class UnknownNameError(PrefDissectError, KeyError):
    """A judge, property, group or pair of that name does not exist here."""

    def __str__(self) -> str:
        """Return the message itself: `KeyError` would show it in quotes."""
        return str(self.args[0])


class SchemaError(PrefDissectError):
    """A property or a property schema contradicts itself.

    Not a `ValueError`: pydantic would catch that inside its validators and wrap it.
    """


class DataError(PrefDissectError, ValueError):
    """Root of the errors about a table of preferences."""


class ColumnError(DataError):
    """A column is missing, or holds what it may not hold."""


class DuplicateError(DataError):
    """A key that must be unique is not."""


class RatingError(DataError):
    """A rating is infinite, out of its range, or not a number."""


class VerdictError(DataError):
    """A verdict is not a preference that can be read."""


class TooFewPairsError(DataError):
    """There is nothing to fit."""


class FileFormatError(DataError):
    """A file cannot be read, or is not what its name says."""


class HubError(DataError):
    """A data set of the Hugging Face Hub cannot be had, or it is not clear which of its files is meant."""


class ModelError(PrefDissectError, RuntimeError):
    """A model or its server did not do what was asked of it."""


class UnusableReplyError(ModelError):
    """A model answered, and its reply cannot be used."""


class LimitReachedError(ModelError):
    """One more call could cost more than the limit allows."""


class PrefDissectWarning(UserWarning):
    """Root of every warning that prefdissect gives."""


class ConvergenceWarning(PrefDissectWarning):
    """A posterior may not be what it claims to be; its rows say `certified=False`."""


def show(value: object) -> str:
    """Return a value as a message shows it: as Python writes it, cut to a readable length."""
    plain = value.tolist() if hasattr(value, "tolist") else value  # numpy's scalars and arrays
    text = repr(plain)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}..."


def closest(name: object, valid: Iterable[object], *, n: int = 3) -> list[str]:
    """Return up to `n` of `valid` that look most like `name`, best first, ignoring case."""
    by_fold = {str(v).casefold(): str(v) for v in valid}
    text = str(name).casefold()
    near = difflib.get_close_matches(text, by_fold, n=n, cutoff=0.5)
    inside = [v for v in by_fold if min(len(text), len(v)) > 2 and (text in v or v in text) and v not in near]
    return [by_fold[v] for v in (near + inside)[:n]]


def choices(name: object, valid: Iterable[object], *, most: int = 12) -> str:
    """Return the tail of an error message: the closest matches and the valid choices."""
    names = [str(v) for v in valid]
    if not names:
        return "there are none to choose from"
    near = closest(name, names)
    hint = f"close matches: {', '.join(map(repr, near))}; " if near else ""
    shown = ", ".join(map(repr, names[:most]))
    more = f", and {len(names) - most} more" if len(names) > most else ""
    return f"{hint}valid: {shown}{more}"
