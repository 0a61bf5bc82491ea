"""One server that speaks the OpenAI-compatible protocols; the only file that imports openai."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from prefdissect._typing import check_positive
from prefdissect.errors import ModelError, OptionError, UnusableReplyError
from prefdissect.llm.prices import is_loopback
from prefdissect.llm.reading import read_reply, words_of
from prefdissect.llm.request import Reply, Request

__all__ = ["OPENAI_URL", "RefusedCallError", "Server", "TransientError"]

OPENAI_URL = "https://api.openai.com/v1"
_OF_CONTENT = ("moderation", "flagged", "content policy", "content filter")  # what a 403 says that is of no key
_NOT_A_KEY = "none"  # the SDK wants some text where a server wants no key
_SHORTEST_SECRET = 8  # what is shorter stands for no key ("EMPTY", "x"), and would be found in innocent words


class RefusedCallError(ModelError):
    """The server will answer no call at all: a wrong key, an unknown model, an address that leads nowhere."""


class TransientError(ModelError):
    """The server could not answer just now.

    `retry_after` are the seconds that it asks to wait, if it does; `busy` says that it has too much to do, and `paid`
    that it may have answered, and counted it, although no reply arrived.
    """

    def __init__(
        self, message: str, *, retry_after: float | None = None, busy: bool = False, paid: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.busy = busy
        self.paid = paid


class Server:
    """Where requests go, and with which key.

    Parameters
    ----------
    base_url
        Address up to and with the version, such as `http://127.0.0.1:8000/v1`; OpenAI's by default.
    key_env
        Environment variable that holds the key. By default `OPENAI_API_KEY` for OpenAI's own address, and
        none for any other: no key goes to a server for which it was not meant.
    timeout
        Seconds to wait for a reply.

    Raises
    ------
    OptionError
        If the address is none, or holds a key or a password; if `key_env` is no name, but perhaps a key.
    ModelError
        If the variable is empty, or the package openai is not installed; both when first asked.

    Examples
    --------
    >>> from prefdissect.llm import Server
    >>> Server("http://127.0.0.1:8000/v1/")
    Server('http://127.0.0.1:8000/v1', key: none)
    """

    def __init__(self, base_url: str | None = None, *, key_env: str | None = None, timeout: float = 120.0) -> None:
        self.base_url = _checked_address(OPENAI_URL if base_url is None else base_url)
        self.key_env = "OPENAI_API_KEY" if key_env is None and self.base_url == OPENAI_URL else key_env
        if self.key_env is not None and not self.key_env.isidentifier():  # it may be a key, and is not shown
            raise OptionError(
                "key_env (--key-env) must be the name of an environment variable such as 'OPENROUTER_API_KEY': put the "
                "key into that variable, and give its name only"
            )
        self.timeout = check_positive("timeout", timeout)

    def __repr__(self) -> str:
        return f"Server({self.base_url!r}, key: {self.key_env or 'none'})"

    @cached_property
    def _key(self) -> str | None:
        if self.key_env is None:
            return None
        key = os.environ.get(self.key_env, "").strip()
        if not key:
            raise ModelError(
                f"the environment variable {self.key_env} is empty; put the key for {self.base_url} into it, or name "
                "the variable that holds it: key_env='...'"
            )
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ModelError(
                f"the environment variable {self.key_env} holds what cannot be a key: blanks, line breaks or letters "
                "beyond ASCII stand within it; copy the key again"
            )
        return key

    @cached_property
    def _sdk(self) -> Any:
        try:
            import httpx2
            import openai
        except ImportError:
            raise ModelError(
                'asking models needs the package openai: pip install "prefdissect[llm]" (estimates work without)'
            ) from None
        # Retries are ours: when a server says that it is busy, all threads wait, and not only the one that heard it.
        return openai.OpenAI(
            api_key=self._key or _NOT_A_KEY,
            base_url=self.base_url,
            timeout=self.timeout,
            max_retries=0,
            http_client=httpx2.Client(
                limits=httpx2.Limits(max_connections=None, max_keepalive_connections=256), trust_env=not self._is_near
            ),
        )

    @cached_property
    def _is_near(self) -> bool:
        return is_loopback(self.base_url)

    @cached_property
    def _is_there(self) -> bool:
        """Whether a server of this machine runs; to wait for one that nobody started would take a silent minute."""
        parts = urlsplit(self.base_url)
        if self._is_near and parts.hostname:
            try:
                port = parts.port or (443 if parts.scheme == "https" else 80)
                socket.create_connection((parts.hostname, port), timeout=10).close()
            except ConnectionRefusedError:
                raise RefusedCallError(
                    f"no connection to {self.base_url}: nothing listens there; start the server first, and check host "
                    "and port of base_url (--base-url)"
                ) from None
            except OSError:  # whatever it is, the request itself will say it
                return False
        return True

    def connect(self) -> None:
        """Make ready to ask, which needs the package openai and the key; `ask` does it otherwise."""
        _ = self._sdk

    def close(self) -> None:
        """Close the connections; `ask` opens new ones."""
        if "_sdk" in vars(self):
            self._sdk.close()
            del self._sdk

    def ask(self, request: Request) -> Reply:
        """Send one request once, and return the reply.

        Raises
        ------
        TransientError
            If it may help to wait: rate limits, errors of the server, time-outs, broken connections.
        RefusedCallError
            If no call will be answered; the message says what to change.
        UnusableReplyError
            If the server refuses this very request.
        """
        import httpx2
        import openai

        _ = self._is_there
        headers: Any = {} if self._key else {"Authorization": openai.Omit()}
        try:
            answer = self._sdk.post(
                request.path, body=request.body, cast_to=httpx2.Response, options={"headers": headers}
            )
        except openai.APITimeoutError as error:
            paid = not isinstance(error.__cause__, httpx2.ConnectTimeout)
            raise TransientError(f"no reply within {self.timeout:g} seconds", paid=paid) from None
        except openai.APIConnectionError as error:
            paid = not isinstance(error.__cause__, httpx2.ConnectError)
            said = self._hide(f"no connection to {self.base_url}: {error.__cause__ or error}")
            raise TransientError(said, paid=paid) from None
        except openai.APIStatusError as error:
            raise self._explain(error.status_code, error.response, request) from None
        try:
            return read_reply(self._hide(answer.text))
        except ValueError as error:  # servers and proxies under load send such, and it may help to ask again
            raise TransientError(str(error), paid=True) from None

    def _explain(self, status: int, answer: Any, request: Request) -> ModelError:
        """Return the error that a status stands for, with the server's own words, without the key."""
        said = self._hide(words_of(answer.text))
        if status == 403 and any(word in said.casefold() for word in _OF_CONTENT):
            return UnusableReplyError(f"the server refuses the texts of this request (status 403): {said}")
        if status in (401, 403):
            held = f"the key in {self.key_env}" if self.key_env else "no key (name its variable: key_env='...')"
            return RefusedCallError(f"{self.base_url} refuses {held}: {said}")
        if status == 404:
            return RefusedCallError(
                f"{self.base_url} has no {request.path} for model {request.model!r}: {said}; check the name of the "
                "model, and that base_url ends as the server wants it, mostly in /v1"
            )
        if status == 402 or (status == 429 and "insufficient_quota" in answer.text):
            return RefusedCallError(f"{self.base_url} says that the account is used up: {said}")
        if status in (408, 409, 429) or status >= 500:
            return TransientError(
                f"status {status}: {said}", retry_after=_retry_after(answer.headers), busy=status in (429, 503)
            )
        return UnusableReplyError(f"the server refuses this request (status {status}): {said}")

    def _hide(self, text: str) -> str:
        """Return a text without the key: a server may send it back in an error, or as part of a reply."""
        if self._key is None or len(self._key) < _SHORTEST_SECRET:
            return text
        return text.replace(self._key, "[key]").replace(self._key.replace("/", r"\/"), "[key]")  # JSON may escape /


def _checked_address(base_url: str) -> str:
    parts = urlsplit(base_url) if isinstance(base_url, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise OptionError(f"base_url={base_url!r} must be an address such as 'http://127.0.0.1:8000/v1'")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise OptionError(
            f"base_url of {parts.hostname} must hold neither user, password nor query; put the key into an environment "
            "variable, and name it: key_env='...'"
        )
    return base_url.rstrip("/")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a server asks to wait; a date, which few send, counts as nothing said."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) / unit)
        except (KeyError, ValueError):
            continue
    return None
