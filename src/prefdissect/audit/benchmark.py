"""What an audit found: rules, subsets and a leaderboard, to be read, filtered and drawn."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import pandas as pd

from prefdissect._typing import check_choice
from prefdissect.audit.describe import describe
from prefdissect.audit.rules import ALL_PAIRS
from prefdissect.errors import DataError, UnknownNameError, choices

if TYPE_CHECKING:
    from prefdissect.plots import Axes

__all__ = ["Audit", "AuditFigure"]

AuditFigure: TypeAlias = Literal["leaderboard", "rules", "subsets"]


@dataclass(frozen=True, eq=False, repr=False)
class Audit:
    """How far a benchmark can be won without what it is meant to measure; made by `audit_benchmark`.

    Shares and win rates are from 0 to 1.

    Parameters
    ----------
    rules
        What single-property rules win, the best first in each judge and group: judge, group (each subset, and
        `(all pairs)` where there are several), property, label, direction (`more` or `less`), share, lower, upper (a
        pair in which both responses have as much of it counts half), n (decided pairs), n_equal (those that counted
        half), share_differing (of the others).
    subsets
        What is won of pairs that had no part in choosing: judge, group, n, n_clusters, rule (the one chosen most
        often), then `one_side` (always A, or always B), `best_rule`, `blind` (a fit to properties that need no prompt)
        and `fit` (to all), each with `_lower` and `_upper`; rule_chance and blind_chance (that properties which say
        nothing do as well), margin (`blind_lower` less 1/2), without_reading (the margin is above 0 and blind_chance
        small: less than lies outside the interval on one side).
    leaderboard
        One row per judge and model, the strongest first: judge, model, is_baseline (all others met this one alone), n,
        n_ties, n_unparsed, raw (win rate, ties half; of a baseline 1/2), raw_lower, raw_upper, raw_rank; then with the
        properties held equal, against the opponents that the model met: equal, moved (by holding them equal, within the
        fit), strength (log-odds above the average model), each with `_lower` and `_upper`; rank, rank_lower,
        rank_upper; engine, certified. Without rows where no models are named; NaN where nothing can be held equal.
    weights
        Of what was held equal: judge, property, label, mean, lower, upper (log-odds), n, n_differs.
    left_out
        judge, reason, n.
    blind, hold_equal
        The properties that need no prompt, and those that were held equal.
    folds, interval
        Of the held-out shares, and the probability inside all intervals.
    notes
        What else to know, in sentences.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> schema = pdx.PAPER.select(["lengthy", "clear"])
    >>> truth = {"lengthy": 1.5, "clear": 0.0}
    >>> study = pdx.simulate(400, schema=schema, judges=["me"], scenarios=None, weights=truth, random_seed=0)
    >>> found = pdx.audit_benchmark(study.data, random_seed=0)
    >>> found.subsets[["rule", "without_reading"]].to_numpy().tolist()
    [['more lengthy', True]]
    >>> found.notes
    ('no leaderboard: the data do not name two models (columns model_a and model_b)',)
    """

    rules: pd.DataFrame
    subsets: pd.DataFrame
    leaderboard: pd.DataFrame
    weights: pd.DataFrame
    left_out: pd.DataFrame
    blind: tuple[str, ...]
    hold_equal: tuple[str, ...]
    folds: int
    interval: float
    notes: tuple[str, ...]

    @property
    def judges(self) -> list[str]:
        """The judges whose verdicts were audited."""
        return list(dict.fromkeys(self.rules["judge"]))

    def plot(
        self,
        kind: AuditFigure | None = None,
        ax: Axes | None = None,
        *,
        judge: str | None = None,
        group: str | None = None,
        wide: bool = False,
    ) -> Axes:
        """Draw the `leaderboard` (raw beside held equal), the best `rules` of a group, or what wins the `subsets`.

        By default the leaderboard if there is one, else the subsets. `judge` may be left out where there is one;
        `group` is of the rules, by default all pairs.

        Raises
        ------
        OptionError
            If `kind` is unknown.
        UnknownNameError
            If the judge or group is unknown, or there are several judges and none was named.
        DataError
            If there is no leaderboard to draw.
        """
        from prefdissect.plots import plot_leaderboard, plot_rules, plot_subsets

        chosen = kind if kind is not None else "leaderboard" if len(self.leaderboard) else "subsets"
        check_choice("kind", chosen, AuditFigure)
        name = self._one(judge)
        if chosen == "leaderboard":
            if self.leaderboard.empty:
                raise DataError(f"{self.notes[-1]}; draw 'rules' or 'subsets'")
            held = ", ".join(self.hold_equal)
            return plot_leaderboard(self._own(self.leaderboard, name), ax, held=held, wide=wide)
        if chosen == "subsets":
            return plot_subsets(self._own(self.subsets, name), ax, wide=wide)
        rules = self._own(self.rules, name)
        groups = list(dict.fromkeys(rules["group"]))
        where = groups[-1] if group is None else group
        if where not in groups:
            raise UnknownNameError(f"unknown group {group!r}; {choices(where, groups)}")
        return plot_rules(rules[rules["group"] == where], ax, wide=wide)

    def _own(self, table: pd.DataFrame, judge: str) -> pd.DataFrame:
        return table[table["judge"] == judge].reset_index(drop=True)

    def _one(self, judge: str | None) -> str:
        if judge is None and len(self.judges) == 1:
            return self.judges[0]
        if judge not in self.judges:
            said = "name one judge in judge=" if judge is None else f"unknown judge {judge!r}"
            raise UnknownNameError(f"{said}; {choices(judge or '', self.judges)}")
        return judge

    def __repr__(self) -> str:
        return describe(self)

    def _repr_html_(self) -> str:
        best = self.rules[self.rules["group"].isin([ALL_PAIRS, *self.rules["group"].tail(1)])]
        tables = [self.subsets, self.leaderboard, best.groupby("judge", sort=False).head(5)]
        shown = "".join(table.round(3).to_html(index=False) for table in tables if len(table))
        return f"<pre>{html.escape(repr(self))}</pre>{shown}"
