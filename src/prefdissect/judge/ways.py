"""The ways to ask a served model about two responses at once: the request of a question, and what its reply says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import BaseModel, field_validator

from prefdissect.errors import UnusableReplyError, show
from prefdissect.judge.answers import Answer, Answers
from prefdissect.judge.letters import Letters, first_letter, letters_at, read_letters
from prefdissect.judge.questions import Question
from prefdissect.llm import Client, Prompt, Reply, Request
from prefdissect.llm.server import RefusedCallError
from prefdissect.llm.structured import with_repair

if TYPE_CHECKING:
    from prefdissect.judge.chat import ChatJudge

__all__ = ["Asker", "ByCompletion", "ByLetter", "ByReasons", "PairWay", "answer_letters", "ask_pairs", "fill"]

_INSTEAD = "ask it otherwise: way='letter', or way='reasoned', which needs no log-probabilities"


class Asker:
    """Asks for one question or rating, and remembers the last reply."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.said = ""

    def ask(self, request: Request) -> Reply:
        """Return the reply to a request."""
        reply = self.client.ask(request)
        self.said = reply.refusal or reply.text
        return reply

    def reject(self, request: Request, reason: str) -> UnusableReplyError:
        """Note that a reply cannot be used, and return the error that says so."""
        self.client.reject(request, reason)
        return UnusableReplyError(reason)


class PairWay(Protocol):
    """A way to ask about both responses at once."""

    @property
    def tokens_out(self) -> float:
        """Tokens that a reply is likely to have."""
        ...

    def request(self, question: Question) -> Request:
        """Return the request of a question."""
        ...

    def ask(self, asker: Asker, question: Question) -> Answer:
        """Return the answer to a question, or raise `ModelError`."""
        ...


def ask_pairs(way: PairWay, client: Client, questions: Sequence[Question]) -> Answers:
    """Ask all questions, a job for each, and return what became of them."""
    heard: dict[str, str] = {}

    def ask(question: Question) -> Answer:
        asker = Asker(client)
        try:
            return way.ask(asker, question)
        except UnusableReplyError:
            heard[question.name] = asker.said
            raise

    done = client.run({q.name: partial(ask, q) for q in questions}, f"Asking {client.model}")
    return Answers(done.results, done.failures, done.not_done, done.stopped, heard, client.use)


def fill(prompt: Prompt, question: Question) -> str:
    """Return a prompt with the texts of a question."""
    first, second = question.shown
    return prompt.fill(texts={"request": question.prompt, "response_A": first, "response_B": second})


@dataclass
class ByLetter:
    """The answer begins with A or B; log-probabilities of both letters where the server gives them.

    Where it gives none, or refuses to, the letter alone decides.
    """

    judge: ChatJudge
    tokens_out: float = 2.0
    _alone: bool = False  # once the server has refused to give log-probabilities

    def request(self, question: Question) -> Request:
        """Return the request of a question."""
        asked = self.judge.chat_request(fill(self.judge.prompt, question), question.repeat)
        return replace(asked, max_tokens=3, top_logprobs=None if self._alone else self.judge.top_logprobs)

    def ask(self, asker: Asker, question: Question) -> Answer:
        """Return the answer to a question."""
        request = self.request(question)
        try:
            reply = asker.ask(request)
        except UnusableReplyError as error:
            if request.top_logprobs is None or "logprob" not in str(error).casefold():
                raise
            self._alone = True
            return self.ask(asker, question)
        try:
            return self._read(_not_refused(reply))
        except UnusableReplyError as error:
            raise asker.reject(request, str(error)) from None

    def _read(self, reply: Reply) -> Answer:
        letters = read_letters(reply.tokens)
        if letters is not None:
            return answer_letters(letters, reply.text)
        letter = first_letter(reply.text)
        if letter is None:
            raise UnusableReplyError(f"the answer begins with neither A nor B: {show(reply.text)}")
        return Answer(float(letter == "A"), self.judge.kind, text=reply.text)


@dataclass(frozen=True)
class ByCompletion:
    """The paper's way: the prompt ends in "Response", and the log-probabilities of A and B as the next token decide.

    Source: Li et al., ACL 2024; the prompt is ours.
    """

    judge: ChatJudge
    tokens_out: float = 1.0

    def request(self, question: Question) -> Request:
        """Return the request of a question."""
        judge = self.judge
        return Request(
            judge.model,
            prompt=fill(judge.prompt, question),
            max_tokens=1,
            temperature=judge.temperature,
            top_logprobs=judge.top_logprobs,
            extra=dict(judge.extra or {}),
            repeat=question.repeat,
        )

    def ask(self, asker: Asker, question: Question) -> Answer:
        """Return the answer to a question.

        Raises
        ------
        RefusedCallError
            If the server does not complete texts, or gives no log-probabilities: then it never will.
        """
        request = self.request(question)
        try:
            reply = asker.ask(request)
        except RefusedCallError as error:
            if request.path not in str(error):
                raise
            raise RefusedCallError(f"{error}; if it does not complete texts, {_INSTEAD}") from None
        if reply.text and (not reply.tokens or len(reply.tokens[0].top) < 2):
            raise RefusedCallError(
                f"way='completion' needs log-probabilities, and {asker.client.server.base_url} gives none for model "
                f"{request.model!r}; {_INSTEAD}"
            )
        letters = letters_at(reply.tokens[0]) if reply.tokens else None
        if letters is None:
            most = self.judge.top_logprobs
            raise asker.reject(request, f"neither A nor B is among the {most} likeliest tokens: {show(reply.text)}")
        return answer_letters(letters, reply.text)


@dataclass(frozen=True)
class ByReasons:
    """A short reasoning, then a verdict in JSON, which may be a tie."""

    judge: ChatJudge
    tokens_out: float = 120.0

    def request(self, question: Question) -> Request:
        """Return the request of a question."""
        asked = self.judge.chat_request(fill(self.judge.prompt, question), question.repeat)
        return replace(asked, max_tokens=1024, as_json=True)

    def ask(self, asker: Asker, question: Question) -> Answer:
        """Return the answer to a question; a reply of another form is sent back once, to be repaired."""
        found = with_repair(self.request(question), asker.ask, _Verdict.model_validate, asker.client.reject)
        return Answer({"A": 1.0, "B": 0.0, "tie": 0.5}[found.verdict], self.judge.kind, text=asker.said)


class _Verdict(BaseModel):
    verdict: Literal["A", "B", "tie"]

    @field_validator("verdict", mode="before")
    @classmethod
    def _plain(cls, given: Any) -> Any:
        """Return the word as it should be written, whatever its case."""
        words = {"a": "A", "b": "B", "response a": "A", "response b": "B", "tie": "tie"}
        return words.get(given.strip().casefold(), given) if isinstance(given, str) else given


def answer_letters(letters: Letters, text: str) -> Answer:
    """Return what log-probabilities of both letters say; two that are equal are a tie.

    A letter of which only an upper bound is known is never the likelier one.
    """
    value = 0.5 if letters.a == letters.b else float(letters.a > letters.b)
    if value == 0.5 and letters.bound is not None:
        value = float(letters.bound == "B")
    bound: Literal["first", "second"] | None = None
    if letters.bound is not None:
        bound = "first" if letters.bound == "A" else "second"
    return Answer(value, "argmax", (letters.a, letters.b), bound, text=text)


def _not_refused(reply: Reply) -> Reply:
    """Return a reply that says something; that it was cut off does not matter to its first letter."""
    if reply.refusal is not None:
        raise UnusableReplyError(f"the model refused: {show(reply.refusal)}")
    if reply.finish_reason == "content_filter":
        raise UnusableReplyError("the provider's filter held the reply back")
    if not reply.text.strip():
        raise UnusableReplyError(
            "the reply is empty; a model that thinks first needs way='reasoned', or extra= that stops it"
        )
    return reply
