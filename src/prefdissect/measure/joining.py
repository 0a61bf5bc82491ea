"""From answers to data: the ratings, and which of them are missing."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from prefdissect._typing import FloatArray
from prefdissect.measure.answers import PairAnswers
from prefdissect.measure.calls import Settings
from prefdissect.measure.findings import add_cases, add_columns, columns_of
from prefdissect.measure.telling import report_on
from prefdissect.schema import Property, PropertySchema

if TYPE_CHECKING:
    from prefdissect.data import PreferenceData

__all__ = ["combine", "join_answers", "split_given"]


def combine(ratings: FloatArray, *, both: bool) -> FloatArray:
    """Return the mean rating over repeats, then over orders; shape [order, repeat, ...] to [...].

    With `both`, an order that failed leaves no rating: half of a balance is none.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the mean of nothing is NaN, as it should be
        orders = np.nanmean(ratings, axis=1)
        return np.asarray(orders.mean(axis=0) if both else np.nanmean(orders, axis=0))


def split_given(data: PreferenceData, schema: PropertySchema) -> tuple[PreferenceData, PreferenceData | None]:
    """Return data without ratings of the properties of `schema`, and data with those alone, if there are any."""
    ids, stems = set(schema.ids), {p.rated for p in schema}
    is_given = np.array([p.id in ids or p.rated in stems for p in data.schema], dtype=bool)
    if not is_given.any():
        return data, None
    return _only(data, ~is_given), _only(data, is_given)


def _only(data: PreferenceData, kept: Any) -> PreferenceData:
    properties = tuple(p for p, keep in zip(data.schema, kept, strict=True) if keep)
    schema = PropertySchema(name=data.schema.name, properties=properties)
    return replace(data, schema=schema, ratings=data.ratings[:, :, kept], comparisons=data.comparisons[:, kept])


def join_answers(
    data: PreferenceData, settings: Settings, answers: Mapping[str, PairAnswers], left_out: Mapping[str, str]
) -> PreferenceData:
    """Return data with the ratings that were answered or measured, and with what was found out on the way.

    `answers` are by pair id, `left_out` says of other pairs why nothing was asked. Pairs whose ratings are missing
    where fits would take them for equal are flagged, so that fits leave them out.
    """
    ratings = _all_ratings(data, settings, answers)
    properties = (*data.schema.properties, *settings.plan.schema.properties)
    name = settings.plan.schema.name if not len(data.schema) else data.schema.name
    columns = columns_of(data, settings, answers)
    groups, kinds = add_cases(data, settings, columns)
    failed = _failed(data, settings, answers, ratings, left_out)
    return replace(
        data,
        schema=PropertySchema(name=name, properties=properties),
        ratings=np.concatenate([data.ratings, ratings], axis=2),
        comparisons=np.concatenate([data.comparisons, np.full_like(ratings[:, 0], np.nan)], axis=1),
        pairs=add_columns(data, columns, failed, again={p.rated for p in settings.plan.schema}),
        groups=groups,
        group_kinds=kinds,
        report=report_on(data, settings, answers, left_out, properties),
    )


def _all_ratings(data: PreferenceData, settings: Settings, answers: Mapping[str, PairAnswers]) -> FloatArray:
    """Return ratings, shape [pair, 2, property of the plan]: what was asked, and what is measured by rule."""
    plan = settings.plan
    ratings = np.full((len(data), 2, len(plan.schema)), np.nan)
    asked = [plan.schema.ids.index(p.id) for p in plan.asked]
    for row, pair_id in enumerate(map(str, data.pairs.index)):
        if pair_id in answers:
            ratings[row][:, asked] = combine(answers[pair_id].ratings, both=settings.orders == "both")
    if plan.by_rule:
        ruled = list(plan.by_rule)
        ratings[:, :, [plan.schema.ids.index(name) for name in ruled]] = _measure(data, plan.by_rule)
    return ratings


def _measure(data: PreferenceData, by_rule: Mapping[str, Property]) -> FloatArray:
    """Return the ratings that need no model, shape [pair, 2, property]."""
    from prefdissect.text import measure_text

    names = list(dict.fromkeys(rule.id for rule in by_rule.values()))
    if names == ["length"]:  # as in the paper: counted alone it takes an eighth of the time of all that is measured
        return np.repeat(_lengths(data)[:, :, None], len(by_rule), axis=2)
    measured = measure_text(_only(data, np.zeros(len(data.schema), dtype=bool)), properties=names)
    return measured.ratings[:, :, [measured.properties.index(rule.id) for rule in by_rule.values()]]


def _lengths(data: PreferenceData) -> FloatArray:
    """Return the length of each response, shape [pair, 2], as `measure_text` counts it; NaN where it is empty."""
    from prefdissect.text.cells import as_texts
    from prefdissect.text.tokens import count_tokens

    sides = [as_texts(data.pairs[column]) for column in ("response_a", "response_b")]
    return np.array([[count_tokens(t) if t and t.strip() else np.nan for t in side] for side in sides]).T


def _failed(
    data: PreferenceData,
    settings: Settings,
    answers: Mapping[str, PairAnswers],
    ratings: FloatArray,
    left_out: Mapping[str, str],
) -> list[str | None]:
    """Return for each pair the properties that are not rated although they should be, where missing means equal."""
    plan = settings.plan
    risky = [(plan.schema.ids.index(p.id), p) for p in plan.asked if p.missing == "zero"]
    found: list[str | None] = []
    for row, pair_id in enumerate(map(str, data.pairs.index)):
        missing = np.isnan(ratings[row]).any(axis=0)
        names = [
            p.rated
            for k, p in risky
            if pair_id not in left_out and missing[k] and not _is_rightly_missing(p, settings, answers.get(pair_id))
        ]
        found.append(", ".join(names) or None)
    return found


def _is_rightly_missing(prop: Property, settings: Settings, answers: PairAnswers | None) -> bool:
    """Return whether a pair has no such rating because its query does not call for it, or because no check applies."""
    if answers is None:
        return False
    case = settings.plan.case_of(prop)
    if case is not None:
        return answers.facts is not None and not answers.facts[case.name].holds
    is_error = prop in settings.plan.steps.get("errors", ()) and settings.inapplicable == "missing"
    return is_error and any(not check.applicable for check in answers.checks.values())
