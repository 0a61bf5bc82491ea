"""A run that is killed at any moment goes on where it was: nothing is lost, and nothing is asked twice."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kill_annotate import CONCURRENCY, annotate
from served import served_apart
from served_app import body_key

pytestmark = pytest.mark.lane("newer")

N_KILLS = 20


def test_a_run_that_is_killed_twenty_times_ends_as_if_it_had_not_been(tmp_path):
    replies = str(tmp_path / "replies.sqlite")
    with served_apart("planted_annotator:answer", delay=0.08) as server:
        kill(server.url, replies)
        n_before = len(server.log)
        result = annotate(server.url, replies)
        log = [seen for seen in server.log if isinstance(seen.body, dict)]  # else it was cut off while it was sent
        whole = annotate(server.url, None, concurrency=32)
    assert 0 < n_before < len(log)  # kills fell into the work, and left some of it
    np.testing.assert_array_equal(result.data.ratings, whole.data.ratings)
    pd.testing.assert_frame_equal(result.data.pairs, whole.data.pairs)
    pd.testing.assert_frame_equal(result.calls, whole.calls)
    assert result.use.kept + result.use.calls == whole.use.calls == len({body_key(seen.body) for seen in log})
    # Beyond that came only what was in flight when a process was killed.
    assert len(log) - whole.use.calls <= N_KILLS * CONCURRENCY < whole.use.calls


def kill(url, replies):
    """Run in processes that are killed."""
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(here / "kill_annotate.py"), url, replies, str(N_KILLS)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
