"""What the model answered about one pair, call by call."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from prefdissect._typing import FloatArray
from prefdissect.measure.calls import Asking, Call, Settings
from prefdissect.measure.forms import CaseFacts, Check

__all__ = ["AskedCall", "PairAnswers", "hash_reply"]


class AskedCall(NamedTuple):
    """One call as it was answered: where, in which order, by which reply, and whether that had to be repaired."""

    step: str
    first: str
    response: str
    repeat: int
    request: str
    reply: str
    repaired: bool


@dataclass
class PairAnswers:
    """All that was answered about one pair; filled by one thread.

    Parameters
    ----------
    ratings
        Shape [order, repeat, response, property that is asked]: NaN where nothing was asked, or nothing came of it. The
        first place is 0 for orders that show A first and for single responses, 1 for those that show B first.
    facts, reference
        What is known of the query, and the answer that errors were sought by; None if nothing is.
    checks
        What the search for errors found, by order, repeat and response.
    done, failures
        Steps that were answered, all calls of them; and those that failed, with the first reason.
    """

    ratings: FloatArray
    facts: Mapping[str, CaseFacts] | None = None
    reference: str | None = None
    checks: dict[tuple[int, int, int], Check] = field(default_factory=dict)
    calls: list[AskedCall] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    is_whole: bool = False  # all calls were made, whatever came of them

    @classmethod
    def empty(cls, settings: Settings) -> PairAnswers:
        """Return what is known before anything is asked."""
        return cls(np.full((2, settings.repeats, 2, len(settings.plan.asked)), np.nan))

    def keep(self, call: Call, value: Any, settings: Settings) -> None:
        """Put the value of a call in its place."""
        if call.step == "query_info":
            self.facts = value
        elif call.step == "reference":
            self.reference = value
        elif call.asking is not None and call.step == "errors":
            self._keep_checks(call.asking, value, settings)
        elif call.asking is not None:
            self._put(call.asking, value, [p.id for p in call.properties], settings)

    def _keep_checks(self, asking: Asking, checks: tuple[Check, ...], settings: Settings) -> None:
        counted = settings.plan.steps["errors"]
        rows = []
        for side, check in zip(asking.sides, checks, strict=True):
            self.checks[_order(asking), asking.repeat, side] = check
            rows.append([_count(check, p.rated, settings.inapplicable) for p in counted])
        self._put(asking, np.array(rows), [p.id for p in counted], settings)

    def _put(self, asking: Asking, rows: FloatArray, ids: list[str], settings: Settings) -> None:
        places = [settings.places[name] for name in ids]
        for side, row in zip(asking.sides, rows, strict=True):
            self.ratings[_order(asking), asking.repeat, side, places] = row


def _order(asking: Asking) -> int:
    return int(asking.first == "B")


def _count(check: Check, severity: str, inapplicable: str) -> float:
    """Return how many errors of a severity were found; NaN where none can be and that is to be missing."""
    if not check.applicable and inapplicable == "missing":
        return np.nan
    return float(sum(error.severity == severity for error in check.errors))


def hash_reply(reply: Any) -> str:
    """Return 16 hexadecimal digits of what a reply says."""
    text = json.dumps(reply, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
