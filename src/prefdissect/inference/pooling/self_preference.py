"""Does a judge prefer what it wrote itself: a column for each generator, and one for being the judge's own.

One judge alone cannot tell: what it gives its own responses beyond their properties may be what they deserve. Other
judges say what they deserve, so that generators need effects that judges share, and the judge's own stands beside
them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from prefdissect._typing import FloatArray
from prefdissect.data import PreferenceData
from prefdissect.data.cells import plain
from prefdissect.errors import DataError, OptionError
from prefdissect.features import Design
from prefdissect.inference.options import FitOptions
from prefdissect.inference.posterior import Posterior

__all__ = ["OWN", "check_self_preference", "own_column", "self_preference_table"]

OWN = "(own response)"  # how the column is named; no property has such a name


def check_self_preference(data: PreferenceData, judges: Sequence[str], options: FitOptions) -> None:
    """Raise where self-preference cannot be told.

    Raises
    ------
    OptionError
        Without pooling, with one judge, or with one set of weights for all.
    DataError
        If the data do not say who wrote the responses, or which judge is one of them.
    """
    pooled = [name for name in judges if name not in options.exclude_from_pool]
    if options.pooling != "partial" or len(pooled) < 2:
        raise OptionError(
            "self_preference=True needs pooling='partial' and two judges or more in the pool: what one judge gives its "
            "own responses may be what they deserve, and only other judges can tell; got "
            f"pooling={options.pooling!r} and {len(pooled)} judge{'s' * (len(pooled) != 1)}"
        )
    if not {"model_a", "model_b"} <= set(data.pairs.columns):
        raise DataError("self_preference=True needs the columns model_a and model_b, who wrote each response")
    known = set(_generators(data))
    own = {judge: name for judge, name in _judge_generators(data).items() if judge in pooled}
    if not known & set(own.values()):
        raise DataError(
            "self_preference=True needs to know which judge is which generator: a column judge_generator of verdicts "
            f"that names one of {sorted(known)}; known of the judges in the pool: {own or 'nothing'}"
        )


def own_column(data: PreferenceData, design: Design) -> FloatArray:
    """Return for each row and judge whether A (1) or B (-1) is the judge's own response, [row, judge]."""
    a, b = (side.reindex(design.pair_ids).to_numpy(dtype=object) for side in _written(data))
    own = _judge_generators(data)
    names = [own.get(judge) for judge in design.judges]
    return np.stack([(a == name) * 1.0 - (b == name) if name else np.zeros(len(a)) for name in names], axis=1)


def self_preference_table(data: PreferenceData, posterior: Posterior) -> pd.DataFrame:
    """Return by how much each judge prefers its own responses: judge, generator, mean, sd, lower, upper (log-odds)."""
    rows = []
    at, own, known = posterior.columns.index(OWN), _judge_generators(data), set(_generators(data))
    for judge in posterior.judges:
        fits = [posterior.fits[judge, group] for group in posterior.groups if (judge, group) in posterior.fits]
        if own.get(judge) in known and fits and fits[0].engine == "pooled":
            one = fits[0]  # the same in every group
            rows.append((judge, own[judge], one.mean[at], one.sd[at], one.lower[at], one.upper[at]))
    table = pd.DataFrame(rows, columns=["judge", "generator", "mean", "sd", "lower", "upper"])
    table.attrs = {"interval": posterior.interval, "interval_kind": "equal-tailed"}
    return table.astype({"judge": "str", "generator": "str"})


def _written(data: PreferenceData) -> list[pd.Series]:
    """Return who wrote A, and who wrote B, as text; None where that is not told."""
    sides = [plain(data.pairs[name]).astype(object) for name in ("model_a", "model_b")]
    return [side.where(side.isna(), side.astype(str)).where(side.notna(), None) for side in sides]


def _generators(data: PreferenceData) -> list[str]:
    """Return the generators that met another one in some pair, by name."""
    a, b = _written(data)
    met = (a != b) & a.notna() & b.notna()
    return sorted({str(name) for side in (a, b) for name in side[met]})


def _judge_generators(data: PreferenceData) -> dict[str, str]:
    """Return the generator that each judge is, of those that verdicts name.

    Raises
    ------
    DataError
        If a judge is said to be two.
    """
    if "judge_generator" not in data.verdicts:
        return {}
    known = data.verdicts[["judge", "judge_generator"]].dropna().astype(str).drop_duplicates()
    twice = known[known["judge"].duplicated(keep=False)]
    if len(twice):
        judge = twice["judge"].iloc[0]
        names = sorted(twice.loc[twice["judge"] == judge, "judge_generator"])
        raise DataError(
            f"judge {judge!r} is said to be {len(names)} generators (column judge_generator of verdicts): "
            f"{', '.join(names[:5])}; name one, or make them two judges"
        )
    return dict(zip(known["judge"], known["judge_generator"], strict=True))
