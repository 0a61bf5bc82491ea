"""`TEXT`: what can be said of a response from its text alone.

Most ratings are rates per 100 words, so that they are not the length in disguise: a response twice
as long with twice as many headings has as much of them. What is rare is counted. Thresholds are
about a fifth of the standard deviation between responses in an open arena, rounded; a count of rare things
must differ by one.
"""

from __future__ import annotations

from typing import Any

from prefdissect.schema import Property, PropertySchema

__all__ = ["TEXT"]

_STYLE_CONTROL = "LMArena style control"
_OURS = "word list of this package"


def _number(id: str, description: str, unit: str, threshold: float, source: str, **fields: Any) -> Property:
    return Property(
        id=id,
        kind="number",
        group="text",
        description=description,
        unit=unit,
        threshold=threshold,
        source=source,
        **fields,
    )


def _rate(id: str, description: str, threshold: float, source: str, **fields: Any) -> Property:
    """Return a property that is counted per 100 words outside code."""
    return _number(id, description, "per 100 words", threshold, source, **fields)


def _count(id: str, description: str, unit: str, source: str, **fields: Any) -> Property:
    return _number(id, description, unit, 1, source, **fields)


def _mean(id: str, description: str, unit: str, threshold: float, source: str, **fields: Any) -> Property:
    """Return a property that too short a text does not have; responses then count as equal."""
    return _number(id, description, unit, threshold, source, missing="zero", **fields)


TEXT = PropertySchema(
    name="text",
    properties=(
        Property(
            id="length",
            kind="words",
            group="text",
            description="Words and marks of punctuation of the whole response, code included.",
            unit="words",
            source="Li et al. 2024; NLTK's Treebank rules",
        ),
        _number("sentences", "Sentences of prose.", "sentences", 2, "this package"),
        _rate("headings", "Markdown headings that start with #.", 0.1, _STYLE_CONTROL),
        _rate("list_items", "Items of bulleted and numbered lists.", 0.75, _STYLE_CONTROL),
        _rate("bold", "Stretches of bold type.", 0.3, _STYLE_CONTROL, label="bold type"),
        _number(
            "code",
            "Share of the characters that stand in code: blocks, HTML and code within a line.",
            "percent",
            5,
            "CommonMark",
        ),
        _count("tables", "Markdown tables.", "tables", "GitHub Flavored Markdown"),
        _count(
            "links",
            "Links, images, bare addresses and citations such as [3] or (Flesch, 1948).",
            "links",
            "CommonMark; patterns of this package",
        ),
        _rate("quotations", "Stretches in double quotation marks, and quoted blocks.", 0.5, "CommonMark"),
        _rate("numbers", "Words that begin with a digit, numbers of list items left out.", 1, "this package"),
        _mean(
            "reading_ease",
            "How easily the prose reads: short sentences of words with few syllables.",
            "points of Flesch",
            5,
            "Flesch 1948",
            label="reading ease",
        ),
        _mean("sentence_length", "Mean number of words in a sentence of prose.", "words", 1.2, "Flesch 1948"),
        _mean("word_length", "Mean number of characters in a word of prose.", "characters", 0.15, "this package"),
        _mean(
            "lexical_diversity",
            "Share of different words in 50 consecutive ones, on average over the text.",
            "percent",
            1.7,
            "MATTR, Covington & McFall 2010",
        ),
        _number(
            "repetition",
            "Share of runs of four words that stood in the response before.",
            "percent",
            1.1,
            "rep-4, Welleck et al. 2020",
        ),
        _rate("step_words", 'Sentences that begin with "first", "then", "step 2" and the like.', 0.1, _OURS),
        _rate("hedges", 'Words of caution such as "perhaps" and "may be".', 0.15, f"Hyland 1998; {_OURS}"),
        _count(
            "stated_limits",
            "Phrases by which the speaker says that it does not know, may be or was wrong, or is only a program.",
            "phrases",
            _OURS,
        ),
        _count("refusal", "Phrases by which the speaker declines to do what was asked.", "phrases", _OURS),
        _count("courtesy", "Phrases of thanks, apology, praise, wishes and offers.", "phrases", _OURS),
        _count("questions", 'Questions that speak of "you".', "questions", _OURS, label="questions to the user"),
        _rate("exclamations", "Exclamation marks outside code.", 0.4, "this package"),
        _rate("emoji", "Emoji outside code; a sequence that is shown as one counts once.", 0.15, "Unicode emoji"),
        _rate("first_person", 'The words "I", "me", "my" and their contractions.', 0.5, "this package"),
        _mean(
            "prompt_overlap",
            "Share of the words of four letters and more that stand in the prompt too.",
            "percent",
            4,
            "this package",
        ),
        Property(
            id="same_language",
            kind="rating",
            range=(0, 1),
            group="text",
            missing="zero",
            description="1 unless prompt and response are clearly in different languages, then 0.",
            unit="0 or 1",
            threshold=1,
            source=_OURS,
            label="in the prompt's language",
        ),
    ),
)
