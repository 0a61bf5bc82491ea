"""How often do checks find a flaw that is there, and one that is not: `python -m benchmarks.checks`, at the root.

Studies with one planted flaw each, and clean ones, are simulated, fitted and checked like any others. The shares are
written to `docs/reference/check-rates.md`; `--studies` says how many of each kind.
"""

from __future__ import annotations

import argparse
import logging
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import joblib
import numpy as np
import pandas as pd

import prefdissect as pdx
from prefdissect.features import build_encoder
from prefdissect.inference import shapley_values

logger = logging.getLogger(__name__)
PAGE = Path(__file__).parents[1] / "docs" / "reference" / "check-rates.md"
SCHEMA = pdx.PAPER.select(
    ["friendly", "clear", "novel", "lengthy", "harmless", "interactive", "authoritative", "polite", "no_severe_errors"]
    + ["well_formatted"]
)
NAMES = list(SCHEMA.ids)
MARK = "<!-- figures: python -m benchmarks.checks -->"
MARK_OF_GRIDS = "<!-- grids: python -m benchmarks.checks -->"
MARK_OF_TIMES = "<!-- times: python -m benchmarks.checks -->"
N, HIDDEN = 1000, "no_severe_errors"
GRIDS, PAIRS_OF_A_GRID = 10, 3300  # 300 pairs a scenario


def simulate(seed: int, n: int = N, **options: object) -> pdx.PreferenceData:
    """Return a study of one judge and ten properties, weights from the prior unless given."""
    options = {"scenarios": None} | options
    return pdx.simulate(n, schema=SCHEMA, judges=["ann"], random_seed=seed, **options).data


def clean(seed: int) -> pdx.PreferenceData:
    """A study without a flaw, each pair on a prompt of its own."""
    return simulate(seed)


def clean_clusters(seed: int) -> pdx.PreferenceData:
    """A study without a flaw in which ten pairs share a prompt, and nothing else."""
    return simulate(seed, responses_per_prompt=5)


def strong(seed: int, spread: float = 2.5) -> pdx.PreferenceData:
    """Return 5,000 pairs of a judge whose log-odds have this standard deviation: 2.5 is right in about 82%."""
    rng = np.random.default_rng(seed)
    weights = rng.laplace(0, 0.1, len(NAMES))
    data = simulate(seed, 5000)
    x = build_encoder(data, "comparison").encode(data)
    return simulate(seed, 5000, weights=weights * spread / (x @ weights).std())


def clean_strong(seed: int) -> pdx.PreferenceData:
    """5,000 pairs of a judge with strong preferences (log-odds vary by 2.5), who never lapses."""
    return strong(seed)


def nothing(seed: int, n: int = 400) -> pdx.PreferenceData:
    """400 pairs of a judge who prefers nothing: all true weights are 0."""
    return simulate(seed, n, weights=np.zeros(len(NAMES)))


def nothing_in_many(seed: int) -> pdx.PreferenceData:
    """2,000 pairs of such a judge."""
    return nothing(seed, 2000)


def duplicate(seed: int) -> pdx.PreferenceData:
    """`clear` is rated as `friendly` is, but for one pair in twenty."""
    data = simulate(seed)
    same = np.random.default_rng(seed).random(len(data)) < 0.95
    ratings = data.ratings.copy()
    ratings[same, :, NAMES.index("clear")] = ratings[same, :, NAMES.index("friendly")]
    return replace(data, ratings=ratings)


def separated(seed: int) -> pdx.PreferenceData:
    """In one of two groups a weighted sum of the properties decides every pair."""
    weights = np.random.default_rng(seed).laplace(0, 0.1, (1, 2, len(NAMES)))
    weights[:, 1] *= 1e3
    return simulate(seed, scenarios=["noisy", "separated"], weights=weights)


def shared_luck(seed: int) -> pdx.PreferenceData:
    """Ten pairs a prompt, of five responses, each with luck of its own (standard deviation 1.5)."""
    return simulate(seed, responses_per_prompt=5, response_sd=1.5)


def lapses(seed: int, spread: float = 2.5) -> pdx.PreferenceData:
    """30% of 5,000 verdicts are coin flips, of a judge with strong preferences (log-odds vary by 2.5)."""
    data = strong(seed, spread)
    rng = np.random.default_rng(seed)
    flip, coin = rng.random(len(data)) < 0.3, rng.random(len(data)) < 0.5
    labels = np.where(flip, coin, data.labels["ann"].to_numpy() > 0.5)
    outcome = pd.Categorical(np.where(labels, "A", "B"), data.verdicts["outcome"].cat.categories)
    return replace(data, verdicts=data.verdicts.assign(value=labels.astype(float), outcome=outcome))


def weak_lapses(seed: int) -> pdx.PreferenceData:
    """The same of a judge with weaker preferences (log-odds vary by 1.25)."""
    return lapses(seed, 1.25)


def order(seed: int) -> pdx.PreferenceData:
    """The response shown first gains 0.5 log-odds; which one that is is known."""
    return simulate(seed, order_effect=0.5)


def left_out(seed: int) -> pdx.PreferenceData:
    """A property with weight 0.8 stands in the data, not among the properties."""
    weights = np.random.default_rng(seed).laplace(0, 0.1, len(NAMES))
    k = NAMES.index(HIDDEN)
    weights[k] = 0.8
    data = simulate(seed, weights=weights)
    kept = [i for i in range(len(NAMES)) if i != k]
    hidden = {f"{HIDDEN}_a": data.ratings[:, 0, k], f"{HIDDEN}_b": data.ratings[:, 1, k]}
    return replace(
        data,
        schema=SCHEMA.select([NAMES[i] for i in kept]),
        ratings=data.ratings[:, :, kept],
        comparisons=data.comparisons[:, kept],
        pairs=data.pairs.assign(**hidden),
    )


def too_few(seed: int) -> pdx.PreferenceData:
    """60 pairs for ten properties."""
    return simulate(seed, 60)


@dataclass(frozen=True)
class Kind:
    """A kind of study, and the check that should find its flaw."""

    make: Callable[[int], pdx.PreferenceData]
    check: str | None = None


KINDS = [
    Kind(clean), Kind(clean_clusters), Kind(clean_strong), Kind(nothing), Kind(nothing_in_many),
    Kind(duplicate, "collinearity"),
    Kind(separated, "separation"), Kind(shared_luck, "clusters"), Kind(lapses, "lapses"), Kind(weak_lapses, "lapses"),
    Kind(order, "order"), Kind(left_out, "left out"), Kind(too_few, "pairs"),
]  # fmt: skip


def examine(kind: Kind, seed: int) -> pd.DataFrame:
    """Return the findings about one study."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pdx.ConvergenceWarning)
        fitted = pdx.dissect(kind.make(seed), position=False, engine="ep", random_seed=seed)  # order is to be found
        return fitted.check(progress=False).table.assign(seed=seed)


def examine_all(kind: Kind, studies: int, n_jobs: int = -1) -> pd.DataFrame:
    """Return the findings about many studies of a kind."""
    jobs = (joblib.delayed(examine)(kind, seed) for seed in range(studies))
    return pd.concat(joblib.Parallel(n_jobs=n_jobs)(jobs), ignore_index=True)


def found(table: pd.DataFrame, check: str) -> int:
    """Return in how many studies a check says look or stop."""
    return int(table[(table["check"] == check) & (table["level"] != "ok")]["seed"].nunique())


def describe(tables: dict[str, pd.DataFrame], studies: int) -> str:
    """Return the page: how often each flaw is found, and how often what is not there."""
    flaws = ["| flaw | check | look or stop | stop of any check |", "| --- | --- | --- | --- |"]
    for kind in KINDS:
        table = tables[kind.make.__name__]
        stops = table[table["level"] == "stop"]["seed"].nunique()
        said = str(kind.make.__doc__).strip().rstrip(".")
        hit = f"{found(table, kind.check) / studies:.0%}" if kind.check else ""
        flaws.append(f"| {said} | {kind.check or '(none)'} | {hit} | {stops / studies:.0%} |")
    clean_kinds = [kind.make.__name__ for kind in KINDS if kind.check is None]
    alarms = [
        "| check | " + " | ".join(f"`{name}`" for name in clean_kinds) + " |",
        "| --- |" + " --- |" * len(clean_kinds),
    ]
    for check in tables[clean_kinds[0]]["check"].unique():
        shares = []
        for name in clean_kinds:
            part = tables[name][tables[name]["check"] == check]
            shares.append(" / ".join(f"{(part['level'] == level).mean():.0%}" for level in ("look", "stop")))
        alarms.append(f"| {check} | " + " | ".join(shares) + " |")
    return "\n".join([*flaws, "", "Findings where there is no flaw, look / stop:", "", *alarms])


def examine_grid(seed: int) -> pd.DataFrame:
    """Return the findings about a clean grid: 10 judges in 11 scenarios, 29 properties with weights from the prior."""
    scenarios = [scenario.id for scenario in pdx.SCENARIOS if scenario.kind == "scenario"]
    data = pdx.simulate(PAIRS_OF_A_GRID, judges=10, scenarios=scenarios, random_seed=seed).data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pdx.ConvergenceWarning)
        return (
            pdx.dissect(data, preset="paper", engine="ep", random_seed=seed, progress=False).check(progress=False).table
        )


def describe_grids(tables: list[pd.DataFrame]) -> str:
    """Return a table: of which share of fits, and in how many grids of any fit, each check says look or stop."""
    lines = ["| check | fits, look / stop | grids with one, look / stop |", "| --- | --- | --- |"]
    for check in tables[0]["check"].unique():
        found = [table.loc[table["check"] == check, "level"] for table in tables]
        fits = " / ".join(f"{pd.concat(found).eq(level).mean():.1%}" for level in ("look", "stop"))
        grids = " / ".join(str(sum(levels.eq(level).any() for levels in found)) for level in ("look", "stop"))
        lines.append(f"| {check} | {fits} | {grids} |")
    return "\n".join(lines)


def measure() -> str:
    """Return a table of times: all checks of a study of the paper's size, in seconds and per fit of engine `exact`."""
    data = pdx.simulate(random_seed=0).data
    start = time.perf_counter()
    result = pdx.dissect(data, by="both", preset="paper", random_seed=0, progress=False)
    fitted = time.perf_counter()
    result.check(progress=False)
    checked = time.perf_counter() - fitted
    fitted -= start
    terms = np.random.default_rng(0).normal(0, 0.5, (5000, 30))
    shapley_values(terms[:1])
    start = time.perf_counter()
    shapley_values(terms)
    explained = time.perf_counter() - start
    n = len(result.fitted.fits)
    return "\n".join(
        [
            "| what | seconds | over the fits themselves |",
            "| --- | --- | --- |",
            f"| {n} fits by `exact` | {fitted:.0f} | 1 |",
            f"| all checks of them | {checked:.0f} | {checked / fitted:.1f} |",
            f"| Shapley values of 5,000 pairs x 30 properties | {explained:.1f} | {explained / fitted:.2f} |",
        ]
    )


def main() -> None:
    """Simulate, print a line per kind, write the figures between the marks of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=100)
    parser.add_argument("--dry", action="store_true", help="write no page")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    tables = {}
    for kind in KINDS:
        start = time.perf_counter()
        tables[kind.make.__name__] = table = examine_all(kind, arguments.studies)
        stops = table[table["level"] == "stop"]["seed"].nunique()
        hit = f"{kind.check}: {found(table, kind.check)}" if kind.check else ""
        took = time.perf_counter() - start
        logger.info("%-16s stop in %d of %d; %s (%.0f s)", kind.make.__name__, stops, arguments.studies, hit, took)
    figures = describe(tables, arguments.studies)
    logger.info("%s", figures)
    grids = describe_grids([examine_grid(seed) for seed in range(GRIDS)])
    logger.info("%s", grids)
    times = measure()
    logger.info("%s", times)
    if not arguments.dry:
        for mark, table in ((MARK, figures), (MARK_OF_GRIDS, grids), (MARK_OF_TIMES, times)):
            head, _, tail = PAGE.read_text(encoding="utf-8").partition(mark)
            PAGE.write_text(f"{head}{mark}\n\n{table}\n\n{mark}{tail.partition(mark)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
