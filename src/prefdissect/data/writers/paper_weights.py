"""Weights as the app of the paper's authors takes those of a new model: 29 numbers for each kind of request."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from prefdissect.data.writers.whole import write_text
from prefdissect.errors import ColumnError, DataError, UnknownNameError, choices
from prefdissect.schema import PAPER, SCENARIOS

__all__ = ["paper_weights", "write_paper_weights"]

_HEADS = {"scenario": "[Scenario]", "case": "[Query-Specific Cases]"}
_NEEDED = ("judge", "group", "property", "mean")


def write_paper_weights(weights: pd.DataFrame, path: str | Path, judge: str) -> Path:
    """Write one judge's mean weights as the JSON that the paper's app reads from its community folder.

    `{"[Scenario] Advice": [29 numbers], ..., "[Query-Specific Cases] Express Feelings or Emotions": [29]}`, in the
    order of `PAPER`. Groups other than the paper's, groups that were not fitted, and further properties are left out.
    The app takes the file's name as `<size>_<name>.json`, with this one "_" only.

    Parameters
    ----------
    weights
        One row per judge, group and property, column `mean` in log-odds: `Dissection.weights`.

    Raises
    ------
    UnknownNameError
        If the judge is not in the table.
    DataError
        If one of the 29 properties is missing, or no group is one of the paper's.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from prefdissect import PAPER
    >>> rows = [("me", "Advice", name, k / 10) for k, name in enumerate(PAPER.ids)]
    >>> weights = pd.DataFrame(rows, columns=["judge", "group", "property", "mean"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     text = write_paper_weights(weights, Path(folder) / "7B_me.json", "me").read_text()
    >>> text.split()[:5]
    ['{', '"[Scenario]', 'Advice":', '[', '0.0,']
    """
    return write_text(path, json.dumps(paper_weights(weights, judge), indent=1, allow_nan=False) + "\n")


def paper_weights(weights: pd.DataFrame, judge: str) -> dict[str, list[float]]:
    """Return what `write_paper_weights` writes: label of the group to its 29 weights."""
    missing = [column for column in _NEEDED if column not in weights.columns]
    if missing:
        raise ColumnError(f"a table of weights needs columns {', '.join(_NEEDED)}; missing: {', '.join(missing)}")
    judges = list(dict.fromkeys(map(str, weights["judge"])))
    if judge not in judges:
        raise UnknownNameError(f"unknown judge {judge!r}; {choices(judge, judges)}")
    means = weights[weights["judge"] == judge].pivot(index="group", columns="property", values="mean")
    lacking = [name for name in PAPER.ids if name not in means.columns]
    if lacking:
        raise DataError(
            f"the paper's layout needs all of its {len(PAPER)} properties; missing: {', '.join(lacking)}; fit data "
            "that are rated by them: dissect(..., schema=PAPER)"
        )
    table = means[list(PAPER.ids)]
    rows = dict(zip(map(str, table.index), table.to_numpy(dtype=float).tolist(), strict=True))
    fitted = {group: row for group, row in rows.items() if np.isfinite(row).all()}
    found = {f"{_HEADS[s.kind]} {s.label}": fitted[s.id] for s in SCENARIOS if s.id in fitted}
    if not found:
        raise DataError(f"no fitted group is one of the paper's; {choices('', [s.id for s in SCENARIOS], most=16)}")
    return found
