"""How far judges can be gamed, in sentences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prefdissect.report.contents import Contents
from prefdissect.report.sections.wording import within

__all__ = ["gamed_part"]

_NAMED = 4  # judges that are told of


def gamed_part(contents: Contents) -> Iterable[dict[str, Any]]:
    """Say which property to guard against, and which subsets are won without the prompt."""
    table = contents.exploitability.table
    said = []
    for judge in contents.exploitability.judges[:_NAMED]:
        rows = table[(table["judge"] == judge) & (table["rank"] == 1)]
        if len(rows):
            row = rows.iloc[-1]  # over scenarios, where there are several
            low, high = sorted(100 * (row[end] if row["change"] >= 0 else -row[end]) for end in ("lower", "upper"))
            said.append(
                f"One step {row['direction']} {row['label']} on every pair would gain a model {100 * row['gain']:.1f} "
                f"points {within(low, high, 1)} of win rate with {judge}."
            )
    won = contents.audit.subsets
    won = won[won["without_reading"] & (won["judge"] == contents.audit.judges[0])]
    if len(won):
        named = ", ".join(won["group"].str.replace("_", " "))
        said.append(f"Won without reading the prompt ({contents.audit.judges[0]}): {named}.")
    if said:
        yield {"topic": "How far it can be gamed", "said": said}
