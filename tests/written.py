"""Pairs of models of known strengths."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit


def written_by(n: int = 400, models: int = 4, seed: int = 0, **columns: object) -> tuple[pd.DataFrame, np.ndarray]:
    """Return pairs of models of known strengths, which go along with a property."""
    rng = np.random.default_rng(seed)
    strength = np.linspace(-1, 1, models)
    a = rng.integers(0, models, n)
    b = (a + 1 + rng.integers(0, models - 1, n)) % models
    x = np.sign(np.round(strength[a] - strength[b] + rng.standard_normal(n)))
    t = 0.5 * x + strength[a] - strength[b]
    says = np.where(rng.random(n) < expit(t), "A", "B")
    named = {"model_a": [f"m{k}" for k in a], "model_b": [f"m{k}" for k in b]}
    return pd.DataFrame({**named, "clear_a": x, "clear_b": 0.0, "judge_me": says, **columns}), strength
