"""One door for all sources: tables in memory and tables in files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from prefdissect._typing import TableLike
from prefdissect.data.files import read_table
from prefdissect.data.preference_data import PreferenceData
from prefdissect.errors import OptionError
from prefdissect.schema import PropertySchema

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load"]


def load(
    source: PreferenceData | pd.DataFrame | TableLike | str | Path,
    *,
    judges: str | Sequence[str] | None = None,
    properties: str | Sequence[str] | None = None,
    scenario: str | None = None,
    cases: str | Sequence[str] = (),
    cluster: str | None = None,
    response_id: str | None = None,
    schema: PropertySchema | str | Path | None = None,
) -> PreferenceData:
    """Read pairs, ratings and verdicts from a table or a file.

    Parameters
    ----------
    source
        A DataFrame; anything with `.to_pandas()` (polars, pyarrow, `datasets.Dataset`); the path
        of a parquet, CSV, JSON or JSON Lines file (`.gz` on top of the text formats); or data
        that were loaded before, which come back as they are.
    judges, properties, scenario, cases, cluster, response_id, schema
        What the columns mean, where their names do not say; see `PreferenceData.from_frame`.

    Raises
    ------
    FileFormatError
        If a file cannot be read.
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
    options = (judges, properties, scenario, cases or None, cluster, response_id, schema)
    if isinstance(source, PreferenceData):
        if any(option is not None for option in options):
            raise OptionError("these data are loaded already: name columns and schema when loading the table itself")
        return source
    table = read_table(source) if isinstance(source, str | Path) else source
    return PreferenceData.from_frame(
        table,
        judges=judges,
        properties=properties,
        scenario=scenario,
        cases=cases,
        cluster=cluster,
        response_id=response_id,
        schema=schema,
    )
