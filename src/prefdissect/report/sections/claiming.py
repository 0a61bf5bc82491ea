"""What each judge prefers, in sentences: what intervals say, and how much they do not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
from scipy.special import expit

from prefdissect.report.contents import Contents
from prefdissect.report.sections.wording import counted, within

__all__ = ["claimed_parts"]

_FITS, _NAMED = 6, 4  # judges or fits that are told of, and properties at each end


def claimed_parts(contents: Contents) -> Iterable[dict[str, Any]]:
    """Say what each judge prefers: overall, or where there is no such mean in each group.

    Named are properties whose interval does not hold 1/2. The largest and the smallest of what noise has ordered are
    no findings.
    """
    groups = [None] if contents.overall is not None else contents.posterior.groups
    asked = [(judge, group) for judge in contents.posterior.judges for group in groups]
    for judge, group in asked[:_FITS]:
        table = _probabilities(contents, judge, group)
        if table.empty:
            continue
        yield {"topic": f"What {judge} prefers{_where(contents, group, table)}", "said": _sentences(table)}
    if len(asked) > _FITS:
        noun = "judge" if len(groups) == 1 else "fit"
        yield {"topic": "And further", "said": [f"{counted(len(asked) - _FITS, f'more {noun}')}: see Properties."]}


def _probabilities(contents: Contents, judge: str, group: str | None) -> pd.DataFrame:
    """Return label, probability, lower, upper and whether it is known of each property; empty where there is no fit."""
    weights = contents.weights[(contents.weights["judge"] == judge) & (contents.weights["engine"] != "none")]
    if group is None and contents.overall is not None:
        table = contents.overall[contents.overall["judge"] == judge].dropna(subset=["probability"])
        differs = weights[weights["kind"] != "case"].groupby("property")["identified"].any()
        return table.assign(identified=table["property"].map(differs).to_numpy(dtype=bool))
    table = weights[weights["group"] == group]
    return table.assign(**{name: expit(table[name]) for name in ("lower", "upper")})


def _where(contents: Contents, group: str | None, table: pd.DataFrame) -> str:
    if group is not None:
        return f" in {group}" if len(contents.posterior.groups) > 1 else ""
    n = int(table["n_groups"].iloc[0])
    return f", mean over {n} scenarios" if n > 1 else ""


def _sentences(table: pd.DataFrame) -> list[str]:
    above = table[table["identified"] & (table["lower"] > 0.5)].sort_values("probability", ascending=False)
    below = table[table["identified"] & (table["upper"] < 0.5)].sort_values("probability")
    said = [f"More of it is preferred: {_named(above)}."] * bool(len(above))
    said += [f"Less of it is preferred: {_named(below)}."] * bool(len(below))
    flat = int((~table["identified"]).sum())
    unsure = len(table) - len(above) - len(below) - flat
    if unsure:
        others = "other " if len(said) else ""
        said.append(f"Of {counted(unsure, f'{others}property')} the direction is not sure: the interval holds 0.5.")
    if flat:
        said.append(f"Nothing is known of {counted(flat, 'property')} in which no two responses differ.")
    return said


def _named(table: pd.DataFrame) -> str:
    rows = table.head(_NAMED).to_dict("records")
    named = "; ".join(f"{row['label']} {row['probability']:.2f} {within(row['lower'], row['upper'])}" for row in rows)
    return named + (f"; and {len(table) - _NAMED} more" if len(table) > _NAMED else "")
