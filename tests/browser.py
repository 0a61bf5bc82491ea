"""A browser that opens one file, and tells of whatever it should not have done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import pytest
from benchmarks.browser import NAMES, find_chromium, started
from playwright.sync_api import Browser, Locator, Page


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium; the test is skipped where there is none."""
    path = find_chromium()
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    with started(path) as browser:
        yield browser


@dataclass
class Shown:
    """A report in a browser."""

    page: Page
    file: Path
    wrong: list[str] = field(default_factory=list)

    def go(self, **view: str | list[str]) -> None:
        """Open the file anew at a view, as a link does."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.file.as_uri()}#{urlencode(view, doseq=True)}")
        self.page.wait_for_selector("html[data-ready=yes]", state="attached")

    def find(self, selector: str) -> Locator:
        return self.page.locator(selector)

    def control(self, key: str) -> Locator:
        return self.page.locator(f'#controls [data-key="{key}"], #body [data-key="{key}"]')

    def numbers(self, selector: str, *names: str) -> list[tuple[str | float, ...]]:
        """Return attributes of all elements, those that are numbers as numbers, in the order of the page."""
        code = "(all, names) => all.map(one => names.map(name => one.getAttribute('data-' + name)))"
        return [tuple(_number(value) for value in row) for row in self.find(selector).evaluate_all(code, list(names))]

    @property
    def view(self) -> str:
        return self.page.url.partition("#")[2]


def _number(value: str | None) -> str | float:
    if value is None:
        return float("nan")
    try:
        return float(value)
    except ValueError:
        return value


@contextmanager
def opened(browser: Browser, file: Path, **options: object) -> Iterator[Shown]:
    """Open a report; at the end nothing may have gone wrong and no request have left it."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
    page = context.new_page()
    page.set_default_timeout(20_000)
    shown = Shown(page, file)
    page.on("console", lambda message: shown.wrong.append(f"console {message.type}: {message.text}"))
    page.on("pageerror", lambda error: shown.wrong.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (shown.wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: _watch(shown, request.url))
    shown.go()
    yield shown
    assert shown.wrong == []
    context.close()


def _watch(shown: Shown, url: str) -> None:
    if url.split("#", maxsplit=1)[0] != shown.file.as_uri() and not url.startswith(("data:", "blob:", "about:")):
        shown.wrong.append(f"request: {url}")
