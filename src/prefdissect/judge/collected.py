"""What a run of a judge came to: the data with its verdicts, and how far it agrees with itself."""

from __future__ import annotations

import html
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prefdissect._typing import Orders
from prefdissect.data.combined import asked_rows, counted_rows
from prefdissect.judge.agreeing import Measured
from prefdissect.llm import Failure, Use
from prefdissect.llm.jobs import count_reasons

if TYPE_CHECKING:
    import pandas as pd

    from prefdissect.data import PreferenceData

__all__ = ["Collected"]


@dataclass(frozen=True, eq=False, repr=False)
class Collected:
    """The verdicts of a judge, beside those that the data had.

    Parameters
    ----------
    data
        The data with this judge among the others.
    judge, way, orders
        Its name there, how it was asked, and in which orders.
    consistency
        Share of pairs with the same winner in both orders; not known unless both were asked.
    bias
        Points by which being shown first raises the chance to win, above 50 of 100; not known where A was always first.
    intensity
        Mean absolute difference between the log-probabilities of A and B; NaN without log-probabilities.
    failures
        Questions that have no usable answer, and why.
    not_done, stopped
        Questions that were not asked, and why.
    left_out
        Pairs that were not asked, by reason.
    use
        Calls, tokens and money; None where no server was asked.
    notes
        What bears on how to read the verdicts.

    Examples
    --------
    >>> import pandas as pd
    >>> import prefdissect as pdx
    >>> table = pd.DataFrame({"prompt": ["Why?"], "response_a": ["Because."], "response_b": ["Because it rains."]})
    >>> found = pdx.collect(table, pdx.RuleJudge("longest"))
    >>> found.consistency.value, found.bias.value, found.data.judges
    (1.0, 0.0, ['longest'])
    """

    data: PreferenceData
    judge: str
    way: str
    orders: Orders
    consistency: Measured
    bias: Measured
    intensity: float
    failures: tuple[Failure, ...] = ()
    not_done: tuple[str, ...] = ()
    stopped: str | None = None
    left_out: tuple[tuple[str, int], ...] = ()
    use: Use | None = None
    notes: tuple[str, ...] = ()

    @property
    def verdicts(self) -> pd.DataFrame:
        """One row per question asked, and one per pair that combines them (kind `derived`) where there are several."""
        own = self.data.verdicts[self.data.verdicts["judge"] == self.judge]
        return own.dropna(axis=1, how="all").reset_index(drop=True)

    @property
    def summary(self) -> pd.DataFrame:
        """One row: who was asked how, how often it said what, and how far it agrees with itself.

        Columns: judge, way, orders, pairs, questions, failed, not_done, prefers_a, prefers_b, ties, undecided, invalid
        (of pairs), consistency and bias (points) with lower and upper, intensity, calls, money.
        """
        import pandas as pd

        own = self.data.verdicts[self.data.verdicts["judge"] == self.judge]
        said = Counter(counted_rows(own)["outcome"].astype(str))
        row: dict[str, object] = {"judge": self.judge, "way": self.way, "orders": self.orders}
        row |= {"pairs": own["pair_id"].nunique(), "questions": len(asked_rows(own))}
        row |= {"failed": len(self.failures), "not_done": len(self.not_done)}
        row |= {"prefers_a": said["A"], "prefers_b": said["B"], "ties": said["tie"]}
        row |= {"undecided": said["soft"], "invalid": said["invalid"]}
        for name, found in {"consistency": self.consistency, "bias": self.bias}.items():
            row |= {name: found.value, f"{name}_lower": found.lower, f"{name}_upper": found.upper}
        row |= {"intensity": self.intensity}
        row |= {"calls": self.use.calls if self.use else 0, "money": self.use.money if self.use else 0.0}
        return pd.DataFrame([row])

    def __repr__(self) -> str:
        row = self.summary.iloc[0]
        orders = {"both": "in both orders", "given": "A always first", "random": "in random orders"}[self.orders]
        how = "each response alone" if self.way == "score" else orders
        said = {"A": row["prefers_a"], "B": row["prefers_b"], "tie": row["ties"]}
        said |= {"undecided": row["undecided"], "invalid": row["invalid"]}
        asked = f"{_plural(row['pairs'], 'pair')}, {_plural(row['questions'], 'question')}"
        lines = [f"{self.judge}, by {self.way}, {how}: {asked}"]
        lines += ["prefers           " + ", ".join(f"{what} {n:,}" for what, n in said.items() if n or len(what) == 1)]
        if self.consistency.n_pairs:
            lines += [f"same both ways    {self.consistency!r}"]
        if self.bias.n_pairs:
            bias = self.bias
            lines += [f"shown first       {bias.value:+.1f} points ({bias.lower:+.1f} to {bias.upper:+.1f})"]
        if self.intensity == self.intensity:
            lines += [f"log-odds          {self.intensity:.2f} on average, whichever response is preferred"]
        lines += [f"not asked ({n:,})".ljust(18) + reason for reason, n in self.left_out]
        lines += [f"failed ({n:,})".ljust(18) + reason for reason, n in count_reasons(self.failures)]
        if self.not_done:
            lines += [f"not done ({len(self.not_done):,})".ljust(18) + (self.stopped or "")]
        lines += [f"note              {note}" for note in self.notes]
        return "\n".join([*lines, *([f"used              {self.use}"] if self.use else [])])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


def _plural(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
