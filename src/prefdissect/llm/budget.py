"""What may be used, what is being used, and what was."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prefdissect.errors import LimitReachedError, OptionError
from prefdissect.llm.prices import Price, dollars
from prefdissect.llm.request import Reply, Request
from prefdissect.llm.tokens import count_tokens

__all__ = ["Budget", "Limit", "Use"]

_MONEY = re.compile(r"\s*(?:\$\s*(?P<before>\d+(?:\.\d+)?)|(?P<after>\d+(?:\.\d+)?)\s*(?:USD|\$))\s*\Z", re.IGNORECASE)
_CALLS = re.compile(r"\s*(?P<calls>\d+)(?:\s*calls?)?\s*\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Limit:
    """The most that may be used: calls, or US dollars.

    Examples
    --------
    >>> from prefdissect.llm import Limit
    >>> Limit.read("$5"), Limit.read("200 calls"), Limit.read(200) == Limit.read("200")
    (Limit(calls=None, money=5.0), Limit(calls=200, money=None), True)
    """

    calls: int | None = None
    money: float | None = None

    @classmethod
    def read(cls, given: Limit | str | int | None) -> Limit:
        """Return the limit that a user means; None is no limit.

        Raises
        ------
        OptionError
            If it is neither money ("$5", "5 USD") nor calls (200, "200 calls").
        """
        if given is None or isinstance(given, Limit):
            return given or cls()
        if isinstance(given, int) and not isinstance(given, bool) and given >= 0:
            return cls(calls=given)
        if isinstance(given, str) and (money := _MONEY.match(given)):
            return cls(money=float(money["before"] or money["after"]))
        if isinstance(given, str) and (calls := _CALLS.match(given)):
            return cls(calls=int(calls["calls"]))
        raise OptionError(f"limit={given!r} is neither money nor calls; give '$5', '5 USD', 200 or '200 calls'")

    def after(self, use: Use) -> Limit:
        """Return what is left of the limit once so much was used."""
        calls = None if self.calls is None else max(0, self.calls - use.calls)
        money = None if self.money is None else max(0.0, self.money - (use.money or 0.0))
        return Limit(calls, money)

    def __str__(self) -> str:
        """Return the limit as a user would write it."""
        if self.money is not None:
            return f"${self.money:g}"
        return "none" if self.calls is None else f"{self.calls:,} calls"


@dataclass(frozen=True)
class Use:
    """What was used: calls, replies that were kept from before, tokens, US dollars (None where no price is known).

    `lost` are those of the calls that may have been answered and paid for although no reply arrived, as after a
    time-out. Nobody tells what they cost, so that their tokens, and their money, are the most that they can be.
    """

    calls: int = 0
    kept: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    money: float | None = 0.0
    lost: int = 0

    def __str__(self) -> str:
        """Return the use in a line."""
        cost = "price unknown" if self.money is None else dollars(self.money)
        kept = f", {self.kept:,} replies kept from before" if self.kept else ""
        lost = f" ({self.lost:,} without a reply that arrived, at their most)" if self.lost else ""
        return f"{self.calls:,} calls{lost}{kept}, {self.tokens_in:,} tokens in, {self.tokens_out:,} out, {cost}"


class Budget:
    """Keeps a run within its limit, however many calls are in flight.

    A call starts only if all calls in flight, at their largest, still fit; while others are in flight it waits
    for what they turn out to cost. So the limit is never passed, except by what a server counts otherwise than
    `count_tokens` does.
    """

    def __init__(self, limit: Limit, price: Price | None) -> None:
        self.limit = limit
        self.price = price
        self._change = threading.Condition()
        self._calls = self._kept = self._lost = self._tokens_in = self._tokens_out = 0
        self._in_flight = 0
        self._held = 0.0

    @property
    def use(self) -> Use:
        """What was used so far."""
        with self._change:
            return Use(self._calls, self._kept, self._tokens_in, self._tokens_out, self._money(), self._lost)

    def _money(self) -> float | None:
        if self.price is None:
            return None
        return self.price.of(tokens_in=self._tokens_in, tokens_out=self._tokens_out)

    def count_kept(self) -> None:
        """Count one reply that was there already."""
        with self._change:
            self._kept += 1

    def count(self, request: Request, reply: Reply) -> None:
        """Count the tokens of a reply, those of its server where it counts them."""
        tokens_in = reply.tokens_in if reply.tokens_in is not None else count_tokens(request.text)
        tokens_out = reply.tokens_out if reply.tokens_out is not None else count_tokens(reply.text)
        with self._change:
            self._tokens_in += tokens_in
            self._tokens_out += tokens_out

    def count_failed(self, request: Request, *, paid: bool) -> None:
        """Count a call that got no reply: at its most where it may be paid for, and else not at all."""
        with self._change:
            if not paid:
                self._calls -= 1
                return
            self._lost += 1
            self._tokens_in += count_tokens(request.text)
            self._tokens_out += request.most_tokens_out

    @contextmanager
    def hold(self, request: Request) -> Iterator[None]:
        """Hold what one call may cost while it is in flight.

        Raises
        ------
        LimitReachedError
            If it does not fit, and nothing in flight could make room.
        """
        most = self._most(request)
        with self._change:
            self._change.wait_for(lambda: self._fits(most) or not self._in_flight)
            if not self._fits(most):
                raise LimitReachedError(f"the limit of {self.limit} is reached")
            self._calls += 1
            self._in_flight += 1
            self._held += most
        try:
            yield
        finally:
            with self._change:
                self._in_flight -= 1
                self._held -= most
                self._change.notify_all()

    def _most(self, request: Request) -> float:
        if self.limit.money is None or self.price is None:
            return 0.0
        return self.price.of(tokens_in=count_tokens(request.text) * 1.1, tokens_out=request.most_tokens_out)

    def _fits(self, most: float) -> bool:
        calls = math.inf if self.limit.calls is None else self.limit.calls
        money = math.inf if self.limit.money is None else self.limit.money
        return self._calls < calls and (self._money() or 0.0) + self._held + most <= money + 1e-12
