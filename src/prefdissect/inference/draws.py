"""What an engine returns for one fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prefdissect._typing import Engine, FloatArray, IntArray

__all__ = ["Draws", "Marginals"]


@dataclass(frozen=True, eq=False)
class Marginals:
    """What expectation propagation knows of each weight beside its draws.

    Parameters
    ----------
    mean, sd
        Of each column, [column].
    precision, pull
        In draw t of the others, weight k is proportional to exp(pull_tk b - precision_k b**2 / 2) times
        its prior: [column] and [draw, column].
    ridged, long_pull
        Columns that are strongly correlated with another, and the same for these over many more draws,
        [draw, ridged column]: there `sd` is off by some percent, and few conditionals are coarse.
    """

    mean: FloatArray
    sd: FloatArray
    precision: FloatArray
    pull: FloatArray
    ridged: IntArray
    long_pull: FloatArray


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
    marginals
        Known to `ep` only.
    """

    weight: FloatArray
    r_hat: FloatArray
    ess_bulk: FloatArray
    engine: Engine
    certified: bool
    certificate: Mapping[str, float]
    marginals: Marginals | None = None
