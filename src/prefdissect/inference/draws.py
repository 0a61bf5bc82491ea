"""What an engine returns for one cell."""

from __future__ import annotations

from dataclasses import dataclass

from prefdissect._typing import FloatArray

__all__ = ["Draws"]


@dataclass(frozen=True)
class Draws:
    """Draws of the weights of one cell, `weight` [chain, draw, column], and how sampling went."""

    weight: FloatArray
    divergences: int
