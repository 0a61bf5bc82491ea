"""How far judges, and a benchmark built on them, can be gamed."""

from __future__ import annotations

from typing import Any

import numpy as np

from prefdissect._typing import FloatArray
from prefdissect.report.contents import Contents
from prefdissect.report.packing import pack
from prefdissect.report.sections.trust import plain_rows

__all__ = ["audit_section"]

_MOST_RULES = 10  # of each judge and group
_STEPS = 10_000  # a win rate is told in hundredths of a point, which fit two bytes


def audit_section(contents: Contents) -> dict[str, Any]:
    """Return gains by one step, [judge, group, property], what several reach, rules, subsets, leaderboards, notes."""
    gamed, found = contents.exploitability, contents.audit
    groups = list(dict.fromkeys(gamed.table["group"]))
    grid = len(gamed.judges), len(groups), -1

    def of(column: str) -> FloatArray:
        return gamed.table[column].to_numpy(dtype=float).reshape(grid)

    rules = found.rules[found.rules["share"].notna()].drop_duplicates(["judge", "group", "property"])
    return {
        "groups": groups,
        **{name: pack(np.round(of(name) * _STEPS)) for name in ("change", "lower", "upper")},
        **{name: pack(of(name)) for name in ("rank", "rank_lower", "rank_upper")},
        "together": plain_rows(gamed.best),
        "rules": plain_rows(rules.groupby(["judge", "group"], sort=False).head(_MOST_RULES)),
        "subsets": plain_rows(found.subsets),
        "leaderboard": plain_rows(found.leaderboard),
        "weights": plain_rows(found.weights),
        "held": list(found.hold_equal),
        "blind": list(found.blind),
        "folds": found.folds,
        "notes": list(found.notes),
    }
