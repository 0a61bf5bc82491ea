"""The layouts by name, and which one a source is written in."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from prefdissect.data.columns import JUDGE_PREFIX, find_judges
from prefdissect.data.facts import shorten
from prefdissect.data.readers.alpaca_eval import ALPACA_EVAL
from prefdissect.data.readers.annotated_pairs import ANNOTATED_PAIRS
from prefdissect.data.readers.arena import ARENA
from prefdissect.data.readers.arena_55k import ARENA_55K
from prefdissect.data.readers.chosen_rejected import TRL, ULTRAFEEDBACK
from prefdissect.data.readers.gair_files import GAIR_FILES
from prefdissect.data.readers.gair_hub import GAIR_HUB
from prefdissect.data.readers.helpsteer import HELPSTEER_2, HELPSTEER_2_RATINGS, HELPSTEER_3
from prefdissect.data.readers.hh_rlhf import HH_RLHF
from prefdissect.data.readers.layout import Layout, Part, Reading, one_table
from prefdissect.data.readers.llmbar import JUDGE_BENCH, LLMBAR
from prefdissect.data.readers.mt_bench import MT_BENCH
from prefdissect.data.readers.pandalm import PANDALM
from prefdissect.data.readers.pku_saferlhf import PKU_SAFERLHF
from prefdissect.data.readers.reward_bench import REWARD_BENCH, REWARD_BENCH_2
from prefdissect.data.readers.text_pairs import TEXT_PAIRS
from prefdissect.data.readers.vibecheck import VIBECHECK
from prefdissect.errors import DataError, FileFormatError, OptionError, choices

__all__ = ["LAYOUTS", "TIDY", "closest_layouts", "read_parts", "recognise"]

_MOST_COLUMNS = 25


def _is_tidy(part: Part) -> bool:
    """Return whether a table has what only ours have: judges in columns, or a verdict a row of a named pair."""
    table = part.content
    if not isinstance(table, pd.DataFrame):
        return False
    return bool(find_judges(table, None)) or {"pair_id", "judge"} <= part.columns


def _read_tidy(parts: Sequence[Part]) -> Reading:
    return Reading(one_table(parts) if len(parts) > 1 else parts[0].content)


TIDY = Layout("tidy", "tidy table", (), _read_tidy, accepts=_is_tidy)

LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        TIDY,
        ARENA,
        ARENA_55K,
        MT_BENCH,
        ALPACA_EVAL,
        HH_RLHF,
        TRL,
        ULTRAFEEDBACK,
        HELPSTEER_2,
        HELPSTEER_2_RATINGS,
        HELPSTEER_3,
        PKU_SAFERLHF,
        REWARD_BENCH,
        REWARD_BENCH_2,
        PANDALM,
        LLMBAR,
        JUDGE_BENCH,
        VIBECHECK,
        TEXT_PAIRS,
        ANNOTATED_PAIRS,
        GAIR_HUB,
        GAIR_FILES,
    )
}


def read_parts(parts: Sequence[Part], layout: Layout) -> Reading:
    """Return a source in the tidy layout, having said which layout it was in."""
    reading = layout.read(parts)
    said = [] if layout is TIDY else [("layout", f"{layout.name}: {layout.title}")]
    return Reading(reading.table, [*said, *reading.facts], reading.options)


def recognise(parts: Sequence[Part], wanted: str | None = None, *, named: bool = False) -> Layout:
    """Return the layout of a source: the one asked for, or the one that all parts are written in.

    A table of no known layout is a tidy one if it looks like one, or if the user has `named` its columns.

    Raises
    ------
    OptionError
        If no layout has the name that was asked for, or the parts are not written in it.
    FileFormatError
        If a file holds no table, and nothing else that is known.
    DataError
        If the parts are of no layout; the message lists the columns and the closest layouts.
    """
    if wanted is not None:
        if wanted not in LAYOUTS:
            raise OptionError(f"format={wanted!r} is no layout; {choices(wanted, LAYOUTS, most=len(LAYOUTS))}")
        return _insist(LAYOUTS[wanted], parts)
    fitting = [layout for layout in LAYOUTS.values() if layout is not TIDY and all(map(layout.knows, parts))]
    if any(map(_is_tidy, parts)) and not fitting:
        _refuse_strangers(parts)
        return TIDY
    if fitting:
        return max(fitting, key=lambda layout: len(layout.columns))
    if all(isinstance(part.content, pd.DataFrame) and (named or _may_be_tidy(part)) for part in parts):
        return TIDY
    raise DataError(_describe(next(part for part in parts if not _may_be_tidy(part))))


def _refuse_strangers(parts: Sequence[Part]) -> None:
    """Raise where only some parts are tables of pairs: rows of the others would be pairs without anything."""
    pairs = next(part for part in parts if _is_tidy(part))
    for part in parts:
        if not isinstance(part.content, pd.DataFrame) or not (_is_tidy(part) or _may_be_tidy(part)):
            raise DataError(
                f"{pairs.where} holds pairs, and {part.where}, which was given with it, does not; name the files that "
                "belong together, one by one"
            )


def _insist(layout: Layout, parts: Sequence[Part]) -> Layout:
    for part in parts:
        if layout is not TIDY and not layout.knows(part):
            lacks = layout.lacks(part)
            why = f"it lacks {', '.join(map(repr, lacks))}" if lacks else "its content is another one"
            raise OptionError(f"format={layout.name!r}: {part.where} is not in that layout; {why}")
    return layout


def _may_be_tidy(part: Part) -> bool:
    """Return whether a table has the verdicts of judges, or columns `<x>_a` and `<x>_b` to rate or read."""
    names = part.columns
    stems = {n[:-2] for n in names if n.endswith("_a") and f"{n[:-1]}b" in names}
    return "judge" in names or bool(stems - {"model", "conversation", "text"})


def _describe(part: Part) -> str:
    """Say that a part is of no layout, what it has, and which two layouts are closest."""
    if not isinstance(part.content, pd.DataFrame):
        raise FileFormatError(
            f"{part.where} holds no table but a {type(part.content).__name__}: JSON must be a list of objects, one per "
            f"row, or be in a known layout: {', '.join(LAYOUTS)}"
        )
    columns = ", ".join(shorten([str(c) for c in part.content.columns], _MOST_COLUMNS))
    near = "; ".join(f"{one.name} {_needs(one, part)}" for one in _rank(part)[:2])
    return (
        f"{part.where} fits no layout; columns found: {columns}; closest: {near}; a tidy table has columns "
        f"<x>_a and <x>_b and {JUDGE_PREFIX}<name>, or name the columns: load(..., judges=[...], properties=[...])"
    )


def closest_layouts(part: Part) -> list[str]:
    """Return what a table of responses without a judge lacks: as a tidy one, and as the closest two of the others.

    Of these only such that it has a column of.
    """
    near = [layout for layout in _rank(part)[:2] if len(layout.lacks(part)) < len(layout.columns)]
    return [f"tidy lacks {JUDGE_PREFIX}<name>", *(f"{layout.name} {_needs(layout, part)}" for layout in near)]


def _rank(part: Part) -> list[Layout]:
    """Return the layouts that have columns of their own, that of which the part lacks the smallest share first."""
    return sorted(
        (layout for layout in LAYOUTS.values() if layout.columns),
        key=lambda layout: (len(layout.lacks(part)) / len(layout.columns), len(layout.columns)),
    )


def _needs(layout: Layout, part: Part) -> str:
    return f"lacks {', '.join(layout.lacks(part)) or 'the right content'}"
