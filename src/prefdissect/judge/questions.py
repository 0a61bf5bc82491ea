"""What a judge is asked: one pair in one order, once or several times."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from prefdissect._typing import Orders
from prefdissect.data.flags import UNFIT, flags_of
from prefdissect.errors import ColumnError, DataError

if TYPE_CHECKING:
    from prefdissect.data import PreferenceData

__all__ = ["Plan", "Question", "Side", "plan_questions"]

Side: TypeAlias = Literal["A", "B", "unknown"]
_TEXTS = ("prompt", "response_a", "response_b")


@dataclass(frozen=True)
class Question:
    """One pair as it is put to a judge.

    Parameters
    ----------
    pair
        Its id.
    prompt, response_a, response_b
        The texts.
    first
        Which response is shown first; `unknown` where the judge sees one response at a time.
    repeat
        Number of the question among equal ones.
    """

    pair: str
    prompt: str
    response_a: str
    response_b: str
    first: Side
    repeat: int = 0

    @property
    def name(self) -> str:
        """What failures and bars call it."""
        order = ", alone" if self.first == "unknown" else f", {self.first} first"  # or ids such as "p, repeat 1" clash
        return f"{self.pair}{order}" + (f", repeat {self.repeat}" if self.repeat else "")

    @property
    def shown(self) -> tuple[str, str]:
        """The responses in the order in which they are shown."""
        return (self.response_b, self.response_a) if self.first == "B" else (self.response_a, self.response_b)


@dataclass(frozen=True)
class Plan:
    """All questions of a run, how many of them there are for a pair, and how many pairs are not asked, by reason."""

    questions: tuple[Question, ...]
    per_pair: int
    left_out: Counter[str]


def plan_questions(data: PreferenceData, orders: Orders, repeats: int, *, random_seed: int, sees_order: bool) -> Plan:
    """Return the questions that are to be asked of each pair that has all its texts.

    A judge that sees one response at a time is asked once for each repeat. Random orders are drawn from the seed,
    the pair's id and the repeat alone, so that a run that goes on asks the same questions.

    Raises
    ------
    ColumnError
        If a column of texts is missing, or a cell is no text.
    DataError
        If no pair can be asked.
    """
    from prefdissect.text.cells import as_texts, check_texts

    missing = [name for name in _TEXTS if name not in data.pairs]
    if missing:
        found = ", ".join(map(repr, data.source_columns)) or "none"
        raise ColumnError(
            f"a judge needs the texts, columns {', '.join(map(repr, _TEXTS))}; missing: "
            f"{', '.join(map(repr, missing))}; found: {found}; rename yours to these"
        )
    for name in _TEXTS:
        check_texts(data.pairs[name])
    questions: list[Question] = []
    left_out: Counter[str] = Counter()
    columns = [as_texts(data.pairs[name]) for name in _TEXTS]
    for pair, flag, *texts in zip(map(str, data.pairs.index), flags_of(data.pairs), *columns, strict=True):
        prompt, a, b = texts
        unfit = flag if flag in UNFIT else ""  # that ratings failed is nothing to a judge
        if unfit or prompt is None or a is None or b is None:
            left_out[unfit or "no text"] += 1
            continue
        order = _orders(pair, orders, repeats, random_seed) if sees_order else (("unknown", r) for r in range(repeats))
        questions += [Question(pair, prompt, a, b, first, repeat) for first, repeat in order]
    if not questions:
        why = ", ".join(f"{n} pairs: {reason}" for reason, n in left_out.items()) or "there are no pairs"
        raise DataError(f"there is nothing to ask a judge ({why})")
    return Plan(tuple(questions), repeats * (2 if orders == "both" and sees_order else 1), left_out)


def _orders(pair: str, orders: Orders, repeats: int, seed: int) -> Iterator[tuple[Side, int]]:
    for repeat in range(repeats):
        if orders == "random":
            yield ("A" if _coin(f"{seed} {repeat} {pair}") else "B"), repeat
            continue
        yield "A", repeat
        if orders == "both":
            yield "B", repeat


def _coin(text: str) -> bool:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=1).digest()[0] % 2 == 0
