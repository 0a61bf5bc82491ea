"""A posterior that is honest about pairs which are not independent, and about labels that are not quite verdicts.

The likelihood's Gaussian block has precision H, which is the variance of the score if pairs are independent and the
model holds. What the score does vary by is seen in the data: J, from scores summed within clusters. With H inv(J) H as
precision around the same centre the block is as wide as the data say, and the prior stays exact. Few clusters tell too
little of J, and it is completed by what they tell on average.

The posterior mean is not the centre: the prior pulls it away, by about the posterior's covariance times the slope of
its log density. That covariance is another one now, so the mean moves as well, and with correlated columns it can
move either way.

Source: Müller 2013, Econometrica 81(5), on the sandwich in place of the likelihood; Liang and Zeger 1986,
Biometrika 73(1), on scores of clusters; Morel, Bokossa and Neerchal 2003, Biometrical Journal 45(4), on few of them
(with their d = 1 and r = 1).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from prefdissect._typing import FloatArray, IntArray
from prefdissect.features import Cell
from prefdissect.inference.certificate import certify_chains
from prefdissect.inference.diagnostics import diagnose
from prefdissect.inference.draws import Draws
from prefdissect.inference.ep import StandIn
from prefdissect.inference.prior import PriorArrays
from prefdissect.inference.surrogate import draw_standin
from prefdissect.inference.ties import score_rows

__all__ = ["sample_robust", "widen"]

_SMALLEST = 1e-10  # share of the largest eigenvalue of J below which a direction says nothing
_MOST_ADDED = 1.0  # of the added part, where there are hardly more clusters than columns


def widen(cell: Cell, rows: IntArray, standin: StandIn) -> StandIn:
    """Return the stand-in with the precision that the scores of clusters support.

    J = C / (C - 1) sum over clusters of s s' + d f H, s the sum over a cluster's rows of the slopes of their log
    likelihood at the posterior mean (without ties x weight (y - p)); d = min(1, k / (C - k)) of k columns,
    f = max(1, tr(inv(H) J) / k) how much they vary on average.
    Few clusters show too few directions, and J of those that they show is too small in some: what is missing is taken
    to vary like the rest, and no less than if pairs were independent. With many clusters d goes to 0. Directions in
    which no score varies, such as a column of zeros, are left to the prior, and nearly all where there is one cluster.
    """
    part = cell.take(rows)
    names, of = np.unique(part.cluster, return_inverse=True)
    each = score_rows(part, standin.mean)
    scores = np.zeros((len(names), each.shape[1]))
    np.add.at(scores, of, each)
    spread = _complete(scores.T @ scores, standin.precision, len(names)) if len(names) > 1 else scores.T @ scores
    through = standin.precision @ np.linalg.pinv(spread, rcond=_SMALLEST, hermitian=True)
    precision = through @ standin.precision
    precision = (precision + precision.T) / 2
    linear = through @ standin.linear
    cov: FloatArray = np.asarray(np.linalg.inv(precision + np.diag(standin.prior_precision)), dtype=np.float64)
    mean = cov @ (linear + standin.prior_linear)
    return replace(standin, precision=precision, linear=linear, cov=cov, mean=mean)


def _complete(spread: FloatArray, precision: FloatArray, n: int) -> FloatArray:
    """Return the variance of scores that sums of squares of `n` clusters tell; see `widen`."""
    spread = spread * n / (n - 1)
    inverse = np.linalg.pinv(precision, rcond=_SMALLEST, hermitian=True)
    k = int(np.linalg.matrix_rank(precision, tol=_SMALLEST * np.trace(precision), hermitian=True))
    share = min(_MOST_ADDED, k / (n - k)) if n > k else _MOST_ADDED
    wider = max(1.0, float((inverse * spread).sum()) / max(k, 1))
    return np.asarray(spread + share * wider * precision, dtype=np.float64)


def sample_robust(
    prior: PriorArrays, standin: StandIn, *, draws: int, chains: int, clusters: int, rng: np.random.Generator
) -> Draws:
    """Return draws of a widened stand-in with its exact prior, chains of their own."""
    weight: FloatArray = np.stack([draw_standin(standin, prior, draws, one) for one in rng.spawn(chains)])
    r_hat, ess = diagnose(weight)
    return Draws(
        weight,
        r_hat=r_hat,
        ess_bulk=ess,
        engine="robust",
        certified=standin.converged and certify_chains(r_hat, ess),
        certificate={"iterations": float(standin.iterations), "clusters": float(clusters)},
    )
