"""What fits hold beside properties, to be read: ties, presentation order, and the models that wrote the responses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from prefdissect._typing import BoolArray, FloatArray, IntArray
from prefdissect.features import OVERALL, Design
from prefdissect.inference import OWN, Fit, Posterior, tie_rate
from prefdissect.terms import GENERATOR

__all__ = ["nuisance_table"]

_COLUMNS = ["judge", "group", "kind", "term", "name", "mean", "sd", "lower", "upper", "prob_positive", "probability"]
_COLUMNS += ["probability_lower", "probability_upper", "points", "identified", "n_differs"]
_NUMBERS = ("mean", "sd", "lower", "upper", "prob_positive")
_TEXT = ["judge", "group", "kind", "term", "name"]


def nuisance_table(design: Design, posterior: Posterior) -> pd.DataFrame:
    """Return one row per judge, group and term that is no property; none where fits hold properties only.

    Columns: judge, group, kind, term (`ties`, `order`, `generator`, or `nuisance`), name, mean, sd, lower, upper,
    prob_positive, then what that means as a probability, with bounds: how often two responses that are equal in
    everything are tied; how often the one shown first wins; how often a model wins against an average one, properties
    held equal. `points` are percentage points of the latter two above a half. identified (False: it is the prior) and
    n_differs (pairs that tell of it; for ties, tied ones). The mean of a cutpoint of ties is log nu of Davidson's model
    or log c of the ordered one; that of a model is its log-odds less the mean of all in the group. Rows of group
    `overall` hold the mean over scenarios of the probability, with the rest missing. Being the judge's own response has
    a table of its own, see `self_preference_table`.
    """
    n_pairs, n_differs = design.count()
    rows: list[dict[str, Any]] = []
    for j, judge in enumerate(posterior.judges):
        own: dict[tuple[str, str], list[FloatArray]] = {}
        for g, group in enumerate(posterior.groups):
            fit = posterior.fits.get((judge, group))
            if fit is None:
                continue
            known = {"judge": judge, "group": group, "kind": design.group_kinds[group]}
            counts = n_differs[j, g], _count_ties(design, judge, group)
            for row, draws in _terms_of(design, fit, judge, counts, posterior.interval):
                rows.append(known | row)
                if design.group_kinds[group] == "scenario" and row["identified"]:
                    own.setdefault((row["term"], row["name"]), []).append(np.r_[row["probability"], draws])
        rows += [_average(judge, *key, draws, posterior.interval) for key, draws in own.items() if len(draws) > 1]
    table = pd.DataFrame(rows).reindex(columns=_COLUMNS).astype(dict.fromkeys(_TEXT, "str"))
    table["points"] = np.where(table["term"] != "ties", 100 * (table["probability"] - 0.5), np.nan)
    table.attrs = {"interval": posterior.interval, "interval_kind": "equal-tailed"}
    return table


def _count_ties(design: Design, judge: str, group: str) -> int:
    rows = design.rows(judge, group)
    return len(np.unique(design.pair[rows[design.tied[rows, design.judges.index(judge)] > 0]]))


def _terms_of(
    design: Design, fit: Fit, judge: str, counts: tuple[Any, int], interval: float
) -> Iterator[tuple[dict[str, Any], FloatArray]]:
    """Yield the row of each term of a fit, and draws of its probability."""
    model = design.tie_model(judge)
    if fit.cut is not None and model is not None:
        draws = fit.cut.draws.reshape(-1, 1).astype(float)
        mean, lower, upper = (np.array([value]) for value in (fit.cut.mean, fit.cut.lower, fit.cut.upper))
        above = np.asarray((draws > 0).mean(axis=0), dtype=np.float64)
        of_ties = mean, np.array([fit.cut.sd]), lower, upper, above
        rates = tie_rate(model, mean), tie_rate(model, draws)
        yield from _rows(["ties"], [model], of_ties, rates, np.array([counts[1]]), np.array([True]), interval)
    terms = np.flatnonzero(~design.is_property & (np.array(design.columns) != OWN))  # which differs between judges
    if len(terms):
        roles, names = [design.roles[k] for k in terms], [design.columns[k].removeprefix(GENERATOR) for k in terms]
        numbers, draws = _centre(fit, terms, np.array(roles) == "generator", counts[0][terms] > 0, interval)
        n = counts[0][terms]
        yield from _rows(roles, names, numbers, (expit(numbers[0]), expit(draws)), n, n > 0, interval)


def _centre(
    fit: Fit, terms: IntArray, wrote: BoolArray, known: BoolArray, interval: float
) -> tuple[tuple[FloatArray, ...], FloatArray]:
    """Return mean, sd, bounds and probability of being above 0 of terms, and draws; models less the mean of all."""
    numbers = [getattr(fit, n)[terms].copy() for n in ("mean", "sd", "lower", "upper", "prob_positive")]
    draws = fit.draws.reshape(-1, fit.draws.shape[-1])[:, terms].astype(float)
    if wrote.any():
        met = wrote & known if (wrote & known).any() else wrote
        draws[:, wrote] -= draws[:, met].mean(axis=1, keepdims=True)
        own = draws[:, wrote]
        numbers[0][wrote] -= numbers[0][met].mean()
        numbers[1][wrote], numbers[4][wrote] = own.std(axis=0, ddof=1), (own > 0).mean(axis=0)
        numbers[2][wrote], numbers[3][wrote] = _bounds(own, interval)
    return tuple(numbers), draws


def _rows(
    terms: Sequence[str],
    names: Sequence[str],
    numbers: tuple[FloatArray, ...],
    rates: tuple[FloatArray, FloatArray],
    n: IntArray,
    known: BoolArray,
    interval: float,
) -> Iterator[tuple[dict[str, Any], FloatArray]]:
    """Yield rows, and the draws of each row's probability; `rates` are the points and draws of those."""
    lower, upper = _bounds(rates[1], interval)
    for k, (term, name) in enumerate(zip(terms, names, strict=True)):
        told = {"probability": rates[0][k], "probability_lower": lower[k], "probability_upper": upper[k]}
        named = {what: values[k] for what, values in zip(_NUMBERS, numbers, strict=True)}
        row = {"term": term, "name": name, **named, **told, "identified": bool(known[k]), "n_differs": int(n[k])}
        yield row, rates[1][:, k]


def _average(judge: str, term: str, name: str, draws: list[FloatArray], interval: float) -> dict[str, Any]:
    """Return the row of a mean over scenarios; the first of each is the point."""
    mean = np.mean(draws, axis=0)
    lower, upper = _bounds(mean[1:], interval)
    known = {"judge": judge, "group": OVERALL, "kind": OVERALL, "term": term, "name": name, "identified": True}
    return known | {"probability": mean[0], "probability_lower": lower, "probability_upper": upper}


def _bounds(draws: FloatArray, interval: float) -> tuple[FloatArray, FloatArray]:
    tail = (1 - interval) / 2
    lower, upper = np.quantile(draws, [tail, 1 - tail], axis=0)
    return lower, upper
