"""VibeCheck's tables: one column per model holds its response, and the winner is a column's name."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from prefdissect.data.cells import plain
from prefdissect.data.readers.codes import decode
from prefdissect.data.readers.layout import Layout, Part, Reading, join_columns, one_table
from prefdissect.data.readers.orient import name_pair, number_repeats

__all__ = ["VIBECHECK"]

_TIES = ("equal", "tie")


def _models(table: pd.DataFrame) -> list[str]:
    """Return the columns that the preferences name, and one more if these are one."""
    named = [c for c in table.columns if c in set(table["preference"].dropna().astype(str))]
    others = [c for c in table.columns if c not in ("question", "preference", "category_labels", *named)]
    return [*named, *others[: max(0, 2 - len(named))]]


def _is_vibecheck(part: Part) -> bool:
    table = part.content
    named = {c for c in table.columns if c in set(table["preference"].dropna().astype(str))}
    return len(_models(table)) == 2 and len(named) > 0


def _read(parts: Sequence[Part]) -> Reading:
    table = one_table(parts)
    a, b = _models(table)
    codes = {a: "A", b: "B", **dict.fromkeys(_TIES, "tie")}
    preference = plain(table["preference"])
    verdict = decode(
        preference.astype(object).map(lambda cell: cell if cell is None else str(cell)), codes, missing=None
    )
    tidy = pd.DataFrame({"prompt": table["question"], "response_a": table[a], "response_b": table[b]})
    tidy["model_a"], tidy["model_b"] = a, b
    names = [name_pair(*row) for row in tidy[["prompt", "response_a", "response_b"]].to_numpy(dtype=object)]
    tidy.insert(0, "pair_id", number_repeats(names))
    if "category_labels" in table:
        tidy["scenario"] = table["category_labels"]
    tidy["judge_human"] = verdict
    rest = table.drop(columns=["question", "preference", "category_labels", a, b], errors="ignore")
    return Reading(join_columns(tidy, rest), [("A and B", f"A is column {a!r}, B is column {b!r}")])


VIBECHECK = Layout("vibecheck", "VibeCheck", ("question", "preference"), _read, accepts=_is_vibecheck)
