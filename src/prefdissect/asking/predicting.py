"""The probability that A is preferred in pairs that may be new."""

from __future__ import annotations

import pandas as pd

from prefdissect import tables
from prefdissect.asking.fitted import Fitted
from prefdissect.data import PreferenceData, Source, load
from prefdissect.features import groups_like
from prefdissect.schema import PropertySchema
from prefdissect.text import TEXT, rate_like

__all__ = ["PredictsPairs"]


class PredictsPairs(Fitted):
    """The method of `Dissection` that predicts."""

    def predict(self, data: Source) -> pd.DataFrame:
        """Return the probability that A is preferred in each pair of `data`, with its interval.

        One row per judge, group and pair: a pair is predicted by each fitted group that it belongs
        to; a pair that belongs to none has one row without group and probability. Schema, encoding
        and scales are those of the fit. See `tables.prediction_table`.

        Raises
        ------
        UnknownNameError
            If the pairs lack a property, or none is in a fitted group.
        """
        encoder = self.design.encoder
        data = _load_new(data, encoder.schema)
        in_group = groups_like(data, self.design, self.options["by"])
        x = self.design.complete(encoder.encode(data), data)
        return tables.prediction_table(self.design, self.fitted, x, data.pairs.index, in_group)


def _load_new(data: Source, schema: PropertySchema) -> PreferenceData:
    """Return pairs to predict, whose verdicts are not needed; what `TEXT` has and they lack is measured."""
    if isinstance(data, PreferenceData):
        return rate_like(data, schema)
    if any(prop in TEXT.properties for prop in schema):
        return rate_like(load(data, schema=schema), schema)
    return load(data, schema=schema, properties=list(schema.ids), judges=[])
