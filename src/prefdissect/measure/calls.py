"""The calls for one pair, each with its request and the way to read the reply."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from typing import Any, TypeAlias

from prefdissect._typing import Inapplicable, Mode, Orders
from prefdissect.llm import Prompt, Request
from prefdissect.measure import typical
from prefdissect.measure.forms import CaseFacts, read_cases, read_checks, read_ratings
from prefdissect.measure.plan import Plan
from prefdissect.measure.texts import PairTexts
from prefdissect.measure.wording import Line, case_line, error_line, property_line, quoted
from prefdissect.schema import Property

__all__ = ["Asking", "Call", "Settings", "prompt_of", "walk"]

Facts: TypeAlias = Mapping[str, CaseFacts]

_PACKAGE = "prefdissect.measure"
_TEMPLATES = dict.fromkeys(("query_aware", "query_free", "reference_aware"), "ratings")
_SHORT, _LONG = 1024, 2048  # most tokens of a reply: ratings and facts; lists of errors, and answers


@dataclass(frozen=True)
class Settings:
    """How all calls of a run are made."""

    plan: Plan
    model: str
    mode: Mode = "pairwise"
    orders: Orders = "random"
    repeats: int = 1
    random_seed: int = 0
    inapplicable: Inapplicable = "zero"
    extra: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def places(self) -> dict[str, int]:
        """Place of each property that is asked for, by id."""
        return {prop.id: k for k, prop in enumerate(self.plan.asked)}


@dataclass(frozen=True)
class Asking:
    """One time that a pair is asked about: which response comes first, and the number of the repeat.

    In mode `single` each response is asked about alone: `side` is 0 for A and 1 for B, and `first` is empty.
    """

    first: str
    repeat: int
    side: int | None = None

    @property
    def sides(self) -> tuple[int, ...]:
        """Places of the responses in the order in which they are shown: 0 is A, 1 is B."""
        if self.side is not None:
            return (self.side,)
        return (0, 1) if self.first == "A" else (1, 0)


@dataclass(frozen=True)
class Call:
    """One question to the model.

    Parameters
    ----------
    step
        One of `STEPS`.
    request
        What is sent.
    read
        Makes a value of the JSON of the reply (of its text, in step `reference`).
    typical
        Makes JSON (a text) such as a reply may have, to estimate what a run will take.
    asking
        Order and repeat; None where responses are not shown.
    properties
        What the columns of the ratings are of, where `read` gives ratings.
    """

    step: str
    request: Request
    read: Callable[[Any], Any]
    typical: Callable[[], Any]
    asking: Asking | None = None
    properties: tuple[Property, ...] = ()

    @property
    def is_shared(self) -> bool:
        """Whether other pairs may need the very same call: of the same prompt, or of the same response alone."""
        return self.asking is None or self.asking.side is not None


@cache
def prompt_of(step: str) -> Prompt:
    """Return the prompt of a step; `reference` has none, as the query itself is sent."""
    return Prompt(_PACKAGE, _TEMPLATES.get(step, step))


def askings_of(settings: Settings, pair_id: str) -> list[Asking]:
    """Return how often, and in which orders, a pair is asked about."""
    repeats = range(settings.repeats)
    if settings.mode == "single":
        return [Asking("", repeat, side) for repeat in repeats for side in (0, 1)]
    orders = {"both": "AB", "given": "A", "random": _drawn(settings.random_seed, pair_id)}[settings.orders]
    return [Asking(first, repeat) for first in orders for repeat in repeats]


def _drawn(random_seed: int, pair_id: str) -> str:
    """Return which response comes first, by seed and pair: the same whatever else is in the data."""
    digest = hashlib.blake2b(f"{random_seed}\x1f{pair_id}".encode("utf-8", "surrogatepass"), digest_size=1).digest()
    return "AB"[digest[0] % 2]


def walk(settings: Settings, pair: PairTexts) -> Generator[Call, Any, None]:
    """Yield the calls for one pair, in the order of the steps; the value of each is sent back, None if it failed.

    Calls that depend on one that failed are left out.
    """
    plan = settings.plan
    askings = askings_of(settings, pair.pair_id)
    facts: Facts | None = (yield _query_info(settings, pair)) if plan.cases else {}
    if facts is not None:
        called_for = [p for p in plan.steps.get("query_specific", ()) if (c := plan.case_of(p)) and facts[c.name].holds]
        if called_for:
            yield from (_specific(settings, pair, asking, called_for, facts) for asking in askings)
    for step in ("query_aware", "query_free"):
        if step in plan.steps:
            yield from (_ratings(settings, pair, asking, step) for asking in askings)
    if not plan.needs_reference:
        return
    reference: str | None = pair.reference if pair.reference is not None else (yield _reference(settings, pair))
    if reference is None:
        return
    if "reference_aware" in plan.steps:
        yield from (_ratings(settings, pair, asking, "reference_aware", reference) for asking in askings)
    if "errors" in plan.steps:
        yield from (_errors(settings, pair, asking, reference) for asking in askings)


def _query_info(settings: Settings, pair: PairTexts) -> Call:
    cases, prompt = settings.plan.cases, pair.prompt or ""
    form = {case.name: ["...", "..."] if case.each else False for case in cases}
    text = prompt_of("query_info").fill(
        texts={"query": prompt},
        lines=list(map(case_line, cases)),
        names=", ".join(quoted(case.name) for case in cases),
        form=_json(form),
    )
    read = partial(read_cases, cases=cases)
    return Call("query_info", _request(settings, text), read, partial(typical.facts, cases, prompt))


def _specific(
    settings: Settings, pair: PairTexts, asking: Asking, properties: Sequence[Property], facts: Facts
) -> Call:
    plan = settings.plan
    lines, counts, listed = [], [], []
    for prop in properties:
        case = plan.case_of(prop)
        items = facts[case.name].items if case and prop.question.each else ()
        lines.append(property_line(prop, prop.question.each))
        counts.append(len(items))
        # An item is a model's own words on a text of anybody: as JSON it stays on its line.
        listed += (
            [f"{quoted(prop.rated)}:", *(f"{i}. {quoted(item)}" for i, item in enumerate(items, 1))] if items else []
        )
    texts = {"query": pair.prompt or "", **({"items": "\n".join(listed)} if listed else {}), **_shown(pair, asking)}
    answers = [typical.answer(prop, len(asking.sides)) for prop in properties]
    reply = {
        prop.rated: {str(i + 1): one for i in range(n)} if n else one
        for prop, n, one in zip(properties, counts, answers, strict=True)
    }
    text = prompt_of("query_specific").fill(texts=texts, lines=lines, form=_example(reply))
    read = partial(read_ratings, properties=tuple(properties), n_responses=len(asking.sides), n_items=tuple(counts))
    return Call("query_specific", _request(settings, text, asking), read, lambda: reply, asking, tuple(properties))


def _ratings(settings: Settings, pair: PairTexts, asking: Asking, step: str, reference: str | None = None) -> Call:
    properties = settings.plan.steps[step]
    texts = {} if step == "query_free" else {"query": pair.prompt or ""}
    texts |= {} if reference is None else {"reference": reference}
    reply = {prop.rated: typical.answer(prop, len(asking.sides)) for prop in properties}
    text = prompt_of(step).fill(texts=texts | _shown(pair, asking), lines=_lines(properties), form=_example(reply))
    read = partial(read_ratings, properties=properties, n_responses=len(asking.sides))
    return Call(step, _request(settings, text, asking), read, lambda: reply, asking, properties)


def _reference(settings: Settings, pair: PairTexts) -> Call:
    """Return the call that has the query answered: it is sent as it is, as an assistant would get it."""
    request = _request(settings, pair.prompt or "", as_json=False, max_tokens=_LONG)
    return Call("reference", request, str, partial(typical.reference, pair.responses))


def _errors(settings: Settings, pair: PairTexts, asking: Asking, reference: str) -> Call:
    properties, n = settings.plan.steps["errors"], len(asking.sides)
    names = ("response",) if n == 1 else ("response_1", "response_2")
    error = {"error": "...", "type": "fact", "severity": properties[0].rated}
    shown = [{"applicable": True, "errors": [error] if k == 0 else []} for k in range(n)]
    text = prompt_of("errors").fill(
        texts={"query": pair.prompt or "", "reference": reference, **_shown(pair, asking)},
        lines=list(map(error_line, properties)),
        form=_json(dict(zip(names, shown, strict=True))),
    )
    read = partial(read_checks, properties=properties, n_responses=n)
    guess = partial(typical.checks, names, properties)
    return Call("errors", _request(settings, text, asking, max_tokens=_LONG), read, guess, asking, properties)


def _shown(pair: PairTexts, asking: Asking) -> dict[str, str]:
    names = ("response",) if len(asking.sides) == 1 else ("response_1", "response_2")
    return {name: pair.responses[side] for name, side in zip(names, asking.sides, strict=True)}


def _lines(properties: Sequence[Property]) -> list[Line]:
    return [property_line(prop) for prop in properties]


def _request(
    settings: Settings, text: str, asking: Asking | None = None, *, as_json: bool = True, max_tokens: int = _SHORT
) -> Request:
    return Request(
        model=settings.model,
        messages=(("user", text),),
        max_tokens=max_tokens,
        as_json=as_json,
        extra=settings.extra,
        repeat=asking.repeat if asking else 0,
    )


def _example(reply: Mapping[str, Any]) -> str:
    """Return the beginning of a reply, enough to show the form of each kind of answer."""
    kinds: dict[type, str] = {}
    for name, answer in reply.items():
        kinds.setdefault(type(answer), name)
    shown = {name: reply[name] for name in reply if name in kinds.values()}
    whole = _json(shown)
    return whole if len(shown) == len(reply) else f"{whole[:-1]}, ...}}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
