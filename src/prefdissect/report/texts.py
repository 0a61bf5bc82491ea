"""Which texts a page shows."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from prefdissect.data import PreferenceData
from prefdissect.data.flags import FLAG
from prefdissect.errors import DataError
from prefdissect.inference import stream_of

__all__ = ["Texts", "choose_texts", "why_none"]

Texts: TypeAlias = Literal["sample"] | bool
SAMPLE = 200  # pairs
_OF_THE_CONTRACT = {"prompt_id", "response_id_a", "response_id_b", "cluster", "model_a", "model_b", FLAG}


def why_none(texts: Texts) -> str:
    """Say why a page holds no texts, and how to have them.

    >>> why_none(False)
    'it was written without them (texts=False, --texts none).'
    """
    if texts is False:
        return "it was written without them (texts=False, --texts none)."
    return (
        "the dissection had none, as one that was saved has none. Where they are is said by data= of report(), "
        "or --data of the command line."
    )


def choose_texts(
    texts: Texts, own: PreferenceData, given: PreferenceData | None, *, random_seed: int
) -> pd.DataFrame | None:
    """Return what the sources say of pairs in words, of all pairs or a sample of 200; None if nothing is shown.

    `given` has the texts where the data of the dissection do not, by the same pair ids.

    Raises
    ------
    DataError
        If `given` has none of the pairs, or texts that were asked for are nowhere.
    """
    if texts is False:
        return None
    source = (own if given is None else given).pairs
    known = own.pairs.index[own.pairs.index.isin(source.index)]
    if given is not None and not len(known):
        raise DataError(
            f"data= has none of the pairs of this dissection: its first pair is {str(source.index[0])!r}, that of the "
            f"dissection {str(own.pairs.index[0])!r}; load it with the same options"
        )
    columns = [str(name) for name in source.columns if name not in _OF_THE_CONTRACT]
    if not {"prompt", "response_a", "response_b"} & set(columns):
        if texts is True or given is not None:
            raise DataError(
                "texts=True, but there are none: a dissection is saved without them; name the pairs with their texts "
                "in data= (--data), or say texts=False"
            )
        return None
    if texts == "sample" and len(known) > SAMPLE:
        chosen = stream_of(random_seed, "texts of a report").choice(len(known), SAMPLE, replace=False)
        known = known[np.sort(chosen)]
    return source.loc[known, columns]
