"""What an experiment came to."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from prefdissect._typing import Scoring
from prefdissect.llm import Failure, Use

if TYPE_CHECKING:
    from prefdissect.plots import Axes

__all__ = ["Experiment"]


@dataclass(frozen=True, eq=False, repr=False)
class Experiment:
    """What a judge made of a model that was steered toward it and away from it.

    Parameters
    ----------
    scores
        Mean score of each condition, in each scenario and of all prompts: condition, group, n, score, lower, upper, and
        with `pairwise` the score at equal length, `controlled`, with `_lower` and `_upper`. Bounds are of the prompts.
    shifts
        By how much each condition differs from `none`: condition, group, n; then `shift` of the score, `controlled` of
        that at equal length, `won` of the share of verdicts won, `predicted` of that share from the dissection, and
        `gap` (won less predicted), each with `_lower` and `_upper`; n_predicted (prompts whose responses have all
        ratings, of which predicted and gap are).
    responses
        One row per prompt and condition: prompt_id, scenario, condition, prompt, message, response, baseline, cut.
    judged
        One row per prompt and condition, of prompts that were judged under all: score, won, weighted, longer_by.
    generator, judge, steered_by, scoring
        Who wrote, who judged and how, and by whose dissection the messages were made.
    failures
        Responses and judgements that came to nothing, and why.
    left_out
        Prompts that are not in the tables, by reason.
    use
        Calls, tokens and money of the generator and of the judge.
    notes
        What bears on how to read the numbers.

    Examples
    --------
    >>> done = pdx.run_experiment("prompts.jsonl", generator, judge, result.steering())  # doctest: +SKIP
    >>> done.shifts[["condition", "group", "shift", "shift_lower", "shift_upper", "predicted"]]  # doctest: +SKIP
    """

    scores: pd.DataFrame
    shifts: pd.DataFrame
    responses: pd.DataFrame
    judged: pd.DataFrame
    generator: str
    judge: str
    steered_by: str
    scoring: Scoring
    failures: tuple[Failure, ...]
    left_out: tuple[tuple[str, int], ...]
    use: tuple[Use | None, Use | None]
    notes: tuple[str, ...]

    def plot(self, ax: Axes | None = None, *, wide: bool = False) -> Axes:
        """Draw by how many points the share of verdicts won shifts: observed, and predicted where it is known."""
        from prefdissect.plots import plot_shifts

        return plot_shifts(self.shifts, ax, wide=wide)

    def __repr__(self) -> str:
        unit = "scores from 1 to 10" if self.scoring == "single" else "win rates from 0 to 1"
        what = f"{self.generator}, steered by {self.steered_by!r}, judged by {self.judge}: {unit}"
        tables = [_show(self.scores), "Shifts from none:", _show(self.shifts)]
        out = [f"left out: {n:,} prompts, {reason}" for reason, n in self.left_out]
        used = [f"{who}: {use}" for who, use in zip(("generator", "judge"), self.use, strict=True) if use is not None]
        return "\n".join([what, *tables, *out, *(f"note: {note}" for note in self.notes), *used])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


def _show(table: pd.DataFrame) -> str:
    """Return a table with each number and its bounds in one cell."""
    shown = table[["condition", "group", "n"]].copy()
    plain = [c for c in table.columns if f"{c}_lower" in table.columns or c == "score"]
    for name in plain:
        bounds = ("lower", "upper") if name == "score" else (f"{name}_lower", f"{name}_upper")
        cells = zip(table[name], table[bounds[0]], table[bounds[1]], strict=True)
        shown[name] = [f"{a:.2f} ({b:.2f} to {c:.2f})" for a, b, c in cells]
    return shown.to_string(index=False)
