"""What pooled fits have in common, and whether pooling paid."""

from __future__ import annotations

import pandas as pd

from prefdissect.asking.fitted import Fitted
from prefdissect.errors import OptionError
from prefdissect.inference import OWN, Pooled, layers_table, scales_table, self_preference_table

__all__ = ["TellsOfPooling"]


class TellsOfPooling(Fitted):
    """The properties of `Dissection` that pooled fits have."""

    @property
    def layers(self) -> pd.DataFrame:
        """What weights are made of: layer (common, judge, scenario), judge, group, property, mean, sd, lower, upper.

        A weight is the sum of its layers and of what is its cell's own. `common` is what to expect of a judge and a
        group not yet seen. Raises `OptionError` without pooling.
        """
        return layers_table(self._pooled, self.properties, self._kept, self.fitted.interval)

    @property
    def scales(self) -> pd.DataFrame:
        """How much weights vary over each layer: layer, property, sd in log-odds; 0 where a layer is absent.

        The last row is what pairs have that all judges see and no property names. Raises `OptionError` without pooling.
        """
        return scales_table(self._pooled, self.properties, self._kept)

    @property
    def pooling_gain(self) -> pd.DataFrame:
        """Held-out log loss of fits apart and pooled: judge, n, apart, pooled, gain, se, factor; the last row is all.

        Five folds, clusters of pairs left out whole and for all judges at once; nats a verdict, at posterior means; a
        gain above 0 speaks for pooling. `factor`: by what the variance of a judge's own layers is multiplied; above 3
        a judge is unlike the others. Raises `OptionError` without pooling.
        """
        return self._pooled.gain.copy()

    @property
    def self_preference(self) -> pd.DataFrame:
        """By how much judges prefer their own responses, generators and properties held equal; log-odds.

        judge, generator, mean, sd, lower, upper: one row per judge that is known to be a generator. Raises
        `OptionError` without `self_preference=True`.
        """
        if OWN not in self.fitted.columns:
            raise OptionError("nobody asked for it; dissect with pooling='partial', self_preference=True")
        return self_preference_table(self.data, self.fitted)

    @property
    def _pooled(self) -> Pooled:
        if self.fitted.pooled is None:
            raise OptionError("these fits are not pooled; dissect with pooling='partial' (or 'full')")
        return self.fitted.pooled
