"""What was found out beside ratings: about queries, references, errors; as columns and groups of pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from prefdissect.measure.answers import PairAnswers
from prefdissect.measure.calls import Settings
from prefdissect.measure.forms import Check

if TYPE_CHECKING:
    import pandas as pd

    from prefdissect.data import PreferenceData

__all__ = ["add_cases", "add_columns", "columns_of"]


def columns_of(data: PreferenceData, settings: Settings, answers: Mapping[str, PairAnswers]) -> dict[str, list[Any]]:
    """Return what was found out on the way, as columns of pairs."""
    every = [answers.get(str(pair_id)) for pair_id in data.pairs.index]
    columns: dict[str, list[Any]] = {}
    for case in settings.plan.cases:
        facts = [a.facts[case.name] if a is not None and a.facts is not None else None for a in every]
        columns[case.name] = [None if f is None else f.holds for f in facts]
        if case.each:
            columns[f"{case.name}_items"] = [None if f is None else list(f.items) for f in facts]
    if settings.plan.needs_reference:
        columns["reference_used"] = [None if a is None else a.reference for a in every]
    if "errors" in settings.plan.steps:
        for side, letter in enumerate("ab"):
            checks = [None if a is None else _first_check(a, side) for a in every]
            columns[f"error_check_{letter}"] = [
                None if c is None else "applicable" if c.applicable else "not applicable" for c in checks
            ]
            columns[f"error_list_{letter}"] = [None if c is None else [asdict(e) for e in c.errors] for c in checks]
    return columns


def _first_check(answers: PairAnswers, side: int) -> Check | None:
    places = sorted(place for place in answers.checks if place[2] == side)
    return answers.checks[places[0]] if places else None


def add_columns(
    data: PreferenceData, columns: Mapping[str, list[Any]], failed: Sequence[str | None], *, again: set[str]
) -> pd.DataFrame:
    """Return pairs with these columns; where the source has one of that name, the new one has another.

    `failed` names what is not rated although it should be, so that fits leave the pair out. What an annotation before
    could not rate stays named beside it, but for the ratings that were asked for `again`.
    """
    import pandas as pd

    from prefdissect.data.flags import FLAG, UNRATED, flag_pairs

    failed = [_join_names(*cells) for cells in zip(_still_failed(data.pairs, again), failed, strict=True)]
    pairs = data.pairs.drop(columns=UNRATED, errors="ignore")
    for name, cells in columns.items():
        free = name
        while free in pairs:
            free = f"annotated_{free}"
        pairs[free] = pd.Series(cells, index=pairs.index, dtype=object)
    if any(failed):
        pairs[UNRATED] = pd.Series(list(failed), index=pairs.index, dtype=object)
    flags = flag_pairs(pairs)
    return pairs if flags is None else pairs.assign(**{FLAG: flags})


def _still_failed(pairs: pd.DataFrame, again: set[str]) -> list[str | None]:
    """Return for each pair which ratings failed before and were not asked for again."""
    from prefdissect.data.cells import plain
    from prefdissect.data.flags import UNRATED

    if UNRATED not in pairs:
        return [None] * len(pairs)
    cells = ["" if cell is None else str(cell) for cell in plain(pairs[UNRATED])]
    return [", ".join(name for name in cell.split(", ") if name not in again) or None for cell in cells]


def _join_names(*names: str | None) -> str | None:
    return ", ".join(filter(None, names)) or None


def add_cases(
    data: PreferenceData, settings: Settings, columns: Mapping[str, list[Any]]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return groups with the cases that are not there yet; a pair of whose query nothing is known is in none."""
    import pandas as pd

    new = [case.name for case in settings.plan.cases if case.name not in data.groups.columns]
    marked = {name: [bool(cell) for cell in columns[name]] for name in new}
    added = pd.DataFrame(marked, index=data.groups.index, dtype=bool)
    return pd.concat([data.groups, added], axis=1), {**data.group_kinds, **dict.fromkeys(new, "case")}
