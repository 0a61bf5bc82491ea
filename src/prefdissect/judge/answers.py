"""What a judge answers, by position and not yet by content, and what became of all questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from prefdissect.judge.questions import Question
from prefdissect.llm import Client, Failure, Limit, Server, Use

__all__ = ["Answer", "Answers", "Bound", "Judge", "Run"]

Bound: TypeAlias = Literal["first", "second"]


@dataclass(frozen=True)
class Answer:
    """One answer of a judge.

    Parameters
    ----------
    value
        1 if the response shown first is better, 0 if the second is, 0.5 for a tie.
    kind
        `argmax` for the likeliest answer, `sampled` for one that was drawn.
    logprobs
        Log-probabilities that the first and that the second is named, None if unknown.
    bound
        Of which of them only an upper bound is known.
    scores
        Of the first and the second, where the judge rates them one at a time.
    text
        What the judge said, as it came.
    """

    value: float
    kind: str = "argmax"
    logprobs: tuple[float, float] | None = None
    bound: Bound | None = None
    scores: tuple[float, float] | None = None
    text: str = ""

    @property
    def margin(self) -> float | None:
        """How much more speaks for the first than for the second: log-odds, or points; None if it is not known."""
        both = self.logprobs or self.scores
        return None if both is None else both[0] - both[1]


@dataclass(frozen=True)
class Run:
    """How to ask: what `collect` was told of files, limits and threads."""

    replies: str | Path | None = None
    limit: Limit | str | int | None = None
    prices: str | Path | None = None
    concurrency: int = 16
    retry_failed: bool = False
    progress: bool | None = None

    def client(self, model: str, server: Server) -> Client:
        """Return the client that asks a model so, to be used as a context."""
        return Client(
            model,
            server,
            replies=self.replies,
            limit=self.limit,
            prices=self.prices,
            concurrency=self.concurrency,
            retry_failed=self.retry_failed,
            progress=self.progress,
        )


@dataclass(frozen=True)
class Answers:
    """Answers by the name of the question, and what became of the questions that have none.

    `heard` are the texts of replies that could not be used; `use` is None where no server was asked, and `notes`
    say what bears on how to read the answers.
    """

    answers: Mapping[str, Answer]
    failures: tuple[Failure, ...] = ()
    not_done: tuple[str, ...] = ()
    stopped: str | None = None
    heard: Mapping[str, str] = field(default_factory=dict)
    use: Use | None = None
    notes: tuple[str, ...] = ()


class Judge(Protocol):
    """Whoever can be asked which of two responses is better."""

    @property
    def name(self) -> str:
        """What its verdicts are called."""
        ...

    @property
    def way(self) -> str:
        """How it is asked, in a word or two."""
        ...

    @property
    def sees_order(self) -> bool:
        """Whether it sees both responses of a pair at once, in some order."""
        ...

    @property
    def prompt_hash(self) -> str:
        """The version of its prompt, empty where it has none."""
        ...

    @property
    def settings(self) -> Mapping[str, object]:
        """All that its answers depend on, for the id of the run."""
        ...

    def answer(self, questions: Sequence[Question], run: Run) -> Answers:
        """Return its answers to questions."""
        ...
