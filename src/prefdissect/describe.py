"""What a dissection says of itself in a few lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from prefdissect.features import Design
from prefdissect.inference import UNLIKE, Pooled
from prefdissect.tables import top_table

__all__ = ["describe", "tell_of_pooling"]

_MOST_CELLS = 12
_SHOWN = 3


def describe(
    weights: pd.DataFrame,
    dropped: pd.DataFrame,
    options: Mapping[str, Any],
    kept_draws: int,
    design: Design,
    pooled: Pooled | None = None,
) -> str:
    """Return the most and least preferred properties of each judge and group, with intervals, and what is beside."""
    cells = weights.drop_duplicates(["judge", "group"])
    fitted = cells[cells["engine"] != "none"]
    judges, groups = cells["judge"].nunique(), cells["group"].nunique()
    percent = f"{100 * weights.attrs['interval']:g}%"
    lines = [
        f"Dissection: {judges} judge{'s' * (judges != 1)} x {groups} group{'s' * (groups != 1)}, "
        f"{weights['property'].nunique()} properties ({options['encoding']}); {_how_made(options)}; "
        f"weights with {percent} equal-tailed intervals"
    ]
    if set(cells["kind"]) == {"all"}:
        lines.append("All pairs are one group, 'all'." + _why_one_group(options))
    shown = fitted.head(_MOST_CELLS)
    rows_shown = weights[weights["judge"].isin(shown["judge"]) & weights["group"].isin(shown["group"])]
    top = top_table(rows_shown, _SHOWN)
    n_known = rows_shown.groupby(["judge", "group"])["identified"].sum().to_dict()
    for cell in shown.itertuples():
        rows = top[(top["judge"] == cell.judge) & (top["group"] == cell.group)]
        rows = rows[rows["rank"] <= max(1, n_known[cell.judge, cell.group] // 2)]  # none on both sides
        mark = "" if cell.certified else " (NOT certified: see the warning)"
        lines.append(f"\n{cell.judge}, {cell.group}: {cell.n_pairs:,} pairs{mark}")
        for side in ("most", "least"):
            entries = map(_entry, rows[rows["side"] == side].itertuples())
            lines.append(f"  {side:<5}  " + ", ".join(entries))
    if len(fitted) > _MOST_CELLS:
        lines.append(f"\n... and {len(fitted) - _MOST_CELLS} more; see .weights, .summary(), .top()")
    if pooled is None and kept_draws < options.get("draws", kept_draws):
        lines.append(f"\n.posterior keeps {kept_draws} of {options['draws']} draws a chain; the tables use all of them")
    lines += ["", *tell_of_pooling(pooled)] if pooled is not None else []
    lines += _footnotes(weights, cells, dropped, design, weighs=options.get("cluster", "none") == "auto")
    return "\n".join(lines)


def _how_made(options: Mapping[str, Any]) -> str:
    """Name the engine; a robust fit has its own, which no `engine=` chooses."""
    if options.get("pooling", "none") == "partial":
        return "pooled, prior learned"
    engine = "robust, by clusters of pairs" if options.get("robust") else options["engine"]
    engine = f"engine {engine}" if options.get("pooling", "none") == "none" else "pooled in full"
    return f"prior {options['prior']}, {engine}"


def tell_of_pooling(pooled: Pooled) -> list[str]:
    """Return lines that say whether pooling paid, for whom it did not, and who is unlike the others."""
    if pooled.gain.empty:
        return ["Pooling gain: not measured, as all pairs are of one cluster"]
    *each, whole = pooled.gain.to_dict("records")
    by_judge = [f"{row['judge']} {1000 * row['gain']:+.1f}" for row in each]
    more = f" and {len(each) - _MOST_CELLS} more" if len(each) > _MOST_CELLS else ""
    lines = [
        f"Pooling gain, held out: {1000 * whole['gain']:+.1f}e-3 nats a verdict (se {1000 * whole['se']:.1f}e-3), "
        f"log loss {whole['apart']:.4f} apart, {whole['pooled']:.4f} pooled",
        f"  {_whether_it_paid(whole['gain'], whole['se'])}",
        f"  by judge, e-3 (see .pooling_gain): {', '.join(by_judge[:_MOST_CELLS])}{more}",
    ]
    if pooled.pair_sd:
        lines.append(
            f"Pairs have something that all judges see and no property names: sd {pooled.pair_sd:.2f} log-odds"
        )
    unlike = [f"{row['judge']} (factor {row['factor']:.0f})" for row in each if row["factor"] > UNLIKE]
    if unlike:
        lines.append(f"Unlike the other judges, consider exclude_from_pool=: {', '.join(unlike)}")
    return lines


def _whether_it_paid(gain: float, se: float) -> str:
    """Say what follows from a gain: two standard errors are asked for, as one is often passed by chance."""
    if gain > 2 * se:
        return "pooled fits predict better"
    same = "pooled fits predict worse" if gain < -2 * se else "within two se of 0, so that nobody can tell"
    return f"{same}: take pooling='none'"


def _why_one_group(options: Mapping[str, Any]) -> str:
    return " The data name no scenarios (no column 'scenario')." if options["by"] == "scenario" else ""


def _entry(row: Any) -> str:
    return f"{row.label} {row.mean:+z.2f} [{row.lower:z.2f}, {row.upper:z.2f}]"


def _beside(design: Design) -> list[str]:
    """Say what fits hold beside properties, and what is to be known of it."""
    ties = [f"ties ({design.ties})"] if any(design.tie_model(judge) for judge in design.judges) else []
    order = ["being shown first"] if "order" in design.roles else []
    n = design.roles.count("generator")
    named = [*ties, *order, *([f"{n} models that wrote responses"] if n else [])]
    return ([f"Beside properties: {', '.join(named)}; see .nuisance"] if named else []) + list(design.notes)


def _footnotes(
    weights: pd.DataFrame, cells: pd.DataFrame, dropped: pd.DataFrame, design: Design, *, weighs: bool
) -> list[str]:
    """Say what is fitted beside properties, how rows weigh, and what was not fitted, not identified and left out."""
    notes = _beside(design)
    if weighs:
        notes.append(
            "Rows weigh one over the design effect of clusters of pairs (by default of one prompt); see .certificates"
        )
    thin = cells[cells["engine"] == "none"]
    if len(thin):
        named = ", ".join(f"{c.judge} in {c.group} ({c.n_pairs})" for c in thin.itertuples())
        notes.append(f"Not fitted, too few pairs: {named}")
    flat = weights[(weights["engine"] != "none") & ~weights["identified"]]
    if len(flat):
        borrowed = "the pool's" if (flat["engine"] == "pooled").any() else "the prior"
        notes.append(
            f"Not identified, the property never differs, so the weight is {borrowed}: {len(flat)} of {len(weights)}"
        )
    soft = int(cells["n_soft"].sum())
    if soft:
        notes.append(f"Preferences between A and B (intervals are not calibrated for them): {soft:,}")
    if len(dropped):
        sums = dropped.groupby("reason")["n"].sum().sort_values(ascending=False)
        notes.append("Left out (pairs, over judges and groups): " + ", ".join(f"{n:,} {r}" for r, n in sums.items()))
    return ["", *notes] if notes else []
