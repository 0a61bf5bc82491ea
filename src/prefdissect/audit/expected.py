"""How often responses should win by what is known of a judge: the predicted side of an experiment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
from scipy.special import expit

from prefdissect._typing import FloatArray
from prefdissect.audit.steering import Steering
from prefdissect.audit.trials import Trial
from prefdissect.data import PreferenceData, load
from prefdissect.text import TEXT, measure_text

__all__ = ["Rate", "expected_by_condition", "rate_texts"]

Rate: TypeAlias = Callable[[pd.DataFrame], PreferenceData]
_DRAWS = 400


def rate_texts(steering: Steering) -> Rate | None:
    """Return how responses are rated where texts alone give all the properties; None where a model must rate them."""
    schema = steering.design.encoder.schema
    if any(prop not in TEXT.properties for prop in schema):
        return None
    return lambda table: measure_text(load(table, schema=schema), properties=list(schema.ids), progress=False)


def expected_by_condition(
    steering: Steering, trials: Sequence[Trial], rate: Rate | None
) -> dict[str, FloatArray] | None:
    """Return the chance to win under each condition, [draw, prompt], prompts in the order of the trials.

    None where nobody can rate the responses; NaN for a response with a rating missing.
    """
    if rate is None:
        return None
    conditions = dict.fromkeys(trial.condition for trial in trials)
    return {c: _expected(steering, [t for t in trials if t.condition == c], rate) for c in conditions}


def _expected(steering: Steering, trials: Sequence[Trial], rate: Rate) -> FloatArray:
    """Return the chance that each response wins against its baseline under draws of the weights: [draw, trial]."""
    names = pd.Index([f"row {n}" for n in range(len(trials))])
    data = rate(
        pd.DataFrame(
            {
                "pair_id": names,
                "prompt": [t.prompt for t in trials],
                "response_a": [t.baseline for t in trials],
                "response_b": [t.response for t in trials],
                "scenario": [t.scenario for t in trials],
            }
        )
    )
    encoder = steering.design.encoder
    encoded = pd.DataFrame(encoder.encode(data), index=data.pairs.index).reindex(names)
    x = steering.design.complete(encoded.to_numpy(dtype=np.float64))
    chances = np.full((_DRAWS, len(trials)), np.nan)
    scenarios = np.array([t.scenario for t in trials], dtype=object)
    for group in dict.fromkeys(scenarios):
        rows = scenarios == group
        chances[:, rows] = expit(-_some_draws(steering, group) @ x[rows].T)
    return chances


def _some_draws(steering: Steering, group: str) -> FloatArray:
    draws = steering.posterior.fits[steering.judge, group].draws
    flat = draws.reshape(-1, draws.shape[-1])
    return np.asarray(flat[np.linspace(0, len(flat) - 1, _DRAWS).round().astype(int)], dtype=np.float64)
