"""Which column of a table is what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from prefdissect.data.cells import first_text, is_numeric, mostly_numbers
from prefdissect.data.judge_names import JUDGE_PREFIX, resolve_judge
from prefdissect.errors import ColumnError, choices, show
from prefdissect.schema import Property, PropertySchema

__all__ = [
    "JUDGE_PREFIX",
    "NO_JUDGE",
    "VERDICT_COLUMNS",
    "Columns",
    "find_judges",
    "find_ratings",
    "find_verdict",
]

VERDICT_COLUMNS = ("value", "verdict", "preference", "preferred", "winner", "label")
# Columns of this prefix that describe a judge and are none.
NO_JUDGE = (
    JUDGE_PREFIX,
    "judge_generator",
    "judge_hash",
    "judge_id",
    "judge_model",
    "judge_prompt",
    "judge_reply",
    "judge_score_a",
    "judge_score_b",
)
# Numbers in columns of these stems identify, place or decide; they do not rate.
_NO_RATING = ("judge", "id", "index", "model", "prompt", "response", "winner", "winner_model")
_NO_RATING_ENDINGS = ("_id", "_idx", "_pos")


@dataclass(frozen=True)
class Columns:
    """The roles of the columns of one table.

    Parameters
    ----------
    schema
        The properties that the table rates, in order.
    ratings
        Property id to its two columns, of responses A and B.
    differences
        Property id to the column of its ready-made differences.
    other_stems
        Numeric stems that the schema or `properties` leaves aside.
    """

    schema: PropertySchema
    ratings: dict[str, tuple[str, str]]
    differences: dict[str, str]
    other_stems: tuple[str, ...] = ()

    @property
    def used(self) -> set[str]:
        """Names of the columns that hold ratings or differences."""
        return {column for both in self.ratings.values() for column in both} | set(self.differences.values())


def find_judges(table: pd.DataFrame, judges: Sequence[str] | None) -> dict[str, str]:
    """Return judge to column: the named ones, else every column `judge_<name>`.

    Of a judge's names its own goes before its other one (`resolve_judge`), and a column `judge_<name>` before
    one that is just called so.

    Raises
    ------
    ColumnError
        If a named judge has no column; the message names close matches.
    """
    names = [str(c) for c in table.columns if str(c).startswith(JUDGE_PREFIX) and str(c) not in NO_JUDGE]
    prefixed = {name.removeprefix(JUDGE_PREFIX): name for name in names}
    if judges is None:
        return prefixed
    known = {str(c): str(c) for c in table.columns} | prefixed
    found: dict[str, str] = {}
    for wanted in judges:
        name = resolve_judge(wanted, known)
        if name not in known:
            likely = list(prefixed) or list(known)
            raise ColumnError(
                f"unknown judge {wanted!r}: no column {wanted!r} or 'judge_{name}'; {choices(name, likely)}"
            )
        found[name.removeprefix(JUDGE_PREFIX)] = known[name]
    return found


def find_verdict(table: pd.DataFrame) -> str:
    """Return the column that holds the verdict in a table of one row per verdict."""
    found = [c for c in VERDICT_COLUMNS if c in table.columns]
    if len(found) == 1:
        return found[0]
    what = f"has several: {found}; keep one" if found else f"has none of {VERDICT_COLUMNS}"
    raise ColumnError(f"a table of one row per verdict (it has a column 'judge') needs one verdict column, but {what}")


def find_ratings(
    table: pd.DataFrame,
    properties: Sequence[str] | None,
    schema: PropertySchema | None,
    *,
    response_id: str | None = None,
) -> Columns:
    """Return which columns rate which property.

    Raises
    ------
    ColumnError
        If a named property has no column.
    """
    stems = [s for s in _stems(table) if s != response_id]
    if properties is not None:
        return _named_ratings(table, properties, schema)
    if schema is not None:
        found = _rated_stems(stems, schema)
        sides = {prop.id: _sides(found[prop.id]) for prop in schema if prop.id in found}
        rest = tuple(s for s in stems if s not in found.values() and _is_rating(table, s))
        return Columns(schema.select(sides), sides, {}, rest)
    for stem in stems:
        _check_sides(table, stem)
    plain = [s for s in stems if _is_rating(table, s)]
    made = PropertySchema(name="columns", properties=tuple(Property(id=s, kind="number") for s in plain))
    return Columns(made, {s: _sides(s) for s in plain}, {})


def _rated_stems(stems: Sequence[str], schema: PropertySchema) -> dict[str, str]:
    """Return property id to the stem of its columns, which the schema or an alias names."""
    found: dict[str, str] = {}
    for stem in stems:
        prop = schema.rated_as(stem)
        if prop is not None and prop.id in found:
            raise ColumnError(
                f"columns of both {found[prop.id]!r} and {stem!r} rate property {prop.id!r}; rename or drop one"
            )
        if prop is not None:
            found[prop.id] = stem
    return found


def _named_ratings(table: pd.DataFrame, properties: Sequence[str], schema: PropertySchema | None) -> Columns:
    ratings: dict[str, tuple[str, str]] = {}
    differences: dict[str, str] = {}
    made: list[Property] = []
    by_stem = _rated_stems(_stems(table), schema) if schema is not None else {}
    for name in dict.fromkeys(properties):
        prop = _named(schema, name) if schema is not None else Property(id=name, kind="number")
        sides = _sides(by_stem.get(prop.id, prop.rated))
        single = next((c for c in (name, prop.id) if c in table.columns), None)
        if all(side in table.columns for side in sides):
            ratings[prop.id] = sides
        elif single is not None:
            differences[prop.id] = single
        else:
            known = [*_stems(table), *map(str, table.columns)]
            raise ColumnError(
                f"property {name!r} has no columns {sides[0]!r} and {sides[1]!r}, nor a column of differences; "
                f"{choices(name, known)}"
            )
        made.append(prop)
    chosen = (
        PropertySchema(name="columns", properties=tuple(made)) if schema is None else schema.select(p.id for p in made)
    )
    rest = tuple(s for s in _stems(table) if _is_rating(table, s) and _sides(s) not in ratings.values())
    return Columns(chosen, ratings, differences, rest)


def _named(schema: PropertySchema, name: str) -> Property:
    """Return the property that is rated as `name`, or else bears it."""
    return next((p for p in schema if p.rated == name), None) or schema[name]


def _sides(stem: str) -> tuple[str, str]:
    return f"{stem}_a", f"{stem}_b"


def _stems(table: pd.DataFrame) -> list[str]:
    names = [str(c) for c in table.columns]
    return [n[:-2] for n in names if n.endswith("_a") and n[:-2] + "_b" in names and n[:-2]]


def _check_sides(table: pd.DataFrame, stem: str) -> None:
    """Raise where a property seems meant but a cell is no number: it must not vanish for one bad cell.

    Raises
    ------
    ColumnError
        If numbers stand in one of the two columns, or in most of its cells, and something else beside them.
    """
    if stem in _NO_RATING or stem.startswith(JUDGE_PREFIX) or stem.endswith(_NO_RATING_ENDINGS):
        return
    sides = [table[side] for side in _sides(stem)]
    wrong = [side for side in sides if not is_numeric(side) and side.notna().any()]
    if not wrong or not any(is_numeric(side) or mostly_numbers(side) for side in sides):
        return
    column = wrong[0]
    row, cell = first_text(column)
    raise ColumnError(
        f"column {column.name!r} holds {show(cell)} in row {row}, so {stem!r} is no numeric property; make it a number "
        "or leave it empty, or say which properties to use: load(..., properties=[...])"
    )


def _is_rating(table: pd.DataFrame, stem: str) -> bool:
    if stem in _NO_RATING or stem.startswith(JUDGE_PREFIX) or stem.endswith(_NO_RATING_ENDINGS):
        return False
    sides = [table[side] for side in _sides(stem)]
    return any(map(is_numeric, sides)) and all(is_numeric(side) or side.isna().all() for side in sides)
