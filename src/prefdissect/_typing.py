"""The options of the public functions, as types and as run-time checks that cannot drift apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar, get_args, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from prefdissect.errors import OptionError, choices

if TYPE_CHECKING:
    import pandas as pd

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
IntArray: TypeAlias = NDArray[np.int64]

Encoding: TypeAlias = Literal["comparison", "diff", "norm_diff"]
Engine: TypeAlias = Literal["exact", "ep", "nuts"]
Inapplicable: TypeAlias = Literal["zero", "missing"]  # ratings where nothing can be right or wrong
Mode: TypeAlias = Literal["pairwise", "single"]
Orders: TypeAlias = Literal["both", "given", "random"]
Rule: TypeAlias = Literal["longest", "most_formatted", "first_shown"]
Way: TypeAlias = Literal["letter", "completion", "reasoned", "score"]
MadeBy: TypeAlias = Literal["exact", "ep", "nuts", "robust"]  # what a fit's draws come from
GroupKind: TypeAlias = Literal["scenario", "case", "all"]
PropertyGroup: TypeAlias = Literal["basic", "error", "query-specific", "text"]
PropertyKind: TypeAlias = Literal["rating", "count", "label", "words", "number"]
Role: TypeAlias = Literal["property", "nuisance"]
Ties: TypeAlias = Literal["drop", "half"]

_Choice = TypeVar("_Choice")


@runtime_checkable
class TableLike(Protocol):
    """Anything that can turn itself into a pandas DataFrame: polars, pyarrow, `datasets`."""

    def to_pandas(self) -> pd.DataFrame:
        """Return the table as a pandas DataFrame."""
        ...


def check_choice(argument: str, value: Any, options: Any) -> Any:
    """Return `value` if it is one of the `Literal` alias `options`, else raise `OptionError`."""
    valid = get_args(options)
    if value not in valid:
        raise OptionError(f"{argument}={value!r} is not an option; {choices(value, valid)}")
    return value


def check_flag(argument: str, value: bool | None) -> bool | None:
    """Return `value` if it is True, False or None, else raise `OptionError`."""
    if not (value is None or isinstance(value, bool)):
        raise OptionError(f"{argument}={value!r} must be True, False or None")
    return value


def check_positive(argument: str, value: float, *, above: float = 0.0, below: float = np.inf) -> float:
    """Return `value` if it is a number in (above, below), else raise `OptionError`."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not above < value < below:
        limit = "" if below == np.inf else f" and below {below:g}"
        raise OptionError(f"{argument}={value!r} must be a number above {above:g}{limit}")
    return float(value)


def check_count(argument: str, value: int, *, least: int = 1) -> int:
    """Return `value` if it is a whole number of at least `least`, else raise `OptionError`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise OptionError(f"{argument}={value!r} must be a whole number of at least {least}")
    return int(value)
