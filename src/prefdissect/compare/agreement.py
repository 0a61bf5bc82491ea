"""How often two judges say the same of the same pairs."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from prefdissect._typing import BoolArray
from prefdissect.compare.rows import OVERALL, names_of_rows
from prefdissect.features import Design

__all__ = ["agreement_table"]


def agreement_table(design: Design) -> pd.DataFrame:
    """Return raw agreement and Cohen's kappa of each two judges, one row per pair of judges and group.

    Over the pairs that both decided; a preference of 1/2 (ties, orders that disagree) is no decision and
    is counted in `n_undecided`. The group `overall` holds every pair that is in a scenario, each once. Kappa is
    (agreement - chance) / (1 - chance), chance being the agreement of two judges who prefer A as often as these but
    independently; NaN where chance is 1. Columns: group, judge_a, judge_b, n, n_undecided, agreement, kappa.

    Source: Cohen 1960, Educational and Psychological Measurement 20(1).
    """
    design = design.per_pair
    scenario = [design.group_kinds[name] != "case" for name in design.groups]
    rows: list[tuple[object, ...]] = []
    for name in names_of_rows(design.groups, design.group_kinds):
        columns = scenario if name == OVERALL else [g == name for g in design.groups]
        mask = design.in_group[:, columns].any(axis=1)
        for a, b in combinations(range(len(design.judges)), 2):
            both = mask & (design.weight[:, a] > 0) & (design.weight[:, b] > 0)
            ya, yb = design.y[both, a], design.y[both, b]
            decided = (ya != 0.5) & (yb != 0.5)
            rows.append(
                (
                    name,
                    design.judges[a],
                    design.judges[b],
                    int(decided.sum()),
                    int((~decided).sum()),
                    *_agree(ya[decided] > 0.5, yb[decided] > 0.5),
                )
            )
    names = ["group", "judge_a", "judge_b", "n", "n_undecided", "agreement", "kappa"]
    return pd.DataFrame(rows, columns=names).astype(dict.fromkeys(names[:3], "str"))


def _agree(a: BoolArray, b: BoolArray) -> tuple[float, float]:
    if not len(a):
        return np.nan, np.nan
    agreement, pa, pb = float(np.mean(a == b)), float(a.mean()), float(b.mean())
    chance = pa * pb + (1 - pa) * (1 - pb)
    return agreement, (agreement - chance) / (1 - chance) if chance < 1 else np.nan
