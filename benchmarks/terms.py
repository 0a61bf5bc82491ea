"""Which terms predict better: three-way log scores of held-out verdicts on real data, split by prompt.

    python -m benchmarks.terms FOLDER

FOLDER holds hanna, arena_llama3 and pandalm. The table stands in docs/explanation/terms.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

import prefdissect as pdx
from prefdissect.features import Design, build_design
from prefdissect.inference import Laplace, arrange_prior, outcome_probabilities
from prefdissect.inference.clustering import weigh_clusters
from prefdissect.inference.fit import fit_without

__all__ = ["measure"]

SPLITS = 8
HANNA = ["relevance", "coherence", "empathy", "surprise", "complexity"]
HANNA += ["text_length", "novelty_1gram", "repetition_1gram", "coverage"]
PLAIN: dict[str, Any] = {"ties": "davidson", "position": False, "generators": False, "cluster": False}
MODELS: dict[str, dict[str, Any]] = {
    "ties dropped, their share constant": PLAIN | {"ties": "drop"},
    "ties as half, their share constant": PLAIN | {"ties": "half"},
    "Davidson": PLAIN,
    "ordered": PLAIN | {"ties": "ordered"},
    "Davidson + generators": PLAIN | {"generators": True},
    "Davidson, cluster weights": PLAIN | {"cluster": True},
    "Davidson + generators, cluster weights": PLAIN | {"generators": True, "cluster": True},
}


def load(folder: Path) -> Iterator[tuple[str, pdx.PreferenceData, list[int]]]:
    """Yield data sets by name, with the numbers of training prompts to try; 0 is half of them."""
    yield "HANNA", pdx.load(folder / "hanna" / "pairs_engagement.parquet", properties=HANNA), [3, 8, 16, 48]
    for name in ("arena_llama3", "pandalm"):
        yield name, pdx.measure_text(pdx.load(folder / name / "pairs.parquet")), [0]


def measure(data: pdx.PreferenceData, n_train: int, splits: int = SPLITS) -> pd.DataFrame:
    """Return the mean log score of held-out verdicts, one row per split, judge and model; the same prompts for all."""
    rows = []
    for name, how in MODELS.items():
        terms = {key: how[key] for key in ("ties", "position", "generators")}
        design = build_design(data, data.judges, by=None, encoding="comparison", **terms)
        shown = build_design(data, data.judges, by=None, encoding="comparison", **(terms | {"ties": "davidson"}))
        for judge in data.judges:
            prompts = np.unique(shown.cell(judge, "all").cluster)
            for split in range(splits):
                shuffled = np.random.default_rng([split, 7]).permutation(
                    len(data)
                )  # of whole study: clusters by number
                order = prompts[np.argsort(shuffled[prompts])]
                train = set(order[: n_train or len(order) // 2].tolist())
                value = _score(design, shown, judge, train, cluster=how["cluster"])
                rows.append((name, judge, split, value))
    return pd.DataFrame(rows, columns=["model", "judge", "split", "score"])


def _score(design: Design, shown: Design, judge: str, train: set[int], *, cluster: bool) -> float:
    """Fit a judge to the pairs of some prompts, and return the mean log probability of what it said of the others."""
    whole = shown.cell(judge, "all")
    test = whole.take(~np.isin(whole.cluster, list(train)))
    named = dict(zip(shown.pair_ids, shown.cluster, strict=True))
    rows = design.rows(judge, "all")
    of = np.array([named[i] for i in design.pair_ids[rows]])
    part = design.cell(judge, "all").take(np.isin(of, list(train)))
    prior = arrange_prior(Laplace(0.1), design.encoder.schema.ids, design.columns[len(design.encoder.schema.ids) :])
    every = [np.arange(len(part))]
    if cluster:
        part, _ = weigh_clusters(part, fit_without(part, every, prior)[0])
    mean, n = fit_without(part, every, prior)[0], part.x.shape[1]
    t = test.x @ mean[:n]
    tied = test.tied if test.ties else np.zeros(len(test))
    if part.ties:
        p = outcome_probabilities(part.ties, t, mean[n])
    else:
        learned = whole.take(np.isin(whole.cluster, list(train)))
        rate = (float(learned.tied.mean()) if learned.ties else 0.0) * len(learned) / (len(learned) + 1)
        p = np.stack([(1 - rate) * expit(t), np.full(len(t), max(rate, 1e-3)), (1 - rate) * expit(-t)], axis=-1)
    said = np.where(tied > 0.5, p[:, 1], np.where(test.y > 0.5, p[:, 0], p[:, 2]))
    return float(np.log(said).mean())


def main() -> None:
    """Print the table for the folder that is named."""
    for name, data, sizes in load(Path(sys.argv[1])):
        for size in sizes:
            table = measure(data, size)
            mean = (
                table.groupby(["model", "judge"], sort=False)["score"].mean().unstack("model", sort=False)[list(MODELS)]
            )
            by_split = table.groupby(["model", "split"], sort=False)["score"].mean().unstack("model", sort=False)
            base = "Davidson"
            for model in MODELS:
                away = by_split[model] - by_split[base]
                better = int((mean[model] > mean[base]).sum())
                error = away.std(ddof=1) / np.sqrt(len(away))
                sys.stdout.write(
                    f"| {name} | {size or 'half'} | {model} | {mean[model].mean():.4f} | {away.mean():+.4f} | "
                    f"{error:.4f} | {better} of {len(mean)} |\n"
                )
                sys.stdout.flush()


if __name__ == "__main__":
    main()
