"""Columns x layers: which part of a weight varies over what, and how much of that is known beforehand.

The weight of a column for judge j in scenario s is a sum of layers,

    weight[s, j] = common + judge[j] + scenario[s] + cell[s, j],

each Normal around 0 with a variance that is learned, fixed, or pinned to 0. Fits apart, one fit for all, and
everything between are pins in that table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from prefdissect._typing import FloatArray

__all__ = ["LAYERS", "How", "LayerTable", "Variances", "arrange_layers"]

Layer: TypeAlias = Literal["common", "judge", "scenario", "cell"]
How: TypeAlias = Literal["own", "shared", "fixed", "pinned"]  # learned per column or for all of its role; given; 0
LAYERS: tuple[Layer, ...] = ("common", "judge", "scenario", "cell")

_START = {"common": 0.3**2, "judge": 0.1**2, "scenario": 0.1**2, "cell": 0.1**2}  # of a property, log-odds squared
_COMMON_OF_NUISANCE, _JUDGE_OF_NUISANCE = 1.0, 0.3**2  # what is no property may well be large


@dataclass(frozen=True, eq=False)
class LayerTable:
    """For each layer and column the variance to begin from, and what becomes of it, both [layer, column].

    `role` [column] says which columns belong together: scales of one role are drawn towards each other.
    """

    variance: FloatArray
    how: NDArray[np.str_]
    role: NDArray[np.str_]

    def pin(self, *layers: Layer) -> LayerTable:
        """Return the table without these layers."""
        variance, how = self.variance.copy(), self.how.copy()
        for layer in layers:
            variance[LAYERS.index(layer)] = 0.0
            how[LAYERS.index(layer)] = "pinned"
        return LayerTable(variance, how, self.role)

    def fix(self, layer: Layer, variance: FloatArray) -> LayerTable:
        """Return the table with these variances [column] of a layer, which are not learned."""
        table = self.pin(layer)
        table.variance[LAYERS.index(layer)] = variance
        table.how[LAYERS.index(layer)] = "fixed"
        return table

    def has(self, layer: Layer) -> bool:
        """Whether any column has this layer."""
        return bool((self.how[LAYERS.index(layer)] != "pinned").any())


@dataclass(frozen=True, eq=False)
class Variances:
    """The variance of each layer.

    Parameters
    ----------
    layer
        Shape [layer, column].
    judge_factor, cell_factor
        By what the variances of a judge's own layers, judge and cell, are multiplied: 1 for most, large for a judge
        that is unlike the others. Shape [judge].
    pair_sd
        Of what a pair has that no column names and all judges see, log-odds.
    """

    layer: FloatArray
    judge_factor: FloatArray
    cell_factor: FloatArray
    pair_sd: float = 0.0

    @property
    def common(self) -> FloatArray:
        """Of the common layer, [column]."""
        return np.asarray(self.layer[0])

    @property
    def judge(self) -> FloatArray:
        """Of the judges' layer, [judge, column]."""
        return np.asarray(self.judge_factor[:, None] * self.layer[1])

    @property
    def scenario(self) -> FloatArray:
        """Of the scenarios' layer, [column]."""
        return np.asarray(self.layer[2])

    @property
    def cell(self) -> FloatArray:
        """Of the cells' layer, [judge, column]; the same in every scenario."""
        return np.asarray(self.cell_factor[:, None] * self.layer[3])


def arrange_layers(roles: Sequence[str], n_judges: int, n_scenarios: int) -> LayerTable:
    """Return the table for so many judges and scenarios: layers that nothing tells apart are one.

    With one scenario a judge is a cell, and with one judge a scenario is. What is no property has no scenario and no
    cell layer: being shown first is a habit of the judge. Roles are `property`, `generator` and whatever else is none.

    Examples
    --------
    >>> arrange_layers(("property", "nuisance"), 8, 1).how.tolist()
    [['shared', 'fixed'], ['own', 'own'], ['pinned', 'pinned'], ['pinned', 'pinned']]
    """
    role = np.array(roles)
    is_property = role == "property"
    is_generator = role == "generator"
    variance = np.array([np.where(is_property, _START[layer], 0.0) for layer in LAYERS])
    variance[:2, ~is_property] = np.array([[_COMMON_OF_NUISANCE], [_JUDGE_OF_NUISANCE]])
    how = np.array([["shared"], ["own"], ["own"], ["own"]], dtype="U6").repeat(len(role), axis=1)
    how[0, ~is_property] = "fixed"
    how[2:, ~is_property] = "pinned"
    how[:2, is_generator] = "shared"  # no generator is known by itself
    table = LayerTable(variance, how, role)
    if n_scenarios == 1:
        table = table.pin("scenario", "cell")
    return table.pin("judge", "cell") if n_judges == 1 else table
