"""One door for all sources: tables in memory, files, folders, the hub; in any layout that is known."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from prefdissect._typing import TableLike
from prefdissect.data.columns import find_judges
from prefdissect.data.hub import is_hub_address
from prefdissect.data.judge_names import resolve_judge
from prefdissect.data.preference_data import PreferenceData
from prefdissect.data.readers import TIDY, Layout, Part, closest_layouts, read_parts, recognise
from prefdissect.data.source import open_parts
from prefdissect.errors import DataError, OptionError, show
from prefdissect.schema import PropertySchema

__all__ = ["Source", "load", "load_for"]

Source: TypeAlias = PreferenceData | pd.DataFrame | TableLike | str | Path | Sequence[Any]


def load(
    source: Source,
    *,
    format: str | None = None,
    split: str | None = None,
    revision: str | None = None,
    judges: str | Sequence[str] | None = None,
    properties: str | Sequence[str] | None = None,
    scenario: str | None = None,
    cases: str | Sequence[str] = (),
    cluster: str | None = None,
    response_id: str | None = None,
    schema: PropertySchema | str | Path | None = None,
) -> PreferenceData:
    """Read pairs, ratings and verdicts from a table, a file or a data set of the Hub.

    Parameters
    ----------
    source
        A DataFrame; anything with `.to_pandas()` (polars, pyarrow, `datasets.Dataset`); the path
        of a parquet, CSV, JSON or JSON Lines file (`.gz` on top of the text formats), or of a folder of
        them; the address of a data set on the Hugging Face Hub, `hf://datasets/OWNER/NAME@REVISION/path`
        (revision and path if wanted); a list of those, which belong together; or data that were loaded
        before, which come back as they are.
    format
        Name of the layout, see `prefdissect.data.readers.LAYOUTS`; by default it is recognised.
    split, revision
        Which split of a data set on the Hub, if it has several, and in which branch, tag or commit.
    judges, properties, scenario, cases, cluster, response_id, schema
        What the columns mean, where their names do not say; see `PreferenceData.from_frame`.

    Raises
    ------
    FileFormatError
        If a file cannot be read.
    HubError
        If a data set of the Hub cannot be had, or it is not clear which of its files is meant.
    DataError
        If the table cannot be understood; see `PreferenceData.from_frame`.

    Examples
    --------
    >>> import pandas as pd
    >>> import prefdissect as pdx
    >>> table = pd.DataFrame({"clear_a": [3, 1], "clear_b": [1, 2], "judge_me": ["A", "tie"]})
    >>> pdx.load(table).labels["me"].tolist()
    [1.0, 0.5]
    """
    given: dict[str, Any] = {
        "judges": judges,
        "properties": properties,
        "scenario": scenario,
        "cases": cases or None,
        "cluster": cluster,
        "response_id": response_id,
        "schema": schema,
    }
    given = {name: value for name, value in given.items() if value is not None}
    if isinstance(source, PreferenceData):
        if given or any(option is not None for option in (format, split, revision)):
            raise OptionError("these data are loaded already: name columns and schema when loading the table itself")
        return source
    parts = open_parts(source, split=split, revision=revision)
    named = judges is not None or properties is not None or schema is not None
    return _read(source, parts, recognise(parts, format, named=named), given)


def load_for(
    source: Source,
    judge: str | Sequence[str] | None,
    schema: PropertySchema | str | Path | None,
    *,
    format: str | None = None,
    split: str | None = None,
    revision: str | None = None,
    **columns: Any,
) -> PreferenceData:
    """Load `source`; in a tidy table a column that bears the name of a wanted judge is a judge.

    `columns` are arguments of `load` that say what columns mean.
    """
    if isinstance(source, PreferenceData) or judge is None:
        return load(source, schema=schema, format=format, split=split, revision=revision, **columns)
    parts = open_parts(source, split=split, revision=revision)
    wanted = [judge] if isinstance(judge, str) else list(judge)
    given = {name: value for name, value in {"schema": schema, **columns}.items() if value}
    named = any(resolve_judge(name, part.columns) in part.columns for part in parts for name in wanted)
    layout = recognise(parts, format, named=named)
    if layout is TIDY and "judge" not in parts[0].columns:
        prefixed = find_judges(parts[0].content, None)
        known = parts[0].columns.union(prefixed)
        plain = [name for name in (resolve_judge(name, known) for name in wanted) if name in known - set(prefixed)]
        given |= {"judges": [*prefixed, *plain]} if plain else {}
    return _read(source, parts, layout, given)


def _read(source: object, parts: Sequence[Part], layout: Layout, given: Mapping[str, Any]) -> PreferenceData:
    """Return the data of all parts; what the user says of columns goes before what the reader says."""
    try:
        reading = read_parts(parts, layout)
        data = PreferenceData.from_frame(reading.table, **{**reading.options, **given})
    except UnicodeEncodeError as error:
        raise DataError(f"{parts[0].where} holds text that is not Unicode: {show(error.object)}") from error
    report = data.report.preface([*_name_commit(source, parts), *reading.facts])
    if layout is TIDY and not data.judges and "judges" not in given:
        report = report.replace("judges", f"none; closest layouts: {'; '.join(closest_layouts(parts[0]))}")
    return replace(data, report=report)


def _name_commit(source: object, parts: Sequence[Part]) -> list[tuple[str, str]]:
    """Return which files of which commit were read, if they are the Hub's."""
    if not is_hub_address(source):
        return []
    commit = re.search(r"snapshots/([0-9a-f]{40})", parts[0].where.replace("\\\\", "/"))
    named = f", commit {commit[1]}" if commit else ""
    return [("hub", f"{source}{named}: {', '.join(part.name for part in parts)}")]
