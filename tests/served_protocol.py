"""The OpenAI-compatible protocols as a strict server speaks them: what it refuses, and the shapes of its replies."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

CHAT, COMPLETIONS, MODELS = "/v1/chat/completions", "/v1/completions", "/v1/models"
ROLES = ("system", "developer", "user", "assistant", "tool")
Json = dict[str, Any]


@dataclass(frozen=True)
class Token:
    """One token of an answer, and log-probabilities of others at its place."""

    text: str
    logprob: float
    others: Mapping[str, float] = field(default_factory=dict)

    def top(self, count: int) -> dict[str, float]:
        """Return the likeliest tokens at this place, itself among them where it is one, likeliest first."""
        known = {self.text: self.logprob, **self.others}
        return dict(sorted(known.items(), key=lambda one: -one[1])[:count])


@dataclass(frozen=True)
class Answer:
    """What the model says; without `tokens` each word or mark is one, and sure; without `usage` they are counted."""

    text: str | None
    tokens: tuple[Token, ...] | list[Token] = ()
    finish_reason: str = "stop"
    refusal: str | None = None
    usage: Mapping[str, int] | None = None  # an empty one: the server does not count

    @property
    def pieces(self) -> list[Token]:
        return list(self.tokens) or [Token(piece, 0.0) for piece in pieces_of(self.text or "")]


def pieces_of(text: str) -> list[str]:
    """Return words and marks with the space before them; joined they are the text."""
    return re.findall(r"\s*\w+|\s*[^\w\s]|\s+\Z", text)


def error_body(status: int, message: str, code: str | None = None) -> Json:
    """Return an error in OpenAI's shape."""
    kind = {429: "rate_limit_error"}.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def models_body(models: Collection[str]) -> Json:
    return {"object": "list", "data": [{"id": m, "object": "model", "created": 0, "owned_by": "tests"} for m in models]}


def reply_body(path: str, asked: Json, answer: Answer, number: int) -> Json:
    """Return a completion in the shape of its protocol."""
    choice = _chat_choice(asked, answer) if path == CHAT else _continued_choice(asked, answer)
    return {
        "id": f"{'chatcmpl' if path == CHAT else 'cmpl'}-{number}",
        "object": "chat.completion" if path == CHAT else "text_completion",
        "created": int(time.time()),
        "model": asked["model"],
        "choices": [{"index": 0, **choice, "finish_reason": answer.finish_reason}],
        "usage": _usage(asked, answer),
    }


def _chat_choice(asked: Json, answer: Answer) -> Json:
    content = None if answer.refusal is not None else answer.text
    message = {"role": "assistant", "content": content, "refusal": answer.refusal}
    if not asked.get("logprobs"):
        return {"message": message, "logprobs": None}
    count = asked.get("top_logprobs") or 0
    entries = [
        {**_entry(t.text, t.logprob), "top_logprobs": [_entry(*one) for one in t.top(count).items()]}
        for t in answer.pieces
    ]
    return {"message": message, "logprobs": {"content": entries, "refusal": None}}


def _entry(text: str, logprob: float) -> Json:
    return {"token": text, "logprob": logprob, "bytes": list(text.encode("utf-8", "surrogatepass"))}


def _continued_choice(asked: Json, answer: Answer) -> Json:
    count, tokens = asked.get("logprobs"), answer.pieces
    if count is None:
        return {"text": answer.text or "", "logprobs": None}
    offsets = [len(asked["prompt"]) + sum(len(t.text) for t in tokens[:i]) for i in range(len(tokens))]
    shape = {
        "tokens": [t.text for t in tokens],
        "token_logprobs": [t.logprob for t in tokens],
        # the token that was drawn is always there, so there may be one more than was asked for
        "top_logprobs": [{**t.top(count), t.text: t.logprob} for t in tokens],
        "text_offset": offsets,
    }
    return {"text": answer.text or "", "logprobs": shape}


def _usage(asked: Json, answer: Answer) -> Json | None:
    if answer.usage is not None:
        return dict(answer.usage) or None
    read = sum(len(pieces_of(text)) for text in texts_of(asked))
    written = len(answer.pieces)
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def texts_of(asked: Json) -> list[str]:
    """Return all texts that the model reads."""
    contents = [message["content"] for message in asked.get("messages", ())]
    parts = [[part["text"] for part in c] if isinstance(c, list) else [c] for c in contents]
    return [asked["prompt"]] if "prompt" in asked else [text for some in parts for text in some]


def why_invalid(path: str, asked: object, *, most_logprobs: int = 20, also: Collection[str] = ()) -> str | None:
    """Return what is wrong with a body, or None; fields in `also` are let through unread."""
    if not isinstance(asked, dict):
        return "the body is not a JSON object"
    rules, needed = (_CHAT_RULES, "messages") if path == CHAT else (_COMPLETION_RULES, "prompt")
    given = {name: value for name, value in asked.items() if value is not None}
    for name in ("model", needed):
        if name not in given:
            return f"you must provide a {name} parameter"
    if unknown := [name for name in given if name not in rules and name not in also]:
        return f"unrecognized request argument supplied: {', '.join(unknown)}"
    for name, value in given.items():
        if name in rules and not rules[name](value):
            return f"invalid value for {name!r}: {value!r}"
    return _why_at_odds(path, given, most_logprobs)


def _why_at_odds(path: str, given: Json, most_logprobs: int) -> str | None:
    name = "top_logprobs" if path == CHAT else "logprobs"
    if given.get(name, 0) > most_logprobs:
        return f"invalid value for {name!r}: at most {most_logprobs}"
    if "top_logprobs" in given and given.get("logprobs") is not True:
        return "top_logprobs is only allowed when logprobs is true"
    if "max_tokens" in given and "max_completion_tokens" in given:
        return "max_tokens and max_completion_tokens cannot both be set"
    wants_json = given.get("response_format", {}).get("type") == "json_object"
    if wants_json and not any("json" in text.lower() for text in texts_of(given)):
        return "messages must contain the word 'json' to use a response_format of type 'json_object'"
    return None


def _is_count(least: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_between(low: float, high: float) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _is_a(*kinds: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, kinds)


def _is_stop(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and len(value) <= 4 and all(map(_is_a(str), value)))


def _is_content(value: object) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list)
        and all(isinstance(p, dict) and p.get("type") == "text" and isinstance(p.get("text"), str) for p in value)
    )


def _is_message(value: object) -> bool:
    if not isinstance(value, dict) or set(value) - {"role", "content", "name", "tool_call_id"}:
        return False
    return value.get("role") in ROLES and _is_content(value.get("content"))


def _is_format(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    schema = value.get("json_schema")
    named = isinstance(schema, dict) and isinstance(schema.get("name"), str) and isinstance(schema.get("schema"), dict)
    return value.get("type") in ("text", "json_object") or (value.get("type") == "json_schema" and named)


Rules = dict[str, Callable[[Any], bool]]
_RULES: Rules = {
    "model": lambda value: isinstance(value, str) and value != "",
    "max_tokens": _is_count(1),
    "temperature": _is_between(0, 2),
    "top_p": _is_between(0, 1),
    "presence_penalty": _is_between(-2, 2),
    "frequency_penalty": _is_between(-2, 2),
    "seed": _is_a(int),
    "stop": _is_stop,
    "logit_bias": _is_a(dict),
    "user": _is_a(str),
    "n": lambda value: value == 1,  # this server gives one choice, in one piece
    "stream": lambda value: value is False,
}
_CHAT_RULES: Rules = _RULES | {
    "messages": lambda value: isinstance(value, list) and len(value) > 0 and all(map(_is_message, value)),
    "max_completion_tokens": _is_count(1),
    "logprobs": _is_a(bool),
    "top_logprobs": _is_count(0),
    "response_format": _is_format,
    "reasoning_effort": lambda value: value in ("none", "minimal", "low", "medium", "high", "xhigh"),
}
_COMPLETION_RULES: Rules = _RULES | {"prompt": _is_a(str), "logprobs": _is_count(0), "echo": lambda v: v is False}
