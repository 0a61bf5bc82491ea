"""Judges as a tree of clusters, and how much of it the data support."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from prefdissect._typing import FloatArray, check_choice, check_count, check_positive
from prefdissect.errors import DataError, OptionError

__all__ = ["JudgeClusters", "Linkage", "check_clusters", "cluster_judges"]

Linkage: TypeAlias = Literal["average", "complete", "single", "ward"]
_MOST_TREES = 1000  # of draws: the support of a branch is then known to 0.03
_MOST_BY_ITSELF = 8  # clusters, where nobody says how many


@dataclass(frozen=True, eq=False, repr=False)
class JudgeClusters:
    """A tree of judges, cut into clusters, with the share of posterior draws that agree.

    Parameters
    ----------
    judges
        Names, in the order of the leaves: neighbours are as alike as the tree allows.
    labels
        Cluster of each judge, numbered from 1 along the leaves.
    linkage
        SciPy's linkage matrix, [judge - 1, 4]; its leaves are numbered as `names`.
    names
        Judges as `linkage` numbers them.
    support
        One row per branch: its judges, its height, and the share of draws whose tree has a branch of just these
        judges; NaN where only points are known.
    together
        Share of draws in which two judges fall into one cluster, of as many clusters; None where only points are known.

    Examples
    --------
    >>> import numpy as np
    >>> from prefdissect.compare import cluster_judges
    >>> distance = np.array([[0, 0.1, 0.8], [0.1, 0, 0.9], [0.8, 0.9, 0]])
    >>> cluster_judges(distance, ["a", "b", "c"], k=2).labels.to_dict()
    {'c': 1, 'a': 2, 'b': 2}
    """

    judges: tuple[str, ...]
    labels: pd.Series
    linkage: FloatArray
    names: tuple[str, ...]
    support: pd.DataFrame
    together: pd.DataFrame | None

    @property
    def k(self) -> int:
        """Number of clusters."""
        return int(self.labels.max())

    def __repr__(self) -> str:
        from prefdissect.compare.describe import describe_clusters

        return describe_clusters(self)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


def cluster_judges(
    distance: FloatArray,
    judges: tuple[str, ...] | list[str],
    draws: NDArray[np.float32] | None = None,
    *,
    k: int | None = None,
    height: float | None = None,
    linkage: Linkage = "average",
) -> JudgeClusters:
    """Return the tree of judges by their distances [judge, judge], and its support over draws [draw, judge, judge].

    Hierarchical clustering with optimal leaf order (SciPy). Cut into `k` clusters or at a `height`; without either
    where the step between two successive mergers is longest, into 8 clusters at most.

    Raises
    ------
    DataError
        If there is one judge only, or a distance is NaN: it names the judges.
    OptionError
        If both `k` and `height` are given, or `k` is more than there are judges.
    """
    check_choice("linkage", linkage, Linkage)
    if len(judges) < 2:
        raise DataError(f"clusters are of several judges, and {judges[0]!r} is alone here; select two judges or more")
    if k is not None and height is not None:
        raise OptionError(f"k={k!r} and height={height!r}: cut into so many clusters or at a height, not both")
    if k is not None:
        check_clusters(k, len(judges))
    if height is not None:
        check_positive("height", height)
    off = np.isnan(distance) & ~np.eye(len(judges), dtype=bool)
    if off.any():
        a, b = np.argwhere(off)[0]
        raise DataError(
            f"the similarity of judges {judges[a]!r} and {judges[b]!r} is not known (NaN), so they cannot be "
            "clustered; leave one out with .sel(judge=...), or use skipna=True where fits are missing"
        )
    flat = _flatten(distance)
    tree = hierarchy.linkage(flat, linkage, optimal_ordering=True)
    cut = _cut(tree, k or _longest_step(tree)) if height is None else hierarchy.fcluster(tree, height, "distance")
    order = hierarchy.leaves_list(tree)
    renamed = {old: new for new, old in enumerate(dict.fromkeys(cut[order]), start=1)}
    labels = np.array([renamed[c] for c in cut])
    branches = _branches(tree)
    share, together = np.full(len(branches), np.nan), None
    if draws is not None:
        share, counts = _support(draws, branches, linkage, int(labels.max()))
        index = pd.Index([judges[i] for i in order], name="judge")
        together = pd.DataFrame(counts[np.ix_(order, order)], index=index, columns=index.rename(None))
    support = pd.DataFrame(
        {
            "judges": [tuple(judges[i] for i in order if i in branch) for branch in branches],
            "height": tree[:, 2],
            "support": share,
        }
    )
    return JudgeClusters(
        judges=tuple(judges[i] for i in order),
        labels=pd.Series(labels[order], index=pd.Index([judges[i] for i in order], name="judge"), name="cluster"),
        linkage=tree,
        names=tuple(judges),
        support=support,
        together=together,
    )


def check_clusters(k: int, judges: int) -> int:
    """Return `k` if so many judges can be cut into as many clusters, else raise `OptionError`."""
    if check_count("k", k) > judges:
        raise OptionError(f"k={k} clusters of {judges} judges; k is that many at most")
    return k


def _flatten(distance: FloatArray) -> FloatArray:
    """Return the distances as SciPy takes them; rounding may have left some below 0."""
    out = np.maximum((distance + distance.T) / 2, 0.0)
    np.fill_diagonal(out, 0.0)
    return np.asarray(squareform(out, checks=False))


def _cut(tree: FloatArray, k: int) -> NDArray[np.int64]:
    """Return the cluster of each leaf, exactly `k` clusters: undo the last k - 1 mergers."""
    n = len(tree) + 1
    cluster = np.arange(2 * n - 1)
    for i in range(n - k):
        cluster[cluster == cluster[int(tree[i, 0])]] = n + i
        cluster[cluster == cluster[int(tree[i, 1])]] = n + i
    return np.unique(cluster[:n], return_inverse=True)[1]


def _longest_step(tree: FloatArray) -> int:
    """Return the number of clusters, 2 to 8, before whose next merger the heights step up most."""
    n = len(tree) + 1
    if n == 2:
        return 2
    k = np.arange(2, min(_MOST_BY_ITSELF, n - 1) + 1)
    steps = tree[n - k, 2] - tree[n - k - 1, 2]
    return int(k[steps.argmax()])


def _branches(tree: FloatArray) -> list[frozenset[int]]:
    """Return the leaves of each merger."""
    n = len(tree) + 1
    members: list[frozenset[int]] = [frozenset([i]) for i in range(n)]
    for a, b in tree[:, :2].astype(int):
        members.append(members[a] | members[b])
    return members[n:]


def _support(
    draws: NDArray[np.float32], branches: list[frozenset[int]], linkage: Linkage, k: int
) -> tuple[FloatArray, FloatArray]:
    """Return the share of draws that have each branch, and that put two judges into one of `k` clusters."""
    every = np.linspace(0, len(draws) - 1, min(len(draws), _MOST_TREES)).round().astype(int)
    n, found = draws.shape[1], np.zeros(len(branches))
    together = np.zeros((n, n))
    for draw in draws[every].astype(float):
        tree = hierarchy.linkage(_flatten(draw), linkage)
        present = set(_branches(tree))
        found += [branch in present for branch in branches]
        cut = _cut(tree, k)
        together += cut[:, None] == cut
    return found / len(every), together / len(every)
