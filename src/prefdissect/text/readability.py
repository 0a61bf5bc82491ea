"""How easy a text is to read: Flesch's formula on syllables counted by rule."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

__all__ = ["count_syllables", "reading_ease"]

_VOWELS = re.compile(r"[aeiouyàáâãäåæèéêëìíîïòóôõöøœùúûüýÿ]+")
_SPLIT_VOWELS = re.compile(r"ia(?!n\b|l\b)|io(?!n|u)|eo(?![up])|ua|uo|[aeo]ing|iu")  # two sounds written side by side
_SILENT_END = re.compile(r"(?<=[^aeiouyl])es?\Z|(?<=[aeiouy]l)es?\Z|(?<=[^aeiouytd])ed\Z")
_SOUNDED_END = re.compile(r"(?:[sxz]|sh|ch|[cg])es\Z")
_LETTERS = re.compile(r"[a-zà-ÿœ]+\Z")


@lru_cache(maxsize=65_536)
def count_syllables(word: str) -> int:
    """Return the number of syllables of a word in small letters, at least 1; 0 for what is no Latin word.

    Groups of vowels, with a silent "e" and "ed" at the end taken off and pairs such as "ia" and
    "eo" counted apart.

    Examples
    --------
    >>> from prefdissect.text.readability import count_syllables
    >>> [count_syllables(word) for word in ("cat", "make", "table", "readable", "i'm", "1999")]
    [1, 1, 2, 3, 1, 0]
    """
    if not _LETTERS.match(word):
        parts = [part.partition("'")[0] for part in word.split("-")]  # what follows an apostrophe adds none
        return sum(map(count_syllables, parts)) if all(map(_LETTERS.match, parts)) else 0
    syllables = len(_VOWELS.findall(word)) + len(_SPLIT_VOWELS.findall(word))
    if _SILENT_END.search(word) and not _SOUNDED_END.search(word):
        syllables -= 1
    return max(syllables, 1)


def reading_ease(words: Sequence[str], sentences: int) -> float:
    """Return Flesch's reading ease: about 100 is very easy, 0 very hard; NaN without sentences or Latin words.

    206.835 - 1.015 words / sentences - 84.6 syllables / words. Source: Flesch 1948, "A new
    readability yardstick". Its constants are for English.
    """
    syllables = sounded = 0
    for word, times in Counter(words).items():
        n = count_syllables(word)
        syllables += n * times
        sounded += times if n else 0
    if not sounded or not sentences:
        return float("nan")
    return 206.835 - 1.015 * sounded / sentences - 84.6 * syllables / sounded
