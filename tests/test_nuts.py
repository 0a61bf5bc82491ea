"""The reference engine reports its progress, and compiles once. What it draws: `test_samplers.py`."""

from __future__ import annotations

import numpy as np
import pytest

from cells import as_arrays, fit, reduced, simulated_cell
from prefdissect.inference import Laplace, Normal, nuts
from prefdissect.inference.ep import fit_ep


def test_progress_adds_up_to_one_fit():
    shares = []
    data, prior = reduced(simulated_cell(40)), as_arrays(Laplace(0.1))
    drawn = nuts.sample_nuts(
        data,
        prior,
        fit_ep(data, prior),
        draws=20,
        chains=2,
        rng=np.random.default_rng(5),
        on_share=shares.append,
    )
    assert drawn.weight.shape == (2, 20, 3)
    assert len(shares) == 2 * (500 + 20)
    assert sum(shares) == pytest.approx(1)
    assert not np.array_equal(drawn.weight[0], drawn.weight[1]), "chains have streams of their own"


def test_a_second_fit_compiles_nothing(monkeypatch):
    """Other rows, another number of rows, another prior: the compiled density of the first fit serves them."""
    from numba.core.dispatcher import Dispatcher
    from pytensor.compile import FunctionMaker

    built, compiled = [], []

    def build(self, *args, _original=FunctionMaker.__init__, **kwargs):
        built.append(self)
        _original(self, *args, **kwargs)

    def compile_signature(self, signature, _original=Dispatcher.compile):
        known = len(self.overloads)
        result = _original(self, signature)
        compiled.extend([self] * (len(self.overloads) - known))
        return result

    monkeypatch.setattr(FunctionMaker, "__init__", build)
    monkeypatch.setattr(Dispatcher, "compile", compile_signature)
    nuts._compile_model.cache_clear()
    fit("nuts", simulated_cell(), Laplace(0.1), seed=1)
    assert built
    assert compiled
    built.clear(), compiled.clear()
    fit("nuts", simulated_cell(n=90, seed=5), Normal(0.3), seed=2)
    assert not built
    assert not compiled
