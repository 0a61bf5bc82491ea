"""Measurements to a page of Markdown: every figure on it was measured in the run that wrote it."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from importlib import metadata
from pathlib import Path

import joblib

from benchmarks.gate import Check
from benchmarks.references import has_numpyro
from benchmarks.rounds import Case, Measurement

__all__ = ["write_page"]

Found = Mapping[str, Sequence[Measurement]]

_ABSENT = "-"
_PACKAGES = ("prefdissect", "numpy", "scipy", "numba", "pymc", "pytensor", "numpyro", "jax")


def write_page(checks: Sequence[Check], cases: Sequence[Case], found: Found, *, quick: bool) -> str:
    """Return the page."""
    rounds = max(map(len, found.values()))
    of_kind = {kind: [case for case in cases if case.kind == kind] for kind in ("time", "ess", "reference")}
    parts = [
        "# Benchmarks",
        "Written by `python -m benchmarks" + (" --quick" if quick else "") + "`, which measures all of it anew.",
        machine(),
        "## The gate",
        "These checks ran first; had one failed, there would be no times.",
        table(("check", "figures"), [(check.name, check.figures) for check in checks]),
        "## How to read the times",
        how_to_read(rounds, quick=quick),
        "## Times",
        time_table(of_kind["time"] + of_kind["ess"], found),
        "## Effective draws",
        ess_table(of_kind["ess"], found),
        "## References",
        reference_table(of_kind["reference"], found),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def machine() -> str:
    """Say what it was measured on."""
    versions = [f"{name} {_version(name)}" for name in _PACKAGES if _version(name)]
    rows = [
        ("processor", f"{_processor()}, {joblib.cpu_count()} cores used of {os.cpu_count()}"),
        ("system", f"{platform.system()} {platform.machine()}"),
        ("Python", platform.python_version()),
        ("packages", ", ".join(versions)),
        ("date", date.today().isoformat()),
    ]
    return table(("machine", ""), rows)


def how_to_read(rounds: int, *, quick: bool) -> str:
    """Say what the columns mean, and what is missing."""
    missing = (
        "left out by `--quick`"
        if quick
        else "not importable here, so its column is empty"
        if not has_numpyro()
        else "run one fit after another, and compiled anew for each, as the paper's code does"
    )
    return (
        f"One process, {rounds} interleaved rounds; each figure is the median, with the range over rounds in brackets. "
        "The data are simulated: 5,240 pairs, 29 properties, 33 judges, 11 scenarios and 5 overlapping cases. "
        "Libraries are loaded and compiled, except in the first row; all but the references run once before they count."
        "\n\n"
        "- A fit is one judge in one group. Seconds are those of the whole row, on all cores, with linear algebra on "
        "one thread.\n"
        "- *Faster than*: seconds of one fit by the reference, divided by seconds per fit of the row, in the same "
        "round. Fits of the grid and of folds are compared with a reference fit of n = 400, the size of most groups: "
        "the reference was not run on the whole grid.\n"
        "- The references run as they come: PyMC's chains one after another, its model compiled once, before; "
        f"numpyro was {missing}.\n"
        "- *Products*: the seconds in units of one matrix product, 820x29 by 29x132 in float64 on one core, timed "
        "before and after each measurement. They carry over to other machines better than seconds.\n"
        "- *Certified*: fits whose certificate holds, by the engine named; for means and sds alone, fits that "
        "converged."
    )


def time_table(cases: Sequence[Case], found: Found) -> str:
    """Return the table of seconds."""
    head = ("what", "seconds", "faster than PyMC", "faster than numpyro", "products", "certified", "target, s", "met")
    return table(head, [_time_row(case, found) for case in cases]) if cases else ""


def _time_row(case: Case, found: Found) -> Sequence[str]:
    turns = found[case.name]
    facts = turns[-1].facts
    title = f"{case.title} (least {min(facts.least_ess):,.0f})" if case.name == "grid-exact" else case.title
    limit = case.target if case.kind == "time" else None
    met = "" if limit is None else "yes" if statistics.median(t.seconds for t in turns) <= limit else "no"
    return (
        title,
        spread([t.seconds for t in turns]),
        ratios(case, found, "nuts", _speed),
        ratios(case, found, "numpyro", _speed),
        spread([t.seconds / t.product for t in turns]),
        f"{min(t.facts.certified for t in turns):,} of {facts.fits:,}" if facts.fits else _ABSENT,
        _ABSENT if limit is None else f"{limit:g}",
        met or _ABSENT,
    )


def ess_table(cases: Sequence[Case], found: Found) -> str:
    """Return the table of effective draws a second."""
    head = ("what", "least ESS of a fit", "ESS a second", "times PyMC", "times numpyro", "target", "met")
    rows = []
    for case in cases:
        turns = found[case.name]
        against = _in_rounds(case, found, "numpyro", _rate)
        target = _ABSENT if case.target is None else f"{case.target:g} times numpyro"
        unknown = case.target is None or not against
        met = _ABSENT if unknown else "yes" if statistics.median(against) >= (case.target or 0) else "no"
        rows.append(
            (
                case.title,
                spread([statistics.median(t.facts.least_ess) for t in turns]),
                spread([_rate(t) for t in turns]),
                ratios(case, found, "nuts", _rate),
                ratios(case, found, "numpyro", _rate),
                target,
                met,
            )
        )
    note = (
        "Bulk ESS of the worst property of the median fit, and the same divided by seconds per fit; the median judge's "
        "is compared with that of the one judge whom the reference fits in that round."
    )
    return f"{note}\n\n{table(head, rows)}" if rows else ""


def reference_table(cases: Sequence[Case], found: Found) -> str:
    """Return the table of the references and of the calibration product."""
    products = [t.product for turns in found.values() for t in turns]
    rows = [
        (
            case.title,
            spread([t.seconds for t in found[case.name]]),
            spread([t.facts.least_ess[0] for t in found[case.name]]),
            spread([_rate(t) for t in found[case.name]]),
        )
        for case in cases
    ]
    rows.append(("one calibration product", spread(products), _ABSENT, _ABSENT))
    return table(("reference, one fit", "seconds", "least ESS", "ESS a second"), rows)


def _speed(turn: Measurement) -> float:
    return 1 / turn.seconds_a_fit


def _rate(turn: Measurement) -> float:
    return turn.ess_a_second


def ratios(case: Case, found: Found, reference: str, score: Callable[[Measurement], float]) -> str:
    """Return how much better a case scores than its reference, or that there is none."""
    values = _in_rounds(case, found, reference, score)
    return spread(values) if values else _ABSENT


def _in_rounds(case: Case, found: Found, reference: str, score: Callable[[Measurement], float]) -> list[float]:
    others = found.get(f"{reference}-{case.like}", ())
    return [score(one) / score(other) for one, other in zip(found[case.name], others, strict=False)]


def spread(values: Sequence[float]) -> str:
    """Return the median and the range."""
    return f"{figure(statistics.median(values))} [{figure(min(values))}, {figure(max(values))}]"


def figure(value: float) -> str:
    """Return three digits, without an exponent."""
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 1 else f"{value:.3g}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"
