"""Cases, what is measured of them, and rounds in which all of them take their turn."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

import numpy as np

__all__ = ["Case", "Facts", "Measurement", "calibrate", "run_rounds", "say", "timed"]

_Result = TypeVar("_Result")
_LEAST_SECONDS = 0.3  # a shorter case is repeated for so long, and the median taken
_WARM_UP_SECONDS = 10.0  # a first run of up to this is not counted: it pays for memory that the system took meanwhile
_PRODUCTS = 200


@dataclass(frozen=True)
class Facts:
    """What one run came to: fits, how many of them are certified, and the least bulk ESS of each that has one."""

    fits: int
    certified: int
    least_ess: tuple[float, ...] = ()


@dataclass(frozen=True)
class Measurement:
    """One turn of a case: seconds, its facts, and the seconds of a calibration product at that time."""

    seconds: float
    facts: Facts
    product: float = float("nan")

    @property
    def seconds_a_fit(self) -> float:
        """Wall-clock seconds divided by fits."""
        return self.seconds / self.facts.fits

    @property
    def ess_a_second(self) -> float:
        """Effective draws a second: of the worst column of a typical fit, per second that a fit takes."""
        return statistics.median(self.facts.least_ess) / self.seconds_a_fit


@dataclass(frozen=True)
class Case:
    """Something to be timed.

    Parameters
    ----------
    name, title
        Its name in `--only`, and what stands in the table.
    measure
        Takes the number of the round, does the work, and returns what it measured.
    kind
        `time` (compared by seconds a fit), `ess` (by effective draws a second) or `reference`.
    like
        Size that it shares with a reference: it is compared with `nuts-<like>` and `numpyro-<like>`.
    target
        Most seconds; of kind `ess`, least ratio to numpyro. None where there is no target.
    quick
        Whether `--quick` runs it.
    """

    name: str
    title: str
    measure: Callable[[int], Measurement]
    kind: Literal["time", "ess", "reference"] = "time"
    like: str | None = None
    target: float | None = None
    quick: bool = field(default=True, kw_only=True)


def timed(work: Callable[[], _Result], facts: Callable[[_Result], Facts]) -> Measurement:
    """Return the time that `work` takes, and the facts of its result, which are not timed."""
    gc.collect()
    seconds: list[float] = []
    warmed = False
    while sum(seconds) < _LEAST_SECONDS:
        start = time.perf_counter()
        result = work()
        took = time.perf_counter() - start
        if warmed or took > _WARM_UP_SECONDS:
            seconds.append(took)
        warmed = True
    return Measurement(statistics.median(seconds), facts(result))


def calibrate() -> float:
    """Return the seconds of one matrix product of the study's shape, 820x29 by 29x132 in float64, on one core."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((820, 29)), rng.standard_normal((29, 132))
    out = np.empty((820, 132))
    seconds = []
    for _ in range(_PRODUCTS):
        start = time.perf_counter()
        np.matmul(a, b, out=out)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def run_rounds(cases: Sequence[Case], rounds: int) -> Mapping[str, list[Measurement]]:
    """Return the measurements of each case, one a round; calibration products run before and after each."""
    found: dict[str, list[Measurement]] = {case.name: [] for case in cases}
    for number in range(rounds):
        for case in cases:
            say(f"round {number + 1}/{rounds}  {case.name} ...", end="")
            before = calibrate()
            measured = case.measure(number)
            measured = replace(measured, product=(before + calibrate()) / 2)
            found[case.name].append(measured)
            say(f" {measured.seconds:.4g} s")
    return found


def say(text: str, *, end: str = "\n") -> None:
    """Tell whoever watches what is going on."""
    sys.stderr.write(text + end)
    sys.stderr.flush()
