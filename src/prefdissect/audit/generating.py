"""Responses of a model to prompts, with and without a system message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from functools import partial
from typing import Any

from prefdissect._typing import check_count
from prefdissect.errors import OptionError, UnusableReplyError
from prefdissect.judge import Run
from prefdissect.llm import Client, Jobs, Planned, Request, Server, Use, text_of

__all__ = ["ChatGenerator", "Wanted", "Written", "generate", "plan_generation"]

_TYPICAL_TOKENS = 350.0  # of a response in an open arena, for estimates


@dataclass(frozen=True)
class ChatGenerator:
    """A model behind any server that speaks the OpenAI-compatible chat protocol, which writes responses.

    Parameters
    ----------
    model
        Name by which the server knows the model.
    base_url, key_env, timeout
        Address of the server (OpenAI's by default), environment variable that holds the key, seconds to wait.
    max_tokens
        Most tokens of a response. One that is cut off there is kept as it is, and counted.
    temperature
        0 asks for the likeliest response, as in the paper; None leaves it to the server.
    extra
        Further fields of the request's body; a value None leaves a field out.

    Raises
    ------
    OptionError
        If the name is empty, the address none, or a number out of its range.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> pdx.ChatGenerator("llama-3-8b", base_url="http://127.0.0.1:8000/v1").request("Why?", "Be brief.").messages
    (('system', 'Be brief.'), ('user', 'Why?'))
    """

    model: str
    _: KW_ONLY
    base_url: str | None = None
    key_env: str | None = None
    timeout: float = 300.0
    max_tokens: int = 2048
    temperature: float | None = 0.0
    extra: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Check the options; the server's are checked by making it, which connects to nothing."""
        if not isinstance(self.model, str) or not self.model:
            raise OptionError(f"model={self.model!r} must be the name by which the server knows the model")
        check_count("max_tokens", self.max_tokens)
        self.server()

    def server(self) -> Server:
        """Return the server that it is asked at."""
        return Server(self.base_url, key_env=self.key_env, timeout=self.timeout)

    def request(self, prompt: str, message: str | None) -> Request:
        """Return the request for one response, under a system message or none."""
        system = () if message is None else (("system", message),)
        return Request(
            self.model,
            messages=(*system, ("user", prompt)),
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            extra=dict(self.extra or {}),
        )


@dataclass(frozen=True)
class Wanted:
    """A response that is wanted: its name, the prompt, and the system message or None."""

    name: str
    prompt: str
    message: str | None


@dataclass(frozen=True)
class Written:
    """A response, None where there is none, and whether it was cut off at `max_tokens`."""

    text: str | None
    cut: bool = False


def plan_generation(generator: ChatGenerator, wanted: Sequence[Wanted]) -> Iterator[Planned]:
    """Yield the requests for all responses, for an estimate."""
    for one in wanted:
        yield Planned(generator.request(one.prompt, one.message), min(_TYPICAL_TOKENS, generator.max_tokens))


def generate(generator: ChatGenerator, wanted: Sequence[Wanted], run: Run) -> tuple[Jobs[Written], Use]:
    """Return the responses by name, those that failed, and what it took.

    A response that is empty or refused failed; one that is cut off at `max_tokens` is what the model wrote.
    """
    with run.client(generator.model, generator.server()) as client:
        jobs = {one.name: partial(_write, client, generator.request(one.prompt, one.message)) for one in wanted}
        return client.run(jobs, f"Asking {generator.model} for responses"), client.use


def _write(client: Client, request: Request) -> Written:
    reply = client.ask(request)
    cut = reply.finish_reason == "length"
    try:
        return Written(text_of(replace(reply, finish_reason="stop") if cut else reply), cut)
    except UnusableReplyError as error:
        client.reject(request, str(error))
        raise
