"""How alike two weight vectors are: the four measures of the paper's code.

Source: Li et al. 2024, section 5.2 (Pearson), and their released code for the others.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from prefdissect._typing import FloatArray

__all__ = ["Measure", "compare_weights", "is_correlation"]

Measure: TypeAlias = Literal["pearson", "spearman", "l1", "l2"]


def compare_weights(weights: FloatArray, method: Measure) -> FloatArray:
    """Return how alike each two judges are, [..., judge, judge], of weights [..., judge, property].

    `pearson` and `spearman` are correlations over properties, NaN where a judge's weights are all equal; `l1` is
    -sum|d| / n and `l2` -sqrt(sum d**2) / n of the differences d in n properties (l2 divides by n, not by its root,
    as in the paper's code): 0 at most, in log-odds.

    Examples
    --------
    >>> import numpy as np
    >>> from prefdissect.compare import compare_weights
    >>> compare_weights(np.array([[0.1, 0.2, 0.6], [0.0, 0.3, 0.5]]), "l1")[0, 1].round(3)
    np.float64(-0.1)
    """
    if method == "spearman":
        from scipy.stats import rankdata  # slow to import, and seldom needed

        return _correlate(np.where(np.isnan(weights), np.nan, rankdata(weights, axis=-1)))
    if method == "pearson":
        return _correlate(np.asarray(weights, dtype=float))
    n = weights.shape[-1]
    out = np.empty((*weights.shape[:-1], weights.shape[-2]))
    for j in range(weights.shape[-2]):  # one judge at a time, to spare memory
        d = np.abs(weights - weights[..., j, None, :])
        out[..., j] = -(d.sum(axis=-1) if method == "l1" else np.sqrt((d * d).sum(axis=-1))) / n
    return out


def is_correlation(method: Measure) -> bool:
    """Whether the measure is 1 for judges that are alike; the others are 0."""
    return method in ("pearson", "spearman")


def _correlate(values: FloatArray) -> FloatArray:
    centred = values - values.mean(axis=-1, keepdims=True)
    length = np.sqrt((centred * centred).sum(axis=-1, keepdims=True))
    largest = np.abs(values).max(axis=-1, keepdims=True)
    flat = length <= 1e-12 * largest * np.sqrt(values.shape[-1])  # rounding of equal values
    unit = centred / np.where(flat, np.nan, length)
    return np.asarray(np.clip(unit @ np.swapaxes(unit, -1, -2), -1.0, 1.0))
