"""Rate the responses of pairs by asking a model."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from prefdissect._typing import Inapplicable, Mode, Orders, check_choice, check_count
from prefdissect.errors import OptionError, PrefDissectWarning
from prefdissect.llm import Client, Failure, Jobs, Limit, Server
from prefdissect.llm.jobs import tell_reasons
from prefdissect.measure.annotated import Annotated
from prefdissect.measure.answers import AskedCall, PairAnswers
from prefdissect.measure.asking import Asker, ask_pair
from prefdissect.measure.calls import Settings, prompt_of
from prefdissect.measure.joining import join_answers, split_given
from prefdissect.measure.plan import STEPS, make_plan
from prefdissect.measure.telling import unfinished
from prefdissect.measure.texts import PairTexts, read_pairs
from prefdissect.schema import PAPER, PropertySchema

if TYPE_CHECKING:
    import pandas as pd

    from prefdissect.data import PreferenceData
    from prefdissect.data.load import Source

__all__ = ["annotate", "check_settings"]

_LOG = logging.getLogger(__name__)


def annotate(
    data: Source,
    model: str,
    *,
    schema: PropertySchema | str | Path = PAPER,
    mode: Mode = "pairwise",
    orders: Orders = "random",
    repeats: int = 1,
    references: str | Mapping[str, str] | None = None,
    inapplicable: Inapplicable = "zero",
    random_seed: int = 0,
    base_url: str | None = None,
    key_env: str | None = None,
    timeout: float = 120.0,
    extra: Mapping[str, Any] | None = None,
    replies: str | Path | None = "replies.sqlite",
    limit: Limit | str | int | None = None,
    prices: str | Path | None = None,
    concurrency: int = 16,
    retry_failed: bool = False,
    progress: bool | None = None,
) -> Annotated:
    """Rate the responses of pairs by asking a model, step by step.

    For each pair the model is asked: what holds for the query (once per prompt); for ratings that only such a query
    calls for; for ratings with the query in view; for ratings without it; and for errors, against a reference answer,
    which it writes first where there is none (once per prompt). A step without properties is left out. Properties of
    `TEXT`, and lengths in words, are measured without a model.

    Every reply is on disk before it is used. A run that ends, for whatever reason, goes on where it was when it is
    started again; equal questions are never asked twice.

    Parameters
    ----------
    data
        Pairs with columns `prompt`, `response_a` and `response_b`, or what `load` makes them of. Ratings of the same
        properties that they have already are set aside, for `Annotated.agreement`.
    model
        Name by which the server knows the model.
    schema
        The properties to rate, or a file of them; see `Property.question` for how they are asked.
    mode
        `pairwise`: both responses in one call, by one standard. `single`: each response alone.
    orders
        Which response is shown first in mode `pairwise`: `random` by seed and pair, `both`, each in a call of its own,
        or `given`, always A. Ratings of both orders are averaged, and there is none where one of them failed.
    repeats
        How often each call is made; ratings are averaged. Ask for variety, such as `extra={"temperature": 1}`, or the
        repeats of most models are alike.
    references
        A column of reference answers, or a mapping from pair or prompt id; by default the column `reference` if there
        is one. Where it is empty the model writes one.
    inapplicable
        What it means that nothing in a response can be right or wrong: `zero` errors, or `missing` ratings, so that
        fits leave the pair out, as the paper does.
    random_seed
        Seed of the random orders.
    base_url, key_env, timeout
        See `prefdissect.llm.Server`: the server, the environment variable that holds the key, seconds to wait.
    extra
        Further fields of each request, as the server wants them; None leaves a field out:
        `{"max_tokens": None, "max_completion_tokens": 4000}`.
    replies, limit, prices, concurrency, retry_failed, progress
        See `prefdissect.llm.Client`: the file of replies, the most to use, a file of prices, calls in flight, whether
        to ask again where a reply could not be used, whether to show a bar.

    Raises
    ------
    OptionError, SchemaError, DataError
        If an argument, the schema or the data are not what they should be; before anything is asked.
    ModelError
        If the server answers no call at all, such as for a wrong key, or each of the first questions failed.

    Warns
    -----
    PrefDissectWarning
        If not all ratings are there, because calls failed or the limit was reached.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> pdx.annotate("pairs.parquet", "gpt-4o-mini", limit="$5")  # doctest: +SKIP
    Annotated: 1,000 pairs, 28 properties rated by gpt-4o-mini
    ...
    """
    from prefdissect.data import load

    settings = check_settings(model, schema, mode, orders, repeats, inapplicable, random_seed, extra)
    plain, given = split_given(load(data), settings.plan.schema)
    pairs, left_out = read_pairs(plain, needs_prompt=settings.plan.needs_prompt, references=references)
    server = Server(base_url, key_env=key_env, timeout=timeout)
    with Client(
        model,
        server,
        replies=replies,
        limit=limit,
        prices=prices,
        concurrency=concurrency,
        retry_failed=retry_failed,
        progress=progress,
    ) as client:
        answers, jobs = _ask(settings, pairs, client)
        use = client.use
    failures = tuple(_failures(answers))
    not_asked = tuple(unfinished(plain, answers, left_out))
    _warn(len(plain), failures, not_asked, jobs.stopped, replies)
    _LOG.info("annotated %d pairs: %s", len(plain), use)
    return Annotated(
        data=join_answers(plain, settings, answers, left_out),
        schema=PropertySchema(name=settings.plan.schema.name, properties=settings.plan.asked),
        calls=_calls(answers),
        errors=_errors(settings, answers),
        by_call=_by_call(plain, settings, answers),
        prompts={step: prompt_of(step).hash for step in STEPS if step in _steps_of(settings) and step != "reference"},
        failures=failures,
        not_asked=not_asked,
        stopped=jobs.stopped,
        use=use,
        given=given,
        model=model,
    )


def check_settings(
    model: str,
    schema: PropertySchema | str | Path,
    mode: Mode,
    orders: Orders,
    repeats: int,
    inapplicable: Inapplicable,
    random_seed: int,
    extra: Mapping[str, Any] | None,
) -> Settings:
    """Return how calls are made, every option checked."""
    from prefdissect.data.frame import as_schema

    check_choice("mode", mode, Mode)
    check_choice("orders", orders, Orders)
    check_choice("inapplicable", inapplicable, Inapplicable)
    if mode == "single" and orders == "both":
        raise OptionError("orders='both' means nothing in mode='single', where each response is shown alone")
    plan = make_plan(as_schema(schema) or PAPER)
    if not plan.asked:
        raise OptionError(
            f"all properties of schema {plan.schema.name!r} are measured by rule, without a model: use measure_text()"
        )
    n = check_count("repeats", repeats)
    return Settings(
        plan, model, mode, orders, n, check_count("random_seed", random_seed, least=0), inapplicable, dict(extra or {})
    )


def _ask(settings: Settings, pairs: Sequence[PairTexts], client: Client) -> tuple[dict[str, PairAnswers], Jobs[None]]:
    """Return all answers by pair id, also of pairs that were not finished."""
    answers: dict[str, PairAnswers] = {}
    asker = Asker(client)

    def run(pair: PairTexts) -> None:
        answers[pair.pair_id] = PairAnswers.empty(settings)
        ask_pair(settings, pair, answers[pair.pair_id], asker)

    jobs = client.run({pair.pair_id: partial(run, pair) for pair in pairs}, "annotating")
    order = [pair.pair_id for pair in pairs if pair.pair_id in answers]
    return {name: answers[name] for name in order}, jobs


def _failures(answers: Mapping[str, PairAnswers]) -> Iterator[Failure]:
    for pair_id, one in answers.items():
        for step, reason in one.failures.items():
            yield Failure(f"{pair_id}: {step}", reason)


def _steps_of(settings: Settings) -> set[str]:
    before = {"query_info"} if settings.plan.cases else set()
    return before | set(settings.plan.steps)


def _calls(answers: Mapping[str, PairAnswers]) -> pd.DataFrame:
    import pandas as pd

    rows = [(pair_id, *call) for pair_id, one in answers.items() for call in one.calls]
    return pd.DataFrame(rows, columns=["pair_id", *AskedCall._fields])


def _errors(settings: Settings, answers: Mapping[str, PairAnswers]) -> pd.DataFrame:
    import pandas as pd

    first = ("", "") if settings.mode == "single" else ("A", "B")
    rows = [
        (pair_id, first[order], repeat, "AB"[side], error.error, error.type, error.severity)
        for pair_id, one in answers.items()
        for (order, repeat, side), check in one.checks.items()
        for error in check.errors
    ]
    return pd.DataFrame(rows, columns=["pair_id", "first", "repeat", "response", "error", "type", "severity"])


def _by_call(data: PreferenceData, settings: Settings, answers: Mapping[str, PairAnswers]) -> Any:
    nothing = PairAnswers.empty(settings).ratings
    return np.stack([answers[i].ratings if i in answers else nothing for i in map(str, data.pairs.index)])


def _warn(
    n: int,
    failures: Sequence[Failure],
    not_asked: Sequence[str],
    stopped: str | None,
    replies: str | Path | None,
) -> None:
    """Say what is missing and how to get it."""
    told = []
    if failures:
        told.append(
            f"{len(failures):,} calls gave nothing that can be used ({tell_reasons(failures)}); retry_failed=True asks "
            "them again"
        )
    if not_asked:
        again = "" if replies is None else f" with replies={str(replies)!r}"
        told.append(
            f"{len(not_asked):,} of {n:,} pairs were not asked, or not about all: {stopped or 'the run ended'}; call "
            f"again{again} to go on, what was answered costs nothing"
        )
    if told:
        warnings.warn("not all ratings are there: " + "; ".join(told), PrefDissectWarning, stacklevel=3)
