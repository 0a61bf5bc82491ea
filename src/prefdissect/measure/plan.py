"""What a schema asks for: which property is rated in which step, and what must be known of a query for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prefdissect.errors import OptionError, SchemaError
from prefdissect.schema import SCENARIOS, Property, PropertySchema
from prefdissect.text import TEXT

__all__ = ["STEPS", "Case", "Plan", "make_plan"]

# In the order in which they are taken.
STEPS = ("query_info", "query_specific", "query_aware", "query_free", "reference", "reference_aware", "errors")

_PAPER_CASES = {s.id: s for s in SCENARIOS if s.kind == "case"}
_NEEDS_OF_GROUP = {"query-specific": "query", "error": "reference"}
_WORDS = TEXT["length"]


@dataclass(frozen=True)
class Case:
    """What must hold for a query so that some properties are rated: `when`, and what it may hold several of, `each`."""

    name: str
    when: str
    each: str = ""


@dataclass(frozen=True)
class Plan:
    """The properties of a schema by the step in which they are rated.

    Parameters
    ----------
    schema
        All of them, in their order.
    steps
        Properties by step; a step without any is not there.
    by_rule
        Property id to the property of `TEXT` that measures it without a model.
    cases
        What must be found out about a query.
    """

    schema: PropertySchema
    steps: Mapping[str, tuple[Property, ...]]
    by_rule: Mapping[str, Property]
    cases: tuple[Case, ...]

    @property
    def asked(self) -> tuple[Property, ...]:
        """The properties for which the model is asked, in the order of the schema."""
        return tuple(p for p in self.schema if p.id not in self.by_rule)

    @property
    def needs_prompt(self) -> bool:
        """Whether any step shows the query."""
        return any(step != "query_free" for step in self.steps)

    @property
    def needs_reference(self) -> bool:
        """Whether any step shows a reference answer."""
        return "errors" in self.steps or "reference_aware" in self.steps

    def case_of(self, prop: Property) -> Case | None:
        """Return what must hold for a query so that this property is rated, if anything must."""
        name = _case_name(prop)
        return next((case for case in self.cases if case.name == name), None)


def make_plan(schema: PropertySchema) -> Plan:
    """Return in which step each property is rated.

    Properties of `TEXT`, and numbers of words, are measured by rule. Of the others a property with a case is
    query-specific, one that is counted in group `error` is found against the reference, and for all others it
    counts what the model must see.

    Raises
    ------
    SchemaError
        If a property can neither be measured nor asked for, or two properties say different things of one case.
    OptionError
        If the schema is empty.
    """
    if not len(schema):
        raise OptionError(f"schema {schema.name!r} has no property, so there is nothing to rate")
    by_rule = {p.id: rule for p in schema if (rule := _rule_of(p)) is not None}
    steps: dict[str, tuple[Property, ...]] = {}
    for prop in schema:
        if prop.id not in by_rule:
            step = _step_of(prop)
            steps[step] = (*steps.get(step, ()), prop)
    ordered = {step: steps[step] for step in STEPS if step in steps}
    return Plan(schema, ordered, by_rule, _cases_of(steps.get("query_specific", ())))


def _rule_of(prop: Property) -> Property | None:
    """Return the property of `TEXT` that measures this one, if any does."""
    if prop in TEXT.properties:
        return prop
    if prop.kind == "words":
        return _WORDS
    if prop.group == "text":
        raise SchemaError(
            f"property {prop.id!r} of group 'text' is measured by rule, and TEXT has no such property; give it another "
            "group, so that the model is asked for it, or rate it yourself and leave it out here: schema.select([...])"
        )
    return None


def _step_of(prop: Property) -> str:
    if _case_name(prop):
        return "query_specific"
    needs = prop.question.needs or _NEEDS_OF_GROUP.get(prop.group, "response")
    if prop.group == "error" and prop.kind == "count" and needs == "reference":
        return "errors"
    return {"response": "query_free", "query": "query_aware", "reference": "reference_aware"}[needs]


def _case_name(prop: Property) -> str:
    """Return the name of the case that calls for a property, empty if all queries do."""
    asked = prop.question
    conditional = prop.group == "query-specific" or asked.when or asked.case or asked.each
    return asked.case or (prop.id if conditional else "")


def _cases_of(properties: Iterable[Property]) -> tuple[Case, ...]:
    cases: dict[str, Case] = {}
    for prop in properties:
        name, asked = _case_name(prop), prop.question
        known = _PAPER_CASES.get(name)
        sense = f"It makes sense to ask of a response to this query: {prop.label}. {prop.description}".strip()
        new = Case(name, asked.when or (known.description if known else sense), asked.each)
        old = cases.get(name)
        if old is not None and (
            asked.when and old.when != new.when or (old.each and new.each and old.each != new.each)
        ):
            raise SchemaError(
                f"property {prop.id!r} says another thing of case {name!r} than a property before it; give the case "
                "the same `when` and `each` in all properties, or another name"
            )
        cases[name] = new if old is None else Case(name, old.when, old.each or new.each)
    return tuple(cases.values())
