"""No time counts unless the numbers are right: checks that run before anything is timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.references import has_numpyro, ignore, reduce_cell, run_numpyro, run_nuts, study_cell
from benchmarks.rounds import say
from benchmarks.study import CASE_SIZES, SCALE, SCENARIO_SIZES, paper_study
from prefdissect._typing import FloatArray
from prefdissect.features import Cell
from prefdissect.inference import FitOptions, Laplace, arrange_prior
from prefdissect.inference.ep import StandIn, fit_ep
from prefdissect.inference.fit import fit_cells
from prefdissect.inference.fit_data import FitData
from prefdissect.inference.prior import PriorArrays
from prefdissect.inference.surrogate import sample_ep, sample_exact

__all__ = ["Check", "run_gate"]

_ERRORS = 4.0  # Monte Carlo errors within which two samplers must agree
_MOST_OFF, _SD_RATIO = 0.03, (0.97, 1.03)  # of ep's means, in posterior sds, and of its sds
_BOUNDS_OFF = 0.1  # of ep's interval, in posterior sds
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
        check_ridge,
        check_sum,
        check_repeats,
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
    groups = (0, SCENARIO_SIZES.index(820), _SMALL_CASE, _LARGE_CASE)
    cells = [design.cell(design.judges[judge], design.groups[group]) for judge, group in enumerate(groups)]
    return _near("ep against long exact runs, 4 fits", cells)


def check_ridge() -> Check:
    """Compare ep with a long exact run where two columns say nearly the same."""
    cell = study_cell(400)
    x = cell.x.copy()
    x[:, 1] = np.where(np.arange(len(x)) % 20 == 0, x[:, 1], x[:, 0])
    return _near("ep against a long exact run, two columns alike in 95% of the rows", [replace(cell, x=x)])


def check_sum() -> Check:
    """Compare ep with a long exact run where one column is the sum of two others."""
    cell = study_cell(400)
    x = cell.x.copy()
    x[:, 2] = x[:, 0] + x[:, 1]
    return _near("ep against a long exact run, one column the sum of two others", [replace(cell, x=x)])


def check_repeats() -> Check:
    """Let 200,000 pairs be of a few kinds: the posterior is a Gaussian around its mode, which needs no sampler."""
    rng, truth = np.random.default_rng(5), np.array([2.0, -1.0, 0.5])
    x = rng.choice([-1.0, 0.0, 1.0], (200_000, 3))
    y = (rng.random(len(x)) < 1 / (1 + np.exp(-(x @ truth)))).astype(float)
    data, prior = _prepare(replace(study_cell(400), x=x, y=y, weight=np.ones(len(y))), SCALE)
    mode, covariance = truth, np.eye(3)
    for _ in range(10):
        t = mode @ data.xt
        gradient = data.statistic - data.xt @ (data.weight / 2 * np.tanh(t / 2)) - np.sign(mode) / SCALE
        covariance = np.linalg.inv((data.xt * (data.weight / 4 / np.cosh(t / 2) ** 2)) @ data.xt.T)
        mode = mode + covariance @ gradient
    sd = np.sqrt(np.diagonal(covariance))
    standin, exact = fit_ep(data, prior), _moments(_draw_exact(data, prior, draws=10_000))
    off = float(np.max(np.abs(standin.mean - mode) / sd))
    exact_off = float(np.max((np.abs(exact.mean - mode) - _ERRORS * exact.mean_error) / sd))
    ratios = np.concatenate([standin.sd / sd, exact.sd / sd])
    within = _SD_RATIO[0] <= ratios.min() and ratios.max() <= _SD_RATIO[1]
    return Check(
        "200,000 pairs of 13 kinds against mode and curvature",
        bool(max(off, exact_off) <= _MOST_OFF and within),
        f"means off by {off:.3f} sd (ep) and {max(exact_off, 0):.3f} sd (exact, beyond {_ERRORS:.0f} Monte Carlo "
        f"errors; at most {_MOST_OFF}), sd ratio {ratios.min():.3f} to {ratios.max():.3f}",
    )


def _near(name: str, cells: Sequence[Cell]) -> Check:
    """Compare ep's table with long exact runs: means, sds and bounds."""
    off, ratios, bounds = [], [], []
    for cell in cells:
        data, prior = _prepare(cell, SCALE)
        draws = _draw_exact(data, prior, draws=20_000)
        long, quantiles = _moments(draws), np.quantile(draws, [0.03, 0.97], axis=(0, 1))
        (fit,) = fit_cells([cell], prior, FitOptions("ep", 1000, 4, None, 0.94, 1, 0), kept=100)
        off.append((np.abs(fit.mean - long.mean) - _ERRORS * long.mean_error) / long.sd)
        ratios.append(fit.sd / long.sd)
        bounds.append(np.abs(np.stack([fit.lower, fit.upper]) - quantiles) / long.sd)
    worst, low, high = float(np.max(off)), float(np.min(ratios)), float(np.max(ratios))
    bound = float(np.max(bounds))
    return Check(
        name,
        worst <= _MOST_OFF and _SD_RATIO[0] <= low and high <= _SD_RATIO[1] and bound <= _BOUNDS_OFF,
        f"means off by {max(worst, 0):.3f} sd beyond {_ERRORS:.0f} Monte Carlo errors (at most {_MOST_OFF}), "
        f"sd ratio {low:.3f} to {high:.3f} ({_SD_RATIO[0]} to {_SD_RATIO[1]}), "
        f"bounds off by {bound:.3f} sd (at most {_BOUNDS_OFF})",
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
