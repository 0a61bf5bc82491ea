"""Does pooling keep its word where the truth is known: `python -m benchmarks.pooling`, at the root.

True weights are those that the paper's authors released (the folder `gair` of PREFDISSECT_DATA), of random judges,
scenarios and properties in each study; the shares are written to `docs/explanation/pooling.md`.
"""

from __future__ import annotations

import argparse
import logging
import os
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import joblib
import numpy as np
from scipy.special import ndtri

import prefdissect as pdx
from prefdissect.compare import load_reference
from prefdissect.features import build_design
from prefdissect.inference.pooling.fit import iterate
from prefdissect.inference.pooling.layers import arrange_layers
from prefdissect.inference.pooling.one_verdict import attenuation, to_one_verdict
from prefdissect.inference.pooling.rows import arrange_rows
from prefdissect.inference.pooling.scales import first_variances
from prefdissect.inference.threads import one_blas_thread

logger = logging.getLogger(__name__)
PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "pooling.md"
MARK = "<!-- figures: python -m benchmarks.pooling -->"
_RARE = 5  # properties that only cases have: a scenario knows little of them
_LOGIT_SPREAD = 0.6  # of the studies' logits, about


@dataclass(frozen=True)
class Kind:
    """One kind of study: judges, scenarios, properties, pairs a scenario, sd of what all judges of a pair see."""

    name: str
    judges: int = 10
    scenarios: int = 8
    properties: int = 10
    pairs: int = 150
    shared: float = 0.0
    negated: bool = False
    tie_rate: float = 0.0
    order_effect: float = 0.0
    alone: bool = False  # the pooled fit by itself: no fits apart, no gain, which take most of the time


KINDS = (
    Kind("10 judges, 8 scenarios"),
    Kind("the same, all judges see something no property names (sd 1)", shared=1.0),
    Kind("the same, one judge's weights negated", negated=True),
    Kind("the same, 20% ties, a liking of what is shown first (0.4)", tie_rate=0.2, order_effect=0.4),
    Kind("33 judges, 11 scenarios, 24 properties, one negated", 33, 11, 24, negated=True, alone=True),
    Kind("33 judges, 1 scenario", judges=33, scenarios=1),
    Kind("4 judges, 4 scenarios", judges=4, scenarios=4, properties=8),
)


@lru_cache(maxsize=1)
def released() -> pdx.compare.ReferenceWeights:
    """Return the released weights."""
    return load_reference(path=Path(os.environ["PREFDISSECT_DATA"]) / "gair" / "fitted_paras_comparison")


def simulate(kind: Kind, seed: int) -> tuple[np.ndarray, pdx.PreferenceData]:
    """Return true weights of one verdict, [judge, scenario, property], and the data."""
    rng, source = np.random.default_rng(seed), released()
    scenarios = [g for g in source.groups if source.kinds[g] == "scenario"]
    judges = rng.choice(len(source.judges), kind.judges, replace=False)
    groups = [source.groups.index(g) for g in rng.choice(scenarios, kind.scenarios, replace=False)]
    general = [k for k, name in enumerate(source.properties) if pdx.PAPER[name].missing != "zero"]
    properties = np.sort(rng.choice(general, kind.properties, replace=False))
    truth = source.weight[np.ix_(judges, groups, properties)]
    if kind.negated:
        truth[0] = -truth[0]
    given_pair = truth / (attenuation(kind.shared, _LOGIT_SPREAD) if kind.shared else 1.0)
    study = pdx.simulate(
        kind.pairs * kind.scenarios,
        schema=pdx.PAPER.select([source.properties[k] for k in properties]),
        judges=kind.judges,
        scenarios=[f"scenario{i}" for i in range(kind.scenarios)],
        weights=given_pair,
        response_sd=kind.shared / np.sqrt(2),
        tie_rate=kind.tie_rate,
        order_effect=kind.order_effect,
        random_seed=rng,
    )
    return truth, study.data


def run_alone(kind: Kind, seed: int) -> dict[str, float]:
    """Return errors and coverage of the pooled fit by itself, and whose factor is large."""
    truth, data = simulate(kind, seed)
    terms = {"ties": "davidson", "position": "auto"}
    design = build_design(data, list(data.judges), by="scenario", encoding="comparison", **terms)
    rows = arrange_rows(design, design.judges, design.groups)
    table = arrange_layers(design.roles, kind.judges, kind.scenarios)
    with one_blas_thread():
        state = iterate(rows, table, first_variances(table, kind.judges, 0.3), factors=True)
    weight, sd = state.solution.weight, state.solution.sd
    told = to_one_verdict(state.sites.cut, state.variances.pair_sd, float(np.sqrt((weight**2).sum(axis=-1).mean())))
    mean, sd = (np.swapaxes(told.factor[..., None] * part, 0, 1)[..., : kind.properties] for part in (weight, sd))
    inside = np.abs(mean - truth) < ndtri(0.97) * sd
    factor = np.maximum(state.variances.judge_factor, state.variances.cell_factor)
    return {
        "pooled|rmse2": float(((mean - truth) ** 2).mean()),
        "pooled|cover": float(inside.mean()),
        "pooled|certified": float(state.converged),
        "pooled|gain": np.nan,
        "pooled|pair": state.variances.pair_sd,
        "pooled|flagged": float(factor[0] > pdx.inference.UNLIKE),
        "pooled|above 5": float(factor[0] > 5),
        "pooled|others flagged": float((factor[1:] > pdx.inference.UNLIKE).mean()),
        "pooled|cover of it": float(inside[0].mean()),
    }


def run(kind: Kind, seed: int) -> dict[str, float]:
    """Return errors and coverage of fits apart and pooled in one study."""
    if kind.alone:
        return run_alone(kind, seed)
    truth, data = simulate(kind, seed)
    asked = {"random_seed": seed, "progress": False, "draws": 500}
    ways = {"apart": {"engine": "ep"}, "pooled": {"pooling": "partial"}}
    if kind.shared:
        ways["pooled, pair_effect=False"] = {"pooling": "partial", "pair_effect": False}
    if kind.judges < 8 or kind.scenarios < 8:
        ways["pooled, engine='ep'"] = {"pooling": "partial", "engine": "ep"}
    out: dict[str, float] = {}
    for way, options in ways.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pdx.ConvergenceWarning)
            result = pdx.dissect(data, **asked, **options)
        table = result.weights
        mean, lower, upper = (table[c].to_numpy().reshape(truth.shape) for c in ("mean", "lower", "upper"))
        inside = (lower <= truth) & (truth <= upper)
        out |= {f"{way}|rmse2": float(((mean - truth) ** 2).mean()), f"{way}|cover": float(inside.mean())}
        out[f"{way}|certified"] = float(table["certified"].mean())
        if way == "pooled":
            gain = result.pooling_gain.iloc[:-1]
            out |= {
                f"{way}|gain": float(result.pooling_gain["gain"].iloc[-1]),
                f"{way}|pair": result.scales["sd"].iloc[-1],
            }
            out[f"{way}|flagged"] = float(gain["factor"].iloc[0] > pdx.inference.UNLIKE)
            out[f"{way}|above 5"] = float(gain["factor"].iloc[0] > 5)
            out[f"{way}|others flagged"] = float((gain["factor"].iloc[1:] > pdx.inference.UNLIKE).mean())
        if kind.negated:
            out[f"{way}|cover of it"] = float(inside[0].mean())
    return out


def main() -> None:
    """Simulate, print a row per kind and way, write the figures between the marks of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=-1)
    parser.add_argument("--only", type=int, help="one kind by number; the page is then not written")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    from benchmarks.pooling import run as named_run  # other processes find it by name, and cannot in `__main__`

    lines = ["| study | fit | error of weights (rms) | 94% intervals hold | remarks |", "|---|---|---|---|---|"]
    for kind in KINDS if arguments.only is None else [KINDS[arguments.only]]:
        jobs = (joblib.delayed(named_run)(kind, seed) for seed in range(arguments.studies))
        found = joblib.Parallel(n_jobs=arguments.jobs)(jobs)
        mean = {name: float(np.mean([one[name] for one in found])) for name in found[0]}
        for way in dict.fromkeys(name.split("|")[0] for name in mean):
            said = [f"certified {mean[f'{way}|certified']:.0%}"] if mean[f"{way}|certified"] < 1 else []
            if way == "pooled":
                gain = mean[f"{way}|gain"]
                said += [] if np.isnan(gain) else [f"held-out gain {1000 * gain:+.1f}e-3"]
                said.append(f"sd of pairs {mean[f'{way}|pair']:.2f}")
                one = "the negated judge has a factor" if kind.negated else "the first judge has a factor"
                said.append(
                    f"{one} above 5 in {mean[f'{way}|above 5']:.0%}, above 3 in {mean[f'{way}|flagged']:.0%}, "
                    f"others above 3 in {mean[f'{way}|others flagged']:.1%}"
                )
            if kind.negated:
                said.append(f"hold the negated judge {mean[f'{way}|cover of it']:.1%}")
            rmse, cover = np.sqrt(mean[f"{way}|rmse2"]), mean[f"{way}|cover"]
            lines.append(f"| {kind.name} | {way} | {rmse:.3f} | {cover:.1%} | {'; '.join(said)} |")
            logger.info("%s", lines[-1])
    if arguments.only is None:
        head, _, tail = PAGE.read_text(encoding="utf-8").partition(MARK)
        PAGE.write_text(
            f"{head}{MARK}\n\n" + "\n".join(lines) + f"\n\n{MARK}{tail.partition(MARK)[2]}", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
