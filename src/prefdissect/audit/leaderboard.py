"""A leaderboard of the models that wrote the responses: raw, and with chosen properties held equal.

Held equal means: P(A preferred) = sigmoid(strength of A's model - strength of B's model + sum_k weight_k x_k), fitted
to all pairs of a judge at once, and read at x = 0. The models are signed columns (1 for A's, -1 for B's) beside the
properties, and so is being shown first where orders are known and vary. All have the prior Normal(0, 1), so that with
the Gaussian block of the likelihood the posterior is Gaussian and drawn from directly; only differences of strengths
are known from pairs, and the prior centres them. Prompts are clusters: the width of intervals is what the scores of
whole prompts support, so that soft labels, ties that count half and one prompt under many models are no evidence twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from prefdissect._typing import Encoding, FloatArray, Unparsed
from prefdissect.audit.models import Field, models_of
from prefdissect.audit.resampling import resample_shares
from prefdissect.audit.shift import bounds_of, sigmoid
from prefdissect.data import PreferenceData
from prefdissect.features import Design, build_design
from prefdissect.inference import FitOptions, Normal, arrange_prior, stand_in, stream_of
from prefdissect.tables import rank_of
from prefdissect.terms import columns_like

__all__ = ["LEADERBOARD", "WEIGHTS", "leaderboard"]

_DRAWS = 2000
_OF_PROPERTIES = Normal(1.0)  # wide: a weight that the prior shrinks would leave a part of the property in the score
LEADERBOARD = [
    *("judge", "model", "is_baseline", "n", "n_ties", "n_unparsed", "raw", "raw_lower", "raw_upper", "raw_rank"),
    *("equal", "equal_lower", "equal_upper", "moved", "moved_lower", "moved_upper", "strength", "strength_lower"),
    *("strength_upper", "rank", "rank_lower", "rank_upper", "engine", "certified"),
]
WEIGHTS = ["judge", "property", "label", "mean", "lower", "upper", "n", "n_differs"]


def leaderboard(
    data: PreferenceData,
    judge: str,
    *,
    encoding: Encoding,
    unparsed: Unparsed,
    options: FitOptions,
    resamples: int,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the models of one judge's pairs, the weights of what was held equal, and what was left out.

    Parameters
    ----------
    data
        Rated by what is to be held equal and by nothing else, with columns `model_a` and `model_b`; without any
        rating the raw columns alone are filled.
    judge
        Whose verdicts.
    encoding
        Of the properties that are held equal.
    unparsed
        Whether a verdict that could not be read is left out of the raw win rate, or half a win for each, as AlpacaEval
        counts its code 0.
    options
        Their seed and interval.
    resamples
        Draws of clusters behind the intervals of raw win rates.

    Returns
    -------
    tuple of DataFrame
        The leaderboard (columns: `Audit.leaderboard`), the weights, and judge, reason, n.
    """
    field = models_of(data, judge, unparsed)
    raw = _raw(field, options, resamples)
    if not data.properties:
        return raw.reindex(columns=LEADERBOARD), pd.DataFrame(columns=WEIGHTS), field.left_out
    columns = columns_like(data, tuple(field.columns))
    terms: dict[str, Any] = {"ties": "half", "position": "auto", "nuisance": columns}
    design = _of_two_models(build_design(data, [judge], by=None, encoding=encoding, **terms), field.columns)
    names = [name for name, own in zip(design.columns, design.is_property, strict=True) if not own]
    prior = arrange_prior(dict.fromkeys(design.encoder.schema.ids, _OF_PROPERTIES), design.encoder.schema.ids, names)
    fit = stand_in(design.cell(judge, "all"), prior, robust=True)
    rng = stream_of(options.random_seed, judge, "leaderboard")
    weights = np.vstack([fit.mean, rng.multivariate_normal(fit.mean, fit.cov, size=_DRAWS, method="eigh")])
    table = raw.merge(
        _held_equal(design, weights, field, options.interval, certified=fit.converged), on="model", sort=False
    )
    dropped = design.dropped[["judge", "reason", "n"]].assign(reason="of the leaderboard: " + design.dropped["reason"])
    left_out = pd.concat([field.left_out, dropped], ignore_index=True)
    order = np.lexsort((-table["raw"].to_numpy(), -table["strength"].to_numpy()))
    return (
        table.iloc[order].reset_index(drop=True)[LEADERBOARD],
        _weights(design, weights, judge, options.interval),
        left_out,
    )


def _of_two_models(design: Design, models: Sequence[str]) -> Design:
    """Return the design without pairs that tell nothing of models: both by one, or by nobody knows whom."""
    rows = np.flatnonzero((design.x[:, [design.columns.index(name) for name in models]] != 0).any(axis=1))
    named = ("pair_ids", "x", "y", "weight", "tied", "open", "cluster", "in_group")
    return replace(design, **{name: getattr(design, name)[rows] for name in named})


def _raw(field: Field, options: FitOptions, resamples: int) -> pd.DataFrame:
    """Return the win rate of each model as the verdicts have it, ties half a win."""
    rows = []
    for m, model in enumerate(field.models):
        own = (field.a == m) != (field.b == m)
        y = np.where(field.a[own] == m, field.y[own], 1 - field.y[own])
        rng = stream_of(options.random_seed, field.judge, model, "raw")
        share, lower, upper = resample_shares(
            y[:, None], field.cluster[own], interval=options.interval, resamples=resamples, rng=rng
        )[:, 0]
        if m == field.baseline:  # by definition, as against itself
            share = lower = upper = 0.5
        counted = {"n": int(own.sum()), "n_ties": int((y == 0.5).sum()), "n_unparsed": field.n_unparsed[m]}
        known = {"judge": field.judge, "model": model, "is_baseline": m == field.baseline}
        rows.append({**known, **counted, "raw": share, "raw_lower": lower, "raw_upper": upper})
    table = pd.DataFrame(rows).astype({"judge": "str", "model": "str"})
    return table.assign(raw_rank=table["raw"].rank(ascending=False, method="min"))


def _held_equal(design: Design, weights: FloatArray, field: Field, interval: float, *, certified: bool) -> pd.DataFrame:
    """Return the win rate of each model with the properties equal, against the opponents that it met."""
    at = [design.columns.index(column) for column in field.columns]
    strengths = weights[:, at] - weights[:, at].mean(axis=1, keepdims=True)
    ranks = rank_of(strengths)
    tail = (1 - interval) / 2
    equal, before = _win_rates(design, weights, strengths, at, field.baseline)
    moved = equal - before
    return pd.DataFrame(
        {
            "model": list(field.models),
            **_summary("equal", equal, interval),
            **_summary("moved", moved, interval),
            **_summary("strength", strengths, interval),
            "rank": ranks[0],
            "rank_lower": np.quantile(ranks[1:], tail, axis=0, method="lower"),
            "rank_upper": np.quantile(ranks[1:], 1 - tail, axis=0, method="higher"),
            "engine": "robust",
            "certified": certified,
        }
    ).astype({"model": "str", "engine": "str"})


def _summary(name: str, values: FloatArray, interval: float) -> dict[str, FloatArray]:
    lower, upper = bounds_of(values[1:], interval)
    return {name: values[0], f"{name}_lower": lower, f"{name}_upper": upper}


def _win_rates(
    design: Design, weights: FloatArray, strengths: FloatArray, at: Sequence[int], baseline: int | None
) -> tuple[FloatArray, FloatArray]:
    """Return win rates with the properties equal, and as they are, [1 + draw, model]; the baseline's is a half."""
    of_models, of_properties = design.x[:, at], design.x[:, design.is_property]
    met, which = np.unique(of_models, axis=0, return_inverse=True)
    equal, before = np.full((2, *strengths.shape), np.nan)
    pull = weights[:, design.is_property]
    for m in range(len(at)):
        own = np.flatnonzero(of_models[:, m] != 0)
        if m == baseline:
            equal[:, m] = before[:, m] = 0.5
        elif len(own):
            side = of_models[own, m]
            kinds, count = np.unique(which[own], return_counts=True)
            flat = met[kinds] * met[kinds, m][:, None]
            equal[:, m] = sigmoid(strengths @ flat.T) @ (count / count.sum())
            turned = of_models[own] * side[:, None], of_properties[own] * side[:, None]
            before[:, m] = _mean_before(strengths, pull, *turned)
    return equal, before


def _mean_before(strengths: FloatArray, pull: FloatArray, models: FloatArray, properties: FloatArray) -> FloatArray:
    """Return the mean over pairs of the win probability with the properties as they are, [1 + draw]."""
    total = np.zeros(len(strengths))
    for start in range(0, len(models), 1024):
        part = slice(start, start + 1024)
        total += sigmoid(strengths @ models[part].T + pull @ properties[part].T).sum(axis=1)
    return total / len(models)


def _weights(design: Design, weights: FloatArray, judge: str, interval: float) -> pd.DataFrame:
    """Return the weights of what was held equal."""
    kept, schema = design.is_property, design.encoder.schema
    known: Mapping[str, object] = {"judge": judge, "property": list(schema.ids), "label": list(schema.labels)}
    lower, upper = bounds_of(weights[1:, kept], interval)
    numbers = {"mean": weights[0, kept], "lower": lower, "upper": upper}
    starts = np.flatnonzero(np.diff(design.pair, prepend=-1))  # a pair has a row for each order
    counted = {"n": len(starts), "n_differs": (design.x[starts][:, kept] != 0).sum(axis=0)}
    return pd.DataFrame({**known, **numbers, **counted})[WEIGHTS].astype(dict.fromkeys(WEIGHTS[:3], "str"))
