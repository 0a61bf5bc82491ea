"""Similarities, trees and tests in a few lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from prefdissect.compare.clusters import JudgeClusters
    from prefdissect.compare.grouping import GroupingTest
    from prefdissect.compare.similarity import JudgeSimilarity

__all__ = ["cautions", "describe_clusters", "describe_grouping", "describe_similarity"]

_MOST_ROWS, _ENDS = 12, 5
# Simulated at 400 pairs a group with weights as small as Laplace(0.1), where the signal is about 0.4: 94% intervals
# covered a similarity of 0.3 or 0.6 in 98%, and of 0.9 in 92% of 400 studies (docs/reference/similarity-coverage.md).
_LOW_SIGNAL = 0.5
_CAUTION = (
    "caution: in {n} of {total} fits more than half of what the weights say is noise. In simulations like that 94% "
    "intervals covered similarities of 0.3 and 0.6 in 98% of studies (too wide) and of 0.9 in 92%, and the point for "
    "a judge and itself was 0.49: more pairs help, and points mean little"
)


def cautions(similarity: JudgeSimilarity) -> list[str]:
    """Return the notes, and a warning where noise outweighs the weights in a tenth of the fits."""
    said = [f"note: {note}" for note in similarity.notes]
    if similarity.signal is not None:
        known = similarity.signal[np.isfinite(similarity.signal)]
        low = int((known < _LOW_SIGNAL).sum())
        said += [_CAUTION.format(n=low, total=known.size)] if low > 0.1 * known.size else []
    return said


def describe_similarity(similarity: JudgeSimilarity) -> str:
    """Return the pairs of judges, the most alike first; of many the two ends."""
    if len(similarity.judges) == 1:
        return _describe_one(similarity)
    table = similarity.to_frame()
    group = table["group"].iloc[0]
    table = table[table["group"] == group].sort_values("similarity", ascending=False, kind="stable")
    n_scenarios = sum(kind != "case" for kind in similarity.kinds.values())
    of = f"mean over {n_scenarios} scenarios" if n_scenarios > 1 else group
    lines = [f"<JudgeSimilarity {similarity.method}: {len(similarity.judges)} judges, {of}>"]
    left_out = len(table) - 2 * _ENDS
    rows = table if len(table) <= _MOST_ROWS else table.iloc[[*range(_ENDS), *range(len(table) - _ENDS, len(table))]]
    lines += _table_of_pairs(rows, similarity)
    if len(table) > _MOST_ROWS:
        lines.append(f"({left_out} pairs between the {_ENDS} most and the {_ENDS} least alike are not shown)")
    if similarity.draws is None:
        lines.append("points only: no posterior is known, so nothing says how sure they are")
    else:
        lines.append(
            "similarity: of posterior means, as in the paper, lowered by noise; corrected: of the true weights"
        )
    return "\n".join([*lines, *cautions(similarity)])


def _describe_one(similarity: JudgeSimilarity) -> str:
    """Return that one judge is compared with nobody."""
    return (
        f"<JudgeSimilarity {similarity.method}: 1 judge>\n{similarity.judges[0]!r} is alone here, so nothing is "
        "compared; select two judges or more"
    )


def _table_of_pairs(table: pd.DataFrame, similarity: JudgeSimilarity) -> list[str]:
    from tabulate import tabulate

    shown = table[["judge_a", "judge_b", "similarity"]].copy()
    if similarity.draws is not None:
        shown["corrected"] = table["corrected"]
        bounds = zip(table["lower"], table["upper"], strict=True)
        shown[f"{100 * similarity.interval:g}% interval"] = [f"[{low:.2f}, {high:.2f}]" for low, high in bounds]
    if "kappa" in table:
        shown["agreement"], shown["kappa"] = table["agreement"], table["kappa"]
    return str(tabulate(shown.to_dict("list"), headers="keys", tablefmt="simple", floatfmt=".3f")).splitlines()


def describe_clusters(clusters: JudgeClusters) -> str:
    """Return the tree as indented text: each branch with its height, and the share of draws that have it."""
    names, n = clusters.names, len(clusters.names)
    support = clusters.support["support"].to_numpy()
    cluster = clusters.labels.to_dict()
    lines = [f"<JudgeClusters: {n} judges in {clusters.k} clusters>"]

    def grow(node: int, prefix: str, is_last: bool, is_root: bool) -> None:
        stem = "" if is_root else ("└─ " if is_last else "├─ ")
        if node < n:
            lines.append(f"{prefix}{stem}{names[node]} ({cluster[names[node]]})")
            return
        left, right, height = clusters.linkage[node - n, :3]
        share = support[node - n]
        sure = "" if np.isnan(share) or is_root else f", in {100 * share:.0f}% of draws"
        lines.append(f"{prefix}{stem}{height:.2f}{sure}")
        further = prefix if is_root else prefix + ("   " if is_last else "│  ")
        grow(int(left), further, False, False)
        grow(int(right), further, True, False)

    grow(2 * n - 2, "", True, True)
    counted = "" if np.isnan(support).all() else ", and in how many posterior draws they are"
    lines.append(f"branches at their height{counted}; (number of the cluster)")
    return "\n".join(lines)


def describe_grouping(test: GroupingTest) -> str:
    """Return the means within and between classes, their difference and its p-value."""
    from tabulate import tabulate

    shown = test.table.copy()
    if shown["corrected"].isna().all():
        shown = shown.drop(columns=["corrected", "lower", "upper"])
    lines = ["<GroupingTest>", *tabulate(shown.to_dict("list"), headers="keys", floatfmt=".3f").splitlines()]
    sure = (
        "" if np.isnan(test.lower) else f" (corrected {test.corrected:.3f}, from {test.lower:.3f} to {test.upper:.3f})"
    )
    how = "all" if test.exact else "random"
    lines.append(
        f"within minus between: {test.difference:.3f}{sure}; p = {test.p_value:.4f} over {test.permutations:,} ({how}) "
        "permutations of judges"
    )
    if test.left_out:
        lines.append(f"without a class (or a stratum), left out: {', '.join(test.left_out)}")
    return "\n".join(lines)
