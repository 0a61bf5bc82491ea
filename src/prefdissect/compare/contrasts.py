"""Where two judges differ, or one judge between two groups: property by property, and pair by pair."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import expit

from prefdissect._typing import FloatArray, check_count
from prefdissect.errors import DataError, OptionError
from prefdissect.features import Design
from prefdissect.inference import Posterior
from prefdissect.schema import PropertySchema

__all__ = ["contrast_table", "disagreement_table"]

_REASONS = 3  # properties named for a pair

Side = Sequence[tuple[str, str]]  # (judge, group) of the fits that one side averages over


def contrast_table(
    design: Design, posterior: Posterior, schema: PropertySchema, first: Side, second: Side
) -> pd.DataFrame:
    """Return how the weights of two sides differ, one row per property, the largest difference first.

    Each side is a list of fits, over which weights and probabilities are averaged. Columns: property, label, weight_a,
    weight_b, difference (of the mean weights, log-odds), lower, upper, prob_positive (that a's weight is
    larger), probability_a, probability_b, probability_difference, probability_lower, probability_upper. The draws of
    two fits are independent given the data of each.

    Raises
    ------
    DataError
        If a fit is missing: it had too few pairs.
    """
    missing = [key for key in (*first, *second) if key not in posterior.fits]
    if missing:
        judge, group = missing[0]
        shared = [g for g in posterior.groups if all((j, g) in posterior.fits for j in {first[0][0], second[0][0]})]
        raise DataError(
            f"judge {judge!r} has no fit in group {group!r} (too few pairs), so it cannot be contrasted there; groups "
            f"with fits of both sides: {', '.join(shared) or 'none'}; name one in group="
        )
    kept = design.is_property
    tail = (1 - posterior.interval) / 2
    means, chances, weights, probabilities = [], [], [], []
    for side in (first, second):
        fits = [posterior.fits[key] for key in side]
        draws = [fit.draws.reshape(-1, fit.draws.shape[-1])[:, kept].astype(float) for fit in fits]
        weights.append(np.mean(draws, axis=0))
        probabilities.append(np.mean([expit(d) for d in draws], axis=0))
        means.append(np.mean([fit.mean[kept] for fit in fits], axis=0))
        chances.append(np.mean([expit(fit.mean[kept]) for fit in fits], axis=0))
    gain, chance = weights[0] - weights[1], probabilities[0] - probabilities[1]
    lower, upper = np.quantile(gain, [tail, 1 - tail], axis=0)
    chance_lower, chance_upper = np.quantile(chance, [tail, 1 - tail], axis=0)
    table = pd.DataFrame(
        {
            "property": list(schema.ids),
            "label": list(schema.labels),
            "weight_a": means[0],
            "weight_b": means[1],
            "difference": means[0] - means[1],
            "lower": lower,
            "upper": upper,
            "prob_positive": (gain > 0).mean(axis=0),
            "probability_a": chances[0],
            "probability_b": chances[1],
            "probability_difference": chances[0] - chances[1],
            "probability_lower": chance_lower,
            "probability_upper": chance_upper,
        }
    )
    order = np.argsort(-table["difference"].abs().to_numpy(), kind="stable")
    table = table.iloc[order].reset_index(drop=True)
    table.attrs = {"interval": posterior.interval, "interval_kind": "equal-tailed"}
    return table


def disagreement_table(
    design: Design, posterior: Posterior, schema: PropertySchema, a: str, b: str, groups: Sequence[str], k: int
) -> pd.DataFrame:
    """Return the `k` pairs on which the fits of two judges differ most, and the properties that make them differ.

    One row per pair and group: pair_id, group, probability_a, probability_b (that response A is preferred, at mean
    weights), difference, label_a, label_b (what the judges said, NaN where one did not), because (the properties that
    move the log-odds of `a` furthest from those of `b` in the direction of the difference).

    Raises
    ------
    DataError
        If the judges have no fit in a common group.
    """
    check_count("k", k)
    if a == b:
        raise OptionError(f"disagreements({a!r}, {b!r}): name two different judges")
    design, kept = design.per_pair, design.is_property
    both = [g for g in groups if (a, g) in posterior.fits and (b, g) in posterior.fits]
    if not both:
        raise DataError(f"judges {a!r} and {b!r} have no fit in a common group; too few pairs were judged by both")
    parts = []
    for group in both:
        rows = np.flatnonzero(design.in_group[:, design.groups.index(group)])
        x = design.x[np.ix_(rows, kept)]
        first, second = (posterior.fits[judge, group].mean[kept] for judge in (a, b))
        pa, pb = expit(x @ first), expit(x @ second)
        most = np.argsort(-np.abs(pa - pb), kind="stable")[:k]
        moved = x[most] * (first - second)
        said = [_said(design, judge, rows[most]) for judge in (a, b)]
        parts.append(
            pd.DataFrame(
                {
                    "pair_id": design.pair_ids[rows[most]],
                    "group": group,
                    "probability_a": pa[most],
                    "probability_b": pb[most],
                    "difference": pa[most] - pb[most],
                    "label_a": said[0],
                    "label_b": said[1],
                    "because": [
                        _reasons(row, schema.labels, sign)
                        for row, sign in zip(moved, np.sign(pa - pb)[most], strict=True)
                    ],
                }
            )
        )
    table = pd.concat(parts, ignore_index=True).astype({"pair_id": "str", "group": "str", "because": "str"})
    order = np.argsort(-table["difference"].abs().to_numpy(), kind="stable")[:k]
    return table.iloc[order].reset_index(drop=True)


def _said(design: Design, judge: str, rows: np.ndarray) -> FloatArray:
    j = design.judges.index(judge)
    return np.where(design.weight[rows, j] > 0, design.y[rows, j], np.nan)


def _reasons(moved: FloatArray, labels: Sequence[str], sign: float) -> str:
    """Return the properties that move the log-odds furthest in the direction of `sign`, and by how much."""
    order = [i for i in np.argsort(-moved * sign, kind="stable")[:_REASONS] if moved[i] * sign > 0]
    return ", ".join(f"{labels[i]} {moved[i]:+.2f}" for i in order)
