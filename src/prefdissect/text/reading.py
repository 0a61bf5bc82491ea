"""One response to the ratings of all properties of `TEXT`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from prefdissect._typing import FloatArray
from prefdissect.text.language import guess_language
from prefdissect.text.lexicons import FIRST_PERSON, LEXICONS, SECOND_PERSON, STEP_WORDS
from prefdissect.text.markdown import Document, read_markdown
from prefdissect.text.marks import count_addresses, count_citations, count_emoji, count_quotations
from prefdissect.text.phrases import PhraseCounter
from prefdissect.text.readability import reading_ease
from prefdissect.text.tokens import count_tokens, split_sentences, split_words
from prefdissect.text.variety import moving_average_ttr, share_repeated

__all__ = ["LEAST_WORDS", "LONGEST", "RATED", "WINDOW", "read_response", "read_responses"]

LONGEST = 50_000  # characters that are read; of the rest only the length is counted
LEAST_WORDS = 20  # of prose, for a mean over its words or sentences to say something
WINDOW = 50  # words, of the moving average
_RUN = 4  # words that must come again in the same order to count as repeated

_STEP = re.compile(r"[^\w\n]{0,3}(?:step|stage|phase) \d|[^\w\n]{0,3}(\w+)(?=[,:\s])", re.IGNORECASE)
_QUESTION = ("?", "？", "؟")


@dataclass(frozen=True)
class _Prompt:
    """What the response is held against."""

    content: frozenset[str]
    language: str


def read_response(response: str, prompt: str) -> dict[str, float]:
    r"""Return the rating of a response by every property of `TEXT`.

    NaN where a measure has too little to go by (20 words of prose, 50 for lexical diversity, a
    prompt for what compares with it); such a pair counts as equal there. All are NaN for a
    response that is empty or only white space.

    Examples
    --------
    >>> from prefdissect.text.reading import read_response
    >>> found = read_response("Sure! Here is **one** easy way:\n\n- perhaps this", "How?")
    >>> found["length"], found["list_items"], found["exclamations"]
    (15.0, 12.5, 12.5)
    """
    if not response.strip():
        return dict.fromkeys(RATED, float("nan"))
    head = response[:LONGEST]
    document = read_markdown(head)
    prose, labels = "\n".join(document.prose), "\n".join(document.labels)
    text = f"{prose}\n{labels}"
    of_prose = split_words(prose)
    words = of_prose + split_words(labels)
    per_100 = 100.0 / max(len(words), 1)
    ratings = {"length": float(count_tokens(response))}
    ratings |= _layout(document, head, text, per_100)
    ratings |= _style(split_sentences(prose), of_prose, words, per_100)
    ratings |= _manner(text, words, per_100)
    return ratings | _fit_to_prompt(text, words, prompt[:LONGEST])


def read_responses(texts: Iterable[tuple[str, str]]) -> FloatArray:
    """Return the ratings of many responses, each given with its prompt; shape [response, property of `TEXT`]."""
    rows = [tuple(read_response(response, prompt).values()) for response, prompt in texts]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(RATED))


def _layout(document: Document, head: str, text: str, per_100: float) -> dict[str, float]:
    return {
        "headings": document.headings * per_100,
        "list_items": document.list_items * per_100,
        "bold": document.bold * per_100,
        "code": 100.0 * document.code / _count_visible(head) if document.code else 0.0,
        "tables": float(document.tables),
        "links": float(document.links + count_addresses(text) + count_citations(text)),
        "quotations": (document.quotes + count_quotations(text)) * per_100,
    }


def _count_visible(text: str) -> int:
    return len("".join(text.split()))


def _style(sentences: Sequence[str], prose: Sequence[str], words: Sequence[str], per_100: float) -> dict[str, float]:
    enough = len(prose) >= LEAST_WORDS
    steps = sum(map(_is_step, sentences))
    return {
        "sentences": float(len(sentences)),
        "reading_ease": reading_ease(prose, len(sentences)) if enough else float("nan"),
        "sentence_length": len(prose) / max(len(sentences), 1) if enough else float("nan"),
        "word_length": len("".join(prose)) / len(prose) if enough else float("nan"),
        "numbers": sum(word[0].isdigit() for word in words) * per_100,
        "lexical_diversity": 100.0 * moving_average_ttr(words, WINDOW),
        "repetition": 100.0 * share_repeated(words, _RUN),
        "step_words": steps * per_100,
        "questions": float(sum(map(_asks_user, sentences))),
    }


def _is_step(sentence: str) -> bool:
    found = _STEP.match(sentence)
    return found is not None and (found[1] is None or found[1].lower() in STEP_WORDS)


def _asks_user(sentence: str) -> bool:
    """Return whether a sentence is a question that speaks of "you"."""
    asks = sentence.rstrip("\"'”’)]*_ ").endswith(_QUESTION)
    return asks and not SECOND_PERSON.isdisjoint(split_words(sentence))


def _manner(text: str, words: list[str], per_100: float) -> dict[str, float]:
    phrases = _phrases().count(words)
    return {
        "hedges": phrases["hedges"] * per_100,
        "stated_limits": float(phrases["stated_limits"]),
        "refusal": float(phrases["refusal"]),
        "courtesy": float(phrases["courtesy"]),
        "first_person": sum(map(FIRST_PERSON.__contains__, words)) * per_100,
        "exclamations": (text.count("!") + text.count("！")) * per_100,
        "emoji": count_emoji(text) * per_100,
    }


def _fit_to_prompt(text: str, words: Sequence[str], prompt: str) -> dict[str, float]:
    if not prompt.strip():
        return {"prompt_overlap": float("nan"), "same_language": float("nan")}
    asked = _read_prompt(prompt)
    content = _content(words)
    shared = sum(map(asked.content.__contains__, content))
    overlap = 100.0 * shared / len(content) if content else float("nan")
    language = guess_language(text, words)
    return {
        "prompt_overlap": overlap,
        "same_language": float(not (language and asked.language) or language == asked.language),
    }


@lru_cache(maxsize=256)  # more than a batch has, in which A's responses come before B's
def _read_prompt(prompt: str) -> _Prompt:
    words = split_words(prompt)
    return _Prompt(frozenset(_content(words)), guess_language(prompt, words))


def _content(words: Sequence[str]) -> list[str]:
    """Return the words that are likely to carry meaning: long ones, and all that are not of Latin letters."""
    return [word for word in words if len(word) >= 4 or not word.isascii()]


@cache
def _phrases() -> PhraseCounter:
    return PhraseCounter(LEXICONS)


RATED = tuple(read_response("x", "x"))  # ids of the properties, in the order of the ratings
