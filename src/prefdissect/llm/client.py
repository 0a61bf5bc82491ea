"""The client: what was answered is kept, what is asked stays within its limit, and waits when it must."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from prefdissect._typing import check_count, check_flag
from prefdissect.llm.backoff import Backoff
from prefdissect.llm.budget import Budget, Limit, Use
from prefdissect.llm.jobs import Jobs, run_jobs
from prefdissect.llm.prices import find_price, load_prices, need_price
from prefdissect.llm.replies import ReplyCache
from prefdissect.llm.request import Reply, Request
from prefdissect.llm.server import RefusedCallError, Server, TransientError
from prefdissect.llm.structured import with_repair

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Client"]

_T = TypeVar("_T")


class Client:
    """Asks one model, and keeps every reply before it is used.

    Parameters
    ----------
    model
        Name by which the server knows the model.
    server
        Where it is; OpenAI by default.
    replies
        File that keeps the replies (sqlite). Equal requests are answered from it, in this run and in later ones. None
        keeps them in memory only.
    limit
        The most to use, in calls or money: 200, "200 calls", "$5".
    prices
        A file of prices that goes over the package's own; see `load_prices`.
    concurrency
        Calls in flight at once.
    retries
        How often a call is tried again after errors that may pass.
    retry_failed
        Ask again where an earlier run got a reply that it could not use.
    progress
        Show a bar with the cost so far; None shows it where someone may look.

    Raises
    ------
    OptionError
        If the limit is in money and the price of the model is not known.
    FileFormatError
        If a file is not what it should be.
    """

    def __init__(
        self,
        model: str,
        server: Server | None = None,
        *,
        replies: str | Path | None = None,
        limit: Limit | str | int | None = None,
        prices: str | Path | None = None,
        concurrency: int = 16,
        retries: int = 6,
        retry_failed: bool = False,
        progress: bool | None = None,
    ) -> None:
        self.model = model
        self.server = server or Server()
        self.concurrency = check_count("concurrency", concurrency)
        self.retry_failed = retry_failed
        self.progress = check_flag("progress", progress)
        known, most = load_prices(prices), Limit.read(limit)
        price = (
            find_price(model, known, base_url=self.server.base_url) if most.money is None else need_price(model, known)
        )
        self._budget = Budget(most, price)
        self._stop = threading.Event()
        self._backoff = Backoff(check_count("retries", retries, least=0), self._stop)
        self._lock = threading.Lock()
        self._in_flight: dict[str, Future[Reply]] = {}
        self._retried: set[str] = set()
        self._replies = ReplyCache(replies)

    @property
    def use(self) -> Use:
        """What was used so far."""
        return self._budget.use

    def ask(self, request: Request) -> Reply:
        """Return the reply to a request: the one that is kept, or else the server's, which then is kept.

        Raises
        ------
        ModelError
            If the server gave none; its subclasses say why.
        """
        with self._lock:
            if (kept := self._find(request)) is not None:
                self._budget.count_kept()
                return kept
            key = request.key(self.server.base_url)
            asked = self._in_flight.get(key)
            if asked is None:
                mine = self._in_flight[key] = Future[Reply]()
        if asked is not None:  # another thread asks the very same just now
            return asked.result()
        try:
            mine.set_result(self._backoff.call(lambda: self._ask_server(request)))
        except BaseException as error:
            mine.set_exception(error)
        finally:
            with self._lock:
                del self._in_flight[key]
        return mine.result()

    def _find(self, request: Request) -> Reply | None:
        if self.retry_failed and (key := request.key(self.server.base_url)) not in self._retried:
            self._retried.add(key)  # once in a run: others may have the same question
            if self._replies.forget_unusable(self.server.base_url, request):
                return None
        return self._replies.find(self.server.base_url, request)

    def _ask_server(self, request: Request) -> Reply:
        """Return the server's reply to one try, which is kept."""
        with self._budget.hold(request):
            try:
                reply = self.server.ask(request)
            except TransientError as error:
                self._budget.count_failed(request, paid=error.paid)
                raise
            except RefusedCallError:  # a wrong key, or nobody there: nothing was answered, and nothing is paid
                self._budget.count_failed(request, paid=False)
                raise
            self._replies.keep(self.server.base_url, request, reply)
            self._budget.count(request, reply)
        return reply

    def ask_structured(self, request: Request, read: Callable[[Any], _T]) -> _T:
        """Return what `read` makes of the JSON object that answers a request.

        `read` raises `ValueError` (pydantic's `ValidationError` is one) where the object has another form; the model
        is then told why, once, and asked again.

        Raises
        ------
        UnusableReplyError
            If the second reply cannot be used either. Both stay in the file, marked; `retry_failed` asks again.
        """
        return with_repair(request, self.ask, read, self.reject)

    def reject(self, request: Request, reason: str) -> None:
        """Note that the reply to a request cannot be used, so that `retry_failed` asks it again."""
        self._replies.mark_unusable(self.server.base_url, request, reason)

    def run(self, jobs: Mapping[str, Callable[[], _T]], what: str) -> Jobs[_T]:
        """Run jobs that call this client, and return what became of each; see `run_jobs`."""
        from tqdm import tqdm

        hidden = None if self.progress is None else not self.progress  # None: hidden where no terminal looks
        self.server.connect()
        with tqdm(total=len(jobs), desc=what, unit="job", disable=hidden) as bar:

            def tell() -> None:
                bar.update()
                money = self.use.money
                bar.set_postfix_str("" if money is None else f"${money:,.2f}", refresh=False)

            return run_jobs(jobs, concurrency=self.concurrency, stop=self._stop, tell=tell)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop asking, and close the connections and the file of replies."""
        self._stop.set()
        self.server.close()
        self._replies.close()
