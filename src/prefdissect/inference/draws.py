"""What an engine returns for one fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prefdissect._typing import FloatArray, MadeBy

__all__ = ["Draws"]


@dataclass(frozen=True, eq=False)
class Draws:
    """Draws of the weights of one fit, and whether they can be relied on.

    Parameters
    ----------
    weight
        Shape [chain, draw, column].
    r_hat, ess_bulk
        Of each column, [column]; NaN where the engine makes no Markov chain of the posterior.
    engine, certified, certificate
        How the draws were made, whether that engine's own criteria hold, and the figures behind that.
    on_ridges
        Many draws, [draw, column], where the tables of `ep` rest on some; else None.
    """

    weight: FloatArray
    r_hat: FloatArray
    ess_bulk: FloatArray
    engine: MadeBy
    certified: bool
    certificate: Mapping[str, float]
    on_ridges: FloatArray | None = None
