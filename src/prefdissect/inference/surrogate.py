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
from prefdissect.inference.draws import Draws
from prefdissect.inference.ep import StandIn
from prefdissect.inference.fit_data import FitData
from prefdissect.inference.prior import PriorArrays

if TYPE_CHECKING:
    from prefdissect.inference.compiled.likelihood import Rows
    from prefdissect.inference.compiled.moves import Surrogate

__all__ = ["draw_standin", "find_ridged", "sample_ep", "sample_exact"]


_BURN = 16  # sweeps of the stand-in before the first draw: it forgets its start in a few
_SETTLE, _SETTLE_IN_DOUBT = 4, 16  # steps of a chain before the first draw, as it starts from one of the stand-in
_COMPARED, _WITHIN = 64, 128  # draws at which a stand-in is compared with its likelihood, and of how many
_FEW_COMPARED, _MANY_ROWS = 32, 50_000  # with so many rows both are Gaussian to many digits
_THINNING = (1, 8)  # sweeps a draw: more where the first try mixed too slowly
_ON_RIDGES, _ON_STEEP = 8_192, 32_768  # draws for errors of about 0.01 sd; more where conditionals are narrow
_RIDGE = 0.16  # from what on a column is on a ridge
_DOUBTFUL_SD, _LEAST_WALKS = 0.15, 8  # of the log-residual: from there on chains also walk, to tails that are too thin


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

    They are one long chain cut in equal parts: their number of chains says nothing. The certificate rests on
    the first of them, which are the same however many are asked for.
    """
    n_columns, wanted = len(standin.mean), draws * chains
    n_compared = _COMPARED if len(data.weight) < _MANY_ROWS else _FEW_COMPARED
    weight = draw_standin(standin, prior, max(_WITHIN, wanted), rng)
    residual = _compare(data, prior, standin, weight[: _WITHIN : _WITHIN // n_compared])
    on_ridges, agreement = _draw_ridges(standin, prior, rng.spawn(1)[0])
    holds, certificate = certify_standin(residual, converged=standin.converged, ridges=agreement)
    on_share(1.0)
    return Draws(
        weight[:: len(weight) // wanted][:wanted].reshape(chains, draws, n_columns),
        r_hat=np.full(n_columns, np.nan),
        ess_bulk=np.full(n_columns, np.nan),
        engine="ep",
        certified=holds,
        certificate={"iterations": float(standin.iterations), **certificate},
        on_ridges=on_ridges,
    )


def _draw_ridges(
    standin: StandIn, prior: PriorArrays, rng: np.random.Generator
) -> tuple[FloatArray | None, tuple[FloatArray, FloatArray] | None]:
    """Return draws of the stand-in for the tables of columns on ridges, and their R-hat and ESS; None without ridges.

    `rng` is a stream of its own, so that the tables do not depend on how many draws are kept.
    """
    ridged = find_ridged(standin, prior)
    if not len(ridged):
        return None, None
    weight = draw_standin(standin, prior, _ON_STEEP if len(standin.directions) else _ON_RIDGES, rng)
    quarters = np.ascontiguousarray(weight[:, ridged]).reshape(4, -1, len(ridged))
    return weight, diagnose(quarters)


def draw_standin(standin: StandIn, prior: PriorArrays, n: int, rng: np.random.Generator) -> FloatArray:
    """Return n draws from the stand-in with its exact prior, [draw, column], one chain."""
    from prefdissect.inference.compiled.chains import run_standin

    weight = np.empty((n, len(standin.mean)))
    run_standin(_arrange(prior, standin, np.empty((2, 0))), standin.mean, _BURN, rng, weight)
    return weight


def _compare(data: FitData, prior: PriorArrays, standin: StandIn, weight: FloatArray) -> FloatArray:
    """Return the log-residual at each draw: log likelihood minus its stand-in, [draw]."""
    from prefdissect.inference.compiled.chains import compare_standin

    residual = np.empty(len(weight))
    compare_standin(_rows(data), _arrange(prior, standin, np.empty((2, 0))), np.ascontiguousarray(weight), residual)
    return residual


def _rows(data: FitData) -> Rows:
    from prefdissect.inference.compiled.likelihood import Rows

    return Rows(data.xt, data.weight, data.unit, data.statistic, data.ends)


def _arrange(prior: PriorArrays, standin: StandIn, middle: FloatArray) -> Surrogate:
    from prefdissect.inference.compiled.moves import Surrogate

    return Surrogate(
        standin.precision, standin.linear, prior.scale, prior.is_laplace, standin.cov, middle, standin.directions
    )


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
    weight = draw_standin(standin, prior, n, rng)
    doubt = float(_compare(data, prior, standin, weight).std(ddof=1))
    starts = weight[np.linspace(0, n - 1, chains).astype(np.int64)]
    walks = 0 if doubt <= _DOUBTFUL_SD else max(_LEAST_WALKS, len(standin.mean) // 4)
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
    settle = _SETTLE_IN_DOUBT if walks else _SETTLE
    acceptance = run_chains(_rows(data), surrogate, starts, standin.sd, settle, thin, walks, rng, weight)
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
    from prefdissect.inference.compiled.marginals import measure_ridges

    measure = np.empty(len(standin.mean))
    measure_ridges(standin.cov, standin.prior_precision, prior.is_laplace, measure)
    return np.flatnonzero(measure > _RIDGE)
