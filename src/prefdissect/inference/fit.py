"""From a design to a posterior: one independent fit per judge and group, many at a time."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import joblib
import numpy as np

from prefdissect._typing import FloatArray, IntArray, MadeBy
from prefdissect.errors import ConvergenceWarning, TooFewPairsError
from prefdissect.features import Cell, Design
from prefdissect.inference.certificate import failed_criteria
from prefdissect.inference.clustering import weigh_clusters
from prefdissect.inference.engines import draw
from prefdissect.inference.ep import StandIn, fit_ep
from prefdissect.inference.fit_data import FitData, gather
from prefdissect.inference.options import FitOptions
from prefdissect.inference.posterior import Fit, Posterior
from prefdissect.inference.prior import PriorArrays
from prefdissect.inference.progress import progress_bar
from prefdissect.inference.robust import sample_robust, widen
from prefdissect.inference.summary import keep_draws, summarise
from prefdissect.inference.threads import one_blas_thread

__all__ = ["fit_design", "fit_without", "refit", "stand_in", "stream_of", "weigh"]

_CELLS_AT_ONCE, _FITS_AT_ONCE = 16, 64  # of one task, which shares the rows; few enough that all cores have some


def fit_design(
    design: Design,
    prior: PriorArrays,
    options: FitOptions,
    *,
    kept: int | None = None,
    progress: bool | None = None,
) -> Posterior:
    """Fit every judge in every group that has enough pairs; of each chain `kept` draws stay, or as many as suit.

    Fits share the cores of this machine as threads. Inside `joblib.parallel_config(n_jobs=...)` they run
    through joblib instead, on whatever backend is set there, with the same result.

    Raises
    ------
    TooFewPairsError
        If no group has `min_pairs` pairs.
    """
    cells = [design.cell(judge, group) for group in design.groups for judge in design.judges]
    decided = {(cell.judge, cell.group): cell.decided().n_pairs for cell in cells}
    enough = [cell for cell in cells if decided[cell.judge, cell.group] >= options.min_pairs]
    if not enough:
        most = max(cells, key=lambda cell: decided[cell.judge, cell.group])
        n, left_out = decided[most.judge, most.group], _left_out(design, most)
        raise TooFewPairsError(
            f"no judge has {options.min_pairs} usable pairs in any group (min_pairs={options.min_pairs}); the most are "
            f"{n}, judge {most.judge!r} in group {most.group!r}{left_out}; by=None takes all pairs together"
        )
    kept = keep_draws(len(enough), options.draws, options.engine) if kept is None else kept
    found = {(cell.judge, cell.group): fit for cell, fit in _run(enough, prior, options, kept, progress)}
    fits = {(cell.judge, cell.group): found[cell.judge, cell.group] for cell in enough}
    _warn_of_doubtful(fits, "robust" if options.robust else options.engine)
    return Posterior(
        judges=design.judges,
        groups=design.groups,
        columns=design.columns,
        fits=fits,
        shape=(options.chains, kept),
        interval=options.interval,
        prior=prior,
    )


def _left_out(design: Design, cell: Cell) -> str:
    """Say why pairs of a cell are missing."""
    table = design.dropped
    rows = table[(table["judge"] == cell.judge) & (table["group"] == cell.group)]
    reasons = ", ".join(f"{n} {reason}" for n, reason in zip(rows["n"], rows["reason"], strict=True))
    return f" (left out: {reasons})" if reasons else ""


def _run(
    cells: Sequence[Cell], prior: PriorArrays, options: FitOptions, kept: int, progress: bool | None
) -> Iterator[tuple[Cell, Fit]]:
    """Yield each cell with its fit, in any order, with a bar that shows if the work takes a while."""
    if options.engine != "nuts":  # before threads start, which would wait for one another
        from prefdissect.inference.compiled.warm import compile_all

        with progress_bar("compiling, once on this machine", 1, progress):
            compile_all()
    tasks = split(cells, options)
    with progress_bar("fitting", len(cells) * (options.folds or 1), progress) as bar, one_blas_thread():
        if joblib.effective_n_jobs(None) > 1:
            home = os.getpid()
            delayed = (joblib.delayed(_fit_elsewhere)(task, prior, options, kept, home) for task in tasks)
            for task, fits in zip(tasks, joblib.Parallel(return_as="generator")(delayed), strict=True):
                bar.update(len(task) * (options.folds or 1))
                yield from zip(task, fits, strict=True)
            return
        with ThreadPoolExecutor(joblib.cpu_count()) as pool:  # the engines work outside the interpreter's lock
            for task, fits in zip(
                tasks, pool.map(lambda task: fit_cells(task, prior, options, kept, bar.update), tasks), strict=True
            ):
                yield from zip(task, fits, strict=True)


def split(cells: Sequence[Cell], options: FitOptions) -> list[list[Cell]]:
    """Return tasks of cells, of one group each, as they share rows; the longest first, so that all end together."""
    by_group: dict[str, list[Cell]] = {}
    for cell in cells:
        by_group.setdefault(cell.group, []).append(cell)
    at_once = min(_CELLS_AT_ONCE, max(1, _FITS_AT_ONCE // (options.folds or 1)))
    tasks = []
    for members in by_group.values():
        n = -(-len(members) // at_once)
        bounds = [i * len(members) // n for i in range(n + 1)]
        tasks += [members[lo:hi] for lo, hi in zip(bounds, bounds[1:], strict=False)]
    return sorted(tasks, key=lambda task: sum(map(len, task)), reverse=True)


def _fit_elsewhere(task: list[Cell], prior: PriorArrays, options: FitOptions, kept: int, home: int) -> list[Fit]:
    """Fit a task of joblib's, in a thread of the process that is `home` or in another process."""
    if os.getpid() == home:
        return fit_cells(task, prior, options, kept)
    with one_blas_thread():
        return fit_cells(task, prior, options, kept)


def fit_cells(
    cells: Sequence[Cell],
    prior: PriorArrays,
    options: FitOptions,
    kept: int,
    on_share: Callable[[float], object] = lambda share: None,
) -> list[Fit]:
    """Return the posterior of each cell, from all its pairs or averaged over folds."""
    cells, effects = zip(*(weigh(cell, prior, options) for cell in cells), strict=True)
    splits = [leave_out_folds(len(cell), options) for cell in cells]
    fits = [
        (_fit_robustly if options.robust else _fit_cell)(cell, rows, parts, prior, options, kept, on_share)
        for cell, rows, parts in zip(cells, splits, gather(cells, splits), strict=True)
    ]
    return [replace(fit, certificate={**fit.certificate, **effect}) for fit, effect in zip(fits, effects, strict=True)]


def weigh(cell: Cell, prior: PriorArrays, options: FitOptions) -> tuple[Cell, dict[str, float]]:
    """Return the cell with rows weighted by the design effect of its clusters, where that is asked for, and the effect.

    Where there is one cluster it cannot be seen, and rows keep their weights.
    """
    if options.cluster == "none":
        return cell, {}
    (parts,) = gather([cell], [[np.arange(len(cell))]])
    cell, effect = weigh_clusters(cell, fit_ep(parts[0], prior_of(cell, prior)).mean)
    return cell, {"design_effect": effect}


def _fit_cell(
    cell: Cell,
    rows: Sequence[IntArray],
    parts: Sequence[FitData],
    prior: PriorArrays,
    options: FitOptions,
    kept: int,
    on_share: Callable[[float], object],
) -> Fit:
    """Return the posterior of one cell, averaged over parts of its data."""
    rng, prior = make_rng(options, cell), prior_of(cell, prior)
    streams = [rng] if len(parts) == 1 else rng.spawn(len(parts))  # what one fold draws does not move the next
    standins = [fit_ep(data, prior) for data in parts]
    drawn = [
        draw(
            data,
            prior,
            standin,
            engine=options.engine,
            draws=options.draws,
            kept=-(-kept // len(parts)),
            chains=options.chains,
            rng=stream,
            on_share=on_share,
        )
        for data, standin, stream in zip(parts, standins, streams, strict=True)
    ]
    return summarise(drawn, standins, prior, interval=options.interval, kept=kept, rng=rng, has_cut=bool(cell.ties))


def _fit_robustly(
    cell: Cell,
    rows: Sequence[IntArray],
    parts: Sequence[FitData],
    prior: PriorArrays,
    options: FitOptions,
    kept: int,
    on_share: Callable[[float], object],
) -> Fit:
    """Return the posterior of one cell from stand-ins that are as wide as its clusters say."""
    rng, prior = make_rng(options, cell), prior_of(cell, prior)
    standins = [widen(cell, used, fit_ep(data, prior)) for used, data in zip(rows, parts, strict=True)]
    drawn = []
    for used, standin, stream in zip(rows, standins, rng.spawn(len(parts)), strict=True):
        n = len(np.unique(cell.cluster[used]))
        drawn.append(sample_robust(prior, standin, draws=options.draws, chains=options.chains, clusters=n, rng=stream))
        on_share(1.0)
    return summarise(drawn, standins, prior, interval=options.interval, kept=kept, rng=rng, has_cut=bool(cell.ties))


def prior_of(cell: Cell, prior: PriorArrays) -> PriorArrays:
    """Return the prior of what is fitted to a cell: with a cutpoint's at the end, where ties are modelled."""
    return prior.with_cut() if cell.ties else prior


def refit(cell: Cell, labels: FloatArray, prior: PriorArrays) -> FloatArray:
    """Return posterior means under other labels of the same pairs [replicate, row]: [replicate, column], by `ep`.

    Labels are decided: none is a tie.
    """
    cells = [replace(cell, y=y, ties=None) for y in labels]
    every = [np.arange(len(cell))]
    return np.array([fit_ep(part, prior).mean for (part,) in gather(cells, [every] * len(cells))])


def fit_without(cell: Cell, kept: Sequence[IntArray], prior: PriorArrays) -> FloatArray:
    """Return posterior means of fits to some rows of a cell each: [fit, column], by `ep`.

    Where ties are modelled the cutpoint is the last column.
    """
    prior = prior_of(cell, prior)
    some = [kept[i : i + _FITS_AT_ONCE] for i in range(0, len(kept), _FITS_AT_ONCE)]  # each may hold a copy of the rows
    return np.array([fit_ep(part, prior).mean for parts in gather([cell] * len(some), some) for part in parts])


def stand_in(cell: Cell, prior: PriorArrays, *, robust: bool = False) -> StandIn:
    """Return the Gaussian block of a cell's likelihood with the posterior's moments, by `ep`; `robust` widens it.

    Of the weights alone: a cutpoint is integrated out.
    """
    every, prior = np.arange(len(cell)), prior_of(cell, prior)
    (parts,) = gather([cell], [[every]])
    found = fit_ep(parts[0], prior)
    found = widen(cell, every, found) if robust else found
    return found.without_cut(prior) if cell.ties else found


def leave_out_folds(n: int, options: FitOptions) -> list[IntArray]:
    """Return for each fold the rows that stay, after a shuffle; every row is left out once. Without folds, all rows.

    The paper's folds (Li et al. 2024, released code), whose last rows are never left out where
    the number of pairs is no multiple of the number of folds.
    """
    if options.folds is None:
        return [np.arange(n)]
    order = np.random.default_rng(options.random_seed).permutation(n)
    bounds = [int(i * n / options.folds) for i in range(options.folds + 1)]
    return [np.delete(np.arange(n), order[lo:hi]) for lo, hi in zip(bounds, bounds[1:], strict=False)]


def make_rng(options: FitOptions, cell: Cell) -> np.random.Generator:
    """Return the random stream of one cell: the same whichever other cells the grid holds."""
    return stream_of(options.random_seed, cell.judge, cell.group)


def stream_of(random_seed: int, *names: str) -> np.random.Generator:
    """Return the random stream that belongs to these names."""
    name = hashlib.blake2b("\x1f".join(names).encode(), digest_size=8).digest()
    return np.random.default_rng([random_seed, int.from_bytes(name, "little")])


def _warn_of_doubtful(fits: dict[tuple[str, str], Fit], asked: MadeBy) -> None:
    """Warn once: of fits that no engine certifies, else of those that another engine had to take over."""
    doubtful = [key for key, fit in fits.items() if not fit.certified]
    replaced = [key for key, fit in fits.items() if fit.engine != asked]
    if not doubtful and not replaced:
        return
    messages = []
    if replaced:
        judge, group = replaced[0]
        messages.append(
            f"{len(replaced)} of {len(fits)} fits failed the certificate of engine {asked!r} and were made by another, "
            f"which their rows name (the first: {fits[judge, group].engine!r} for judge {judge!r} in group {group!r})"
        )
    if doubtful:
        judge, group = doubtful[0]
        fit = fits[judge, group]
        why = ", ".join(failed_criteria(fit.r_hat, fit.ess_bulk, fit.certificate))
        messages.append(
            f"{len(doubtful)} of {len(fits)} fits are not certified; the first is judge {judge!r} in group {group!r}, "
            f"which fails by {why}; their rows say certified=False, and .certificates has the figures of all; more "
            "draws= or chains= may help"
        )
    warnings.warn("; ".join(messages), ConvergenceWarning, stacklevel=4)
