"""Many jobs at once, each of a few calls; what failed is listed, and nothing is lost."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from prefdissect.errors import LimitReachedError, ModelError
from prefdissect.llm.server import RefusedCallError, TransientError

__all__ = ["Failure", "Jobs", "count_reasons", "run_jobs", "tell_reasons"]

_T = TypeVar("_T")
_ENOUGH_FAILURES = 20  # nothing but failures from the start, or no reply at all so often in a row


@dataclass(frozen=True)
class Failure:
    """A job that gave no result, and why."""

    job: str
    reason: str


@dataclass(frozen=True)
class Jobs(Generic[_T]):
    """What became of jobs: results by name, those that failed, and those that were not begun or not ended.

    `stopped` says why there are such.
    """

    results: Mapping[str, _T] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    not_done: tuple[str, ...] = ()
    stopped: str | None = None


def count_reasons(failures: Sequence[Failure], *, most: int = 3) -> list[tuple[str, int]]:
    """Return the most frequent reasons of failures and how many have them; the rest as one."""
    counts = Counter(failure.reason for failure in failures).most_common()
    rest = sum(n for _, n in counts[most:])
    return counts[:most] + ([(f"for {len(counts) - most} other reasons, see failures", rest)] if rest else [])


def tell_reasons(failures: Sequence[Failure]) -> str:
    """Return the most frequent reasons of failures as part of a sentence.

    Examples
    --------
    >>> from prefdissect.llm.jobs import Failure, tell_reasons
    >>> tell_reasons([Failure("p1", "the reply is empty"), Failure("p2", "the reply is empty")])
    '2: the reply is empty; the first: p1'
    """
    first = [f"the first: {failure.job}" for failure in failures[:1]]
    return "; ".join([*(f"{n:,}: {reason}" for reason, n in count_reasons(failures)), *first])


def run_jobs(
    jobs: Mapping[str, Callable[[], _T]],
    *,
    concurrency: int,
    stop: threading.Event,
    tell: Callable[[], Any] = lambda: None,
) -> Jobs[_T]:
    """Run jobs on so many threads, and return what became of each.

    A job that raises `ModelError` failed; one that raises `LimitReachedError` was not done, and no more are begun. Nor
    are they if 20 in a row got no reply, because the server is gone.

    Raises
    ------
    ModelError
        If the first 20 jobs fail and none succeeded, for what made the last one fail: a run that cannot succeed
        ends before it costs much. Errors that are no `ModelError`, and those marked as the end, are raised at once.
    """
    results: dict[str, _T] = {}
    failures: list[Failure] = []
    stopped: str | None = None
    unanswered = 0
    for name, done in _completed(jobs, concurrency, stop):
        try:
            results[name] = done.result()
            unanswered = 0
        except LimitReachedError as error:
            stop.set()
            stopped = stopped or str(error)
        except ModelError as error:
            failures.append(Failure(name, str(error)))
            _raise_if_hopeless(error, results, failures, stop)
            unanswered = unanswered + 1 if isinstance(error, TransientError) else 0
            if unanswered >= _ENOUGH_FAILURES and not stop.is_set():
                stop.set()
                stopped = f"the server no longer answers: {error}"
        except BaseException:
            stop.set()
            raise
        tell()
    failed = {failure.job: failure for failure in failures}
    return Jobs(
        {name: results[name] for name in jobs if name in results},
        tuple(failed[name] for name in jobs if name in failed),
        tuple(name for name in jobs if name not in results and name not in failed),
        stopped,
    )


def _raise_if_hopeless(
    error: ModelError, results: Mapping[str, Any], failures: list[Failure], stop: threading.Event
) -> None:
    if isinstance(error, RefusedCallError):
        stop.set()
        raise error
    if not results and len(failures) >= _ENOUGH_FAILURES:
        stop.set()
        raise ModelError(f"the first {len(failures)} questions all failed, so no more are asked; the last: {error}")


def _completed(
    jobs: Mapping[str, Callable[[], _T]], concurrency: int, stop: threading.Event
) -> Iterator[tuple[str, Future[_T]]]:
    """Yield jobs as they end; no more are handed out than are needed, so that memory stays flat."""
    waiting = iter(jobs.items())
    running: dict[Future[_T], str] = {}
    with ThreadPoolExecutor(concurrency, thread_name_prefix="prefdissect") as pool:
        try:
            while True:
                while len(running) < 2 * concurrency and not stop.is_set() and (job := next(waiting, None)) is not None:
                    running[pool.submit(_unless, stop, job[1])] = job[0]
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(future), future
        finally:
            if running:
                stop.set()
                pool.shutdown(wait=True, cancel_futures=True)


def _unless(stop: threading.Event, job: Callable[[], _T]) -> _T:
    if stop.is_set():
        raise LimitReachedError("the run was stopped")
    return job()
