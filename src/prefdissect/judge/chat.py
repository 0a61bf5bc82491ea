"""A judge that is a model behind a server, asked in one of four ways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

from prefdissect._typing import Way, check_choice, check_count
from prefdissect.errors import OptionError
from prefdissect.judge.answers import Answers, Run
from prefdissect.judge.questions import Question
from prefdissect.judge.scoring import ByScore
from prefdissect.judge.ways import ByCompletion, ByLetter, ByReasons, PairWay, ask_pairs
from prefdissect.llm import Planned, Prompt, Request, Server

__all__ = ["ChatJudge"]

_PAIRWISE: dict[str, type[ByLetter | ByCompletion | ByReasons]] = {
    "letter": ByLetter,
    "completion": ByCompletion,
    "reasoned": ByReasons,
}


@dataclass(frozen=True)
class ChatJudge:
    """A model behind any server that speaks the OpenAI-compatible protocols.

    Parameters
    ----------
    model
        Name by which the server knows the model; what its verdicts are called, too.
    way
        `letter`: the answer begins with A or B, and the log-probabilities of both letters decide where the server gives
        them. `completion`: the paper's way over the completions protocol, for models that are not chatted with: a text
        that ends in "Response", and the log-probabilities of A and B as its next token. `reasoned`: a short reasoning
        and a verdict, which may be a tie; for models without log-probabilities. `score`: each response is rated alone
        from 1 to 10, and the difference decides.
    base_url, key_env, timeout
        Address of the server (OpenAI's by default), environment variable that holds the key, seconds to wait.
    extra
        Further fields of the request's body; a value None leaves a field out. So
        `{"max_tokens": None, "max_completion_tokens": 500}` serves models that want it so.
    temperature
        0 asks for the likeliest answer; None leaves it to the server.
    top_logprobs
        How many of the likeliest tokens the server reports. A letter that is not among them is taken to be as likely as
        the least likely of them, which is an upper bound; the column `logprob_bound` names the response.

    Raises
    ------
    OptionError
        If the way is none, or a number is out of its range.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> judge = pdx.ChatJudge("llama-3-8b", way="completion", base_url="http://127.0.0.1:8000/v1")
    >>> judge.name, judge.way, judge.sees_order
    ('llama-3-8b', 'completion', True)
    """

    model: str
    _: KW_ONLY
    way: Way = "letter"
    base_url: str | None = None
    key_env: str | None = None
    timeout: float = 120.0
    extra: Mapping[str, Any] | None = None
    temperature: float | None = 0.0
    top_logprobs: int = 5

    def __post_init__(self) -> None:
        """Check the options; the server's are checked by making it, which connects to nothing."""
        if not isinstance(self.model, str) or not self.model:
            raise OptionError(f"model={self.model!r} must be the name by which the server knows the model")
        check_choice("way", self.way, Way)
        check_count("top_logprobs", self.top_logprobs, least=2)
        self.server()

    @property
    def name(self) -> str:
        """The name of the model."""
        return self.model

    @property
    def sees_order(self) -> bool:
        """Whether it sees both responses of a pair at once."""
        return self.way != "score"

    @property
    def kind(self) -> str:
        """`argmax` where the likeliest answer is asked for, else `sampled`."""
        asked = (self.extra or {}).get("temperature", self.temperature)
        return "argmax" if asked == 0 else "sampled"

    @property
    def prompt(self) -> Prompt:
        """The prompt of its way."""
        return Prompt("prefdissect.judge", self.way)

    @property
    def prompt_hash(self) -> str:
        """The version of the prompt."""
        return self.prompt.hash

    @property
    def settings(self) -> Mapping[str, object]:
        """All that its answers depend on."""
        asked = {"model": self.model, "way": self.way, "base_url": self.server().base_url, "prompt": self.prompt_hash}
        return asked | {"temperature": self.temperature, "top": self.top_logprobs, "extra": dict(self.extra or {})}

    def server(self) -> Server:
        """Return the server that it is asked at."""
        return Server(self.base_url, key_env=self.key_env, timeout=self.timeout)

    def chat_request(self, text: str, repeat: int) -> Request:
        """Return a request that puts a text to the model as the user's."""
        return Request(
            self.model,
            messages=(("user", text),),
            temperature=self.temperature,
            extra=dict(self.extra or {}),
            repeat=repeat,
        )

    def plan(self, questions: Sequence[Question]) -> Iterator[Planned]:
        """Yield the requests that will be sent if no reply has to be repaired, for an estimate."""
        if self.way == "score":
            scores = ByScore(self)
            yield from (Planned(request, scores.tokens_out) for request in scores.plan(questions))
            return
        way: PairWay = _PAIRWISE[self.way](self)
        yield from (Planned(way.request(question), way.tokens_out) for question in questions)

    def answer(self, questions: Sequence[Question], run: Run) -> Answers:
        """Return its answers to questions."""
        with run.client(self.model, self.server()) as client:
            if self.way == "score":
                return ByScore(self).answer(client, questions)
            return ask_pairs(_PAIRWISE[self.way](self), client, questions)
