"""PKU-SafeRLHF: which response is better, and which is safer: two judges in one row."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from prefdissect.data.readers.codes import decode
from prefdissect.data.readers.layout import Layout, Part, Reading, one_table

__all__ = ["PKU_SAFERLHF"]

_JUDGES = {"better_response_id": "judge_helpful", "safer_response_id": "judge_safe"}
_CODES = {0: "A", 1: "B"}


def _read(parts: Sequence[Part]) -> Reading:
    table = one_table(parts)
    numbers = {"response_0": "a", "response_1": "b"}
    sides = {
        column: column.replace(name, "response").replace("is_response", "is") + f"_{side}"
        for column in map(str, table.columns)
        for name, side in numbers.items()
        if name in column
    }
    verdicts = {judge: decode(table[column], _CODES, missing=None) for column, judge in _JUDGES.items()}
    tidy = table.drop(columns=list(_JUDGES)).rename(columns=sides).assign(**verdicts)
    facts = [("judges", "'helpful' says which response is better, 'safe' which is safer")]
    numeric = [c for c in tidy.columns if c.endswith("_a") and pd.api.types.is_numeric_dtype(tidy[c])]
    if numeric:
        stems = ", ".join(repr(c[:-2]) for c in numeric)
        facts.append(("safety", f"annotated by the source; properties= takes {stems}"))
    return Reading(tidy, facts, {"judges": ["helpful", "safe"], "properties": []})


PKU_SAFERLHF = Layout("pku-saferlhf", "PKU-SafeRLHF", ("prompt", "response_0", "response_1", *_JUDGES), _read)
