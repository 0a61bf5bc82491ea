"""Ties, order and generators against long runs of NUTS on real data.

    python -m benchmarks.terms_reference FOLDER [DRAWS [NAME ...]]

FOLDER holds hanna, pandalm and arena_llama3; DRAWS a chain are 1,000; NAMEs choose among the data. None of these
tells which response was shown first, so an order is drawn: the column is there, and its weight 0. The table stands in
docs/explanation/terms.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from benchmarks.terms import load
from prefdissect.features import Cell, build_design
from prefdissect.inference import Laplace, arrange_prior
from prefdissect.inference.ep import fit_ep
from prefdissect.inference.fit import prior_of
from prefdissect.inference.fit_data import gather
from prefdissect.inference.nuts import sample_nuts
from prefdissect.inference.prior import PriorArrays
from prefdissect.inference.surrogate import sample_exact

__all__ = ["main"]

_JUDGES = {"arena_llama3": "human", "pandalm": "human1", "HANNA": "human1"}  # the quickest first
_DRAWS = 1000


def main() -> None:
    """Print how far means and sds of both engines are from those of NUTS, the cutpoint apart."""
    named = {name: data for name, data, _ in load(Path(sys.argv[1]))}
    draws = int(sys.argv[2]) if len(sys.argv) > 2 else _DRAWS
    for ties in ("davidson", "ordered"):
        for name in sys.argv[3:] or _JUDGES:
            judge = _JUDGES[name]
            data = named[name]
            design = build_design(
                data, [judge], by=None, encoding="comparison", ties=ties, generators=True,
                nuisance={"shown first": np.random.default_rng(0).choice([-1.0, 1.0], len(data))},
            )  # fmt: skip
            n = len(design.encoder.schema.ids)
            prior = arrange_prior(Laplace(0.1), design.columns[:n], design.columns[n:])
            cell = design.cell(judge, "all")
            if cell.ties or ties == "davidson":  # without ties both are the same
                _compare(f"{name}, {judge}, {ties if cell.ties else 'no ties'}", cell, prior_of(cell, prior), draws)


def _compare(name: str, cell: Cell, prior: PriorArrays, draws: int) -> None:
    ((data,),) = gather([cell], [[np.arange(len(cell))]])
    standin = fit_ep(data, prior)
    how = {"chains": 4, "rng": np.random.default_rng(0), "on_share": lambda share: None}
    nuts = sample_nuts(data, prior, standin, draws=draws, **how).weight  # type: ignore[arg-type]
    exact = sample_exact(data, prior, standin, draws=draws, **how).weight  # type: ignore[arg-type]
    mean, sd = nuts.mean(axis=(0, 1)), nuts.std(axis=(0, 1))
    n = len(data.xt)
    for engine, m, s in (
        ("ep", standin.mean, standin.sd), ("exact", exact.mean(axis=(0, 1)), exact.std(axis=(0, 1)))
    ):  # fmt: skip
        away, ratio = np.abs(m - mean) / sd, s / sd
        cut = f"{away[n]:.3f} | {ratio[n]:.3f}" if data.has_cut else "- | -"
        sys.stdout.write(
            f"| {name} | {len(cell):,} x {n} | {engine} | {away[:n].max():.3f} | "
            f"{ratio[:n].min():.3f} to {ratio[:n].max():.3f} | {cut} |\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
