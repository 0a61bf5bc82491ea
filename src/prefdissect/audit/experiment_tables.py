"""What an experiment shows: scores of each condition, and shifts from what the model does unasked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from prefdissect._typing import FloatArray, IntArray
from prefdissect.audit.length_control import length_controlled
from prefdissect.features import OVERALL

__all__ = ["score_table", "shift_table"]

_FEWEST = 2  # prompts that a bootstrap can tell anything of


def score_table(judged: pd.DataFrame, *, interval: float, resamples: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return the mean score of each condition, in each scenario and overall, with intervals over prompts.

    Parameters
    ----------
    judged
        One row per prompt and condition, prompts in the same order under each: `prompt_id`, `scenario`, `condition`,
        `score`, `longer_by` (NaN where length does not matter).

    Returns
    -------
    DataFrame
        condition, group, n, score, lower, upper, and `controlled` with its bounds: the score at equal length. All
        prompts are drawn with replacement, the same for all conditions.
    """
    rows = []
    for group, of_group, counts in _resampled(judged, resamples, rng):
        for condition, one in of_group.groupby("condition", sort=False):
            scores = one["score"].to_numpy(dtype=float)
            row = {"condition": condition, "group": group, "n": len(one), "score": scores.mean()}
            row |= _bounds("", _means(scores, counts), interval)
            longer_by = one["longer_by"].to_numpy(dtype=float)
            if np.isfinite(longer_by).all():
                row["controlled"] = length_controlled(scores, longer_by)[0]
                row |= _bounds("controlled_", length_controlled(scores, longer_by, counts), interval)
            rows.append(row)
    table = pd.DataFrame(rows)
    table.attrs = {"interval": interval, "interval_kind": "bootstrap over prompts"}
    return table


def shift_table(
    judged: pd.DataFrame,
    expected: Mapping[str, FloatArray] | None,
    *,
    interval: float,
    resamples: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return by how much each condition differs from `none`, observed and predicted, in each scenario and overall.

    Parameters
    ----------
    judged
        As for `score_table`, with `won` (1, 0 or 0.5 by the verdict).
    expected
        Condition to the chance to win under each draw of the judge's weights, [draw, prompt]; None if not known.

    Returns
    -------
    DataFrame
        condition, group, n, `shift` of the score, `won` and `predicted`, both of the share of verdicts won, `gap`
        (won less predicted), each with bounds: of the prompts, for `predicted` of the judge's weights, for `gap` of
        both.
    """
    places = {name: at for at, name in enumerate(dict.fromkeys(judged["prompt_id"]))}
    rows = []
    for group, of_group, counts in _resampled(judged, resamples, rng):
        wide = {str(c): one for c, one in of_group.groupby("condition", sort=False)}
        at = [places[name] for name in wide["none"]["prompt_id"]]
        for condition in (c for c in wide if c != "none"):
            row: dict[str, object] = {"condition": condition, "group": group, "n": len(at)}
            for name, column in (("shift", "score"), ("won", "won")):
                change = wide[condition][column].to_numpy(dtype=float) - wide["none"][column].to_numpy(dtype=float)
                row |= {name: change.mean(), **_bounds(f"{name}_", _means(change, counts), interval)}
            if expected is not None:
                predicted = expected[condition][:, at] - expected["none"][:, at]
                row |= _predicted(predicted, change, counts, interval, rng)
            rows.append(row)
    table = pd.DataFrame(rows)
    table.attrs = {"interval": interval, "interval_kind": "bootstrap over prompts"}
    return table


def _predicted(
    change: FloatArray, won: FloatArray, counts: IntArray, interval: float, rng: np.random.Generator
) -> dict[str, float]:
    """Return the predicted shift [draw, prompt] and its gap to the observed one, of prompts with all ratings.

    The gap is resampled together: prompts of both sides are the same, and each goes with one draw of the weights.
    """
    known = np.isfinite(change).all(axis=0)
    if not known.any():
        return {}
    draws = change[:, known].mean(axis=1)
    drawn = counts[:, known]
    shares = drawn / np.maximum(drawn.sum(axis=1, keepdims=True), 1)
    of = rng.integers(0, len(change), len(counts))
    gaps = shares @ won[known] - np.einsum("bp,bp->b", shares, change[of][:, known])
    return {
        "predicted": float(draws.mean()),
        **_bounds("predicted_", draws, interval),
        "gap": float(won[known].mean() - draws.mean()),
        **_bounds("gap_", gaps, interval),
    }


def _resampled(
    judged: pd.DataFrame, resamples: int, rng: np.random.Generator
) -> Iterator[tuple[str, pd.DataFrame, IntArray]]:
    """Yield each scenario and the whole with how often each of its prompts is drawn, [resample, prompt]."""
    groups: list[tuple[str, pd.DataFrame]] = [(str(g), one) for g, one in judged.groupby("scenario", sort=False)]
    whole = [(OVERALL, judged)] if len(groups) != 1 else []
    for group, of_group in [*groups, *whole]:
        n = of_group["prompt_id"].nunique()
        drawn = rng.multinomial(n, np.full(n, 1 / n), size=resamples) if n >= _FEWEST else np.empty((0, n))
        yield group, of_group, drawn.astype(np.int64)


def _means(values: FloatArray, counts: IntArray) -> FloatArray:
    return np.asarray(counts @ values / max(len(values), 1), dtype=np.float64)


def _bounds(prefix: str, draws: FloatArray | Sequence[float], interval: float) -> dict[str, float]:
    if not len(draws):
        return {f"{prefix}lower": np.nan, f"{prefix}upper": np.nan}
    tail = (1 - interval) / 2
    lower, upper = np.quantile(draws, [tail, 1 - tail])
    return {f"{prefix}lower": float(lower), f"{prefix}upper": float(upper)}
