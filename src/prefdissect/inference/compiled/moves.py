"""Moves that leave the stand-in as it is: coordinates redrawn, moved in pairs or all along a direction, reflected.

The stand-in is q(w) proportional to exp(linear'w - w'precision w / 2) times the exact prior. All moves keep
gradient = linear - precision w up to date.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from prefdissect._typing import BoolArray, FloatArray
from prefdissect.inference.compiled._compile import compiled

__all__ = ["Plan", "Surrogate", "prepare", "set_gradient", "shift_gradient", "sweep"]

_WIDTH = 3.0  # of the first interval along a direction, in about standard deviations
_RIDGE = 0.4  # correlation from which on two columns are also moved together


class Surrogate(NamedTuple):
    """The stand-in. `cov` is about the posterior's covariance.

    `middle` [2, column] says where to reflect, see `_reflect`; where it is empty nothing is reflected.
    `directions` [direction, column] are those along which all coordinates are moved together, of about the
    length of a standard deviation.
    """

    precision: FloatArray
    linear: FloatArray
    scale: FloatArray
    laplace: BoolArray
    cov: FloatArray
    middle: FloatArray
    directions: FloatArray


class Plan(NamedTuple):
    """What moves need to know of each column, the pairs that are moved together, and how steep directions are.

    `pushes` [direction, column] is what a step along a direction takes from the gradient; `curvatures` [direction].
    """

    columns: FloatArray
    ridges: FloatArray
    pushes: FloatArray
    curvatures: FloatArray


@compiled(inner=True)
def _describe_columns(precision: FloatArray, scale: FloatArray, laplace: BoolArray) -> FloatArray:
    """Return what redrawing a column needs of the stand-in and its prior, [column, 5].

    1 / h and 1 / sqrt(h) of the column's precision h, with the prior's if that is Normal; 1 / scale; h / 2; and up
    to which product of their rates exponential envelopes are wider than a Gaussian one, see `_redraw`.
    """
    columns = np.empty((len(scale), 5))
    for k in range(len(scale)):
        rate = 1.0 / scale[k]
        h = precision[k, k] + (0.0 if laplace[k] else rate * rate)
        columns[k, 0], columns[k, 1], columns[k, 2], columns[k, 3] = 1.0 / h, 1.0 / math.sqrt(h), rate, 0.5 * h
        columns[k, 4] = 2.0 * rate * math.sqrt(h / (2.0 * math.pi)) if h > 0.0 else -1.0
    return columns


@compiled()
def _find_ridges(cov: FloatArray) -> FloatArray:
    """Return the pairs of columns correlated by more than `_RIDGE`, [pair, 3]: both columns, and the ridge's slope.

    Redrawing one coordinate at a time creeps along such a ridge. At most as many pairs as columns, the steepest ones.
    """
    n = len(cov)
    found, ridges, steepness = 0, np.empty((n, 3)), np.empty(n)
    for i in range(n):
        for j in range(i + 1, n):
            steep = abs(cov[i, j]) / math.sqrt(cov[i, i] * cov[j, j])
            if not steep > _RIDGE:
                continue
            place = found
            if found < n:
                found += 1
            else:
                place = int(np.argmin(steepness))
                if steep <= steepness[place]:
                    continue
            slope = math.sqrt(cov[j, j] / cov[i, i])
            ridges[place, 0], ridges[place, 1], ridges[place, 2] = i, j, slope if cov[i, j] > 0.0 else -slope
            steepness[place] = steep
    return ridges[:found]


@compiled(fastmath=True, inner=True)
def shift_gradient(gradient: FloatArray, precision: FloatArray, k: int, difference: float) -> None:
    """Take from the gradient what a move of column k by `difference` takes from it."""
    for m in range(len(gradient)):
        gradient[m] -= difference * precision[k, m]


@compiled(inner=True)
def _describe_directions(surrogate: Surrogate) -> tuple[FloatArray, FloatArray]:
    """Return precision x direction, [direction, column], and the curvature along it with the Normal priors'."""
    directions, n = surrogate.directions, len(surrogate.scale)
    pushes, curvatures = np.empty((len(directions), n)), np.zeros(len(directions))
    for d in range(len(directions)):
        for k in range(n):
            push = 0.0
            for m in range(n):
                push += surrogate.precision[k, m] * directions[d, m]
            pushes[d, k] = push
            known = 0.0 if surrogate.laplace[k] else 1.0 / surrogate.scale[k] ** 2
            curvatures[d] += directions[d, k] * (push + known * directions[d, k])
    return pushes, curvatures


@compiled()
def prepare(surrogate: Surrogate) -> Plan:
    """Return how to move."""
    columns = _describe_columns(surrogate.precision, surrogate.scale, surrogate.laplace)
    pushes, curvatures = _describe_directions(surrogate)
    return Plan(columns, _find_ridges(surrogate.cov), pushes, curvatures)


@compiled()
def _draw_on_line(h: float, c: float, kinks: FloatArray, rng: np.random.Generator) -> float:
    """Move from 0 along exp(c t - h t**2 / 2 - |t - k0| s0 - |t - k1| s1), `kinks` being k0, s0, k1, s1 with k0 <= k1.

    One Metropolis step: the proposal is a Gaussian with the target's mode, no wider than the prior, whatever h is.
    It is independent of where the move starts, as all that it is made of stays in place when the line is
    measured from another point: curvature that is added is centred between the kinks.
    """
    k0, s0, k1, s1 = kinks
    missing = max(0.0, ((s0 + s1) / 4.0) ** 2 - h)
    between = (s0 * k0 + s1 * k1) / (s0 + s1) if missing > 0.0 else 0.0
    h += missing
    c += missing * between
    g0, g1 = -1.0, -1.0  # slopes of the |t - k| that put the Gaussian's mode where the target's is
    mode = (c + s0 + s1) / h
    if mode >= k0:
        mode, g0 = (c - s0 + s1) / h, 1.0
        if mode <= k0:
            mode, g0 = k0, (c - h * k0 + s1) / s0
        elif mode >= k1:
            mode, g1 = (c - s0 - s1) / h, 1.0
            if mode <= k1:
                mode, g1 = k1, (c - h * k1 - s0) / s1
    t = mode + rng.standard_normal() / math.sqrt(h)
    now = s0 * (abs(k0) + g0 * k0) + s1 * (abs(k1) + g1 * k1)
    new = s0 * (abs(t - k0) - g0 * (t - k0)) + s1 * (abs(t - k1) - g1 * (t - k1))
    new -= 0.5 * missing * t * (t - 2.0 * between)
    return t if rng.standard_exponential() >= new - now else 0.0


@compiled(inner=True)
def _move_along_ridge(
    surrogate: Surrogate, w: FloatArray, gradient: FloatArray, i: int, j: int, slope: float, rng: np.random.Generator
) -> None:
    """Move two coordinates together, by t and slope t."""
    precision, scale, laplace = surrogate.precision, surrogate.scale, surrogate.laplace
    h = precision[i, i] + slope * (2.0 * precision[i, j] + slope * precision[j, j])
    c = gradient[i] + slope * gradient[j]
    kinks = np.zeros(4)
    if laplace[i]:
        kinks[0], kinks[1] = -w[i], 1.0 / scale[i]
    else:
        h += 1.0 / scale[i] ** 2
        c -= w[i] / scale[i] ** 2
    if laplace[j]:
        kinks[2], kinks[3] = -w[j] / slope, abs(slope) / scale[j]
    else:
        h += (slope / scale[j]) ** 2
        c -= slope * w[j] / scale[j] ** 2
    if kinks[0] > kinks[2]:
        kinks[0], kinks[1], kinks[2], kinks[3] = kinks[2], kinks[3], kinks[0], kinks[1]
    t = _draw_on_line(h, c, kinks, rng)
    if t != 0.0:
        w[i] += t
        w[j] += slope * t
        shift_gradient(gradient, precision, i, t)
        shift_gradient(gradient, precision, j, slope * t)


@compiled(fastmath=True, inner=True)
def _spread(surrogate: Surrogate, w: FloatArray, direction: FloatArray, t: float) -> float:
    """Return the Laplace priors' part of minus the log density at w + t direction."""
    total = 0.0
    for k in range(len(w)):
        if surrogate.laplace[k]:
            total += abs(w[k] + t * direction[k]) / surrogate.scale[k]
    return total


@compiled()
def _move_along(
    surrogate: Surrogate, plan: Plan, w: FloatArray, gradient: FloatArray, d: int, rng: np.random.Generator
) -> None:
    """Move all coordinates along one direction: a slice sampler's step (Neal 2003, Annals of Statistics 31).

    Several columns that say the same, or of which one is the sum of others, leave ridges that pairs only creep
    along. The density on a line is log-concave, with a kink where a coordinate changes its sign.
    """
    direction, h = surrogate.directions[d], plan.curvatures[d]
    c = 0.0
    for k in range(len(w)):
        known = 0.0 if surrogate.laplace[k] else 1.0 / surrogate.scale[k] ** 2
        c += direction[k] * (gradient[k] - known * w[k])
    level = -_spread(surrogate, w, direction, 0.0) - rng.standard_exponential()
    low = -_WIDTH * rng.random()
    high = low + _WIDTH
    while low * (c - 0.5 * h * low) - _spread(surrogate, w, direction, low) > level:  # said so, a NaN ends the loop
        low -= _WIDTH
    while high * (c - 0.5 * h * high) - _spread(surrogate, w, direction, high) > level:
        high += _WIDTH
    t = 0.0
    while high - low > 0.0:
        t = low + (high - low) * rng.random()
        if t == 0.0 or not t * (c - 0.5 * h * t) - _spread(surrogate, w, direction, t) <= level:
            break
        if t < 0.0:
            low = t
        else:
            high = t
    for k in range(len(w)):
        w[k] += t * direction[k]
        gradient[k] -= t * plan.pushes[d, k]


@compiled(inner=True)
def _redraw(
    surrogate: Surrogate, plan: Plan, w: FloatArray, gradient: FloatArray, forward: bool, rng: np.random.Generator
) -> None:
    """Draw each coordinate given the others, one after another.

    Its density is exp(c b - h b**2 / 2) times its prior. With a Laplace prior it is drawn by rejection from
    the tighter of two envelopes: |b| >= g b for every slope g in [-1, 1], so a Gaussian with the slope that puts
    its mode where the target's is lies above it; where the data say little, the two exponential pieces lie closer.

    One long loop, as each call would count references to every array, which takes as long as a draw.
    """
    precision, laplace, columns = surrogate.precision, surrogate.laplace, plan.columns
    n = len(w)
    for step in range(n):
        k = step if forward else n - 1 - step
        c = gradient[k] + precision[k, k] * w[k]
        rate = columns[k, 2]
        up, down = rate - c, rate + c  # rates of the exponential pieces above and below 0
        b = 0.0
        if not laplace[k]:
            b = c * columns[k, 0] + columns[k, 1] * rng.standard_normal()
        elif up * down <= columns[k, 4]:
            slope = min(1.0, max(-1.0, c / rate))
            centre = (c - slope * rate) * columns[k, 0]
            while True:
                b = centre + columns[k, 1] * rng.standard_normal()
                if not rng.standard_exponential() < (abs(b) - slope * b) * rate:  # said so, a NaN ends the loop
                    break
        else:
            inverse = 1.0 / (up * down)
            mean_above, mean_below = down * inverse, -up * inverse
            while True:
                place = rng.random() * (up + down)
                above = place < down  # the piece above has mass 1 / up
                b = rng.standard_exponential() * (mean_above if above else mean_below)
                # Given the side, the place is uniform over a length of `down` above and of `up` below
                length = down if above else up
                height = place if above else place - down
                excess = columns[k, 3] * b * b
                if not height > length * (1.0 - excess) or not height > length * math.exp(
                    -excess
                ):  # the first is cheap
                    break
        difference = b - w[k]
        w[k] = b
        for m in range(n):
            gradient[m] -= difference * precision[k, m]


@compiled(inner=True)
def _reflect(
    surrogate: Surrogate, plan: Plan, w: FloatArray, gradient: FloatArray, forward: bool, rng: np.random.Generator
) -> None:
    """Move each coordinate to the other side of about its mean given the others, one after another.

    What follows is then on the other side of the mean than what was before, so that errors of successive
    draws cancel (over-relaxation: Adler 1981, Neal 1998). Each is a Metropolis step. `middle` [2, column]
    gives that mean as (c + middle_0) middle_1; any is allowed that does not depend on the coordinate itself.
    """
    precision, laplace, columns = surrogate.precision, surrogate.laplace, plan.columns
    middle = surrogate.middle
    n = len(w)
    for step in range(n):
        k = step if forward else n - 1 - step
        h, old, rate = precision[k, k], w[k], columns[k, 2]
        c = gradient[k] + h * old
        new = 2.0 * (c + middle[0, k]) * middle[1, k] - old
        difference = new - old
        loss = difference * (0.5 * h * (new + old) - c)
        loss += rate * (abs(new) - abs(old)) if laplace[k] else 0.5 * rate * rate * difference * (new + old)
        if loss <= 0.0 or rng.standard_exponential() >= loss:
            w[k] = new
            for m in range(n):
                gradient[m] -= difference * precision[k, m]


@compiled(inner=True)
def sweep(
    surrogate: Surrogate, plan: Plan, w: FloatArray, gradient: FloatArray, forward: bool, rng: np.random.Generator
) -> None:
    """Redraw every coordinate of w given the others, move along ridges and directions, reflect; or all in reverse."""
    ridges, reflects, n_directions = plan.ridges, surrogate.middle.shape[1] > 0, len(surrogate.directions)
    if forward:
        _redraw(surrogate, plan, w, gradient, forward, rng)
    elif reflects:
        _reflect(surrogate, plan, w, gradient, forward, rng)
    if not forward:
        for d in range(n_directions):
            _move_along(surrogate, plan, w, gradient, n_directions - 1 - d, rng)
    for step in range(len(ridges)):
        at = step if forward else len(ridges) - 1 - step
        _move_along_ridge(surrogate, w, gradient, int(ridges[at, 0]), int(ridges[at, 1]), ridges[at, 2], rng)
    if forward:
        for d in range(n_directions):
            _move_along(surrogate, plan, w, gradient, d, rng)
    if not forward:
        _redraw(surrogate, plan, w, gradient, forward, rng)
    elif reflects:
        _reflect(surrogate, plan, w, gradient, forward, rng)


@compiled()
def set_gradient(surrogate: Surrogate, w: FloatArray, gradient: FloatArray) -> None:
    """Compute the gradient afresh."""
    for k in range(len(w)):
        total = surrogate.linear[k]
        for m in range(len(w)):
            total -= surrogate.precision[k, m] * w[m]
        gradient[k] = total
