"""From the ways in which sources write a conversation to its last exchange and what went before."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from prefdissect.data.identity import hash_text
from prefdissect.data.readers.nested import as_items, is_missing
from prefdissect.errors import DataError, show

__all__ = [
    "Exchange",
    "content_text",
    "exchange_columns",
    "is_dialogue",
    "last_exchange",
    "read_dialogue",
    "read_turns",
]

_ROLES = {
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
}
_SPEAKER = re.compile(r"(?:^|\n\n)(Human|Assistant): ?")


class Exchange(NamedTuple):
    """The last request and its response, and the turns before them."""

    context: list[dict[str, str]]
    prompt: str | None
    response: str | None


def content_text(content: Any) -> str | None:
    """Return the text of a turn: a string, or a list of parts, of which pictures leave "[image]"."""
    if isinstance(content, str):
        return content
    if is_missing(content):
        return None
    if isinstance(content, list | tuple | np.ndarray):
        pieces = [_piece_text(piece) for piece in content]
        return "\n".join(piece for piece in pieces if piece)
    return str(content)


def _piece_text(piece: Any) -> str:
    if not isinstance(piece, Mapping):
        return str(piece)
    text = piece.get("text")
    return str(text) if text else "[image]" if piece.get("image") or piece.get("type") == "image" else ""


def read_turns(cell: Any, where: str) -> list[dict[str, str]]:
    """Return turns as role (user, assistant, system) and content, without those that say nothing.

    Raises
    ------
    DataError
        If the cell holds no turns, or one of an unknown role.
    """
    turns = []
    for turn in as_items(cell, where) or []:
        if not isinstance(turn, Mapping):
            raise DataError(f"{where}: {show(turn)} is no turn of a conversation; it needs a role and a content")
        role = str(turn.get("role", turn.get("from", ""))).casefold()
        if role not in _ROLES:
            raise DataError(f"{where}: role {role!r} of a turn is none of {', '.join(_ROLES)}")
        text = content_text(turn.get("content", turn.get("value")))
        if text is not None:
            turns.append({"role": _ROLES[role], "content": text})
    return turns


def is_dialogue(text: str) -> bool:
    r"""Return whether a text has a turn of an assistant, begun by "\n\nAssistant:"."""
    return "\n\nAssistant:" in text


def read_dialogue(text: str) -> list[dict[str, str]]:
    r"""Return the turns of a dialogue in one text, each begun by "\n\nHuman: " or "\n\nAssistant: "."""
    pieces = _SPEAKER.split(text)
    roles, contents = pieces[1::2], pieces[2::2]
    before = [{"role": "system", "content": pieces[0]}] if pieces[0].strip() else []
    said = zip(roles, contents, strict=True)
    return before + [{"role": _ROLES[role.casefold()], "content": content.strip()} for role, content in said]


def last_exchange(turns: Sequence[dict[str, str]]) -> Exchange:
    """Return the response that ends a conversation, the request before it, and the rest; None for what is not there."""
    ends = bool(turns) and turns[-1]["role"] == "assistant"
    before = list(turns[:-1] if ends else turns)
    response = turns[-1]["content"] if ends else None
    asked = [i for i, turn in enumerate(before) if turn["role"] == "user"]
    if not asked:
        return Exchange(before, None, response)
    at = asked[-1]
    return Exchange(before[:at] + before[at + 1 :], before[at]["content"], response)


def exchange_columns(a: Sequence[Exchange], b: Sequence[Exchange]) -> dict[str, Any]:
    """Return columns prompt, response_a, response_b and, where there is any, what went before.

    `context` is the earlier turns as JSON; where they differ between the two conversations there are
    `context_a` and `context_b` instead. A prompt such as "Are you sure?" is then not the same
    wherever it stands: `prompt_id` names all that was asked.
    """
    columns: dict[str, Any] = {
        "prompt": [x.prompt if x.prompt is not None else y.prompt for x, y in zip(a, b, strict=True)],
        "response_a": [x.response for x in a],
        "response_b": [y.response for y in b],
    }
    other = [y.prompt if x.prompt is not None and y.prompt != x.prompt else None for x, y in zip(a, b, strict=True)]
    if any(prompt is not None for prompt in other):
        columns["prompt_b"] = other  # the two conversations end in different requests
    both = [(_dump(x.context), _dump(y.context)) for x, y in zip(a, b, strict=True)]
    if all(x == y for x, y in both):
        columns |= {"context": [x for x, _ in both]} if any(x for x, _ in both) else {}
    else:
        columns |= {"context_a": [x for x, _ in both], "context_b": [y for _, y in both]}
    if any(x for both_contexts in both for x in both_contexts):
        columns["prompt_id"] = [hash_text("\x1f".join(_asked(x))) for x in a]
    return {name: pd.Series(cells, dtype=object) for name, cells in columns.items()}


def _asked(exchange: Exchange) -> list[str]:
    """Return all requests of a conversation."""
    before = [turn["content"] for turn in exchange.context if turn["role"] == "user"]
    return before if exchange.prompt is None else [*before, exchange.prompt]


def _dump(turns: Sequence[dict[str, str]]) -> str | None:
    return json.dumps(turns, ensure_ascii=False) if turns else None
