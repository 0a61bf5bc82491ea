"""From a pooled fit and its draws to the posterior of each cell, its certificate, and the layers behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from prefdissect._typing import FloatArray
from prefdissect.features import Design
from prefdissect.inference.certificate import certify_chains, certify_standin
from prefdissect.inference.fit import stream_of
from prefdissect.inference.options import FitOptions
from prefdissect.inference.pooling.cutpoints import Cuts, look_at_cuts
from prefdissect.inference.pooling.fit import State
from prefdissect.inference.pooling.one_verdict import OneVerdict, to_one_verdict
from prefdissect.inference.pooling.pair_effect import draw_effects
from prefdissect.inference.pooling.pooled import Pooled
from prefdissect.inference.pooling.rows import Rows
from prefdissect.inference.pooling.sites import even_terms, gather
from prefdissect.inference.posterior import Fit, Posterior
from prefdissect.inference.prior import PriorArrays

__all__ = ["COMPARED", "Drawn", "summarise_pooled"]

COMPARED = 64  # draws at which the stand-in is compared with the likelihood


@dataclass(frozen=True, eq=False)
class Drawn:
    """Draws [chain, draw, ...] of the effects, and what may be said of them."""

    weight: FloatArray
    layers: dict[str, FloatArray]
    scale: FloatArray
    r_hat: FloatArray
    ess: FloatArray
    acceptance: float


def summarise_pooled(
    design: Design,
    prior: PriorArrays,
    options: FitOptions,
    rows: Rows,
    state: State,
    drawn: Drawn,
    kept: int,
    effects: Mapping[tuple[str, str], dict[str, float]] | None = None,
) -> Posterior:
    """Return the posterior of each cell, in log-odds of one verdict, and the layers behind them.

    `effects` of judges and groups are added to the certificates.
    """
    spread = float(np.sqrt(np.mean(_logits(rows, state.solution.weight) ** 2)))
    told = to_one_verdict(state.sites.cut, state.variances.pair_sd, spread)
    made = _Made(state, drawn, options, kept, told, look_at_cuts(rows, state, told))
    precision, linear = _own_evidence(rows, state)
    certified, certificates = _certify(rows, state, drawn, options)
    fits = {}
    for s, j in zip(*rows.present.nonzero(), strict=True):
        names, own = (design.judges[j], design.groups[s]), (precision[s, j], linear[s, j])
        certificate = certificates[s, j] | (effects or {}).get(names, {})
        fits[names] = _fit_of(made, names, (s, j), own, certified[s, j], certificate)
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
        pooled=_layers_of(design, rows, state, drawn, told),
    )


@dataclass(frozen=True, eq=False)
class _Made:
    """What all cells' fits are made of."""

    state: State
    drawn: Drawn
    options: FitOptions
    kept: int
    told: OneVerdict
    cuts: Cuts


def _fit_of(
    made: _Made,
    names: tuple[str, str],
    at: tuple[int, int],
    own: tuple[FloatArray, FloatArray],
    certified: bool,
    certificate: dict[str, float],
) -> Fit:
    """Return the fit of one cell: from draws where scales were drawn, else from the Gaussian posterior.

    `own` is what its verdicts say: precision and linear part.
    """
    state, drawn, options, factor = made.state, made.drawn, made.options, made.told.factor[at]
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
    every = np.linspace(0, weight.shape[1] - 1, min(made.kept, weight.shape[1])).round().astype(np.int64)
    draws, rng = weight[:, every], stream_of(options.random_seed, "pooled", *names)
    return Fit(
        mean=mean,
        sd=np.sqrt(np.diagonal(cov)),
        lower=lower,
        upper=upper,
        prob_positive=positive,
        r_hat=drawn.r_hat[at],
        ess_bulk=drawn.ess[at],
        cov=cov,
        precision=own[0] / factor**2,
        linear=own[1] / factor,
        draws=draws.astype(np.float32),
        engine="pooled",
        certified=certified,
        certificate=certificate,
        cut=made.cuts.of_cell(at, (draws - mean) / factor, cov / factor**2, options.interval, rng),
    )


def _logits(rows: Rows, weight: FloatArray) -> FloatArray:
    """Return x'w of each row."""
    counts = np.diff(rows.starts)
    return np.asarray(np.einsum("kr,rk->r", rows.xt, np.repeat(weight.reshape(len(counts), -1), counts, axis=0)))


def _own_evidence(rows: Rows, state: State) -> tuple[FloatArray, FloatArray]:
    """Return what a cell's own verdicts say of its weights, with pairs' effects as if nobody else had seen them."""
    tau, nu = state.sites.tau, state.sites.nu + rows.linear
    left = 1 / (1 + state.variances.pair_sd**2 * tau)
    return gather(rows, tau * left, nu * left)


def _certify(rows: Rows, state: State, drawn: Drawn, options: FitOptions) -> tuple[Any, Any]:
    """Return whether each cell's posterior can be relied on, and the figures behind that, both [scenario, judge].

    By how far the likelihood is from its stand-in, as for `ep`, unless draws were accepted by the likelihood itself;
    and where scales were drawn, by how the chains agree.
    """
    certified, figures = np.zeros(rows.shape, dtype=bool), np.empty(rows.shape, dtype=object)
    residual = _compare(rows, state, options)
    for at in zip(*rows.present.nonzero(), strict=True):
        close, figures_at = certify_standin(residual[:, *at], converged=state.converged)
        known = {"iterations": float(state.iterations), **figures_at}
        by_likelihood = np.isfinite(drawn.acceptance) and not state.variances.pair_sd
        holds = state.converged if by_likelihood else close
        if np.isfinite(drawn.acceptance):
            holds = holds and certify_chains(drawn.r_hat[at], drawn.ess[at])
            known |= {"acceptance": drawn.acceptance}
        certified[at], figures[at] = holds, known
    return certified, figures


def _compare(rows: Rows, state: State, options: FitOptions) -> FloatArray:
    """Return log likelihood minus stand-in of each cell at draws of the posterior, [draw, scenario, judge].

    Pairs' effects are drawn along, each given the weights of all its judges.
    """
    rng = stream_of(options.random_seed, "pooled", "certificate")
    weight = state.solution.draw(rng, COMPARED)["weight"]
    residual, cuts = np.zeros(weight.shape[:3]), rows.spread_cuts(state.sites.cut)
    for s in range(rows.shape[0]):
        here, first = rows.scenario(s), rows.scenario(s).start
        cells = [rows.cell(s, j) for j in range(rows.shape[1])]
        t = np.concatenate([rows.xt[:, cell].T @ weight[:, s, j].T for j, cell in enumerate(cells)])
        if state.variances.pair_sd:
            t += draw_effects(rows, state.sites, s, t, state.variances.pair_sd, rng)[rows.pair[here]]
        tau, nu, cut = (values[here, None] for values in (state.sites.tau, state.sites.nu, cuts))
        away = even_terms(rows.weight[here, None], t, cut) - (nu - tau * t / 2) * t
        for j, cell in enumerate(cells):
            residual[:, s, j] = away[cell.start - first : cell.stop - first].sum(axis=0)
    return residual


def _layers_of(design: Design, rows: Rows, state: State, drawn: Drawn, told: OneVerdict) -> Pooled:
    """Return layers and scales, each by the mean of the factors of its rows."""
    weight, factor = rows.sum_cells(rows.weight), told.factor
    whole = float((factor * weight).sum() / weight.sum())
    of_judge = np.where(
        weight.any(axis=0), (factor * weight).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-300), whole
    )
    by: dict[str, FloatArray | float] = {"common": whole, "judge": of_judge[:, None], "scenario": whole}
    solution, moments, variances = state.solution, state.solution.moments, state.variances
    mean = {"common": solution.common, "judge": solution.judge, "scenario": solution.scenario}
    sd = {name: np.sqrt(getattr(moments, name)) for name in mean}
    if drawn.layers:
        mean = {name: draws.mean(axis=0) for name, draws in drawn.layers.items()}
        sd = {name: draws.std(axis=0, ddof=1) for name, draws in drawn.layers.items()}
    return Pooled(
        judges=design.judges,
        groups=design.groups,
        mean={name: by[name] * values for name, values in mean.items()},
        sd={name: by[name] * values for name, values in sd.items()},
        scale=whole * drawn.scale,
        judge_factor=variances.judge_factor,
        cell_factor=variances.cell_factor,
        pair_sd=variances.pair_sd,
        attenuation=whole,
        sampled=bool(drawn.layers),
        gain=pd.DataFrame(),
    )
