"""From the cells of a table to ratings: numbers, digits, labels, and lists of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from prefdissect._typing import FloatArray
from prefdissect.errors import RatingError, choices, show

if TYPE_CHECKING:
    from prefdissect.schema.property import Property

__all__ = ["fold", "read_ratings"]


def read_ratings(prop: Property, values: ArrayLike, rows: ArrayLike | None = None) -> FloatArray:
    """Return ratings, shape [row], NaN where there is none; see `Property.read`."""
    cells = _as_array(values)
    names = np.arange(len(cells)) if rows is None else np.asarray(rows)
    if cells.dtype.kind not in "biuf":
        return np.array([_read_cell(prop, cell, name) for cell, name in zip(cells, names, strict=True)], np.float64)
    ratings = cells.astype(np.float64)
    low, high = _bounds(prop)
    wrong = np.isinf(ratings) | (ratings < low) | (ratings > high)
    if wrong.any():
        first = int(wrong.argmax())
        _check_range(prop, float(ratings[first]), names[first], more=int(wrong.sum()) - 1)
    return ratings


def fold(label: str) -> str:
    """Return a label without what does not tell labels apart: case and spaces around it."""
    return label.strip().casefold()


def _as_array(values: Any) -> np.ndarray[Any, Any]:
    """Return the cells as a plain numpy array: nullable and arrow columns become float or object."""
    kind = getattr(getattr(values, "dtype", None), "kind", "O")
    if kind in "iufb" and hasattr(values, "to_numpy"):
        return np.asarray(values.to_numpy(dtype=float, na_value=np.nan))
    if isinstance(values, np.ndarray) and values.dtype.kind in "biuf":
        return values
    cells = np.empty(len(values), dtype=object)
    cells[:] = list(values)
    return cells


def _read_cell(prop: Property, cell: Any, row: Any) -> float:
    """Return the rating in one cell; the mean if the cell holds several."""
    if isinstance(cell, Mapping):
        cell = list(cell.values())
    if isinstance(cell, Iterable) and isinstance(cell, Sized) and not isinstance(cell, str | bytes):
        items = [_read_cell(prop, item, row) for item in cell]
        return float(np.mean(items)) if items else np.nan
    if cell is None or str(cell) in ("nan", "NaT", "<NA>"):
        return np.nan
    if isinstance(cell, str):
        cell = _read_text(prop, cell, row)
    if not isinstance(cell, bool | int | float | np.floating | np.integer | np.bool_ | Decimal):
        raise RatingError(_message(prop, cell, row, f"is a {type(cell).__name__}, not a rating"))
    try:
        return _check_range(prop, float(cell), row)
    except OverflowError:
        raise RatingError(_message(prop, cell, row, "is too large to be a rating")) from None


def _read_text(prop: Property, text: str, row: Any) -> float:
    """Return the score of a label, or the number that the text spells in digits."""
    plain = fold(text)
    if prop.labels is not None:
        by_fold = {fold(label): score for label, score in prop.labels.items()}
        if plain in by_fold:
            return by_fold[plain]
        raise RatingError(_message(prop, text, row, f"is no label of it; {choices(text, prop.labels)}"))
    try:
        return float(plain)
    except ValueError:
        raise RatingError(_message(prop, text, row, f"is not a number, as kind {prop.kind!r} needs")) from None


def _bounds(prop: Property) -> tuple[float, float]:
    """Return the lowest and the highest rating that the kind allows."""
    if prop.labels is not None:
        return min(prop.labels.values()), max(prop.labels.values())
    return prop.range or (0.0 if prop.kind in ("count", "words") else -np.inf, np.inf)


def _check_range(prop: Property, rating: float, row: object, *, more: int = 0) -> float:
    """Return the rating if it is finite and within what its kind allows."""
    low, high = _bounds(prop)
    if np.isinf(rating):
        raise RatingError(_message(prop, rating, row, "is infinite; a rating must be finite, or missing", more))
    if rating < low or rating > high:
        raise RatingError(_message(prop, rating, row, f"is outside {low:g} to {high:g}", more))
    return rating


def _message(prop: Property, value: object, row: object, why: str, n_more: int = 0) -> str:
    more = f" (and {n_more} more such rows)" if n_more else ""
    named = repr(str(prop.id)) + (f" (rated as {prop.rated!r})" if prop.rated != prop.id else "")
    return f"rating {show(value)} of property {named} in row {str(row)!r} {why}{more}"
