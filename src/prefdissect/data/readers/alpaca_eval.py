"""AlpacaEval's annotations.json: preference from 1 (output_1) to 2 (output_2), one annotator a file or more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from prefdissect.data.cells import plain
from prefdissect.data.identity import hash_text
from prefdissect.data.readers.layout import Layout, Part, Reading
from prefdissect.errors import VerdictError, show

__all__ = ["ALPACA_EVAL"]

_OF_A_VERDICT = (
    "annotator",
    "preference",
    "raw_completion",
    "price_per_example",
    "time_per_example",
    "referenced_models",
)
_TEXTS = {"instruction": "prompt", "output_1": "response_a", "output_2": "response_b"}
_MODELS = {"generator_1": "model_a", "generator_2": "model_b", "dataset": "scenario"}


def _read(parts: Sequence[Part]) -> Reading:
    table = pd.concat([_with_annotator(part) for part in parts], ignore_index=True)
    tidy = table.rename(columns=_TEXTS | _MODELS).drop(columns=["index", *_OF_A_VERDICT], errors="ignore")
    models = [c for c in ("model_a", "model_b") if c in tidy]
    keys = ["\x1f".join(map(str, row)) for row in tidy[["prompt", "response_a", "response_b", *models]].to_numpy()]
    judges = table["annotator"].astype(str)
    # A pair that one annotator judged twice stands in the file twice: instructions repeat
    nth = pd.Series(keys).groupby([pd.Series(keys), judges]).cumcount()
    tidy.insert(
        0, "pair_id", [hash_text(k) if n == 0 else f"{hash_text(k)}-{n + 1}" for k, n in zip(keys, nth, strict=True)]
    )
    known = {*_TEXTS.values(), *_MODELS.values(), "pair_id"}
    more = [c for c in tidy.columns if c not in known]
    differ = [c for c in more if tidy[c].map(repr).groupby(tidy["pair_id"]).nunique().max() > 1]
    tidy = tidy.drop(columns=differ).assign(judge=judges)
    tidy["value"] = [_value(cell, row) for row, cell in plain(table["preference"]).items()]
    facts = [("preference", "1 is A (output_1), 2 is B (output_2), 1.5 a tie, 0 or nothing was not parsed: invalid")]
    if differ:
        facts.append(("not kept", f"columns that differ between annotators of a pair: {', '.join(differ)}"))
    return Reading(tidy, facts)


def _with_annotator(part: Part) -> pd.DataFrame:
    table: pd.DataFrame = part.content
    return table if "annotator" in part.columns else table.assign(annotator=part.name)


def _value(cell: Any, row: Any) -> float | str:
    """Return the preference for A, or "invalid" for one that was not parsed.

    Raises
    ------
    VerdictError
        For a number outside 1 to 2, and for anything else.
    """
    number = np.nan if cell is None else cell
    try:
        number = float(number)
    except (TypeError, ValueError):
        number = np.inf
    if np.isnan(number) or number == 0:
        return "invalid"
    if not 1 <= number <= 2:
        raise VerdictError(
            f"column 'preference', row {row}: {show(cell)} is no preference; valid: 1 (output_1) to 2 (output_2), 0 or "
            "null where the annotator's answer was not parsed"
        )
    return 2.0 - number


ALPACA_EVAL = Layout(
    "alpaca-eval", "AlpacaEval annotations", ("instruction", "output_1", "output_2", "preference"), _read
)
