"""Whether the chains behind draws of similarities have met."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prefdissect.inference.diagnostics import diagnose

__all__ = ["diagnose_pairs"]


def diagnose_pairs(draws: NDArray[np.float32], chains: int) -> tuple[float, float]:
    """Return the largest R-hat and the smallest ESS of any two judges; NaN where no similarity is known.

    `draws` is [draw, ..., judge, judge], the draws of one chain after those of another.
    """
    a, b = np.triu_indices(draws.shape[-1], 1)
    flat = draws[..., a, b].reshape(len(draws), -1).astype(float)
    known = np.isfinite(flat).all(axis=0)
    if not known.any():
        return float("nan"), float("nan")
    r_hat, ess = diagnose(flat[:, known].reshape(chains, -1, int(known.sum())))
    return float(r_hat.max()), float(ess.min())
