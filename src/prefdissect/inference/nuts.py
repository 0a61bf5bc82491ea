"""The reference engine: Hamiltonian Monte Carlo by PyMC. The only file that imports PyMC.

P(A preferred) = sigmoid(x . w), no intercept; w_k ~ Laplace or Normal around 0. Labels between
0 and 1 and row weights enter the log likelihood linearly: sum_i weight_i (y_i t_i - softplus(t_i)).
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from prefdissect._typing import FloatArray
from prefdissect.features import Cell
from prefdissect.inference.draws import Draws
from prefdissect.inference.prior import PriorArrays

__all__ = ["TUNE", "sample"]

_ONE_AT_A_TIME = threading.RLock()  # the data of a shared model must not change under a running sampler
TUNE = 500  # steps of adaptation per chain, as in the paper


def sample(
    cell: Cell,
    prior: PriorArrays,
    *,
    draws: int,
    chains: int,
    seed: np.random.SeedSequence,
    on_draw: Callable[[], object] | None = None,
) -> Draws:
    """Return draws from the posterior of one cell, shape [chain, draw, column].

    `on_draw` is called after every step of every chain, adaptation included.
    """
    import pymc as pm

    x, statistic, weight = collapse(cell)
    model, log_density = _compile_model(x.shape[1])
    with _ONE_AT_A_TIME, model, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # R-hat, ESS and divergences are reported with the fit, not printed
        pm.set_data(
            {
                "x": x,
                "statistic": statistic,
                "weight": weight,
                "scale": prior.scale,
                "is_laplace": prior.is_laplace.astype(float),
            }
        )
        streams = [np.random.default_rng(own) for own in seed.generate_state(chains, np.uint64)]
        runs = [_run_chain(log_density, x.shape[1], draws, rng, on_draw) for rng in streams]
    return Draws(
        np.stack([standard for standard, _ in runs]) * prior.scale,
        divergences=sum(divergences for _, divergences in runs),
    )


def _run_chain(
    log_density: Any, n_columns: int, draws: int, rng: np.random.Generator, on_draw: Callable[[], object] | None
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
        if on_draw:
            on_draw()
    return drawn, divergences


def collapse(cell: Cell) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return distinct rows, the statistic X'(weight y), and the weight of each distinct row.

    The labels enter the likelihood only through that statistic, so equal rows can be one row of
    summed weight. Rows that are each other's mirror image too: softplus(-t) = softplus(t) - t,
    and the difference is linear, so it goes into the statistic.
    """
    if not len(cell):
        return cell.x, np.zeros(cell.x.shape[1]), cell.weight
    leading = np.take_along_axis(cell.x, (cell.x != 0).argmax(axis=1)[:, None], axis=1)[:, 0]
    mirrored = leading < 0
    rows = np.where(mirrored[:, None], -cell.x, cell.x)
    preference = np.where(mirrored, 1.0 - cell.y, cell.y)
    distinct, which = np.unique(rows + 0.0, axis=0, return_inverse=True)  # + 0.0: no row differs by the sign of a zero
    weight = np.bincount(which.ravel(), weights=cell.weight, minlength=len(distinct)).astype(float)
    return distinct, rows.T @ (cell.weight * preference), weight


@lru_cache(maxsize=16)
def _compile_model(n_columns: int) -> tuple[Any, Any]:
    """Return the model for so many columns and its compiled log density and gradient.

    Data and prior are swapped in, so one compilation serves every fit with so many columns.

    The parameter is the weight in units of its prior's scale: one step size then serves columns
    in any unit.
    """
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model() as model:
        x = pm.Data("x", np.zeros((1, n_columns)))
        statistic = pm.Data("statistic", np.zeros(n_columns))
        weight = pm.Data("weight", np.ones(1))
        scale = pm.Data("scale", np.ones(n_columns))
        is_laplace = pm.Data("is_laplace", np.ones(n_columns))
        standard = pm.Flat("standard", shape=n_columns)
        w = scale * standard
        pm.Potential("likelihood", pt.dot(statistic, w) - pt.dot(weight, pt.softplus(pt.dot(x, w))))
        kernel = is_laplace * pt.abs(standard) + (1 - is_laplace) * pt.square(standard) / 2
        pm.Potential("prior", -pt.sum(kernel))
        log_density = model.logp_dlogp_function(ravel_inputs=True, mode="NUMBA")
    log_density.trust_input = True  # the sampler hands over float arrays; checking each costs as much as a step
    return model, log_density
