"""Emoji, addresses, citations and quotations, found by pattern.

Repetition in the patterns is bounded, so that no text takes more than linear time.
"""

from __future__ import annotations

import re

__all__ = ["count_addresses", "count_citations", "count_emoji", "count_quotations"]

# Characters that are shown as emoji by themselves (Unicode's Emoji_Presentation, blocks rounded up).
_EMOJI_CHARACTER = (
    "\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab\u26bd\u26be"
    "\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757"
    "\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55\U0001f004\U0001f0cf\U0001f18e\U0001f191-\U0001f19a\U0001f201"
    "\U0001f21a\U0001f22f\U0001f232-\U0001f236\U0001f238-\U0001f23a\U0001f250\U0001f251\U0001f300-\U0001f64f"
    "\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7eb\U0001f7f0\U0001f90c-\U0001f9ff\U0001fa70-\U0001faff"
)
# Others become emoji by the selector U+FE0F; modifiers and tags belong to the emoji before them.
_MADE_EMOJI = "\u00a9\u00ae\u203c-\u3299\U0001f170-\U0001f251"
_ONE = rf"(?:[{_EMOJI_CHARACTER}]|[{_MADE_EMOJI}]\ufe0f)[\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"
_JOINED = rf"\u200d(?:{_ONE}|[\u2640\u2642\u2695-\u2764]\ufe0f?)"
_EMOJI = re.compile(rf"[\U0001f1e6-\U0001f1ff]{{2}}|{_ONE}(?:{_JOINED})*")

_ADDRESS = re.compile(r"https?://[^\s<>()\[\]]+|www\.[^\s<>()\[\]]+|doi:\s?10\.")
_ADDRESS_STARTS = ("://", "www.", "doi:")  # looked for first, which is faster

_NAME = r"[A-Z][\w'’-]{1,40}"
_CITATION = re.compile(
    rf"\[\d{{1,3}}(?:[,–-] ?\d{{1,3}}){{0,9}}\]|\({_NAME}(?: et al\.?| (?:and|&) {_NAME})?, (?:19|20)\d\d[a-z]?\)"
)
_QUOTATION = re.compile(r"\"(?=\S)[^\"\n]{1,400}\"|“[^“”\n]{1,400}”|«[^«»\n]{1,400}»|「[^「」\n]{1,400}」")


def count_emoji(text: str) -> int:
    r"""Return the number of emoji; what is joined into one, a family or a flag, is one.

    Examples
    --------
    >>> from prefdissect.text.marks import count_emoji
    >>> count_emoji("\U0001f600 \u2705 \U0001f1eb\U0001f1f7 (c) \u2713")
    3
    """
    return 0 if text.isascii() else len(_EMOJI.findall(text))


def count_addresses(text: str) -> int:
    """Return the number of web addresses and DOIs.

    Examples
    --------
    >>> from prefdissect.text.marks import count_addresses
    >>> count_addresses("see https://example.org and www.example.org")
    2
    """
    return len(_ADDRESS.findall(text)) if any(start in text for start in _ADDRESS_STARTS) else 0


def count_citations(text: str) -> int:
    """Return the number of citations by number or by author and year.

    Examples
    --------
    >>> from prefdissect.text.marks import count_citations
    >>> count_citations("It is so [2, 3], and was (Flesch, 1948), but not (in May 2020).")
    2
    """
    return len(_CITATION.findall(text))


def count_quotations(text: str) -> int:
    """Return the number of stretches in double quotation marks, of up to 400 characters in one line.

    Examples
    --------
    >>> from prefdissect.text.marks import count_quotations
    >>> count_quotations('He said "yes" and “no”, at 6" height.')
    2
    """
    return len(_QUOTATION.findall(text))
