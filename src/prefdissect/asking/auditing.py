"""How far the judges, and a benchmark built on them, can be gamed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import pandas as pd

from prefdissect._typing import Encoding, Side, Unparsed, check_count
from prefdissect.asking.checking import ChecksFits
from prefdissect.audit import Audit, Exploitability, Plan, audit_design, check_plan, exploit, predicted_shift
from prefdissect.check import FOLDS, HeldOut
from prefdissect.choose import pick
from prefdissect.features import build_design

__all__ = ["AuditsJudges"]

_RESAMPLES = 300  # behind the intervals of a page, of which there may be tens of thousands


class AuditsJudges(ChecksFits):
    """The methods of `Dissection` that tell how far a judge can be gamed."""

    def exploitability(
        self,
        judge: str | Sequence[str] | None = None,
        *,
        step: float | Mapping[str, float] | None = None,
        m: int = 5,
        skipna: bool = False,
    ) -> Exploitability:
        """Return by how much a model's win rate would change if it had one step more of a property on every pair.

        For each property, in each group and over the scenarios, with what the best `m` properties reach together.
        `step` is 1 of the encoding by default, with `diff` a typical difference; steps end where the scale ends. See
        `Exploitability`.

        Raises
        ------
        UnknownNameError
            If a judge or a property is not in the result.
        OptionError
            If a step is no number above 0, or `m` no count.
        """
        return exploit(self.design, self.fitted, pick("judge", judge, self.judges), step=step, m=m, skipna=skipna)

    def predicted_shift(
        self,
        change: Mapping[str, float],
        judge: str | None = None,
        *,
        group: str | Sequence[str] | None = None,
        side: Side = "both",
        skipna: bool = False,
    ) -> pd.DataFrame:
        """Return by how much a judge's win rate moves if responses change in some properties; see `predicted_shift`.

        `change` is in units of the encoding. `judge` may be left out where there is one.

        Raises
        ------
        UnknownNameError
            If a judge, group or property is not in the result, or there are several judges and none was named.
        """
        name = judge if judge is not None or len(self.judges) > 1 else self.judges[0]
        groups = pick("group", group, self.groups)
        return predicted_shift(self.design, self.fitted, str(name), change, groups=groups, side=side, skipna=skipna)

    def audit(
        self,
        judge: str | Sequence[str] | None = None,
        hold_equal: str | Sequence[str] = ("length",),
        *,
        blind: str | Sequence[str] | None = None,
        encoding: Encoding = "comparison",
        unparsed: Unparsed = "drop",
        folds: int = 10,
        interval: float | None = None,
        resamples: int = 1000,
        random_seed: int | None = None,
        progress: bool | None = None,
    ) -> Audit:
        """Return how much of these pairs is won by single properties, and who wins if some are held equal.

        Subsets are the groups, properties and prior those of the dissection; `interval` and `random_seed` too, by
        default. See `audit_benchmark` for the rest, and `Audit` for the tables.
        """
        seed = self.options["random_seed"] if random_seed is None else check_count("random_seed", random_seed, least=0)
        plan = check_plan(
            hold_equal,
            blind,
            encoding=encoding,
            unparsed=unparsed,
            folds=folds,
            resamples=resamples,
            interval=self.fitted.interval if interval is None else interval,
            random_seed=seed,
        )
        return self._run_audit(pick("judge", judge, self.judges), plan, None, progress)

    @cached_property
    def _audited(self) -> Audit:
        """The audit of a report: with what is known of held-out pairs, where the fits are the audit's own."""
        how = {"encoding": "comparison", "unparsed": "drop", "folds": FOLDS, "resamples": _RESAMPLES}
        seed, interval = self.options["random_seed"], self.fitted.interval
        plan = check_plan(("length",), None, interval=interval, random_seed=seed, **how)  # type: ignore[arg-type]
        same = self.design.encoder.encoding == "comparison" and self._kept.all()
        known = self._held_out if same else None
        return self._run_audit(self.judges, plan, known, None)

    def _run_audit(self, judges: list[str], plan: Plan, held: HeldOut | None, progress: bool | None) -> Audit:
        by, ties = self.options["by"], self.options["ties"]
        design = build_design(self.data, judges, by=by, encoding="comparison", ties=ties).sel(judges, self.groups)
        return audit_design(self.data, design, self.fitted.prior, plan, held=held, progress=progress)
