"""The first run on a machine: compile on two cores what takes one of them twenty seconds."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from prefdissect.inference.compiled._compile import SOURCES
from prefdissect.inference.compiled.chains import compare_standin, run_chains, run_standin
from prefdissect.inference.compiled.diagnostics import diagnose_columns
from prefdissect.inference.compiled.ep import Block, Problem, is_sound, propagate
from prefdissect.inference.compiled.likelihood import Rows
from prefdissect.inference.compiled.marginals import measure_ridges, mix_conditionals
from prefdissect.inference.compiled.moves import Surrogate

__all__ = ["compile_all"]

_LOG = logging.getLogger(__name__)
_PATIENCE = 300  # seconds to wait for the other process


def compile_all() -> None:
    """Compile what is not on disk yet, half of it in another process, which leaves it there for this one.

    Numba compiles one function at a time in each process. Where the other process cannot run, or nothing can be
    kept on disk, each function is compiled here when it is first called.
    """
    if _is_compiled() or (os.cpu_count() or 1) < 2 or not sys.executable:
        return
    _LOG.info("compiling the samplers, once on this machine: some 15 seconds")
    with subprocess.Popen(
        [sys.executable, "-c", f"from {__name__} import compile_half; compile_half()"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as other:
        _run_chains_once()
        try:
            other.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            other.kill()
        if other.returncode:
            _LOG.debug("the other process ended with status %s; the rest is compiled here", other.returncode)


def _is_compiled() -> bool:
    """Return whether the longest function is on disk, as it stands in the sources now."""
    folder = propagate.stats.cache_path  # type: ignore[attr-defined]  # numba's, which has no types
    return folder is not None and any(Path(folder).glob(f"*propagate-{SOURCES}*.nbi"))


def compile_half() -> None:
    """Compile expectation propagation, its tables and diagnostics, by running them on next to nothing."""
    one, eye = np.ones(1), np.ones((1, 1))
    laplace = np.ones(1, dtype=bool)
    block = Block(eye.copy(), one.copy(), one.copy(), one.copy(), one.copy(), eye.copy())
    propagate(Problem(eye, one, one, one, laplace), block, 1e-3, 5, 5)
    is_sound(block)
    measure_ridges(eye, one, laplace, np.empty(1))
    diagnose_columns(np.arange(8.0)[None], np.arange(8)[None], np.zeros(15), 2)
    mix_conditionals(eye, eye, one, laplace, np.array([0.5]), np.empty((1, 1)), np.empty((3, 1)))


def _run_chains_once() -> None:
    """Compile the chains, by running one of one draw."""
    one, eye, laplace = np.ones(1), np.ones((1, 1)), np.ones(1, dtype=bool)
    rows, rng = Rows(eye, one, True, one), np.random.default_rng(0)
    surrogate = Surrogate(eye, one, one, laplace, eye, np.empty((2, 0)), np.empty((0, 1)))
    run_standin(surrogate, one, 1, rng, np.empty((1, 1)))
    compare_standin(rows, surrogate, eye, np.empty(1))
    run_chains(rows, surrogate, eye, one, 1, 1, 0, rng, np.empty((1, 1, 1)))
