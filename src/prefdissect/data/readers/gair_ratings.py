"""Annotations of the paper's 29 properties, as its files and its hub rows write them, as rating columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from prefdissect.data.readers.nested import as_items
from prefdissect.errors import DataError, show
from prefdissect.schema import PAPER

__all__ = ["CASES", "cases_of", "count_errors", "rating_columns"]

CASES = ("intent_unclear", "express_feeling", "w_constraints", "w_stances", "w_mistakes")
_SEVERITIES = ("minor", "moderate", "severe")


def rating_columns() -> dict[str, str]:
    """Return the annotators' name of each property that is rated directly to the stem of its columns."""
    rated = {p.name: p.rated for p in PAPER if p.group != "error" and p.kind != "words"}
    return {("repetitive" if name == "non-repetitive" else name): stem for name, stem in rated.items()}


def count_errors(check: Any, where: str, *, applicable: str, listed: str) -> dict[str, float]:
    """Return the number of errors of each severity; NaN for all where the check does not apply.

    Raises
    ------
    DataError
        If an error has no severity that the paper knows.
    """
    if not isinstance(check, Mapping) or check.get(applicable) != "applicable":
        return {f"{severity}_errors": np.nan for severity in _SEVERITIES}
    counts = dict.fromkeys((f"{severity}_errors" for severity in _SEVERITIES), 0.0)
    for error in as_items(check.get(listed), where) or []:
        severity = str(error.get("severity")).strip().casefold() if isinstance(error, Mapping) else ""
        if severity not in _SEVERITIES:
            raise DataError(f"{where}: {show(error)} is no error of severity {', '.join(_SEVERITIES)}")
        counts[f"{severity}_errors"] += 1
    return counts


def cases_of(info: Mapping[Any, Any], where: str) -> dict[str, bool]:
    """Return which query-specific cases a query belongs to, by what was found about it."""

    def holds(key: str) -> bool:
        return bool(as_items(info.get(key), f"{where}, {key!r}"))

    return {
        "intent_unclear": info.get("clear intent") == "No",
        "express_feeling": info.get("explicitly express feelings") == "Yes",
        "w_constraints": holds("explicit constraints"),
        "w_stances": holds("explicit subjective stances"),
        "w_mistakes": holds("explicit mistakes or biases"),
    }
