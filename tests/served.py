"""A server on the loopback interface that speaks the OpenAI-compatible protocols, for tests.

`served` runs it in a thread. `served_apart` runs it as a process of its own, which outlives a client that is killed and
shares no interpreter lock with it; so does, from the folder `tests`, `python -m served MODULE:NAME '{"delay": 0.2}'`.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from served_app import (
    BAD_JSON,
    CLOSED,
    CUT,
    EMPTY,
    NO_COMPLETION,
    REFUSAL,
    TOO_LONG,
    Answering,
    App,
    Fault,
    Faults,
    Seen,
    Sent,
    body_key,
    refused,
    slow,
    too_many,
)
from served_protocol import Answer, Json, Token, texts_of

__all__ = [
    "BAD_JSON",
    "CLOSED",
    "CUT",
    "EMPTY",
    "NO_COMPLETION",
    "REFUSAL",
    "TOO_LONG",
    "Answer",
    "Fault",
    "Faults",
    "Seen",
    "Sent",
    "Served",
    "Token",
    "echo",
    "refused",
    "served",
    "served_apart",
    "slow",
    "too_many",
]


@dataclass(frozen=True)
class Served:
    """A server that runs: where it is, and what it has seen."""

    url: str
    pid: int  # of the process that it is in
    read: Callable[[], tuple[list[Seen], list[str]]]

    @property
    def log(self) -> list[Seen]:
        """All requests in the order in which they came, also those that are in work."""
        return self.read()[0]

    def count(self, body: Json) -> int:
        """Return how often this very body was answered: a whole reply, with status 200."""
        return sum(seen.status == 200 for seen in self._of(body))

    def begun(self, body: Json) -> int:
        """Return how often this very body came, whatever became of it."""
        return len(self._of(body))

    def _of(self, body: Json) -> list[Seen]:
        key = body_key(body)
        return [seen for seen in self.log if body_key(seen.body) == key]


@contextmanager
def served(answer: Answering, *, idle: float = 60.0, total: float = 600.0, **options: Any) -> Iterator[Served]:
    """Run a server in a thread; it ends with the block, after `idle` seconds without a request, and after `total`.

    Options are those of `App`. What `answer` raised is raised at the end of the block.
    """
    app = App(answer, **options)
    server, listener = _Server(app, idle=idle, total=total), _listener()
    url = _url(listener)  # a closed socket has no port
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    if not server.ready.wait(30):
        raise RuntimeError("the server did not start within 30 s")
    try:
        yield Served(url, os.getpid(), app.read)
    finally:
        server.stop()
        thread.join(30)
    _raise_failures(app.failures)


@contextmanager
def served_apart(answer: str, **options: Any) -> Iterator[Served]:
    """Run a server as a process; it ends with the block, and with this process.

    Options are those of `served`; `answer` and `faults` are given as `module:name`.
    """
    given = json.dumps({"parent": os.getpid(), **options})
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-m", "served", answer, given]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            said = process.stdout.readline() if process.stdout else ""
            if not said:
                raise RuntimeError(f"the server did not start: {process.wait(30)}, see stderr; command: {command}")
            server = Served(said.strip(), process.pid, lambda: _fetch(said.strip()))
            yield server
            if process.poll() is None:
                _raise_failures(server.read()[1])
        finally:
            process.kill()


def echo(body: Json) -> str:
    """Answer with the last text that was sent."""
    return texts_of(body)[-1]


class _Server(uvicorn.Server):
    """Uvicorn without its waits, and with ends of its own."""

    def __init__(self, app: App, *, idle: float, total: float, parent: int | None = None) -> None:
        # h11 on asyncio whatever else is installed: it is quick enough; and no connection is closed for being idle
        quiet = {"log_config": None, "log_level": "critical", "access_log": False}
        plain = {"http": "h11", "loop": "asyncio", "ws": "none", "lifespan": "off"}
        super().__init__(uvicorn.Config(app, **plain, **quiet, timeout_keep_alive=3600, backlog=4096))
        self.app, self.idle, self.parent = app, idle, parent
        self.ends, self.ready = time.monotonic() + total, threading.Event()
        app.hang_up = self.hang_up

    async def main_loop(self) -> None:
        self.loop, self.wake = asyncio.get_running_loop(), asyncio.Event()
        self.ready.set()
        while not (self.should_exit or self._is_over()):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), 0.2)

    def _is_over(self) -> bool:
        now = time.monotonic()
        is_idle = self.app.in_work == 0 and now - self.app.last > self.idle
        return is_idle or now > self.ends or self.parent not in (None, os.getppid())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await asyncio.sleep(0.01)  # who has just knocked is let in first: asyncio loses those let in as it closes
        for server in self.servers:
            server.close()
        for task in self.server_state.tasks:
            task.cancel()
        for _ in range(20):  # connections that were being made, or closed, take a few turns to be there, or gone
            for connection in list(self.server_state.connections):
                connection.transport.abort()
            await asyncio.sleep(0.001)

    def stop(self) -> None:
        """End the server; from any thread."""
        self.should_exit = True
        with contextlib.suppress(RuntimeError):  # it has ended by itself
            self.loop.call_soon_threadsafe(self.wake.set)

    def hang_up(self, client: tuple[str, int]) -> None:
        """Close the connection of one client, after what was sent on it."""
        for connection in list(self.server_state.connections):
            if connection.client == client:
                connection.transport.close()


def _listener() -> socket.socket:
    # named as TCP, or asyncio leaves Nagle's algorithm on and each reply waits 40 ms for a client's delayed ACK
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    return listener


def _url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


def _fetch(url: str) -> tuple[list[Seen], list[str]]:
    straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with straight.open(url.removesuffix("/v1") + "/log", timeout=30) as reply:
        told = json.load(reply)
    return [Seen(**one) for one in told["seen"]], told["failures"]


def _raise_failures(failures: list[str]) -> None:
    if failures:
        raise RuntimeError(f"the answer failed {len(failures)} times, first so:\n{failures[0]}")


def _find(name: str) -> Any:
    module, _, member = name.partition(":")
    return getattr(importlib.import_module(module), member)


def run_apart(answer: str, given: str = "{}") -> None:
    """Serve in this process until one of its ends comes, and say first where."""
    options = {"idle": 60.0, "total": 600.0, "parent": None, "faults": None, **json.loads(given)}
    faults = options.pop("faults")
    ends = {name: options.pop(name) for name in ("idle", "total", "parent")}
    app = App(_find(answer), faults=_find(faults) if faults else None, **options)
    listener = _listener()
    listener.listen(4096)
    sys.stdout.write(_url(listener) + "\n")
    sys.stdout.flush()
    _Server(app, **ends).run(sockets=[listener])


if __name__ == "__main__":
    from served import run_apart as run  # not this file's own: a second copy of each class would be another class

    run(*sys.argv[1:])
