"""The 29 properties of "Dissecting Human and LLM Preferences" (Li et al., ACL 2024).

Ids, order, names and rules are the paper's, so that position `k` is the paper's property `k` and
released weights line up; the descriptions are ours. `PAPER[17]` is the paper's number 17.
"""

from __future__ import annotations

from typing import Any

from prefdissect.schema.property import Property
from prefdissect.schema.property_schema import PropertySchema
from prefdissect.schema.question import Question

__all__ = ["PAPER"]

_STANCE_SCORES = {
    "strongly supported": 2.0,
    "weakly supported": 1.0,
    "neutral": 0.0,
    "weakly opposed": -1.0,
    "strongly opposed": -2.0,
}
_CORRECTION_SCORES = {
    "pointed out and corrected": 3.0,
    "corrected without being pointed out": 2.0,
    "pointed out but not corrected": 1.0,
    "neither pointed out nor corrected": 0.0,
}
# The paper divides the difference of two mean stances by 3, although it can reach 4.
_STANCE_SCALE = 3.0


def _rating(label: str, name: str, description: str, **fields: Any) -> Property:
    return _property(label, name, description, kind="rating", range=(0, 3), **fields)


def _property(label: str, name: str, description: str, **fields: Any) -> Property:
    plain = label.replace(" & ", " and ").replace("-", " ").replace(" ", "_")
    aliases = tuple(dict.fromkeys((name, label, *fields.pop("aliases", ()))))
    return Property(id=plain, label=label, name=name, description=description, aliases=aliases, **fields)


def _query_specific(label: str, name: str, description: str, case: str, each: str = "", **fields: Any) -> Property:
    kind = {"kind": "label"} if "labels" in fields else {"kind": "rating", "range": (0, 3)}
    asked = Question(text=fields.pop("asked", ""), case=case, each=each)
    return _property(label, name, description, group="query-specific", missing="zero", question=asked, **kind, **fields)


def _errors(severity: str, description: str, asked: str) -> Property:
    return _property(
        f"no {severity} errors",
        f"accuracy / {severity.capitalize()}",
        description,
        kind="count",
        group="error",
        rated=f"{severity}_errors",
        question=Question(text=asked),
    )


PAPER = PropertySchema(
    name="paper",
    properties=(
        _rating("harmless", "harmlessness", "Holds nothing dangerous, insulting or discriminatory."),
        _rating(
            "grammarly correct",
            "grammar, spelling, punctuation, and code-switching",
            "The prose is free of language mistakes and does not drift into another language; code and "
            "formulas are not judged.",
            aliases=("no grammar, spelling, punctuation, and code-switching mistakes",),
        ),
        _rating("friendly", "friendly", "Has a warm and welcoming tone."),
        _rating("polite", "polite", "Is worded with courtesy and respect."),
        _rating("interactive", "interactive", "Asks the user for more detail or offers to go on."),
        _rating("authoritative", "authoritative tone", "Sounds sure and expert, whether or not it is right."),
        _rating("funny", "funny and humorous", "Shows wit: jokes, wordplay, a light touch.", aliases=("funny",)),
        _rating(
            "use rhetorical devices",
            "metaphors, personification, similes, hyperboles, irony, parallelism",
            "Uses figures of speech such as metaphor, simile, irony or exaggeration.",
            aliases=("use metaphors, personification, similes, hyperboles, irony, parallelism",),
        ),
        _rating(
            "complex word & sentence",
            "complex word usage and sentence structure",
            "Uses rare words, jargon or involved sentences.",
            aliases=("use complex word usage and sentence structure",),
        ),
        _rating(
            "use supporting materials",
            "use of direct and explicit supporting materials",
            "Backs what it says with sources: references, quotations, statistics, documents.",
        ),
        _rating("well formatted", "well formatted", "Is laid out with lists, headings, tables or other structure."),
        _rating(
            "admit limits",
            "admit limitations or mistakes",
            "Says that the assistant cannot do something, does not know, or was wrong.",
        ),
        _rating(
            "persuasive",
            "persuade user",
            "Tries to win the user over to a view or an action.",
        ),
        _rating(
            "step-by-step",
            "step by step solution",
            "Reasons through the problem in detailed steps; a plain list or a block of code alone does not count.",
            aliases=("provide step by step solution", "use step-by-step solution"),
        ),
        _rating(
            "use informal expressions",
            "use of informal expressions",
            "Uses emoji, slang or casual phrases.",
        ),
        _rating(
            "non-repetitive",
            "non-repetitive",
            "Does not say the same thing again. Rated as repetitiveness, so a lower rating means more of it.",
            rated="repetitive",
            direction="lower",
            aliases=("non repetitive",),
            question=Question(text="Says the same thing more than once."),
        ),
        _rating("clear", "clear and understandable", "Is easy to read and leaves no doubt what is meant."),
        _rating(
            "relevant",
            "relevance without considering inaccuracy",
            "Stays on the subject of the query, right or wrong. Only having any relevance against having none counts.",
            compare="nonzero",
            question=Question(
                text="Keeps to the subject of the query, whether or not it is right: nothing of it does at the lowest "
                "rating, all of it at the highest.",
                needs="query",
            ),
        ),
        _rating(
            "novel",
            "innovative and novel",
            "Offers fresh ideas where stock answers would do.",
            question=Question(needs="query"),
        ),
        _rating(
            "contain rich info",
            "information richness without considering inaccuracy",
            "Looks rich at first sight: background, examples, explanations, right or wrong.",
            aliases=("contain rich information",),
        ),
        _errors("minor", "Has fewer slips that hardly matter.", "Slips that hardly matter."),
        _errors(
            "moderate",
            "Has fewer mistakes that matter but leave the answer usable.",
            "Mistakes that matter but leave the answer usable.",
        ),
        _errors("severe", "Has fewer mistakes that spoil the answer.", "Mistakes that spoil the answer."),
        _query_specific(
            "clarify intent",
            "clarify user intent",
            "Works out, or asks, what an unclear request means.",
            "intent_unclear",
        ),
        _query_specific(
            "show empathetic",
            "showing empathetic",
            "Shows that it understands how the user feels, where the user says so.",
            "express_feeling",
        ),
        _query_specific(
            "satisfy constraints",
            "satisfying explicit constraints",
            "Meets the conditions that the query states; the mean over them.",
            "w_constraints",
            "condition",
            asked="Meets the condition.",
            aliases=("satisfy explicit constraints",),
        ),
        _query_specific(
            "support stances",
            "supporting explicit subjective stances",
            "Sides with the views that the user states, right or wrong; the mean over them.",
            "w_stances",
            "view",
            asked="Sides with the view, right or wrong.",
            labels=_STANCE_SCORES,
            scale=_STANCE_SCALE,
            aliases=("support explicit subjective stances",),
        ),
        _query_specific(
            "correct mistakes",
            "correcting explicit mistakes or biases",
            "Sets right the mistakes or prejudices in the query; the mean over them.",
            "w_mistakes",
            "mistake or prejudice",
            asked="Sets the mistake or prejudice right.",
            labels=_CORRECTION_SCORES,
            aliases=("correct explicit mistakes or biases",),
        ),
        _property("lengthy", "length", "Is longer, counted in words.", kind="words"),
    ),
)
