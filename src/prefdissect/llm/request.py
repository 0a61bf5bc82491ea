"""What a model is asked, and what it answered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from prefdissect.errors import OptionError

__all__ = ["Reply", "Request", "Token", "without_surrogates"]

Message = tuple[str, str]
_LIMITS, _REPLIES = ("max_tokens", "max_completion_tokens"), ("n", "best_of")


@dataclass(frozen=True)
class Request:
    """One question to one model, over the chat protocol or, with `prompt`, the completions protocol.

    Parameters
    ----------
    model
        Name by which the server knows the model.
    messages
        Pairs of role (`system`, `user`, `assistant`) and text, for the chat protocol.
    prompt
        The text to be continued, for the completions protocol.
    max_tokens
        Most tokens of the reply.
    temperature, top_p, seed, stop
        As the protocol has them; None is not sent.
    top_logprobs
        How many of the likeliest tokens to report at each place; None for no log-probabilities.
    as_json
        Ask the server for a JSON object.
    extra
        Further fields of the body, as a server wants them.
    repeat
        Number of the question among equal ones. It is not sent, but tells their replies apart.

    Examples
    --------
    >>> from prefdissect.llm import Request
    >>> Request(model="gpt-4o", messages=(("user", "Hello"),), max_tokens=3).body
    {'model': 'gpt-4o', 'messages': [{'role': 'user', 'content': 'Hello'}], 'max_tokens': 3, 'temperature': 0.0}
    """

    model: str
    messages: tuple[Message, ...] = ()
    prompt: str | None = None
    max_tokens: int = 1024
    temperature: float | None = 0.0
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] | None = None
    top_logprobs: int | None = None
    as_json: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)
    repeat: int = 0

    def __post_init__(self) -> None:
        """Refuse a request of both protocols, or of none."""
        if bool(self.messages) == (self.prompt is not None):
            raise OptionError("a request has either messages or a prompt to be continued, and not both")

    @property
    def path(self) -> str:
        """Where the protocol takes such a request."""
        return "/chat/completions" if self.messages else "/completions"

    @property
    def body(self) -> dict[str, Any]:
        """The request as the server reads it."""
        asked: dict[str, Any] = {"model": self.model}
        if self.messages:
            asked["messages"] = [{"role": role, "content": without_surrogates(text)} for role, text in self.messages]
        else:
            asked["prompt"] = without_surrogates(self.prompt or "")
        asked["max_tokens"] = self.max_tokens
        for name in ("temperature", "top_p", "seed"):
            if getattr(self, name) is not None:
                asked[name] = getattr(self, name)
        if self.stop is not None:
            asked["stop"] = list(self.stop)
        if self.top_logprobs is not None:
            chat = {"logprobs": True, "top_logprobs": self.top_logprobs}
            asked |= chat if self.messages else {"logprobs": self.top_logprobs}
        if self.as_json:
            asked["response_format"] = {"type": "json_object"}
        given = asked | dict(self.extra)
        return {name: value for name, value in given.items() if value is not None}

    @property
    def most_tokens_out(self) -> int:
        """The most tokens that can come back, under whichever name the body has them, times the replies asked for."""
        limits, replies = (
            [value for name in names if isinstance(value := self.body.get(name), int)] for names in (_LIMITS, _REPLIES)
        )
        return max(limits or [self.max_tokens]) * max([1, *replies])

    @property
    def text(self) -> str:
        """All that the model reads."""
        return self.prompt if self.prompt is not None else "\n".join(text for _, text in self.messages)

    def key(self, base_url: str) -> str:
        """Return 32 hexadecimal digits of server, protocol, body and repeat: the name of the reply."""
        asked = json.dumps([base_url, self.path, self.body, self.repeat], sort_keys=True, ensure_ascii=False)
        return hashlib.blake2b(asked.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def without_surrogates(text: str) -> str:
    """Return a text with `?` for lone surrogates, which some texts hold, and no request, file or screen can."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


@dataclass(frozen=True)
class Token:
    """One token of a reply: its text, log-probability, and those of the likeliest tokens at its place."""

    text: str
    logprob: float
    top: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """What the server sent back for one request.

    `text` is empty where there was none; `finish_reason` is the server's (`stop`, `length`, ...);
    `model` is the name that the server reports; `refusal` is its text where the server marks one.
    Tokens are counted by the server, and None where it does not count them.
    """

    text: str
    finish_reason: str = "stop"
    tokens: tuple[Token, ...] = ()
    model: str = ""
    refusal: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None

    def to_json(self) -> str:
        """Return the reply as JSON, from which `from_json` makes it again."""
        fields = dict(vars(self))
        fields["tokens"] = [[t.text, t.logprob, dict(t.top)] for t in self.tokens]
        return json.dumps(fields, ensure_ascii=True)  # lone surrogates survive as escapes

    @classmethod
    def from_json(cls, text: str) -> Reply:
        """Return the reply that `to_json` wrote."""
        fields = json.loads(text)
        fields["tokens"] = tuple(Token(*token) for token in fields["tokens"])
        return cls(**fields)
