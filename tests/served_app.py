"""The ASGI app behind `served`: it keeps a log of what it sees, and answers, or fails as it is told to."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from served_protocol import CHAT, COMPLETIONS, MODELS, Answer, Json, error_body, models_body, reply_body, why_invalid


@dataclass(frozen=True)
class Sent:
    """What goes out for one request: without `text` it is the answer, without `status` the connection is closed."""

    status: int | None = 200
    text: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0  # seconds
    cut: bool = False  # half of the text, then the connection is closed


def refused(status: int, message: str, *, code: str | None = None, **headers: str) -> Sent:
    """Return an error in OpenAI's shape; `retry_after="1"` and the like become headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Sent(status, json.dumps(error_body(status, message, code)), named)


def too_many(seconds: float | None = None, *, ms: float | None = None) -> Sent:
    """Return a 429 that says when to come again, in either header or in none."""
    said = {"retry_after": seconds, "retry_after_ms": ms}
    named = {name: f"{value:g}" for name, value in said.items() if value is not None}
    return refused(429, "rate limit reached", code="rate_limit_exceeded", **named)


def slow(seconds: float) -> Sent:
    """Return the answer, so much later."""
    return Sent(delay=seconds)


CUT, CLOSED = Sent(cut=True), Sent(status=None)
NO_COMPLETION = Sent(text='{"object": "list", "data": []}')
BAD_JSON, EMPTY = Answer('{"better": "A", '), Answer("")
TOO_LONG = Answer("The better response is", finish_reason="length")
REFUSAL = Answer(None, refusal="I cannot help with that.")

Answering = Callable[[Json], str | Answer]
Fault = Sent | Answer | None
Faults = Mapping[int, Fault] | Callable[[Json, int], Fault]  # by number of the request, or of body and attempt: from 1


@dataclass(frozen=True)
class Seen:
    """One request as the server saw it; times in seconds of `time.monotonic`, which processes of a machine share.

    `finished` is None while it is in work, and `status` where no whole reply went out.
    """

    path: str
    body: Any  # what the JSON says, or the text where it is none
    headers: dict[str, str]  # names in lower case
    started: float
    finished: float | None = None
    status: int | None = None


def body_key(body: object) -> str:
    """Return the same text for the same body."""
    return json.dumps(body, sort_keys=True)


class App:
    """An ASGI app. `answer` runs on the loop, so it must be quick; what it raises is kept in `failures`."""

    def __init__(
        self,
        answer: Answering,
        *,
        delay: float = 0.0,
        faults: Faults | None = None,
        key: str | None = None,
        models: Collection[str] = (),
        also: Collection[str] = (),
        most_logprobs: int = 20,
        most: int = 100_000,
    ) -> None:
        self.answer, self.delay, self.faults = answer, delay, faults or {}
        self.key, self.models, self.also = key, models, also
        self.most_logprobs, self.most = most_logprobs, most
        self.failures: list[str] = []
        self.hang_up: Callable[[Any], None] = lambda client: None  # the server knows the connections
        self.in_work, self.last = 0, time.monotonic()
        self._seen: list[Seen] = []
        self._attempts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def read(self) -> tuple[list[Seen], list[str]]:
        """Return what was seen, and what the answer function raised; from any thread."""
        with self._lock:
            return list(self._seen), list(self.failures)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        raw = await _read_all(receive)
        if scope["path"] == "/log":
            seen, failures = self.read()
            return await _send(send, Sent(text=json.dumps({"seen": [vars(one) for one in seen], "failures": failures})))
        if len(self._seen) >= self.most:
            return await _send(send, refused(400, f"this server takes {self.most} requests, and has had them"))
        number = self._begin(scope, raw)
        try:
            await self._reply(scope, receive, send, number)
        finally:
            self.in_work -= 1
            self._end(number, None)

    async def _reply(self, scope: Any, receive: Any, send: Any, number: int) -> None:
        started = self._seen[number - 1].started
        sent = self._decide(scope["method"], number)
        # from the start: the work for one request is done while others wait, and adds nothing to the delay
        if sent.delay and await _left(receive, started + sent.delay - time.monotonic()):
            return
        if sent.status is not None and not sent.cut:
            self._end(number, sent.status)  # first, so that the log is never behind its reader
        if sent.status is not None:
            await _send(send, sent)
        if sent.status is None or sent.cut:
            self.hang_up(scope["client"])
            await _left(receive, 1.0)  # until uvicorn knows, or it would reply with a 500

    def _begin(self, scope: Any, raw: bytes) -> int:
        """Return the number of a request, which is now in the log."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        seen = Seen(scope["path"], _parsed(raw), headers, time.monotonic())
        with self._lock:
            self._seen.append(seen)
            self._attempts[body_key(seen.body)] += 1
            self.in_work += 1
            return len(self._seen)

    def _end(self, number: int, status: int | None) -> None:
        with self._lock:
            self.last = time.monotonic()
            if self._seen[number - 1].finished is None:
                self._seen[number - 1] = replace(self._seen[number - 1], finished=self.last, status=status)

    def _decide(self, method: str, number: int) -> Sent:
        """Return what goes out, whatever happens."""
        seen = self._seen[number - 1]
        try:
            return self._refuse(method, seen) or self._answer(seen, number)
        except Exception:
            self.failures.append(traceback.format_exc())
            return refused(400, f"the answer of this test failed: {self.failures[-1]}")

    def _answer(self, seen: Seen, number: int) -> Sent:
        """Return an answer or a fault; errors do not wait for the server's delay."""
        if seen.path == MODELS:
            return Sent(text=json.dumps(models_body(self.models)))
        fault = self._fault(seen, number)
        if isinstance(fault, Sent) and (fault.status != 200 or fault.text is not None):
            return fault
        said = fault if isinstance(fault, Answer) else self.answer(seen.body)
        whole = Answer(said) if isinstance(said, str) else said
        text = json.dumps(reply_body(seen.path, seen.body, whole, number), allow_nan=False)
        usual = fault if isinstance(fault, Sent) else Sent()
        return replace(usual, text=text, delay=usual.delay + self.delay)

    def _fault(self, seen: Seen, number: int) -> Fault:
        if callable(self.faults):
            return self.faults(seen.body, self._attempts[body_key(seen.body)])
        return self.faults.get(number)

    def _refuse(self, method: str, seen: Seen) -> Sent | None:
        """Return what a strict server says of a request that is not as it should be."""
        methods = {MODELS: "GET", CHAT: "POST", COMPLETIONS: "POST"}
        if seen.path not in methods or methods[seen.path] != method:
            return refused(404 if seen.path not in methods else 405, f"invalid URL ({method} {seen.path})")
        if self.key is not None and seen.headers.get("authorization") != f"Bearer {self.key}":
            return refused(401, "incorrect API key provided", code="invalid_api_key")
        if method == "GET":
            return None
        why = why_invalid(seen.path, seen.body, most_logprobs=self.most_logprobs, also=self.also)
        if why is not None:
            return refused(400, why)
        if self.models and seen.body["model"] not in self.models:
            return refused(404, f"the model {seen.body['model']!r} does not exist", code="model_not_found")
        return None


def _parsed(raw: bytes) -> Any:
    """Return what JSON says, or the text where it is none; NaN and infinities are no JSON."""
    text = raw.decode("utf-8", "replace")
    try:
        return json.loads(text, parse_constant=_no_constant)
    except ValueError:
        return text


def _no_constant(name: str) -> float:
    raise ValueError(name)


async def _read_all(receive: Any) -> bytes:
    raw, more = b"", True
    while more:
        message = await receive()
        raw, more = raw + message.get("body", b""), message.get("more_body", False)
    return raw


async def _left(receive: Any, seconds: float) -> bool:
    """Return whether the client left within some seconds; after the body nothing else can be received."""
    try:
        await asyncio.wait_for(receive(), seconds)
    except TimeoutError:
        return False
    return True


async def _send(send: Any, sent: Sent) -> None:
    raw = (sent.text or "").encode()
    headers = {"content-type": "application/json", "content-length": str(len(raw)), **sent.headers}
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": sent.status, "headers": pairs})
    part = raw[: len(raw) // 2] if sent.cut else raw
    await send({"type": "http.response.body", "body": part, "more_body": sent.cut})
