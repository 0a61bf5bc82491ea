"""From what a server sends to a `Reply`, in the shapes that servers of the protocols really send."""

from __future__ import annotations

import json
import math
from typing import Any

from prefdissect.llm.request import Reply, Token, without_surrogates

__all__ = ["read_reply", "words_of"]

_MOST_SHOWN = 300


def read_reply(text: str) -> Reply:
    """Return a reply of either protocol.

    Raises
    ------
    ValueError
        If it is cut off, no reply at all, or one that the provider broke off; the message says which.

    Examples
    --------
    >>> from prefdissect.llm.reading import read_reply
    >>> read_reply('{"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}').text
    'Hi'
    """
    try:
        sent = json.loads(text)
        choice = sent["choices"][0]
        read = _read_chat(choice) if "message" in choice else _read_completion(choice)
        usage = counted if isinstance(counted := sent.get("usage"), dict) else {}
        reply = Reply(
            **read,
            finish_reason=choice.get("finish_reason") or "stop",
            model=without_surrogates(str(sent.get("model") or "")),
            tokens_in=_count(usage.get("prompt_tokens")),
            tokens_out=_count(usage.get("completion_tokens")),
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        start = without_surrogates(" ".join(text.split())[:80])
        raise ValueError(f"the server sent something that is no reply of the protocol: {start!r}") from None
    if reply.finish_reason == "error":  # as gateways say it of a provider that fell over
        raise ValueError(f"the provider broke the reply off: {words_of(json.dumps(choice.get('error') or 'error'))}")
    return reply


def words_of(text: str) -> str:
    """Return what an error says, whichever of the usual shapes it has."""
    try:
        said = json.loads(text)
    except ValueError:
        said = text
    while isinstance(said, dict):
        said = next((said[name] for name in ("error", "message", "detail") if said.get(name)), json.dumps(said))
    plain = without_surrogates(" ".join(str(said).split()))
    return plain[:_MOST_SHOWN] or "without a word"


def _read_chat(choice: dict[str, Any]) -> dict[str, Any]:
    message = choice["message"]
    refusal = message.get("refusal") or None  # some send an empty one with each reply
    return {
        "text": _text(message.get("content")),
        "refusal": None if refusal is None else without_surrogates(str(refusal)),
        "tokens": _tokens(choice.get("logprobs")),
    }


def _read_completion(choice: dict[str, Any]) -> dict[str, Any]:
    return {"text": _text(choice["text"]), "tokens": _tokens(choice.get("logprobs"))}


def _text(content: Any) -> str:
    """Return the text of a reply; of a list of parts those that are said, and not those that are thought."""
    if isinstance(content, list):
        content = "".join(p if isinstance(p, str) else p["text"] for p in content if _is_said(p))
    if not isinstance(content, str | None):
        raise TypeError("a reply is text")
    return without_surrogates(content or "")


def _is_said(part: Any) -> bool:
    return isinstance(part, str) or part.get("type", "text") in ("text", "output_text")


def _tokens(logprobs: Any) -> tuple[Token, ...]:
    """Return tokens with their log-probabilities, as chats have them (llama.cpp's completions, too) or in columns."""
    if not logprobs:
        return ()
    if "content" in logprobs:
        return tuple(
            Token(
                t["token"],
                _number(t["logprob"]),
                {o["token"]: _number(o["logprob"]) for o in t.get("top_logprobs") or []},
            )
            for t in logprobs["content"] or []
        )
    texts, values = logprobs.get("tokens") or [], logprobs.get("token_logprobs") or []
    tops = logprobs.get("top_logprobs") or [{}] * len(texts)
    return tuple(
        Token(text, _number(value), {k: _number(v) for k, v in (top or {}).items()})
        for text, value, top in zip(texts, values, tops, strict=True)
    )


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _count(value: Any) -> int | None:
    """Return a number of tokens, or None where the server counts none, or counts what cannot be."""
    try:
        return None if int(value) < 0 else int(value)
    except (TypeError, ValueError, OverflowError):
        return None
