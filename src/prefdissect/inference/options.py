"""How to fit: the options of an engine, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prefdissect._typing import Clustering, Engine, Pooling, check_choice, check_count, check_flag, check_positive

__all__ = ["FitOptions", "check_options"]


@dataclass(frozen=True)
class FitOptions:
    """How to fit: see `dissect`."""

    engine: Engine
    draws: int
    chains: int
    folds: int | None
    interval: float
    min_pairs: int
    random_seed: int
    robust: bool = False
    cluster: Clustering = "none"
    pooling: Pooling = "none"
    exclude_from_pool: tuple[str, ...] = ()
    pair_effect: bool | None = None


def check_options(
    engine: Engine,
    draws: int,
    chains: int,
    folds: int | None,
    interval: float,
    min_pairs: int,
    random_seed: int | np.random.Generator | None,
    robust: bool,
    cluster: Clustering = "none",
    *,
    pooling: Pooling = "none",
    exclude_from_pool: str | Sequence[str] = (),
    pair_effect: bool | None = None,
) -> FitOptions:
    """Return the options of a fit, each checked; a fresh seed where none is given."""
    return FitOptions(
        engine=check_choice("engine", engine, Engine),
        draws=check_count("draws", draws, least=4),
        chains=check_count("chains", chains, least=2),  # R-hat compares chains
        folds=None if folds is None else check_count("folds", folds, least=2),
        interval=check_positive("interval", interval, below=1),
        min_pairs=check_count("min_pairs", min_pairs),
        random_seed=_seed(random_seed),
        robust=bool(robust),
        cluster=check_choice("cluster", cluster, Clustering),
        pooling=check_choice("pooling", pooling, Pooling),
        exclude_from_pool=(exclude_from_pool,) if isinstance(exclude_from_pool, str) else tuple(exclude_from_pool),
        pair_effect=check_flag("pair_effect", pair_effect),
    )


def _seed(random_seed: int | np.random.Generator | None) -> int:
    if isinstance(random_seed, np.random.Generator):
        return int(random_seed.integers(2**32))
    if random_seed is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    return check_count("random_seed", random_seed, least=0)
