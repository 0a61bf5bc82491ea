"""The engines by name, and which one takes over where another's certificate fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from prefdissect._typing import Engine
from prefdissect.inference.certificate import FEW_DRAWS
from prefdissect.inference.draws import Draws
from prefdissect.inference.fit_data import FitData
from prefdissect.inference.nuts import sample_nuts
from prefdissect.inference.prior import PriorArrays
from prefdissect.inference.surrogate import LEAST_COMPARED, sample_ep, sample_exact

__all__ = ["ORDER", "draw"]

ORDER: tuple[Engine, ...] = ("ep", "exact", "nuts")  # each takes over from the one before it


class _Sampler(Protocol):
    def __call__(
        self,
        data: FitData,
        prior: PriorArrays,
        *,
        draws: int,
        chains: int,
        rng: np.random.Generator,
        on_share: Callable[[float], object],
    ) -> Draws: ...


_SAMPLERS: dict[Engine, _Sampler] = {"ep": sample_ep, "exact": sample_exact, "nuts": sample_nuts}


def draw(
    data: FitData,
    prior: PriorArrays,
    *,
    engine: Engine,
    draws: int,
    kept: int,
    chains: int,
    rng: np.random.Generator,
    on_share: Callable[[float], object],
) -> Draws:
    """Return draws by `engine` or, where its certificate fails, by the next one.

    Of `draws` a chain, `kept` are wanted in the end: the tables of `ep` need no more. Where few
    draws are asked for, no sampler could be certified, and none takes over. `on_share` is called with
    shares of the work, which add up to 1.
    """
    for name in ORDER[ORDER.index(engine) :]:
        drawn = _SAMPLERS[name](
            data,
            prior,
            draws=max(kept, -(-LEAST_COMPARED // chains)) if name == "ep" else draws,
            chains=chains,
            rng=rng,
            on_share=on_share if name == engine else _ignore,
        )
        if drawn.certified or (name != "ep" and draws * chains < FEW_DRAWS):
            break
    return drawn


def _ignore(share: float) -> None:
    """Take no note of progress: the fit has been counted."""
