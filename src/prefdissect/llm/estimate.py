"""What a run would take, before anything is asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from prefdissect.llm.prices import dollars, find_price, load_prices
from prefdissect.llm.replies import ReplyCache
from prefdissect.llm.request import Request
from prefdissect.llm.server import OPENAI_URL
from prefdissect.llm.tokens import count_tokens

__all__ = ["Estimate", "Planned", "estimate_calls"]

# What providers' models take, roughly: a second until the first token, then 50 tokens a second.
_SECONDS_TO_START = 1.0
_TOKENS_PER_SECOND = 50.0


@dataclass(frozen=True)
class Planned:
    """A request to come, the tokens that its reply is likely to have, and how likely it will be asked at all."""

    request: Request
    tokens_out: float
    chance: float = 1.0


@dataclass(frozen=True)
class Estimate:
    """What a run would take: calls and tokens, US dollars (None where no price is known), and minutes.

    `kept` counts calls that were answered before, which cost nothing; they are not among `calls`.
    """

    model: str
    calls: int
    kept: int
    tokens_in: int
    tokens_out: int
    money: float | None
    minutes: float

    def __repr__(self) -> str:
        unknown = "price unknown (give it in a file: prices=, --prices)"
        cost = unknown if self.money is None else f"about {dollars(self.money)}".replace("about less", "less")
        kept = f" ({self.kept:,} more are answered already)" if self.kept else ""
        return (
            f"{self.model}: {self.calls:,} calls{kept}, about {self.tokens_in:,} tokens in and "
            f"{self.tokens_out:,} out, {cost}, {_duration(self.minutes)}"
        )


def _duration(minutes: float) -> str:
    if minutes < 1:
        return "less than a minute"
    return f"about {minutes:.0f} minutes" if minutes < 90 else f"about {minutes / 60:.1f} hours"


def estimate_calls(
    planned: Iterable[Planned],
    *,
    model: str,
    base_url: str | None = None,
    prices: str | Path | None = None,
    replies: str | Path | None = None,
    concurrency: int = 16,
) -> Estimate:
    """Return what these calls would take; neither key nor the package openai is needed.

    Equal requests count once, and those whose replies are kept in the file `replies` not at all.
    """
    url = (base_url or OPENAI_URL).rstrip("/")
    calls = kept = tokens_in = tokens_out = 0.0
    seen: set[str] = set()
    cache = ReplyCache(replies) if replies is not None and Path(replies).is_file() else None
    for plan in planned:
        key = plan.request.key(url)
        if key in seen:
            continue
        seen.add(key)
        if cache is not None and cache.find(url, plan.request) is not None:
            kept += 1
            continue
        calls += plan.chance
        tokens_in += plan.chance * count_tokens(plan.request.text)
        tokens_out += plan.chance * plan.tokens_out
    if cache is not None:
        cache.close()
    price = find_price(model, load_prices(prices), base_url=base_url)
    seconds = calls * _SECONDS_TO_START + tokens_out / _TOKENS_PER_SECOND
    return Estimate(
        model=model,
        calls=round(calls),
        kept=round(kept),
        tokens_in=round(tokens_in),
        tokens_out=round(tokens_out),
        money=None if price is None else price.of(tokens_in=tokens_in, tokens_out=tokens_out),
        minutes=seconds / concurrency / 60,
    )
