"""Put the calls of a pair to the model, one after the other."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any, NamedTuple

from prefdissect.errors import LimitReachedError, ModelError, UnusableReplyError
from prefdissect.llm import Client, Reply, Request, text_of
from prefdissect.llm.server import RefusedCallError
from prefdissect.llm.structured import with_repair
from prefdissect.measure.answers import AskedCall, PairAnswers, hash_reply
from prefdissect.measure.calls import Call, Settings, walk
from prefdissect.measure.texts import PairTexts

__all__ = ["Asker", "ask_pair"]


class Answer(NamedTuple):
    """The value of a reply, the name of its request, its hash, and whether it had to be repaired."""

    value: Any
    request: str
    reply: str
    repaired: bool


class Asker:
    """Answers calls by a client; what several pairs share is asked, and read, once."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.base_url = client.server.base_url
        self._lock = threading.Lock()
        self._shared: dict[str, Future[Answer] | Answer] = {}

    def ask(self, call: Call) -> Answer:
        """Return what the model answers.

        Raises
        ------
        ModelError
            If it gives no answer that can be used; the same for all that share the call.
        """
        if not call.is_shared:
            return self._ask(call)
        key = call.request.key(self.base_url)
        with self._lock:
            known = self._shared.get(key)
            mine: Future[Answer] = Future()
            self._shared.setdefault(key, mine)
        if known is not None:
            return known.result() if isinstance(known, Future) else known
        try:
            answer = self._ask(call)
        except BaseException as error:
            mine.set_exception(error)
            raise
        mine.set_result(answer)
        self._shared[key] = answer  # a future is large, and nobody waits for it any longer
        return answer

    def _ask(self, call: Call) -> Answer:
        if not call.request.as_json:
            return self._ask_text(call)
        asked: list[Request] = []  # two where the first reply had to be repaired
        said: list[Any] = []

        def ask(request: Request) -> Reply:
            asked.append(request)
            return self.client.ask(request)

        def read(reply: Any) -> Any:
            said.append(reply)
            return call.read(reply)

        value = with_repair(call.request, ask, read, self.client.reject)
        return Answer(value, asked[-1].key(self.base_url), hash_reply(said[-1]), len(asked) > 1)

    def _ask_text(self, call: Call) -> Answer:
        reply = self.client.ask(call.request)
        try:
            text = text_of(reply)
        except UnusableReplyError as error:
            self.client.reject(call.request, str(error))
            raise
        return Answer(call.read(text), call.request.key(self.base_url), hash_reply(text), False)


def ask_pair(settings: Settings, pair: PairTexts, answers: PairAnswers, asker: Asker) -> None:
    """Put all calls of a pair; their answers are in `answers` as they come, also if the run ends before the last.

    Raises
    ------
    LimitReachedError
        If the limit is reached.
    ModelError
        If no call will be answered at all, or none of this pair was.
    """
    answers.reference = pair.reference
    calls, value = walk(settings, pair), None
    error: ModelError | None = None
    call = next(calls, None)
    while call is not None:
        try:
            answer = asker.ask(call)
        except (LimitReachedError, RefusedCallError):
            raise
        except ModelError as failure:
            value, error = None, failure
            answers.failures.setdefault(call.step, str(failure))
        else:
            value = answer.value
            answers.keep(call, value, settings)
            answers.calls.append(_describe(call, answer))
        call = _send(calls, value)
    answers.is_whole = True
    if error is not None and not answers.calls:
        raise error


def _send(calls: Any, value: Any) -> Call | None:
    try:
        return calls.send(value)  # type: ignore[no-any-return]
    except StopIteration:
        return None


def _describe(call: Call, answer: Answer) -> AskedCall:
    asking = call.asking
    first, repeat = (asking.first, asking.repeat) if asking is not None else ("", 0)
    alone = "" if asking is None or asking.side is None else "AB"[asking.side]
    return AskedCall(call.step, first, alone, repeat, answer.request, answer.reply, answer.repaired)
