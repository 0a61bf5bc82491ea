"""All checks of all fits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import joblib
import numpy as np
import pandas as pd

from prefdissect._typing import Engine
from prefdissect.check.case import Asked, Case, design_effect_of
from prefdissect.check.checks import Checks
from prefdissect.check.claims import check_left_out, check_prior, check_signs
from prefdissect.check.collinearity import check_collinearity
from prefdissect.check.dependence import check_clusters
from prefdissect.check.finding import Finding
from prefdissect.check.fitting import check_convergence, check_pairs, check_separation, unfitted
from prefdissect.check.heldout import HeldOut, hold_out
from prefdissect.check.left_out import differences_left_out, longer, why_nothing_is_left
from prefdissect.check.misfit import check_calibration, check_lapses, check_predictive
from prefdissect.check.nulls import check_permuted, check_placebo
from prefdissect.check.order import check_balance, check_order
from prefdissect.check.prediction import check_prediction
from prefdissect.data import PreferenceData
from prefdissect.data.combined import spread_weights
from prefdissect.features import Design
from prefdissect.inference import Posterior
from prefdissect.inference.progress import progress_bar
from prefdissect.inference.threads import one_blas_thread

__all__ = ["CHECKS", "FOLDS", "hold_out_where_possible", "run_checks"]

CHECKS: tuple[Callable[[Case], Finding], ...] = (
    check_convergence,
    check_pairs,
    check_separation,
    check_collinearity,
    check_clusters,
    check_balance,
    check_order,
    check_prediction,
    check_calibration,
    check_lapses,
    check_predictive,
    check_left_out,
    check_prior,
    check_placebo,
    check_permuted,
    check_signs,
)
FOLDS = 10


def run_checks(
    data: PreferenceData,
    design: Design,
    posterior: Posterior,
    labels: Mapping[str, str],
    held_out: HeldOut | None,
    *,
    engine: Engine,
    robust: bool,
    min_pairs: int,
    random_seed: int,
    progress: bool | None = None,
) -> Checks:
    """Examine every fit by every check, and name the groups that were not fitted.

    `labels` maps property to its name in sentences; `held_out` is what `hold_out_where_possible` returns.
    """
    fitted = [key for key in posterior.fits if key[0] in design.judges and key[1] in design.groups]
    predictions = {} if held_out is None else dict(iter(held_out.log_odds.groupby(["judge", "group"], sort=False)))
    left_out, nothing_left = differences_left_out(data, design), why_nothing_is_left(data, design)
    asked = _known_orders(data, design)

    def examine(key: tuple[str, str]) -> list[Finding]:
        rows, cell = design.decided(*key)
        effect = design_effect_of(posterior.fits[key])
        case = Case(
            cell=replace(cell, weight=cell.weight / effect),
            effect=effect,
            fit=posterior.fits[key],
            prior=posterior.prior,
            is_property=design.is_property,
            labels=tuple(labels.get(name, name) for name in design.columns),
            asked=_asked_in(asked.get(key[0]), rows),
            left_out={name: values[rows] for name, values in left_out.items()},
            nothing_left=nothing_left,
            held_out=predictions.get(key, _NOTHING),
            family=len(fitted),
            n_groups=len(design.groups),
            engine=engine,
            robust=robust,
            interval=posterior.interval,
            random_seed=random_seed,
        )
        return [check(case) for check in CHECKS]

    found: list[tuple[str, str, Finding]] = []
    with (
        progress_bar("checking", len(fitted), progress) as bar,
        one_blas_thread(),
        ThreadPoolExecutor(joblib.cpu_count()) as pool,
    ):
        for key, findings in zip(fitted, pool.map(examine, fitted), strict=True):
            found += [(*key, finding) for finding in findings]
            bar.update(1)
    missing = [(j, g) for g in design.groups for j in design.judges if (j, g) not in posterior.fits]
    found += [(*key, unfitted(design.decided(*key)[1].n_pairs, min_pairs, len(design.groups))) for key in missing]
    return Checks(_table(found))


_NOTHING = pd.DataFrame({"label": [], "fit": [], "majority": [], "length only": []}, dtype=float)


def _table(found: Iterable[tuple[str, str, Finding]]) -> pd.DataFrame:
    rows = [{"judge": judge, "group": group, **asdict(finding)} for judge, group, finding in found]
    order = {check.__name__.removeprefix("check_").replace("_", " "): i for i, check in enumerate(CHECKS)}
    order["permuted labels"] = order.pop("permuted")
    table = pd.DataFrame(rows)
    table = table.iloc[table["check"].map(order).argsort(kind="stable")].reset_index(drop=True)
    names = ["check", "judge", "group", "level", "said", "number", "look_at", "stop_at", "advice"]
    return table[names].astype(dict.fromkeys(("check", "judge", "group", "level", "said", "advice"), "str"))


def hold_out_where_possible(
    data: PreferenceData, design: Design, posterior: Posterior, *, random_seed: int, progress: bool | None = None
) -> HeldOut | None:
    """Return held-out predictions of each fit that has clusters enough to hold some out; None if none has."""
    keys = [key for key in posterior.fits if len(np.unique(design.decided(*key)[1].cluster)) >= FOLDS]
    if not keys:
        return None
    return hold_out(
        design,
        posterior.prior,
        pd.Series(design.cluster, index=design.pair_ids),
        k=FOLDS,
        min_pairs=2,
        random_seed=random_seed,
        keys=keys,
        effects={key: design_effect_of(posterior.fits[key]) for key in keys},
        words=longer(data, design),
        progress=progress,
    )


def _known_orders(data: PreferenceData, design: Design) -> dict[str, pd.DataFrame]:
    """Return the decided verdicts of each judge whose order is known: row of the design, first, y, weight."""
    table = spread_weights(data.verdicts)
    known = table[(table["first"] != "unknown") & (table["value"] != 0.5) & (table["weight"] > 0)]
    if "order" in design.roles:  # it is a term of the fits
        return {}
    row = pd.Index(design.pair_ids).get_indexer(pd.Index(known["pair_id"]))
    tidy = pd.DataFrame(
        {
            "judge": known["judge"].astype(object).to_numpy(),
            "row": row,
            "first": np.where(known["first"] == "A", 1.0, -1.0),
            "y": known["value"].to_numpy(float),
            "weight": known["weight"].to_numpy(float),
        }
    )
    tidy = tidy[(tidy["row"] >= 0) & tidy["y"].notna()]
    return {str(judge): part for judge, part in tidy.groupby("judge", sort=False)}


def _asked_in(asked: pd.DataFrame | None, rows: np.ndarray) -> Asked:
    """Return those of a judge's verdicts that are on these rows, numbered within them."""
    if asked is None or not len(asked):
        return Asked(np.empty(0, dtype=np.int64), *np.empty((3, 0)))
    at = np.searchsorted(rows, asked["row"].to_numpy())
    at_most = np.minimum(at, len(rows) - 1)
    inside = rows[at_most] == asked["row"].to_numpy()
    first, y, weight = (asked[name].to_numpy(float)[inside] for name in ("first", "y", "weight"))
    return Asked(at_most[inside].astype(np.int64), first, y, weight)
