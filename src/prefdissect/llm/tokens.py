"""How many tokens a text will be, without the tokenizer of any model."""

from __future__ import annotations

import re

__all__ = ["count_tokens"]

# Byte-pair tokenizers of the last years split texts alike: a word with the space before it, at most three digits, a run
# of marks, a run of white space. Common words are one token, longer or rarer ones several.
_PIECE = re.compile(
    r"(?P<word>[^\W\d_]+)|(?P<number>\d{1,3})|(?P<mark>[^\w\s]+|_+)|(?P<lines>\s*\n+)|(?P<space>[^\S\n]{2,})"
)
_LATIN = re.compile(r"[A-Za-z]+\Z")


def count_tokens(text: str) -> int:
    """Return about how many tokens models of the last years see in a text, by rules.

    Examples
    --------
    >>> from prefdissect.llm import count_tokens
    >>> count_tokens("Which of the two responses is better?")
    8
    """
    return round(sum(_tokens_of(piece.lastgroup or "", piece.group()) for piece in _PIECE.finditer(text)))


def _tokens_of(kind: str, piece: str) -> float:
    if kind == "word":
        if _LATIN.match(piece):
            return 1.0 if len(piece) <= 8 else 1.0 + (len(piece) - 8) / 9
        return max(1.0, 0.55 * len(piece))
    if kind == "mark":
        return 1.0 if len(piece) <= 3 else len(piece) / 2.5
    return 1.0
