"""The engines by name, and which one takes over where another's certificate fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from prefdissect._typing import Engine
from prefdissect.inference.certificate import FEW_DRAWS, moved_well
from prefdissect.inference.draws import Draws
from prefdissect.inference.ep import StandIn
from prefdissect.inference.fit_data import FitData
from prefdissect.inference.nuts import sample_nuts
from prefdissect.inference.prior import PriorArrays
from prefdissect.inference.surrogate import sample_ep, sample_exact

__all__ = ["ORDER", "draw"]

ORDER: tuple[Engine, ...] = ("ep", "exact", "nuts")  # each takes over from the one before it


class _Sampler(Protocol):
    def __call__(
        self,
        data: FitData,
        prior: PriorArrays,
        standin: StandIn,
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
    standin: StandIn,
    *,
    engine: Engine,
    draws: int,
    kept: int,
    chains: int,
    rng: np.random.Generator,
    on_share: Callable[[float], object],
) -> Draws:
    """Return draws by `engine` or, where its certificate fails, by the next one; if all fail, the best of them.

    Of `draws` a chain, `kept` are wanted in the end: the tables of `ep` need no more. Where few
    draws are asked for, no sampler could be certified, and none takes over from one that moved well. `on_share`
    is called with shares of the work, which add up to 1.
    """
    few, failed = draws * chains < FEW_DRAWS, []
    for name in ORDER[ORDER.index(engine) :]:
        drawn = _SAMPLERS[name](
            data,
            prior,
            standin,
            draws=kept if name == "ep" else draws,
            chains=chains,
            rng=rng if name == engine else rng.spawn(1)[0],  # not moved by how much the engine before it drew
            on_share=on_share if name == engine else _ignore,
        )
        if drawn.certified or (name != "ep" and few and moved_well(drawn.certificate)):
            return drawn
        failed.append(drawn)
    return min(failed, key=_disagreement)


def _disagreement(drawn: Draws) -> float:
    """Return the largest R-hat, infinite where there is none."""
    return float(np.nan_to_num(drawn.r_hat, nan=np.inf).max())


def _ignore(share: float) -> None:
    """Take no note of progress: the fit has been counted."""
