"""Whether the fits can be trusted: checks, calibration, scores on pairs that the fits have not seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from prefdissect.check import HeldOut
from prefdissect.report.contents import Contents
from prefdissect.report.sections.predicting import scores_with_errors

__all__ = ["plain_rows", "trust_section"]


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
