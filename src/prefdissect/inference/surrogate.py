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
from prefdissect.inference.draws import Draws, Ridges
from prefdissect.inference.ep import StandIn
from prefdissect.inference.fit_data import FitData
from prefdissect.inference.prior import PriorArrays

if TYPE_CHECKING:
    from prefdissect.inference.compiled.likelihood import Rows
    from prefdissect.inference.compiled.moves import Surrogate

__all__ = ["sample_ep", "sample_exact"]


_BURN = 16  # sweeps of the stand-in before the first draw: it forgets its start in a few
_COMPARED, _WITHIN = 64, 128  # draws at which a stand-in is compared with its likelihood, and of how many
_FEW_COMPARED, _MANY_ROWS = 32, 50_000  # with so many rows both are Gaussian to many digits
_THINNING = (1, 8)  # sweeps a draw: more where the first try mixed too slowly
_RIDGE, _ON_RIDGES = 0.16, 16_384  # from what on a column is on a ridge, and on how many draws its numbers then rest
_DOUBTFUL_SD = 0.15  # of the log-residual: from there on chains also walk, to reach tails that the stand-in lacks


def sample_ep(
    data: FitData,
    prior: PriorArrays,
    standin: StandIn,
    *,
    draws: int,
    chains: int,
    rng: np.random.Generator,
    on_share: Callable[[float], object],
) -> Draws:
    """Return draws of the stand-in, and its certificate.

    They are one long chain cut in equal parts: their number of chains says nothing. What tables and
    certificate need of it comes first, and is the same however many draws are asked for.
    """
    n_columns, wanted = len(standin.mean), draws * chains
    ridged = find_ridged(standin, prior)
    least = _ON_RIDGES if len(ridged) else _WITHIN
    n_compared = _COMPARED if len(data.weight) < _MANY_ROWS else _FEW_COMPARED
    weight, pull, residual = _sweep_standin(
        data, prior, standin, max(least, wanted), n_compared, _WITHIN // n_compared, rng
    )
    holds, certificate = certify_standin(residual, converged=standin.converged)
    on_share(1.0)
    return Draws(
        weight[:: len(weight) // wanted][:wanted].reshape(chains, draws, n_columns),
        r_hat=np.full(n_columns, np.nan),
        ess_bulk=np.full(n_columns, np.nan),
        engine="ep",
        certified=holds,
        certificate={"iterations": float(standin.iterations), **certificate},
        ridges=Ridges(ridged, pull[:least, ridged]),
    )


def _sweep_standin(
    data: FitData,
    prior: PriorArrays,
    standin: StandIn,
    n: int,
    n_compared: int,
    every: int,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return n draws from the stand-in, the pull on each coordinate in them, and the log-residual at some.

    Draws and pulls are [draw, column]; the log-residual, [compared], is log likelihood minus its stand-in, at
    each `every`-th draw.
    """
    from prefdissect.inference.compiled.chains import run_standin

    weight, pull, residual = np.empty((n, len(standin.mean))), np.empty((n, len(standin.mean))), np.empty(n_compared)
    surrogate = _arrange(prior, standin, np.empty((2, 0)))
    run_standin(_rows(data), surrogate, standin.mean, _BURN, every, rng, weight, pull, residual)
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
    standin: StandIn,
    *,
    draws: int,
    chains: int,
    rng: np.random.Generator,
    on_share: Callable[[float], object],
) -> Draws:
    """Return draws from the posterior, by surrogate transitions. Chains start from draws of the stand-in."""
    n = max(_FEW_COMPARED, chains)
    weight, _, residual = _sweep_standin(data, prior, standin, n, n, 1, rng)
    doubt = float(residual.std(ddof=1))
    starts = weight[np.linspace(0, n - 1, chains).astype(np.int64)]
    walks = 0 if doubt <= _DOUBTFUL_SD else max(1, len(standin.mean) // 4)
    for thin in _THINNING:
        drawn = _draw_posterior(data, prior, standin, starts, draws, rng, thin, walks, doubt)
        if drawn.certified or draws * chains < LEAST_ESS:
            break
    on_share(1.0)
    return drawn


def _draw_posterior(
    data: FitData,
    prior: PriorArrays,
    standin: StandIn,
    starts: FloatArray,
    draws: int,
    rng: np.random.Generator,
    thin: int,
    walks: int,
    doubt: float,
) -> Draws:
    from prefdissect.inference.compiled.chains import run_chains

    middle = np.stack([standin.prior_linear, 1 / (np.diagonal(standin.precision) + standin.prior_precision)])
    surrogate, weight = _arrange(prior, standin, middle), np.empty((len(starts), draws, starts.shape[1]))
    acceptance = run_chains(_rows(data), surrogate, starts, standin.sd, _BURN, thin, walks, rng, weight)
    r_hat, ess = diagnose(weight)
    return Draws(
        weight,
        r_hat=r_hat,
        ess_bulk=ess,
        engine="exact",
        certified=certify_chains(r_hat, ess, acceptance=acceptance),
        certificate={"acceptance": acceptance, "residual_sd": doubt, "thin": float(thin), "walks": float(walks)},
    )


def find_ridged(standin: StandIn, prior: PriorArrays) -> IntArray:
    """Return the columns that are correlated with another, where a Laplace prior matters for one of the two.

    Sites of the prior are independent, one a column. Where two columns say nearly the same, the prior decides
    between them along a line that runs over both kinks, and EP's sds are off by up to 10%. The measure is the
    product of the correlation and the share that the prior's site has in what is known of a column, the
    larger of both; below the limit sds were within 3% of the truth in all of 660 weights of simulated ridges.
    """
    correlation = np.abs(standin.cov / np.outer(standin.sd, standin.sd))
    np.fill_diagonal(correlation, 0.0)
    share = np.where(prior.is_laplace, standin.prior_precision * np.diagonal(standin.cov), 0.0)
    return np.flatnonzero((correlation * np.maximum(share, share[:, None])).max(axis=0) > _RIDGE)
