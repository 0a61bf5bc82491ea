"""What fits hold beside properties, to be read: ties, presentation order, and the models that wrote the responses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from prefdissect._typing import FloatArray
from prefdissect.features import OVERALL, Design
from prefdissect.inference import Fit, Posterior, tie_rate
from prefdissect.terms import GENERATOR

__all__ = ["nuisance_table"]

_COLUMNS = ["judge", "group", "kind", "term", "name", "mean", "sd", "lower", "upper", "prob_positive", "probability"]
_COLUMNS += ["probability_lower", "probability_upper", "points", "identified", "n_differs"]
_TEXT = ["judge", "group", "kind", "term", "name"]


def nuisance_table(design: Design, posterior: Posterior) -> pd.DataFrame:
    """Return one row per judge, group and term that is no property; none where fits hold properties only.

    Columns: judge, group, kind, term (`ties`, `order`, `generator`, or `nuisance`), name, mean, sd, lower, upper,
    prob_positive, then what that means as a probability, with bounds: how often two responses that are equal in
    everything are tied; how often the one shown first wins; how often a model wins against an average one, properties
    held equal. `points` are percentage points of the latter two above a half. identified (False: it is the prior) and
    n_differs (pairs that tell of it; for ties, tied ones). The mean of a cutpoint of ties is log nu of Davidson's model
    or log c of the ordered one; that of a model is its log-odds less the mean of all in the group. Rows of group
    `overall` hold the mean over scenarios of the probability, with the rest missing.
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
    cell = design.cell(judge, group)
    return int((cell.tied > 0).sum()) if cell.ties else 0


def _terms_of(
    design: Design, fit: Fit, judge: str, counts: tuple[Any, int], interval: float
) -> Iterator[tuple[dict[str, Any], FloatArray]]:
    """Yield the row of each term of a fit, and draws of its probability."""
    model = design.tie_model(judge)
    if fit.cut is not None and model is not None:
        draws = fit.cut.draws.ravel().astype(float)
        yield _row(
            "ties",
            model,
            (fit.cut.mean, fit.cut.sd, fit.cut.lower, fit.cut.upper, (draws > 0).mean()),
            float(tie_rate(model, fit.cut.mean)),
            tie_rate(model, draws),
            interval,
            counts[1],
            known=True,
        )
    models = [k for k, role in enumerate(design.roles) if role == "generator"]
    flat = fit.draws.reshape(-1, fit.draws.shape[-1])
    for k, (name, role) in enumerate(zip(design.columns, design.roles, strict=True)):
        if role == "property":
            continue
        n, draws = int(counts[0][k]), flat[:, k].astype(float)
        numbers = fit.mean[k], fit.sd[k], fit.lower[k], fit.upper[k], fit.prob_positive[k]
        if role == "generator":
            met = [m for m in models if counts[0][m] > 0] or models
            draws = draws - flat[:, met].mean(axis=1)
            mean = float(fit.mean[k] - fit.mean[met].mean())
            numbers = mean, draws.std(ddof=1), *_bounds(draws, interval), (draws > 0).mean()
        yield _row(
            role,
            name.removeprefix(GENERATOR),
            numbers,
            float(expit(numbers[0])),
            expit(draws),
            interval,
            n,
            known=n > 0,
        )


def _row(
    term: str,
    name: str,
    numbers: tuple[Any, ...],
    point: float,
    draws: FloatArray,
    interval: float,
    n: int,
    *,
    known: bool,
) -> tuple[dict[str, Any], FloatArray]:
    lower, upper = _bounds(draws, interval)
    named = dict(zip(("mean", "sd", "lower", "upper", "prob_positive"), map(float, numbers), strict=True))
    told = {"probability": point, "probability_lower": lower, "probability_upper": upper}
    return {"term": term, "name": name, **named, **told, "identified": known, "n_differs": n}, draws


def _average(judge: str, term: str, name: str, draws: list[FloatArray], interval: float) -> dict[str, Any]:
    """Return the row of a mean over scenarios; the first of each is the point."""
    mean = np.mean(draws, axis=0)
    lower, upper = _bounds(mean[1:], interval)
    known = {"judge": judge, "group": OVERALL, "kind": OVERALL, "term": term, "name": name, "identified": True}
    return known | {"probability": mean[0], "probability_lower": lower, "probability_upper": upper}


def _bounds(draws: FloatArray, interval: float) -> tuple[float, float]:
    tail = (1 - interval) / 2
    lower, upper = np.quantile(draws, [tail, 1 - tail])
    return float(lower), float(upper)
