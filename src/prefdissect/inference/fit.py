"""From a design to a posterior: one independent fit per judge and group."""

from __future__ import annotations

import hashlib
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import joblib
import numpy as np

from prefdissect import _arviz
from prefdissect._typing import Engine, FloatArray, IntArray
from prefdissect.errors import ConvergenceWarning, TooFewPairsError
from prefdissect.features import Cell, Design
from prefdissect.inference import nuts
from prefdissect.inference.draws import Draws
from prefdissect.inference.posterior import Fit, Posterior
from prefdissect.inference.prior import PriorArrays

__all__ = ["FitOptions", "fit_design", "keep_draws"]

_ENGINES = {"nuts": nuts.sample}
# Certificate of a sampler: the customary limits (Vehtari et al. 2021), for every column.
_MOST_R_HAT, _LEAST_ESS = 1.01, 400
_LARGE_GRID, _DRAWS_IN_LARGE_GRID = 50, 250


@dataclass(frozen=True)
class FitOptions:
    """How to fit: see `dissect`."""

    engine: Engine
    draws: int
    chains: int
    folds: int | None
    interval: float
    min_pairs: int
    random_seed: int


def fit_design(design: Design, prior: PriorArrays, options: FitOptions, *, progress: bool | None = None) -> Posterior:
    """Fit every judge in every group that has enough pairs.

    Fits run through joblib: inside `joblib.parallel_config(n_jobs=...)` they run side by side,
    with the same result.

    Raises
    ------
    TooFewPairsError
        If no group has `min_pairs` pairs.
    """
    cells = [design.cell(judge, group) for judge in design.judges for group in design.groups]
    enough = [cell for cell in cells if len(cell) >= options.min_pairs]
    if not enough:
        most = max(cells, key=len)
        raise TooFewPairsError(
            f"no judge has {options.min_pairs} usable pairs in any group (min_pairs={options.min_pairs}); the most are "
            f"{len(most)}, judge {most.judge!r} in group {most.group!r}{_left_out(design, most)}; by=None takes all "
            "pairs together"
        )
    kept = keep_draws(len(enough), options.draws)
    fits = list(_run(enough, prior, options, kept, progress))
    _warn_of_doubtful(enough, fits)
    return Posterior(
        judges=design.judges,
        groups=design.groups,
        columns=design.columns,
        fits={(cell.judge, cell.group): fit for cell, fit in zip(enough, fits, strict=True)},
        shape=(options.chains, kept),
        interval=options.interval,
    )


def _left_out(design: Design, cell: Cell) -> str:
    """Say why pairs of a cell are missing."""
    table = design.dropped
    rows = table[(table["judge"] == cell.judge) & (table["group"] == cell.group)]
    reasons = ", ".join(f"{n} {reason}" for n, reason in zip(rows["n"], rows["reason"], strict=True))
    return f" (left out: {reasons})" if reasons else ""


def keep_draws(n_fits: int, draws: int) -> int:
    """Return how many draws a chain keeps: fewer in grids of more than 50 fits, to spare memory."""
    return min(draws, _DRAWS_IN_LARGE_GRID) if n_fits > _LARGE_GRID else draws


def _run(cells: list[Cell], prior: PriorArrays, options: FitOptions, kept: int, progress: bool | None) -> Iterator[Fit]:
    """Yield the fit of each cell, in order, with a bar that shows if the work takes a while."""
    from tqdm.auto import tqdm

    steps = (nuts.TUNE + options.draws) * options.chains * (options.folds or 1)
    bar = tqdm(
        total=steps * len(cells),
        desc="fitting",
        unit="draw",
        delay=1.5,
        disable=not (_is_watched() if progress is None else progress),
        leave=False,
    )
    with bar:
        if joblib.effective_n_jobs() == 1:  # in this process, so that every draw can move the bar
            for cell in cells:
                yield fit_cell(cell, prior, options, kept, bar.update)
            return
        tasks = (joblib.delayed(fit_cell)(cell, prior, options, kept) for cell in cells)
        for fit in joblib.Parallel(return_as="generator")(tasks):
            bar.update(steps)
            yield fit


def _is_watched() -> bool:
    """Whether a person is likely to look: a terminal, or a notebook."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules


def fit_cell(
    cell: Cell,
    prior: PriorArrays,
    options: FitOptions,
    kept: int,
    on_draw: Callable[[], object] | None = None,
) -> Fit:
    """Return the posterior of one cell, from all its pairs or averaged over folds."""
    parts = [cell] if options.folds is None else [cell.take(rows) for rows in leave_out_folds(len(cell), options)]
    drawn = [
        _ENGINES[options.engine](
            part,
            prior,
            draws=options.draws,
            chains=options.chains,
            seed=stream(options, cell, fold),
            on_draw=on_draw,
        )
        for fold, part in enumerate(parts)
    ]
    return summarise(drawn, options, kept)


def leave_out_folds(n: int, options: FitOptions) -> list[IntArray]:
    """Return for each fold the rows that stay, after a shuffle; every row is left out once.

    The paper's folds (Li et al. 2024, released code), whose last rows are never left out where
    the number of pairs is no multiple of the number of folds.
    """
    folds = options.folds or 1
    order = np.random.default_rng(options.random_seed).permutation(n)
    bounds = [int(i * n / folds) for i in range(folds + 1)]
    return [np.sort(np.concatenate([order[:lo], order[hi:]])) for lo, hi in zip(bounds, bounds[1:], strict=False)]


def stream(options: FitOptions, cell: Cell, fold: int) -> np.random.SeedSequence:
    """Return the random stream of one fit: the same whichever other fits the grid holds."""
    name = hashlib.blake2b(f"{cell.judge}\x1f{cell.group}\x1f{fold}".encode(), digest_size=8).digest()
    return np.random.SeedSequence([options.random_seed, int.from_bytes(name, "little")])


def summarise(drawn: list[Draws], options: FitOptions, kept: int) -> Fit:
    """Return the summary of draws; several sets of draws are folds, and mix in equal parts.

    The mean of the mixture is the mean of the folds' posterior means, which is the paper's
    estimator. R-hat is the worst fold's, ESS their sum.
    """
    weight = np.concatenate([d.weight for d in drawn], axis=1)
    diagnosed = [_arviz.diagnose(d.weight) for d in drawn]
    r_hat = np.max([r for r, _ in diagnosed], axis=0)
    ess = np.sum([e for _, e in diagnosed], axis=0)
    lower, upper = equal_tailed(weight, options.interval)
    divergences = sum(d.divergences for d in drawn)
    certified = bool((r_hat <= _MOST_R_HAT).all() and (ess >= _LEAST_ESS).all() and divergences == 0)
    every = np.linspace(0, weight.shape[1] - 1, min(kept, weight.shape[1])).round().astype(int)
    return Fit(
        mean=weight.mean(axis=(0, 1)),
        sd=weight.std(axis=(0, 1), ddof=1),
        lower=lower,
        upper=upper,
        prob_positive=(weight > 0).mean(axis=(0, 1)),
        r_hat=r_hat,
        ess_bulk=ess,
        draws=weight[:, every].astype(np.float32),
        engine=options.engine,
        certified=certified,
        divergences=divergences,
    )


def equal_tailed(draws: FloatArray, probability: float) -> tuple[FloatArray, FloatArray]:
    """Return the bounds that leave half of 1 - `probability` on each side, over chains and draws."""
    tail = (1 - probability) / 2
    lower, upper = np.quantile(draws, [tail, 1 - tail], axis=(0, 1))
    return lower, upper


def _warn_of_doubtful(cells: list[Cell], fits: list[Fit]) -> None:
    doubtful = [cell for cell, fit in zip(cells, fits, strict=True) if not fit.certified]
    if doubtful:
        first = doubtful[0]
        warnings.warn(
            f"{len(doubtful)} of {len(cells)} fits are not certified (R-hat above {_MOST_R_HAT}, ESS below "
            f"{_LEAST_ESS} or divergences); the first is judge {first.judge!r} in group {first.group!r}; their rows "
            "say certified=False; more draws= or chains= may help",
            ConvergenceWarning,
            stacklevel=4,
        )
