"""Assign each prompt to one of a set of scenarios, by asking a model."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefdissect.errors import OptionError, PrefDissectWarning, show
from prefdissect.llm import Client, Estimate, Jobs, Limit, Planned, Request, Server, Use, estimate_calls
from prefdissect.llm.jobs import tell_reasons
from prefdissect.measure.asking import Asker
from prefdissect.measure.calls import Call, prompt_of
from prefdissect.measure.estimating import kept_replies, plan_call
from prefdissect.measure.forms import read_choice
from prefdissect.measure.texts import read_prompts
from prefdissect.schema import SCENARIOS, Scenario

if TYPE_CHECKING:
    from prefdissect.data import PreferenceData
    from prefdissect.data.load import Source

__all__ = ["assign_scenarios", "assign_with_use", "estimate_scenarios"]

Scenarios = Mapping[str, str] | Sequence[Scenario]

_TOKENS = 256  # of a reply: a number, and what a model may say around it


def assign_scenarios(
    data: Source,
    model: str,
    *,
    scenarios: Scenarios = SCENARIOS,
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
) -> PreferenceData:
    """Return data whose pairs are grouped by scenario: the kind of request that a model takes the prompt for.

    Each prompt is asked about once. Scenarios that the data have are replaced, and their column is kept as
    `scenario_before`. A pair whose prompt is empty, or of whose call nothing came, is in no scenario; the report says
    how many there are.

    Parameters
    ----------
    data
        Pairs with a column `prompt`, or what `load` makes them of.
    model
        Name by which the server knows the model.
    scenarios
        A mapping from name to description, or a list of `Scenario`s of kind `scenario`; by default the paper's 11
        (cases in `SCENARIOS` follow from `annotate`).
    base_url, key_env, timeout, extra, replies, limit, prices, concurrency, retry_failed, progress
        As in `annotate`.

    Raises
    ------
    OptionError, DataError
        If an argument or the data are not what they should be; before anything is asked.
    ModelError
        If the server answers no call at all, or each of the first questions failed.

    Warns
    -----
    PrefDissectWarning
        If some prompts have no scenario, because calls failed or the limit was reached.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> kinds = {"facts": "Asks what is so.", "help": "Asks for something to be done."}
    >>> pdx.assign_scenarios("pairs.parquet", "gpt-4o-mini", scenarios=kinds).groups.sum()  # doctest: +SKIP
    facts    310
    help     690
    dtype: int64
    """
    return assign_with_use(
        data,
        model,
        scenarios=scenarios,
        server=Server(base_url, key_env=key_env, timeout=timeout),
        extra=extra,
        replies=replies,
        limit=limit,
        prices=prices,
        concurrency=concurrency,
        retry_failed=retry_failed,
        progress=progress,
    )[0]


def assign_with_use(
    data: Source,
    model: str,
    *,
    server: Server,
    scenarios: Scenarios = SCENARIOS,
    extra: Mapping[str, Any] | None = None,
    **of_client: Any,
) -> tuple[PreferenceData, Use]:
    """Return what `assign_scenarios` does, and what was used for it; further options are those of `Client`."""
    from prefdissect.data import load

    loaded, known = load(data), _check(scenarios)
    calls = dict(_calls(list(read_prompts(loaded)), known, model, extra))
    with Client(model, server, **of_client) as client:
        asker = Asker(client)
        jobs = client.run({prompt: partial(_value, asker, call) for prompt, call in calls.items()}, "scenarios")
        use = client.use
    _warn(jobs)
    names = {prompt: known[number].id for prompt, number in jobs.results.items()}
    return _group(loaded, names, known, f"{len(names):,} prompts by {model}: {use}"), use


def estimate_scenarios(
    data: Source,
    model: str,
    *,
    scenarios: Scenarios = SCENARIOS,
    base_url: str | None = None,
    extra: Mapping[str, Any] | None = None,
    replies: str | Path | None = "replies.sqlite",
    prices: str | Path | None = None,
    concurrency: int = 16,
) -> Estimate:
    """Return what `assign_scenarios` would take with the same arguments; nothing is asked, and no key is needed.

    Examples
    --------
    >>> import pandas as pd
    >>> import prefdissect as pdx
    >>> table = pd.DataFrame({"prompt": ["Hi", "Hi", "Why?"], "response_a": ["Hello"] * 3, "response_b": ["No"] * 3})
    >>> pdx.estimate_scenarios(table, "gpt-4o", replies=None).calls
    2
    """
    from prefdissect.data import load

    calls = _calls(list(read_prompts(load(data))), _check(scenarios), model, extra)
    with kept_replies(replies, base_url) as find:
        planned: Iterator[Planned] = (plan_call(call, find)[1] for _, call in calls)
        return estimate_calls(
            planned, model=model, base_url=base_url, prices=prices, replies=replies, concurrency=concurrency
        )


def _value(asker: Asker, call: Call) -> int:
    return int(asker.ask(call).value)


def _check(scenarios: Scenarios) -> list[Scenario]:
    """Return the scenarios to choose from.

    Raises
    ------
    OptionError
        If they are fewer than two, are none, share a name, or are cases.
    """
    if isinstance(scenarios, Mapping):
        known = [Scenario(id=name, description=text) for name, text in scenarios.items()]
    else:
        known = list(scenarios)
        if scenarios is SCENARIOS:
            known = [s for s in known if s.kind == "scenario"]
    wrong = next((s for s in known if not isinstance(s, Scenario) or s.kind != "scenario"), None)
    if wrong is not None:
        raise OptionError(f"scenarios: {show(wrong)} is no Scenario of kind 'scenario'; cases follow from annotate()")
    names = [s.id for s in known]
    if len(known) < 2 or len(set(names)) < len(names):
        raise OptionError(f"scenarios={names} must be at least two, of different names")
    return known


def _calls(
    prompts: Sequence[str], scenarios: Sequence[Scenario], model: str, extra: Mapping[str, Any] | None
) -> Iterator[tuple[str, Call]]:
    lines = [f"{s.label}: {s.description}" if s.description else s.label for s in scenarios]
    lines = [" ".join(line.split()) for line in lines]
    read = partial(read_choice, n=len(scenarios))
    for prompt in prompts:
        text = prompt_of("scenario").fill(texts={"query": prompt}, lines=lines, form='{"scenario": 1}')
        request = Request(
            model=model, messages=(("user", text),), max_tokens=_TOKENS, as_json=True, extra=dict(extra or {})
        )
        yield prompt, Call("scenario", request, read, lambda: {"scenario": 1})


def _warn(jobs: Jobs[int]) -> None:
    told = []
    if jobs.failures:
        told.append(f"{len(jobs.failures):,} calls gave nothing that can be used ({tell_reasons(jobs.failures)})")
    if jobs.not_done:
        told.append(f"{len(jobs.not_done):,} were not asked: {jobs.stopped}")
    if told:
        warnings.warn(
            f"not all prompts have a scenario: {'; '.join(told)}; call again to go on, with retry_failed=True to ask "
            "again where a call failed",
            PrefDissectWarning,
            stacklevel=4,
        )


def _group(data: PreferenceData, names: Mapping[str, str], known: Sequence[Scenario], how: str) -> PreferenceData:
    """Return data in these scenarios, by prompt."""
    import pandas as pd

    from prefdissect.data.facts import listed
    from prefdissect.text.cells import as_texts

    of_pairs = [names.get(prompt) if prompt is not None else None for prompt in as_texts(data.pairs["prompt"])]
    column = pd.Series(of_pairs, index=data.pairs.index, dtype="str")
    found = [s.id for s in known if (column == s.id).any()]
    cases = [name for name, kind in data.group_kinds.items() if kind == "case"]
    marked = {name: (column == name).to_numpy(dtype=bool) for name in found}
    before = {"scenario_before": data.pairs["scenario"]} if "scenario" in data.pairs else {}
    report = data.report.replace("scenarios", listed(found)).add("scenarios assigned", how)
    old = dict(report.left_out)
    report = replace(report, left_out=tuple((r, n) for r, n in old.items() if r != "pairs without a scenario"))
    return replace(
        data,
        pairs=data.pairs.assign(**before, scenario=column),
        groups=pd.concat([pd.DataFrame(marked, index=data.pairs.index), data.groups[cases]], axis=1),
        group_kinds={**dict.fromkeys(found, "scenario"), **dict.fromkeys(cases, "case")},
        report=report.leave_out("pairs without a scenario", int(column.isna().sum())),
    )
