"""What an annotation would take: the true requests where they are known, typical ones where they are not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefdissect._typing import Inapplicable, Mode, Orders
from prefdissect.errors import UnusableReplyError
from prefdissect.llm import Estimate, Planned, ReplyCache, Request, count_tokens, estimate_calls, read_json, text_of
from prefdissect.llm.server import OPENAI_URL
from prefdissect.measure.annotate import check_settings
from prefdissect.measure.calls import Call, Settings, walk
from prefdissect.measure.texts import PairTexts, read_pairs
from prefdissect.schema import PAPER, PropertySchema

if TYPE_CHECKING:
    from prefdissect.data.load import Source

__all__ = ["estimate_annotation", "kept_replies", "plan_call"]

Find = Callable[[Request], Any]  # the reply that is kept, or None


def estimate_annotation(
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
    extra: Mapping[str, Any] | None = None,
    replies: str | Path | None = "replies.sqlite",
    prices: str | Path | None = None,
    concurrency: int = 16,
) -> Estimate:
    """Return what `annotate` would take with the same arguments; nothing is asked, and no key is needed.

    Requests are made as they will be, and their tokens counted by rules. What they depend on is taken from the file of
    replies where it is there. Where it is not, facts about queries are drawn at the rates of the paper's queries (27%
    state conditions, 9% are unclear, 8% hold mistakes, 7% views, 2% feelings; a quarter of other cases), with two items
    of eight words each; a reference is as long as the longer response; each response has one error. Repaired replies
    are not counted.

    Parameters
    ----------
    data, model, schema, mode, orders, repeats, references, inapplicable, random_seed, base_url, extra
        As in `annotate`.
    replies, prices, concurrency
        The file of replies, whose calls cost nothing more; a file of prices; calls in flight.

    Examples
    --------
    >>> import pandas as pd
    >>> import prefdissect as pdx
    >>> table = pd.DataFrame({"prompt": ["Hi"] * 2, "response_a": ["Hello!", "Hey"], "response_b": ["Yes?", "What?"]})
    >>> pdx.estimate_annotation(table, "gpt-4o", replies=None).calls
    8
    """
    from prefdissect.data import load

    settings = check_settings(model, schema, mode, orders, repeats, inapplicable, random_seed, extra)
    pairs, _ = read_pairs(load(data), needs_prompt=settings.plan.needs_prompt, references=references)
    with kept_replies(replies, base_url) as find:
        planned = _plan(settings, pairs, find)
        return estimate_calls(
            planned, model=model, base_url=base_url, prices=prices, replies=replies, concurrency=concurrency
        )


def _plan(settings: Settings, pairs: Iterable[PairTexts], find: Find) -> Iterator[Planned]:
    for pair in pairs:
        calls = walk(settings, pair)
        value = None
        while True:
            try:
                call = calls.send(value)
            except StopIteration:
                break
            value, planned = plan_call(call, find)
            yield planned


def plan_call(call: Call, find: Find) -> tuple[Any, Planned]:
    """Return the value of a call, by the reply that is kept or else by a typical one, and the call as it is planned."""
    kept = find(call.request)
    if kept is not None:
        try:
            text = text_of(kept)
            return call.read(read_json(text) if call.request.as_json else text), Planned(call.request, 0.0)
        except (UnusableReplyError, ValueError):
            pass  # it counts as kept all the same: it is not asked again
    reply = call.typical()
    text = reply if isinstance(reply, str) else json.dumps(reply, ensure_ascii=False)
    return call.read(reply), Planned(call.request, count_tokens(text))


@contextmanager
def kept_replies(replies: str | Path | None, base_url: str | None) -> Iterator[Find]:
    """Yield what finds the reply to a request in the file of replies, if there is such a file."""
    url = (base_url or OPENAI_URL).rstrip("/")
    if replies is None or not Path(replies).is_file():
        yield lambda request: None
        return
    with ReplyCache(replies) as cache:
        yield lambda request: cache.find(url, request)
