"""The fast engines: both draw from a Gaussian stand-in for the likelihood with the exact prior.

`ep` takes those draws as they are, and certifies that the stand-in is close. `exact` proposes them, and
accepts or refuses by the true likelihood, so that its draws come from the posterior whatever the stand-in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from prefdissect._typing import FloatArray, IntArray
from prefdissect.inference.certificate import LEAST_ESS, certify_chains, certify_standin
from prefdissect.inference.diagnostics import diagnose
from prefdissect.inference.draws import Draws, Marginals
from prefdissect.inference.ep import StandIn, fit_ep
from prefdissect.inference.fit_data import FitData
from prefdissect.inference.prior import PriorArrays

if TYPE_CHECKING:
    from prefdissect.inference.compiled.likelihood import Rows
    from prefdissect.inference.compiled.moves import Surrogate

__all__ = ["LEAST_COMPARED", "sample_ep", "sample_exact"]


_BURN = 16  # sweeps of the stand-in before the first draw: it forgets its start in a few
LEAST_COMPARED = 64  # draws that marginals are mixed from, and at which a stand-in is compared with its likelihood
_FEW_COMPARED, _MANY_ROWS = 32, 50_000  # with so many rows both are Gaussian to many digits
_THINNING = (1, 8)  # sweeps a draw: more where the first try mixed too slowly
_STEEP_RIDGE, _ON_RIDGES = 0.7, 16_384  # correlation from which on marginals take so many draws
_DOUBTFUL_SD = 0.15  # of the log-residual: from there on chains also walk, to reach tails that the stand-in lacks


def sample_ep(
    data: FitData,
    prior: PriorArrays,
    *,
    draws: int,
    chains: int,
    rng: np.random.Generator,
    on_share: Callable[[float], object],
    standin: StandIn | None = None,
) -> Draws:
    """Return the posterior by expectation propagation: moments, marginals, and draws of the stand-in.

    The draws are one long chain cut in equal parts: their number of chains says nothing.
    """
    standin = fit_ep(data, prior) if standin is None else standin
    n_columns, wanted = len(standin.mean), draws * chains
    ridged = find_ridged(standin)
    every = -(-_ON_RIDGES // wanted) if len(ridged) else 1
    n_compared = LEAST_COMPARED if len(data.weight) < _MANY_ROWS else _FEW_COMPARED
    weight, pull, residual = _sweep_standin(data, prior, standin, every * wanted, n_compared, rng)
    holds, certificate = certify_standin(residual, converged=standin.converged)
    on_share(1.0)
    return Draws(
        weight[::every].reshape(chains, draws, n_columns),
        r_hat=np.full(n_columns, np.nan),
        ess_bulk=np.full(n_columns, np.nan),
        engine="ep",
        certified=holds,
        certificate={"iterations": float(standin.iterations), **certificate},
        marginals=Marginals(
            standin.mean,
            standin.sd,
            np.diagonal(standin.precision),
            pull[:: len(pull) // LEAST_COMPARED],
            ridged,
            pull[:, ridged],
        ),
    )


def _sweep_standin(
    data: FitData, prior: PriorArrays, standin: StandIn, n: int, n_compared: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return n draws from the stand-in, the pull on each coordinate in them, and the log-residual at some.

    Draws and pulls are [draw, column]; the log-residual, [compared], is log likelihood minus its stand-in.
    """
    from prefdissect.inference.compiled.chains import run_standin

    weight, pull, residual = np.empty((n, len(standin.mean))), np.empty((n, len(standin.mean))), np.empty(n_compared)
    surrogate = _arrange(prior, standin, np.empty((2, 0)))
    run_standin(_rows(data), surrogate, standin.mean, _BURN, rng, weight, pull, residual)
    return weight, pull, residual


def _rows(data: FitData) -> Rows:
    from prefdissect.inference.compiled.likelihood import Rows

    return Rows(data.xt, data.weight, data.unit, data.statistic)


def _arrange(prior: PriorArrays, standin: StandIn, middle: FloatArray) -> Surrogate:
    from prefdissect.inference.compiled.moves import Surrogate

    return Surrogate(standin.precision, standin.linear, prior.scale, prior.is_laplace, standin.cov, middle)


def sample_exact(
    data: FitData,
    prior: PriorArrays,
    *,
    draws: int,
    chains: int,
    rng: np.random.Generator,
    on_share: Callable[[float], object],
    standin: StandIn | None = None,
) -> Draws:
    """Return draws from the posterior, by surrogate transitions; `standin` is ep's unless given."""
    standin = fit_ep(data, prior) if standin is None else standin
    *_, residual = _sweep_standin(data, prior, standin, _FEW_COMPARED, _FEW_COMPARED, rng)
    walks = max(1, len(standin.mean) // 4) if residual.std() > _DOUBTFUL_SD else 0
    for thin in _THINNING:
        drawn = _draw_posterior(data, prior, standin, draws, chains, rng, thin, walks)
        if drawn.certified or draws * chains < LEAST_ESS:
            break
    on_share(1.0)
    return drawn


def _draw_posterior(
    data: FitData,
    prior: PriorArrays,
    standin: StandIn,
    draws: int,
    chains: int,
    rng: np.random.Generator,
    thin: int,
    walks: int,
) -> Draws:
    from prefdissect.inference.compiled.chains import run_chains

    n_columns = len(standin.mean)
    starts = standin.mean + rng.standard_normal((chains, n_columns)) @ np.linalg.cholesky(standin.cov).T
    middle = np.stack([standin.prior_linear, 1 / (np.diagonal(standin.precision) + standin.prior_precision)])
    surrogate, weight = _arrange(prior, standin, middle), np.empty((chains, draws, n_columns))
    acceptance = run_chains(_rows(data), surrogate, starts, standin.sd, _BURN, thin, walks, rng, weight)
    r_hat, ess = diagnose(weight)
    return Draws(
        weight,
        r_hat=r_hat,
        ess_bulk=ess,
        engine="exact",
        certified=certify_chains(r_hat, ess, acceptance=acceptance),
        certificate={"acceptance": acceptance, "thin": float(thin), "walks": float(walks)},
    )


def find_ridged(standin: StandIn) -> IntArray:
    """Return the columns that are correlated with another by more than `_STEEP_RIDGE`."""
    steep = np.abs(standin.cov) > _STEEP_RIDGE * np.outer(standin.sd, standin.sd)
    return np.flatnonzero(steep.sum(axis=0) > 1)  # each column is with itself
