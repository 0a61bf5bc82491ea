"""Benchmarks whose truth is planted: models of known strength and verbosity, judges that count words or read."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit

import prefdissect as pdx


def play(
    strengths: np.ndarray,
    verbosity: np.ndarray,
    *,
    n_prompts: int,
    length_weight: float,
    baseline: bool = False,
    luck: float = 0.0,
    seed: int = 0,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return pairs of models with lengths and verdicts, and the strength of A less that of B in each.

    Longer counts `length_weight`. With `baseline` all others meet model 0 on each prompt, else two models meet at
    random. `luck` is the standard deviation of what all verdicts on a prompt share, which no column names.
    """
    rng, n = np.random.default_rng(seed), len(strengths)
    prompt = np.repeat(np.arange(n_prompts), n - 1) if baseline else np.arange(n_prompts)
    if baseline:
        a, b = np.zeros(len(prompt), dtype=int), np.tile(np.arange(1, n), n_prompts)
    else:
        a = rng.integers(n, size=n_prompts)
        b = (a + rng.integers(1, n, size=n_prompts)) % n
    length_a, length_b = (100 + 60 * (verbosity[m] + rng.standard_normal(len(prompt))) for m in (a, b))
    gap = strengths[a] - strengths[b]
    t = gap + length_weight * np.sign(length_a - length_b) + luck * rng.standard_normal(n_prompts)[prompt]
    verdict = np.where(rng.random(len(prompt)) < expit(t), "A", "B")
    table = pd.DataFrame(
        {
            "prompt_id": [f"prompt-{i}" for i in prompt],
            "model_a": [f"m{i}" for i in a],
            "model_b": [f"m{i}" for i in b],
            "length_a": length_a,
            "length_b": length_b,
            "judge_me": verdict,
        }
    )
    return table, gap


def style_or_content(*, style: float, content: float, n: int = 400, seed: int = 0, subsets: tuple[str, ...] = ("one",)):
    """Return data rated by two properties of style and judged by `style` times length, and by a quality not rated."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({f"{name}_{side}": rng.normal(100, 30, n) for name in ("length", "bold") for side in "ab"})
    t = style * np.sign(table["length_a"] - table["length_b"]) + content * rng.standard_normal(n)
    table["judge_me"] = np.where(rng.random(n) < expit(t), "A", "B")
    table["prompt_id"] = [f"prompt-{i}" for i in range(n)]
    table["scenario"] = [subsets[i % len(subsets)] for i in range(n)]
    return pdx.load(table)
