"""How often responses should win by what is known of a judge: the predicted side of an experiment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd

from prefdissect._typing import FloatArray
from prefdissect.audit.shift import sigmoid, some_draws
from prefdissect.audit.steering import Steering
from prefdissect.audit.trials import Trial
from prefdissect.data import PreferenceData, load
from prefdissect.text import TEXT, measure_text

__all__ = ["Rate", "expected_by_condition", "rate_texts"]

Rate: TypeAlias = Callable[[pd.DataFrame], PreferenceData]


def rate_texts(steering: Steering) -> Rate | None:
    """Return how responses are rated where texts alone give all the properties; None where a model must rate them."""
    schema = steering.design.encoder.schema
    if any(prop not in TEXT.properties for prop in schema):
        return None
    return lambda table: measure_text(load(table, schema=schema), properties=list(schema.ids), progress=False)


def expected_by_condition(
    steering: Steering, trials: Sequence[Trial], rate: Rate | None
) -> dict[str, FloatArray] | None:
    """Return the chance to win under each condition, [1 + draw, prompt], prompts in the order of the trials.

    At posterior mean weights first, then under draws of them. None where nobody can rate the responses; NaN for a
    response with a rating missing.
    """
    if rate is None:
        return None
    chances = _chances(steering, trials, _differences(steering, trials, rate))
    of = np.array([trial.condition for trial in trials], dtype=object)
    return {str(condition): chances[:, of == condition] for condition in dict.fromkeys(of)}


def _differences(steering: Steering, trials: Sequence[Trial], rate: Rate) -> FloatArray:
    """Return how each baseline differs from its response, as fits encode it: [trial, column].

    Two texts that are the same differ in nothing, so nobody is asked, or paid, to rate them.
    """
    encoder = steering.design.encoder
    x = np.zeros((len(trials), len(encoder.schema)))
    asked = [at for at, trial in enumerate(trials) if trial.response != trial.baseline]
    if asked:
        data = rate(_pairs_of([trials[at] for at in asked]))
        encoded = pd.DataFrame(encoder.encode(data), index=data.pairs.index)
        x[asked] = encoded.reindex(_names(len(asked))).to_numpy(dtype=np.float64)
    return steering.design.complete(x)


def _pairs_of(trials: Sequence[Trial]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "pair_id": _names(len(trials)),
            "prompt": [t.prompt for t in trials],
            "response_a": [t.baseline for t in trials],
            "response_b": [t.response for t in trials],
            "scenario": [t.scenario for t in trials],
        }
    )


def _names(n: int) -> list[str]:
    return [f"row {at}" for at in range(n)]


def _chances(steering: Steering, trials: Sequence[Trial], x: FloatArray) -> FloatArray:
    """Return the chance that each response wins against its baseline, [1 + draw, trial], at the mean weights first."""
    posterior, scenarios = steering.posterior, np.array([trial.scenario for trial in trials], dtype=object)
    parts = {}
    for group in dict.fromkeys(scenarios):
        fit = posterior.fits[steering.judge, group]
        weights = np.vstack([fit.mean, some_draws(fit, len(posterior.fits))])
        parts[group] = sigmoid(-weights @ x[scenarios == group].T)
    chances = np.full((min(map(len, parts.values())), len(trials)), np.nan)
    for group, part in parts.items():
        chances[:, scenarios == group] = part[: len(chances)]
    return chances
