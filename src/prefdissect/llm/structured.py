"""Replies that must be JSON of a known form, with one chance to repair them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from prefdissect.errors import UnusableReplyError, show
from prefdissect.llm.request import Reply, Request, without_surrogates

__all__ = ["THOUGHT", "after_thoughts", "read_json", "text_of", "with_repair"]

_T = TypeVar("_T")
THOUGHT = ("<think>", "</think>")
_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)\n?\s*```", re.DOTALL | re.IGNORECASE)


def text_of(reply: Reply) -> str:
    """Return the text of a reply that is whole.

    Raises
    ------
    UnusableReplyError
        If the model refused, said nothing, or was cut off; the message says which.
    """
    if reply.refusal is not None:
        raise UnusableReplyError(f"the model refused: {show(reply.refusal)}")
    if reply.finish_reason == "content_filter":
        raise UnusableReplyError("the provider's filter held the reply back")
    if reply.finish_reason == "length":
        raise UnusableReplyError(f"the reply was cut off after {reply.tokens_out or 'its most'} tokens: max_tokens")
    if not reply.text.strip():
        raise UnusableReplyError("the reply is empty")
    return reply.text


def read_json(text: str) -> Any:
    """Return the JSON object in a text, which may stand in a fence or between words.

    Raises
    ------
    UnusableReplyError
        If there is none.

    Examples
    --------
    >>> from prefdissect.llm import read_json
    >>> read_json('Here it is: {"clear": 2}')
    {'clear': 2}
    """
    text = after_thoughts(text)
    fenced = _FENCED.search(text)
    for candidate in (text, fenced[1] if fenced else "", text[text.find("{") : text.rfind("}") + 1]):
        try:
            value = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return _plain(value)
    raise UnusableReplyError(f"the reply holds no JSON object: {show(text)}")


def after_thoughts(text: str) -> str:
    """Return what a model says once it has thought, where its thoughts come in the same text.

    Examples
    --------
    >>> from prefdissect.llm.structured import after_thoughts
    >>> after_thoughts("<think>A is longer, but</think>B")
    'B'
    """
    return text.rpartition(THOUGHT[1])[2]


def _plain(value: Any) -> Any:
    """Return JSON without lone surrogates, which can be written into it as escapes and which no file takes."""
    written = json.dumps(value, ensure_ascii=False)
    clean = without_surrogates(written)
    return value if clean == written else json.loads(clean)


def with_repair(
    request: Request,
    ask: Callable[[Request], Reply],
    read: Callable[[Any], _T],
    reject: Callable[[Request, str], None],
) -> _T:
    """Return what `read` makes of the JSON that answers `request`; if it cannot, the model is told why, once.

    `read` raises `ValueError` (pydantic's is one) where the JSON has another form. Replies that could not be used
    are given to `reject` with the reason, once it is certain that the repair failed too.

    Raises
    ------
    UnusableReplyError
        If the repaired reply cannot be used either.
    """
    first = ask(request)
    try:
        return _read(first, read)
    except UnusableReplyError as error:
        again = replace(request, messages=(*request.messages, *_complaint(first, str(error))))
    try:
        return _read(ask(again), read)
    except UnusableReplyError as error:
        reject(request, str(error))
        reject(again, str(error))
        raise


def _read(reply: Reply, read: Callable[[Any], _T]) -> _T:
    try:
        return read(read_json(text_of(reply)))
    except ValueError as error:
        raise UnusableReplyError(_shorten(error)) from None


def _shorten(error: ValueError) -> str:
    """Return an error in a line; pydantic's lists every place, with links."""
    listed = getattr(error, "errors", None)
    if listed is None:
        return str(error)
    places = [f"{'.'.join(map(str, e['loc'])) or 'the object'}: {e['msg']}" for e in listed()]
    return "; ".join(places[:5]) + (f"; and {len(places) - 5} more" if len(places) > 5 else "")


def _complaint(reply: Reply, reason: str) -> tuple[tuple[str, str], ...]:
    said = reply.text or reply.refusal or "(nothing)"
    wish = f"This reply cannot be used: {reason}. Give the complete JSON object that was asked for, and nothing else."
    return (("assistant", said), ("user", wish))
