"""From a posterior to the tables that people read: weights, summary, overall, top, Markdown, LaTeX.

Point values are at posterior mean weights, as in the paper; intervals come from draws, are
equal-tailed, and every table says of which probability in `.attrs["interval"]`.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from scipy.special import expit

from prefdissect._typing import FloatArray, TieModel, check_count
from prefdissect.errors import OptionError
from prefdissect.features import Design
from prefdissect.inference import Fit, Posterior, outcome_probabilities
from prefdissect.schema import PropertySchema

__all__ = [
    "outcomes_at",
    "overall_table",
    "prediction_table",
    "rank_of",
    "summary_table",
    "to_text",
    "top_table",
    "weights_table",
]

_SUMMARY = ["mean", "sd", "lower", "upper", "prob_positive", "probability", "r_hat", "ess_bulk"]
_CERTIFICATE = ["judge", "group", "engine", "certified", "r_hat", "ess_bulk", "acceptance", "thin", "walks"]
_CERTIFICATE += ["iterations", "clusters", "design_effect", "residual_sd", "efficiency", "ridge_r_hat", "ridge_ess"]
_CERTIFICATE += ["divergences"]
_SUMMARY += ["identified", "certified", "n_pairs"]
_MOST_DRAWS_FOR_PREDICTION = 1000


def weights_table(design: Design, posterior: Posterior, schema: PropertySchema) -> pd.DataFrame:
    """Return one row per judge, group and property; NaN where the group had too few pairs.

    Columns: judge, group, kind, property, label, mean, sd, lower, upper, prob_positive (that the
    weight is above 0), probability (that A is preferred if A is better on this property alone),
    identified (False: the property never differs, so the weight is the prior, or what the pool says), n_pairs,
    n_differs, r_hat, ess_bulk, engine, certified, n_soft (pairs whose preference is neither 0 nor
    1: ties as half, soft labels, orders that disagree, averaged; intervals are not calibrated for them).
    """
    kept = design.is_property
    n_pairs, n_differs = design.count()
    n_differs = n_differs[:, :, kept]
    grid = n_differs.shape
    fits = [[posterior.fits.get((j, g)) for g in posterior.groups] for j in posterior.judges]
    kinds = [design.group_kinds[g] for g in posterior.groups]

    def spread(values: Any, axis: int) -> Any:
        """Repeat the values of one dimension over the other two."""
        shape = [-1 if k == axis else 1 for k in range(3)]
        return np.broadcast_to(np.array(values, dtype=object).reshape(shape), grid).ravel()

    def per_fit(values: Any) -> Any:
        """Repeat the value of each fit over the properties."""
        return np.repeat(np.asarray(values).ravel(), grid[2])

    summaries = {name: posterior.stack(name)[:, :, kept].ravel() for name in Fit.SUMMARIES}
    columns = {
        "judge": spread(posterior.judges, 0),
        "group": spread(posterior.groups, 1),
        "kind": spread(kinds, 1),
        "property": spread(schema.ids, 2),
        "label": spread(schema.labels, 2),
        **{name: summaries[name] for name in ("mean", "sd", "lower", "upper", "prob_positive")},
        "probability": expit(summaries["mean"]),
        "identified": n_differs.ravel() > 0,
        "n_pairs": per_fit(n_pairs),
        "n_differs": n_differs.ravel(),
        "r_hat": summaries["r_hat"],
        "ess_bulk": summaries["ess_bulk"],
        "engine": per_fit([[fit.engine if fit else "none" for fit in row] for row in fits]),
        "certified": per_fit([[bool(fit and fit.certified) for fit in row] for row in fits]),
        "n_soft": per_fit(design.count_soft()),
    }
    text = ["judge", "group", "kind", "property", "label", "engine"]
    return _stamp(pd.DataFrame(columns).astype(dict.fromkeys(text, "str")), posterior)


def summary_table(weights: pd.DataFrame) -> pd.DataFrame:
    """Return the fitted weights indexed by judge, group and property, largest first in each group."""
    table = _ranked(weights[weights["engine"] != "none"]).set_index(["judge", "group", "property"])[_SUMMARY]
    table.attrs = dict(weights.attrs)
    return table


def _ranked(weights: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the largest mean first inside each judge and group, which keep their order."""
    cell = weights.groupby(["judge", "group"], sort=False).ngroup()
    return weights.iloc[np.lexsort((-weights["mean"].to_numpy(), cell.to_numpy()))]


def top_table(weights: pd.DataFrame, k: int) -> pd.DataFrame:
    """Return the `k` most and the `k` least preferred properties of each judge and group.

    Columns: judge, group, side (`most` or `least`), rank (1 is the extreme), property, label,
    mean, lower, upper, probability. Properties that never differ are left out.
    """
    check_count("k", k)
    names = ["judge", "group", "side", "rank", "property", "label", "mean", "lower", "upper", "probability"]
    ordered = _ranked(weights[(weights["engine"] != "none") & weights["identified"]])
    parts = []
    for side, rows in (("most", ordered), ("least", ordered.iloc[::-1])):
        rank = rows.groupby(["judge", "group"]).cumcount() + 1
        parts.append(rows.assign(side=side, rank=rank)[rank <= k])
    cell = weights.groupby(["judge", "group"], sort=False).ngroup()
    both = pd.concat(parts)
    order = np.lexsort((both["rank"], both["side"] == "least", cell[both.index]))
    table = both.iloc[order][names].reset_index(drop=True)
    table.attrs = dict(weights.attrs)
    return table


def certificate_table(posterior: Posterior) -> pd.DataFrame:
    """Return how each fit was made and why it can be relied on, one row per judge and group.

    Columns: judge, group, engine, certified, r_hat (the largest), ess_bulk (the smallest), and the
    figures of the engines, NaN where another made the fit: acceptance (share of accepted steps), thin
    (sweeps a draw), walks (random-walk steps a draw), iterations (of expectation propagation), clusters (of pairs,
    behind a robust fit), design_effect (by which rows were weighted down), residual_sd and efficiency (of its
    stand-in), ridge_r_hat and ridge_ess (of the draws behind the tables of correlated columns), divergences.
    """
    rows = [
        {
            "judge": judge,
            "group": group,
            "engine": fit.engine,
            "certified": fit.certified,
            "r_hat": fit.r_hat.max(),
            "ess_bulk": fit.ess_bulk.min(),
            **fit.certificate,
        }
        for judge in posterior.judges
        for group in posterior.groups
        if (fit := posterior.fits.get((judge, group))) is not None
    ]
    return pd.DataFrame(rows).reindex(columns=_CERTIFICATE).astype(dict.fromkeys(["judge", "group", "engine"], "str"))


def overall_table(design: Design, posterior: Posterior, schema: PropertySchema, *, skipna: bool) -> pd.DataFrame:
    """Return each judge's probability of each property, averaged over scenarios (not cases).

    The unweighted mean over scenarios of the per-scenario probability, at posterior means; its
    interval is that of the mean over draws. NaN if a scenario has no fit, unless `skipna`.
    Source: Li et al. 2024, Table 4.
    """
    kept = design.is_property
    groups = [g for g in posterior.groups if design.group_kinds[g] != "case"]
    if not groups:
        raise OptionError(
            "overall() averages over scenarios, and these fits are of cases only; dissect with by='scenario'"
        )
    tail = (1 - posterior.interval) / 2
    parts = []
    for judge in posterior.judges:
        fits = [posterior.fits[judge, g] for g in groups if (judge, g) in posterior.fits]
        counted = bool(fits) and (skipna or len(fits) == len(groups))
        point, lower, upper = (np.full(len(schema), np.nan) for _ in range(3))
        if counted:
            point = np.mean([expit(fit.mean[kept]) for fit in fits], axis=0)
            draws = np.mean([expit(fit.draws[..., kept].astype(float)) for fit in fits], axis=0)
            lower, upper = np.quantile(draws, [tail, 1 - tail], axis=(0, 1))
        parts.append(
            pd.DataFrame(
                {
                    "judge": judge,
                    "property": list(schema.ids),
                    "label": list(schema.labels),
                    "probability": point,
                    "lower": lower,
                    "upper": upper,
                    "n_groups": len(fits),
                }
            )
        )
    return _stamp(pd.concat(parts, ignore_index=True), posterior)


def prediction_table(
    design: Design, posterior: Posterior, x: FloatArray, pair_ids: pd.Index, in_group: pd.DataFrame
) -> pd.DataFrame:
    """Return the probability that A is preferred: one row per judge, group and pair of the group.

    Columns: judge, group, pair_id, probability (at the posterior mean), lower, upper, and p_a, p_tie, p_b, which add up
    to 1. The former is given a decision, the latter three are not: they are NaN where the fit left ties out or took
    them as half. NaN where a rating is missing or the group has no fit. `x` is [pair, column].
    """
    tail = (1 - posterior.interval) / 2
    alone = pair_ids[~in_group.any(axis=1).to_numpy(dtype=bool)]
    parts = []
    for judge in posterior.judges:
        for group in posterior.groups:
            rows = in_group[group].to_numpy(dtype=bool)
            fit = posterior.fits.get((judge, group))
            point, lower, upper = (np.full(int(rows.sum()), np.nan) for _ in range(3))
            if fit is not None and rows.any():
                flat = fit.draws.reshape(-1, fit.draws.shape[-1]).astype(float)
                every = np.linspace(0, len(flat) - 1, min(len(flat), _MOST_DRAWS_FOR_PREDICTION)).round().astype(int)
                point = expit(x[rows] @ fit.mean)
                lower, upper = expit(np.quantile(x[rows] @ flat[every].T, [tail, 1 - tail], axis=1))
            outcomes = _outcomes(design, fit, judge, x[rows])
            ids = pair_ids[rows]
            parts.append(
                pd.DataFrame(
                    {
                        "judge": judge,
                        "group": group,
                        "pair_id": ids,
                        "probability": point,
                        "lower": lower,
                        "upper": upper,
                        **dict(zip(("p_a", "p_tie", "p_b"), outcomes.T, strict=True)),
                    }
                )
            )
        parts.append(pd.DataFrame({"judge": judge, "group": None, "pair_id": alone}).astype({"group": "str"}))
    columns = ["judge", "group", "pair_id", "probability", "lower", "upper", "p_a", "p_tie", "p_b"]
    kept = [part for part in parts if len(part)]
    table = pd.concat(kept, ignore_index=True) if kept else pd.DataFrame()
    return _stamp(table.reindex(columns=columns), posterior)


def _outcomes(design: Design, fit: Fit | None, judge: str, x: FloatArray) -> FloatArray:
    """Return P(A), P(tie), P(B) of rows, at the posterior mean, [row, 3]."""
    if fit is None or not len(x):
        return np.full((len(x), 3), np.nan)
    return outcomes_at(design, fit, judge, x @ fit.mean)


def outcomes_at(design: Design, fit: Fit, judge: str, t: FloatArray) -> FloatArray:
    """Return P(A), P(tie), P(B) at log-odds, [..., 3]; NaN where ties are known and no term."""
    model = design.tie_model(judge)
    if model is not None and fit.cut is not None:
        return outcome_probabilities(model, t, fit.cut.mean)
    if design.ties not in get_args(TieModel):
        return np.full((*np.shape(t), 3), np.nan)
    p = np.asarray(expit(t))
    return np.stack([p, np.where(np.isnan(p), np.nan, 0.0), 1 - p], axis=-1)


def to_text(weights: pd.DataFrame, style: Literal["github", "latex_booktabs"], digits: int) -> str:
    """Return the weights as a Markdown or LaTeX table; the interval's probability is in its heading."""
    from tabulate import tabulate

    def escape(name: object) -> str:
        return str(name).replace("|", r"\|") if style == "github" else str(name)

    percent = f"{100 * weights.attrs['interval']:g}%"
    rows = [
        {
            "judge": escape(r.judge),
            "group": escape(r.group),
            "property": escape(r.label),
            "weight": f"{r.mean:z.{digits}f}",
            f"{percent} interval": f"[{r.lower:z.{digits}f}, {r.upper:z.{digits}f}]",
            "P(weight > 0)": f"{r.prob_positive:.3f}",
            "probability": f"{r.probability:.3f}",
        }
        for r in weights[weights["engine"] != "none"].itertuples()
    ]
    return str(tabulate(rows, headers="keys", tablefmt=style, disable_numparse=True))


def _stamp(table: pd.DataFrame, posterior: Posterior) -> pd.DataFrame:
    """Return the table with what its columns `lower` and `upper` mean."""
    table.attrs = {"interval": posterior.interval, "interval_kind": "equal-tailed"}
    return table


def rank_of(values: FloatArray) -> FloatArray:
    """Return ranks along the last dimension, 1 for the largest."""
    order = np.argsort(-values, axis=-1, kind="stable")
    return np.asarray(np.argsort(order, axis=-1, kind="stable") + 1.0)
