"""How two ratings become one signed number: comparison, diff and norm_diff.

Pure functions on arrays. Every rule is antisymmetric: swapping A and B flips the sign. The
rules are those of Li et al. 2024 (ACL), as their released code applies them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from prefdissect._typing import Encoding, FloatArray
from prefdissect.errors import OptionError

if TYPE_CHECKING:
    from prefdissect.schema.property import Property

__all__ = ["compare_words", "encode_differences", "encode_ratings", "normalise", "normalise_words"]

# A response of s words, s <= 11, is clearly shorter than one of at least _LONGER_THAN[s] words.
_LONGER_THAN = np.array([1, 3, 5, 7, 8, 10, 11, 13, 14, 16, 17, 19])
# Above that: shorter than this share of the longer one, and by at least so many words.
_SHARE_AND_GAP = ((0.7, 10), (0.8, 20), (0.9, 40))
_ROUNDING = 8 * np.finfo(float).eps  # a mean of thirds may be off in its last digits: that is no difference
_WORDS_FOR_ONE = 500  # a difference of 500 words is 1 on the normalised scale


def encode_ratings(prop: Property, a: FloatArray, b: FloatArray, encoding: Encoding, scale: float | None) -> FloatArray:
    """Encode ratings of A and B, shape [pair]; NaN where one of them is NaN."""
    if prop.kind == "words":
        return prop.sign * _WORDS_RULES[encoding](a, b)
    difference = np.where(np.abs(a - b) <= _ROUNDING * np.maximum(np.abs(a), np.abs(b)), 0.0, a - b)
    if encoding == "comparison" and prop.compare == "nonzero":
        missing = np.isnan(difference)
        return prop.sign * np.where(missing, np.nan, (a > 0).astype(float) - (b > 0))
    return prop.sign * _encode(prop, difference, encoding, scale)


def encode_differences(prop: Property, difference: FloatArray, encoding: Encoding, scale: float | None) -> FloatArray:
    """Encode ready-made differences, shape [pair], already positive where A has more of the property."""
    if encoding != "comparison" and prop.kind != "number":
        raise OptionError(
            f"encoding={encoding!r} needs ratings of both responses, but property {prop.id!r} "
            f"(kind {prop.kind!r}) comes as comparisons only; use encoding='comparison'"
        )
    return _encode(prop, difference, encoding, scale)


def _encode(prop: Property, difference: FloatArray, encoding: Encoding, scale: float | None) -> FloatArray:
    """Apply the threshold, then the encoding, to differences in the unit of the rating."""
    beyond = np.where(np.abs(difference) < prop.threshold, 0.0, difference)
    if encoding == "comparison":
        return np.sign(beyond)
    if encoding == "diff":
        return beyond
    if scale is None:
        raise OptionError(f"property {prop.id!r} has no scale to normalise by; state `scale` or fit it on data")
    return normalise(beyond, scale)


def normalise(difference: FloatArray, scale: float) -> FloatArray:
    """Return differences on a scale on which `scale` and all beyond it are 1."""
    return np.clip(difference / scale, -1.0, 1.0)


def compare_words(a: FloatArray, b: FloatArray) -> FloatArray:
    """Compare numbers of words: 1 where A is clearly longer, -1 where B is, else 0.

    The shorter one must fall short of a share of the longer one that grows with the gap:
    0.7 and 10 words, 0.8 and 20, or 0.9 and 40; below 12 words a table decides.
    """
    short, long = np.minimum(a, b), np.maximum(a, b)
    gap = long - short
    tiny = short <= len(_LONGER_THAN) - 1
    row = np.where(tiny, np.nan_to_num(short), 0).astype(int)
    clear = np.where(tiny, long >= _LONGER_THAN[row], False)
    for share, least in _SHARE_AND_GAP:
        clear |= ~tiny & (short <= share * long) & (gap >= least)
    return np.where(np.isnan(gap), np.nan, np.where(clear, np.sign(a - b), 0.0))


def normalise_words(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the difference in words on a log scale on which 500 words and more are 1."""
    difference = a - b
    size: FloatArray = np.log1p(np.abs(difference)) / np.log1p(_WORDS_FOR_ONE)
    return np.sign(difference) * np.minimum(size, 1.0)


_WORDS_RULES: dict[Encoding, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "comparison": compare_words,
    "diff": lambda a, b: a - b,
    "norm_diff": normalise_words,
}
