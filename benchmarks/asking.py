"""How fast, and in how much memory, a judge is asked: `python -m benchmarks.asking [PAIRS] [CONCURRENCY] [SECONDS]`.

The server is a process of its own, and takes 200 ms for each reply. Ideal is what so many calls in flight could do if
nothing else took any time. Memory is the most that the process held, after each tenth of the run.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))  # the server is that of the tests

import planted
import prefdissect as pdx
from served import served_apart

__all__ = ["measure"]

_PADDING = "word " * 400  # a pair of responses of some 800 words, as in an arena


def measure(n_pairs: int, concurrency: int, seconds: float) -> dict[str, float]:
    """Return calls, seconds, the share of the ideal throughput, CPU milliseconds a call, and memory in MB."""
    table = planted.pairs(n_pairs)
    for side in "ab":
        table[f"response_{side}"] = table[f"response_{side}"] + _PADDING
    data = pdx.load(table)
    with tempfile.TemporaryDirectory() as folder, served_apart("planted:judge", delay=seconds) as server:
        judge = pdx.ChatJudge("m", base_url=server.url)
        options = {"replies": Path(folder, "replies.sqlite"), "progress": False, "concurrency": concurrency}
        pdx.collect(data.from_frame(table.head(concurrency)), judge, **options)  # imports, connections
        resident, done = [], threading.Event()
        watcher = threading.Thread(target=_watch, args=(resident, done))
        watcher.start()
        started, cpu = time.perf_counter(), time.process_time()
        found = pdx.collect(data, judge, **options)
        took, cpu = time.perf_counter() - started, time.process_time() - cpu
        done.set()
        watcher.join()
    calls = found.use.calls
    return {
        "calls": calls,
        "seconds": took,
        "of ideal": calls * seconds / concurrency / took,
        "CPU ms a call": 1000 * cpu / calls,
        "MB at a fifth": resident[len(resident) // 5],
        "MB at the end": resident[-1],
        "MB at most": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _watch(resident: list[float], done: threading.Event) -> None:
    """Note the memory of this process every quarter of a second."""
    while not done.wait(0.25):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        resident.append(pages * resource.getpagesize() / 2**20)


if __name__ == "__main__":
    given = sys.argv[1:]
    pairs, at_once = (int(x) for x in (given + ["2000", "32"][len(given) :])[:2])
    for name, value in measure(pairs, at_once, float(given[2]) if len(given) > 2 else 0.2).items():
        sys.stdout.write(f"{name:>14}  {value:,.2f}\n")
