"""How large a report is, how long it takes to write and to answer: `python -m benchmarks.page DATA`, at the root.

DATA is the folder with the real data. Chromium opens each page, and where plotly is installed one that draws the same
figure with it. The figures are written to `docs/reference/page.md`.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
from playwright.sync_api import Page

import prefdissect as pdx
from benchmarks.browser import find_chromium, started

logger = logging.getLogger(__name__)
PAGE = Path(__file__).parents[1] / "docs" / "reference" / "page.md"
MARK = "<!-- figures: python -m benchmarks.page -->"
_OPENINGS = 5


def studies(data: Path) -> dict[str, tuple[Callable[[], pdx.Dissection], bool]]:
    """Return what is made pages of, and whether with all texts."""
    return {
        "33 judges x 16 groups x 29 properties, 5,240 pairs, no texts": (paper_size, False),
        "5,000 pairs of Chatbot Arena with all texts": (lambda: many_texts(data), True),
        "HANNA: 23 judges, 5,280 pairs, no texts": (lambda: hanna(data), False),
    }


def paper_size() -> pdx.Dissection:
    """Dissect a simulated study of the paper's size."""
    return pdx.dissect(pdx.simulate(5240, random_seed=0).data, by="both", preset="paper", random_seed=0)


def many_texts(data: Path) -> pdx.Dissection:
    """Dissect 5,000 pairs of real texts; beyond 1,415 they are real ones again, with their letters moved."""
    table = pd.read_parquet(data / "arena_llama3" / "pairs.parquet")
    parts = [table]
    for turn in range(1, 4):
        again = table.copy()
        again["pair_id"] = again["pair_id"] + f"-{turn}"
        for column in ("prompt", "response_a", "response_b"):
            again[column] = again[column].str[turn * 17 :] + again[column].str[: turn * 17]
        parts.append(again)
    return pdx.dissect(pdx.load(pd.concat(parts).head(5000)), preset="paper", engine="ep", random_seed=0)


def hanna(data: Path) -> pdx.Dissection:
    """Dissect all judges of HANNA."""
    return pdx.dissect(data / "hanna" / "pairs_engagement.parquet", preset="paper", random_seed=0)


def open_once(page: Page, file: Path) -> tuple[float, float]:
    """Return the seconds until the first figure stands, and until a click has drawn another."""
    page.goto("about:blank")
    start = time.perf_counter()
    page.goto(f"{file.as_uri()}#section=properties")
    page.wait_for_selector("#body .figure")
    first = time.perf_counter()
    page.get_by_label("weight", exact=True).check()
    page.wait_for_selector('#body .figure[aria-label^="Weight"]')
    return first - start, time.perf_counter() - first


def open_plotly(page: Page, file: Path) -> tuple[float, float]:
    """Return the same of a page by plotly."""
    page.goto("about:blank")
    start = time.perf_counter()
    page.goto(file.as_uri())
    page.wait_for_selector(".main-svg .point", state="attached")
    first = time.perf_counter()
    page.evaluate("Plotly.relayout(document.querySelector('.plotly-graph-div'), {'title.text': 'again'})")
    return first - start, time.perf_counter() - first


def plotly_page(result: pdx.Dissection, file: Path) -> Path:
    """Write the figure of the first three judges' probabilities with plotly, its script inside."""
    import plotly.graph_objects as go

    table = result.overall()
    figure = go.Figure()
    for judge in result.judges[:3]:
        one = table[table["judge"] == judge]
        spread = {"array": one["upper"] - one["probability"], "arrayminus": one["probability"] - one["lower"]}
        figure.add_scatter(x=one["probability"], y=one["label"], mode="markers", name=judge, error_x=spread)
    figure.write_html(file, include_plotlyjs=True)
    return file


def measure(data: Path) -> str:
    """Return the table of sizes and times."""
    path, rows = find_chromium(), []
    if path is None:
        raise FileNotFoundError("no Chromium is installed")
    with tempfile.TemporaryDirectory() as folder, started(path) as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        for name, (make, texts) in studies(data).items():
            logger.info("%s: fitting", name)
            result = make()
            file = Path(folder) / "page.html"
            seconds = []
            for _ in range(2):  # the first also computes checks, similarities and ceilings
                start = time.perf_counter()
                result.report(file, texts=texts)
                seconds.append(time.perf_counter() - start)
            rows.append(_row(name, file, seconds, [open_once(page, file) for _ in range(_OPENINGS)]))
            logger.info("%s", rows[-1])
        if find_spec("plotly"):
            file = plotly_page(result, Path(folder) / "plotly.html")
            rows.append(_row("one figure by plotly", file, [], [open_plotly(page, file) for _ in range(_OPENINGS)]))
    return pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)


def _row(name: str, file: Path, seconds: list[float], opened: list[tuple[float, float]]) -> dict[str, str]:
    first, following = pd.DataFrame(opened).median()
    written = [f"{value:.1f}" for value in seconds] or ["", ""]
    return {
        "page": name,
        "MB": f"{file.stat().st_size / 1e6:.1f}",
        "computed and written, s": written[0],
        "written again, s": written[1],
        "first figure, s": f"{first:.2f}",
        "next figure, s": f"{following:.2f}",
    }


def main() -> None:
    """Measure, and write the figures between the marks of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    found = measure(parser.parse_args().data)
    head, _, tail = PAGE.read_text().partition(MARK)
    PAGE.write_text(f"{head}{MARK}\n\n{found}\n\n{MARK}{tail.partition(MARK)[2]}")
    logger.info("%s", found)


if __name__ == "__main__":
    main()
