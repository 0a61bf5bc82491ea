"""Pairs labelled by what a fit says the judge prefers; those that it is not sure enough of left out, and counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from prefdissect._typing import BoolArray, Direction, FloatArray, IntArray, check_choice
from prefdissect.audit.pair_card import aim, within
from prefdissect.audit.pair_texts import Candidates
from prefdissect.audit.pairs import PreferencePairs
from prefdissect.choose import pick
from prefdissect.errors import DataError, OptionError
from prefdissect.features import NO_GROUP, Design
from prefdissect.inference import Fit, Posterior

__all__ = ["check_pair_options", "preference_pairs"]

_MOST_DRAWS = 500  # by which the side of a pair is told
_ROWS_AT_ONCE = 4096  # of pairs times draws, which need not all be in memory


def check_pair_options(margin: float, direction: Direction) -> None:
    """Raise `OptionError` unless the margin is at least 0 and below 1/2, and the direction one of the two."""
    check_choice("direction", direction, Direction)
    number = isinstance(margin, int | float | np.number) and not isinstance(margin, bool)
    if not number or not 0 <= margin < 0.5:
        raise OptionError(
            f"margin={margin!r} must be a number of at least 0 and below 0.5: pairs whose probability is within "
            "0.5 ± margin are left out"
        )


def preference_pairs(
    candidates: Candidates,
    design: Design,
    posterior: Posterior,
    judge: str,
    *,
    margin: float,
    direction: Direction,
    scenario: str | Sequence[str] | None,
    made: Mapping[str, Any],
) -> PreferencePairs:
    """Label pairs by the fit of the scenario that each is in, and leave out those near 1/2.

    A pair is labelled at posterior mean weights, and kept if its probability differs from 1/2 by more than `margin`.
    Where a scenario has no fit of the judge its pairs are left out and counted: the weights of another scenario are no
    evidence of this one. Source: Li et al. 2024, section on training-based manipulation (margin 0.15).

    Raises
    ------
    OptionError
        If there are cases only and `scenario` names none, or a pair is in several that it names.
    UnknownNameError
        If a scenario is unknown.
    DataError
        If the judge has no fit in a scenario that was named, or no pair is left.
    """
    check_pair_options(margin, direction)
    names = _choose_groups(design, posterior, judge, scenario)
    at = _place(candidates.in_group[names], scenario)
    fitted = {g: posterior.fits[judge, g] for g in names if (judge, g) in posterior.fits}
    log_odds, prob_side = _score(candidates.x, at, names, fitted, design.is_property)
    why = _why_left_out(candidates, at, names, fitted, scenario, design)
    near = np.abs(log_odds) <= logit(0.5 + margin)
    why = np.where((why == "") & near, f"within {within(margin)}", why)
    group = np.array([*names, NO_GROUP], dtype=object)[at]
    left_out = _count(group, why, [*names, NO_GROUP])
    if not (why == "").any():
        found = "; ".join(f"{r.n:,} in {r.group}: {r.reason}" for r in left_out.itertuples())
        hint = "; a smaller margin keeps more" if near.any() else ""
        raise DataError(f"no pair is left to train on, {aim(direction, repr(judge))} ({found}){hint}")
    toward = PreferencePairs(
        judge=judge,
        margin=float(margin),
        direction="toward",
        table=_table(candidates, group, log_odds, prob_side)[why == ""].reset_index(drop=True),
        left_out=left_out,
        differences=_differences(candidates.x[why == ""], log_odds[why == ""], design),
        made={**made, "fits": _describe_fits(design, judge, fitted)},
    )
    return toward if direction == "toward" else toward.inverted()


def _choose_groups(design: Design, posterior: Posterior, judge: str, scenario: str | Sequence[str] | None) -> list[str]:
    """Return the groups whose fits label: those named, or all that do not overlap."""
    if scenario is None:
        names = [g for g in posterior.groups if design.group_kinds[g] != "case"]
        if not names:
            cases = ", ".join(map(repr, posterior.groups))
            raise OptionError(f"scenario=None, but the fits are of cases only, which overlap; name one: {cases}")
        return names
    names = pick("scenario", scenario, posterior.groups)
    without = [g for g in names if (judge, g) not in posterior.fits]
    if without:
        having = [g for g in posterior.groups if (judge, g) in posterior.fits]
        raise DataError(
            f"judge {judge!r} has no fit in {', '.join(map(repr, without))}: too few pairs; it has one in: "
            f"{', '.join(map(repr, having)) or 'none'}"
        )
    return names


def _place(in_group: pd.DataFrame, scenario: str | Sequence[str] | None) -> IntArray:
    """Return the number of the group that each pair is in, [pair]; -1 for none."""
    inside = in_group.to_numpy(dtype=bool)
    several = np.flatnonzero(inside.sum(axis=1) > 1)
    if len(several):
        pair, names = in_group.index[several[0]], in_group.columns[inside[several[0]]]
        raise OptionError(
            f"scenario={scenario!r}: {len(several)} pairs are in several of these groups, the first, {str(pair)!r}, is "
            f"in {', '.join(map(repr, names))}; name groups that do not overlap"
        )
    return np.where(inside.any(axis=1), inside.argmax(axis=1), -1).astype(np.int64)


def _score(
    x: FloatArray, at: IntArray, names: Sequence[str], fitted: Mapping[str, Fit], kept: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Return the log-odds of A at mean weights, and the share of draws that say the same side; NaN without a fit."""
    log_odds, share = np.full(len(x), np.nan), np.full(len(x), np.nan)
    for name, fit in fitted.items():
        rows = np.flatnonzero(at == names.index(name))
        log_odds[rows] = x[rows] @ fit.mean[kept]
        share[rows] = _share_of_draws(x[rows] * np.sign(log_odds[rows])[:, None], fit, kept)
    return log_odds, share


def _share_of_draws(signed: FloatArray, fit: Fit, kept: BoolArray) -> FloatArray:
    """Return the share of posterior draws by which the log-odds of each row are above 0, [row]."""
    flat = fit.draws.reshape(-1, fit.draws.shape[-1])
    every = np.linspace(0, len(flat) - 1, min(len(flat), _MOST_DRAWS)).round().astype(int)
    draws = np.asarray(flat[every][:, kept], dtype=np.float64).T
    parts = [signed[start : start + _ROWS_AT_ONCE] for start in range(0, len(signed), _ROWS_AT_ONCE)]
    return np.concatenate([(part @ draws > 0).mean(axis=1) for part in parts] or [np.empty(0)])


def _why_left_out(
    candidates: Candidates,
    at: IntArray,
    names: Sequence[str],
    fitted: Mapping[str, Fit],
    scenario: str | Sequence[str] | None,
    design: Design,
) -> np.ndarray[Any, Any]:
    """Return why each pair cannot be labelled, the first reason that holds; "" where it can."""
    unfitted = np.isin(at, [k for k, name in enumerate(names) if name not in fitted])
    missing = np.isnan(candidates.x)
    unrated = np.array([f"no rating of {name}" for name in design.encoder.schema.ids], dtype=object)
    outside = "in no fitted group" if scenario is None else "in no group of scenario="
    why = np.select(
        [at < 0, unfitted, candidates.why_not != "", missing.any(axis=1)],
        [outside, "no fit: too few pairs", candidates.why_not, unrated[missing.argmax(axis=1)]],
        default="",
    )
    return np.asarray(why, dtype=object)


def _table(
    candidates: Candidates, group: np.ndarray[Any, Any], log_odds: FloatArray, prob_side: FloatArray
) -> pd.DataFrame:
    """Return the table of pairs toward the judge."""
    a, b = (candidates.texts[name].to_numpy(dtype=object) for name in ("response_a", "response_b"))
    prefers_a = log_odds > 0
    columns = {
        "pair_id": candidates.texts.index.to_numpy(dtype=object),
        "group": group,
        "probability": expit(log_odds),
        "prob_side": prob_side,
        "label": candidates.label,
        "side": np.where(prefers_a, "A", "B"),
        "prompt": candidates.texts["prompt"].to_numpy(dtype=object),
        "chosen": np.where(prefers_a, a, b),
        "rejected": np.where(prefers_a, b, a),
        "turns": candidates.texts["turns"].to_numpy(dtype=object),
    }
    return pd.DataFrame(columns).astype({"pair_id": "str", "group": "str", "side": "str"})


def _count(group: np.ndarray[Any, Any], why: np.ndarray[Any, Any], names: Sequence[str]) -> pd.DataFrame:
    """Return how many pairs of each group are left out, by reason."""
    out = pd.DataFrame({"group": group, "reason": why})[why != ""]
    counted = out.groupby(["group", "reason"], sort=False).size().reset_index(name="n")
    order = np.lexsort((-counted["n"].to_numpy(), [names.index(g) for g in counted["group"]]))
    table: pd.DataFrame = counted.iloc[order].reset_index(drop=True)
    return table.astype({"group": "str", "reason": "str", "n": np.int64})


def _differences(x: FloatArray, log_odds: FloatArray, design: Design) -> pd.DataFrame:
    """Return in how many pairs the response that the judge prefers has more of each property, and less."""
    signed = x * np.sign(log_odds)[:, None]
    schema = design.encoder.schema
    columns = {
        "property": list(schema.ids),
        "label": list(schema.labels),
        "more": (signed > 0).sum(axis=0),
        "less": (signed < 0).sum(axis=0),
    }
    return pd.DataFrame(columns).astype({"property": "str", "label": "str"})


def _describe_fits(design: Design, judge: str, fitted: Mapping[str, Fit]) -> list[dict[str, Any]]:
    return [
        {"group": g, "fitted to": len(design.rows(judge, g)), "engine": fit.engine, "certified": fit.certified}
        for g, fit in fitted.items()
    ]
