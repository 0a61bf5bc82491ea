"""What a judge says of responses: against a baseline, as AlpacaEval 2.0 asks, or one at a time, as MT-Bench does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from prefdissect._typing import Scoring
from prefdissect.errors import OptionError
from prefdissect.judge import Answer, Answers, Judge, Question, Run

__all__ = ["Duel", "Outcome", "check_judge", "questions_of", "score_duels"]


@dataclass(frozen=True)
class Duel:
    """A response and the one that it is compared with."""

    name: str
    prompt: str
    baseline: str
    response: str

    @property
    def is_even(self) -> bool:
        """Whether both are the same, so that there is nothing to ask."""
        return self.baseline == self.response


@dataclass(frozen=True)
class Outcome:
    """What a judge said of a response.

    `score` is the chance to win by log-probabilities (the verdict itself where there are none), from 0 to 1, or the
    score from 1 to 10; `won` is 1, 0 or 0.5 by the verdict; `weighted` whether log-probabilities were there.
    """

    score: float
    won: float
    weighted: bool


def check_judge(judge: Judge, scoring: Scoring) -> None:
    """Raise `OptionError` if a judge is not asked in the way that a scoring needs."""
    if (judge.way == "score") != (scoring == "single"):
        wanted = {"single": "way='score', which rates each alone", "pairwise": "a way that compares two responses"}
        raise OptionError(
            f"scoring={scoring!r} needs a judge with {wanted[scoring]}, and {judge.name!r} has way={judge.way!r}"
        )


def questions_of(duels: Sequence[Duel], scoring: Scoring) -> Iterator[Question]:
    """Yield what a judge is asked: pairs in both orders, or each response alone."""
    for duel in duels:
        if scoring == "single":
            yield Question(duel.name, duel.prompt, duel.baseline, duel.response, "unknown")
        elif not duel.is_even:
            yield Question(duel.name, duel.prompt, duel.baseline, duel.response, "A")
            yield Question(duel.name, duel.prompt, duel.baseline, duel.response, "B")


def score_duels(judge: Judge, duels: Sequence[Duel], scoring: Scoring, run: Run) -> tuple[dict[str, Outcome], Answers]:
    """Return what the judge said of each response by name, and all its answers.

    Two responses that are the same count one half without being asked. A response whose answers are not all there has
    no outcome: one order alone would let the place decide.
    """
    questions = list(questions_of(duels, scoring))
    answers = judge.answer(questions, run) if questions else Answers({})
    found: dict[str, Outcome] = {}
    for duel in duels:
        asked = list(questions_of([duel], scoring))
        known = [answers.answers[q.name] for q in asked if q.name in answers.answers]
        if scoring == "pairwise" and duel.is_even:
            found[duel.name] = Outcome(0.5, 0.5, weighted=True)
        elif len(known) == len(asked):
            found[duel.name] = _alone(known[0]) if scoring == "single" else _against(known[0], known[1])
    return found, answers


def _alone(answer: Answer) -> Outcome:
    score = (answer.scores or (np.nan, np.nan))[1]
    return Outcome(score, 1.0 - answer.value, weighted=False)


def _against(baseline_first: Answer, response_first: Answer) -> Outcome:
    """Return the outcome of both orders; the verdict is that of the summed log-probabilities, as in `collect`."""
    margins = [baseline_first.margin, response_first.margin]
    if baseline_first.logprobs is None or response_first.logprobs is None or None in margins:
        won = (1.0 - baseline_first.value + response_first.value) / 2
        return Outcome(won, won, weighted=False)
    first, second = float(margins[0] or 0.0), float(margins[1] or 0.0)
    total = second - first
    score = float(expit(-first) + expit(second)) / 2
    return Outcome(score, 0.5 if total == 0 else float(total > 0), weighted=True)
