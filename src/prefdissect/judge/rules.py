"""Judges that are rules: baselines to hold models against, and tests of everything around judges."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from prefdissect._typing import Rule, check_choice
from prefdissect.errors import OptionError, show
from prefdissect.judge.answers import Answer, Answers, Run
from prefdissect.judge.questions import Question

__all__ = ["RuleJudge"]

OwnRule: TypeAlias = Callable[[str, str, str], float]  # of the prompt, the response shown first and the second


@dataclass(frozen=True)
class RuleJudge:
    """A rule that prefers one of two responses, at once and for nothing.

    Parameters
    ----------
    rule
        `longest`: the response of more words. `most_formatted`: the one with more headings, list items, stretches of
        bold type, tables, quoted blocks, and code or none. `first_shown`: whichever is shown first. Or a function of
        the prompt, the response shown first and the one shown second: above 0 if the first is better, below 0 if
        the second is, 0 for a tie.

    Raises
    ------
    OptionError
        If the rule is neither; while judging, if what a function returns is no number.

    Examples
    --------
    >>> import pandas as pd
    >>> import prefdissect as pdx
    >>> table = pd.DataFrame({"prompt": ["Why?"], "response_a": ["Because."], "response_b": ["Because it rains."]})
    >>> pdx.collect(table, pdx.RuleJudge("longest")).data.labels["longest"].tolist()
    [0.0]
    """

    rule: Rule | OwnRule

    def __post_init__(self) -> None:
        """Check the rule."""
        if not callable(self.rule):
            check_choice("rule", self.rule, Rule)

    @property
    def name(self) -> str:
        """The name of the rule or of its function."""
        return self.rule if isinstance(self.rule, str) else getattr(self.rule, "__name__", "rule")

    @property
    def way(self) -> str:
        """How it is asked."""
        return "rule"

    @property
    def sees_order(self) -> bool:
        """A rule sees both responses."""
        return True

    @property
    def prompt_hash(self) -> str:
        """A rule has no prompt."""
        return ""

    @property
    def settings(self) -> Mapping[str, object]:
        """All that its answers depend on, as far as it has a name."""
        return {"rule": self.name}

    def answer(self, questions: Sequence[Question], run: Run) -> Answers:
        """Return its answers; a rule asks nobody, so that nothing of `run` bears on it."""
        decide = self.rule if not isinstance(self.rule, str) else _RULES[self.rule]
        return Answers({q.name: _answer(decide(q.prompt, *q.shown), self.name) for q in questions})


def _answer(said: object, name: str) -> Answer:
    """Return the verdict that a number stands for."""
    try:
        margin = float(said)  # type: ignore[arg-type]  # what is no number is refused
    except (TypeError, ValueError):
        margin = float("nan")
    if math.isnan(margin):
        raise OptionError(
            f"the rule {name!r} returned {show(said)}; it must return a number: above 0 if the response shown first is "
            "better, below 0 if the second is, 0 for a tie"
        )
    return Answer(0.5 if margin == 0 else float(margin > 0))


def _longest(prompt: str, first: str, second: str) -> float:
    return _count_words(first) - _count_words(second)


def _most_formatted(prompt: str, first: str, second: str) -> float:
    return _count_layout(first) - _count_layout(second)


def _first_shown(prompt: str, first: str, second: str) -> float:
    return 1.0


_RULES: dict[str, OwnRule] = {"longest": _longest, "most_formatted": _most_formatted, "first_shown": _first_shown}


@lru_cache(maxsize=1024)
def _count_words(text: str) -> int:
    from prefdissect.text.tokens import split_words

    return len(split_words(text))


@lru_cache(maxsize=1024)
def _count_layout(text: str) -> int:
    """Return how many pieces of layout a response has."""
    from prefdissect.text.markdown import read_markdown

    found = read_markdown(text)
    return found.headings + found.list_items + found.bold + found.tables + found.quotes + (found.code > 0)
