"""How often do intervals of a similarity hold the truth: `python -m benchmarks.similarity`, at the root.

Studies with two judges whose weights are known are simulated and compared like any others. The shares are written to
`docs/reference/similarity-coverage.md`; `--studies` says how many of each kind.
"""

from __future__ import annotations

import argparse
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np

import prefdissect as pdx
from prefdissect.compare import compare_weights

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "similarity-coverage.md"
TRUTHS, SIZES, SHARED = (0.3, 0.6, 0.9, 1.0), (400, 4000), (0.8, 0.5, 0.0)
SPREADS = {
    "released": "as spread as the paper's: most near 0, a few up to 1 (standard deviation about 0.2)",
    "Laplace(0.1)": "drawn from the prior (standard deviation 0.14)",
}
# Like the released weights: quantiles of |weight| over all judges and groups of the paper, and the share above 0.
_SHARES = (0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
_QUANTILES = (0.0, 0.02, 0.06, 0.17, 0.4, 0.6, 0.89, 1.72)
_POSITIVE = 0.8


def draw_weights(spread: str, similarity: float, rng: np.random.Generator) -> np.ndarray:
    """Return the weights of two judges, [judge, property], whose Pearson correlation is exactly `similarity`."""
    n = len(pdx.PAPER)

    def draw() -> np.ndarray:
        if spread == "released":
            size = np.interp(rng.random(n), _SHARES, _QUANTILES)
            return size * np.where(rng.random(n) < _POSITIVE, 1, -1)
        return rng.laplace(0, 0.1, n)

    first, second = draw(), draw()
    unit = (first - first.mean()) / np.linalg.norm(first - first.mean())
    rest = second - second.mean()
    length = np.linalg.norm(rest)
    rest -= (rest @ unit) * unit
    rest /= np.linalg.norm(rest)
    mixed = similarity * unit + np.sqrt(1 - similarity**2) * rest
    return np.stack([first, second.mean() + length * mixed])


@dataclass(frozen=True)
class Found:
    """What one study says of the similarity of its two judges, and the truth."""

    truth: float
    point: float
    corrected: float
    lower: float
    upper: float
    ceiling: float
    signal: float
    held: float  # share of the groups whose interval holds the truth


def run_study(
    weights: np.ndarray, n_pairs: int, scenarios: list[str] | None, seed: int, *, ceiling: bool = False
) -> Found:
    """Simulate labels of two judges with these weights, [judge, group, property], and compare them."""
    study = pdx.simulate(n_pairs, judges=["a", "b"], scenarios=scenarios, weights=weights, random_seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pdx.ConvergenceWarning)  # of an ep fit in hundreds of studies
        result = pdx.dissect(study.data, preset="paper", engine="ep", draws=4, random_seed=seed, progress=False)
    similarity = result.similarity()
    truth = float(compare_weights(np.swapaxes(weights, 0, 1), "pearson").mean(axis=0)[0, 1])
    values = (getattr(similarity, name).iloc[0, 1] for name in ("overall", "corrected", "lower", "upper"))
    high = float(similarity.ceiling["overall"].mean()) if ceiling else float("nan")
    of_group = compare_weights(np.swapaxes(weights, 0, 1), "pearson")[:, 0, 1]
    low, up = np.quantile(similarity.group_draws[..., 0, 1], [0.03, 0.97], axis=0)
    held = float(((low <= of_group) & (of_group <= up)).mean())
    return Found(truth, *map(float, values), high, float(np.median(similarity.signal)), held)


def run_cell(spread: str, n_pairs: int, similarity: float, studies: int) -> list[Found]:
    """Return the studies of one kind."""

    def one(i: int) -> Found:
        rng = np.random.default_rng([i, n_pairs, int(10 * similarity), len(spread)])
        weights = draw_weights(spread, similarity, rng)[:, None]
        return run_study(weights, n_pairs, None, i, ceiling=i < 20)

    return joblib.Parallel(n_jobs=-1)(joblib.delayed(one)(i) for i in range(studies))


def run_many_groups(studies: int, share: float) -> list[Found]:
    """Return studies of two judges in 11 scenarios, which share so much of the variance of their weights.

    Both parts are like the released weights; their similarities are uniform from 0.45 to 0.95.
    """

    def one(i: int) -> Found:
        rng = np.random.default_rng([i, 11, int(10 * share)])
        parts = [draw_weights("released", rng.uniform(0.45, 0.95), rng) for _ in range(12)]
        weights = [np.sqrt(share) * parts[0] + np.sqrt(1 - share) * own for own in parts[1:]]
        return run_study(np.stack(weights, axis=1), 4400, [f"scenario {g + 1}" for g in range(11)], i)

    return joblib.Parallel(n_jobs=-1)(joblib.delayed(one)(i) for i in range(studies))


def describe(found: list[Found]) -> dict[str, float]:
    """Return the figures of one row."""
    truth, lower, upper = (np.array([getattr(f, name) for f in found]) for name in ("truth", "lower", "upper"))
    ceilings = [f.ceiling for f in found if np.isfinite(f.ceiling)]
    return {
        "cover": 100 * float(((lower <= truth) & (truth <= upper)).mean()),
        "below": 100 * float((truth < lower).mean()),
        "above": 100 * float((truth > upper).mean()),
        "point": float(np.mean([f.point - f.truth for f in found])),
        "corrected": float(np.mean([f.corrected - f.truth for f in found])),
        "width": float((upper - lower).mean()),
        "ceiling": float(np.mean(ceilings)) if ceilings else float("nan"),
        "signal": float(np.median([f.signal for f in found])),
        "held": 100 * float(np.mean([f.held for f in found])),
        "lowest": float(np.quantile(lower, 0.05)),
        "median": float(np.median(lower)),
        "highest": float(np.quantile(lower, 0.95)),
    }


_PAGE = """# How often intervals of a similarity hold the truth

Written by `python -m benchmarks.similarity --studies {studies}`: two judges whose true similarity is known, {studies}
studies a row, 29 properties. The nominal share is 94%; its standard error over {studies} studies is {error:.1f} points.

| weights | pairs | truth | covered | truth below | truth above | bias of the point | bias of the corrected \
| mean width | ceiling | signal |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
{rows}

{spreads}
- *ceiling*: the judges' own, mean over 20 studies; *signal*: `JudgeSimilarity.signal`, the median.

## A judge and itself

At a truth of 1 no interval of continuous draws can hold it. What matters is where the lower bound falls:

| weights | pairs | lower bound, 5% of studies below | median | 95% below | mean point | mean corrected |
| --- | --- | --- | --- | --- | --- | --- |
{bounds}

## Eleven scenarios

Two judges in 11 scenarios of 400 pairs, {many} studies a row. Part of the variance of the weights is shared by the
scenarios, the rest is drawn anew in each; the similarities of both parts are uniform from 0.45 to 0.95, so that of one
scenario is unlike that of the next. The model has one correlation for what is shared and one for what is not: the more
scenarios differ in similarity, the more it draws them together, and their intervals are too narrow.

| shared | overall covered | truth below | truth above | bias of the point | of the corrected | mean width \
| scenarios covered |
| --- | --- | --- | --- | --- | --- | --- | --- |
{scenarios}
"""


def write_page(studies: int) -> str:
    """Return the page."""
    rows, bounds = [], []
    for spread in SPREADS:
        for n in SIZES:
            for truth in TRUTHS:
                row = describe(run_cell(spread, n, truth, studies))
                line = (
                    f"| {spread} | {n:,} | {truth} | {row['cover']:.1f}% | {row['below']:.1f}% | {row['above']:.1f}% | "
                    f"{row['point']:+.3f} | {row['corrected']:+.3f} | {row['width']:.2f} | {row['ceiling']:.2f} | "
                    f"{row['signal']:.2f} |"
                )
                if truth < 1:
                    rows.append(line)
                else:
                    bounds.append(
                        f"| {spread} | {n:,} | {row['lowest']:.2f} | {row['median']:.2f} | {row['highest']:.2f} | "
                        f"{1 + row['point']:.2f} | {1 + row['corrected']:.2f} |"
                    )
                logging.info(line)
    many, scenarios = max(studies // 4, 1), []
    for share in SHARED:
        row = describe(run_many_groups(many, share))
        scenarios.append(
            f"| {100 * share:.0f}% | {row['cover']:.0f}% | {row['below']:.0f}% | {row['above']:.0f}% | "
            f"{row['point']:+.3f} | {row['corrected']:+.3f} | {row['width']:.2f} | {row['held']:.0f}% |"
        )
        logging.info(scenarios[-1])
    return _PAGE.format(
        studies=studies,
        error=100 * np.sqrt(0.94 * 0.06 / studies),
        rows="\n".join(rows),
        bounds="\n".join(bounds),
        spreads="\n".join(f"- `{spread}`: {said}." for spread, said in SPREADS.items()),
        many=many,
        scenarios="\n".join(scenarios),
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=400)
    PAGE.write_text(write_page(parser.parse_args().studies), encoding="utf-8")
