"""Count phrases of several lists in one pass over the words of a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

__all__ = ["PhraseCounter", "expand"]

_CHOICE = re.compile(r"\(([^()]*)\)")


def expand(pattern: str) -> list[tuple[str, ...]]:
    """Return all phrases that a pattern stands for, each as its words.

    Examples
    --------
    >>> from prefdissect.text.phrases import expand
    >>> expand("(may|might) be")
    [('may', 'be'), ('might', 'be')]
    """
    if not (inner := _CHOICE.search(pattern)):
        return [tuple(pattern.split())]
    before, after = pattern[: inner.start()], pattern[inner.end() :]
    # The innermost choice first, so that a choice may hold another.
    return [phrase for option in inner[1].split("|") for phrase in expand(before + option + after)]


class PhraseCounter:
    """Finds the phrases of several lists; of those of one list that start at the same word, one counts.

    Examples
    --------
    >>> from prefdissect.text.phrases import PhraseCounter
    >>> PhraseCounter({"hedges": ["may be", "perhaps"]}).count("perhaps it may be".split())
    {'hedges': 2}
    """

    def __init__(self, lists: Mapping[str, Iterable[str]]) -> None:
        self._names = tuple(lists)
        self._alone: dict[str, list[int]] = {}
        self._begun: dict[str, dict[str, dict[int, list[list[str]]]]] = {}
        for k, patterns in enumerate(lists.values()):
            for first, *tail in dict.fromkeys(phrase for pattern in patterns for phrase in expand(pattern)):
                if not tail:
                    self._alone.setdefault(first, []).append(k)
                else:
                    self._begun.setdefault(first, {}).setdefault(tail[0], {}).setdefault(k, []).append(tail[1:])

        self._known = self._alone.keys() | self._begun.keys()

    def count(self, words: list[str]) -> dict[str, int]:
        """Return how often phrases of each list stand in a text."""
        counts = [0] * len(self._names)
        for at, word in enumerate(words):
            if word not in self._known:
                continue
            found = set(self._alone.get(word, ()))
            if at + 1 < len(words):
                for k, tails in self._begun.get(word, {}).get(words[at + 1], {}).items():
                    if any(words[at + 2 : at + 2 + len(tail)] == tail for tail in tails):
                        found.add(k)
            for k in found:
                counts[k] += 1
        return dict(zip(self._names, counts, strict=True))
