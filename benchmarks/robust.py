"""How often do intervals of weights hold the truth where pairs depend on one another: `python -m benchmarks.robust`.

Weights come from the prior; labels correlate within clusters through a copula, so that the model still holds for each
pair; properties are shared in part within clusters. The shares are written to `docs/reference/check-rates.md`.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from scipy import special

import prefdissect as pdx

logger = logging.getLogger(__name__)
PAGE = Path(__file__).parents[1] / "docs" / "reference" / "check-rates.md"
MARK = "<!-- figures: python -m benchmarks.robust -->"
PROPERTIES, SHARED = 10, 0.6  # and the share of a property's variance that a cluster shares
KINDS = ((400, 1, 0.0), (400, 5, 0.5), (2000, 10, 0.3), (2000, 10, 0.6))  # pairs, pairs a cluster, correlation


def simulate(seed: int, n: int, size: int, correlation: float) -> tuple[np.ndarray, pd.DataFrame]:
    """Return true weights and a table of pairs."""
    rng = np.random.default_rng(seed)
    of = np.arange(n) // size
    weights = rng.laplace(0, 0.1, PROPERTIES)
    z = np.sqrt(SHARED) * rng.standard_normal((of[-1] + 1, PROPERTIES))[of]
    z += np.sqrt(1 - SHARED) * rng.standard_normal((n, PROPERTIES))
    x = np.where(np.abs(z) > 0.5, np.sign(z), 0.0)
    luck = np.sqrt(correlation) * rng.standard_normal(of[-1] + 1)[of]
    prefers_a = special.ndtr(luck + np.sqrt(1 - correlation) * rng.standard_normal(n)) < special.expit(x @ weights)
    columns = {f"p{k}_{side}": x[:, k] * (side == "a") for k in range(PROPERTIES) for side in "ab"}
    return weights, pd.DataFrame(columns | {"judge_me": np.where(prefers_a, "A", "B"), "cluster": of})


def held(seed: int, n: int, size: int, correlation: float) -> list[float]:
    """Return the share of weights inside plain and robust 94% intervals in one study."""
    truth, table = simulate(seed, n, size, correlation)
    data = pdx.load(table, cluster="cluster")
    shares = []
    for robust in (False, True):
        weights = pdx.dissect(data, engine="ep", robust=robust, random_seed=seed, progress=False).weights
        shares.append(float(((weights["lower"] <= truth) & (truth <= weights["upper"])).mean()))
    return shares


def main() -> None:
    """Simulate, print a row per kind, write the figures between the marks of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=300)
    parser.add_argument("--dry", action="store_true", help="write no page")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    lines = ["| pairs | a cluster | correlation of verdicts | plain intervals | robust intervals |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for n, size, correlation in KINDS:
        jobs = (joblib.delayed(held)(seed, n, size, correlation) for seed in range(arguments.studies))
        plain, robust = np.mean(joblib.Parallel(n_jobs=-1)(jobs), axis=0)
        lines.append(f"| {n:,} | {size} | {correlation:.1f} | {plain:.1%} | {robust:.1%} |")
        logger.info("%s", lines[-1])
    if not arguments.dry:
        head, _, tail = PAGE.read_text(encoding="utf-8").partition(MARK)
        figures = "\n".join(lines)
        PAGE.write_text(f"{head}{MARK}\n\n{figures}\n\n{MARK}{tail.partition(MARK)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
