"""How far a judge agrees with itself: position consistency, position bias, and how decided it is, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from prefdissect._typing import FloatArray, IntArray, Orders

__all__ = ["INTERVAL", "Measured", "measure_bias", "measure_consistency", "measure_intensity"]

INTERVAL = 0.94
_DRAWS = 10_000


@dataclass(frozen=True)
class Measured:
    """A figure, the 94% interval around it, and the pairs that it rests on; NaN where it cannot be known.

    Examples
    --------
    >>> from prefdissect.judge import Measured
    >>> Measured(0.93, 0.89, 0.96, 200)
    0.93 (0.89 to 0.96, 200 pairs)
    """

    value: float
    lower: float
    upper: float
    n_pairs: int

    def __repr__(self) -> str:
        if not self.n_pairs:
            return "not known"
        pairs = f"{self.n_pairs:,} pair{'s' * (self.n_pairs != 1)}"
        return f"{self.value:.2f} ({self.lower:.2f} to {self.upper:.2f}, {pairs})"


_UNKNOWN = Measured(np.nan, np.nan, np.nan, 0)


def measure_consistency(verdicts: pd.DataFrame, clusters: pd.Series) -> Measured:
    """Return the share of pairs, asked in both orders, on which both orders have the same winner, or both none.

    `verdicts` are the rows of one judge, `clusters` [pair] names the cluster of each. The interval is Jeffreys' for a
    share, Beta(hits + 1/2, misses + 1/2), with as many pairs as independent ones would say the same: where the pairs of
    a prompt are alike, their number is divided by the design effect.

    Source: Jeffreys 1961; Korn & Graubard 1998, Survey Methodology 24.
    """
    both = _by_order(verdicts).dropna()
    if not len(both):
        return _UNKNOWN
    same = (np.sign(both["A"] - 0.5) == np.sign(both["B"] - 0.5)).to_numpy(dtype=float)
    return share_of(same, _codes(both.index, clusters))


def share_of(hits: FloatArray, cluster: IntArray) -> Measured:
    """Return the share of hits (0 or 1), [pair], with Jeffreys' interval."""
    from scipy.special import betaincinv

    share, n = float(hits.mean()), effective_number(hits, cluster)
    tails = np.array([(1 - INTERVAL) / 2, (1 + INTERVAL) / 2])
    lower, upper = betaincinv(share * n + 0.5, (1 - share) * n + 0.5, tails)
    return _around(share, lower, upper, len(hits))


def measure_bias(verdicts: pd.DataFrame, clusters: pd.Series, orders: Orders) -> Measured:
    """Return by how many points being shown first raises the chance to win, above 50 of 100.

    From pairs that were asked in both orders, or from random ones; not known where A was always first. In both orders
    a pair adds 50 points where the first response won both times, -50 where the second did, 0 where the same one won.
    The interval is that of Jeffreys' prior for the shares of these three, Dirichlet(counts + 1/2), from 10,000 draws;
    for pairs of a prompt that are alike, counts are divided by the design effect.
    """
    won = _by_order(verdicts)
    if orders == "both":
        won = won.dropna()
        gained = (won["A"] - won["B"]) / 2
    elif orders == "random":
        gained = pd.concat([won["A"] - 0.5, 0.5 - won["B"]], axis=1).mean(axis=1).dropna()
    else:
        return _UNKNOWN
    if not len(gained):
        return _UNKNOWN
    return gain_of(gained.to_numpy(dtype=float), _codes(gained.index, clusters), evened=orders == "both")


def gain_of(gained: FloatArray, cluster: IntArray, *, evened: bool) -> Measured:
    """Return the mean of what pairs gain by the order, -1/2 to 1/2, in points, with Jeffreys' interval.

    `evened` says whether a pair may gain nothing: not where each is asked once, unless there are ties.
    """
    n = effective_number(gained, cluster)
    first, second = 2 * np.maximum(gained, 0).mean(), 2 * np.maximum(-gained, 0).mean()
    shares = np.maximum([first, second, 1 - first - second], 0.0)
    if not evened and shares[2] < 1e-12:
        shares = shares[:2]
    draws = np.random.default_rng(0).dirichlet(shares * n + 0.5, _DRAWS)
    lower, upper = np.quantile(50 * (draws[:, 0] - draws[:, 1]), [(1 - INTERVAL) / 2, (1 + INTERVAL) / 2])
    return _around(100 * float(gained.mean()), lower, upper, len(gained))


def _around(value: float, lower: float, upper: float, n_pairs: int) -> Measured:
    """Return a figure whose interval holds it: where all pairs say the same, Jeffreys' would begin beside it."""
    return Measured(value, min(value, float(lower)), max(value, float(upper)), n_pairs)


def measure_intensity(verdicts: pd.DataFrame) -> float:
    """Return the mean absolute difference between the log-probabilities of A and B, averaged over a pair's questions.

    NaN where no pair has log-probabilities. Where one of the two is only an upper bound, the difference is a lower one.

    Source: Li et al., ACL 2024.
    """
    if "logprob_a" not in verdicts:
        return float("nan")
    difference = (verdicts["logprob_a"] - verdicts["logprob_b"]).groupby(verdicts["pair_id"].to_numpy()).mean()
    known = difference[np.isfinite(difference)]
    return float(known.abs().mean()) if len(known) else float("nan")


def effective_number(values: FloatArray, cluster: IntArray) -> float:
    """Return how many independent values would say as much of their mean: the number over the design effect.

    The design effect is the variance of the mean by sums over clusters, over that of independent values, at least 1.
    Where all values are equal it cannot be known, and each cluster counts once.
    """
    n, residual = len(values), values - values.mean()
    sums = np.bincount(cluster, weights=residual)
    groups, spread = len(sums), float((residual**2).sum())
    if spread <= 1e-12 * n or groups < 2:
        return float(groups)
    effect = float((sums**2).sum()) * groups / (groups - 1) / (spread * n / (n - 1))
    return n / max(effect, 1.0)


def _codes(pairs: pd.Index, clusters: pd.Series) -> IntArray:
    return pd.factorize(clusters.reindex(pairs).to_numpy(dtype=object))[0].astype(np.int64)


def _by_order(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of usable verdicts, [pair, which was first: A, B]."""
    usable = verdicts[verdicts["value"].notna()]
    means = usable.groupby([usable["pair_id"].to_numpy(), usable["first"].astype(str).to_numpy()])["value"].mean()
    return means.unstack().reindex(columns=["A", "B"])
