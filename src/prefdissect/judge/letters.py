"""From the tokens of a reply to the log-probabilities of the letters A and B."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prefdissect.llm import Token
from prefdissect.llm.structured import THOUGHT, after_thoughts

__all__ = ["Letters", "first_letter", "letters_at", "read_letters"]

_BEFORE = ("answer", "response", "verdict")  # words that some models put before the letter
_BLANKS = " \t\r\n\u0120\u2581\u010a"  # also as some servers show the space within a token
# Not the article, as in "A better answer is B", and not one of two that are named, as in "A and B are alike".
_VERBS = "is|was|as|because|since|has|does|gives|serves|answers|wins"
_LETTER = re.compile(
    r"\W*(?:(?:answer|response|verdict)\W+(?:is\W+)?){0,2}(?-i:([AB]))(?![^\W_])"
    r"(?!\s*(?:[/&=,+]|and\b|or\b)\s*(?:response\s+)?(?-i:[AB])\b)"
    rf"(?!(?<=A)(?-i: (?!(?:{_VERBS})\b)[a-z]))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Letters:
    """Log-probabilities of the letters A and B; `bound` names the one of which only an upper bound is known."""

    a: float
    b: float
    bound: str | None = None


def read_letters(tokens: Iterable[Token]) -> Letters | None:
    """Return the log-probabilities of both letters where the answer begins, or None if it does not show them.

    What stands before the answer, thoughts, marks and words such as "Response", is passed over.

    Examples
    --------
    >>> from prefdissect.judge.letters import read_letters
    >>> from prefdissect.llm import Token
    >>> read_letters([Token("**", -0.2, {"**": -0.2, "A": -3.0}), Token("A", -0.1, {"A": -0.1, "B": -2.5})])
    Letters(a=-0.1, b=-2.5, bound=None)
    """
    for token in _after_thoughts(list(tokens)):
        word = token.text.strip(_BLANKS).casefold()
        if any(map(str.isalnum, word)) and word not in _BEFORE:
            return letters_at(token)
    return None


def _after_thoughts(tokens: list[Token]) -> list[Token]:
    """Return the tokens that come after a model's thoughts; none where it did not come to an end of them."""
    said = ""
    for place, token in enumerate(tokens):
        said += token.text
        if said.rstrip().endswith(THOUGHT[1]):
            return _after_thoughts(tokens[place + 1 :])
    return [] if said.lstrip().startswith(THOUGHT[0]) else tokens


def letters_at(token: Token) -> Letters | None:
    """Return the log-probabilities of both letters at one place, or None if neither is likely or nothing is reported.

    Tokens that spell the same letter, with or without a space, are added up. A letter that is not among the likeliest
    tokens is at most as likely as the least likely of those: that bound is taken, and named.

    Examples
    --------
    >>> from prefdissect.judge.letters import letters_at
    >>> from prefdissect.llm import Token
    >>> letters_at(Token(" A", -0.1, {" A": -0.1, " The": -2.5}))
    Letters(a=-0.1, b=-2.5, bound='B')
    """
    if len(token.top) < 2:
        return None  # the token alone says nothing of the other letter
    given = {token.text: token.logprob, **token.top}
    reported = {text: logprob for text, logprob in given.items() if not math.isnan(logprob)}
    a, b = (_add_up(reported, letter) for letter in "AB")
    if a is None and b is None:
        return None
    least = min(reported.values())
    if a is None or b is None:
        return Letters(least if a is None else a, least if b is None else b, "A" if a is None else "B")
    return Letters(a, b)


def _add_up(reported: Mapping[str, float], letter: str) -> float | None:
    """Return the log of the summed probability of all tokens that spell a letter."""
    found = [logprob for text, logprob in reported.items() if text.strip(_BLANKS) == letter]
    if len(found) < 2 or (most := max(found)) == -math.inf:
        return max(found) if found else None
    return most + math.log(sum(math.exp(logprob - most) for logprob in found))


def first_letter(text: str) -> str | None:
    """Return the letter with which an answer begins, or None.

    Examples
    --------
    >>> from prefdissect.judge.letters import first_letter
    >>> first_letter(" B"), first_letter("**A**, because"), first_letter("Response B"), first_letter("Both are fine")
    ('B', 'A', 'B', None)
    """
    found = _LETTER.match(after_thoughts(text))
    return found[1] if found else None
