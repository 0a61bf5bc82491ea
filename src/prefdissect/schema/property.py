"""One property of a response: what it means, how it is rated, how two ratings compare."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from prefdissect._typing import Encoding, FloatArray, PropertyGroup, PropertyKind, check_choice
from prefdissect.errors import SchemaError
from prefdissect.schema import reading, rules
from prefdissect.schema._model import FrozenModel
from prefdissect.schema.question import Question
from prefdissect.schema.reading import fold

__all__ = ["Property"]

_DEFAULT_COUNT_SCALE = 5.0  # the paper: from five errors more on, the normalised scale stays at 1


class Property(FrozenModel):
    """What a response can have more or less of.

    Parameters
    ----------
    id
        Short identifier, unique in a schema: the name of the weight.
    kind
        `rating` (a number in `range`), `count` (whole things; fewer is better unless said
        otherwise), `label` (one of the ordered `labels`), `words` (a number of words, compared
        by the paper's length rule) or `number` (any measure).
    label, name, description
        What plots print, the long name, and the meaning in a sentence or two.
    group
        `basic`, `error`, `query-specific` or `text`.
    direction
        `higher` if a higher rating means more of the property, else `lower`.
    missing
        What a pair without this rating means: `drop` leaves the pair out of fits, `zero` counts
        the responses as equal (for properties that only some queries call for).
    rated
        Name of what is rated, and of the columns `<rated>_a`, `<rated>_b`; the `id` by default.
        "non-repetitive" is rated as `repetitive`, in the other direction.
    range
        Lowest and highest rating (kind `rating` only).
    labels
        Score of each label (kind `label` only), for example `{"good": 1, "bad": -1}`.
    compare
        `sign`: the response with the higher rating is better. `nonzero`: only a rating of zero
        against one above zero counts (the paper's rule for relevance).
    scale
        Difference that the `norm_diff` encoding calls 1. By default the width of the range or of
        the labels, 5 for counts, and for numbers the 95th percentile of the absolute difference.
    threshold
        Differences smaller than this count as equal, in the unit of the rating.
    aliases
        Other names under which sources know the property.
    unit, source
        In what a rating is counted, and whose measure it is; for tables and documentation only.
    question
        How a model is asked to rate it, where that does not follow from the rest.

    Raises
    ------
    SchemaError
        If the fields contradict each other.

    Examples
    --------
    >>> from prefdissect import Property
    >>> polite = Property(id="polite", kind="rating", range=(0, 3))
    >>> polite.encode([3, 1], [1, 1], "comparison").tolist()
    [1.0, 0.0]
    """

    id: str = Field(min_length=1)
    kind: PropertyKind
    label: str = ""
    name: str = ""
    description: str = ""
    group: PropertyGroup = "basic"
    direction: Literal["higher", "lower"] = "higher"
    missing: Literal["drop", "zero"] = "drop"
    rated: str = ""
    range: tuple[float, float] | None = None
    labels: dict[str, float] | None = None
    compare: Literal["sign", "nonzero"] = "sign"
    scale: float | None = Field(default=None, gt=0)
    threshold: float = Field(default=0.0, ge=0)
    aliases: tuple[str, ...] = ()
    unit: str = ""
    source: str = ""
    question: Question = Question()

    @model_serializer(mode="wrap")
    def _leave_out_no_question(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write of a question what it says, and none that says nothing: such a property is written as ever."""
        fields: dict[str, Any] = write(self)
        if "question" in fields and not (said := self.question.model_dump(exclude_defaults=True)):
            fields.pop("question")
        elif "question" in fields:
            fields["question"] = said
        return fields

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, fields: Any) -> Any:
        """Give every field that follows from others its value."""
        if not isinstance(fields, dict) or "id" not in fields:
            return fields
        plain = str(fields["id"]).replace("_", " ")
        filled = {"label": plain, "rated": fields["id"]} | {k: v for k, v in fields.items() if v not in ("", None)}
        filled.setdefault("name", filled["label"])
        filled.setdefault("direction", "lower" if filled.get("kind") == "count" else "higher")
        return filled

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Refuse fields that contradict each other."""
        if (self.range is not None) != (self.kind == "rating"):
            raise SchemaError(f"property {self.id!r}: `range` goes with kind 'rating', and only with it")
        if self.range is not None and not self.range[0] < self.range[1]:
            raise SchemaError(f"property {self.id!r}: range {self.range} must run from low to high")
        if (self.labels is not None) != (self.kind == "label"):
            raise SchemaError(f"property {self.id!r}: `labels` goes with kind 'label', and only with it")
        if self.labels is not None and len(set(self.labels.values())) < 2:
            raise SchemaError(f"property {self.id!r}: `labels` needs at least two different scores")
        if self.labels is not None and len({fold(label) for label in self.labels}) < len(self.labels):
            raise SchemaError(f"property {self.id!r}: two of the labels differ only in case or spaces")
        numbers = (*(self.range or ()), *(self.labels or {}).values(), self.scale or 0.0, self.threshold)
        if not np.isfinite(numbers).all():
            raise SchemaError(f"property {self.id!r}: range, labels, scale and threshold must be finite, not {numbers}")
        if self.kind == "words" and (self.scale is not None or self.threshold or self.compare != "sign"):
            raise SchemaError(
                f"property {self.id!r}: kind 'words' follows the length rule and takes no scale, "
                "threshold or compare; use kind 'number' to set them"
            )
        return self

    @property
    def sign(self) -> int:
        """1 if a higher rating means more of the property, else -1."""
        return 1 if self.direction == "higher" else -1

    @property
    def norm_scale(self) -> float | None:
        """Difference that `norm_diff` calls 1; None if it is to be learned from data."""
        if self.scale is not None or self.kind in ("number", "words"):
            return self.scale
        if self.range is not None:
            return self.range[1] - self.range[0]
        if self.labels is not None:
            return max(self.labels.values()) - min(self.labels.values())
        return _DEFAULT_COUNT_SCALE

    def terse(self) -> dict[str, Any]:
        """Return the fields from which all others follow, as plain values."""
        fields = self.model_dump(mode="json", exclude_none=True)
        for name in [n for n in fields if n not in ("id", "kind")]:
            rest = {n: value for n, value in fields.items() if n != name}
            if name not in ("range", "labels") and Property(**rest) == self:
                fields = rest
        return fields

    def read(self, values: ArrayLike, rows: ArrayLike | None = None) -> FloatArray:
        """Turn the cells of a table into ratings, shape [row], NaN where there is none.

        A cell is a number, a number in words of digits, a label (kind `label`), or a list or
        mapping of several of them, one for each item that was rated, of which the mean is taken.

        Raises
        ------
        RatingError
            For an infinite, unknown or out-of-range rating; `rows` names the row.

        Examples
        --------
        >>> from prefdissect.schema import PAPER
        >>> PAPER["support stances"].read(["neutral", ["strongly supported", "neutral"], None]).tolist()
        [0.0, 1.0, nan]
        """
        return reading.read_ratings(self, values, rows)

    def encode(
        self, a: ArrayLike, b: ArrayLike, encoding: Encoding = "comparison", *, scale: float | None = None
    ) -> FloatArray:
        """Encode the ratings of responses A and B, shape [pair], as one signed column.

        Positive means that A has more of the property. NaN where a rating is missing, unless
        `missing` is `zero`. `scale` is what `norm_diff` calls 1, by default the property's own.
        Swapping A and B flips the sign. Source: Li et al. 2024, released code (rules 1 to 9 of
        the comparison of two annotations).
        """
        check_choice("encoding", encoding, Encoding)
        rated_a, rated_b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
        column = rules.encode_ratings(self, rated_a, rated_b, encoding, scale or self.norm_scale)
        return np.nan_to_num(column, nan=0.0) if self.missing == "zero" else column

    def encode_difference(
        self, difference: ArrayLike, encoding: Encoding = "comparison", *, scale: float | None = None
    ) -> FloatArray:
        """Encode differences that a source gives ready-made: positive where A has more of the property."""
        check_choice("encoding", encoding, Encoding)
        given = np.asarray(difference, dtype=float)
        column = rules.encode_differences(self, given, encoding, scale or self.norm_scale)
        return np.nan_to_num(column, nan=0.0) if self.missing == "zero" else column
