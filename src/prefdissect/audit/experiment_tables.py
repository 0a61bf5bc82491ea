"""What an experiment shows: scores of each condition, and shifts from what the model does unasked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from prefdissect._typing import FloatArray
from prefdissect.audit.length_control import length_controlled
from prefdissect.audit.resampling import times_drawn
from prefdissect.audit.shift import bounds_of

__all__ = ["ALL_PROMPTS", "experiment_tables"]

ALL_PROMPTS = "(all prompts)"  # each counted once; not the unweighted mean over scenarios, which is called overall
_FEWEST = 2  # prompts that a bootstrap can tell anything of


def experiment_tables(
    judged: pd.DataFrame,
    expected: Mapping[str, FloatArray] | None,
    *,
    interval: float,
    resamples: int,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the scores of each condition, and by how much each differs from `none`: per scenario, and of all prompts.

    Prompts are drawn with replacement, the same for all conditions and columns, so that shifts are paired.

    Parameters
    ----------
    judged
        One row per prompt and condition, prompts in the same order under each: `prompt_id`, `scenario`, `condition`,
        `score`, `won` (1, 0 or 0.5 by the verdict), `longer_by` (NaN where length does not matter).
    expected
        Condition to the chance to win, [1 + draw, prompt], at mean weights and then under draws; None if not known.
    interval, resamples, rng
        Probability inside the intervals, number of resamplings, and where they come from.

    Returns
    -------
    tuple of DataFrame
        Scores: condition, group, n, score, lower, upper, and `controlled` with its bounds: the score at equal length.
        Shifts: condition, group, n, `shift` of the score, `controlled` of the score at equal length, `won` and
        `predicted`, both of the share of verdicts won, `gap` (won less predicted, of prompts with all ratings), each
        with bounds: of the prompts, for `predicted` of the judge's weights, for `gap` of both; n_predicted (prompts
        with all ratings).
    """
    places = {name: at for at, name in enumerate(dict.fromkeys(judged["prompt_id"]))}
    scores, shifts = [], []
    for group, of_group, counts in _resampled(judged, resamples, rng):
        parts = {str(c): one for c, one in of_group.groupby("condition", sort=False)}
        measured = {condition: _measure(one, counts) for condition, one in parts.items()}
        at = [places[name] for name in parts["none"]["prompt_id"]]
        for condition, found in measured.items():
            known = {"condition": condition, "group": group, "n": len(at)}
            shown = _summaries({name: value for name, value in found.items() if name != "won"}, interval)
            scores.append(known | {_bare(name): value for name, value in shown.items()})
            if condition == "none":
                continue
            changes = {name: value - measured["none"][name] for name, value in found.items()}
            row = known | _summaries({"shift": changes.pop("score"), **changes}, interval)
            if expected is not None:
                won = (parts[condition]["won"].to_numpy(float) - parts["none"]["won"].to_numpy(float))[None]
                predicted = expected[condition][:, at] - expected["none"][:, at]
                row |= _predicted(predicted, won, counts, interval, rng)
            shifts.append(row)
    tables = pd.DataFrame(scores), pd.DataFrame(shifts)
    for table in tables:
        table.attrs = {"interval": interval, "interval_kind": "bootstrap over prompts"}
    return tables


def _resampled(
    judged: pd.DataFrame, resamples: int, rng: np.random.Generator
) -> Iterator[tuple[str, pd.DataFrame, FloatArray]]:
    """Yield each scenario and the whole with how often each of its prompts is drawn, [1 + resample, prompt].

    In the first row each is drawn once, which gives the point.
    """
    groups: list[tuple[str, pd.DataFrame]] = [(str(g), one) for g, one in judged.groupby("scenario", sort=False)]
    whole = [(ALL_PROMPTS, judged)] if len(groups) != 1 else []
    for group, of_group in [*groups, *whole]:
        n = of_group["prompt_id"].nunique()
        drawn = times_drawn(n, resamples, rng) if n >= _FEWEST else np.empty((0, n))
        yield group, of_group, np.vstack([np.ones(n), drawn])


def _measure(one: pd.DataFrame, counts: FloatArray) -> dict[str, FloatArray]:
    """Return what is told of one condition, each [1 + resample]."""
    score, won, longer_by = (one[name].to_numpy(dtype=float) for name in ("score", "won", "longer_by"))
    found = {"score": counts @ score / len(score), "won": counts @ won / len(won)}
    if np.isfinite(longer_by).all():
        found["controlled"] = length_controlled(score, longer_by, counts)
    return found


def _predicted(
    change: FloatArray, won: FloatArray, counts: FloatArray, interval: float, rng: np.random.Generator
) -> dict[str, float]:
    """Return the predicted shift from changes [1 + draw, prompt], and its gap to the observed one [1, prompt].

    The gap is resampled together: prompts of both sides are the same, and each goes with one draw of the weights.
    """
    known = np.isfinite(change).all(axis=0)
    if not known.any():
        return {"n_predicted": 0}
    change, won, drawn = change[:, known], won[:, known], counts[:, known]
    drawn = drawn[drawn.sum(axis=1) > 0]
    shares = drawn / drawn.sum(axis=1, keepdims=True)
    of = np.concatenate([[0], rng.integers(1, len(change), len(shares) - 1)])
    gaps = np.einsum("bp,bp->b", shares, won - change[of])
    return {"n_predicted": int(known.sum()), **_summaries({"predicted": change.mean(axis=1), "gap": gaps}, interval)}


def _summaries(values: Mapping[str, FloatArray], interval: float) -> dict[str, float]:
    """Return the point, which comes first in [1 + draw], and the bounds of each."""
    found: dict[str, float] = {}
    for name, value in values.items():
        lower, upper = bounds_of(value[1:], interval) if len(value) > 1 else (np.nan, np.nan)
        found |= {name: float(value[0]), f"{name}_lower": float(lower), f"{name}_upper": float(upper)}
    return found


def _bare(name: str) -> str:
    """Return the name of a column of scores: bounds of the score itself are plain `lower` and `upper`."""
    return name.removeprefix("score_")
