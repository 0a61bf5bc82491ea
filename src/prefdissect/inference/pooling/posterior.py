"""A design to the pooled posterior of all its judges and groups: the same value that fits apart give."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import joblib
import numpy as np

from prefdissect._typing import FloatArray
from prefdissect.errors import ConvergenceWarning
from prefdissect.features import Design
from prefdissect.inference.certificate import certify_chains, failed_criteria
from prefdissect.inference.diagnostics import diagnose
from prefdissect.inference.fit import fit_design, stream_of, weigh
from prefdissect.inference.options import FitOptions
from prefdissect.inference.pooling.fit import State, iterate
from prefdissect.inference.pooling.gain import measure_gain
from prefdissect.inference.pooling.layers import LayerTable, arrange_layers
from prefdissect.inference.pooling.rows import Rows, arrange_rows
from prefdissect.inference.pooling.sampler import Chain, sample_chain
from prefdissect.inference.pooling.scales import first_variances
from prefdissect.inference.pooling.summary import COMPARED, Drawn, summarise_pooled
from prefdissect.inference.posterior import Posterior
from prefdissect.inference.prior import PriorArrays
from prefdissect.inference.progress import progress_bar
from prefdissect.inference.summary import keep_draws
from prefdissect.inference.threads import one_blas_thread

__all__ = ["fit_pooled", "share_noise"]

FEW = 8  # judges, or scenarios, below which scales are drawn and not merely found
LEAST_FOR_FACTORS = 5  # judges, from which on one of them can be told to be unlike the others
LEAST_FOR_PAIRS = 4  # judges of a pair, from which on what they share can be told from what each of them is
_FIRST_PAIR_SD = 0.3
_DRAWS, _LONGER = 500, 3  # of a chain of the sampler, and by what factor chains grow that were too short


def fit_pooled(
    design: Design,
    prior: PriorArrays,
    options: FitOptions,
    *,
    own: Mapping[str, FloatArray] | None = None,
    progress: bool | None = None,
) -> Posterior:
    """Fit all judges and groups together; judges in `options.exclude_from_pool` are fitted apart.

    `own`: columns of the design that differ between judges, [row, judge].

    Raises
    ------
    TooFewPairsError
        If no group has `min_pairs` pairs.
    """
    judges = tuple(name for name in design.judges if name not in options.exclude_from_pool)
    pool = design.sel(judges, design.groups)
    pool, effects = _weigh(pool, prior, options)
    inside = [design.judges.index(name) for name in judges]
    theirs = {name: values[:, inside] for name, values in (own or {}).items()}
    rows = arrange_rows(pool, judges, pool.groups, min_pairs=options.min_pairs, own=theirs)
    if not rows.present.any():
        return fit_design(pool, prior, options, progress=progress)  # which says what is missing
    table = _choose_layers(pool, prior, options)
    share = share_noise(rows) if options.pair_effect is None else options.pair_effect
    start = first_variances(table, len(judges), _FIRST_PAIR_SD if share else 0.0)
    factors = len(judges) >= LEAST_FOR_FACTORS and options.pooling == "partial"
    with one_blas_thread():
        state = iterate(rows, table, start, factors=factors)
        kept = keep_draws(int(rows.present.sum()), options.draws, "ep")
        drawn = _draw(rows, table, state, options, kept, progress)
        posterior = summarise_pooled(pool, prior, options, rows, state, drawn, kept, effects)
        gain = measure_gain(pool, prior, rows, state, table, options, factors=factors, progress=progress)
    if posterior.pooled is not None:
        posterior = replace(posterior, pooled=replace(posterior.pooled, gain=gain))
    _warn_of_doubtful(posterior)
    apart = [name for name in design.judges if name in options.exclude_from_pool]
    if not apart:
        return posterior
    others = fit_design(design.sel(apart, design.groups), prior, options, kept=posterior.shape[1], progress=progress)
    both = replace(posterior.join(others), shape=posterior.shape)
    return both.sel(design.judges, design.groups)


def _weigh(
    design: Design, prior: PriorArrays, options: FitOptions
) -> tuple[Design, dict[tuple[str, str], dict[str, float]]]:
    """Return the design with rows weighted by one over the design effect of clusters in each cell, and the effects."""
    if options.cluster == "none":
        return design, {}
    weight, effects = design.weight.copy(), {}
    for j, judge in enumerate(design.judges):
        for group in design.groups:
            rows = design.rows(judge, group)
            if len(rows):
                cell, effects[judge, group] = weigh(design.cell(judge, group), prior, options)
                weight[rows, j] = cell.weight
    return replace(design, weight=weight), effects


def share_noise(rows: Rows) -> bool:
    """Whether most verdicts are on pairs that four judges or more decided: what they share can then be told apart."""
    shared = total = 0
    for s in range(rows.shape[0]):
        pair = rows.pair[rows.scenario(s)]
        of_pair = np.bincount(
            np.unique(pair + (pair.max(initial=0) + 1) * rows.judge[rows.scenario(s)]) % (pair.max(initial=0) + 1)
        )
        shared += int(of_pair[of_pair >= LEAST_FOR_PAIRS].sum())
        total += int(of_pair.sum())
    return 2 * shared > total


def _choose_layers(design: Design, prior: PriorArrays, options: FitOptions) -> LayerTable:
    """Return the table of layers; with full pooling one set of weights under the prior, as a Normal of its variance."""
    table = arrange_layers(design.roles, len(design.judges), len(design.groups))
    if options.pooling == "full":
        return table.pin("judge", "scenario", "cell").fix("common", prior.sd**2)
    return table


def _is_small(table: LayerTable, rows: Rows) -> bool:
    """Whether a layer has so few effects that its scales are not well known."""
    n_scenarios, n_judges = rows.shape
    return (table.has("judge") and n_judges < FEW) or (table.has("scenario") and n_scenarios < FEW)


def _draw(rows: Rows, table: LayerTable, state: State, options: FitOptions, kept: int, progress: bool | None) -> Drawn:
    """Return draws of the pooled posterior: with the scales where the hierarchy is small, else given them."""
    rng = stream_of(options.random_seed, "pooled")
    if options.engine == "exact" and _is_small(table, rows):
        return _sample(rows, table, state, options, rng, progress)
    drawn = state.solution.draw(rng, max(options.chains * kept, COMPARED))
    weight = drawn["weight"][: options.chains * kept].reshape(options.chains, kept, *drawn["weight"].shape[1:])
    nothing = np.full(weight.shape[2:], np.nan)
    return Drawn(weight, {}, np.sqrt(state.variances.layer), nothing, nothing, np.nan)


def _sample(
    rows: Rows, table: LayerTable, state: State, options: FitOptions, rng: np.random.Generator, progress: bool | None
) -> Drawn:
    """Return draws of weights and scales; chains that prove too short are made once more, longer."""
    true = None if state.variances.pair_sd else rows
    n = min(options.draws, _DRAWS)
    for n_draws in (n, _LONGER * n):
        with (
            progress_bar("drawing scales", options.chains * n_draws, progress) as bar,
            ThreadPoolExecutor(joblib.cpu_count()) as pool,
        ):

            def run(stream: np.random.Generator, n_draws: int = n_draws, update: Any = bar.update) -> Chain:
                return sample_chain(
                    true, table, state.solution, state.sites.cut, draws=n_draws, rng=stream, on_draws=update
                )

            chains = list(pool.map(run, rng.spawn(options.chains)))
        weight = np.stack([chain.weight for chain in chains])
        r_hat, ess = diagnose(weight.reshape(*weight.shape[:2], -1))
        if certify_chains(r_hat, ess) or options.draws < _DRAWS:
            break
    layers = {name: np.concatenate([getattr(c, name) for c in chains]) for name in ("common", "judge", "scenario")}
    scale = np.concatenate([chain.scale for chain in chains]).mean(axis=0)
    shape = weight.shape[2:]
    acceptance = float(np.mean([chain.acceptance for chain in chains]))
    return Drawn(weight, layers, scale, r_hat.reshape(shape), ess.reshape(shape), acceptance)


def _warn_of_doubtful(posterior: Posterior) -> None:
    """Warn once of cells that have no certificate."""
    doubtful = [key for key, fit in posterior.fits.items() if not fit.certified]
    if doubtful:
        judge, group = doubtful[0]
        fit = posterior.fits[judge, group]
        figures = ", ".join(f"{name} {value:.3g}" for name, value in fit.certificate.items())
        if np.isfinite(fit.r_hat).all():
            figures += f", {', '.join(failed_criteria(fit.r_hat, fit.ess_bulk, fit.certificate))}"
        warnings.warn(
            f"{len(doubtful)} of {len(posterior.fits)} pooled fits are not certified; the first is judge {judge!r} in "
            f"group {group!r} ({figures}); their rows say certified=False, and .certificates has the figures of all; "
            "pooling='none' fits each apart, by draws from its exact posterior",
            ConvergenceWarning,
            stacklevel=4,
        )
