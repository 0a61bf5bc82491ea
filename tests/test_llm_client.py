"""The client against a server on the loopback interface: what goes right, and all that goes wrong."""

import logging
import sqlite3
import threading

import pytest

from prefdissect.errors import ModelError, OptionError, UnusableReplyError
from prefdissect.llm import Client, Request, Server
from prefdissect.llm.server import RefusedCallError, TransientError
from served import (
    BAD_JSON,
    CLOSED,
    CUT,
    EMPTY,
    NO_COMPLETION,
    REFUSAL,
    TOO_LONG,
    Answer,
    Token,
    echo,
    refused,
    served,
    slow,
    too_many,
)

KEY = "sk-this-is-a-secret-0123456789"


def asked(text="Hello", **fields):
    return Request(model="m", messages=(("user", text),), **fields)


def client(server, **options):
    options = {"replies": None, "progress": False, **options}
    server_options = {name: options.pop(name) for name in ("key_env", "timeout") if name in options}
    made = Client("m", Server(server.url, **server_options), **options)
    made._backoff._first = 0.01  # as it is, but faster
    return made


class TestProtocols:
    def test_chat_with_log_probabilities(self):
        answer = Answer("A", tokens=[Token("A", -0.1, {"B": -2.5})], usage={"prompt_tokens": 7, "completion_tokens": 1})
        with served(lambda body: answer) as server, client(server) as ask:
            reply = ask.ask(asked(top_logprobs=5))
        assert (reply.text, reply.finish_reason, reply.tokens_in, reply.tokens_out) == ("A", "stop", 7, 1)
        assert (reply.tokens[0].logprob, dict(reply.tokens[0].top)) == (-0.1, {"A": -0.1, "B": -2.5})
        assert "stream" not in server.log[0].body

    def test_completions_with_log_probabilities(self):
        answer = Answer(" A", tokens=[Token(" A", -0.1, {" B": -2.5})])
        with served(lambda body: answer) as server, client(server) as ask:
            reply = ask.ask(Request(model="m", prompt="Better: Response", max_tokens=1, top_logprobs=5))
        assert (reply.text, dict(reply.tokens[0].top)) == (" A", {" A": -0.1, " B": -2.5})
        assert server.log[0].path == "/v1/completions"

    @pytest.mark.parametrize(
        "text", ['{{ x }} {% raw %} "quotes" \\ \x00 \u2028 🙂', "\ud800 alone", '"}]}', "x" * 200_000]
    )
    def test_no_text_breaks_the_request(self, text):
        with served(echo) as server, client(server) as ask:
            assert ask.ask(asked(text)).text == text.replace("\ud800", "?")


class TestKept:
    def test_nothing_is_asked_twice_in_one_run_or_the_next(self, tmp_path):
        with served(echo, delay=0.05) as server:
            for run in range(2):
                with client(server, replies=tmp_path / "r.sqlite") as ask:
                    # 12 jobs ask 4 different questions, equal ones at the same moment
                    done = ask.run({str(n): (lambda n=n: ask.ask(asked(str(n % 4))).text) for n in range(12)}, "asking")
                    assert done.results == {str(n): str(n % 4) for n in range(12)}
                    assert ask.use.calls == (4 if run == 0 else 0)
            assert len(server.log) == 4

    def test_repeats_are_different_questions(self):
        with served(echo) as server, client(server) as ask:
            for repeat in (0, 1, 1):
                ask.ask(asked(repeat=repeat))
        assert len(server.log) == 2
        assert server.log[0].body == server.log[1].body

    def test_failed_calls_are_asked_again_by_the_next_run(self, tmp_path):
        with served(echo, faults={1: refused(400, "not this")}) as server:
            with (
                client(server, replies=tmp_path / "r.sqlite") as ask,
                pytest.raises(UnusableReplyError, match="not this"),
            ):
                ask.ask(asked())
            with client(server, replies=tmp_path / "r.sqlite") as ask:
                assert ask.ask(asked()).text == "Hello"


class TestWrong:
    @pytest.mark.parametrize(
        "fault",
        [
            refused(500, "oops"),
            refused(503, "later"),
            CUT,
            CLOSED,
            NO_COMPLETION,
            too_many(0.02),
            refused(429, "slow down"),
        ],
        ids=["500", "503", "cut", "closed", "no completion", "429 with a time", "429"],
    )
    def test_what_may_pass_is_tried_again(self, fault):
        with served(echo, faults={1: fault, 2: fault}) as server, client(server) as ask:
            assert ask.ask(asked()).text == "Hello"
            assert ask.use.calls - ask.use.lost == 1
        assert server.begun(asked().body) == 3

    def test_a_slow_reply_is_given_up_and_asked_again(self):
        with served(echo, faults={1: slow(5)}) as server, client(server, timeout=0.3) as ask:
            assert ask.ask(asked()).text == "Hello"
        assert server.begun(asked().body) == 2

    def test_tries_end_with_what_the_server_said(self):
        with (
            served(echo, faults=lambda body, attempt: refused(500, "on fire")) as server,
            client(server, retries=2) as ask,
            pytest.raises(ModelError, match=r"status 500: on fire"),
        ):
            ask.ask(asked())
        assert server.begun(asked().body) == 3

    def test_nobody_listens(self):
        with (
            client(type("Gone", (), {"url": "http://127.0.0.1:9/v1"})) as ask,
            pytest.raises(RefusedCallError, match=r"no connection to http://127\.0\.0\.1:9/v1: nothing listens there"),
        ):
            ask.ask(asked())

    def test_a_server_that_goes_away_later_is_waited_for(self):
        with served(echo) as server:
            ask = client(server, retries=1)
            ask.ask(asked())
        with ask, pytest.raises(TransientError, match="no connection"):
            ask.ask(asked("again"))

    @pytest.mark.parametrize("given", ["sk-0123456789", "", "MY KEY"])
    def test_a_key_in_place_of_a_name_is_refused_and_not_shown(self, given):
        with pytest.raises(OptionError, match="must be the name of an environment variable") as error:
            Server(key_env=given)
        assert not given or given not in str(error.value)

    def test_a_wrong_key_ends_the_run_at_once(self, monkeypatch):
        monkeypatch.setenv("SOME_KEY", KEY)
        with served(echo, key="another") as server, client(server, key_env="SOME_KEY", concurrency=4) as ask:
            jobs = {str(n): (lambda n=n: ask.ask(asked(str(n)))) for n in range(500)}
            with pytest.raises(ModelError, match="refuses the key in SOME_KEY: incorrect API key"):
                ask.run(jobs, "asking")
        assert len(server.log) <= 9

    def test_no_key_where_one_is_wanted_names_the_way_out(self):
        with (
            served(echo, key=KEY) as server,
            client(server) as ask,
            pytest.raises(ModelError, match=r"refuses no key \(name its variable: key_env='\.\.\.'\)"),
        ):
            ask.ask(asked())
        assert "authorization" not in server.log[0].headers

    def test_an_unknown_model_ends_the_run(self):
        with (
            served(echo, models=["other"]) as server,
            client(server) as ask,
            pytest.raises(ModelError, match="model 'm'.*does not exist.*check the name"),
        ):
            ask.ask(asked())

    def test_an_account_that_is_used_up_is_not_waited_for(self):
        with (
            served(echo, faults={1: refused(429, "quota", code="insufficient_quota")}) as server,
            client(server) as ask,
            pytest.raises(ModelError, match="used up"),
        ):
            ask.ask(asked())


class TestStructured:
    def read(self, value):
        if set(value) != {"clear"}:
            raise ValueError("the object must hold clear and nothing else")
        return value["clear"]

    def test_a_reply_that_is_as_it_should_be(self):
        with served(lambda body: '{"clear": 2}') as server, client(server) as ask:
            assert ask.ask_structured(asked(), self.read) == 2
        assert len(server.log) == 1

    @pytest.mark.parametrize(
        ("fault", "told"),
        [
            (BAD_JSON, "no JSON object"),
            (Answer('{"clean": 2}'), "must hold clear"),
            (REFUSAL, "refused"),
            (EMPTY, "empty"),
            (TOO_LONG, "cut off"),
        ],
        ids=["no JSON", "another form", "a refusal", "nothing", "cut off"],
    )
    def test_one_round_of_repair(self, fault, told):
        with served(lambda body: '{"clear": 2}', faults={1: fault}) as server, client(server) as ask:
            assert ask.ask_structured(asked(), self.read) == 2
        repair = server.log[1].body["messages"]
        assert [m["role"] for m in repair] == ["user", "assistant", "user"]
        assert told in repair[2]["content"]
        assert len(server.log) == 2

    def test_after_it_the_failure_is_told_kept_and_asked_again_only_on_demand(self, tmp_path):
        answers = ["first", "second", "third", '{"clear": 1}']
        with served(lambda body: answers[len(server.log) - 1]) as server:
            for retry, asked_by_then in ((False, 2), (False, 2)):
                with (
                    client(server, replies=tmp_path / "r.sqlite", retry_failed=retry) as ask,
                    pytest.raises(UnusableReplyError, match="no JSON object: 'second'"),
                ):
                    ask.ask_structured(asked(), self.read)
                assert len(server.log) == asked_by_then
            with client(server, replies=tmp_path / "r.sqlite", retry_failed=True) as ask:
                assert ask.ask_structured(asked(), self.read) == 1
        assert len(server.log) == 4


class TestLimits:
    def test_calls_are_never_more_and_the_rest_is_told(self, tmp_path):
        with served(echo, delay=0.01) as server:
            for n_done, limit in ((7, 7), (12, "5 calls"), (30, None)):
                with client(server, replies=tmp_path / "r.sqlite", limit=limit, concurrency=8) as ask:
                    done = ask.run({str(n): (lambda n=n: ask.ask(asked(str(n))).text) for n in range(30)}, "asking")
                    assert len(server.log) == n_done
                    assert len(done.results) + len(done.not_done) == 30
                    assert (done.stopped is None) == (limit is None)
            assert done.results == {str(n): str(n) for n in range(30)}

    def test_money_is_never_passed(self, tmp_path):
        prices = tmp_path / "prices.yaml"
        prices.write_text("m: [0, 10_000]")  # a cent a token of the reply
        answer = Answer("yes", usage={"prompt_tokens": 5, "completion_tokens": 3})
        with (
            served(lambda body: answer, delay=0.01) as server,
            client(server, limit="$1", prices=prices, concurrency=16) as ask,
        ):
            done = ask.run({str(n): (lambda n=n: ask.ask(asked(str(n), max_tokens=8))) for n in range(200)}, "asking")
            # 31 replies of 3 cents leave less than the 8 cents that another may cost
            assert len(done.results) == 31
            assert ask.use.money == pytest.approx(0.93)
            assert done.stopped == "the limit of $1 is reached"
        assert len(server.log) == 31


class TestSecrets:
    def test_the_key_is_nowhere_but_in_the_header(self, tmp_path, monkeypatch, caplog):
        monkeypatch.setenv("SOME_KEY", KEY)
        caplog.set_level(logging.DEBUG)
        faults = {2: refused(400, f"you sent {KEY}"), 3: refused(500, f"you sent {KEY}")}
        # a server that sends the key back, in a reply and in errors
        with (
            served(lambda body: f"your key is {KEY}", key=KEY, faults=faults) as server,
            client(server, key_env="SOME_KEY", replies=tmp_path / "r.sqlite") as ask,
        ):
            reply = ask.ask(asked("1"))
            with pytest.raises(ModelError) as raised:
                ask.ask(asked("2"))
            ask.ask(asked("3"))
            shown = [repr(reply), str(raised.value), repr(ask.server), repr(ask.use)]
        assert server.log[0].headers["authorization"] == f"Bearer {KEY}"
        assert reply.text == "your key is [key]"
        assert KEY not in "\n".join([*shown, caplog.text])
        for file in tmp_path.iterdir():
            assert KEY.encode() not in file.read_bytes()
        with sqlite3.connect(tmp_path / "r.sqlite") as kept:
            assert len(kept.execute("SELECT * FROM replies").fetchall()) == 2
        kept.close()


def test_a_run_that_is_interrupted_keeps_what_was_answered(tmp_path):
    with served(echo, delay=0.01) as server:
        with client(server, replies=tmp_path / "r.sqlite", concurrency=2) as ask:

            def job(n):
                if n == 10:
                    raise KeyboardInterrupt
                return ask.ask(asked(str(n))).text

            with pytest.raises(KeyboardInterrupt):
                ask.run({str(n): (lambda n=n: job(n)) for n in range(40)}, "asking")
        so_far = len(server.log)
        assert so_far < 40
        with client(server, replies=tmp_path / "r.sqlite") as ask:
            ask.run({str(n): (lambda n=n: ask.ask(asked(str(n)))) for n in range(40)}, "asking")
        assert len(server.log) == 40
    assert threading.active_count() < 20
