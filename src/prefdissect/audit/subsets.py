"""Which subsets of a benchmark can be won without reading: rules and fits, scored on pairs that did not choose them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import pandas as pd

from prefdissect._typing import FloatArray, IntArray
from prefdissect.audit.chance import chances_of
from prefdissect.audit.resampling import resample_shares
from prefdissect.audit.rules import ALL_PAIRS, credit, subsets_of
from prefdissect.check import HeldOut, hold_out
from prefdissect.features import Design
from prefdissect.inference import PriorArrays, stream_of

__all__ = ["subset_table"]

CHANCE = 0.5
_SCORED = ("one_side", "best_rule", "blind", "fit")
_Earned: TypeAlias = dict[tuple[str, str], FloatArray]  # by judge and group: [row of the design]


def subset_table(
    design: Design,
    prior: PriorArrays,
    rules: pd.DataFrame,
    blind: Sequence[str],
    *,
    folds: int,
    interval: float,
    resamples: int,
    random_seed: int,
    held: HeldOut | None = None,
    progress: bool | None = None,
) -> pd.DataFrame:
    """Return for each subset what wins pairs that had no part in choosing it.

    Parameters
    ----------
    design, prior
        Comparisons of all properties, and the prior of each column.
    rules
        What `rule_table` says of the same design.
    blind
        The properties that can be told without reading the prompt.
    folds, interval, resamples, random_seed
        Clusters are dealt into so many folds; shares have intervals of this probability from so many draws of clusters.
    held
        What `hold_out` says of this design with this prior and so many folds, where it is known.

    Returns
    -------
    DataFrame
        judge, group, n (decided pairs), n_clusters, rule (the single-property rule that was chosen most often, in
        words); then `one_side` (always the response, A or B, that won more of the other folds), `best_rule` (chosen on
        them), `blind` (a fit to the blind properties) and `fit` (to all), each a share of held-out pairs with `_lower`
        and `_upper`; rule_chance and blind_chance (that properties which say nothing do as well on these pairs: exact
        tests, see `chance.py`); margin (`blind_lower` less 1/2) and without_reading: the margin is above 0, and
        blind_chance below what lies outside the interval on one side. NaN, and False, where a subset has fewer clusters
        than folds; `blind` is NaN where no property is.
    """
    columns = [design.columns.index(name) for name in blind]
    keys = [(j, g) for g in design.groups for j in design.judges if _n_clusters(design, j, g) >= folds]
    chosen, earned = _hold_out_all(design, prior, columns, keys, folds, random_seed, held, progress)
    rows = []
    for judge in design.judges:
        for group, at in subsets_of(design, judge):
            rng = stream_of(random_seed, judge, group, "subsets")
            of = design.groups if group == ALL_PAIRS else [group]
            values = {name: _mean_over_groups(earned[name], judge, of) for name in _SCORED}
            score = _score(values, at, design.cluster, interval, resamples, rng)
            known = {"judge": judge, "group": group, "n": len(at), "n_clusters": len(np.unique(design.cluster[at]))}
            rule = _in_words(rules, judge, group, chosen.get((judge, group)))
            rows.append({**known, "rule": rule, **score, **_chances(design, prior, judge, at, columns, rng)})
    table = pd.DataFrame(rows).astype({"judge": "str", "group": "str", "rule": "str"})
    scored = table["fit"].notna()
    table[["rule_chance", "blind_chance"]] = table[["rule_chance", "blind_chance"]].where(scored)
    margin, surprising = table["blind_lower"] - CHANCE, table["blind_chance"] < (1 - interval) / 2
    table = table.assign(margin=margin, without_reading=(margin > 0) & surprising)
    table.attrs = {"interval": interval, "interval_kind": "equal-tailed, clusters resampled"}
    return table


def _hold_out_all(
    design: Design,
    prior: PriorArrays,
    blind: Sequence[int],
    keys: Sequence[tuple[str, str]],
    folds: int,
    random_seed: int,
    held: HeldOut | None,
    progress: bool | None,
) -> tuple[dict[tuple[str, str], str], dict[str, _Earned]]:
    """Return the rule chosen most often in each cell, and what rule, blind fit and fit earn of its held-out pairs."""
    if not keys:
        return {}, {name: {} for name in _SCORED}

    def run(design: Design, prior: PriorArrays) -> HeldOut:
        clusters = pd.Series(design.cluster, index=design.pair_ids)
        options = {"k": folds, "min_pairs": 2, "random_seed": random_seed, "progress": progress}
        return hold_out(design, prior, clusters, keys=keys, **options)  # type: ignore[arg-type]

    whole = run(design, prior) if held is None else held
    models = {"one_side": "majority", "best_rule": "best single", "fit": "fit"}
    earned = {name: _earned(whole, design, model) for name, model in models.items()} | {"blind": {}}
    if len(blind) == len(design.columns):
        earned["blind"] = earned["fit"]
    elif blind:
        earned["blind"] = _earned(run(_only(design, blind), prior.take(blind)), design, "fit")
    singles = whole.scores[whole.scores["model"] == "best single"]
    return dict(zip(zip(singles["judge"], singles["group"], strict=True), singles["property"], strict=True)), earned


def _only(design: Design, columns: Sequence[int]) -> Design:
    """Return the design with these columns only."""
    return replace(
        design,
        columns=tuple(design.columns[k] for k in columns),
        roles=tuple(design.roles[k] for k in columns),
        x=np.ascontiguousarray(design.x[:, columns]),
    )


def _earned(held: HeldOut, design: Design, model: str) -> _Earned:
    """Return what the sign of a prediction earns of each pair, [row of the design]; NaN of pairs of other cells."""
    row = pd.Series(np.arange(len(design.pair_ids)), index=design.pair_ids)
    found = {}
    for key, part in held.log_odds.groupby(["judge", "group"], sort=False):
        value = np.full(len(row), np.nan)
        at = row.reindex(part["pair_id"].astype(object)).to_numpy()
        value[at] = credit(part[model].to_numpy(float), part["label"].to_numpy(float) > CHANCE)
        found[str(key[0]), str(key[1])] = value
    return found


def _mean_over_groups(cells: _Earned, judge: str, groups: Sequence[str]) -> FloatArray | None:
    """Return what was earned of each pair; of a pair in several groups, which are cases, the mean."""
    known = [cells[judge, group] for group in groups if (judge, group) in cells]
    if len(known) < 2:
        return known[0] if known else None
    n = np.isfinite(known).sum(axis=0)
    return np.where(n > 0, np.nansum(known, axis=0) / np.maximum(n, 1), np.nan)


def _score(
    values: Mapping[str, FloatArray | None],
    rows: IntArray,
    clusters: IntArray,
    interval: float,
    resamples: int,
    rng: np.random.Generator,
) -> dict[str, float]:
    """Return the shares of decided pairs that were held out, with their intervals."""
    found = dict.fromkeys([f"{name}{end}" for name in values for end in ("", "_lower", "_upper")], float("nan"))
    known = {name: value[rows] for name, value in values.items() if value is not None}
    if known:
        columns = np.column_stack(list(known.values()))
        held = np.isfinite(columns).all(axis=1)
        shares = resample_shares(columns[held], clusters[rows[held]], interval=interval, resamples=resamples, rng=rng)
        for name, (share, lower, upper) in zip(known, shares.T.tolist(), strict=True):
            found |= {name: share, f"{name}_lower": lower, f"{name}_upper": upper}
    return found


def _chances(
    design: Design, prior: PriorArrays, judge: str, rows: IntArray, blind: Sequence[int], rng: np.random.Generator
) -> dict[str, float]:
    """Return the chance that properties which say nothing do as well: the best rule, and all blind ones together."""
    if not len(rows):
        return dict.fromkeys(("rule_chance", "blind_chance"), float("nan"))
    x, prefers_a = design.x[rows], design.y[rows, design.judges.index(judge)] > CHANCE
    found = chances_of(x, blind, prefers_a, design.cluster[rows], prior, rng)
    return dict(zip(("rule_chance", "blind_chance"), found, strict=True))


def _in_words(rules: pd.DataFrame, judge: str, group: str, chosen: str | None) -> str | float:
    """Return the chosen rule, or where none was held out the best one; NaN without any decided pair."""
    own = rules[(rules["judge"] == judge) & (rules["group"] == group) & rules["share"].notna()]
    own = own if chosen is None else own[own["property"] == chosen]
    return f"{own['direction'].iloc[0]} {own['label'].iloc[0]}" if len(own) else float("nan")


def _n_clusters(design: Design, judge: str, group: str) -> int:
    return len(np.unique(design.cluster[design.rows(judge, group)]))
