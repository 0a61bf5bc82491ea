"""The data of one fit: what one judge said of the pairs of one group."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from prefdissect._typing import BoolArray, FloatArray, IntArray, TieModel

__all__ = ["Cell"]


@dataclass(frozen=True)
class Cell:
    """What one judge said of the pairs of one group: the data of one fit.

    `x` is [row, column], `y` [row] in [0, 1], `weight` [row] above 0; rows of one `cluster` [row] are not independent.
    Where `ties` names a model of ties, `tied` [row] is the share of a row's weight in ties, which count half in `y`,
    and `open` [row] the share in verdicts that could have been ties. `pair` [row] numbers
    the pairs; where it is empty each row is one.
    """

    judge: str
    group: str
    x: FloatArray
    y: FloatArray
    weight: FloatArray
    cluster: IntArray
    ties: TieModel | None = None
    tied: FloatArray = field(default_factory=lambda: np.empty(0))
    open: FloatArray = field(default_factory=lambda: np.empty(0))
    pair: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.y)

    @property
    def n_pairs(self) -> int:
        """The number of pairs: each has a row for each order that it was shown in."""
        return len(np.unique(self.pair)) if len(self.pair) else len(self.y)

    def decided(self) -> Cell:
        """Return the cell without ties, which under Davidson's model have nothing to say of A against B."""
        if self.ties is None:
            return self
        left = 1 - self.tied
        kept = np.flatnonzero(left > 1e-9)
        y = np.clip((self.y - self.tied / 2)[kept] / left[kept], 0.0, 1.0)
        return replace(self.take(kept), y=y, weight=(self.weight * left)[kept], ties=None)

    def only(self, column: int) -> Cell:
        """Return the cell with this column only."""
        return replace(self, x=np.ascontiguousarray(self.x[:, [column]]))

    def take(self, rows: IntArray | BoolArray) -> Cell:
        """Return the cell with these rows only."""
        named = ("x", "y", "weight", "cluster", "tied", "open", "pair")
        return replace(self, **{n: getattr(self, n)[rows] for n in named if len(getattr(self, n))})
