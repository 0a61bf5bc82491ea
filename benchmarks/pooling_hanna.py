"""Does pooling predict real judges better: HANNA's 23, few prompts to learn from. `python -m benchmarks.pooling_hanna`.

Which of two stories is more engaging (folder `hanna` of PREFDISSECT_DATA), ties dropped. Half of the 96 prompts are
held out in each split; fits see some prompts of the other half. Rows also weighted by one over the design effect of
prompts within a judge. The table is written to `docs/explanation/pooling.md`.
"""

from __future__ import annotations

import argparse
import logging
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

import prefdissect as pdx
from prefdissect._typing import BoolArray, FloatArray
from prefdissect.features import Design, build_design
from prefdissect.inference import Laplace, Normal, arrange_prior, stand_in
from prefdissect.inference.pooling.fit import iterate
from prefdissect.inference.pooling.layers import arrange_layers
from prefdissect.inference.pooling.pair_effect import attenuation
from prefdissect.inference.pooling.scales import first_variances
from prefdissect.inference.pooling.sites import arrange_rows

logger = logging.getLogger(__name__)
PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "pooling.md"
MARK = "<!-- figures: python -m benchmarks.pooling_hanna -->"
PROMPTS = (3, 8, 16, 48)
RATED = ["relevance", "coherence", "empathy", "surprise", "complexity"]
TEXT = ["text_length", "novelty_1gram", "repetition_1gram", "compression", "coverage"]


def load_design() -> tuple[Design, np.ndarray]:
    """Return the design of all judges, all prompts as one group, and the prompt of each row."""
    path = Path(os.environ["PREFDISSECT_DATA"]) / "hanna" / "pairs_engagement.parquet"
    data = pdx.load(path, properties=[*RATED, *TEXT])
    design = build_design(data, list(data.judges), by=None, encoding="comparison", ties="drop")
    prompts = data.pairs["prompt_id"].reindex(design.pair_ids).to_numpy()
    return design, pd.factorize(prompts)[0]


def some(design: Design, kept: BoolArray) -> Design:
    """Return the design of some rows."""
    fields = ("pair_ids", "x", "y", "weight", "cluster", "in_group")
    return replace(design, **{name: getattr(design, name)[kept] for name in fields})


def design_effects(design: Design) -> FloatArray:
    """Return the design effect of clusters for each judge: tr(inv(H) J) / columns, at least 1."""
    wide = arrange_prior(Normal(1.0), design.columns)
    out = []
    for judge in design.judges:
        cell = design.cell(judge, "all")
        scores = cell.x * (cell.y - expit(cell.x @ stand_in(cell, wide).mean))[:, None]
        names, of = np.unique(cell.cluster, return_inverse=True)
        sums = np.zeros((len(names), cell.x.shape[1]))
        np.add.at(sums, of, scores)
        share = np.linalg.pinv(scores.T @ scores) * (sums.T @ sums) * len(names) / (len(names) - 1)
        out.append(share.sum() / np.linalg.matrix_rank(scores))
    return np.maximum(1.0, np.array(out))


def loss(design: Design, weights: FloatArray) -> float:
    """Return the held-out log loss, nats a verdict, each judge counted alike; `weights` [judge, column]."""
    log_odds = design.x @ weights.T
    each = np.logaddexp(0.0, log_odds) - design.y * log_odds
    used = design.weight > 0
    return float(((each * used).sum(axis=0) / used.sum(axis=0)).mean())


def fit_all(design: Design) -> dict[str, FloatArray]:
    """Return posterior means [judge, column] by fits apart, pooled, and pooled without the pairs' effect."""
    out = {}
    for scale in (0.1, 0.3):
        prior = arrange_prior(Laplace(scale), design.columns)
        means = [stand_in(design.cell(judge, "all"), prior).mean for judge in design.judges]
        out[f"apart, Laplace({scale})"] = np.stack(means)
    rows = arrange_rows(design, design.judges, design.groups)
    table = arrange_layers(design.roles, len(design.judges), 1)
    for way, pair_sd in (("pooled", 0.3), ("pooled, pair_effect=False", 0.0)):
        solution = iterate(rows, table, first_variances(table, len(design.judges), pair_sd), factors=True).solution
        weights = solution.weight[0]
        found = solution.variances.pair_sd
        out[way] = weights * (attenuation(found, float(np.std(design.x @ weights.T))) if found else 1.0)
    return out


def main() -> None:
    """Split, fit, print a row per number of prompts, write the table between the marks of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splits", type=int, default=8)
    parser.add_argument("--dry", action="store_true", help="write no page")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    design, prompt = load_design()
    found = []
    for split in range(arguments.splits):
        order = np.random.default_rng(split).permutation(96)
        test = some(design, np.isin(prompt, order[48:]))
        for n in PROMPTS:
            train = some(design, np.isin(prompt, order[:n]))
            effects = design_effects(train)
            weighted = replace(train, weight=train.weight / effects)
            for rows, one in (("raw", train), ("design effect", weighted)):
                for way, weights in fit_all(one).items():
                    found.append((n, rows, way, split, loss(test, weights), np.median(effects)))
            logger.info("split %d, %d prompts", split, n)
    table = pd.DataFrame(found, columns=["prompts", "rows", "fit", "split", "loss", "effect"])
    nothing = float(np.log(2))
    lines = [
        "| rows | fit | " + " | ".join(f"{n} prompts" for n in PROMPTS) + " |",
        "|---|---|" + "---|" * len(PROMPTS),
    ]
    best = table[(table["rows"] == "raw") & (table["fit"] == "apart, Laplace(0.1)")].set_index(["prompts", "split"])[
        "loss"
    ]
    for (rows, way), part in table.groupby(["rows", "fit"], sort=False):
        cells = []
        for n, at in part.groupby("prompts"):
            away = at.set_index("split")["loss"] - best[n]
            said = f"{at['loss'].mean():.4f}"
            error = away.std(ddof=1) / np.sqrt(len(away)) if len(away) > 1 else 0.0
            cells.append(said if not away.any() else f"{said} ({1000 * away.mean():+.1f} ± {1000 * error:.1f})")
        lines.append(f"| {rows} | {way} | " + " | ".join(cells) + " |")
    effects = table.groupby("prompts")["effect"].mean()
    lines += ["", f"Without any property the loss is {nothing:.4f}. Median design effect: "]
    lines[-1] += ", ".join(f"{effects[n]:.1f} with {n}" for n in PROMPTS) + " prompts."
    logger.info("\n%s", "\n".join(lines))
    if not arguments.dry:
        head, _, tail = PAGE.read_text(encoding="utf-8").partition(MARK)
        PAGE.write_text(
            f"{head}{MARK}\n\n" + "\n".join(lines) + f"\n\n{MARK}{tail.partition(MARK)[2]}", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
