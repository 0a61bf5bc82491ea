"""The study that the stored long NUTS runs were made on: ternary columns, labels from the paper's released weights.

Its random numbers are drawn in a fixed order, so that the same seed gives the same study.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from scipy.stats import norm

N_PAIRS, N_COLUMNS, N_FACTORS = 5240, 29, 4
# Probability that a column does not differ
NO_DIFFERENCE = np.array(
    [
        *(0.93, 0.85, 0.62, 0.66, 0.70, 0.60, 0.90, 0.90, 0.52, 0.58, 0.60, 0.88, 0.75, 0.70, 0.85),
        *(0.80, 0.62, 0.70, 0.72, 0.42, 0.70, 0.75, 0.72, 0.90, 0.45, 0.40, 0.50, 0.55, 0.12),
    ]
)
FACTORS = (([19, 28, 9, 8, 10, 13, 5], 0.9), ([20, 21, 22, 16, 17], 0.8), ([2, 3, 4, 24, 14], 0.8))
CASE_COLUMNS = {23: "intent_unclear", 24: "express_feeling", 25: "w_constraints", 26: "w_stances", 27: "w_mistakes"}


def released_weights(folder: Path) -> dict[str, np.ndarray]:
    """Return scenario or case to weights [judge, column]."""
    found = {}
    for file in sorted((folder / "fitted_paras_comparison").glob("model_*_fitted_paras.jsonl")):
        group = file.name.removeprefix("model_").removesuffix("_fitted_paras.jsonl")
        found[group] = np.array([json.loads(line)["parameters"] for line in file.read_text().splitlines()])
    return found


def make_study(folder: Path) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Return differences [pair, column], labels [pair, judge] and the pairs of each group."""
    rng = np.random.default_rng(0)
    rows = {k: np.array(v) for k, v in json.loads((folder / "query_aware_idxs.json").read_text()).items() if k != "all"}
    loadings = rng.standard_normal((N_COLUMNS, N_FACTORS)) * 0.45
    for factor, (columns, size) in enumerate(FACTORS):
        loadings[columns, factor] += size
    loadings /= np.sqrt((loadings**2).sum(axis=1, keepdims=True) + 1)
    common = rng.standard_normal((N_PAIRS, N_FACTORS)) @ loadings.T
    own = np.sqrt(1 - (loadings**2).sum(axis=1))
    latent = common + rng.standard_normal((N_PAIRS, N_COLUMNS)) * own
    cut = norm.ppf((1 + NO_DIFFERENCE) / 2)
    x = (latent > cut).astype(float) - (latent < -cut)
    for column, case in CASE_COLUMNS.items():
        outside = np.ones(N_PAIRS, dtype=bool)
        outside[rows[case]] = False
        x[outside, column] = 0
    weights = released_weights(folder)
    labels = np.zeros((N_PAIRS, len(next(iter(weights.values())))))
    for group, pairs in rows.items():
        if group[0].isupper():  # scenarios, which are disjoint; cases are not capitalised
            t = x[pairs] @ weights[group].T
            labels[pairs] = rng.random(t.shape) < 1 / (1 + np.exp(-t))
    return x, labels, rows
