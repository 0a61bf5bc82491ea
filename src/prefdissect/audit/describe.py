"""What an audit says of itself in some lines."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from prefdissect.audit.benchmark import Audit

__all__ = ["describe", "percent"]

_MOST_JUDGES, _MOST_RULES, _MOST_SUBSETS, _MOST_MODELS = 3, 3, 12, 15
_WIDTH = 116


def describe(found: Audit) -> str:
    """Return rules, subsets and leaderboard of each judge, with intervals."""
    n = len(found.judges)
    lines = [
        f"<Audit of the verdicts of {n} judge{'s' * (n != 1)} by {found.rules['property'].nunique()} properties: "
        f"percent of pairs won, {100 * found.interval:g}% intervals>"
    ]
    for judge in found.judges[:_MOST_JUDGES]:
        lines += ["", f"{judge}", *_rules(found, judge), *_subsets(found, judge), *_leaderboard(found, judge)]
    if n > _MOST_JUDGES:
        more = n - _MOST_JUDGES
        lines += [
            "",
            f"... and {more} more judge{'s' * (more != 1)}; name them in judge=, or see .rules, .subsets, .leaderboard",
        ]
    notes = [*found.notes, *_left_out(found)]
    if notes:
        lines.append("")
        for note in notes:
            lines += textwrap.wrap(note, _WIDTH, subsequent_indent="  ")
    return "\n".join(lines)


def _left_out(found: Audit) -> list[str]:
    """Count what is left out, by reason; a reason may hold a comma."""
    sums = found.left_out.groupby("reason", sort=False)["n"].sum()
    summed = f" (sums over the {len(found.judges)} judges)" if len(found.judges) > 1 else ""
    said = "; ".join(f"{n:,} {reason}" for reason, n in sums.items())
    return [f"left out{summed}: {said}"] if said else []


def percent(row: Any, name: str) -> str:
    """Return a share with its interval, in percent."""
    value, lower, upper = (100 * getattr(row, column) for column in (name, f"{name}_lower", f"{name}_upper"))
    return f"{value:.1f} [{lower:.1f}, {upper:.1f}]"


def _rules(found: Audit, judge: str) -> list[str]:
    table = found.rules[found.rules["judge"] == judge]
    last = table["group"].iloc[-1]
    table = table[(table["group"] == last) & table["share"].notna()]
    if table.empty:
        return ["  no pair is decided"]
    named = map(_rule, table.drop_duplicates("property").head(_MOST_RULES).itertuples())
    said = f"rules, {table['n'].iloc[0]:,} decided pairs: {'; '.join(named)}"
    return textwrap.wrap(said, _WIDTH, initial_indent="  ", subsequent_indent="    ")


def _rule(row: Any) -> str:
    equal = f" ({100 * row.n_equal / row.n:.0f}% equal)" if row.n_equal else ""
    bounds = f"[{100 * row.lower:.1f}, {100 * row.upper:.1f}]"
    return f"{row.direction} {row.label} {100 * row.share:.1f} {bounds}{equal}"


def _subsets(found: Audit, judge: str) -> list[str]:
    table = found.subsets[found.subsets["judge"] == judge]
    scored = table[table["fit"].notna()]
    lines = [f"  held out in {found.folds} folds:"] if len(scored) else []
    width = max([len(group) for group in scored["group"]], default=0)
    tail = (1 - found.interval) / 2
    lines += [_subset(row, width, tail) for row in scored.tail(_MOST_SUBSETS).itertuples()]
    if len(scored) > _MOST_SUBSETS:
        lines.append(f"    ... and {len(scored) - _MOST_SUBSETS} more subsets")
    lines += _won(scored)
    thin = table.loc[table["fit"].isna(), "group"]
    if len(thin):
        lines.append(f"  not scored held out, fewer prompts than folds: {', '.join(thin)}")
    return lines


def _subset(row: Any, width: int, tail: float) -> str:
    blind = [f"without reading {percent(row, 'blind')}"] if np.isfinite(row.blind) else []
    side = [f"always one side {percent(row, 'one_side')}"] if row.one_side_lower > 0.5 else []
    luck = ", may be chance" if row.rule_chance >= tail else ""
    parts = [f"rule ({row.rule}{luck}) {percent(row, 'best_rule')}", *blind, f"fit {percent(row, 'fit')}", *side]
    return f"    {row.group:<{width}}  {', '.join(parts)}"


def _won(scored: pd.DataFrame) -> list[str]:
    """Name the subsets that can be won without reading, by their margin."""
    if scored["blind"].isna().all():
        return []
    won = scored[scored["without_reading"]].sort_values("margin", ascending=False, kind="stable")
    if won.empty:
        return ["  no subset is won without reading, for all that can be seen"]
    named = ", ".join(
        f"{group} (by at least {100 * margin:.1f} points)"
        for group, margin in zip(won["group"], won["margin"], strict=True)
    )
    return textwrap.wrap(f"won without reading: {named}", _WIDTH, initial_indent="  ", subsequent_indent="    ")


def _leaderboard(found: Audit, judge: str) -> list[str]:
    table = found.leaderboard[found.leaderboard["judge"] == judge]
    if table.empty:
        return []
    held = ", ".join(found.hold_equal)
    width = max(len(name) for name in ("win rate", *table["model"]))
    equal = bool(table["equal"].notna().any())
    head = f"{'raw':<19}  {held + ' equal':<19}  {'moved':<19}  rank" if equal else "raw"
    lines = [f"  {'win rate':<{width}}  {head}"]
    lines += [_model(row, width, equal=equal) for row in table.head(_MOST_MODELS).itertuples()]
    if len(table) > _MOST_MODELS:
        lines.append(f"  ... and {len(table) - _MOST_MODELS} more models")
    return lines


def _model(row: Any, width: int, *, equal: bool) -> str:
    cells = [f"{percent(row, 'raw'):<19}"]
    if equal:
        moved = [f"{100 * value:+z.1f}" for value in (row.moved, row.moved_lower, row.moved_upper)]
        cells += [f"{percent(row, 'equal'):<19}", f"{moved[0] + f' [{moved[1]}, {moved[2]}]':<19}"]
        cells += [f"{row.rank:.0f} [{row.rank_lower:.0f}, {row.rank_upper:.0f}]"]
    return f"  {row.model:<{width}}  {'  '.join(cells)}".rstrip() + (" baseline" if row.is_baseline else "")
