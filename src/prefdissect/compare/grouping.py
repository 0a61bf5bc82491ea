"""Are judges of one class more alike than judges of different classes: a test that permutes judges."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement
from math import factorial, prod

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prefdissect._typing import FloatArray, IntArray, check_count
from prefdissect.errors import DataError, OptionError, UnknownNameError, choices

__all__ = ["GroupingTest", "grouping_test"]

_CHUNK = 500  # permutations at a time
_ROUNDING = 1e-12  # by which equal differences may differ


@dataclass(frozen=True, eq=False, repr=False)
class GroupingTest:
    """Mean similarities within and between classes of judges, and a permutation test of their difference.

    Parameters
    ----------
    table
        One row per two classes (one class twice: within it): class_a, class_b, n (pairs of judges), similarity (mean of
        the points), corrected, lower, upper (of the posterior, NaN where only points are known).
    difference
        Mean over all pairs within a class minus mean over all pairs of different classes, of the points.
    corrected, lower, upper
        The same of the posterior: mean and interval.
    p_value
        Share of permutations of the judges' classes, the real one included, with as large a difference: judges are
        permuted, never pairs, because the pairs of one judge are not independent.
    permutations, exact
        How many there were besides the real one, and whether these are all that differ: with few of them no p-value can
        be small.
    left_out
        Judges without a class, or without a stratum where there are strata.
    """

    table: pd.DataFrame
    difference: float
    corrected: float
    lower: float
    upper: float
    p_value: float
    permutations: int
    exact: bool
    left_out: tuple[str, ...]

    def __repr__(self) -> str:
        from prefdissect.compare.describe import describe_grouping

        return describe_grouping(self)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


def grouping_test(
    points: FloatArray,
    judges: tuple[str, ...] | list[str],
    attributes: pd.Series | Mapping[str, object],
    *,
    draws: NDArray[np.float32] | None = None,
    within: pd.Series | Mapping[str, object] | None = None,
    interval: float = 0.94,
    permutations: int = 9999,
    random_seed: int | None = 0,
) -> GroupingTest:
    """Test whether judges of one class are more alike than judges of different classes.

    Parameters
    ----------
    points
        Similarities, [judge, judge].
    judges
        Their names.
    attributes
        Judge to class; judges without one are left out.
    draws
        Posterior of the similarities, [draw, judge, judge].
    within
        Judge to stratum: classes are permuted inside strata only, as when families differ anyway. Judges without
        one are left out.
    interval
        Probability inside the intervals.
    permutations
        How many to draw; where no more than these differ, all are taken, each once.
    random_seed
        Seed of the permutations.

    Raises
    ------
    UnknownNameError
        If no judge has a class.
    DataError
        If there are fewer than two classes, no two judges of one class, a similarity is NaN, or no class can change
        places inside a stratum.
    OptionError
        If `attributes` or `within` is no mapping, or a number is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from prefdissect.compare import grouping_test
    >>> points = np.array([[1, 0.9, 0.2, 0.1], [0.9, 1, 0.3, 0.2], [0.2, 0.3, 1, 0.8], [0.1, 0.2, 0.8, 1]])
    >>> test = grouping_test(points, list("abcd"), {"a": "x", "b": "x", "c": "y", "d": "y"})
    >>> round(test.difference, 3), round(test.p_value, 3), test.exact
    (0.65, 0.333, True)
    """
    check_count("permutations", permutations)
    if random_seed is not None:
        check_count("random_seed", random_seed, least=0)
    known = _known("attributes", attributes, judges)
    of = dict.fromkeys(judges, "all") if within is None else _known("within", within, judges)
    used = [i for i, judge in enumerate(judges) if judge in known and judge in of]
    left_out = tuple(judge for judge in judges if judge not in known or judge not in of)
    names, code = np.unique([str(known[judges[i]]) for i in used], return_inverse=True)
    if len(names) < 2 or len(names) == len(used):
        raise DataError(
            f"classes {names.tolist()} of {len(used)} judges: a comparison needs two classes at least, and two judges "
            f"of one class; without a class or a stratum: {', '.join(left_out) or 'none'}"
        )
    values = points[np.ix_(used, used)]
    upper = np.triu_indices(len(used), 1)
    if np.isnan(values[upper]).any():
        a, b = (judges[used[side[np.isnan(values[upper]).argmax()]]] for side in upper)
        raise DataError(f"the similarity of judges {a!r} and {b!r} is not known (NaN); leave one out of attributes")
    strata = np.unique([str(of[judges[i]]) for i in used], return_inverse=True)[1]
    ways = _count_arrangements(code, strata)
    if ways == 1:
        raise DataError(
            "within= leaves nothing to permute: in each of its strata all judges are of one class; name strata that "
            "hold several classes, or leave within= out"
        )
    observed = _difference(values[upper], (code[upper[0]] == code[upper[1]])[None])[0]
    drawn = None if draws is None else draws[:, used][:, :, used][:, upper[0], upper[1]].astype(float)
    tail = (1 - interval) / 2

    def summarise(samples: FloatArray | None) -> tuple[float, float, float]:
        if samples is None:
            return np.nan, np.nan, np.nan
        low, high = np.quantile(samples, [tail, 1 - tail])
        return float(samples.mean()), float(low), float(high)

    same = code[upper[0]] == code[upper[1]]
    rows = []
    for a, b in combinations_with_replacement(range(len(names)), 2):
        first, second = code[upper[0]], code[upper[1]]
        at = ((first == a) & (second == b)) | ((first == b) & (second == a))
        if at.any():
            point = float(values[upper][at].mean())
            rest = summarise(None if drawn is None else drawn[:, at].mean(axis=1))
            rows.append((names[a], names[b], int(at.sum()), point, *rest))
    columns = ["class_a", "class_b", "n", "similarity", "corrected", "lower", "upper"]
    contrast = None if drawn is None else drawn[:, same].mean(axis=1) - drawn[:, ~same].mean(axis=1)
    mean, low, high = summarise(contrast)
    exact = ways <= permutations + 1
    if exact:
        permuted = iter([_every_arrangement(code, strata)])
    else:
        permuted = _draw_arrangements(code, strata, permutations, random_seed)
    as_large = sum(int((_difference(values[upper], _same(p, upper)) >= observed - _ROUNDING).sum()) for p in permuted)
    return GroupingTest(
        table=pd.DataFrame(rows, columns=columns).astype({"class_a": "str", "class_b": "str"}),
        difference=float(observed),
        corrected=mean,
        lower=low,
        upper=high,
        p_value=as_large / ways if exact else (1 + as_large) / (1 + permutations),
        permutations=ways - 1 if exact else permutations,
        exact=exact,
        left_out=left_out,
    )


def _known(
    argument: str, mapping: pd.Series | Mapping[str, object], judges: tuple[str, ...] | list[str]
) -> dict[str, object]:
    """Return what is known of the judges; a missing value is not known."""
    if not isinstance(mapping, pd.Series | Mapping):
        raise OptionError(
            f"{argument}= must map judges to classes, as a dict or a Series does, and is a {type(mapping).__name__}; "
            "of a table take one column: judge_table('paper')['family']"
        )
    known = {str(judge): value for judge, value in dict(mapping).items() if not pd.isna(value)}
    found = {judge: known[judge] for judge in judges if judge in known}
    if not found:
        raise UnknownNameError(f"{argument} names none of the judges; {choices(next(iter(known), ''), list(judges))}")
    return found


def _difference(values: FloatArray, same: NDArray[np.bool_]) -> FloatArray:
    """Return mean within minus mean between, of the similarities [pair], for each row of `same` [., pair]."""
    n = same.sum(axis=1)
    inside = same @ values
    return np.asarray(inside / n - (values.sum() - inside) / (len(values) - n))


def _same(codes: IntArray, upper: tuple[IntArray, IntArray]) -> NDArray[np.bool_]:
    """Return whether the judges of each pair are of one class, [arrangement, pair]."""
    return np.asarray(codes[:, upper[0]] == codes[:, upper[1]])


def _draw_arrangements(
    code: IntArray, strata: IntArray, permutations: int, random_seed: int | None
) -> Iterator[IntArray]:
    """Yield random permutations of the classes inside strata, some at a time: [arrangement, judge]."""
    rng = np.random.default_rng(random_seed)
    order = np.argsort(strata, kind="stable")
    for start in range(0, permutations, _CHUNK):
        n = min(_CHUNK, permutations - start)
        shuffled = np.argsort(strata + rng.random((n, len(code))), axis=1)  # integers apart: strata stay together
        permuted = np.empty((n, len(code)), dtype=code.dtype)
        permuted[:, order] = code[shuffled]
        yield permuted


def _count_arrangements(code: IntArray, strata: IntArray) -> int:
    """Return in how many different ways classes can be dealt to judges inside strata."""
    ways = 1
    for stratum in np.unique(strata):
        counts = np.unique(code[strata == stratum], return_counts=True)[1]
        ways *= factorial(int(counts.sum())) // prod(factorial(int(c)) for c in counts)
    return ways


def _every_arrangement(code: IntArray, strata: IntArray) -> IntArray:
    """Return all different ways to deal classes to judges inside strata, [arrangement, judge]."""
    dealt = np.full((1, len(code)), -1, dtype=np.int64)
    for stratum in np.unique(strata):
        for value, count in zip(*np.unique(code[strata == stratum], return_counts=True), strict=True):
            parts = []
            for row in dealt:
                free = np.flatnonzero((row < 0) & (strata == stratum))
                chosen = np.array(list(combinations(free, int(count))))
                part = np.repeat(row[None], len(chosen), axis=0)
                np.put_along_axis(part, chosen, value, axis=1)
                parts.append(part)
            dealt = np.concatenate(parts)
    return dealt
