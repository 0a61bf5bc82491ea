"""How a model is asked to rate a property: in which words, with what in view, of which queries."""

from __future__ import annotations

from typing import Literal

from prefdissect.schema._model import FrozenModel

__all__ = ["Question"]


class Question(FrozenModel):
    """How a model is asked to rate a property; what is left empty follows from the property.

    Nothing of it changes what ratings mean, so it is no part of `PreferenceData.hash`.

    Parameters
    ----------
    text
        What is rated, in a sentence; by default the property's description. Where a lower rating means more of the
        property, it speaks of what is rated: "Says the same thing again", for "non-repetitive".
    needs
        What the model must see beside the response: nothing (`response`), the `query`, or the query and a
        `reference` answer. By default it follows from the property's group: nothing for `basic`, the query for
        `query-specific`, the reference for `error`.
    when
        A sentence that holds for the queries that call for the property. Without it all do, and in the group
        `query-specific` those of which it makes sense.
    case
        Name of the case that such queries make; by default the property's id. One of the paper's cases brings its
        `when`.
    each
        What a query may hold several of, each of which is rated, such as "condition"; the mean is the rating.

    Examples
    --------
    >>> from prefdissect import Property, Question
    >>> limits = Question(when="The query states limits.", each="limit")
    >>> Property(id="keeps_limits", kind="rating", range=(1, 5), group="query-specific", question=limits).question.each
    'limit'
    """

    text: str = ""
    needs: Literal["", "response", "query", "reference"] = ""
    when: str = ""
    case: str = ""
    each: str = ""
