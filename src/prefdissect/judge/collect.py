"""Ask a judge about all pairs: `collect`, and what that would take: `estimate_collect`."""

from __future__ import annotations

import hashlib
import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from prefdissect._typing import Orders, TableLike, check_choice, check_count
from prefdissect.data import PreferenceData, load
from prefdissect.data.combined import asked_rows
from prefdissect.data.extend import add_verdicts, check_new_judge
from prefdissect.errors import OptionError, PrefDissectWarning, show
from prefdissect.judge.agreeing import measure_bias, measure_consistency, measure_intensity
from prefdissect.judge.answers import Answers, Judge, Run
from prefdissect.judge.chat import ChatJudge
from prefdissect.judge.collected import Collected
from prefdissect.judge.combining import tabulate_answers
from prefdissect.judge.questions import Plan, plan_questions
from prefdissect.llm import Estimate, Limit, estimate_calls
from prefdissect.llm.jobs import tell_reasons

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["collect", "estimate_collect"]


def collect(
    data: PreferenceData | pd.DataFrame | TableLike | str | Path,
    judge: Judge,
    *,
    orders: Orders = "both",
    repeats: int = 1,
    name: str | None = None,
    random_seed: int = 0,
    replies: str | Path | None = "replies.sqlite",
    limit: Limit | str | int | None = None,
    prices: str | Path | None = None,
    concurrency: int = 16,
    retry_failed: bool = False,
    progress: bool | None = None,
) -> Collected:
    """Ask a judge which response of each pair is better, and return the data with its verdicts.

    Each verdict is kept with its order, log-probabilities and text. Where a pair is asked several times, its label is
    their combination: log-probabilities are summed over both orders, as in the paper, and the response with more is
    preferred; an exact tie is a tie. Without log-probabilities, orders that disagree are undecided (0.5, and no tie).
    If an answer is missing, the pair has no label: one order alone would let the place decide.

    Parameters
    ----------
    data
        Pairs with columns `prompt`, `response_a` and `response_b`, or what `load` makes them of. Pairs without all
        three texts are not asked, nor those with an empty response or two that are the same; `left_out` counts them.
    judge
        `ChatJudge`, `LocalJudge`, `RuleJudge`.
    orders
        `both` asks twice, A shown first and B shown first. `given` shows A first, `random` either.
    repeats
        How often each is asked.
    name
        What the judge is called in the data; the name of its model by default.
    random_seed
        Of random orders, which depend on it and the pair's id alone.
    replies
        File that keeps every reply (sqlite) before it is used: call again, and nothing is asked twice. None keeps none.
    limit
        The most to use: 200, "200 calls", "$5".
    prices
        YAML of lines `model: [input, output]`, US dollars for a million tokens, over the package's own.
    concurrency
        Calls in flight at once.
    retry_failed
        Ask again where an earlier run got a reply that it could not use.
    progress
        Show a bar; None shows it where someone may look.

    Raises
    ------
    DuplicateError
        If there is a judge of that name.
    ColumnError, DataError
        If texts are missing, or no pair has any.
    OptionError
        If an option is none, the judge is only a name, or the limit is in money and the model's price is not known.
    ModelError
        If the server will answer no call: a wrong key, an unknown model, no log-probabilities where the way needs them.

    Warns
    -----
    PrefDissectWarning
        If questions have no usable answer, or were not asked; the message says why, and how to go on.

    Examples
    --------
    >>> import pandas as pd
    >>> import prefdissect as pdx
    >>> table = pd.DataFrame({"prompt": ["Why?"], "response_a": ["Because."], "response_b": ["Because it rains."]})
    >>> found = pdx.collect(table, pdx.RuleJudge("first_shown"))
    >>> found.verdicts[["first", "value", "outcome", "weight", "kind"]].values.tolist()
    [['A', 1.0, 'A', 0.0, 'argmax'], ['B', 0.0, 'B', 0.0, 'argmax'], ['unknown', 0.5, 'soft', 1.0, 'derived']]
    """
    check_choice("orders", orders, Orders)
    check_count("repeats", repeats)
    _check_judge(judge)
    pairs, named = load(data), judge.name if name is None else name
    check_new_judge(pairs, named)
    plan = plan_questions(pairs, orders, repeats, random_seed=random_seed, sees_order=judge.sees_order)
    run = Run(replies, limit, prices, concurrency, retry_failed, progress)
    found = judge.answer(plan.questions, run)
    collected = _gather(pairs, judge, named, plan, found, orders)
    _warn_of_missing(found, len(plan.questions))
    return collected


def _check_judge(judge: object) -> None:
    if isinstance(judge, str):
        raise OptionError(f"judge={judge!r} is a name and no judge; give ChatJudge({judge!r}), LocalJudge or RuleJudge")


def _gather(data: PreferenceData, judge: Judge, name: str, plan: Plan, found: Answers, orders: Orders) -> Collected:
    rows = tabulate_answers(
        plan.questions,
        found,
        per_pair=plan.per_pair,
        judge_prompt=judge.prompt_hash,
        run_id=_name_run(judge, orders),
    )
    extended = replace(data, **add_verdicts(data, name, rows))
    asked, clusters = asked_rows(rows.assign(judge=name)), data.pairs["cluster"]
    return Collected(
        data=extended,
        judge=name,
        way=judge.way,
        orders=orders,
        consistency=measure_consistency(asked, clusters),
        bias=measure_bias(asked, clusters, orders),
        intensity=measure_intensity(asked),
        failures=found.failures,
        not_done=found.not_done,
        stopped=found.stopped,
        left_out=tuple(plan.left_out.items()),
        use=found.use,
        notes=(*found.notes, *_notes(asked)),
    )


def _name_run(judge: Judge, orders: Orders) -> str:
    """Return 12 hexadecimal digits that are the same for runs that ask the same in the same way."""
    asked = json.dumps([judge.settings, orders], sort_keys=True, default=str)
    return hashlib.blake2b(asked.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _notes(asked: pd.DataFrame) -> list[str]:
    """Return what bears on how to read verdicts by log-probabilities."""
    usable = asked[asked["value"].notna()]
    notes = []
    if "logprob_bound" in usable and (n := int(usable["logprob_bound"].notna().sum())):
        notes.append(f"{n:,} answers show one letter only; the log-probability of the other is an upper bound")
    if "logprob_a" in usable and (n := int(usable["logprob_a"].isna().sum())):
        notes.append(f"{n:,} answers came without log-probabilities: there the letter alone decides")
    return notes


def _warn_of_missing(found: Answers, n: int) -> None:
    said = []
    if found.failures:
        said.append(
            f"{len(found.failures):,} of {n:,} questions have no usable answer ({tell_reasons(found.failures)})"
        )
    if found.not_done:
        said.append(f"{len(found.not_done):,} were not asked ({found.stopped})")
    if said:
        again = "; retry_failed=True asks again what could not be used" if found.failures else ""
        warnings.warn(
            f"{'; '.join(said)}; to go on, call again with the same replies: what was answered is kept and costs "
            f"nothing{again}",
            PrefDissectWarning,
            stacklevel=3,
        )


def estimate_collect(
    data: PreferenceData | pd.DataFrame | TableLike | str | Path,
    judge: Judge,
    *,
    orders: Orders = "both",
    repeats: int = 1,
    random_seed: int = 0,
    replies: str | Path | None = "replies.sqlite",
    prices: str | Path | None = None,
    concurrency: int = 16,
) -> Estimate:
    """Return what `collect` would take, from the very requests that it would send; nothing is asked.

    Neither key nor the package openai is needed. Parameters are those of `collect`.

    Raises
    ------
    OptionError
        If the judge is not behind a server, and so costs nothing.
    ColumnError, DataError
        As in `collect`.

    Examples
    --------
    >>> import pandas as pd
    >>> import prefdissect as pdx
    >>> table = pd.DataFrame({"prompt": ["Why?"], "response_a": ["Because."], "response_b": ["Because it rains."]})
    >>> pdx.estimate_collect(table, pdx.ChatJudge("gpt-4o-mini"), replies=None).calls
    2
    """
    _check_judge(judge)
    if not isinstance(judge, ChatJudge):
        raise OptionError(f"judge={show(judge)} is not behind a server, so there is no cost to estimate; call collect")
    check_choice("orders", orders, Orders)
    check_count("repeats", repeats)
    plan = plan_questions(load(data), orders, repeats, random_seed=random_seed, sees_order=judge.sees_order)
    return estimate_calls(
        judge.plan(plan.questions),
        model=judge.model,
        base_url=judge.base_url,
        prices=prices,
        replies=replies,
        concurrency=check_count("concurrency", concurrency),
    )
