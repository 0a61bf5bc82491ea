"""How well fits predict pairs that they have not seen, with errors that know of clusters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from prefdissect._typing import FloatArray
from prefdissect.check import HeldOut
from prefdissect.report.contents import Contents
from prefdissect.report.sections.wording import counted, fixed, within

__all__ = ["mean_with_error", "predicted_part", "scores_with_errors"]

_RULES = {
    "length only": "length alone",
    "best single": "the best single property",
    "majority": "the more frequent verdict",
}
_Z = 1.96  # of 95% intervals, as those of the calibration


def mean_with_error(values: FloatArray, cluster: FloatArray) -> tuple[float, float]:
    """Return the mean of values [row] and its standard error, where rows of one cluster may say the same.

    The error is NaN for fewer than two clusters. Source: the linearised variance of a ratio under cluster sampling,
    Cochran 1977, Sampling Techniques, 3rd edition, 9A.

    >>> mean_with_error(np.array([1.0, 0.0, 1.0, 1.0]), np.arange(4))
    (0.75, 0.25)
    """
    mean = float(values.mean())
    _, of = np.unique(cluster, return_inverse=True)
    sums = np.bincount(of, values - mean)
    n = len(sums)
    return mean, float(np.sqrt((sums**2).sum() * n / (n - 1)) / len(values)) if n > 1 else float("nan")


def scores_with_errors(held_out: HeldOut, clusters: pd.Series) -> pd.DataFrame:
    """Return the scores with one more column, the standard error of the accuracy."""
    decided, right = _decided(held_out), {}
    for (judge, group), part in decided.groupby(["judge", "group"], sort=False):
        cluster = _clusters_of(part, clusters)
        for model in held_out.scores["model"].unique():
            right[judge, group, model] = mean_with_error(_right(part, model), cluster)[1]
    keys = zip(*(held_out.scores[name] for name in ("judge", "group", "model")), strict=True)
    return held_out.scores.assign(error=[right.get(key, float("nan")) for key in keys])


def predicted_part(contents: Contents) -> Iterable[dict[str, Any]]:
    """Say how often fits are right, by how much simple rules are less so, and of how many fits that is not sure."""
    if contents.held_out is None or not len(decided := _decided(contents.held_out)):
        return
    cluster, fit = _clusters_of(decided, contents.data.pairs["cluster"]), _right(decided, "fit")
    mean, error = mean_with_error(fit, cluster)
    said = [
        f"Of {counted(len(fit), 'verdict')} on pairs that they had not seen the fits got {100 * mean:.1f}% right "
        f"{_points(mean, error)}."
    ]
    leads = [
        f"{_lead(fit - other, cluster)} over {name} ({100 * other.mean():.1f}%)"
        for model, name in _RULES.items()
        if not np.isnan(other := _right(decided, model)).any()
    ]
    said.append(f"The lead over simple rules, in points of a hundred with 95% intervals: {'; '.join(leads)}.")
    checks = contents.checks.table[contents.checks.table["check"] == "prediction"]
    weak = int((checks["level"] != "ok").sum())
    if weak:
        said.append(f"In {weak} of {counted(len(checks), 'fit')} it is not sure that there is a lead, by log loss.")
    yield {"topic": "How well it predicts", "said": said}


def _points(mean: float, error: float) -> str:
    return within(100 * (mean - _Z * error), 100 * (mean + _Z * error), 1)


def _lead(difference: FloatArray, cluster: FloatArray) -> str:
    mean, error = mean_with_error(difference, cluster)
    return f"{'+' * (mean > 0)}{fixed(100 * mean, 1)} {_points(mean, error)}"


def _decided(held_out: HeldOut) -> pd.DataFrame:
    table = held_out.log_odds
    return table[(table["label"] != 0.5) & table["fit"].notna()]


def _right(table: pd.DataFrame, model: str) -> FloatArray:
    """Return 1 where a model is right and 1/2 where it does not say, as scores have it; NaN where it has no say."""
    log_odds = table[model].to_numpy(dtype=float)
    right = np.where(log_odds == 0, 0.5, (log_odds > 0) == (table["label"] > 0.5).to_numpy())
    return np.where(np.isnan(log_odds), np.nan, right)


def _clusters_of(table: pd.DataFrame, clusters: pd.Series) -> FloatArray:
    return np.asarray(pd.factorize(table["pair_id"].map(clusters).to_numpy())[0], dtype=float)
