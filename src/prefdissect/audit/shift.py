"""By how much the win rate moves if responses change in what a judge is known to weigh: the predicted shift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prefdissect._typing import BoolArray, FloatArray, Side, check_choice
from prefdissect.errors import OptionError, UnknownNameError, choices
from prefdissect.features import OVERALL, Design
from prefdissect.inference import Fit, Posterior

__all__ = [
    "Pairs",
    "bounds_of",
    "limits_of",
    "mean_over_scenarios",
    "pairs_of",
    "predicted_shift",
    "sigmoid",
    "some_draws",
]

_MOST_DRAWS, _MOST_IN_LARGE_GRID, _LARGE_GRID = 400, 100, 50
_ROWS_AT_ONCE = 512
_SURE = 300.0  # log-odds beyond which nothing changes in any digit, and whose exponential is a number


def sigmoid(log_odds: FloatArray) -> FloatArray:
    """Return probabilities; many times as fast as SciPy's, for the millions that means over draws need."""
    odds_against: FloatArray = np.exp(-np.clip(log_odds, -_SURE, _SURE))
    return 1 / (1 + odds_against)


@dataclass(frozen=True)
class Pairs:
    """The pairs in which responses change: differences `x` [row, column] seen from the response that changes.

    `limit` [column] is the largest difference that there is, so that nothing moves beyond it.
    """

    x: FloatArray
    limit: FloatArray

    def moved(self, change: FloatArray) -> FloatArray:
        """Return by how much each difference grows under a change [column], the limits kept: [row, column]."""
        limit = np.maximum(self.limit, np.abs(self.x))
        return np.clip(self.x + change, -limit, limit) - self.x

    def win_rate(self, weights: FloatArray, change: FloatArray | None = None) -> FloatArray:
        """Return the mean over pairs of the probability to win under weights [draw, column]: [draw]."""
        x = self.x if change is None else self.x + self.moved(change)
        total = np.zeros(len(weights))
        for start in range(0, len(x), _ROWS_AT_ONCE):
            total += sigmoid(x[start : start + _ROWS_AT_ONCE] @ weights.T).sum(axis=0)
        return total / len(x)


def limits_of(design: Design) -> FloatArray:
    """Return the largest difference of each column: 1 where the encoding ends there, else the largest in the data."""
    if design.encoder.encoding != "diff":
        return np.ones(len(design.columns))
    return np.asarray(np.abs(design.x).max(axis=0, initial=0.0), dtype=np.float64)


def pairs_of(x: FloatArray, limit: FloatArray, side: Side = "both") -> Pairs:
    """Return pairs [pair, column] seen from the response that changes; from `both`, each pair stands there twice."""
    check_choice("side", side, Side)
    return Pairs({"A": x, "B": -x}.get(side, np.concatenate([x, -x])), limit)


def predicted_shift(
    design: Design,
    posterior: Posterior,
    judge: str,
    change: Mapping[str, float],
    *,
    groups: Sequence[str] | None = None,
    side: Side = "both",
    x: FloatArray | None = None,
    in_group: BoolArray | None = None,
    skipna: bool = False,
) -> pd.DataFrame:
    """Return by how much the win rate of a model moves if its responses change, per group and over scenarios.

    The mean over pairs of sigmoid((x + d)'w) - sigmoid(x'w), d being the change, cut where a difference would leave
    what the encoding (or, with `diff`, the data) holds. At posterior mean weights; the interval is that of the same
    mean over draws of the weights, so it holds what is not known of the judge, not of the pairs, nor whether a model
    that changes one property leaves the others alone.

    Parameters
    ----------
    design, posterior
        Of a dissection.
    judge
        Whose win rate.
    change
        Property to how much more of it the responses have, in units of the encoding; properties left out stay.
    groups
        Which; by default all. The row `overall` is the unweighted mean over those that are no cases.
    side
        Which response of each pair changes: A, B, or `both`, the mean of the two, for a model that is as often
        A as B and wins half of the time before.
    x, in_group
        Other pairs than those of the design, encoded like them: [pair, column] and [pair, group of the posterior].
    skipna
        Average over the scenarios that have a fit; else the mean is NaN if one has none.

    Returns
    -------
    DataFrame
        judge, group, kind, n_pairs, before, after, change, lower, upper (win rates from 0 to 1), prob_positive (that
        the change is above 0); NaN where a group has no fit or no pair.

    Raises
    ------
    UnknownNameError
        If there is no such judge, group or property.
    OptionError
        If a change is not a finite number.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> from prefdissect.audit import predicted_shift
    >>> study = pdx.simulate(
    ...     400,
    ...     schema=pdx.PAPER.select(["lengthy", "clear"]),
    ...     judges=["me"],
    ...     scenarios=None,
    ...     weights={"lengthy": 1.0},
    ...     random_seed=0,
    ... )
    >>> result = pdx.dissect(study.data, random_seed=0)
    >>> shift = predicted_shift(result.design, result.fitted, "me", {"lengthy": 1.0})
    >>> bool((shift["lower"] > 0.05).all()), shift["before"].round(9).tolist()
    (True, [0.5])
    """
    wanted = list(posterior.groups) if groups is None else list(groups)
    for what, names, valid in (("judge", [judge], posterior.judges), ("group", wanted, posterior.groups)):
        for name in names:
            if name not in valid:
                raise UnknownNameError(f"unknown {what} {name!r}; {choices(name, valid)}")
    step = _arrange(change, design)
    x, in_group = (design.x, design.in_group) if x is None or in_group is None else (x, in_group)
    known, limit = np.isfinite(x).all(axis=1), limits_of(design)
    rows, draws = [], {}
    for group in wanted:
        inside = x[known & in_group[:, posterior.groups.index(group)]]
        fit = posterior.fits.get((judge, group))
        row = {"judge": judge, "group": group, "kind": design.group_kinds[group], "n_pairs": len(inside)}
        if fit is not None and len(inside):
            pairs, weights = pairs_of(inside, limit, side), np.vstack([fit.mean, some_draws(fit, len(posterior.fits))])
            before, after = pairs.win_rate(weights), pairs.win_rate(weights, step)
            row |= {"before": before[0], "after": after[0], "change": after[0] - before[0]}
            draws[group] = (after - before)[1:]
            row |= _spread(draws[group], posterior.interval)
        rows.append(row)
    overall = _overall(rows, draws, posterior.interval, skipna=skipna)
    columns = ["judge", "group", "kind", "n_pairs", "before", "after", "change", "lower", "upper", "prob_positive"]
    table = pd.DataFrame([*rows, *overall]).reindex(columns=columns).astype({"judge": "str", "group": "str"})
    table.attrs = {"interval": posterior.interval, "interval_kind": "equal-tailed"}
    return table


def some_draws(fit: Fit, n_fits: int) -> FloatArray:
    """Return draws of a fit's weights, evenly spread, [draw, column]: fewer where there are many fits."""
    flat = fit.draws.reshape(-1, fit.draws.shape[-1])
    most = _MOST_DRAWS if n_fits <= _LARGE_GRID else _MOST_IN_LARGE_GRID
    every = np.linspace(0, len(flat) - 1, min(len(flat), most)).round().astype(int)
    return np.asarray(flat[every], dtype=np.float64)


def bounds_of(draws: FloatArray, interval: float) -> FloatArray:
    """Return the equal-tailed interval of draws [draw, ...]: [2, ...]."""
    tail = (1 - interval) / 2
    return np.asarray(np.quantile(draws, [tail, 1 - tail], axis=0), dtype=np.float64)


def mean_over_scenarios(values: Sequence[FloatArray | None], *, skipna: bool) -> FloatArray | None:
    """Return the unweighted mean; None where one is missing, unless `skipna`, or all are."""
    known = [value for value in values if value is not None]
    if not known or (len(known) < len(values) and not skipna):
        return None
    return np.asarray(np.mean(known, axis=0), dtype=np.float64)


def _arrange(change: Mapping[str, float], design: Design) -> FloatArray:
    """Return the change of each column."""
    step = np.zeros(len(design.columns))
    ids = design.encoder.schema.ids
    for name, value in change.items():
        if name not in ids:
            raise UnknownNameError(f"change of unknown property {name!r}; {choices(name, ids)}")
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not np.isfinite(value):
            raise OptionError(f"change of {name!r} is {value!r}; it must be a finite number, in units of the encoding")
        step[design.columns.index(name)] = value
    return step


def _spread(draws: FloatArray, interval: float) -> dict[str, float]:
    lower, upper = bounds_of(draws, interval)
    return {"lower": float(lower), "upper": float(upper), "prob_positive": float((draws > 0).mean())}


def _overall(
    rows: Sequence[dict[str, object]], draws: Mapping[str, FloatArray], interval: float, *, skipna: bool
) -> list[dict[str, object]]:
    """Return the row of the mean over scenarios, where there are several."""
    scenarios = [row for row in rows if row["kind"] != "case"]
    if len(scenarios) < 2:
        return []
    whole: dict[str, object] = {"judge": rows[0]["judge"], "group": OVERALL, "kind": OVERALL}
    whole["n_pairs"] = sum(int(str(row["n_pairs"])) for row in scenarios)
    mean = mean_over_scenarios([draws.get(str(row["group"])) for row in scenarios], skipna=skipna)
    if mean is not None:
        fitted = pd.DataFrame([row for row in scenarios if row["group"] in draws])
        whole |= {name: float(fitted[name].mean()) for name in ("before", "after", "change")}
        whole |= _spread(mean, interval)
    return [whole]
