"""No time counts unless the numbers are right: checks that run before anything is timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.references import has_numpyro, ignore, reduce_cell, run_numpyro, run_nuts, study_cell
from benchmarks.rounds import say
from benchmarks.study import CASE_SIZES, SCALE, SCENARIO_SIZES, paper_study
from prefdissect._typing import FloatArray
from prefdissect.features import Cell
from prefdissect.inference import Laplace, arrange_prior
from prefdissect.inference.ep import StandIn, fit_ep
from prefdissect.inference.fit_data import FitData
from prefdissect.inference.prior import PriorArrays
from prefdissect.inference.surrogate import sample_ep, sample_exact

__all__ = ["Check", "run_gate"]

_ERRORS = 4.0  # Monte Carlo errors within which two samplers must agree
_MOST_OFF, _SD_RATIO = 0.05, (0.95, 1.05)  # of ep's means, in posterior sds, and of its sds
_BATCHES = 40  # parts that a chain is cut into, long against its autocorrelation, for Monte Carlo errors
_LARGE_CASE = len(SCENARIO_SIZES) + CASE_SIZES.index(max(CASE_SIZES))
_SMALL_CASE = len(SCENARIO_SIZES) + CASE_SIZES.index(min(CASE_SIZES))


@dataclass(frozen=True)
class Check:
    """One check: what it compares, whether it passed, and the figures behind that."""

    name: str
    passed: bool
    figures: str


@dataclass(frozen=True)
class _Moments:
    """Mean and sd of each column with their Monte Carlo errors, [column]; errors are 0 of what is known."""

    mean: FloatArray
    mean_error: FloatArray
    sd: FloatArray
    sd_error: FloatArray


def run_gate(*, quick: bool) -> Iterator[Check]:
    """Yield each check as it is done."""
    checks: list[Callable[[], Check]] = [
        check_ep,
        lambda: check_exact(study_cell(400), SCALE, "n = 400, scale 0.1"),
        lambda: check_exact(study_cell(400).take(np.arange(60)), 1.0, "n = 60, scale 1"),
        check_zero_column,
        check_broken_standin,
    ]
    if has_numpyro() and not quick:
        checks.append(check_numpyro)
    for check in checks:
        done = check()
        say(f"gate: {'passed' if done.passed else 'FAILED'}: {done.name}: {done.figures}")
        yield done


def check_ep() -> Check:
    """Compare ep with long exact runs: a scenario, a larger one, the smallest case and the largest."""
    design = paper_study()
    off, ratios = [], []
    for judge, group in enumerate((0, SCENARIO_SIZES.index(820), _SMALL_CASE, _LARGE_CASE)):
        cell = design.cell(design.judges[judge], design.groups[group])
        data, prior = _prepare(cell, SCALE)
        standin, long = fit_ep(data, prior), _moments(_draw_exact(data, prior, draws=20_000))
        off.append((np.abs(standin.mean - long.mean) - _ERRORS * long.mean_error) / long.sd)
        ratios.append(standin.sd / long.sd)
    worst, low, high = float(np.max(off)), float(np.min(ratios)), float(np.max(ratios))
    return Check(
        "ep against long exact runs, 4 fits",
        worst <= _MOST_OFF and _SD_RATIO[0] <= low and high <= _SD_RATIO[1],
        f"means off by {max(worst, 0):.3f} sd beyond {_ERRORS:.0f} Monte Carlo errors (at most {_MOST_OFF}), "
        f"sd ratio {low:.3f} to {high:.3f} ({_SD_RATIO[0]} to {_SD_RATIO[1]})",
    )


def check_exact(cell: Cell, scale: float, what: str) -> Check:
    """Compare exact with PyMC's NUTS, which knows nothing of the stand-in."""
    exact = _moments(_draw_exact(*_prepare(cell, scale), draws=10_000))
    return _agree(f"exact against nuts, {what}", exact, _moments(run_nuts(cell, scale).weight))


def check_numpyro() -> Check:
    """Show that the other reference answers the same question."""
    cell = study_cell(400)
    exact = _moments(_draw_exact(*_prepare(cell, SCALE), draws=10_000))
    return _agree("exact against numpyro, n = 400, scale 0.1", exact, _moments(run_numpyro(cell)))


def check_zero_column() -> Check:
    """Ask both fast engines for a column that never differs: its posterior is its prior."""
    cell = study_cell(400)
    x = cell.x.copy()
    x[:, 0] = 0.0
    data, prior = _prepare(replace(cell, x=x), SCALE)
    sd = SCALE * np.sqrt(2.0)
    standin, exact = fit_ep(data, prior), _moments(_draw_exact(data, prior, draws=10_000))
    ep_off = max(abs(standin.mean[0]) / sd, abs(standin.sd[0] / sd - 1))
    away = max(abs(exact.mean[0]) / exact.mean_error[0], abs(exact.sd[0] - sd) / exact.sd_error[0])
    return Check(
        "a column of zeros returns its prior",
        bool(ep_off <= 0.01 and away <= _ERRORS),
        f"ep off by {ep_off:.4f} sd (at most 0.01), exact by {away:.1f} Monte Carlo errors (at most {_ERRORS:.0f})",
    )


def check_broken_standin() -> Check:
    """Halve the stand-in's precision: exact must not mind, and the certificate of ep must."""
    data, prior = _prepare(study_cell(400), SCALE)
    sound = fit_ep(data, prior)
    broken = replace(sound, precision=sound.precision / 2)
    agree = _agree(
        "", _moments(_draw_exact(data, prior, broken, draws=40_000)), _moments(_draw_exact(data, prior, draws=10_000))
    )
    kept, refused = _certified(data, prior, sound), not _certified(data, prior, broken)
    return Check(
        "a stand-in with half its precision: exact corrects it, the certificate refuses it",
        agree.passed and kept and refused,
        f"{agree.figures}; the sound stand-in is {'certified' if kept else 'REFUSED'}, "
        f"the broken one {'refused' if refused else 'CERTIFIED'}",
    )


def _prepare(cell: Cell, scale: float) -> tuple[FitData, PriorArrays]:
    return reduce_cell(cell), arrange_prior(Laplace(scale), [str(k) for k in range(cell.x.shape[1])])


def _draw_exact(data: FitData, prior: PriorArrays, standin: StandIn | None = None, *, draws: int) -> FloatArray:
    """Return draws [chain, draw, column]."""
    rng = np.random.default_rng([0, 0 if standin is None else 2])
    standin = fit_ep(data, prior) if standin is None else standin
    return sample_exact(data, prior, standin, draws=draws, chains=4, rng=rng, on_share=ignore).weight


def _certified(data: FitData, prior: PriorArrays, standin: StandIn) -> bool:
    """Return whether engine ep certifies a fit with this stand-in."""
    rng = np.random.default_rng([0, 3])
    return sample_ep(data, prior, standin, draws=250, chains=4, rng=rng, on_share=ignore).certified


def _moments(draws: FloatArray) -> _Moments:
    """Return moments of draws [chain, draw, column]; their errors by the spread over batches of draws."""
    chains, n, columns = draws.shape
    parts = draws[:, : n // _BATCHES * _BATCHES].reshape(chains * _BATCHES, -1, columns)
    mean = parts.mean(axis=(0, 1))
    squared = (parts - mean) ** 2
    sd = np.sqrt(squared.mean(axis=(0, 1)))
    mean_error, variance_error = (
        part.mean(axis=1).std(axis=0, ddof=1) / np.sqrt(len(parts)) for part in (parts, squared)
    )
    return _Moments(mean, mean_error, sd, variance_error / (2 * sd))


def _agree(name: str, one: _Moments, other: _Moments) -> Check:
    """Compare means and sds of two samplers, in combined Monte Carlo errors."""
    mean = float((np.abs(one.mean - other.mean) / np.hypot(one.mean_error, other.mean_error)).max())
    sd = float((np.abs(one.sd - other.sd) / np.hypot(one.sd_error, other.sd_error)).max())
    figures = f"largest distance {mean:.1f} (means) and {sd:.1f} (sds) Monte Carlo errors (at most {_ERRORS:.0f})"
    return Check(name, mean <= _ERRORS and sd <= _ERRORS, figures)
