"""Whether the fits can be trusted: checks, calibration, scores on pairs that the fits have not seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from prefdissect.check import HeldOut
from prefdissect.report.contents import Contents
from prefdissect.report.sections.predicting import scores_with_errors

__all__ = ["ASKS", "plain_rows", "trust_section"]

ASKS = {
    "convergence": "did the sampler reach the posterior",
    "pairs": "are there pairs enough for so many properties",
    "separation": "does a rule without error exist, so that data bound no weight",
    "collinearity": "can the properties be told apart",
    "clusters": "do pairs of one prompt say more of the same than independent ones",
    "balance": "are A and B preferred about equally often",
    "order": "does being shown first win",
    "prediction": "are held-out pairs predicted better than by simple rules",
    "calibration": "do predictions come true as often as they say",
    "lapses": "are some verdicts coin flips, whatever the responses",
    "predictive": "do verdicts simulated from the fit look like those that were given",
    "left out": "does something in the data explain what the fit cannot",
    "prior": "would half or twice the prior's width change what is claimed",
    "placebo": "are properties that cannot matter claimed",
    "permuted labels": "do properties go along with verdicts more than by chance",
    "signs": "how many of the claimed directions are wrong, to be expected",
}


def trust_section(contents: Contents) -> dict[str, Any]:
    """Return the findings, the scores, and the calibration of each judge over its groups.

    A finding that is `ok` for want of anything to measure has the level `not checked`: on a page of green marks it
    would be read as a check that was passed.
    """
    held_out, findings = contents.held_out, contents.checks.to_frame()
    unmeasured = (findings["level"] == "ok") & findings["number"].isna()
    findings["level"] = findings["level"].mask(unmeasured, "not checked")
    return {
        "checks": plain_rows(findings),
        "asks": ASKS,
        "scores": [] if held_out is None else plain_rows(scores_with_errors(held_out, contents.data.pairs["cluster"])),
        "calibration": {} if held_out is None else _calibrations(held_out),
        "folds": None if held_out is None else held_out.k,
    }


def plain_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as JSON has them: null where a value is missing."""
    return [{str(name): _plain(value) for name, value in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    if isinstance(value, float | np.floating):
        return float(f"{value:.7g}") if np.isfinite(value) else None
    if isinstance(value, np.generic):
        return value.item()
    return None if value is None or value is pd.NA else value


def _calibrations(held_out: HeldOut) -> dict[str, Any]:
    decided = held_out.predictions.loc[held_out.predictions["label"] != 0.5, "judge"]
    return {str(judge): plain_rows(held_out.calibration(str(judge))) for judge in decided.unique()}
