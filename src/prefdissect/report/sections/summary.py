"""The whole in a few sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from prefdissect.describe import tell_of_pooling
from prefdissect.report.contents import Contents
from prefdissect.tables import top_table

__all__ = ["summary_section"]

_MOST, _NAMED = 6, 3  # fits, and properties at each end


def summary_section(contents: Contents) -> list[dict[str, Any]]:
    """Return paragraphs: a topic, sentences, and for checks the level that they reach."""
    parts = [_what(contents), *_preferred(contents), *_alike(contents), _trusted(contents), *_predicted(contents)]
    if contents.posterior.pooled is not None:
        said = [f"{line.strip()}." for line in tell_of_pooling(contents.posterior.pooled)]
        parts.append({"topic": "Whether pooling pays", "said": said})
    return [part for part in parts if part["said"]]


def _what(contents: Contents) -> dict[str, Any]:
    judges, groups = contents.posterior.judges, contents.posterior.groups
    n_fits, n_cells = len(contents.posterior.fits), len(judges) * len(groups)
    n, n_properties = len(contents.data.pairs), int(contents.design.is_property.sum())
    said = [
        f"{_count(len(judges), 'judge')} {'was' if len(judges) == 1 else 'were'} dissected by "
        f"{_count(n, 'pair')} of responses and {_count(n_properties, 'property')}, in {_count(len(groups), 'group')}."
    ]
    if n_fits < n_cells:
        said.append(f"{_count(n_cells - n_fits, 'fit')} of {n_cells} had too few pairs.")
    return {"topic": "What this is", "said": said}


def _preferred(contents: Contents) -> Iterable[dict[str, Any]]:
    """Say what each judge prefers most and least: overall, or where there is no such mean in each group."""
    posterior = contents.posterior
    groups = [None] if contents.overall is not None else posterior.groups
    asked = [(judge, group) for judge in posterior.judges for group in groups]
    for judge, group in asked[:_MOST]:
        table = _probabilities(contents, judge, group)
        if table is None:
            continue
        half = min(_NAMED, len(table) // 2 or 1)
        ends = [table.iloc[:half], table.iloc[::-1].iloc[:half] if len(table) > 1 else table.iloc[:0]]
        words = ["; ".join(map(_named, end.to_dict("records"))) for end in ends]
        said = [f"Most: {words[0]}.", f"Least: {words[1]}."][: 1 + bool(words[1])]
        where = f" in {group}" if group is not None and len(groups) > 1 else ""
        yield {"topic": f"What {judge} prefers{where}", "said": said}
    if len(asked) > _MOST:
        yield {"topic": "And further", "said": [f"{_count(len(asked) - _MOST, 'fit')} more: see Properties."]}


def _probabilities(contents: Contents, judge: str, group: str | None) -> pd.DataFrame | None:
    """Return the probabilities of a judge with intervals, largest first; None where it has no fit."""
    if contents.overall is not None:
        table = contents.overall[contents.overall["judge"] == judge].dropna(subset=["probability"])
        return table.sort_values("probability", ascending=False, kind="stable") if len(table) else None
    weights = contents.weights[(contents.weights["judge"] == judge) & (contents.weights["group"] == group)]
    top = top_table(weights, len(weights)) if len(weights) else weights.assign(side="")
    top = top[top["side"] == "most"]
    if top.empty:
        return None
    bounds = {name: 1 / (1 + np.exp(-top[name])) for name in ("lower", "upper")}
    return top.assign(**bounds)


def _named(row: Mapping[Any, Any]) -> str:
    return f"{row['label']} {row['probability']:.2f} [{row['lower']:.2f}, {row['upper']:.2f}]"


def _alike(contents: Contents) -> Iterable[dict[str, Any]]:
    similarity = contents.similarities.get("pearson")
    if similarity is None:
        return
    table = similarity.table
    table = table[table["group"] == table["group"].iloc[0]].dropna(subset=["corrected"])
    if table.empty:
        return
    table = table.sort_values("corrected", ascending=False, kind="stable")
    ends = [("Most alike: ", table.iloc[0]), ("Least: ", table.iloc[-1])] if len(table) > 1 else [("", table.iloc[0])]
    said = [
        f"{word}{row['judge_a']} and {row['judge_b']}, {row['corrected']:.2f} "
        f"[{row['lower']:.2f}, {row['upper']:.2f}] (Pearson, noise taken out)."
        for word, row in ends
    ]
    yield {"topic": "Who is alike", "said": said}


def _trusted(contents: Contents) -> dict[str, Any]:
    worst = contents.checks.worst()
    bad = [worst[worst["level"] == level] for level in ("stop", "look")]
    names = [", ".join(part["check"]) for part in bad]
    said = [f"Stop: {names[0]}."] * bool(names[0]) + [f"Look at: {names[1]}."] * bool(names[1])
    if not said:
        said = [f"All {len(worst)} checks found nothing that speaks against the fits."]
    return {"topic": "Can it be trusted", "said": said, "level": contents.checks.level}


def _predicted(contents: Contents) -> Iterable[dict[str, Any]]:
    if contents.held_out is None:
        return
    scores = contents.held_out.scores.dropna(subset=["accuracy"])
    if scores.empty:
        return
    mean = {str(m): np.average(part["accuracy"], weights=part["n"]) for m, part in scores.groupby("model")}
    others = ", ".join(f"{name} {100 * value:.1f}%" for name, value in mean.items() if name != "fit")
    said = f"Of pairs that they had not seen the fits predicted {100 * mean['fit']:.1f}% ({others})."
    yield {"topic": "How well it predicts", "said": [said]}


def _count(n: int, noun: str) -> str:
    plural = {"property": "properties"}.get(noun, f"{noun}s")
    return f"{n:,} {noun if n == 1 else plural}"
