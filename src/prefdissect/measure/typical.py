"""Replies such as a model may give, where an estimate needs them before anything was asked.

Ratings have the length that they will have. Facts about a query are drawn, by the hash of prompt and case, at the rate
of the case among the paper's 5,240 queries, and at a quarter for other cases, with two items of eight words where it
lists some. A reference is as long as the longer response. Each response has one error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from prefdissect.measure.plan import Case
from prefdissect.schema import SCENARIOS, Property

__all__ = ["answer", "checks", "facts", "reference"]

_N_PAPER = 5240
_RATES = {s.id: s.n_pairs / _N_PAPER for s in SCENARIOS if s.kind == "case"}
_OTHER_RATE = 0.25
_ITEM = "something that the user asks for here"
_ERROR = "says that something is so, which it is not, as the reference shows"


def answer(prop: Property, n_responses: int) -> Any:
    """Return a rating of each response, or the rating of the one."""
    one = _value(prop)
    return one if n_responses == 1 else [one] * n_responses


def facts(cases: Sequence[Case], prompt: str) -> dict[str, Any]:
    """Return what may hold for a query."""
    drawn = {case.name: _chance(case.name, prompt) < _RATES.get(case.name, _OTHER_RATE) for case in cases}
    return {case.name: [_ITEM] * (2 * drawn[case.name]) if case.each else drawn[case.name] for case in cases}


def reference(responses: tuple[str, str]) -> str:
    """Return a text that is as long as a reference answer may be."""
    return max(responses, key=len)


def checks(names: Sequence[str], properties: Sequence[Property]) -> dict[str, Any]:
    """Return errors that may be found."""
    found = {"error": _ERROR, "type": "fact", "severity": properties[0].rated}
    return {name: {"applicable": True, "errors": [found]} for name in names}


def _value(prop: Property) -> Any:
    if prop.labels is not None:
        return next(iter(prop.labels))
    low = prop.range[0] if prop.range is not None else 0.0
    return int(low) if float(low).is_integer() else low


def _chance(case: str, prompt: str) -> float:
    digest = hashlib.blake2b(f"{case}\x1f{prompt}".encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 2**32
