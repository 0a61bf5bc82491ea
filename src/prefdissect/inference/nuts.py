"""The reference engine: Hamiltonian Monte Carlo by PyMC. The only file that imports PyMC.

P(A preferred) = sigmoid(x . w), no intercept; w_k ~ Laplace or Normal around 0. Labels between
0 and 1 and row weights enter the log likelihood linearly, see `FitData`.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from prefdissect._typing import FloatArray
from prefdissect.inference.certificate import certify_chains
from prefdissect.inference.diagnostics import diagnose
from prefdissect.inference.draws import Draws
from prefdissect.inference.ep import StandIn
from prefdissect.inference.fit_data import FitData
from prefdissect.inference.prior import PriorArrays

__all__ = ["TUNE", "sample_nuts"]

_ONE_AT_A_TIME = threading.RLock()  # the data of a shared model must not change under a running sampler
TUNE = 500  # steps of adaptation per chain, as in the paper


def sample_nuts(
    data: FitData,
    prior: PriorArrays,
    standin: StandIn,
    *,
    draws: int,
    chains: int,
    rng: np.random.Generator,
    on_share: Callable[[float], object],
) -> Draws:
    """Return draws from the posterior. They owe nothing to the stand-in.

    `on_share` is called after every step of every chain, adaptation included, with its share of the fit.
    """
    n_columns, share = len(data.statistic), 1.0 / ((TUNE + draws) * chains)
    arrays = {
        "x": data.xt.T,
        "statistic": data.statistic,
        "weight": _by_kind(data) if data.has_cut else data.weight,
        "scale": prior.scale,
        "is_laplace": prior.is_laplace.astype(float),
    }
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        # R-hat, ESS and divergences are reported with the fit, not printed; which BLAS pytensor finds does not matter
        warnings.simplefilter("ignore")
        model, log_density = _compile_model(n_columns, data.has_cut)
        for name, value in arrays.items():
            model.set_data(name, value)
        with model:
            runs = [
                _run_chain(log_density, n_columns, draws, own, lambda: on_share(share)) for own in rng.spawn(chains)
            ]
    drawn = np.stack([standard for standard, _ in runs]) * prior.scale
    divergences = sum(n for _, n in runs)
    r_hat, ess = diagnose(drawn)
    return Draws(
        drawn,
        r_hat=r_hat,
        ess_bulk=ess,
        engine="nuts",
        certified=certify_chains(r_hat, ess, divergences=divergences),
        certificate={"divergences": float(divergences)},
    )


def _run_chain(
    log_density: Any, n_columns: int, draws: int, rng: np.random.Generator, on_draw: Callable[[], object]
) -> tuple[FloatArray, int]:
    """Return the draws [draw, column] of one chain after adaptation, and how many of them diverged.

    `pm.sample` compiles the density anew at every call; PyMC's own step, driven here, takes the compiled one.
    """
    import pymc as pm
    from pymc.step_methods.hmc.quadpotential import QuadPotentialDiagAdapt

    start = rng.uniform(-1, 1, n_columns)
    point = {"standard": start}
    mass = QuadPotentialDiagAdapt(n_columns, start, np.ones(n_columns), 10, rng=rng.spawn(1)[0])
    step = pm.NUTS(logp_dlogp_func=log_density, potential=mass, initial_point=point, rng=rng)
    drawn, divergences = np.empty((draws, n_columns)), 0
    for i in range(-TUNE, draws):
        if i == 0:
            step.stop_tuning()
        point, (statistics, *_) = step.step(point)
        if i >= 0:
            drawn[i] = point["standard"]
            divergences += bool(statistics["diverging"])
        on_draw()
    return drawn, divergences


def _by_kind(data: FitData) -> FloatArray:
    """Return the weight of each row in the column of its kind, [row, kind], 0 in the others."""
    kind = np.searchsorted(data.ends, np.arange(len(data.weight)), side="right")
    return np.asarray(data.weight[:, None] * (kind[:, None] == np.arange(len(data.ends))), dtype=np.float64)


@lru_cache(maxsize=16)
def _compile_model(n_columns: int, has_cut: bool) -> tuple[Any, Any]:
    """Return the model for so many columns and its compiled log density and gradient.

    Data and prior are swapped in, so one compilation serves every fit with so many columns.

    The parameter is the weight in units of its prior's scale: one step size then serves columns
    in any unit. With a cutpoint, which is the last column, rows have the terms that `compiled.tied` lists.
    """
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model() as model:
        x = pm.Data("x", np.zeros((1, n_columns - has_cut)))
        statistic = pm.Data("statistic", np.zeros(n_columns))
        weight = pm.Data("weight", np.ones((1, 4) if has_cut else 1))
        scale = pm.Data("scale", np.ones(n_columns))
        is_laplace = pm.Data("is_laplace", np.ones(n_columns))
        standard = pm.Flat("standard", shape=n_columns)
        w = scale * standard
        if has_cut:
            terms = pt.sum(weight * _terms(pt.dot(x, w[:-1]), w[-1]))
        else:
            t = pt.dot(x, w)
            terms = -pt.dot(weight, pt.softplus(t) - t / 2)
        pm.Potential("likelihood", pt.dot(statistic, w) + terms)
        kernel = is_laplace * pt.abs(standard) + (1 - is_laplace) * pt.square(standard) / 2
        pm.Potential("prior", -pt.sum(kernel))
        log_density = model.logp_dlogp_function(ravel_inputs=True, mode="NUMBA")
    log_density.trust_input = True  # the sampler hands over float arrays; checking each costs as much as a step
    return model, log_density


def _terms(t: Any, cut: Any) -> Any:
    """Return the terms of scores under each kind of row, [row, kind], what is linear in t left out."""
    import pytensor.tensor as pt

    def log_cosh(score: Any) -> Any:
        return pt.softplus(score) - score / 2

    size = pt.exp(cut)
    plain = -log_cosh(t)
    davidson = -pt.log(pt.exp(t / 2) + pt.exp(-t / 2) + size)
    decided = -log_cosh(t - size) - size / 2
    between = pt.log(2 * pt.sinh(size)) - log_cosh(t + size) - log_cosh(t - size)
    return pt.stack([plain, davidson, decided, between], axis=1)
