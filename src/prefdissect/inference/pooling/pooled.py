"""What a pooled fit tells beside the weights: layers, scales, judges unlike the others, held-out gain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from prefdissect._typing import BoolArray, FloatArray
from prefdissect.inference.pooling.layers import LAYERS

__all__ = ["UNLIKE", "Pooled", "layers_table", "scales_table"]

UNLIKE = 3.0  # factor above which a judge is unlike the others; of 6,400 simulated judges like them 0.6% are above


@dataclass(frozen=True, eq=False)
class Pooled:
    """The layers of a pooled fit, in log-odds of one verdict.

    Parameters
    ----------
    judges, groups
        Those that were pooled.
    mean, sd
        Layer to the posterior of its effects: `common` [column], `judge` [judge, column], `scenario` [group, column].
    scale
        Standard deviation of each layer, [layer, column]; 0 where a layer is absent.
    judge_factor, cell_factor
        By what the variances of a judge's own layers are multiplied, [judge].
    pair_sd
        Standard deviation of what a pair has that all judges see and no property names, in log-odds given the pair; 0
        where it was not looked for.
    attenuation
        By what weights given the pair's effect were multiplied to be those of one verdict; the mean over rows, which
        differ a little where judges tie.
    sampled
        Whether scales were drawn along with the weights, or else are the likeliest.
    gain
        See `Dissection.pooling_gain`; empty until it is measured.
    """

    judges: tuple[str, ...]
    groups: tuple[str, ...]
    mean: dict[str, FloatArray]
    sd: dict[str, FloatArray]
    scale: FloatArray
    judge_factor: FloatArray
    cell_factor: FloatArray
    pair_sd: float
    attenuation: float
    sampled: bool
    gain: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can hold them."""
        plain = asdict(self) | {"gain": self.gain.to_dict("list")}
        return {name: _listed(value) for name, value in plain.items()}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Pooled:
        """Return what `to_dict` was made of."""
        arrays = {name: np.array(fields[name], dtype=float) for name in ("scale", "judge_factor", "cell_factor")}
        layers = {key: {k: np.array(v, dtype=float) for k, v in fields[key].items()} for key in ("mean", "sd")}
        names = {key: tuple(fields[key]) for key in ("judges", "groups")}
        gain = pd.DataFrame(fields["gain"]).astype({"judge": "str"}) if fields["gain"] else pd.DataFrame()
        return cls(**(fields | arrays | layers | names | {"gain": gain}))

    @property
    def factor(self) -> FloatArray:
        """The larger of a judge's two factors, [judge]."""
        return np.maximum(self.judge_factor, self.cell_factor)


def _listed(value: Any) -> Any:
    """Return arrays as lists, inside of mappings as well."""
    if isinstance(value, dict):
        return {name: _listed(one) for name, one in value.items()}
    return value.tolist() if isinstance(value, np.ndarray) else value


def layers_table(pooled: Pooled, properties: Sequence[str], kept: BoolArray, interval: float) -> pd.DataFrame:
    """Return one row per effect: layer, judge, group, property, mean, sd, lower, upper. `kept` says what is a property.

    `judge` and `group` are missing where a layer does not vary over them.
    """
    z = float(ndtri((1 + interval) / 2))
    names: dict[str, list[tuple[str | None, str | None]]] = {
        "common": [(None, None)],
        "judge": [(judge, None) for judge in pooled.judges],
        "scenario": [(None, group) for group in pooled.groups],
    }
    parts = []
    for layer, of in names.items():
        if not pooled.scale[LAYERS.index(layer)].any():
            continue
        mean, sd = (np.atleast_2d(values[layer])[:, kept].ravel() for values in (pooled.mean, pooled.sd))
        rows = [(layer, judge, group, name) for judge, group in of for name in properties]
        part = pd.DataFrame(rows, columns=["layer", "judge", "group", "property"])
        parts.append(part.assign(mean=mean, sd=sd, lower=mean - z * sd, upper=mean + z * sd))
    table = pd.concat(parts, ignore_index=True).astype(dict.fromkeys(["layer", "judge", "group", "property"], "str"))
    table.attrs = {"interval": interval, "interval_kind": "equal-tailed"}
    return table


def scales_table(pooled: Pooled, properties: Sequence[str], kept: BoolArray) -> pd.DataFrame:
    """Return how large each layer is: layer, property, sd (log-odds; 0: the layer is absent).

    The last row is the layer `pair`, without a property: what all judges of a pair see and no property names.
    """
    rows = [
        (layer, name, sd)
        for k, layer in enumerate(LAYERS)
        for name, sd in zip(properties, pooled.scale[k, kept], strict=True)
    ]
    table = pd.DataFrame([*rows, ("pair", None, pooled.pair_sd)], columns=["layer", "property", "sd"])
    return table.astype({"layer": "str", "property": "str"})
