"""Who wrote the responses: the models of a judge's pairs, and how they fared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from prefdissect._typing import FloatArray, IntArray, Unparsed
from prefdissect.data import PreferenceData
from prefdissect.data.cells import plain
from prefdissect.errors import DataError
from prefdissect.features import preferences
from prefdissect.terms import GENERATOR, SIDES

__all__ = ["Field", "has_models", "models_of"]

_UNREAD, _NOT_TOLD, _TO_ITSELF = "verdict could not be read", "model not named", "both responses of one model"


@dataclass(frozen=True, eq=False)
class Field:
    """The pairs of one judge in which two models meet.

    Parameters
    ----------
    judge, models
        Whose verdicts, and the models in them.
    a, b, y, cluster
        Of each pair: number of A's model and of B's, preference for A (ties 1/2), and cluster, [pair].
    n_unparsed
        Verdicts of each model's pairs that could not be read, [model].
    baseline
        The one model that is in every pair, if there are others beside its opponent; else None.
    left_out
        judge, reason, n: pairs that take no part.
    """

    judge: str
    models: tuple[str, ...]
    a: IntArray
    b: IntArray
    y: FloatArray
    cluster: IntArray
    n_unparsed: tuple[int, ...]
    baseline: int | None
    left_out: pd.DataFrame

    @property
    def columns(self) -> list[str]:
        """Names of the models' columns in a design."""
        return [GENERATOR + model for model in self.models]


def has_models(data: PreferenceData) -> bool:
    """Whether the data name the models of both responses, of some pair at least."""
    return all(side in data.pairs and plain(data.pairs[side]).notna().any() for side in SIDES)


def models_of(data: PreferenceData, judge: str, unparsed: Unparsed) -> Field:
    """Return the pairs in which two models meet before this judge.

    Raises
    ------
    DataError
        If there is none.
    """
    names = [plain(data.pairs[side]) for side in SIDES]
    y, weight, why = (part[:, 0] for part in preferences(data, [judge], "half"))
    unread = why == "invalid verdict"
    judged = (weight > 0) | unread
    named = (names[0].notna() & names[1].notna()).to_numpy(dtype=bool)
    same = named & (names[0].astype(str) == names[1].astype(str)).to_numpy(dtype=bool)
    met = judged & named & ~same
    if not met.any():
        raise DataError(
            f"judge {judge!r} judged no pair of two different models (columns {SIDES[0]} and {SIDES[1]}), so there is "
            "nothing to rank"
        )
    both = [names[s].astype(str).to_numpy(dtype=object) for s in (0, 1)]
    models, codes = np.unique(np.concatenate([side[met] for side in both]).astype(str), return_inverse=True)
    a, b = codes.reshape(2, -1)
    counted = met & (~unread if unparsed == "drop" else np.ones(len(met), dtype=bool))
    take, missing = counted[met], unread[met]
    reasons = {_NOT_TOLD: judged & ~named, _TO_ITSELF: judged & same, _UNREAD: met & unread & ~counted}
    left_out = [{"judge": judge, "reason": reason, "n": int(flags.sum())} for reason, flags in reasons.items()]
    return Field(
        judge=judge,
        models=tuple(map(str, models)),
        a=a[take],
        b=b[take],
        y=y[met][take],
        cluster=pd.factorize(data.pairs["cluster"].to_numpy(dtype=object)[counted])[0].astype(np.int64),
        n_unparsed=tuple(int((missing & ((a == m) | (b == m))).sum()) for m in range(len(models))),
        baseline=_find_baseline(a, b, len(models)),
        left_out=pd.DataFrame([row for row in left_out if row["n"]], columns=["judge", "reason", "n"]),
    )


def _find_baseline(a: IntArray, b: IntArray, n: int) -> int | None:
    """Return the model that all others met, where it is one alone."""
    always = [m for m in range(n) if bool(((a == m) | (b == m)).all())]
    return always[0] if len(always) == 1 else None
