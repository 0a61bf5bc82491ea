"""The way that rates each response alone, from 1 to 10: once, however many pairs it is in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import BaseModel, Field, field_validator

from prefdissect.errors import UnusableReplyError
from prefdissect.judge.answers import Answer, Answers
from prefdissect.judge.questions import Question
from prefdissect.judge.ways import Asker
from prefdissect.llm import Client, Failure, Jobs, Request
from prefdissect.llm.structured import with_repair

if TYPE_CHECKING:
    from prefdissect.judge.chat import ChatJudge

__all__ = ["ByScore"]

_Rated: TypeAlias = tuple[str, str, int]  # the request, a response to it, and the repeat
_Rating: TypeAlias = tuple[int, str]  # the score, and what the model said


@dataclass(frozen=True)
class ByScore:
    """Each response is rated alone; the difference of two scores is the verdict, and equal scores are a tie."""

    judge: ChatJudge
    tokens_out: float = 45.0

    def plan(self, questions: Sequence[Question]) -> Iterator[Request]:
        """Yield the requests for all responses."""
        for rated in _name_responses(questions):
            yield self.request(rated)

    def request(self, rated: _Rated) -> Request:
        """Return the request for one response."""
        prompt, response, repeat = rated
        text = self.judge.prompt.fill(texts={"request": prompt, "response": response})
        return replace(self.judge.chat_request(text, repeat), max_tokens=512, as_json=True)

    def answer(self, client: Client, questions: Sequence[Question]) -> Answers:
        """Rate all responses, and return what the scores say of the pairs."""
        names, heard = _name_responses(questions), dict[str, str]()
        jobs: dict[str, Callable[[], _Rating]] = {
            name: partial(self._rate, client, rated, name, heard) for rated, name in names.items()
        }
        done = client.run(jobs, f"Asking {client.model}")
        return self._compare(questions, names, done, heard, client)

    def _rate(self, client: Client, rated: _Rated, name: str, heard: dict[str, str]) -> _Rating:
        asker = Asker(client)
        try:
            found = with_repair(self.request(rated), asker.ask, _Score.model_validate, client.reject)
        except UnusableReplyError:
            heard[name] = asker.said
            raise
        return found.score, asker.said

    def _compare(
        self,
        questions: Sequence[Question],
        names: dict[_Rated, str],
        done: Jobs[_Rating],
        heard: dict[str, str],
        client: Client,
    ) -> Answers:
        """Return the answer to each question whose responses both have a score, and why the others have none."""
        failed = {failure.job: failure.reason for failure in done.failures}
        answers: dict[str, Answer] = {}
        failures, not_done, said = [], [], {}
        for question in questions:
            sides = [names[rated] for rated in _responses(question)]
            wrong = [name for name in sides if name in failed]
            if wrong:
                failures.append(Failure(question.name, f"{wrong[0]}: {failed[wrong[0]]}"))
                said[question.name] = heard.get(wrong[0], "")
            elif any(name not in done.results for name in sides):
                not_done.append(question.name)
            else:
                answers[question.name] = self._answer(*(done.results[name] for name in sides))
        return Answers(answers, tuple(failures), tuple(not_done), done.stopped, said, client.use)

    def _answer(self, first: _Rating, second: _Rating) -> Answer:
        value = 0.5 if first[0] == second[0] else float(first[0] > second[0])
        scores = (float(first[0]), float(second[0]))
        return Answer(value, self.judge.kind, scores=scores, text=json.dumps([first[1], second[1]], ensure_ascii=False))


def _responses(question: Question) -> tuple[_Rated, _Rated]:
    first, second = question.shown
    return (question.prompt, first, question.repeat), (question.prompt, second, question.repeat)


def _name_responses(questions: Sequence[Question]) -> dict[_Rated, str]:
    """Return each response once, by the name of the first question that needs it."""
    names: dict[_Rated, str] = {}
    for question in questions:
        for rated, side in zip(_responses(question), "AB", strict=True):
            names.setdefault(rated, f"response {side} of {question.name}")
    return names


class _Score(BaseModel):
    score: Annotated[int, Field(ge=1, le=10)]

    @field_validator("score", mode="before")
    @classmethod
    def _no_truth(cls, given: Any) -> Any:
        """Refuse true and false, which Python takes for numbers."""
        if isinstance(given, bool):
            raise ValueError("a whole number from 1 to 10 is wanted")
        return given
