"""From arrays to JSON, in the smallest numbers that are exact, and from JSON to text that cannot be markup."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prefdissect._typing import FloatArray

__all__ = ["compress", "pack", "pack_within"]

_MISSING = {"<i1": -128, "<i2": -32768}


def pack(values: Any) -> dict[str, Any]:
    """Return an array as its type, shape and bytes, little-endian: whole numbers as small integers, others as float32.

    NaN is the lowest number of an integer type.
    """
    array = np.asarray(values, dtype=float)
    known = array[~np.isnan(array)]
    for kind, missing in _MISSING.items():
        if (np.abs(known) < -missing).all() and (known == np.round(known)).all():
            return _packed(np.where(np.isnan(array), missing, array).astype(kind))
    return _packed(array.astype("<f4"))


def pack_within(values: FloatArray, reach: FloatArray) -> dict[str, Any]:
    """Return values in [-reach, reach] as 127ths of it, one byte each; NaN is -128."""
    share = np.divide(values, reach, out=np.zeros_like(values, dtype=float), where=reach > 0)
    whole = np.where(np.isnan(values), -128, np.round(np.clip(share, -1, 1) * 127))
    return _packed(whole.astype("<i1"))


def _packed(array: NDArray[Any]) -> dict[str, Any]:
    return {
        "type": array.dtype.str[1:],
        "shape": list(array.shape),
        "bytes": base64.b64encode(array.tobytes()).decode(),
    }


def compress(value: Any) -> str:
    """Return JSON, compressed (gzip), in base64: no character of it has a meaning in HTML.

    Whatever is not ASCII is escaped first, so that even halves of characters, which some sources have, are kept.
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode("ascii"), compresslevel=5, mtime=0)).decode()
