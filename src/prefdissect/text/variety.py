"""How varied the words are, and how often the same is said again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["moving_average_ttr", "share_repeated"]


def moving_average_ttr(words: Sequence[str], window: int) -> float:
    """Return the mean share of different words in all stretches of `window` words; NaN if there is none.

    Every stretch has the same length, so a long text is not called poor for being long. A word is
    new in the stretches that hold it and not its previous occurrence; these are counted, so that
    one pass suffices. Source: Covington & McFall 2010, "Cutting the Gordian knot: the
    moving-average type-token ratio (MATTR)".

    Examples
    --------
    >>> from prefdissect.text.variety import moving_average_ttr
    >>> moving_average_ttr("a b a a".split(), window=2)  # a b, b a, a a
    0.8333333333333334
    """
    last_start = len(words) - window
    if last_start < 0 or window < 1:
        return float("nan")
    seen: dict[str, int] = {}
    previous = []
    for at, word in enumerate(words):
        previous.append(seen.get(word, -1))
        seen[word] = at
    at_all = np.arange(len(words))
    first = np.maximum(np.array(previous) + 1, at_all - window + 1)
    new = np.maximum(np.minimum(at_all, last_start) - first + 1, 0).sum()
    return float(new) / (window * (last_start + 1))


def share_repeated(words: Sequence[str], n: int) -> float:
    """Return the share of runs of `n` words that stood in the text before; 0 where there is no run.

    Source: the share of duplicate n-grams of Welleck et al. 2020 (rep-n), over one response.

    Examples
    --------
    >>> from prefdissect.text.variety import share_repeated
    >>> share_repeated("to be or not to be".split(), n=2)  # to-be again, of five runs
    0.2
    """
    runs = len(words) - n + 1
    if runs < 1:
        return 0.0
    return (runs - len(set(zip(*(words[k:] for k in range(n)), strict=False)))) / runs
