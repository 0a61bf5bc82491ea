"""All findings about a dissection, to be read, filtered and shown."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from prefdissect.check.finding import LEVELS, Level

__all__ = ["Checks"]

_COLUMNS = ["check", "judge", "group", "level", "said", "number", "look_at", "stop_at", "advice"]
_MARKS = {"ok": "ok  ", "look": "LOOK", "stop": "STOP"}
_WIDTH = 116
_COLOURS = {"ok": "#1a7f37", "look": "#9a6700", "stop": "#b42318"}


@dataclass(frozen=True, eq=False, repr=False)
class Checks:
    """Whether fits can be trusted: for each check, judge and group a level, a sentence, its number and what to do.

    Parameters
    ----------
    table
        One row per check, judge and group: check, judge, group, level (`ok`; `look`: read this before reporting the
        weights; `stop`: do not report them as they are), said, number (NaN: nothing was measured), look_at and stop_at
        (where the level changes; NaN: no such limit, or what is beyond it may be chance), advice.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> schema = pdx.PAPER.select(["lengthy", "clear"])
    >>> truth = {"lengthy": 0.5, "clear": 0.5}
    >>> study = pdx.simulate(800, schema=schema, judges=["me"], scenarios=None, weights=truth, random_seed=0)
    >>> checks = pdx.dissect(study.data, engine="ep", random_seed=0).check()
    >>> checks.level, len(checks.stops), checks.not_checked["check"].tolist()
    ('ok', 0, ['left out'])
    """

    table: pd.DataFrame

    @property
    def level(self) -> Level:
        """The worst level of all findings."""
        return max(self.table["level"], key=LEVELS.index)

    @property
    def stops(self) -> pd.DataFrame:
        """The findings that say `stop`."""
        return self.table[self.table["level"] == "stop"].reset_index(drop=True)

    @property
    def not_checked(self) -> pd.DataFrame:
        """The findings that are `ok` for want of anything to measure: their number is NaN, and `said` says why."""
        return self.table[_unmeasured(self.table)].reset_index(drop=True)

    def to_frame(self) -> pd.DataFrame:
        """Return all findings; see the class."""
        return self.table.copy()

    def worst(self) -> pd.DataFrame:
        """Return the worst finding of each check, with how many judges and groups have that level: n, of."""
        rows = []
        for check, part in self.table.groupby("check", sort=False):
            level = max(part["level"], key=LEVELS.index)
            same = part[part["level"] == level]
            rows.append({**same.iloc[_most_striking(same)].to_dict(), "check": check, "n": len(same), "of": len(part)})
        return pd.DataFrame(rows)[[*_COLUMNS, "n", "of"]]

    def __repr__(self) -> str:
        worst = self.worst()
        counts = {level: int((worst["level"] == level).sum()) for level in LEVELS}
        unmeasured = int(_unmeasured(worst).sum())
        counts["ok"] -= unmeasured
        n = len(self.table[["judge", "group"]].drop_duplicates())
        lines = [
            f"<Checks of {n} fit{'s' * (n != 1)}: "
            + ", ".join(f"{counts[level]} {level}" for level in reversed(LEVELS))
            + (f", {unmeasured} not checked" if unmeasured else "")
            + ">"
        ]
        for row in _worst_first(worst).to_dict("records"):
            first = f"{_MARKS[row['level']]}  {row['check']:<15} "
            lines += textwrap.wrap(first + _where(row) + row["said"], _WIDTH, subsequent_indent=" " * 22)
            if row["advice"]:
                lines += textwrap.wrap(
                    f"{' ' * 20}> {row['advice']}", _WIDTH, subsequent_indent=" " * 22, drop_whitespace=True
                )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='color:{_COLOURS[row['level']]};font-weight:bold'>{row['level']}</td>"
            f"<td>{html.escape(row['check'])}</td><td style='text-align:left'>{html.escape(_where(row) + row['said'])}"
            f"</td><td style='text-align:left'>{html.escape(row['advice'])}</td></tr>"
            for row in _worst_first(self.worst()).to_dict("records")
        )
        return f"<table><tr><th>level</th><th>check</th><th>finding</th><th>what to do</th></tr>{rows}</table>"


def _unmeasured(table: pd.DataFrame) -> pd.Series:
    """Return which findings are ok for want of anything to measure."""
    return (table["level"] == "ok") & table["number"].isna()


def _worst_first(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows by level, `stop` first; of one level as they stood."""
    order = table["level"].map(lambda level: -LEVELS.index(level))
    return table.loc[order.sort_values(kind="stable").index]


def _where(row: Mapping[Any, Any]) -> str:
    """Say which fit a finding is of, and how many more are like it."""
    if row["of"] == 1:
        return ""
    return f"{row['n']} of {row['of']} fits, such as {row['judge']} in {row['group']}: "


def _most_striking(part: pd.DataFrame) -> int:
    """Return the row whose number is furthest beyond its limit; the first where there is none, that was measured."""
    limit = part["look_at"].where(part["look_at"].notna(), part["stop_at"])
    away = (part["number"] - limit).abs() if (part["level"] != "ok").any() else -(part["number"] - limit).abs()
    unmeasured = away.where(part["number"].notna(), float("-inf"))
    return int(unmeasured.fillna(np.finfo(float).min).to_numpy().argmax())
