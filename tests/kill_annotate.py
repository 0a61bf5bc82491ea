"""Annotate again and again, each time in a process that is killed: `python kill_annotate.py URL REPLIES N`.

Children are forked from a process that has all imports behind it, so that they ask within a tenth of a second.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from functools import cache
from typing import Any

import httpx2  # noqa: F401  # imported before the fork: it takes longer than a child lives
import openai  # noqa: F401

import planted_annotator as planted
import prefdissect as pdx
from prefdissect.llm import Client, Reply, Request, Server

N_PAIRS, CONCURRENCY = 36, 4


def annotate(url: str, replies: str | None, concurrency: int = CONCURRENCY) -> pdx.Annotated:
    """Return the annotation that is killed, which anyone may run to its end."""
    options: dict[str, Any] = {"base_url": url, "replies": replies, "concurrency": concurrency, "progress": False}
    return pdx.annotate(data(), "m", **options)


@cache
def data() -> pdx.PreferenceData:
    """Return the pairs, which are loaded once, before the first fork."""
    return pdx.load(planted.make_table(N_PAIRS))


def main(url: str, replies: str, n: str) -> None:
    """Start and kill n children, up to 0.15 seconds after each first asks, or, each fifth, after it is started."""
    data()
    with Client("m", Server(url)) as client:
        client.server.connect()
    luck = random.Random(0)
    for k in range(int(n)):
        told, tell = os.pipe()
        child = os.fork()
        if child == 0:
            tell_first_call(tell)
            annotate(url, replies)
            os._exit(0)
        if k % 5:
            os.read(told, 1)
        time.sleep(luck.uniform(0, 0.15))
        os.kill(child, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL, "it was done before it was killed"
        os.close(told)
        os.close(tell)


def tell_first_call(tell: int) -> None:
    """Have a byte written when a server is asked."""
    ask = Server.ask

    def told(self: Server, request: Request) -> Reply:
        os.write(tell, b"!")
        return ask(self, request)

    Server.ask = told  # type: ignore[method-assign]


if __name__ == "__main__":
    main(*sys.argv[1:])
