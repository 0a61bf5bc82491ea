"""A run that is killed at any moment goes on where it was: nothing is lost, nothing is asked twice."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from killed_child import CONCURRENCY, PAIRS, run
from prefdissect.llm import ReplyCache
from served import served_apart
from served_app import body_key

pytestmark = pytest.mark.lane("newer")

KILLS = 20
DELAY = 0.06  # seconds a reply takes: 600 questions, 8 at once, take 4.5


def count_kept(path: Path) -> int:
    if not path.exists():
        return 0
    with ReplyCache(path) as replies:
        return len(replies)


def kill_one(context, url: str, kept: Path, *, after: float, wait: bool) -> None:
    """Start a run, and kill it so many seconds after it has begun; with `wait`, after it has kept a reply."""
    before, child = count_kept(kept), context.Process(target=run, args=(url, str(kept)))
    child.start()
    while wait and child.is_alive() and count_kept(kept) == before:
        time.sleep(0.01)
    time.sleep(after)
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    assert child.exitcode == -signal.SIGKILL, "the run ended before it could be killed"


def test_a_run_that_is_killed_twenty_times_equals_one_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only requests in flight when their process is killed may come twice: their answers came too late to be kept.

    The children are forked from a process that has imported everything and done nothing, so that they start at once.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["killed_child"])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))  # else it is not found there
    moments, kept = random.Random(0), tmp_path / "killed.sqlite"
    with served_apart("planted:judge", delay=DELAY) as server:
        for number in range(KILLS):
            kill_one(context, server.url, kept, after=moments.uniform(0, 0.1), wait=number % 3 != 0)
        before = count_kept(kept)
        found = run(server.url, str(kept), concurrency=32)
        bodies = [one.body for one in server.log if isinstance(one.body, dict)]  # others were cut off in sending
    seen = Counter(map(body_key, bodies))
    assert KILLS / 3 < before < 2 * PAIRS
    assert found.use.kept == before
    assert found.use.calls == 2 * PAIRS - before
    assert len(seen) == 2 * PAIRS
    assert seen.total() - len(seen) <= KILLS * CONCURRENCY
    with served_apart("planted:judge") as server:
        whole = run(server.url, str(tmp_path / "whole.sqlite"))
    columns = [c for c in whole.verdicts if c != "run_id"]  # which names the server
    pd.testing.assert_frame_equal(found.verdicts[columns], whole.verdicts[columns])
