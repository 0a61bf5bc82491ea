"""The command line: `python -m benchmarks [--quick] [--output FILE.md]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from threadpoolctl import threadpool_limits

from benchmarks.cases import all_cases
from benchmarks.gate import run_gate
from benchmarks.references import has_numpyro, references
from benchmarks.report import write_page
from benchmarks.rounds import Case, run_rounds, say
from benchmarks.work import warm_up

_PAGE = Path("docs/reference/benchmarks.md")
_ROUNDS, _QUICK_ROUNDS = 5, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the gate, then the rounds; write and print the page. Returns the exit code."""
    options = _read(arguments)
    cases = _choose(options.only, quick=options.quick)
    with threadpool_limits(limits=1, user_api="blas"):
        checks = []
        for check in run_gate(quick=options.quick):
            checks.append(check)
            if not check.passed:
                sys.stdout.write(f"Nothing was timed: the check {check.name!r} failed: {check.figures}\n")
                return 1
        say("warming up")
        warm_up()
        found = run_rounds(cases, options.rounds or (_QUICK_ROUNDS if options.quick else _ROUNDS))
    page = write_page(checks, cases, found, quick=options.quick)
    sys.stdout.write(page)
    output = options.output or (None if options.only else _PAGE)
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(page, encoding="utf-8")
        say(f"written to {output.name}")
    return 0


def _read(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Time prefdissect against NUTS.")
    parser.add_argument("--quick", action="store_true", help="three rounds, without numpyro and the largest cases")
    parser.add_argument("--output", type=Path, metavar="FILE.md", help=f"where the page goes (default: {_PAGE})")
    parser.add_argument(
        "--only",
        action="append",
        metavar="CASE",
        help="this case (may be given several times); "
        "the page is then only printed, unless --output says where it goes",
    )
    parser.add_argument("--rounds", type=int, help=f"how many rounds ({_ROUNDS}; {_QUICK_ROUNDS} with --quick)")
    options = parser.parse_args(arguments)
    if options.rounds is not None and options.rounds < 1:
        parser.error(f"--rounds {options.rounds} must be at least 1")
    return options


def _choose(only: Sequence[str] | None, *, quick: bool) -> list[Case]:
    """Return the cases to run; those that are named run whatever `quick` says."""
    if not only:
        if not quick and not has_numpyro():
            say("numpyro cannot be imported: that reference is skipped")
        return [*references(quick=quick), *(case for case in all_cases() if case.quick or not quick)]
    by_name = {case.name: case for case in [*references(quick=False), *all_cases()]}
    unknown = [name for name in only if name not in by_name]
    if unknown:
        raise SystemExit(f"--only {unknown[0]}: there is no such case; there are {', '.join(by_name)}")
    return [case for name, case in by_name.items() if name in only]


if __name__ == "__main__":
    sys.exit(main())
