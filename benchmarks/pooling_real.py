"""Do models as terms, and pooling, predict real judges better: `python -m benchmarks.pooling_real`.

HANNA's 23 judges say which of two stories is more engaging, PandaLM's 5 which of two answers is better, or neither
(folders `hanna` and `pandalm` of PREFDISSECT_DATA); Davidson's model. Half of the prompts are held out in each split;
fits see some of the others. Rows also weighted by one over the design effect of prompts within a judge. The tables are
written to `docs/explanation/pooling.md`.
"""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

import prefdissect as pdx
from prefdissect._typing import BoolArray, FloatArray
from prefdissect.features import Design, build_design
from prefdissect.inference import Laplace, arrange_prior, outcome_probabilities
from prefdissect.inference.clustering import weigh_clusters
from prefdissect.inference.fit import fit_without
from prefdissect.inference.pooling.fit import iterate
from prefdissect.inference.pooling.layers import arrange_layers
from prefdissect.inference.pooling.one_verdict import to_one_verdict
from prefdissect.inference.pooling.rows import arrange_rows
from prefdissect.inference.pooling.scales import first_variances
from prefdissect.inference.prior import PriorArrays

logger = logging.getLogger(__name__)
PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "pooling.md"
MARK = "<!-- figures: python -m benchmarks.pooling_real -->"
PROMPTS = {"HANNA": (3, 8, 16, 48), "PandaLM": (20, 40, 82)}
RATED = ["relevance", "coherence", "empathy", "surprise", "complexity"]
TEXT = ["text_length", "novelty_1gram", "repetition_1gram", "compression", "coverage"]
BASE = "raw", "apart"


def load(name: str) -> pdx.PreferenceData:
    """Return HANNA, or PandaLM with its texts measured."""
    folder = Path(os.environ["PREFDISSECT_DATA"])
    if name == "HANNA":
        return pdx.load(folder / "hanna" / "pairs_engagement.parquet", properties=[*RATED, *TEXT])
    return pdx.measure_text(pdx.load(folder / "pandalm" / "pairs.parquet"))


def make_designs(data: pdx.PreferenceData) -> dict[str, Design]:
    """Return designs of all judges without and with models as terms, all pairs one group."""
    judges, fixed = list(data.judges), {"by": None, "encoding": "comparison", "ties": "davidson"}
    on = {"": False, " + models": True}
    return {said: build_design(data, judges, generators=generators, **fixed) for said, generators in on.items()}


def some(design: Design, kept: BoolArray) -> Design:
    """Return the design of some rows."""
    fields = ("pair_ids", "x", "y", "weight", "tied", "open", "cluster", "in_group")
    return replace(design, **{name: getattr(design, name)[kept] for name in fields})


def prior_of(design: Design) -> PriorArrays:
    """Return Laplace(0.1) of properties, and the terms' own."""
    n = len(design.encoder.schema.ids)
    return arrange_prior(Laplace(0.1), design.columns[:n], design.columns[n:])


def weigh(design: Design) -> tuple[Design, FloatArray]:
    """Return the design with rows weighted by one over the design effect of each judge, and the effects."""
    weight, effects = design.weight.copy(), []
    for j, judge in enumerate(design.judges):
        cell = design.cell(judge, "all")
        weighted, effect = weigh_clusters(cell, fit_without(cell, [np.arange(len(cell))], prior_of(design))[0])
        weight[design.rows(judge, "all"), j] = weighted.weight
        effects.append(effect)
    return replace(design, weight=weight), np.array(effects)


def fit_all(design: Design) -> Iterator[tuple[str, list[FloatArray]]]:
    """Yield ways to fit, and posterior means of each judge, with the cutpoint behind the weights."""
    cells = [design.cell(judge, "all") for judge in design.judges]
    yield "apart", [fit_without(cell, [np.arange(len(cell))], prior_of(design))[0] for cell in cells]
    rows = arrange_rows(design, design.judges, design.groups)
    table = arrange_layers(design.roles, len(design.judges), 1)
    for way, pair_sd in (("pooled", 0.3), ("pooled, pair_effect=False", 0.0)):
        state = iterate(rows, table, first_variances(table, len(cells), pair_sd), factors=True)
        weight = state.solution.weight[0]
        spread = float(np.std(design.x @ weight.T))
        told = to_one_verdict(state.sites.cut, state.variances.pair_sd, spread)
        yield way, [np.append(w * f, c) for w, f, c in zip(weight, told.factor[0], told.cut[0], strict=True)]


def loss(design: Design, means: list[FloatArray]) -> float:
    """Return minus the log probability of held-out verdicts, A, tie or B, each judge counted alike."""
    found = []
    for judge, mean in zip(design.judges, means, strict=True):
        cell, n = design.cell(judge, "all"), design.x.shape[1]
        cut = mean[n] if cell.ties else -np.inf
        p = outcome_probabilities("davidson", cell.x @ mean[:n], cut)
        tied = cell.tied if cell.ties else np.zeros(len(cell))
        found.append(-np.log(np.where(tied > 0.5, p[:, 1], np.where(cell.y > 0.5, p[:, 0], p[:, 2]))).mean())
    return float(np.mean(found))


def shares_alone(train: Design, test: Design) -> float:
    """Return the loss of a judge's share of ties alone."""
    found = []
    for judge in train.judges:
        cell, held = train.cell(judge, "all"), test.cell(judge, "all")
        rate = float((cell.tied.sum() + 0.5) / (len(cell) + 1)) if cell.ties else 0.0
        share = float(held.tied.mean()) if held.ties else 0.0
        found.append(-(share * np.log(max(rate, 1e-300)) + (1 - share) * np.log((1 - rate) / 2)))
    return float(np.mean(found))


def to_lines(table: pd.DataFrame) -> list[str]:
    """Return the table for the page: mean losses, and differences to the first row with their errors over splits."""
    base = table[(table["rows"] == BASE[0]) & (table["fit"] == BASE[1])].set_index(["prompts", "split"])["loss"]
    sizes = sorted(table["prompts"].unique())
    lines = ["| rows | fit | " + " | ".join(f"{n} prompts" for n in sizes) + " |", "|---|---|" + "---|" * len(sizes)]
    for (rows, way), part in table.groupby(["rows", "fit"], sort=False):
        cells = []
        for n, at in part.groupby("prompts"):
            away, said = at.set_index("split")["loss"] - base[n], f"{at['loss'].mean():.4f}"
            error = away.std(ddof=1) / np.sqrt(len(away))
            cells.append(said if not away.any() else f"{said} ({1000 * away.mean():+.1f} ± {1000 * error:.1f})")
        lines.append(f"| {rows} | {way} | " + " | ".join(cells) + " |")
    effects, alone = table.groupby("prompts")["effect"].mean(), table.groupby("prompts")["alone"].mean()
    return [
        *lines,
        "",
        "Shares of ties alone have a loss of " + ", ".join(f"{alone[n]:.4f} with {n}" for n in sizes) + " prompts.",
        "Median design effect: " + ", ".join(f"{effects[n]:.1f} with {n}" for n in sizes) + " prompts.",
    ]


def measure(name: str, splits: int) -> pd.DataFrame:
    """Return held-out losses: one row per number of prompts, kind of rows, way to fit, and split."""
    designs, found = make_designs(load(name)), []
    prompts = np.unique(designs[""].cluster)
    for split in range(splits):
        order = np.random.default_rng(split).permutation(prompts)
        half = len(order) // 2
        for n in PROMPTS[name]:
            for said, design in designs.items():
                train = some(design, np.isin(design.cluster, order[:n]))
                test = some(design, np.isin(design.cluster, order[half:]))
                weighted, effects = weigh(train)
                known = float(np.nanmedian(effects)), shares_alone(train, test)
                for rows, one in (("raw", train), ("design effect", weighted)):
                    for way, means in fit_all(one):
                        way_to_fit = way.replace("apart", f"apart{said}").replace("pooled", f"pooled{said}")
                        found.append((n, rows, way_to_fit, split, loss(test, means), *known))
                logger.info("%s: split %d, %d prompts%s", name, split, n, said)
    return pd.DataFrame(found, columns=["prompts", "rows", "fit", "split", "loss", "effect", "alone"])


def main() -> None:
    """Split, fit, write the tables between the marks of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splits", type=int, default=8)
    parser.add_argument("--dry", action="store_true", help="write no page")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    lines = []
    for name in PROMPTS:
        lines += [f"### {name}", "", *to_lines(measure(name, arguments.splits)), ""]
    logger.info("\n%s", "\n".join(lines))
    if not arguments.dry:
        head, _, tail = PAGE.read_text(encoding="utf-8").partition(MARK)
        page = f"{head}{MARK}\n\n" + "\n".join(lines) + f"\n{MARK}{tail.partition(MARK)[2]}"
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
