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
SHARED = 0.6  # of a property's variance within a cluster
MANY = [(10, 400, 1, 0.0), (10, 80, 5, 0.5), (10, 200, 10, 0.3), (10, 200, 10, 0.6)]
FEW = [(10, n, 600 // n, correlation) for n in (5, 8, 11, 16, 30, 100) for correlation in (0.0, 0.5)]
FEW += [(29, n, 600 // n, correlation) for n in (16, 30) for correlation in (0.0, 0.5)]
KINDS = MANY + FEW  # properties, clusters, pairs a cluster, correlation of verdicts


def simulate(seed: int, k: int, clusters: int, size: int, correlation: float) -> tuple[np.ndarray, pd.DataFrame]:
    """Return true weights and a table of pairs."""
    rng = np.random.default_rng(seed)
    n = clusters * size
    of = np.arange(n) // size
    weights = rng.laplace(0, 0.1, k)
    z = np.sqrt(SHARED) * rng.standard_normal((clusters, k))[of]
    z += np.sqrt(1 - SHARED) * rng.standard_normal((n, k))
    x = np.where(np.abs(z) > 0.5, np.sign(z), 0.0)
    luck = np.sqrt(correlation) * rng.standard_normal(clusters)[of]
    prefers_a = special.ndtr(luck + np.sqrt(1 - correlation) * rng.standard_normal(n)) < special.expit(x @ weights)
    columns = {f"p{i}_{side}": x[:, i] * (side == "a") for i in range(k) for side in "ab"}
    return weights, pd.DataFrame(columns | {"judge_me": np.where(prefers_a, "A", "B"), "cluster": of})


def held(seed: int, kind: tuple[int, int, int, float]) -> list[float]:
    """Return the share of weights inside plain and robust 94% intervals in one study."""
    truth, table = simulate(seed, *kind)
    data = pdx.load(table, cluster="cluster")
    shares = []
    for robust in (False, True):
        weights = pdx.dissect(
            data, preset="paper", engine="ep", robust=robust, random_seed=seed, progress=False
        ).weights
        shares.append(float(((weights["lower"] <= truth) & (truth <= weights["upper"])).mean()))
    return shares


def main() -> None:
    """Simulate, print a row per kind, write the figures between the marks of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--dry", action="store_true", help="write no page")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    lines = ["| properties | clusters | pairs a cluster | correlation of verdicts | plain | robust |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for kind in KINDS:
        jobs = (joblib.delayed(held)(seed, kind) for seed in range(arguments.studies))
        plain, robust = np.mean(joblib.Parallel(n_jobs=-1)(jobs), axis=0)
        k, clusters, size, correlation = kind
        lines.append(f"| {k} | {clusters} | {size} | {correlation:.1f} | {plain:.1%} | {robust:.1%} |")
        logger.info("%s", lines[-1])
    if not arguments.dry:
        head, _, tail = PAGE.read_text(encoding="utf-8").partition(MARK)
        figures = "\n".join(lines)
        PAGE.write_text(f"{head}{MARK}\n\n{figures}\n\n{MARK}{tail.partition(MARK)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
