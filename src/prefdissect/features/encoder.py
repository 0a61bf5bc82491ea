"""Pairs to signed columns, and what must be kept so that new pairs are encoded alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from prefdissect._typing import Encoding, FloatArray
from prefdissect.data import PreferenceData
from prefdissect.errors import UnknownNameError, choices
from prefdissect.schema import PropertySchema

__all__ = ["Encoder", "build_encoder"]

_SCALE_QUANTILE = 0.95  # of |difference|: what norm_diff calls 1 for a number without a scale


@dataclass(frozen=True)
class Encoder:
    """How pairs become signed columns; kept, so that new pairs are encoded alike.

    Parameters
    ----------
    schema
        The properties, in the order of the columns.
    encoding
        `comparison` (-1, 0, 1), `diff` (in the unit of the rating) or `norm_diff` (-1 to 1).
    scales
        Property id to the difference that `norm_diff` calls 1.
    """

    schema: PropertySchema
    encoding: Encoding
    scales: Mapping[str, float]

    def encode(self, data: PreferenceData) -> FloatArray:
        """Return the columns of all pairs, shape [pair, property], NaN where a rating is missing.

        Raises
        ------
        UnknownNameError
            If `data` lacks a property.
        """
        encoded = np.full((len(data), len(self.schema)), np.nan)
        for k, prop in enumerate(self.schema):
            if prop.id not in data.properties:
                raise UnknownNameError(f"the data lack property {prop.id!r}; {choices(prop.id, data.properties)}")
            at = data.properties.index(prop.id)
            given = data.comparisons[:, at]
            scale = self.scales.get(prop.id)
            if np.isfinite(given).any():
                encoded[:, k] = prop.encode_difference(given, self.encoding, scale=scale)
            else:
                a, b = data.ratings[:, 0, at], data.ratings[:, 1, at]
                encoded[:, k] = prop.encode(a, b, self.encoding, scale=scale)
        return encoded


def build_encoder(data: PreferenceData, encoding: Encoding) -> Encoder:
    """Return the encoder of these data, with the scales that the schema leaves to be learned."""
    scales = {}
    for k, prop in enumerate(data.schema):
        given = data.comparisons[:, k]
        difference = np.abs(given if np.isfinite(given).any() else data.ratings[:, 0, k] - data.ratings[:, 1, k])
        if prop.norm_scale is not None:
            scales[prop.id] = prop.norm_scale
        elif prop.kind == "number":
            scales[prop.id] = _typical(difference[np.isfinite(difference)])
    return Encoder(data.schema, encoding, scales)


def _typical(difference: FloatArray) -> float:
    """Return the 95th percentile; the largest if that is 0, and 1 if nothing differs at all."""
    if not difference.size:
        return 1.0
    return float(np.quantile(difference, _SCALE_QUANTILE) or difference.max() or 1.0)
