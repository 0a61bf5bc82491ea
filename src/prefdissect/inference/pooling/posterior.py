"""A design to the pooled posterior of all its judges and groups: the same value that fits apart give."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import joblib
import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from prefdissect._typing import FloatArray
from prefdissect.errors import ConvergenceWarning
from prefdissect.features import Design
from prefdissect.inference.certificate import LEAST_ESS, certify_chains, certify_standin
from prefdissect.inference.diagnostics import diagnose
from prefdissect.inference.fit import fit_design, stream_of
from prefdissect.inference.options import FitOptions
from prefdissect.inference.pooling.fit import State, iterate
from prefdissect.inference.pooling.gain import measure_gain
from prefdissect.inference.pooling.layers import LayerTable, arrange_layers
from prefdissect.inference.pooling.pair_effect import attenuation
from prefdissect.inference.pooling.pooled import Pooled
from prefdissect.inference.pooling.sampler import Chain, sample_chain
from prefdissect.inference.pooling.scales import first_variances
from prefdissect.inference.pooling.sites import Rows, arrange_rows, gather, log_likelihood
from prefdissect.inference.posterior import Fit, Posterior
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
_COMPARED = 64  # draws at which the stand-in is compared with the likelihood


@dataclass(frozen=True, eq=False)
class _Drawn:
    """Draws [chain, draw, ...] of the effects, and what may be said of them."""

    weight: FloatArray
    layers: dict[str, FloatArray]
    scale: FloatArray
    r_hat: FloatArray
    ess: FloatArray
    acceptance: float


def fit_pooled(
    design: Design, prior: PriorArrays, options: FitOptions, *, progress: bool | None = None
) -> Posterior:
    """Fit all judges and groups together; judges in `options.exclude_from_pool` are fitted apart.

    Raises
    ------
    TooFewPairsError
        If no group has `min_pairs` pairs.
    """
    judges = tuple(name for name in design.judges if name not in options.exclude_from_pool)
    pool = design.sel(judges, design.groups)
    rows = arrange_rows(pool, judges, pool.groups, min_pairs=options.min_pairs)
    if not rows.present.any():
        return fit_design(design, prior, options, progress=progress)  # which says what is missing
    table = _choose_layers(pool, prior, options)
    share = share_noise(rows) if options.pair_effect is None else options.pair_effect
    start = first_variances(table, len(judges), _FIRST_PAIR_SD if share else 0.0)
    factors = len(judges) >= LEAST_FOR_FACTORS and options.pooling == "partial"
    with one_blas_thread():
        state = iterate(rows, table, start, factors=factors)
        kept = keep_draws(int(rows.present.sum()), options.draws, "ep")
        drawn = _draw(rows, table, state, options, kept, progress)
        posterior = _summarise(pool, prior, options, rows, state, drawn, kept)
        gain = measure_gain(pool, prior, rows, state, table, options, factors=factors, progress=progress)
    if posterior.pooled is not None:
        posterior = replace(posterior, pooled=replace(posterior.pooled, gain=gain))
    _warn_of_doubtful(posterior)
    apart = [name for name in design.judges if name in options.exclude_from_pool]
    if not apart:
        return posterior
    others = fit_design(
        design.sel(apart, design.groups), prior, options, kept=posterior.shape[1], progress=progress
    )
    both = replace(posterior.join(others), shape=posterior.shape)
    return both.sel(design.judges, design.groups)


def share_noise(rows: Rows) -> bool:
    """Whether most verdicts are on pairs that four judges or more decided: what they share can then be told apart."""
    shared = total = 0
    for s in range(rows.shape[0]):
        pair = rows.pair[rows.scenario(s)]
        of_pair = np.bincount(np.unique(pair + (pair.max(initial=0) + 1) * rows.judge[rows.scenario(s)]) % (pair.max(initial=0) + 1))
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


def _draw(
    rows: Rows, table: LayerTable, state: State, options: FitOptions, kept: int, progress: bool | None
) -> _Drawn:
    """Return draws of the pooled posterior: with the scales where the hierarchy is small, else given them."""
    rng = stream_of(options.random_seed, "pooled")
    if options.engine == "exact" and _is_small(table, rows):
        return _sample(rows, table, state, options, rng, progress)
    drawn = state.solution.draw(rng, max(options.chains * kept, _COMPARED))
    weight = drawn["weight"][: options.chains * kept].reshape(options.chains, kept, *drawn["weight"].shape[1:])
    nothing = np.full(weight.shape[2:], np.nan)
    return _Drawn(weight, {}, np.sqrt(state.variances.layer), nothing, nothing, np.nan)


def _sample(
    rows: Rows, table: LayerTable, state: State, options: FitOptions, rng: np.random.Generator, progress: bool | None
) -> _Drawn:
    """Return draws of weights and scales; chains that prove too short are made once more, longer."""
    true = None if state.variances.pair_sd else rows
    n = min(options.draws, _DRAWS)
    for n_draws in (n, _LONGER * n):
        with (
            progress_bar("drawing scales", options.chains * n_draws, progress) as bar,
            ThreadPoolExecutor(joblib.cpu_count()) as pool,
        ):
            def run(stream: np.random.Generator, n_draws: int = n_draws, update: Any = bar.update) -> Chain:
                return sample_chain(true, table, state.solution, draws=n_draws, rng=stream, on_draws=update)

            chains = list(pool.map(run, rng.spawn(options.chains)))
        weight = np.stack([chain.weight for chain in chains])
        r_hat, ess = diagnose(weight.reshape(*weight.shape[:2], -1))
        if (certify_chains(r_hat, ess) and ess.min() >= LEAST_ESS) or options.draws < _DRAWS:
            break
    layers = {name: np.concatenate([getattr(c, name) for c in chains]) for name in ("common", "judge", "scenario")}
    scale = np.concatenate([chain.scale for chain in chains]).mean(axis=0)
    shape = weight.shape[2:]
    acceptance = float(np.mean([chain.acceptance for chain in chains]))
    return _Drawn(weight, layers, scale, r_hat.reshape(shape), ess.reshape(shape), acceptance)


def _summarise(
    design: Design,
    prior: PriorArrays,
    options: FitOptions,
    rows: Rows,
    state: State,
    drawn: _Drawn,
    kept: int,
) -> Posterior:
    """Return the posterior of each cell, in log-odds of one verdict, and the layers behind them."""
    spread = float(np.sqrt(np.mean(_logits(rows, state.solution.weight) ** 2)))
    factor = attenuation(state.variances.pair_sd, spread) if state.variances.pair_sd else 1.0
    precision, linear = _own_evidence(rows, state)
    certified, certificates = _certify(rows, state, drawn, options)
    fits = {}
    for s, j in zip(*rows.present.nonzero(), strict=True):
        fits[design.judges[j], design.groups[s]] = _fit_of(
            state, drawn, options, kept, factor, (s, j), precision[s, j], linear[s, j], certified[s, j], certificates[s, j]
        )
    n_kept = min(kept, drawn.weight.shape[1])
    ordered = {(j, g): fits[j, g] for g in design.groups for j in design.judges if (j, g) in fits}
    return Posterior(
        judges=design.judges,
        groups=design.groups,
        columns=design.columns,
        fits=ordered,
        shape=(options.chains, n_kept),
        interval=options.interval,
        prior=prior,
        pooled=_layers_of(design, state, drawn, factor),
    )


def _fit_of(
    state: State,
    drawn: _Drawn,
    options: FitOptions,
    kept: int,
    factor: float,
    at: tuple[int, int],
    precision: FloatArray,
    linear: FloatArray,
    certified: bool,
    certificate: dict[str, float],
) -> Fit:
    """Return the fit of one cell: from draws where scales were drawn, else from the Gaussian posterior."""
    weight = factor * drawn.weight[:, :, *at]
    tail = (1 - options.interval) / 2
    sampled = bool(np.isfinite(drawn.acceptance))
    if sampled:
        flat = weight.reshape(-1, weight.shape[-1])
        mean, cov = flat.mean(axis=0), np.atleast_2d(np.cov(flat.T))
        lower, upper = np.quantile(flat, [tail, 1 - tail], axis=0)
        positive = (flat > 0).mean(axis=0)
    else:
        mean, cov = factor * state.solution.weight[at], factor**2 * state.solution.cov[at]
        z = ndtri(1 - tail) * np.sqrt(np.diagonal(cov))
        lower, upper = mean - z, mean + z
        positive = ndtr(mean / np.sqrt(np.diagonal(cov)))
    n = min(kept, weight.shape[1])
    every = np.linspace(0, weight.shape[1] - 1, n).round().astype(np.int64)
    return Fit(
        mean=mean,
        sd=np.sqrt(np.diagonal(cov)),
        lower=lower,
        upper=upper,
        prob_positive=positive,
        r_hat=drawn.r_hat[at],
        ess_bulk=drawn.ess[at],
        cov=cov,
        precision=precision / factor**2,
        linear=linear / factor,
        draws=weight[:, every].astype(np.float32),
        engine="pooled",
        certified=certified,
        certificate=certificate,
    )


def _logits(rows: Rows, weight: FloatArray) -> FloatArray:
    """Return x'w of each row."""
    counts = np.diff(rows.starts)
    return np.asarray(np.einsum("kr,rk->r", rows.xt, np.repeat(weight.reshape(len(counts), -1), counts, axis=0)))


def _own_evidence(rows: Rows, state: State) -> tuple[FloatArray, FloatArray]:
    """Return what a cell's own verdicts say of its weights: pair effects are integrated out as if nobody else had seen."""
    tau, nu = state.sites.tau, state.sites.nu + rows.linear
    left = 1 / (1 + state.variances.pair_sd**2 * tau)
    return gather(rows, tau * left, nu * left)


def _certify(rows: Rows, state: State, drawn: _Drawn, options: FitOptions) -> tuple[Any, Any]:
    """Return whether each cell's posterior can be relied on, and the figures behind that, both [scenario, judge].

    Where scales were drawn, by how the chains agree; else by how far the likelihood is from its stand-in, as `ep` is.
    With pair effects there is no likelihood of a cell alone, and only that iterations have ended speaks for the fit.
    """
    certified, figures = np.zeros(rows.shape, dtype=bool), np.empty(rows.shape, dtype=object)
    residual = _compare(rows, state, options) if not state.variances.pair_sd else None
    for at in zip(*rows.present.nonzero(), strict=True):
        known: dict[str, float] = {"iterations": float(state.iterations)}
        holds = state.converged
        if residual is not None:
            close, more = certify_standin(residual[:, *at], converged=state.converged)
            known |= more
            holds = close if np.isnan(drawn.acceptance) else holds
        if np.isfinite(drawn.acceptance):
            holds = holds and certify_chains(drawn.r_hat[at], drawn.ess[at])
            known |= {"acceptance": drawn.acceptance}
        certified[at], figures[at] = holds, known
    return certified, figures


def _compare(rows: Rows, state: State, options: FitOptions) -> FloatArray:
    """Return log likelihood minus stand-in of each cell at draws of the posterior, [draw, scenario, judge]."""
    evidence = state.solution.evidence
    weight = state.solution.draw(stream_of(options.random_seed, "pooled", "certificate"), _COMPARED)["weight"]
    known = np.matmul(evidence.precision, weight[..., None])[..., 0]
    standin = ((evidence.linear - known / 2) * weight).sum(axis=-1)
    return np.stack([log_likelihood(rows, one) for one in weight]) - standin


def _layers_of(design: Design, state: State, drawn: _Drawn, factor: float) -> Pooled:
    """Return layers and scales."""
    solution, moments, variances = state.solution, state.solution.moments, state.variances
    mean = {"common": solution.common, "judge": solution.judge, "scenario": solution.scenario}
    sd = {name: np.sqrt(getattr(moments, name)) for name in mean}
    if drawn.layers:
        mean = {name: draws.mean(axis=0) for name, draws in drawn.layers.items()}
        sd = {name: draws.std(axis=0, ddof=1) for name, draws in drawn.layers.items()}
    return Pooled(
        judges=design.judges,
        groups=design.groups,
        mean={name: factor * values for name, values in mean.items()},
        sd={name: factor * values for name, values in sd.items()},
        scale=factor * drawn.scale,
        judge_factor=variances.judge_factor,
        cell_factor=variances.cell_factor,
        pair_sd=variances.pair_sd,
        attenuation=factor,
        sampled=bool(drawn.layers),
        gain=pd.DataFrame(),
    )


def _warn_of_doubtful(posterior: Posterior) -> None:
    """Warn once of cells that have no certificate."""
    doubtful = [key for key, fit in posterior.fits.items() if not fit.certified]
    if doubtful:
        judge, group = doubtful[0]
        figures = ", ".join(f"{name} {value:.3g}" for name, value in posterior.fits[judge, group].certificate.items())
        warnings.warn(
            f"{len(doubtful)} of {len(posterior.fits)} pooled fits are not certified; the first is judge {judge!r} in "
            f"group {group!r} ({figures}); their rows say certified=False, and .certificates has the figures of all; "
            "pooling='none' fits each apart, by draws from its exact posterior",
            ConvergenceWarning,
            stacklevel=4,
        )
