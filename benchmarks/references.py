"""What the library is compared with: NUTS by PyMC, compiled once, and NUTS by numpyro as the paper ran it."""

from __future__ import annotations

import warnings
from importlib import import_module, util
from typing import Any

import numpy as np

from benchmarks.rounds import Case, Facts, Measurement, timed
from benchmarks.study import SCALE, SCENARIO_SIZES, paper_study
from prefdissect._typing import FloatArray
from prefdissect.features import Cell
from prefdissect.inference import Laplace, arrange_prior
from prefdissect.inference.certificate import certify_chains
from prefdissect.inference.diagnostics import diagnose
from prefdissect.inference.draws import Draws
from prefdissect.inference.ep import fit_ep
from prefdissect.inference.fit_data import FitData, gather
from prefdissect.inference.nuts import sample_nuts

__all__ = ["has_numpyro", "ignore", "reduce_cell", "references", "run_numpyro", "run_nuts", "study_cell"]


def references(*, quick: bool) -> list[Case]:
    """Return the references, one fit each; another judge in each round."""
    cases = [
        Case(f"nuts-{n}", f"PyMC NUTS, 4 x (500 + 1,000), compiled once, n = {n}", _pymc(n), "reference", str(n))
        for n in ((400,) if quick else (400, 820))
    ]
    if has_numpyro() and not quick:
        cases += [
            Case(f"numpyro-{n}", f"numpyro NUTS, 4 x (500 + 2,000), as in the paper, n = {n}", _numpyro(n), "reference")
            for n in (400, 820)
        ]
    return cases


def has_numpyro() -> bool:
    """Whether numpyro can be imported; it is no dependency."""
    return util.find_spec("numpyro") is not None and util.find_spec("jax") is not None


def study_cell(n_rows: int, judge: int = 0) -> Cell:
    """Return one judge in the first scenario of so many pairs."""
    design = paper_study()
    return design.cell(design.judges[judge % len(design.judges)], design.groups[SCENARIO_SIZES.index(n_rows)])


def reduce_cell(cell: Cell) -> FitData:
    """Return the data of one fit to all rows of a cell."""
    return next(gather([cell], [[np.arange(len(cell))]]))[0]


def ignore(share: float) -> None:
    """Take no note of progress."""


def run_nuts(cell: Cell, scale: float = SCALE, *, draws: int = 1000, seed: int = 0) -> Draws:
    """Return the draws of prefdissect's reference engine, whose model is compiled at its first call."""
    prior = arrange_prior(Laplace(scale), [str(k) for k in range(cell.x.shape[1])])
    rng = np.random.default_rng([seed, 1])
    data = reduce_cell(cell)
    return sample_nuts(data, prior, fit_ep(data, prior), draws=draws, chains=4, rng=rng, on_share=ignore)


def run_numpyro(cell: Cell, scale: float = SCALE, *, seed: int = 0) -> FloatArray:
    """Return draws [chain, draw, column] by the paper's settings; a new sampler, so it compiles each time.

    Chains run one after the other, which is what numpyro does by itself on one CPU.
    """
    numpyro: Any = import_module("numpyro")
    infer: Any = import_module("numpyro.infer")
    distributions: Any = import_module("numpyro.distributions")
    random: Any = import_module("jax.random")

    def model(x: FloatArray, y: FloatArray) -> None:
        prior = distributions.Laplace(0.0, scale).expand([x.shape[1]]).to_event(1)
        w = numpyro.sample("w", prior)
        numpyro.sample("y", distributions.Bernoulli(logits=x @ w), obs=y)

    sampler = infer.MCMC(
        infer.NUTS(model),
        num_warmup=500,
        num_samples=2000,
        num_chains=4,
        chain_method="sequential",
        progress_bar=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampler.run(random.PRNGKey(seed), cell.x, cell.y)
    return np.asarray(sampler.get_samples(group_by_chain=True)["w"], dtype=np.float64)


def _pymc(n_rows: int) -> Any:
    def measure(number: int) -> Measurement:
        cell = study_cell(n_rows, number)
        return timed(lambda: run_nuts(cell, seed=number), _facts_of_draws)

    return measure


def _numpyro(n_rows: int) -> Any:
    def measure(number: int) -> Measurement:
        cell = study_cell(n_rows, number)
        return timed(lambda: run_numpyro(cell, seed=number), _facts_of_array)

    return measure


def _facts_of_draws(drawn: Draws) -> Facts:
    return Facts(1, int(drawn.certified), (float(drawn.ess_bulk.min()),))


def _facts_of_array(weight: FloatArray) -> Facts:
    r_hat, ess = diagnose(weight)
    return Facts(1, int(certify_chains(r_hat, ess)), (float(ess.min()),))
