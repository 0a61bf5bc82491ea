"""Tokens, words and sentences, by rules that anybody can check.

Tokens follow the Treebank rules of NLTK as far as these fit into one pass: a mark of punctuation is
a token, "don't" is two ("do", "n't"), "3.14", "1,000" and "well-known" are one. Words are the
tokens that hold a letter or a digit. Scripts that write no spaces (Han, kana, Thai, Lao, Khmer,
Burmese) count one word a character. All patterns run in time linear in the text.
"""

from __future__ import annotations

import re

__all__ = ["count_tokens", "split_sentences", "split_words", "tokenise"]

# Characters that are a word each: Thai to Lao, Burmese, Khmer, kana, Han with its extensions.
_SPACELESS = (
    "\u0e01-\u0e30\u0e40-\u0e46\u0e81-\u0eb0\u0ec0-\u0ec6\u1000-\u102a\u1780-\u17b3"
    "\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_MARKS = r";@#$%&?!*\[\](){}<>«»“”„‘\"。、，！？；：「」『』（）《》،؟؛।…"
_INNER = rf"[^\s.,:'’`{_MARKS}{_SPACELESS}-]"  # what is never a token by itself

# What Treebank splits off a word: first by plain replacement, which is fast, then the ends after an apostrophe.
_SPLIT_OFF = (("n't", " n't"), ("n’t", " n’t"), ("N'T", " N'T"), ("cannot", "can not"), ("Cannot", "Can not"))
_CONTRACTION = re.compile(r"['’](?<=\w['’])(?:[sSmMdD]|ll|re|ve|LL|RE|VE)\b")
# The point of "U.S." and of initials belongs to the word.
_POINT = r"(?:\.(?:(?<=\b[^\W\d]\.)(?<!['’].\.)|(?<=[^\W\d]\.[^\W\d]\.)))?"
_TOKEN = re.compile(
    rf"-?{_INNER}+(?:(?:-(?!-)|[.'’]+(?={_INNER})|[,:](?=\d)){_INNER}*)*{_POINT}"
    rf"|[{_SPACELESS}]"
    r"|['’](?:[sSmMdD]|ll|re|ve|LL|RE|VE)\b"
    r"|\.{2,}|--+|`+|''"
    r"|\S"
)

# Letters and digits with the marks that combine with them, joined by an apostrophe, a hyphen or a point
# between two letters or digits.
_LETTER = r"\w\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u200c\u200d"
_PLAIN_WORD = re.compile(r"[a-z0-9]+(?:['.,-][a-z0-9]+)*")
_WORD = re.compile(rf"[{_SPACELESS}]|(?:(?![{_SPACELESS}_])[{_LETTER}])+(?:['.,-](?:(?![{_SPACELESS}_])[{_LETTER}])+)*")

_END = re.compile(r"[.!?…。！？｡؟।۔\n]+[\"'”’)\]*_」』]*")
_WIDE = frozenset("。！？｡؟।۔\n")  # end a sentence whatever follows
_LAST_WORD = re.compile(r"[\w.]*\Z")
_ABBREVIATIONS = frozenset(["mr", "mrs", "ms", "dr", "prof", "st", "vs", "e.g", "i.e", "etc", "no", "fig", "approx"])


def tokenise(text: str) -> list[str]:
    """Return the tokens of a text: words and marks of punctuation.

    Source: the Penn Treebank rules as NLTK's `word_tokenize` applies them, whose counts are the
    paper's number of words.

    Examples
    --------
    >>> from prefdissect.text.tokens import tokenise
    >>> tokenise("Don't pay $1,000, e.g. twice.")
    ['Do', "n't", 'pay', '$', '1,000', ',', 'e.g.', 'twice', '.']
    """
    for joined, apart in _SPLIT_OFF:
        text = text.replace(joined, apart)
    if "'" in text or "’" in text:
        text = _CONTRACTION.sub(r" \g<0>", text)
    return _TOKEN.findall(text)


def count_tokens(text: str) -> int:
    """Return the number of tokens of a text."""
    return len(tokenise(text))


def split_words(text: str) -> list[str]:
    """Return the words of a text in small letters, contractions whole, without punctuation.

    Examples
    --------
    >>> from prefdissect.text.tokens import split_words
    >>> split_words("Don't fly at 3.14 well-known 東京!")
    ["don't", 'fly', 'at', '3.14', 'well-known', '東', '京']
    """
    text = text.lower()
    if text.isascii():
        return _PLAIN_WORD.findall(text)
    return _WORD.findall(text.replace("’", "'"))


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text, their end marks included; the end of a line ends a sentence.

    A point after a single letter or a usual abbreviation ends none.

    Examples
    --------
    >>> from prefdissect.text.tokens import split_sentences
    >>> split_sentences("Ask Dr. Who. Really? Yes")
    ['Ask Dr. Who.', 'Really?', 'Yes']
    """
    sentences, start = [], 0
    for match in _END.finditer(text):
        if _ends_sentence(text, match):
            sentences.append(text[start : match.end()].strip())
            start = match.end()
    sentences.append(text[start:].strip())
    return [s for s in sentences if any(map(str.isalnum, s))]


def _ends_sentence(text: str, end: re.Match[str]) -> bool:
    marks, after = end[0], text[end.end() : end.end() + 1]
    if not _WIDE.isdisjoint(marks):
        return True
    if after and not after.isspace():
        return False
    if marks != ".":
        return True
    word = _LAST_WORD.search(text, max(end.start() - 8, 0), end.start())
    last = word[0].lower() if word else ""
    return last not in _ABBREVIATIONS and not (len(last) == 1 and last.isalpha())
