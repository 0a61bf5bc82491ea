"""The whole in a few sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prefdissect.describe import tell_of_pooling
from prefdissect.report.contents import Contents
from prefdissect.report.sections.claiming import claimed_parts
from prefdissect.report.sections.gaming import gamed_part
from prefdissect.report.sections.predicting import predicted_part
from prefdissect.report.sections.wording import counted, fixed, within

__all__ = ["summary_section"]

_MEANING = {
    "stop": "Stop: do not report the weights of these fits as they are.",
    "look": "Look: read this before reporting the weights of these fits.",
}


def summary_section(contents: Contents) -> list[dict[str, Any]]:
    """Return paragraphs: a topic, sentences, and for checks the level that they reach.

    Whether it can be trusted comes before what is preferred: it says how to read it.
    """
    parts = [_what(contents), _trusted(contents), *claimed_parts(contents), *_alike(contents)]
    parts += [*predicted_part(contents), *_pooled(contents), *gamed_part(contents)]
    return [part for part in parts if part["said"]]


def _what(contents: Contents) -> dict[str, Any]:
    judges, groups = contents.posterior.judges, contents.posterior.groups
    n_fits, n_cells = len(contents.posterior.fits), len(judges) * len(groups)
    n, n_properties = len(contents.data.pairs), int(contents.design.is_property.sum())
    used = contents.weights[contents.weights["engine"] != "none"]["n_pairs"]
    said = [
        f"{counted(len(judges), 'judge')} {'was' if len(judges) == 1 else 'were'} dissected by "
        f"{counted(n, 'pair')} of responses and {counted(n_properties, 'property')}, "
        f"in {counted(len(groups), 'group')}."
    ]
    if len(used):
        least, most = int(used.min()), int(used.max())
        said.append(
            f"A fit is of one judge in one group; {'each' if n_fits > 1 else 'it'} rests on "
            f"{f'{least:,} to ' if least < most else ''}{counted(most, 'pair')}."
        )
    if n_fits < n_cells:
        said.append(f"{counted(n_cells - n_fits, 'fit')} of {n_cells} had too few pairs.")
    return {"topic": "What this is", "said": said}


def _trusted(contents: Contents) -> dict[str, Any]:
    worst = contents.checks.worst()
    said = []
    for level in ("stop", "look"):
        rows = worst[worst["level"] == level].to_dict("records")
        said += [_MEANING[level]] * bool(rows) + [_found(row) for row in rows]
    unmeasured = contents.checks.not_checked.groupby("check", sort=False).size()
    open_ = [str(name) for name, n in unmeasured.items() if n == (contents.checks.table["check"] == name).sum()]
    if not said:
        said = [f"{len(worst) - len(open_)} checks found nothing that speaks against the fits."]
    said += [f"Not checked, for want of what it takes: {', '.join(open_)}."] * bool(open_)
    return {"topic": "Can it be trusted", "said": said, "level": contents.checks.level}


def _found(row: Mapping[Any, Any]) -> str:
    """Say what a check found, of how many fits, and what to do."""
    where = "" if row["of"] == 1 else f" ({row['n']} of {row['of']} fits, such as {row['judge']} in {row['group']})"
    advice = f" To do: {row['advice']}." if row["advice"] else ""
    return f"{row['check'].capitalize()}{where}: {row['said']}.{advice}"


def _alike(contents: Contents) -> Iterable[dict[str, Any]]:
    similarity = contents.similarities.get("pearson")
    if similarity is None:
        return
    table = similarity.table
    table = table[table["group"] == table["group"].iloc[0]].dropna(subset=["corrected"])
    if table.empty:
        return
    rows = table.sort_values("corrected", ascending=False, kind="stable").to_dict("records")
    said = ["How alike weights are: their Pearson correlation, with the noise of estimation taken out."]
    if len(rows) == 1:
        said.append(f"{_two(rows[0])}.")
    else:
        most = sum(row["upper"] >= rows[0]["lower"] for row in rows[1:])
        least = sum(row["lower"] <= rows[-1]["upper"] for row in rows[:-1])
        said += [
            f"Most: {_two(rows[0])}{_tied(most, len(rows))}.",
            f"Least: {_two(rows[-1])}{_tied(least, len(rows))}.",
        ]
    yield {"topic": "Who is alike", "said": said}


def _two(row: Mapping[Any, Any]) -> str:
    return f"{row['judge_a']} and {row['judge_b']}, {fixed(row['corrected'])} {within(row['lower'], row['upper'])}"


def _tied(n: int, of: int) -> str:
    """Say how many other pairs of judges may be at this end as well, since their intervals overlap."""
    return f"; so may be {n} of {of - 1} others, whose intervals overlap with this one" if n else ""


def _pooled(contents: Contents) -> Iterable[dict[str, Any]]:
    if contents.posterior.pooled is not None:
        said = [f"{line.strip()}." for line in tell_of_pooling(contents.posterior.pooled)]
        yield {"topic": "Whether pooling pays", "said": said}
