"""What a reader of a layout is: which sources it knows, and what it makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

__all__ = ["Layout", "Part", "Reading", "has_columns", "join_columns", "one_table"]


@dataclass(frozen=True)
class Part:
    """One file or table of a source.

    Parameters
    ----------
    name
        The file's name without folder and ending; "table" for a table in memory.
    content
        A DataFrame with text column names, or whatever else a JSON file holds.
    where
        What messages call it: the path of a file.
    """

    name: str
    content: Any
    where: str = "the table"

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns; none if it is no table."""
        return frozenset(map(str, self.content.columns)) if isinstance(self.content, pd.DataFrame) else frozenset()


@dataclass(frozen=True)
class Reading:
    """A source in the tidy layout.

    Parameters
    ----------
    table
        One row per pair, or per verdict: see `PreferenceData.from_frame`.
    facts
        Topic and fact: what was understood on the way.
    options
        What columns mean where their names do not say: arguments of `PreferenceData.from_frame`.
    """

    table: pd.DataFrame
    facts: Sequence[tuple[str, str]] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


def _accept_all(part: Part) -> bool:
    """Ask for nothing but the columns."""
    return True


@dataclass(frozen=True)
class Layout:
    """How one kind of source is written, and its reader.

    Parameters
    ----------
    name, title
        What `format=` calls it, and what people call it.
    columns
        Columns that every source of the layout has; of two layouts that fit, the one with more of them is meant.
    read
        From all parts, each of this layout, to the tidy layout.
    accepts
        What else to ask of a part that has the columns.
    joins
        Whether a part without the columns can belong to this layout as well, such as a list of labels.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    read: Callable[[Sequence[Part]], Reading]
    accepts: Callable[[Part], bool] = _accept_all
    joins: Callable[[Part], bool] | None = None

    def knows(self, part: Part) -> bool:
        """Return whether a part is written in this layout, or is one that belongs to it."""
        try:
            own = part.columns.issuperset(self.columns) and self.accepts(part)
        except UnicodeEncodeError:  # text that is not Unicode: whoever reads the part says so
            own = False
        return own or (self.joins is not None and self.joins(part))

    def lacks(self, part: Part) -> list[str]:
        """Return the columns that a part would still need."""
        return [c for c in self.columns if c not in part.columns]


def one_table(parts: Sequence[Part]) -> pd.DataFrame:
    """Return the rows of all parts, numbered."""
    table: pd.DataFrame = pd.concat([part.content for part in parts], ignore_index=True)
    return table


def join_columns(tidy: pd.DataFrame, rest: pd.DataFrame) -> pd.DataFrame:
    """Return both side by side; of columns that both have, the source's `prompt_id` counts, others are renamed."""
    both = [c for c in rest.columns if c in tidy.columns]
    renamed = rest.rename(columns={c: f"source_{c}" for c in both if c != "prompt_id"})
    return pd.concat([tidy.drop(columns=[c for c in both if c == "prompt_id"]), renamed], axis=1)


def has_columns(*columns: str) -> Callable[[Part], bool]:
    """Return a test of whether a part has all of the columns."""
    return lambda part: part.columns.issuperset(columns)
