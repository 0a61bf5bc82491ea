"""What is believed of a weight before any pair was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from prefdissect._typing import BoolArray, FloatArray, check_positive
from prefdissect.errors import OptionError, UnknownNameError, choices

__all__ = [
    "CUT_SD",
    "NUISANCE_SD",
    "PAPER_PRIOR",
    "Laplace",
    "Normal",
    "Prior",
    "PriorArrays",
    "PriorLike",
    "arrange_prior",
]


_SCALES = {"above": 1e-50, "below": 1e50}  # whose squares, and squares of those, are numbers


@dataclass(frozen=True)
class Laplace:
    """Laplace distribution around 0: most weights small, some large. `scale` is in log-odds.

    Its standard deviation is `scale * sqrt(2)`. The paper's prior is `Laplace(0.1)`.

    Examples
    --------
    >>> from prefdissect import Laplace
    >>> Laplace(0.2)
    Laplace(scale=0.2)
    """

    scale: float = 0.1

    def __post_init__(self) -> None:
        check_positive("scale", self.scale, **_SCALES)


@dataclass(frozen=True)
class Normal:
    """Normal distribution around 0 with standard deviation `scale`, in log-odds.

    Examples
    --------
    >>> from prefdissect import Normal
    >>> Normal(0.5)
    Normal(scale=0.5)
    """

    scale: float = 1.0

    def __post_init__(self) -> None:
        check_positive("scale", self.scale, **_SCALES)


Prior: TypeAlias = Laplace | Normal
PAPER_PRIOR = Laplace(0.1)
NUISANCE_SD = 1.0  # of the normal prior of a column that is no property
CUT_SD = 2.0  # of the normal prior of a cutpoint of ties: rates from 2% to 98% are inside two of them
PriorLike: TypeAlias = Prior | Mapping[str, Prior]


@dataclass(frozen=True)
class PriorArrays:
    """The prior of each column: `scale` [column], and whether it is Laplace (else Normal) [column]."""

    scale: FloatArray
    is_laplace: BoolArray

    def take(self, columns: Sequence[int]) -> PriorArrays:
        """Return the prior of these columns."""
        return PriorArrays(self.scale[list(columns)], self.is_laplace[list(columns)])

    def scaled(self, factor: float) -> PriorArrays:
        """Return the prior with every scale times `factor`."""
        return PriorArrays(self.scale * factor, self.is_laplace)

    def twice(self, columns: Sequence[int]) -> PriorArrays:
        """Return the prior with these columns once more at the end."""
        return self.take([*range(len(self.scale)), *columns])

    def with_cut(self) -> PriorArrays:
        """Return the prior with that of a cutpoint at the end, Normal(0, CUT_SD)."""
        return PriorArrays(np.append(self.scale, CUT_SD), np.append(self.is_laplace, False))

    @property
    def sd(self) -> FloatArray:
        """Standard deviation of each column's prior."""
        return np.where(self.is_laplace, np.sqrt(2.0), 1.0) * self.scale


def arrange_prior(prior: PriorLike, properties: Sequence[str], nuisance: Sequence[str] = ()) -> PriorArrays:
    """Return the prior of each column; `Laplace(0.1)` for properties that a mapping leaves out.

    A nuisance column has the prior Normal(0, NUISANCE_SD).

    Raises
    ------
    UnknownNameError
        If a mapping names a property that there is not.
    OptionError
        If something is not a prior.
    """
    by_name = dict(prior) if isinstance(prior, Mapping) else dict.fromkeys(properties, prior)
    for name, one in by_name.items():
        if name not in properties:
            raise UnknownNameError(f"prior for unknown property {name!r}; {choices(name, properties)}")
        if not isinstance(one, Laplace | Normal):
            raise OptionError(
                f"prior={one!r} is not a prior; use Laplace(scale) or Normal(scale), or a mapping of them"
            )
    each = [by_name.get(name, PAPER_PRIOR) for name in properties] + [Normal(NUISANCE_SD) for _ in nuisance]
    return PriorArrays(np.array([p.scale for p in each]), np.array([isinstance(p, Laplace) for p in each]))
