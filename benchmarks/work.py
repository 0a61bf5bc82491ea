"""The work that cases time, through the doors that a user has, and the facts of what came of it."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import joblib
import numpy as np

from benchmarks.rounds import Facts, Measurement, timed
from benchmarks.study import SCALE, add_terms, lone_judge, paper_study
from prefdissect import Dissection, Laplace, dissect
from prefdissect._typing import Engine
from prefdissect.features import Cell, Design
from prefdissect.inference import Fit, FitOptions, Posterior, arrange_prior, fit_design
from prefdissect.inference.ep import StandIn, fit_ep
from prefdissect.inference.fit import fit_cells, leave_out_folds, split
from prefdissect.inference.fit_data import gather
from prefdissect.inference.pooling.fit import State, iterate
from prefdissect.inference.pooling.layers import arrange_layers
from prefdissect.inference.pooling.rows import arrange_rows
from prefdissect.inference.pooling.scales import first_variances
from prefdissect.inference.prior import PriorArrays

__all__ = ["WANTED_ESS", "Measure", "dissecting", "fitting", "importing", "moments", "pooling", "whole_grid", "warm_up"]

WANTED_ESS, _FIRST_DRAWS = 1000, 330  # in all, and a chain: all but a few fits need no more
_STARTS = 5  # interpreters of each kind that one measurement of the import starts

Measure = Callable[[int], Measurement]


def warm_up() -> None:
    """Load and compile what is timed, on a few fits."""
    design = paper_study()
    few = design.sel(design.judges[:2], design.groups[:2])
    for engine in ("ep", "exact"):
        _fit(few, _options(engine, draws=200))
        _fit(few, _options(engine, draws=200, folds=2))
    dissecting("exact")(0)
    pooling()(0)


def fitting(make: Callable[[], Design], engine: Engine, *, draws: int = 1000, folds: int | None = None) -> Measure:
    """Measure `fit_design`, which shares the fits of a design among the cores."""

    def measure(number: int) -> Measurement:
        design = make()
        return timed(lambda: _fit(design, _options(engine, draws=draws, folds=folds)), partial(_facts_of, engine))

    return measure


def whole_grid(number: int) -> Measurement:
    """Measure exact fits of the whole study, each with enough draws for `WANTED_ESS` effective ones of every weight.

    All get `_FIRST_DRAWS` a chain; those that lack effective ones are fitted again with twice as many.
    """
    design = paper_study()
    cells = [design.cell(judge, group) for group in design.groups for judge in design.judges]

    def work() -> list[Fit]:
        enough, lacking, draws = [], cells, _FIRST_DRAWS
        while lacking:
            found = _fit_cells(lacking, _prior(design), _options("exact", draws=draws))
            enough += [fit for _, fit in found if fit.ess_bulk.min() >= WANTED_ESS]
            lacking = [cell for cell, fit in found if not fit.ess_bulk.min() >= WANTED_ESS]
            draws *= 2
        return enough

    return timed(work, partial(_facts_of_fits, "exact"))


def _fit_cells(cells: Sequence[Cell], prior: PriorArrays, options: FitOptions) -> list[tuple[Cell, Fit]]:
    """Fit cells as `fit_design` does, in tasks that threads share."""
    tasks = split(cells, options)
    with ThreadPoolExecutor(joblib.cpu_count()) as pool:
        found = pool.map(lambda task: fit_cells(task, prior, options, options.draws), tasks)
        return [pair for task, fits in zip(tasks, found, strict=True) for pair in zip(task, fits, strict=True)]


def moments(make: Callable[[], Design], *, folds: int | None = None) -> Measure:
    """Measure ep's means and sds alone: no draws, no intervals, no certificate."""

    def measure(number: int) -> Measurement:
        design = make()
        cells = [design.cell(judge, group) for group in design.groups for judge in design.judges]
        options, prior = _options("ep", folds=folds), _prior(design)
        tasks = split(cells, options)

        def work() -> list[StandIn]:
            with ThreadPoolExecutor(joblib.cpu_count()) as pool:
                found = pool.map(lambda task: _moments_of(task, prior, options), tasks)
                return [one for task in found for one in task]

        return timed(work, _facts_of_standins)

    return measure


def pooling(*, pair_sd: float = 0.0, terms: bool = False) -> Measure:
    """Measure the pooled posterior of the study's judges and scenarios, scales included, from its design."""

    def measure(number: int) -> Measurement:
        study = paper_study()
        scenarios = [name for name in study.groups if study.group_kinds[name] == "scenario"]
        design = study.sel(study.judges, scenarios)
        design = add_terms(design) if terms else design
        table = arrange_layers(design.roles, len(design.judges), len(scenarios))

        def work() -> State:
            rows = arrange_rows(design, design.judges, scenarios)
            return iterate(rows, table, first_variances(table, len(design.judges), pair_sd), factors=True)

        n_fits = len(design.judges) * len(scenarios)
        return timed(work, lambda state: Facts(n_fits, n_fits if state.converged else 0))

    return measure


def dissecting(engine: Engine) -> Measure:
    """Measure `dissect` for one judge, from the loaded data to the table of weights."""

    def measure(number: int) -> Measurement:
        data = lone_judge()

        def work() -> Dissection:
            result = dissect(data, by=None, preset="paper", engine=engine, random_seed=0, progress=False)
            if not len(result.weights):
                raise RuntimeError("dissect returned no weights")
            return result

        return timed(work, lambda result: _facts_of(engine, result.fitted))

    return measure


def importing(number: int) -> Measurement:
    """Measure how much longer a Python lives that imports prefdissect than one that does nothing."""
    bare, loaded = [], []
    for _ in range(_STARTS):
        bare.append(_start("pass"))
        loaded.append(_start("import prefdissect"))
    return Measurement(statistics.median(loaded) - statistics.median(bare), Facts(fits=0, certified=0))


def _start(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


def _options(engine: Engine, *, draws: int = 1000, folds: int | None = None) -> FitOptions:
    return FitOptions(engine=engine, draws=draws, chains=4, folds=folds, interval=0.94, min_pairs=10, random_seed=0)


def _prior(design: Design) -> PriorArrays:
    return arrange_prior(Laplace(SCALE), design.columns)


def _fit(design: Design, options: FitOptions) -> Posterior:
    return fit_design(design, _prior(design), options, progress=False)


def _moments_of(cells: Sequence[Cell], prior: PriorArrays, options: FitOptions) -> list[StandIn]:
    splits = [leave_out_folds(len(cell), options) for cell in cells]
    return [fit_ep(data, prior) for parts in gather(cells, splits) for data in parts]


def _facts_of(engine: Engine, posterior: Posterior) -> Facts:
    """Count a fit as certified if the engine that was asked for certifies it, no other having taken over."""
    return _facts_of_fits(engine, list(posterior.fits.values()))


def _facts_of_fits(engine: Engine, fits: Sequence[Fit]) -> Facts:
    certified = sum(fit.certified and fit.engine == engine for fit in fits)
    least = tuple(float(fit.ess_bulk.min()) for fit in fits if np.isfinite(fit.ess_bulk).all())
    return Facts(len(fits), certified, least)


def _facts_of_standins(standins: Sequence[StandIn]) -> Facts:
    """Count a fit as certified if it converged: there are no draws to compare it by."""
    return Facts(len(standins), sum(one.converged for one in standins))
