"""What an engine returns for one fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prefdissect._typing import Engine, FloatArray, IntArray

__all__ = ["Draws", "Ridges"]


@dataclass(frozen=True, eq=False)
class Ridges:
    """Columns whose marginals expectation propagation cannot be trusted with, see `find_ridged`.

    Parameters
    ----------
    columns
        Which they are, [ridged].
    pull
        In draw t of the other weights, weight k is proportional to exp(pull_tk b - precision_kk b**2 / 2) times
        its prior: [draw, ridged].
    """

    columns: IntArray
    pull: FloatArray


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
    ridges
        Of `ep` only, whose tables rest on the stand-in, not on draws, but for these.
    """

    weight: FloatArray
    r_hat: FloatArray
    ess_bulk: FloatArray
    engine: Engine
    certified: bool
    certificate: Mapping[str, float]
    ridges: Ridges | None = None
