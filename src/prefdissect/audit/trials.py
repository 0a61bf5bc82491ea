"""Who answers what under which message: the trials of an experiment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import pandas as pd

from prefdissect._typing import Condition, Scoring, check_choice
from prefdissect.audit.generating import Written
from prefdissect.audit.scoring import Duel, Outcome
from prefdissect.audit.steering import Steering
from prefdissect.errors import DataError, OptionError, TooFewPairsError, choices, show
from prefdissect.text.tokens import count_tokens

__all__ = ["Trial", "count_left_out", "judged_table", "plan_trials", "response_table", "whole_trials", "with_responses"]


@dataclass(frozen=True)
class Trial:
    """One prompt under one condition: the system message, the response, and what that is compared with.

    `cut` tells that the response was cut off at the most tokens that it may have.
    """

    prompt_id: str
    scenario: str
    condition: Condition
    prompt: str
    message: str | None
    response: str | None = None
    baseline: str | None = None
    cut: bool = False

    @property
    def name(self) -> str:
        """What failures and bars call it."""
        return f"{self.prompt_id}, {self.condition}"

    @property
    def duel(self) -> Duel | None:
        """What is put to the judge; None where a response is missing."""
        if self.response is None or self.baseline is None:
            return None
        return Duel(self.name, self.prompt, self.baseline, self.response)


def plan_trials(
    prompts: pd.DataFrame, steering: Steering, conditions: Sequence[Condition], scoring: Scoring, scenario: str | None
) -> list[Trial]:
    """Return a trial for each prompt and condition, prompts first.

    Raises
    ------
    OptionError
        If the conditions are not `none` and at least one more, or the scenarios of the prompts are not known.
    UnknownNameError
        If a scenario has no fit.
    DataError
        If some prompts have no scenario or no baseline, and others have one.
    """
    for condition in conditions:
        check_choice("conditions", condition, Condition)
    check_choice("scoring", scoring, Scoring)
    kinds: tuple[Condition, ...] = tuple(dict.fromkeys(conditions))
    if "none" not in kinds or len(kinds) < 2:
        raise OptionError(
            f"conditions={list(conditions)!r} must be 'none' and at least one more; {choices('', get_args(Condition))}"
        )
    scenarios = _scenarios(prompts, steering, scenario)
    messages = {group: steering.texts(group, kinds) for group in dict.fromkeys(scenarios)}
    given = scoring == "pairwise" and "baseline" in prompts and bool(prompts["baseline"].notna().any())
    own = _texts(prompts, "baseline") if given else [None] * len(prompts)
    return [
        Trial(str(name), group, kind, str(prompt), messages[group][kind], baseline=base)
        for name, prompt, group, base in zip(prompts.index, prompts["prompt"], scenarios, own, strict=True)
        for kind in kinds
    ]


def _texts(prompts: pd.DataFrame, column: str) -> list[str]:
    """Return a column whose cells are all texts: a gap is no reason to take something else for some prompts."""
    for name, cell in zip(prompts.index, prompts[column], strict=True):
        if not isinstance(cell, str):
            raise DataError(
                f"prompt {name!r} has {column} {show(cell)}, which is no text, and others have one; fill it in, "
                f"leave the prompt out, or drop the column {column!r}"
            )
    return list(prompts[column])


def _scenarios(prompts: pd.DataFrame, steering: Steering, scenario: str | None) -> list[str]:
    """Return the scenario of each prompt: the one that was named, its own, or the only one there is."""
    groups = steering.groups
    if not groups:
        raise TooFewPairsError(f"judge {steering.judge!r} has no fit in any group, so nothing is known to steer by")
    if scenario is None and "scenario" in prompts and groups != ["all"]:
        return _texts(prompts, "scenario")
    if scenario is None and len(groups) != 1:
        raise OptionError(
            f"these prompts have no column 'scenario', and judge {steering.judge!r} has a fit in several; "
            f"sort_prompts tells which each belongs to, or name one for all: scenario='...'; {choices('', groups)}"
        )
    return [groups[0] if scenario is None else scenario] * len(prompts)


def with_responses(trials: Sequence[Trial], written: Mapping[str, Written]) -> list[Trial]:
    """Return trials with their responses; without a baseline of their own they are compared with the unasked one."""
    nothing = Written(None)
    unasked = {t.prompt_id: written.get(t.name, nothing).text for t in trials if t.condition == "none"}
    return [
        replace(
            t,
            response=written.get(t.name, nothing).text,
            cut=written.get(t.name, nothing).cut,
            baseline=unasked[t.prompt_id] if t.baseline is None else t.baseline,
        )
        for t in trials
    ]


def whole_trials(trials: Sequence[Trial], found: Mapping[str, Outcome]) -> list[Trial]:
    """Return the trials of prompts that were judged under all conditions."""
    missing = {trial.prompt_id for trial in trials if trial.name not in found}
    return [trial for trial in trials if trial.prompt_id not in missing]


def response_table(trials: Sequence[Trial]) -> pd.DataFrame:
    """Return one row per trial: prompt_id, scenario, condition, prompt, message, response, baseline, cut."""
    rows = [vars(trial) for trial in trials]
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in rows[0]})


def judged_table(trials: Sequence[Trial], found: Mapping[str, Outcome], scoring: Scoring) -> pd.DataFrame:
    """Return one row per trial: prompt_id, scenario, condition, score, won, weighted, longer_by (in words)."""
    rows = []
    for trial in trials:
        outcome = found[trial.name]
        longer_by = count_tokens(trial.response or "") - count_tokens(trial.baseline or "")
        rows.append(
            {"prompt_id": trial.prompt_id, "scenario": trial.scenario, "condition": trial.condition}
            | vars(outcome)
            | {"longer_by": np.nan if scoring == "single" else float(longer_by)}
        )
    return pd.DataFrame(rows)


def count_left_out(trials: Sequence[Trial], whole: Sequence[Trial]) -> tuple[tuple[str, int], ...]:
    """Return how many prompts are not in the tables, by reason."""
    kept = {trial.prompt_id for trial in whole}
    unwritten = {trial.prompt_id for trial in trials if trial.duel is None}
    lost = dict.fromkeys(trial.prompt_id for trial in trials if trial.prompt_id not in kept)
    reasons = Counter("a response is missing" if p in unwritten else "not judged under all conditions" for p in lost)
    return tuple(reasons.items())
