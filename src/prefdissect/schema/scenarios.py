"""The kinds of request that the paper tells apart: 11 scenarios and 5 query-specific cases."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from prefdissect.schema._model import FrozenModel

__all__ = ["SCENARIOS", "Scenario"]


class Scenario(FrozenModel):
    """A kind of request.

    Parameters
    ----------
    id, label
        Name in data and name to print (by default the same).
    description
        Which requests belong to it.
    kind
        `scenario` (disjoint kinds, the default) or `case` (may overlap scenarios and other cases).
    n_pairs
        Number of pairs in the paper's data; 0 for your own.

    Examples
    --------
    >>> from prefdissect import SCENARIOS
    >>> [s.id for s in SCENARIOS if s.n_pairs > 500]
    ['Knowledge-aware', 'Others', 'w_constraints']
    """

    id: str = Field(min_length=1)
    label: str = ""
    description: str = ""
    kind: Literal["scenario", "case"] = "scenario"
    n_pairs: int = 0

    @model_validator(mode="before")
    @classmethod
    def _label_it(cls, fields: Any) -> Any:
        """Give a scenario without a label its id."""
        return {"label": fields["id"]} | fields if isinstance(fields, dict) and "id" in fields else fields


def _scenario(id_: str, n_pairs: int, description: str) -> Scenario:
    return Scenario(id=id_, label=id_, description=description, kind="scenario", n_pairs=n_pairs)


def _case(id_: str, label: str, n_pairs: int, description: str) -> Scenario:
    return Scenario(id=id_, label=label, description=description, kind="case", n_pairs=n_pairs)


# Source: Li et al. 2024, released row indexes (sizes) and the merged Auto-J scenarios (meaning).
SCENARIOS: tuple[Scenario, ...] = (
    _scenario("Exam Questions", 400, "Solve a question as an exam asks it, with or without mathematics."),
    _scenario("Code", 400, "Write, explain, correct, simplify or translate program code."),
    _scenario("Creative Writing", 400, "Write something inventive: a story, song, post, essay or advertisement."),
    _scenario("Functional Writing", 400, "Write for a purpose: an email, report, recipe, biography or application."),
    _scenario("Communication", 400, "Chat, or ask the model what it thinks or values."),
    _scenario("Knowledge-aware", 820, "Explain something, answer an open question, or check a fact."),
    _scenario("Advice", 400, "Say how something is done, or what the user should do."),
    _scenario("Daily Tasks", 400, "Plan, recommend, brainstorm, analyse or play a role."),
    _scenario("NLP Tasks", 400, "Work on a given text: summarise, translate, classify, extract, rewrite."),
    _scenario("Others", 820, "Any request that fits none of the other scenarios."),
    _scenario("Unsafe Queries", 400, "Requests that moderation tools tagged as unsafe or toxic."),
    _case("intent_unclear", "Unclear User Intent", 459, "What the user wants is not clear from the query."),
    _case("express_feeling", "Express Feelings or Emotions", 121, "The user says in the query how they feel."),
    _case(
        "w_constraints",
        "Contain Explicit Constraints",
        1418,
        "The query states conditions the answer must meet.",
    ),
    _case("w_stances", "Show Explicit Subjective Stances", 388, "The user takes a side in the query."),
    _case("w_mistakes", "Contain Mistakes or Bias", 401, "The query itself holds a mistake or a prejudice."),
)
