"""What the report of annotated data says of the annotation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from prefdissect.measure.answers import PairAnswers
from prefdissect.measure.calls import Settings
from prefdissect.schema import Property

if TYPE_CHECKING:
    from prefdissect.data import DataReport, PreferenceData

__all__ = ["report_on", "unfinished"]


def report_on(
    data: PreferenceData,
    settings: Settings,
    answers: Mapping[str, PairAnswers],
    left_out: Mapping[str, str],
    properties: Sequence[Property],
) -> DataReport:
    """Return the report of `data` once they are annotated, and their properties are these."""
    from prefdissect.data.facts import listed
    from prefdissect.data.texts import TEXTS_ALONE, TEXTS_ASIDE

    report = data.report.replace("properties", listed([p.id for p in properties]))
    report = report.retract("hint", TEXTS_ALONE, TEXTS_ASIDE)
    for stale in ("never rated", "never differ", "not rated"):
        report = report.retract(stale)
    report = _tell_cases(report.add("annotated", _how(settings)), data, settings)
    for reason, n in _missing(data, settings, answers, left_out).items():
        report = report.leave_out(reason, n)
    return report


def _how(settings: Settings) -> str:
    plan = settings.plan
    ruled = f"; {len(plan.by_rule)} by rule from the texts" if plan.by_rule else ""
    order = f", order {settings.orders}" if settings.mode == "pairwise" else ""
    often = f", {settings.repeats} times" if settings.repeats > 1 else ""
    return f"{len(plan.asked)} properties by {settings.model}, {settings.mode}{order}{often}{ruled}"


def _tell_cases(report: DataReport, data: PreferenceData, settings: Settings) -> DataReport:
    from prefdissect.data.facts import listed

    names = [case.name for case in settings.plan.cases]
    kept = [name for name in names if name in data.groups.columns]
    old = [name for name, kind in data.group_kinds.items() if kind == "case"]
    if names:
        report = report.replace("cases", listed([*old, *(name for name in names if name not in kept)]))
    return report.add("cases kept", f"as they were in the source: {', '.join(kept)}") if kept else report


def _missing(
    data: PreferenceData, settings: Settings, answers: Mapping[str, PairAnswers], left_out: Mapping[str, str]
) -> dict[str, int]:
    """Return how much is missing, or counts as what it is not, by reason."""
    reasons = list(left_out.values())
    found = {f"pairs not shown to the model: {reason}": reasons.count(reason) for reason in dict.fromkeys(reasons)}
    for step in dict.fromkeys(step for a in answers.values() for step in a.failures):
        what = "and all that depends on it" if step in ("query_info", "reference") else "or part of them"
        found[f"pairs without the answers of step {step}, {what}: the model failed"] = sum(
            step in a.failures for a in answers.values()
        )
    found["pairs not asked, or not about all, before the run ended"] = len(unfinished(data, answers, left_out))
    checks = [check for a in answers.values() for check in a.checks.values()]
    how = "no errors" if settings.inapplicable == "zero" else "no rating"
    found[f"searches for errors that do not apply to a response, counted as {how}"] = sum(
        not check.applicable for check in checks
    )
    return found


def unfinished(data: PreferenceData, answers: Mapping[str, PairAnswers], left_out: Mapping[str, str]) -> list[str]:
    """Return the ids of pairs that should have been asked about, and were not, or not about all."""
    ids = [name for name in map(str, data.pairs.index) if name not in left_out]
    return [name for name in ids if name not in answers or not answers[name].is_whole]
