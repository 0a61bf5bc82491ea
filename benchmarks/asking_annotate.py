"""How fast pairs are annotated, and in how much memory: `python -m benchmarks.asking_annotate [--pairs N]`.

A planted annotator of the tests is served by a process of its own, and takes 200 ms for each reply. Ideal is that as
many calls are in flight all the time as may be. Memory is that of this process, at each tenth of the run.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import prefdissect as pdx
from benchmarks.text import make_pairs

if TYPE_CHECKING:
    from served_app import Seen

_TESTS = Path(__file__).resolve().parents[1] / "tests"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.asking_annotate", description="Time annotate.")
    parser.add_argument("--pairs", type=int, default=2_000, help="pairs to annotate (2000)")
    parser.add_argument("--delay", type=float, default=0.2, help="seconds that a reply takes (0.2)")
    parser.add_argument("--concurrency", type=int, default=32, help="calls in flight (32)")
    options = parser.parse_args()
    sys.path.insert(0, str(_TESTS))
    from served import served_apart

    data = make_data(options.pairs)
    say(f"{options.pairs:,} pairs, {options.delay * 1000:g} ms a reply, {options.concurrency} calls in flight")
    with (
        tempfile.TemporaryDirectory() as folder,
        served_apart("planted_annotator:brief", delay=options.delay) as server,
    ):

        def run() -> pdx.Annotated:
            replies = Path(folder) / "replies.sqlite"
            return pdx.annotate(
                data, "m", base_url=server.url, replies=replies, concurrency=options.concurrency, progress=False
            )

        result, seconds, cpu, memory = watch(run)
        calls = result.use.calls
        ideal = calls * options.delay / options.concurrency
        asking = span(server.log)
        say(f"{calls:,} calls in {asking:.1f} s, {calls / asking:.0f} a second: {ideal / asking:.0%} of the ideal")
        say(f"from pairs to rated pairs, lengths measured: {seconds:.1f} s")
        say(f"{1000 * cpu / calls:.2f} ms of this process a call; memory by tenths: {tenths(memory)} MB")
        again, seconds, _, _ = watch(run)
        say(f"once more, all kept: {again.use.calls} calls, {seconds:.1f} s, {1000 * seconds / calls:.2f} ms a call")


def span(log: list[Seen]) -> float:
    """Return the seconds from the first request to the last reply."""
    return max(seen.finished or seen.started for seen in log) - min(seen.started for seen in log)


def make_data(n: int) -> pdx.PreferenceData:
    """Return pairs of responses of some 1,900 characters, with the marks that the planted annotator finds."""
    import planted_annotator

    marked, texts = planted_annotator.make_table(n, words=1), make_pairs(n)
    table = marked.assign(**{name: texts[name] + " " + marked[name] for name in ("prompt", "response_a", "response_b")})
    return pdx.load(table)


def watch(run: Callable[[], pdx.Annotated]) -> tuple[pdx.Annotated, float, float, list[float]]:
    """Return what a run returns, its seconds, those of the processor, and the memory on the way in MB."""
    done, seen = Event(), [resident()]

    def look() -> None:
        while not done.wait(0.2):
            seen.append(resident())

    watcher = Thread(target=look)
    watcher.start()
    start, cpu = time.perf_counter(), time.process_time()
    try:
        result = run()
    finally:
        seconds, used = time.perf_counter() - start, time.process_time() - cpu
        done.set()
        watcher.join()
    return result, seconds, used, seen


def tenths(seen: list[float]) -> str:
    """Return what was seen at each tenth."""
    return ", ".join(f"{seen[round(k * (len(seen) - 1) / 10)]:.0f}" for k in range(11))


def resident() -> float:
    """Return the memory of this process in MB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
