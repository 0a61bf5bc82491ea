"""What a reader understood, and what it left out: nothing is inferred or dropped in silence."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DataReport"]


@dataclass(frozen=True)
class DataReport:
    """Facts about a data set, in the order in which they were found.

    Parameters
    ----------
    facts
        Pairs of a topic ("judges", "scenario", ...) and what was understood about it.
    left_out
        Pairs of a reason and the number of rows or cells that were left out for it.

    Examples
    --------
    >>> from prefdissect import DataReport
    >>> DataReport().add("table", "3 rows").leave_out("cells without a verdict", 1)
    table         3 rows
    left out (1)  cells without a verdict
    """

    facts: tuple[tuple[str, str], ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()

    def add(self, topic: str, fact: str) -> DataReport:
        """Return a report with one more fact."""
        return replace(self, facts=(*self.facts, (topic, fact)))

    def replace(self, topic: str, fact: str) -> DataReport:
        """Return a report in which the fact about `topic` is another one, in the same place."""
        if topic not in dict(self.facts):
            return self.add(topic, fact)
        return replace(self, facts=tuple((t, fact if t == topic else f) for t, f in self.facts))

    def retract(self, topic: str, *facts: str) -> DataReport:
        """Return a report without these facts about `topic`, or without any if none is named: they hold no longer."""
        return replace(self, facts=tuple((t, f) for t, f in self.facts if t != topic or (facts and f not in facts)))

    @property
    def hints(self) -> list[str]:
        """What may have been meant otherwise, and what else could be done."""
        return [fact for topic, fact in self.facts if topic == "hint"]

    def preface(self, facts: Iterable[tuple[str, str]]) -> DataReport:
        """Return a report that begins with these facts."""
        return replace(self, facts=(*facts, *self.facts))

    def leave_out(self, reason: str, n: int) -> DataReport:
        """Return a report that counts `n` more as left out for `reason`; unchanged if `n` is 0."""
        return replace(self, left_out=(*self.left_out, (reason, n))) if n else self

    def to_frame(self) -> pd.DataFrame:
        """Return one row per reason: `reason`, `n`."""
        import pandas as pd

        return pd.DataFrame(list(self.left_out), columns=["reason", "n"])

    def __str__(self) -> str:
        facts = [*self.facts, *((f"left out ({n:,})", reason) for reason, n in self.left_out)]
        width = max((len(topic) for topic, _ in facts), default=0)
        return "\n".join(f"{topic:<{width}}  {fact}" for topic, fact in facts)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"
