"""Pairs with texts in, the same pairs rated by `TEXT` out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from prefdissect._typing import TableLike, check_flag
from prefdissect.errors import ColumnError, DuplicateError, OptionError, UnknownNameError, choices
from prefdissect.schema import PropertySchema
from prefdissect.text.catalogue import TEXT

if TYPE_CHECKING:
    import pandas as pd

    from prefdissect.data import PreferenceData

__all__ = ["measure_text", "rate_if_unrated", "rate_like", "rate_only"]

_LOG = logging.getLogger(__name__)

_SIDES = ("response_a", "response_b")
_NEED_PROMPT = ("prompt_overlap", "same_language")


def measure_text(
    data: PreferenceData | pd.DataFrame | TableLike | str | Path,
    *,
    properties: str | Sequence[str] | None = None,
    n_jobs: int | None = None,
    progress: bool | None = None,
) -> PreferenceData:
    """Return data whose responses are rated by `TEXT`: length, layout, readability, diction, manner.

    Everything is computed from the texts by rules; no model, no network. Each distinct response to
    a prompt is read once. A response that is missing or empty has no ratings, and its pair is left
    out of fits, which report it.

    Parameters
    ----------
    data
        Pairs with columns `prompt`, `response_a` and `response_b`, or what `load` makes them of. A
        cell that is a number or a truth value is read as its text, "42" or "True".
    properties
        Some of `TEXT`, by name; all by default. Without "prompt_overlap" and "same_language" no
        prompt is needed.
    n_jobs
        Processes, -1 for one on each core. None takes all cores from 1,000 pairs on, else this process.
    progress
        Show a bar; None shows it where the work takes more than a moment and someone may look.

    Raises
    ------
    ColumnError
        If a column of texts is missing, or a cell is no text; the message names the columns, or
        column, pair and cell.
    DuplicateError
        If the data rate one of the properties already.
    OptionError, UnknownNameError
        If `n_jobs` is no number of processes, or `properties` holds a name that `TEXT` has not.

    Examples
    --------
    >>> import pandas as pd
    >>> import prefdissect as pdx
    >>> table = pd.DataFrame(
    ...     {"prompt": ["Hi"], "response_a": ["Hello there!"], "response_b": ["**Hello**"], "judge_me": ["A"]}
    ... )
    >>> data = pdx.measure_text(table, properties=["length", "bold"])
    >>> data.properties, data.ratings.tolist()
    (['length', 'bold'], [[[3.0, 0.0], [5.0, 100.0]]])
    """
    import pandas as pd

    from prefdissect.data import load
    from prefdissect.data.texts import TEXTS_ALONE, TEXTS_ASIDE
    from prefdissect.text.batches import read_pairs
    from prefdissect.text.reading import RATED

    check_flag("progress", progress)
    if n_jobs is not None and (isinstance(n_jobs, bool) or not isinstance(n_jobs, int) or n_jobs == 0):
        raise OptionError(f"n_jobs={n_jobs!r} must be a whole number of processes, -1 for all cores, or None")
    loaded = load(data)
    schema = TEXT if properties is None else TEXT.select([properties] if isinstance(properties, str) else properties)
    texts = _find_texts(loaded, schema)
    every, n_read = read_pairs(texts, n_jobs=n_jobs, progress=progress)
    ratings = every[:, :, [RATED.index(name) for name in schema.ids]]
    columns = {f"{p.rated}{s}": ratings[:, k, i] for i, p in enumerate(schema) for k, s in enumerate(("_a", "_b"))}
    joined = loaded.join_ratings(pd.DataFrame({"pair_id": loaded.pairs.index, **columns}), schema=schema)
    # The report counts what fits leave out: for a short text some measures say nothing, but its pair is fitted.
    report = replace(joined.report, left_out=loaded.report.left_out)
    # What is measured needs no word that it was joined, nor that it could be measured.
    report = report.retract("hint", TEXTS_ALONE, TEXTS_ASIDE)
    report = report.retract("ratings joined", dict(report.facts)["ratings joined"])
    report = report.add("measured", f"{n_read:,} distinct responses, by rules from their texts")
    return replace(joined, report=report)


def rate_if_unrated(data: PreferenceData, *, progress: bool | None = None) -> PreferenceData:
    """Return data with what is not rated measured from their texts, if they have any; else as they are.

    That is all of `TEXT` where nothing is rated and no schema was asked for; with a schema, those of its properties
    that are `TEXT`'s, whatever else the table rates. It is said in the report, and logged.
    """
    if not set(_SIDES) <= set(data.pairs.columns):
        return data
    asked = data.vocabulary if data.vocabulary is not None else () if data.properties else TEXT
    without = () if "prompt" in data.pairs.columns else _NEED_PROMPT
    missing = [p.id for p in asked if p in TEXT.properties and p.id not in (*data.properties, *without)]
    if not missing:
        return data
    _LOG.info("measuring %d properties of %d pairs by rules from their texts (TEXT)", len(missing), len(data))
    return measure_text(data, properties=missing, progress=progress)


def rate_like(data: PreferenceData, schema: PropertySchema) -> PreferenceData:
    """Return data with those properties of `schema` measured that they lack and `TEXT` has."""
    missing = [p.id for p in schema if p.id not in data.properties and p in TEXT.properties]
    return measure_text(data, properties=missing) if missing else data


def rate_only(data: PreferenceData, properties: Sequence[str]) -> PreferenceData:
    """Return data with these properties alone: those rated, and of others what `TEXT` has, measured from the texts.

    Raises
    ------
    UnknownNameError
        If a property is neither.
    """
    from prefdissect.data.facts import listed  # the room of readers is slow to import

    missing = [name for name in properties if name not in data.schema]
    for name in missing:
        if name not in TEXT:
            valid = [*data.properties, *(p for p in TEXT.ids if p not in data.properties)]
            raise UnknownNameError(f"property {name!r} is not rated, nor one of TEXT; {choices(name, valid)}")
    if missing:
        data = measure_text(data, properties=missing)
    kept = data.schema.select(properties)
    at = [data.properties.index(name) for name in kept.ids]
    report = data.report.replace("properties", listed(list(kept.ids)))
    return replace(
        data, schema=kept, ratings=data.ratings[:, :, at], comparisons=data.comparisons[:, at], report=report
    )


def _find_texts(data: PreferenceData, schema: PropertySchema) -> pd.DataFrame:
    """Return the columns of texts: `prompt` if it is needed, `response_a`, `response_b`.

    Raises
    ------
    ColumnError, DuplicateError, OptionError
        If there is nothing to measure, or it is measured already.
    """
    from prefdissect.text.cells import check_texts

    if not len(schema):
        raise OptionError("properties=[] leaves nothing to measure; leave it out to measure all of TEXT")
    twice = [name for name in schema.ids if name in data.properties]
    if twice:
        raise DuplicateError(
            f"property {twice[0]!r} is rated already ({len(twice)} of those to measure are); measure others with "
            "properties=, or start from the table without those columns"
        )
    needs_prompt = [name for name in _NEED_PROMPT if name in schema.ids]
    needed = [*(["prompt"] if needs_prompt else []), *_SIDES]
    missing = [name for name in needed if name not in data.pairs.columns]
    if missing:
        without = " (or properties= without those two)" if missing == ["prompt"] and len(needs_prompt) == 2 else ""
        raise ColumnError(
            f"measuring texts needs the columns {', '.join(map(repr, needed))}{without}; missing: "
            f"{', '.join(map(repr, missing))}; found: {', '.join(map(repr, data.source_columns)) or 'none'}; "
            "rename yours to these"
        )
    for name in needed:
        check_texts(data.pairs[name])
    return data.pairs[needed]
