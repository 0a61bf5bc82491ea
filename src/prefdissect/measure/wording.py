"""A property, and what is to be found out about a query, as a prompt says it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from prefdissect.measure.plan import Case
from prefdissect.schema import Property

__all__ = ["Line", "case_line", "error_line", "property_line", "quoted"]


@dataclass(frozen=True)
class Line:
    """One thing that is asked: its name in the reply, in quotation marks, what it means, how it is answered."""

    name: str
    text: str
    answer: str
    each: str = ""

    def __str__(self) -> str:
        """Return the line of the prompt."""
        return f"- {self.name}: {self.text} Answer: {self.answer}."


def property_line(prop: Property, each: str = "") -> Line:
    """Return how a property is asked for; with `each`, for every item of that name."""
    return Line(quoted(prop.rated), _meaning(prop), _scale(prop), each)


def error_line(prop: Property) -> str:
    """Return how a class of errors is named and described."""
    return f"- {quoted(prop.rated)}: {_meaning(prop)}"


def case_line(case: Case) -> Line:
    """Return how one fact about a query is asked for."""
    several = f"a list with one text for each {case.each}, in the words of the query; empty if there is none"
    return Line(quoted(case.name), _sentence(case.when), several if case.each else "true or false")


def quoted(name: str) -> str:
    """Return a name as JSON writes it."""
    return json.dumps(name, ensure_ascii=False)


def _meaning(prop: Property) -> str:
    """Return what is rated. Where less of it is more of the property, the description alone would turn it round."""
    plain = prop.rated.replace("_", " ")
    if prop.question.text:
        return _sentence(prop.question.text)
    if prop.direction == "lower":
        return (
            f"How much there is of: {plain}. Less of it means more of this: {_sentence(prop.description or prop.label)}"
        )
    return _sentence(prop.description or prop.name)


def _scale(prop: Property) -> str:
    if prop.labels is not None:
        return "one of " + ", ".join(map(quoted, prop.labels))
    if prop.range is not None:
        low, high = prop.range
        whole = float(low).is_integer() and float(high).is_integer() and high - low >= 2
        return f"a {'whole ' if whole else ''}number, {low:g} to {high:g}"
    unit = f" ({prop.unit})" if prop.unit else ""
    return f"how many, a whole number{unit}" if prop.kind == "count" else f"a number{unit}"


def _sentence(text: str) -> str:
    """Return a text on one line, with a mark at its end."""
    line = " ".join(text.split())
    return line if line[-1:] in ".!?:" else f"{line}."
