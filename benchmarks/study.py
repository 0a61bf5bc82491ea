"""A simulated study of the shape of the paper's, and others of any size.

`prefdissect.simulate` is not used: its comparisons differ in 54% of the entries, the paper's in about
26%, and its cases have their sizes on average only. Sizes are from Li et al. 2024 (ACL).
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.special import expit, ndtri

from prefdissect import PreferenceData
from prefdissect._typing import BoolArray, FloatArray, IntArray
from prefdissect.features import Design, Encoder
from prefdissect.schema import Property, PropertySchema

__all__ = ["add_terms", "lone_judge", "make_design", "paper_study"]

SCENARIO_SIZES = (400, 400, 400, 400, 400, 820, 400, 400, 400, 820, 400)
CASE_SIZES = (459, 121, 1418, 388, 401)
N_JUDGES, N_COLUMNS, SCALE = 33, 29, 0.1
N_FITS = N_JUDGES * (len(SCENARIO_SIZES) + len(CASE_SIZES))

_MOST_FREQUENT, _LEAST_FREQUENT = 0.88, 0.06  # how often a property differs: 26% on average over the study
_IN_CASE = 0.5  # how often the property that belongs to a case differs inside it; outside it never does
_FACTORS, _LOADING = 3, 0.6  # properties correlate through so many factors
_ROWS_AT_ONCE = 100_000


@lru_cache(maxsize=1)
def paper_study(seed: int = 1) -> Design:
    """Return 5,240 pairs, 29 properties, 33 judges, 11 scenarios and 5 cases: 528 fits."""
    rng = np.random.default_rng([seed, 0])
    scenario = np.repeat(np.arange(len(SCENARIO_SIZES)), SCENARIO_SIZES)
    in_case = np.column_stack([_choose_rows(rng, scenario, size) for size in CASE_SIZES])
    n_basic = N_COLUMNS - len(CASE_SIZES)
    x = np.column_stack(
        [
            _compare(rng, len(scenario), np.geomspace(_MOST_FREQUENT, _LEAST_FREQUENT, n_basic)),
            _compare(rng, len(scenario), np.full(len(CASE_SIZES), _IN_CASE)) * in_case,
        ]
    )
    in_scenario = scenario[:, None] == np.arange(len(SCENARIO_SIZES))
    groups = np.column_stack([in_scenario, in_case])
    return _assemble(x, _judge(rng, x, scenario, N_JUDGES), groups)


@lru_cache(maxsize=8)
def make_design(n_rows: int, n_columns: int = N_COLUMNS, n_judges: int = 1, seed: int = 1) -> Design:
    """Return a design of one group."""
    rng = np.random.default_rng([seed, n_rows, n_columns, n_judges])
    x = _compare(rng, n_rows, np.geomspace(_MOST_FREQUENT, _LEAST_FREQUENT, n_columns))
    y = _judge(rng, x, np.zeros(n_rows, dtype=np.int64), n_judges)
    return _assemble(x, y, np.ones((n_rows, 1), dtype=bool))


def add_terms(design: Design, n_generators: int = 20, tie_rate: float = 0.15, seed: int = 2) -> Design:
    """Return the design with ties, a column for being shown first, one for each of so many generators, at random."""
    rng, n = np.random.default_rng(seed), len(design.x)
    extra = np.zeros((n, 1 + n_generators))
    extra[:, 0] = rng.choice([-1.0, 1.0], n)
    first = rng.integers(n_generators, size=n)
    second = (first + rng.integers(1, n_generators, size=n)) % n_generators
    extra[np.arange(n), 1 + first] = 1.0
    extra[np.arange(n), 1 + second] = -1.0
    tied = (rng.random(design.y.shape) < tie_rate).astype(float)
    return replace(
        design,
        x=np.column_stack([design.x, extra]),
        columns=(*design.columns, "shown first", *(f"generator: {i}" for i in range(n_generators))),
        roles=(*design.roles, "order", *("generator" for _ in range(n_generators))),
        y=np.where(tied > 0, 0.5, design.y),
        tied=tied,
        open=np.ones_like(tied),
        may_tie=np.ones(len(design.judges), dtype=bool),
    )


def lone_judge(n_rows: int = 400) -> PreferenceData:
    """Return the data of one judge, as a person would bring them."""
    design = make_design(n_rows)
    table = pd.DataFrame(design.x, columns=list(design.columns))
    table["judge_me"] = np.where(design.y[:, 0] == 1, "A", "B")
    return PreferenceData.from_frame(table, properties=list(design.columns))


def _compare(rng: np.random.Generator, n_rows: int, rates: FloatArray) -> FloatArray:
    """Return comparisons -1, 0, 1 [row, column], correlated; column k differs from 0 in a share `rates[k]` of rows."""
    loadings = rng.normal(0, _LOADING, (_FACTORS, len(rates)))
    threshold = ndtri(1 - rates / 2) * np.sqrt(1 + (loadings**2).sum(axis=0))
    x = np.empty((n_rows, len(rates)))
    for start in range(0, n_rows, _ROWS_AT_ONCE):
        part = x[start : start + _ROWS_AT_ONCE]
        latent = rng.standard_normal((len(part), _FACTORS)) @ loadings + rng.standard_normal(part.shape)
        part[:] = np.sign(latent) * (np.abs(latent) > threshold)
    return x


def _choose_rows(rng: np.random.Generator, scenario: IntArray, size: int) -> BoolArray:
    """Return the rows of a case, [row]: scenarios hold different shares of it, and one holds none."""
    shares = rng.exponential(size=scenario.max() + 1)
    shares[rng.integers(len(shares))] = 0.0
    chance = shares[scenario] / shares[scenario].sum()
    chosen = np.zeros(len(scenario), dtype=bool)
    chosen[rng.choice(len(scenario), size, replace=False, p=chance)] = True
    return chosen


def _judge(rng: np.random.Generator, x: FloatArray, scenario: IntArray, n_judges: int) -> FloatArray:
    """Return preferences 0 or 1 [row, judge], by weights from Laplace(0, 0.1) of each judge in each scenario."""
    y = np.empty((len(x), n_judges))
    weights = rng.laplace(0, SCALE, (int(scenario.max()) + 1, x.shape[1], n_judges))
    for s, w in enumerate(weights):
        rows = scenario == s
        logit = x[rows] @ w
        y[rows] = rng.random(logit.shape) < expit(logit)
    return y


def _assemble(x: FloatArray, y: FloatArray, in_group: BoolArray) -> Design:
    schema = PropertySchema(
        name="benchmark", properties=tuple(Property(id=f"p{k + 1}", kind="number") for k in range(x.shape[1]))
    )
    groups = tuple(f"group{g + 1}" for g in range(in_group.shape[1]))
    return Design(
        encoder=Encoder(schema, "comparison", {}),
        columns=schema.ids,
        roles=("property",) * x.shape[1],
        pair_ids=np.arange(len(x)),
        x=x,
        y=y,
        weight=np.ones_like(y),
        tied=np.zeros_like(y),
        open=np.zeros_like(y),
        cluster=np.arange(len(x)),
        in_group=in_group,
        judges=tuple(f"judge{j + 1}" for j in range(y.shape[1])),
        groups=groups,
        group_kinds={g: "scenario" if k < len(SCENARIO_SIZES) else "case" for k, g in enumerate(groups)},
        dropped=pd.DataFrame({"judge": [], "group": [], "reason": [], "n": []}),
        ties="davidson",
        may_tie=np.zeros(y.shape[1], dtype=bool),
        correlation=np.full(y.shape[1], np.nan),
    )
