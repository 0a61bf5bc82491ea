"""The client against what servers, keys and files really do: odd replies, money without a reply, limits of rate."""

import json
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import pytest

from prefdissect.errors import FileFormatError, LimitReachedError, ModelError, OptionError, UnusableReplyError
from prefdissect.llm import Client, Limit, ReplyCache, Request, Server, Use, read_json, text_of
from prefdissect.llm.backoff import Backoff
from prefdissect.llm.jobs import run_jobs
from prefdissect.llm.reading import read_reply, words_of
from prefdissect.llm.server import RefusedCallError, TransientError
from served import CLOSED, CUT, NO_COMPLETION, Sent, refused, served, slow, too_many

pytestmark = pytest.mark.lane("oldest")


def asked(text="Hello", **fields):
    return Request(model="m", messages=(("user", text),), **fields)


def client(server, *, key_env=None, timeout=5.0, **options):
    made = Client("m", Server(server.url, key_env=key_env, timeout=timeout), progress=False, **options)
    made._backoff._first = 0.01  # as it is, but faster
    return made


def chat(content, *, usage=None, **choice):
    message = content if isinstance(content, dict) else {"content": content}
    return json.dumps({"choices": [{"message": message, **choice}], "usage": usage})


class TestShapes:
    """Each is what some server or gateway sends."""

    def test_text_in_parts_without_thoughts(self):
        parts = [{"type": "thinking", "thinking": [{"text": "Hm"}]}, {"type": "text", "text": "fi"}, "ne"]
        assert text_of(read_reply(chat(parts))) == "fine"

    def test_an_empty_refusal_is_none(self):
        assert text_of(read_reply(chat({"content": "fine", "refusal": ""}))) == "fine"

    def test_log_probabilities_without_a_number(self):
        reply = read_reply(chat("A", logprobs={"content": [{"token": "A", "logprob": None, "top_logprobs": None}]}))
        assert reply.text == "A"
        assert reply.tokens[0].logprob != reply.tokens[0].logprob

    def test_completions_with_the_log_probabilities_of_chats(self):
        """llama.cpp."""
        one = {"token": " A", "logprob": -0.1, "top_logprobs": [{"token": " B", "logprob": -3.0}]}
        reply = read_reply(json.dumps({"choices": [{"text": " A", "logprobs": {"content": [one]}}]}))
        assert (reply.tokens[0].text, dict(reply.tokens[0].top)) == (" A", {" B": -3.0})

    @pytest.mark.parametrize(
        ("usage", "counted"),
        [
            ({"prompt_tokens": "3", "completion_tokens": 4.0}, (3, 4)),
            ({"prompt_tokens": -3, "completion_tokens": None}, (None, None)),
            ({"prompt_tokens": "many", "completion_tokens": float("inf")}, (None, None)),
            ([1, 2], (None, None)),
            (None, (None, None)),
        ],
    )
    def test_tokens_are_counted_as_whole_numbers_or_not_at_all(self, usage, counted):
        reply = read_reply(chat("fine", usage=usage))
        assert (reply.tokens_in, reply.tokens_out) == counted
        assert all(type(n) in (int, type(None)) for n in (reply.tokens_in, reply.tokens_out))

    def test_a_provider_that_broke_off_is_asked_again(self):
        broken = Sent(
            text=chat("The begin", finish_reason="error", error={"code": 502, "message": "provider fell over"})
        )
        with served(lambda body: "The answer", faults={1: broken}) as server, client(server) as ask:
            assert ask.ask(asked()).text == "The answer"
        with pytest.raises(ValueError, match="provider fell over"):
            read_reply(broken.text)

    @pytest.mark.parametrize("content", [5, {"a": 1}, True, [{"type": "text"}]])
    def test_what_is_no_text_is_no_reply(self, content):
        with pytest.raises(ValueError, match="no reply of the protocol"):
            read_reply(json.dumps({"choices": [{"message": {"content": content}}]}))

    def test_thoughts_are_not_what_is_said(self):
        assert read_json('<think>{"score": 3} or {so}</think>\n{"score": 7}') == {"score": 7}

    def test_lone_surrogates_reach_no_file(self):
        reply = read_reply(chat("A \ud800", model="\udfff"))
        assert reply.text == "A ?"
        assert read_json(json.dumps({"\ud800": ["\udfff", "🙂"]})) == {"?": ["?", "🙂"]}
        assert words_of('{"error": {"message": "bad \\ud800"}}') == "bad ?"


class TestKeys:
    @pytest.mark.parametrize("key", ["sk-first-line-1234\nsk-second-line-5678", "sk-secret-…-1234", "sk one two three"])
    def test_what_cannot_be_a_key_is_refused_and_not_shown(self, monkeypatch, key):
        monkeypatch.setenv("SOME_KEY", key)
        with (
            served(lambda body: "A") as server,
            client(server, key_env="SOME_KEY", retries=0) as ask,
            pytest.raises(ModelError, match="SOME_KEY holds what cannot be a key") as told,
        ):
            ask.ask(asked())
        assert "sk" not in str(told.value)
        assert server.log == []

    def test_a_word_in_place_of_a_key_stays_in_replies(self, monkeypatch):
        monkeypatch.setenv("SOME_KEY", "EMPTY")
        with (
            served(lambda body: "The list is EMPTY.", key="EMPTY") as server,
            client(server, key_env="SOME_KEY") as ask,
        ):
            assert ask.ask(asked()).text == "The list is EMPTY."

    def test_a_key_is_found_as_json_may_write_it(self, monkeypatch):
        monkeypatch.setenv("SOME_KEY", "sk-abc/def/0123456789")
        said = chat("Your key is sk-abc/def/0123456789").replace("/", "\\/")
        with (
            served(lambda body: "A", key="sk-abc/def/0123456789", faults={1: Sent(text=said)}) as server,
            client(server, key_env="SOME_KEY") as ask,
        ):
            assert ask.ask(asked()).text == "Your key is [key]"


class TestMoney:
    @pytest.mark.parametrize("fault", [CUT, CLOSED, NO_COMPLETION], ids=["cut", "closed", "no completion"])
    def test_what_may_be_paid_for_counts_at_its_most(self, fault):
        """A server bills what it has answered, whether or not the reply arrives."""
        with served(lambda body: "yes", faults={1: fault}) as server, client(server) as ask:
            ask.ask(asked(max_tokens=50))
            assert (ask.use.calls, ask.use.lost, ask.use.tokens_out) == (2, 1, 51)
        with (
            served(lambda body: "yes", faults={1: fault}) as server,
            client(server, limit=1) as ask,
            pytest.raises(LimitReachedError),
        ):
            ask.ask(asked(max_tokens=50))
        assert len(server.log) == 1

    def test_a_time_out_may_be_paid_for_and_errors_are_not(self):
        faults = {1: slow(1.0), 2: refused(500, "oops"), 3: too_many(ms=1)}
        with served(lambda body: "yes", faults=faults) as server, client(server, timeout=0.3) as ask:
            ask.ask(asked(max_tokens=50))
            assert (ask.use.calls, ask.use.lost, ask.use.tokens_out) == (2, 1, 51)

    def test_nobody_is_paid_where_nobody_listens(self):
        with served(lambda body: "yes") as server:
            url = server.url
        with Client("m", Server(url), retries=0) as ask:
            with pytest.raises(ModelError):
                ask.ask(asked())
            assert ask.use == Use(money=0.0)

    @pytest.mark.parametrize(
        ("extra", "most"),
        [
            ({}, 100),
            ({"max_tokens": None, "max_completion_tokens": 4000}, 4000),
            ({"n": 3}, 300),
            ({"max_tokens": None}, 100),
        ],
    )
    def test_the_most_that_can_come_back_follows_from_the_body(self, extra, most, tmp_path):
        assert asked(max_tokens=100, extra=extra).most_tokens_out == most
        (tmp_path / "prices.yaml").write_text("m: [0, 1000000]")  # a dollar a token
        with (
            served(lambda body: "yes") as server,
            client(server, prices=tmp_path / "prices.yaml", limit=f"${most - 1}") as ask,
            pytest.raises(LimitReachedError),
        ):
            ask.ask(asked(max_tokens=100, extra=extra))
        assert server.log == []

    def test_a_gateway_on_this_machine_is_not_taken_to_be_free(self):
        with pytest.raises(OptionError, match="no price of model 'some-model' is known"):
            Client("some-model", Server("http://localhost:4000/v1"), limit="$5")

    def test_what_is_left_of_a_limit(self):
        assert Limit(calls=5).after(Use(calls=3)) == Limit(calls=2)
        assert Limit(money=5.0).after(Use(calls=3, money=6.0)) == Limit(money=0.0)
        assert Limit().after(Use(calls=3)) == Limit()


class TestRefusals:
    def test_an_account_without_credit_ends_the_run(self):
        with (
            served(lambda body: "A", faults={1: refused(402, "Insufficient credits")}) as server,
            client(server) as ask,
            pytest.raises(RefusedCallError, match="used up: Insufficient credits"),
        ):
            ask.ask(asked())

    def test_a_text_that_is_moderated_fails_alone(self):
        flagged = refused(403, "This model requires moderation, and your input was flagged")
        with served(lambda body: "A", faults={1: flagged}) as server, client(server) as ask:
            with pytest.raises(UnusableReplyError, match="refuses the texts of this request"):
                ask.ask(asked("one"))
            assert ask.ask(asked("two")).text == "A"


class TestBusy:
    def test_a_rate_limit_fails_nobody(self):
        """32 threads and 10 calls in half a second: some come too late more often than they have tries."""
        times: deque[float] = deque()

        def limited(body, attempt):
            now = time.monotonic()
            while times and now - times[0] > 0.5:
                times.popleft()
            if len(times) >= 10:
                return too_many(0.3)
            times.append(now)
            return None

        with served(lambda body: "A", faults=limited) as server, client(server, concurrency=32, retries=3) as ask:
            done = ask.run({str(i): lambda i=i: ask.ask(asked(str(i))) for i in range(60)}, "busy")
        assert (len(done.results), done.failures) == (60, ())

    def test_tries_end_where_nobody_is_answered(self):
        backoff, asks = Backoff(2, threading.Event(), first=0.001), []

        def busy():
            asks.append(1)
            raise TransientError("busy", busy=True)

        with pytest.raises(TransientError):
            backoff.call(busy)
        assert len(asks) == 3

    def test_a_server_that_is_gone_stops_the_run_and_the_rest_is_told(self):
        def gone():
            raise TransientError("no connection")

        jobs = {"first": lambda: 1} | {f"job {i}": gone for i in range(200)}
        done = run_jobs(jobs, concurrency=2, stop=threading.Event())
        assert done.results == {"first": 1}
        assert done.stopped == "the server no longer answers: no connection"
        assert 20 <= len(done.failures) < 30
        assert len(done.failures) + len(done.not_done) == 200

    def test_bad_replies_in_a_row_do_not_stop_it(self):
        def bad():
            raise UnusableReplyError("no JSON")

        jobs = {"first": lambda: 1} | {f"job {i}": bad for i in range(50)}
        done = run_jobs(jobs, concurrency=2, stop=threading.Event())
        assert (done.stopped, len(done.failures)) == (None, 50)


class TestReplies:
    def test_what_cannot_be_a_file_of_replies_is_told_in_our_words(self, tmp_path):
        (tmp_path / "file").write_text("x")
        for path in (tmp_path, tmp_path / "file" / "replies.sqlite"):
            with pytest.raises(FileFormatError, match="is no file of replies"):
                ReplyCache(path)

    def test_many_may_open_a_new_file_at_once(self, tmp_path):
        """Each by a connection of its own, as processes do."""
        start = threading.Barrier(8)

        def open_one(path):
            start.wait()
            ReplyCache(path).close()

        with ThreadPoolExecutor(8) as pool:
            for k in range(10):
                list(pool.map(open_one, [tmp_path / f"{k}.sqlite"] * 8))

    def test_equal_questions_are_tried_again_once(self, tmp_path):
        def ask_all(**options):
            with client(server, replies=tmp_path / "replies.sqlite", concurrency=1, **options) as ask:

                def job():
                    ask.ask(asked())
                    ask.reject(asked(), "of no use")

                ask.run({str(i): job for i in range(5)}, "equal")

        with served(lambda body: "neither") as server:
            ask_all()
            assert len(server.log) == 1
            ask_all(retry_failed=True)
            assert len(server.log) == 2
