"""The forms of replies: pydantic models made from properties, and what they are read into."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, create_model

from prefdissect._typing import FloatArray
from prefdissect.errors import choices
from prefdissect.measure.plan import Case
from prefdissect.schema import Property
from prefdissect.schema.reading import fold

__all__ = ["CaseFacts", "Check", "FoundError", "read_cases", "read_checks", "read_choice", "read_ratings"]

ERROR_TYPES = ("fact", "query", "calculation", "code")
_MOST_ITEMS = 50  # that one query is likely to hold; more are a model that has run away
_MOST_ERRORS = 200


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """Whether a case holds for a query, and the items that it lists, if it lists any."""

    holds: bool
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundError:
    """One error in a response: what is wrong, of which type, and the property that counts it."""

    error: str
    type: str
    severity: str


@dataclass(frozen=True, slots=True)
class Check:
    """What the search for errors found in one response."""

    applicable: bool
    errors: tuple[FoundError, ...] = ()


@dataclass(frozen=True)
class _Slot:
    """One value of a reply, hashable, so that equal forms are made once."""

    name: str
    kind: str
    low: float = -np.inf
    high: float = np.inf
    labels: tuple[tuple[str, float], ...] = ()
    n_items: int = 0  # 0: it is rated as a whole

    @classmethod
    def of(cls, prop: Property, n_items: int = 0) -> _Slot:
        low, high = prop.range or (-np.inf, np.inf)
        return cls(prop.rated, prop.kind, low, high, tuple((prop.labels or {}).items()), n_items)


def read_ratings(
    reply: Any, properties: Sequence[Property], *, n_responses: int, n_items: Sequence[int] = ()
) -> FloatArray:
    """Return ratings from a reply, shape [response, property]; the mean where a property was rated item by item.

    Raises
    ------
    ValueError
        If a property is missing, unknown, or its rating is none.

    Examples
    --------
    >>> from prefdissect import PAPER
    >>> read_ratings({"clear": [3, 1]}, [PAPER["clear"]], n_responses=2).tolist()
    [[3.0], [1.0]]
    """
    counts = tuple(n_items) or (0,) * len(properties)
    form = _rating_form(tuple(map(_Slot.of, properties, counts)), n_responses)
    read = form.model_validate(reply)
    columns = [_mean(getattr(read, f"p{k}"), n) for k, n in enumerate(counts)]
    return np.array(columns, dtype=np.float64).reshape(len(counts), n_responses).T


def read_cases(reply: Any, cases: Sequence[Case]) -> dict[str, CaseFacts]:
    """Return what holds for a query, from a reply."""
    read = _case_form(tuple(cases)).model_validate(reply)
    return {case.name: _facts(getattr(read, f"p{k}")) for k, case in enumerate(cases)}


def read_checks(reply: Any, properties: Sequence[Property], *, n_responses: int) -> tuple[Check, ...]:
    """Return what the search for errors found, one for each response."""
    names = tuple(p.rated for p in properties)
    read = _check_form(names, n_responses).model_validate(reply)
    return tuple(_as_check(getattr(read, f"p{k}")) for k in range(n_responses))


def read_choice(reply: Any, n: int) -> int:
    """Return which of `n` numbered scenarios a reply names, counted from 0."""
    read: Any = _choice_form(n).model_validate(reply)
    return int(read.p0) - 1


def _mean(value: Any, n_items: int) -> Any:
    if not n_items:
        return value
    return np.mean([getattr(value, f"p{i}") for i in range(n_items)], axis=0)


def _facts(value: bool | list[str]) -> CaseFacts:
    return CaseFacts(value) if isinstance(value, bool) else CaseFacts(bool(value), tuple(value))


def _as_check(value: Any) -> Check:
    found = tuple(FoundError(e.p0, e.p1, e.p2) for e in value.p1)
    return Check(value.p0, found)


class _Form(BaseModel):
    """A reply without unknown names."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _make(name: str, fields: Sequence[tuple[str, Any]]) -> type[_Form]:
    """Return a model whose fields are `p0`, `p1`, ... and bear these names in JSON, whatever they are."""
    made: dict[str, Any] = {f"p{k}": (kind, Field(alias=alias)) for k, (alias, kind) in enumerate(fields)}
    return create_model(name, __base__=_Form, **made)


@lru_cache(maxsize=512)
def _rating_form(slots: tuple[_Slot, ...], n_responses: int) -> type[_Form]:
    return _make("Ratings", [(slot.name, _slot_type(slot, n_responses)) for slot in slots])


def _slot_type(slot: _Slot, n_responses: int) -> Any:
    one = _value_type(slot)
    both: Any = one if n_responses == 1 else Annotated[list[one], Field(min_length=n_responses, max_length=n_responses)]  # type: ignore[valid-type]
    if not slot.n_items:
        return both
    return _make(f"Items of {slot.name}", [(str(i + 1), both) for i in range(slot.n_items)])


def _value_type(slot: _Slot) -> Any:
    if slot.kind == "label":
        return Annotated[float, BeforeValidator(partial(_as_score, dict(slot.labels)))]
    if slot.kind == "count":
        return Annotated[int, BeforeValidator(_as_number), Field(ge=0)]
    # without limits NaN and infinity must be refused; within limits they are anyway
    limits = Field(ge=slot.low, le=slot.high) if slot.kind == "rating" else Field(allow_inf_nan=False)
    return Annotated[float, BeforeValidator(_as_number), limits]


def _as_number(value: Any) -> Any:
    """Return a number, also from digits in quotation marks; truth values are none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r} is not a number")
    return float(value) if isinstance(value, str) else value


def _as_score(labels: dict[str, float], value: Any) -> float:
    scores = {fold(label): score for label, score in labels.items()}
    if not isinstance(value, str) or fold(value) not in scores:
        raise ValueError(f"{value!r} is no label; {choices(value, labels)}")
    return scores[fold(value)]


@lru_cache(maxsize=64)
def _case_form(cases: tuple[Case, ...]) -> type[_Form]:
    text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    several = Annotated[list[text], Field(max_length=_MOST_ITEMS)]
    return _make("QueryInformation", [(case.name, several if case.each else bool) for case in cases])


@lru_cache(maxsize=64)
def _check_form(severities: tuple[str, ...], n_responses: int) -> type[_Form]:
    text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    error = _make("Error", [("error", text), ("type", _one_of(ERROR_TYPES)), ("severity", _one_of(severities))])
    errors = Annotated[list[error], Field(max_length=_MOST_ERRORS)]  # type: ignore[valid-type]
    whole = _make("Check", [("applicable", bool), ("errors", errors)])
    check: Any = Annotated[whole, AfterValidator(_agree)]
    names = ("response",) if n_responses == 1 else ("response_1", "response_2")
    return _make("Checks", [(name, check) for name in names])


def _agree(check: Any) -> Any:
    if check.p1 and not check.p0:
        raise ValueError("errors are listed although the check is said not to apply")
    return check


def _one_of(names: tuple[str, ...]) -> Any:
    known = {fold(name): name for name in names}
    folded: Callable[[Any], Any] = lambda value: known.get(fold(value), value) if isinstance(value, str) else value  # noqa: E731
    return Annotated[Literal[names], BeforeValidator(folded)]


@lru_cache(maxsize=64)
def _choice_form(n: int) -> type[_Form]:
    return _make("Choice", [("scenario", Annotated[int, BeforeValidator(_as_number), Field(ge=1, le=n)])])
