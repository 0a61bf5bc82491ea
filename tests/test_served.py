"""The server for tests says what the protocols say, fails as it is told to, keeps count, and ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

import served as fake
from served import Answer, Served, Token, echo, served, served_apart
from served_protocol import pieces_of

ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "A or B?"}]}
CONTINUED: dict[str, Any] = {"model": "m", "prompt": "The better one is"}


@contextmanager
def client_of(server: Served, **options: Any) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.url, **{"api_key": "k", "max_retries": 0, **options}) as client:
        yield client


def post(client: openai.OpenAI, body: object, path: str = "/chat/completions") -> Any:
    return client.post(path, cast_to=object, body=body)


def judge(body: dict[str, Any]) -> Answer:
    return Answer(" A", [Token(" A", -0.25, {" B": -1.5, " C": -9.0}), Token("", -0.5, {"!": -0.1})], usage={})


def test_chat_completion_in_the_shape_of_the_protocol() -> None:
    with served(judge) as server, client_of(server) as client:
        reply = client.chat.completions.create(**ASKED, logprobs=True, top_logprobs=2)
        plain = client.chat.completions.create(**ASKED)

    assert (reply.model, reply.object, reply.usage) == ("m", "chat.completion", None)
    assert (reply.choices[0].message.content, reply.choices[0].finish_reason) == (" A", "stop")
    first, second = reply.choices[0].logprobs.content
    assert (first.token, first.logprob, first.bytes) == (" A", -0.25, [32, 65])
    assert [(one.token, one.logprob) for one in first.top_logprobs] == [(" A", -0.25), (" B", -1.5)]
    assert [one.token for one in second.top_logprobs] == ["!", ""]
    assert plain.choices[0].logprobs is None


def test_completion_in_the_shape_of_the_protocol() -> None:
    with served(judge) as server, client_of(server) as client:
        reply = client.completions.create(**CONTINUED, logprobs=1)

    told = reply.choices[0].logprobs
    assert (reply.object, reply.choices[0].text) == ("text_completion", " A")
    assert (told.tokens, told.token_logprobs, told.text_offset) == ([" A", ""], [-0.25, -0.5], [17, 19])
    assert told.top_logprobs == [{" A": -0.25}, {"!": -0.1, "": -0.5}]  # the drawn token is always told


def test_tokens_are_counted_where_the_answer_does_not_say() -> None:
    with served(lambda body: "Response B.") as server, client_of(server) as client:
        usage = client.chat.completions.create(**ASKED).usage
        asked = client.models.list().data

    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (4, 3, 7)
    assert asked == []


@given(st.text())
def test_pieces_join_to_the_text(text: str) -> None:
    assert "".join(pieces_of(text)) == text


WRONG = {
    "you must provide a model": {"messages": ASKED["messages"]},
    "you must provide a messages": {"model": "m"},
    "for 'messages'": {"model": "m", "messages": [{"role": "judge", "content": "?"}]},
    "for 'messages': \\[": {"model": "m", "messages": [{"role": "user"}]},
    "only allowed when logprobs": {**ASKED, "top_logprobs": 3},
    "at most 20": {**ASKED, "logprobs": True, "top_logprobs": 21},
    "for 'logprobs'": {**ASKED, "logprobs": 5},
    "for 'n'": {**ASKED, "n": 2},
    "for 'temperature'": {**ASKED, "temperature": 2.5},
    "cannot both": {**ASKED, "max_tokens": 1, "max_completion_tokens": 1},
    "unrecognized request argument supplied: top_k": {**ASKED, "top_k": 1},
    "the word 'json'": {**ASKED, "response_format": {"type": "json_object"}},
    "not a JSON object": [],
}


def test_strict_about_bodies() -> None:
    with served(echo) as server, client_of(server) as client:
        for why, body in WRONG.items():
            with pytest.raises(openai.BadRequestError, match=why) as caught:
                post(client, body)
            assert caught.value.type == "invalid_request_error"
        with pytest.raises(openai.BadRequestError, match="prompt"):
            post(client, ASKED, "/completions")
        with pytest.raises(openai.NotFoundError, match="/v1/responses"):
            post(client, ASKED, "/responses")
        assert [seen.status for seen in server.log] == [400] * (len(WRONG) + 1) + [404]
    with served(echo, also=["top_k"]) as server, client_of(server) as client:
        assert post(client, {**ASKED, "top_k": 1})["choices"][0]["message"]["content"] == "A or B?"


def test_key_and_models_are_checked() -> None:
    with served(echo, key="secret", models=["m"]) as server:
        with client_of(server) as client, pytest.raises(openai.AuthenticationError) as caught:
            client.models.list()
        with client_of(server, api_key="secret") as client:
            assert [model.id for model in client.models.list()] == ["m"]
            assert client.chat.completions.create(**ASKED).choices[0].message.content == "A or B?"
            with pytest.raises(openai.NotFoundError, match="'other'"):
                post(client, {**ASKED, "model": "other"})
    assert caught.value.code == "invalid_api_key"


FAULTS: list[tuple[fake.Sent, type[openai.OpenAIError]]] = [
    (fake.too_many(2, ms=1500), openai.RateLimitError),
    (fake.refused(500, "broken"), openai.InternalServerError),
    (fake.refused(503, "overloaded"), openai.InternalServerError),
    (fake.refused(400, "context length", code="context_length_exceeded"), openai.BadRequestError),
    (fake.refused(401, "revoked"), openai.AuthenticationError),
    (fake.CUT, openai.APIConnectionError),
    (fake.CLOSED, openai.APIConnectionError),
    (fake.slow(5), openai.APITimeoutError),
]


def test_fails_as_told_by_number() -> None:
    faults = {number: fault for number, (fault, _) in enumerate(FAULTS, 1)}
    with served(echo, faults=faults) as server, client_of(server, timeout=0.5) as client:
        caught = [pytest.raises(error, client.chat.completions.create, **ASKED).value for _, error in FAULTS]
        assert client.chat.completions.create(**ASKED).choices[0].message.content == "A or B?"
        assert (server.count(ASKED), server.begun(ASKED)) == (1, 9)
        until(lambda: server.log[7].finished is not None)
        assert [seen.status for seen in server.log] == [429, 500, 503, 400, 401, None, None, None, 200]

    assert [caught[0].response.headers[name] for name in ("retry-after", "retry-after-ms")] == ["2", "1500"]
    assert caught[3].code == "context_length_exceeded"
    assert server.log[7].finished - server.log[7].started < 4, "the server saw the client leave"


def test_fails_as_told_of_body_and_attempt() -> None:
    """The client's own retries meet both headers of a 429, and a connection that is closed."""

    def faults(body: dict[str, Any], attempt: int) -> fake.Fault:
        scripts = {"B": [fake.CLOSED, fake.too_many(0.01), fake.too_many(ms=10)]}
        script = scripts.get(body["messages"][0]["content"], [])
        return script[attempt - 1] if attempt <= len(script) else None

    other = {"model": "m", "messages": [{"role": "user", "content": "B"}]}
    with served(echo, faults=faults) as server, client_of(server, max_retries=3) as client:
        for body in (ASKED, other):
            post(client, body)
        assert [server.begun(body) for body in (ASKED, other)] == [1, 4]
        assert [server.count(body) for body in (ASKED, other)] == [1, 1]


def test_answers_that_are_of_no_use() -> None:
    script = [fake.BAD_JSON, fake.REFUSAL, fake.TOO_LONG, fake.EMPTY, fake.NO_COMPLETION]
    with served(echo, faults=dict(enumerate(script, 1))) as server, client_of(server) as client:
        *replies, none = [post(client, ASKED) for _ in script]

    bad, refusal, long, empty = [reply["choices"][0] for reply in replies]
    with pytest.raises(json.JSONDecodeError):
        json.loads(bad["message"]["content"])
    assert (refusal["message"]["content"], refusal["message"]["refusal"]) == (None, "I cannot help with that.")
    assert (long["finish_reason"], empty["finish_reason"], empty["message"]["content"]) == ("length", "stop", "")
    assert "choices" not in none


def test_log_is_whole_when_many_ask_at_once() -> None:
    bodies = [{**ASKED, "seed": i % 20} for i in range(100)]
    with served(echo) as server, client_of(server) as client, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda body: post(client, body), bodies))
        assert [server.count(body) for body in bodies[:20]] == [5] * 20
        assert all(seen.finished >= seen.started and seen.status == 200 for seen in server.log)
        assert {seen.headers["authorization"] for seen in server.log} == {"Bearer k"}


def test_errors_of_the_answer_are_not_lost() -> None:
    with (
        pytest.raises(RuntimeError, match="no such pair"),
        served(lambda body: {}["no such pair"]) as server,
        client_of(server) as client,
    ):
        pytest.raises(openai.BadRequestError, post, client, ASKED).match("no such pair")


def test_ends_in_time_and_in_count() -> None:
    with served(echo, most=1) as server, client_of(server) as client:
        post(client, ASKED)
        pytest.raises(openai.BadRequestError, post, client, ASKED).match("takes 1 requests")
        assert len(server.log) == 1
    assert not is_there(server.url), "it ends with its block"
    with served(echo, idle=0.2) as server:
        until(lambda: not is_there(server.url))
    with served(echo, total=0.3, delay=60) as server, client_of(server) as client:
        pytest.raises(openai.APIConnectionError, post, client, ASKED)


def test_apart_outlives_a_killed_client_and_knows_of_it() -> None:
    code = "from test_served import *; import sys; post(openai.OpenAI(base_url=sys.argv[1], api_key='k'), ASKED)"
    with served_apart("served:echo", delay=20.0, faults="test_served:AT_ONCE") as server:
        killed = subprocess.Popen([sys.executable, "-c", code, server.url], cwd=Path(__file__).parent)
        until(lambda: server.begun(ASKED) == 1)
        killed.kill()
        killed.wait()
        until(lambda: server.log[0].finished is not None)
        with client_of(server) as client:
            assert post(client, ASKED)["choices"][0]["message"]["content"] == "B"
        assert [seen.status for seen in server.log] == [None, 200]
        assert server.pid != os.getpid()


AT_ONCE = {2: replace(fake.refused(200, ""), text='{"choices": [{"message": {"content": "B"}}]}')}


def test_apart_ends_with_its_parent() -> None:
    code = "import served, time\nwith served.served_apart('served:echo') as s: print(s.url, flush=True); time.sleep(60)"
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=here) as parent:
        url = parent.stdout.readline().strip()
        assert is_there(url)
        parent.send_signal(signal.SIGKILL)
    until(lambda: not is_there(url))


def test_apart_says_when_it_cannot_start() -> None:
    with pytest.raises(RuntimeError, match="did not start: 1"), served_apart("served:nobody"):
        pass


def test_apart_keeps_up_with_many_clients() -> None:
    """Measured for 4 s, 32 clients get 96 to 98 % of 32 / 0.2 s; half is asked for here, where other tests run beside."""
    rounds = 4
    with served_apart("served:echo", delay=0.2) as server:
        taken = asyncio.run(ask_by_many(port_of(server.url), 32, rounds))
        assert len(server.log) == 32 * rounds
        assert all(seen.finished - seen.started >= 0.2 for seen in server.log)
    assert taken < 0.2 * rounds * 2


def test_replies_do_not_wait_for_acknowledgements() -> None:
    """With Nagle's algorithm on each reply on an open connection takes 40 ms; it takes about 1 ms without."""
    with served(echo) as server:
        assert asyncio.run(ask_by_many(port_of(server.url), 1, 25)) < 25 * 0.02


async def ask_by_many(port: int, clients: int, rounds: int) -> float:
    """Return seconds that clients took which ask so often each, one request after another on one connection."""
    raw = json.dumps(ASKED).encode()
    request = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (len(raw), raw)

    async def ask() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(rounds):
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            await reader.readexactly(int(head.split("content-length: ")[1].split()[0]))
        writer.close()
        await writer.wait_closed()

    started = time.monotonic()
    await asyncio.gather(*[ask() for _ in range(clients)])
    return time.monotonic() - started


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, at most 10 s."""
    ends = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < ends, "waited 10 s in vain"
        time.sleep(0.02)


def is_there(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(url.split(":")[2].split("/", maxsplit=1)[0]))) == 0


def port_of(url: str) -> int:
    return int(url.split(":")[2].split("/", maxsplit=1)[0])
