"""Steer a model toward a judge and away from it, and see what the judge makes of it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prefdissect._typing import Condition, FloatArray, Scoring, check_count, check_positive
from prefdissect.audit.expected import Rate, expected_by_condition, rate_texts
from prefdissect.audit.experiment_tables import experiment_tables
from prefdissect.audit.generating import ChatGenerator, Wanted, Written, generate, plan_generation
from prefdissect.audit.prompt_sets import Prompts, load_prompts
from prefdissect.audit.scoring import check_judge, questions_of, score_duels
from prefdissect.audit.steering import Steering
from prefdissect.audit.trials import (
    Trial,
    count_left_out,
    judged_table,
    plan_trials,
    response_table,
    whole_trials,
    with_responses,
)
from prefdissect.audit.tried import Experiment
from prefdissect.errors import DataError, OptionError, PrefDissectWarning, show
from prefdissect.judge import ChatJudge, Judge, Run
from prefdissect.llm import Estimate, Failure, Limit, Use, estimate_calls

__all__ = ["estimate_experiment", "run_experiment"]

# Prompts: with 10, intervals of 94% held the truth in 79% to 85% of simulated groups, with 5 in 53% to 81%.
_ENOUGH = 20
_TYPICAL_WORDS = 250  # of a response that is not written yet, for estimates


def run_experiment(
    prompts: Prompts,
    generator: ChatGenerator,
    judge: Judge,
    steering: Steering,
    *,
    conditions: Sequence[Condition] = ("none", "toward", "away"),
    scoring: Scoring = "pairwise",
    scenario: str | None = None,
    rate: Rate | None = None,
    interval: float = 0.94,
    resamples: int = 1000,
    random_seed: int = 0,
    replies: str | Path | None = "replies.sqlite",
    limit: Limit | str | int | None = None,
    prices: str | Path | None = None,
    concurrency: int = 16,
    retry_failed: bool = False,
    progress: bool | None = None,
) -> Experiment:
    """Have a model answer prompts under each condition, have a judge score the answers, and compare.

    Source: Li et al. 2024, manipulation without training; Dubois et al. 2024 for `pairwise` (AlpacaEval 2.0), Zheng et
    al. 2023 for `single` (MT-Bench).

    Parameters
    ----------
    prompts
        Texts, a table, a file, "alpaca_eval" or "mt_bench"; see `load_prompts`. With a column `scenario` each prompt
        gets the message of its scenario. With a column `baseline` responses are compared with that; else with what the
        model writes unasked.
    generator
        Who writes.
    judge
        Who judges: a way that compares two responses for `pairwise`, `way="score"` for `single`.
    steering
        The messages; see `Dissection.steering`.
    conditions
        `none`, and `toward`, `away` or both.
    scoring
        `pairwise`: the chance to win by log-probabilities, both orders averaged, and the same at equal length.
        `single`: a score from 1 to 10 for each response alone, of the first turn.
    scenario
        The scenario (or case) of all prompts, whatever a column `scenario` says.
    rate
        Rates responses for the prediction: takes a table with columns `pair_id`, `prompt`, `response_a`, `response_b`,
        `scenario`, and returns a `PreferenceData` with the properties of the dissection, such as
        `lambda table: pdx.annotate(table, "gpt-4o").data`. Asked once, of responses that differ from their baseline;
        what it costs is outside of `limit` and of estimates. Not needed where all are `TEXT`'s; else nothing is
        predicted.
    interval, resamples, random_seed
        Of the intervals: their probability, the number of resamplings of the prompts, and the seed.
    replies, limit, prices, concurrency, retry_failed, progress
        As for `collect`; the limit holds for generator and judge together.

    Raises
    ------
    OptionError
        If an option is none, or the judge is not asked as the scoring needs.
    UnknownNameError
        If a prompt's scenario has no fit.
    DataError
        If some prompts lack a scenario or a baseline that others have, or no prompt was judged under all conditions.
    ModelError
        If a server answers no call.

    Warns
    -----
    PrefDissectWarning
        If responses or judgements are missing; their prompts are left out, and counted.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> result = pdx.Dissection.load("study.nc")  # doctest: +SKIP
    >>> pdx.run_experiment(  # doctest: +SKIP
    ...     "alpaca_eval",
    ...     pdx.ChatGenerator("llama-3-8b", base_url="http://127.0.0.1:8000/v1"),
    ...     pdx.ChatJudge("gpt-4-turbo"),
    ...     result.steering("gpt-4-turbo"),
    ...     scenario="Advice",
    ...     limit="$20",
    ... ).plot()
    """
    check_judge(judge, scoring)
    check_positive("interval", interval, below=1.0)
    check_count("resamples", resamples, least=100)
    check_count("random_seed", random_seed, least=0)
    trials = plan_trials(load_prompts(prompts), steering, conditions, scoring, scenario)
    run = Run(replies, Limit.read(limit), prices, concurrency, retry_failed, progress)

    written, written_use = generate(generator, [Wanted(t.name, t.prompt, t.message) for t in trials], run)
    trials = with_responses(trials, written.results)
    duels = [trial.duel for trial in trials if trial.duel is not None]
    found, answers = score_duels(judge, duels, scoring, replace(run, limit=_left(run.limit, written_use)))
    whole = whole_trials(trials, found)
    stopped = f"the limit of {Limit.read(limit)} is reached" if written.stopped or answers.stopped else None
    if not whole:
        raise DataError(_nothing_judged(written.failures, answers.failures, stopped))

    judged = judged_table(whole, found, scoring)
    expected = expected_by_condition(steering, whole, rate or rate_texts(steering))
    rng = np.random.default_rng(random_seed)
    scores, shifts = experiment_tables(judged, expected, interval=interval, resamples=resamples, rng=rng)
    experiment = Experiment(
        scores=scores,
        shifts=shifts,
        responses=response_table(trials),
        judged=judged,
        generator=generator.model,
        judge=judge.name,
        steered_by=steering.judge,
        scoring=scoring,
        failures=(*written.failures, *answers.failures),
        left_out=count_left_out(trials, whole),
        use=(written_use, answers.use),
        notes=(*answers.notes, *_notes(trials, judged, scoring, expected), *_remarks(steering, trials)),
    )
    _warn_of_missing(experiment, (*written.not_done, *answers.not_done), stopped)
    return experiment


def estimate_experiment(
    prompts: Prompts,
    generator: ChatGenerator,
    judge: Judge,
    steering: Steering,
    *,
    conditions: Sequence[Condition] = ("none", "toward", "away"),
    scoring: Scoring = "pairwise",
    scenario: str | None = None,
    replies: str | Path | None = "replies.sqlite",
    prices: str | Path | None = None,
    concurrency: int = 16,
) -> tuple[Estimate, Estimate]:
    """Return what `run_experiment` would take, of the generator and of the judge; nothing is asked.

    The judge's part takes responses that are not written yet for 250 words long.

    Raises
    ------
    OptionError
        If the judge is not behind a server, and so costs nothing; or as `run_experiment`.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> schema = pdx.PAPER.select(["lengthy", "clear"])
    >>> study = pdx.simulate(200, schema=schema, judges=["me"], scenarios=None, random_seed=0)
    >>> steering = pdx.dissect(study.data, engine="ep", random_seed=0).steering(k=1)
    >>> writer, judge = pdx.ChatGenerator("gpt-4o-mini"), pdx.ChatJudge("gpt-4o")
    >>> writing, judging = pdx.estimate_experiment(["Why?", "Who?"], writer, judge, steering, replies=None)
    >>> writing.calls, judging.calls  # three responses each, of which two meet the first, in both orders
    (6, 8)
    """
    if not isinstance(judge, ChatJudge):
        raise OptionError(
            f"judge={show(judge)} is not behind a server, so there is no cost of it to estimate; what the generator "
            "takes does not depend on the judge: give any ChatJudge, and read the first estimate"
        )
    check_judge(judge, scoring)
    trials = plan_trials(load_prompts(prompts), steering, conditions, scoring, scenario)
    wanted = [Wanted(t.name, t.prompt, t.message) for t in trials]
    typical = with_responses(trials, {t.name: Written(f"{t.name} {'word ' * _TYPICAL_WORDS}") for t in trials})
    duels = [trial.duel for trial in typical if trial.duel is not None]
    questions = list(questions_of(duels, scoring))
    files: dict[str, Any] = {"replies": replies, "prices": prices, "concurrency": concurrency}
    return (
        estimate_calls(plan_generation(generator, wanted), model=generator.model, base_url=generator.base_url, **files),
        estimate_calls(judge.plan(questions), model=judge.model, base_url=judge.base_url, **files),
    )


def _left(limit: Limit | str | int | None, use: Use) -> Limit:
    """Return what the generator left of a limit."""
    whole = Limit.read(limit)
    calls = None if whole.calls is None else max(0, whole.calls - use.calls)
    money = None if whole.money is None else max(0.0, whole.money - (use.money or 0.0))
    return Limit(calls, money)


def _nothing_judged(written: Sequence[Failure], judged: Sequence[Failure], stopped: str | None) -> str:
    why = [f"{len(part)} {what}, the first: {part[0].reason}" for what, part in _named(written, judged) if part]
    more = (
        [f"{stopped}; raise it and call again with the same replies=: what was answered costs nothing"]
        if stopped
        else []
    )
    return f"no prompt was judged under all conditions: {'; '.join([*why, *more])}"


def _named(written: Sequence[Failure], judged: Sequence[Failure]) -> list[tuple[str, Sequence[Failure]]]:
    return [("responses failed", written), ("judgements failed", judged)]


def _notes(
    trials: Sequence[Trial], judged: pd.DataFrame, scoring: Scoring, expected: Mapping[str, FloatArray] | None
) -> list[str]:
    notes = []
    if scoring == "pairwise":
        own = any(t.condition == "none" and t.baseline != t.response for t in trials)
        notes.append(f"compared with {'the baseline of each prompt' if own else 'what the model writes unasked'}")
    alone = int((~judged["weighted"]).sum())
    if scoring == "pairwise" and alone:
        notes.append(
            f"{alone:,} of {len(judged):,} scores are by the verdict alone: the judge gave no log-probabilities"
        )
    counts = judged[judged["condition"] == "none"].groupby("scenario", sort=False).size()
    if few := [f"{group} ({n})" for group, n in counts.items() if n < _ENOUGH]:
        notes.append(f"intervals are too narrow where there are fewer than {_ENOUGH} prompts: {', '.join(few)}")
    if cut := sum(trial.cut for trial in trials):
        notes.append(f"{cut:,} of {len(trials):,} responses were cut off at the most tokens that they may have")
    if expected is None:
        notes.append("nothing is predicted: the properties are not measured from texts; give rate= to have them rated")
    elif unrated := int(np.isnan([chances[0] for chances in expected.values()]).any(axis=0).sum()):
        notes.append(f"{unrated:,} prompts have no part in predicted and gap: a rating is missing")
    return notes


def _remarks(steering: Steering, trials: Sequence[Trial]) -> list[str]:
    return steering.remarks(dict.fromkeys(t.scenario for t in trials), dict.fromkeys(t.condition for t in trials))


def _warn_of_missing(experiment: Experiment, not_done: Sequence[str], stopped: str | None) -> None:
    said = [f"{len(experiment.failures):,} responses or judgements failed"] if experiment.failures else []
    said += [f"{len(not_done):,} were not asked ({stopped})"] if not_done else []
    if said:
        warnings.warn(
            f"{'; '.join(said)}; their prompts are left out; to go on, call again with the same replies=: what was "
            "answered is kept and costs nothing, and retry_failed=True asks again what could not be used",
            PrefDissectWarning,
            stacklevel=3,
        )
