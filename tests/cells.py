"""Small fits that the tests of the engines share."""

from __future__ import annotations

import numpy as np

from prefdissect.features import Cell
from prefdissect.inference import Fit, Normal, arrange_prior, summary
from prefdissect.inference.certificate import certify_chains
from prefdissect.inference.diagnostics import diagnose
from prefdissect.inference.draws import Draws
from prefdissect.inference.engines import _SAMPLERS
from prefdissect.inference.ep import StandIn, fit_ep
from prefdissect.inference.fit_data import FitData, gather
from prefdissect.inference.prior import PriorArrays
from sampler import Moments, moments

COLUMNS = ("a", "b", "c")


def make_cell(x: np.ndarray, y: np.ndarray, weight: np.ndarray | float = 1.0) -> Cell:
    weights = np.broadcast_to(weight, len(y)) * 1.0
    return Cell("j", "g", np.asarray(x, dtype=float), np.asarray(y, dtype=float), weights, np.arange(len(y)))


def simulated_cell(n: int = 250, seed: int = 0) -> Cell:
    """Return rows with ties in x, soft labels and row weights, and a last column that never differs."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-1, 2, (n, 3)) * [1.0, 1.0, 0.0]
    y = (rng.random(n) < 1 / (1 + np.exp(-(x @ [0.8, -0.4, 0.0])))).astype(float)
    y[: n // 4] = rng.random(n // 4)
    return make_cell(x, y, rng.uniform(0.5, 1.5, n))


def as_arrays(prior: object, n_columns: int = 3) -> PriorArrays:
    return arrange_prior(prior, [chr(ord("a") + k) for k in range(n_columns)])


def reduced(cell: Cell) -> FitData:
    """Return the data of one cell, all rows, in the form that the engines read."""
    return next(gather([cell], [[np.arange(len(cell))]]))[0]


def draws_of(engine: str, cell: Cell, prior: PriorArrays, *, draws: int = 1000, chains: int = 2, seed: int = 0):
    """Return what one engine, and no other, draws for one cell."""
    data = reduced(cell)
    return _SAMPLERS[engine](
        data,
        prior,
        fit_ep(data, prior),
        draws=draws,
        chains=chains,
        rng=np.random.default_rng(seed),
        on_share=lambda share: None,
    )


def fit(engine: str, cell: Cell, prior: object, *, seed: int, draws: int = 1000) -> Moments:
    return moments(draws_of(engine, cell, as_arrays(prior), seed=seed, draws=draws).weight, batches=20)


def drawn_by_hand(weight: np.ndarray, divergences: int = 0) -> Draws:
    """Return what `nuts` would return for these draws [chain, draw, column]."""
    r_hat, ess = diagnose(weight)
    holds = certify_chains(r_hat, ess, divergences=divergences)
    return Draws(weight, r_hat, ess, "nuts", holds, {"divergences": float(divergences)})


def summarise(drawn: list[Draws], *, interval: float, kept: int) -> Fit:
    """Return the summary of draws made by hand; their prior does not matter."""
    n = drawn[0].weight.shape[2]
    unknown = StandIn(np.zeros((n, n)), *np.zeros((4, n)), np.zeros((n, n)), 0, False)
    prior, rng = as_arrays(Normal(1.0), n), np.random.default_rng(0)
    return summary.summarise(drawn, [unknown] * len(drawn), prior, interval=interval, kept=kept, rng=rng)


def summary_of(drawn: Draws, cell: Cell, prior: PriorArrays) -> Fit:
    """Return the summary of what an engine drew for a cell."""
    standin, rng = fit_ep(reduced(cell), prior), np.random.default_rng(0)
    return summary.summarise([drawn], [standin], prior, interval=0.94, kept=drawn.weight.shape[1], rng=rng)
