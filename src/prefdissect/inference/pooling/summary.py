"""From a pooled fit and its draws to the posterior of each cell, its certificate, and the layers behind it."""

from __future__ import annotations

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
from prefdissect.inference.pooling.fit import State
from prefdissect.inference.pooling.pair_effect import attenuation, draw_effects
from prefdissect.inference.pooling.pooled import Pooled
from prefdissect.inference.pooling.sites import Rows, gather
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
) -> Posterior:
    """Return the posterior of each cell, in log-odds of one verdict, and the layers behind them."""
    spread = float(np.sqrt(np.mean(_logits(rows, state.solution.weight) ** 2)))
    factor = attenuation(state.variances.pair_sd, spread) if state.variances.pair_sd else 1.0
    precision, linear = _own_evidence(rows, state)
    certified, certificates = _certify(rows, state, drawn, options)
    fits = {}
    for s, j in zip(*rows.present.nonzero(), strict=True):
        fits[design.judges[j], design.groups[s]] = _fit_of(
            state,
            drawn,
            options,
            kept,
            factor,
            (s, j),
            precision[s, j],
            linear[s, j],
            certified[s, j],
            certificates[s, j],
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
    drawn: Drawn,
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
    residual = np.zeros(weight.shape[:3])
    for s in range(rows.shape[0]):
        here, first = rows.scenario(s), rows.scenario(s).start
        cells = [rows.cell(s, j) for j in range(rows.shape[1])]
        t = np.concatenate([rows.xt[:, cell].T @ weight[:, s, j].T for j, cell in enumerate(cells)])
        if state.variances.pair_sd:
            t += draw_effects(rows, state.sites, s, t, state.variances.pair_sd, rng)[rows.pair[here]]
        tau, nu = state.sites.tau[here, None], state.sites.nu[here, None]
        even = -rows.weight[here, None] * (np.abs(t) / 2 + np.log1p(np.exp(-np.abs(t))))
        away = even - (nu - tau * t / 2) * t
        for j, cell in enumerate(cells):
            residual[:, s, j] = away[cell.start - first : cell.stop - first].sum(axis=0)
    return residual


def _layers_of(design: Design, state: State, drawn: Drawn, factor: float) -> Pooled:
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
