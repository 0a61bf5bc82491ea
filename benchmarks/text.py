"""How fast texts are measured: `python -m benchmarks.text [FILE] [--pairs N] [--memory N]`.

FILE holds pairs with texts; without one they are made up. Markdown parsing alone is timed beside it,
as the part that cannot be avoided. Each round times both once, and the best round counts.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import joblib
import numpy as np
import pandas as pd
from markdown_it import MarkdownIt

import prefdissect as pdx

_SYLLABLES = ("ba", "con", "der", "ing", "la", "mo", "per", "ra", "sti", "tion", "u", "ver", "so", "ne")
_COMMON = ("the", "of", "and", "to", "in", "is", "that", "it", "for", "as", "with", "may", "you", "can", "this", "by")
_ROUNDS = 3


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.text", description="Time measure_text.")
    parser.add_argument("file", type=Path, nargs="?", help="pairs with texts; made up if left out")
    parser.add_argument("--pairs", type=int, default=1_500, help="pairs to make up (1500)")
    parser.add_argument("--memory", type=int, metavar="N", help="only measure N made up pairs, and print peak memory")
    options = parser.parse_args()
    if options.memory:
        _say_memory(options.memory)
        return
    frame = pdx.load(options.file).pairs if options.file else make_pairs(options.pairs)
    texts = [*frame["response_a"], *frame["response_b"]]
    parse = MarkdownIt("commonmark").enable("table").parse
    data = pdx.load(frame.assign(judge_none=["A"] * len(frame)).reset_index(drop=True))
    work: dict[str, Callable[[], object]] = {
        "markdown-it-py alone": lambda: [parse(text) for text in texts],
        "measure_text, 1 process": lambda: pdx.measure_text(data, n_jobs=1, progress=False),
        f"measure_text, {joblib.cpu_count()} processes": lambda: pdx.measure_text(data, n_jobs=-1, progress=False),
    }
    best = {name: min(_time(run) for _ in range(_ROUNDS)) for name, run in work.items()}
    _say(f"{len(frame):,} pairs, {np.mean([len(t) for t in texts]):,.0f} characters a response, best of {_ROUNDS}")
    for name, seconds in best.items():
        _say(f"{name:28} {seconds:6.2f} s  {len(frame) / seconds:8,.0f} pairs/s")


def make_pairs(n: int, *, random_seed: int = 0) -> pd.DataFrame:
    """Return pairs of made-up responses of about 1,900 characters: paragraphs, a list, bold words, some code."""
    rng = np.random.default_rng(random_seed)
    vocabulary = np.array(["".join(rng.choice(_SYLLABLES, k)) for k in rng.integers(1, 5, 4_000)])

    def sentence() -> str:
        common = rng.random(14) < 0.4
        words = np.where(common, rng.choice(_COMMON, 14), rng.choice(vocabulary, 14))
        return f"{' '.join(words).capitalize()}."

    def paragraph(n_sentences: int) -> str:
        return " ".join(sentence() for _ in range(n_sentences))

    def response() -> str:
        items = "\n".join(f"{i}. **{sentence()[:12]}**: {sentence()}" for i in range(1, 6))
        code = "```python\nfor x in range(10):\n    print(x)\n```"
        return "\n\n".join(
            [
                " ".join(sentence() for _ in range(9)),
                "## Part",
                items,
                " ".join(sentence() for _ in range(3)),
                code,
                sentence(),
            ]
        )

    made = [response() for _ in range(min(2 * n, 4_000))]
    at = rng.integers(0, len(made), (n, 2))
    # A running number makes each text another one, so that none is spared.
    sides = {
        f"response_{s}": [f"{made[j]}\n\nNote {i}{s}." for i, j in enumerate(at[:, k])] for k, s in enumerate("ab")
    }
    return pd.DataFrame({"prompt": [f"What of {sentence()}?" for _ in range(n)], **sides})


def _say_memory(n: int) -> None:
    data = pdx.load(make_pairs(n).assign(judge_none=["A"] * n))
    size = sum(data.pairs[c].str.len().sum() for c in ("prompt", "response_a", "response_b")) / 1e6
    before = _resident()
    highest = [before]
    done = Event()

    def watch() -> None:
        while not done.wait(0.05):
            highest.append(_resident())

    watcher = Thread(target=watch)
    watcher.start()
    seconds = _time(lambda: pdx.measure_text(data, progress=False))
    done.set()
    watcher.join()
    _say(f"{n:,} pairs, {size:,.0f} MB, {joblib.cpu_count()} cores: {seconds:.0f} s, {n / seconds:,.0f} pairs/s")
    _say(f"memory of this process: {before:,.0f} MB before, up to {max(highest):,.0f} MB while measuring")


def _resident() -> float:
    """Return the memory of this process in MB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def _time(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
