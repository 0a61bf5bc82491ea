"""When can the draws of an engine be relied on: each engine is judged by its own criteria.

Not by Pareto k-hat: where importance weights are nearly constant their tail says nothing, and k-hat
fails fits that are right to three digits and passes some that are wrong.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from prefdissect._typing import FloatArray

__all__ = ["FEW_DRAWS", "LEAST_ESS", "MOST_R_HAT", "certify_chains", "certify_standin", "failed_criteria", "moved_well"]

# Samplers: the customary limits (Vehtari et al. 2021), for every column.
MOST_R_HAT, LEAST_ESS = 1.01, 400
FEW_DRAWS = 4 * LEAST_ESS  # with fewer than this over all chains a low ESS is no fault of the engine
LEAST_ACCEPTANCE = 0.7  # of surrogate transitions: below it the stand-in is poor and chains stick
# Expectation propagation: log-residual of its stand-in over its own draws.
MOST_RESIDUAL_SD, LEAST_EFFICIENCY = 0.3, 0.8
LEAST_ON_RIDGES = 2_000  # effective draws of the stand-in behind the tables of correlated columns


def certify_chains(r_hat: FloatArray, ess_bulk: FloatArray, *, acceptance: float = 1.0, divergences: int = 0) -> bool:
    """Whether chains agree, are long enough, and moved as they should."""
    return bool(
        (r_hat <= MOST_R_HAT).all()
        and (ess_bulk >= LEAST_ESS).all()
        and acceptance >= LEAST_ACCEPTANCE
        and divergences == 0
    )


def moved_well(certificate: Mapping[str, float]) -> bool:
    """Whether a sampler moved as it should: if so, only more draws can help where it is not certified."""
    return certificate.get("acceptance", 1.0) >= LEAST_ACCEPTANCE and certificate.get("divergences", 0.0) == 0


def failed_criteria(r_hat: FloatArray, ess_bulk: FloatArray, certificate: Mapping[str, float]) -> list[str]:
    """Return the criteria that a sampler's fit without a certificate fails, each with its figure and the limit.

    The figures are those of `Fit`: over folds the largest R-hat, and the sum of the effective sample sizes. So
    where none fails in sum, a fold was too short.
    """
    acceptance, divergences = certificate.get("acceptance", 1.0), certificate.get("divergences", 0.0)
    fails = {
        f"R-hat {r_hat.max():.3f} (at most {MOST_R_HAT})": not (r_hat <= MOST_R_HAT).all(),
        f"effective sample size {ess_bulk.min():.0f} (at least {LEAST_ESS})": not (ess_bulk >= LEAST_ESS).all(),
        f"acceptance {acceptance:.2f} (at least {LEAST_ACCEPTANCE})": acceptance < LEAST_ACCEPTANCE,
        f"{divergences:.0f} divergences (none)": divergences > 0,
    }
    return [said for said, failed in fails.items() if failed] or [
        f"effective sample size of a fold (at least {LEAST_ESS})"
    ]


def certify_standin(
    residual: FloatArray, *, converged: bool, ridges: tuple[FloatArray, FloatArray] | None = None
) -> tuple[bool, dict[str, float]]:
    """Return whether a stand-in is close to its posterior, and by which figures.

    `residual` is log likelihood minus its stand-in at draws from it, [draw], up to a constant: its
    standard deviation, and the share of the draws that importance weights exp(residual) leave effective.
    `ridges` is R-hat and ESS, [column] each, of the draws of the stand-in that tables rest on, if some do.
    """
    n, away = len(residual), residual - residual.mean()
    ratio = np.exp(away - away.max())
    efficiency = float(ratio.sum() ** 2 / (n * (ratio @ ratio)))
    sd = float(np.sqrt(away @ away / (n - 1)))
    holds = converged and sd <= MOST_RESIDUAL_SD and efficiency >= LEAST_EFFICIENCY
    figures = {"residual_sd": sd, "efficiency": efficiency}
    if ridges is not None:
        r_hat, ess = float(ridges[0].max()), float(ridges[1].min())
        holds = holds and r_hat <= MOST_R_HAT and ess >= LEAST_ON_RIDGES
        figures |= {"ridge_r_hat": r_hat, "ridge_ess": ess}
    return bool(holds), figures
