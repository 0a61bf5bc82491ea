"""From ratings and verdicts to the signed design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from prefdissect._typing import BoolArray, Encoding, FloatArray, Role, Ties
from prefdissect.data import PreferenceData
from prefdissect.data.flags import flags_of
from prefdissect.errors import DataError
from prefdissect.features.design import Design
from prefdissect.features.encoder import build_encoder
from prefdissect.features.grouping import NO_GROUP, check_group_names, choose_groups
from prefdissect.terms import ORDER, VerdictRows, choose_orders, generator_columns, reasons_of_absence, rows_of

__all__ = ["build_design"]


def build_design(
    data: PreferenceData,
    judges: Sequence[str],
    *,
    by: str | None,
    encoding: Encoding,
    ties: Ties,
    position: bool | Literal["auto"] = False,
    generators: bool | Literal["auto"] = False,
    nuisance: Mapping[str, FloatArray] | None = None,
) -> Design:
    """Encode all pairs, gather the preferences of the judges, and count what is left out.

    `position` and `generators`: see `choose_orders` and `generator_columns`. `nuisance` holds other signed columns,
    [pair], that are no properties: they are fitted beside them, and stand in no table of properties.

    Raises
    ------
    DataError
        If there is no property, or a judge has no usable verdict.
    ColumnError
        If `by` names no kind of group and no column, or a group has a name that tables use for something else.
    OptionError
        If `position` or `generators` is True and nothing is known of it.
    """
    _check_rated(data)
    groups, kinds = choose_groups(data, by)
    check_group_names(kinds)
    encoder = build_encoder(data, encoding)
    x, in_group = encoder.encode(data), groups.to_numpy(dtype=bool)
    of_pairs = rows_of(data, judges, ties)
    weight, why = _why_absent(data, judges, ties, x, of_pairs)
    used = np.asarray(np.isfinite(x).all(axis=1) & (weight > 0).any(axis=1) & in_group.any(axis=1), dtype=bool)
    orders, of_order = choose_orders(data, judges, position)
    named, of_names = generator_columns(data, used, len(groups.columns), generators)
    rows = of_pairs if position is False else rows_of(data, judges, ties, orders=orders, repeats=True)
    columns = _columns(data.properties, x, rows, {**named, **(nuisance or {})}, ordered=orders is not None)
    kept = np.flatnonzero(used[rows.pair] & ((rows.weight > 0) & (weight[rows.pair] > 0)).any(axis=1))
    pair = rows.pair[kept]
    return Design(
        encoder=encoder,
        columns=tuple(columns),
        roles=tuple(_role_of(name, data.properties, named) for name in columns),
        pair_ids=data.pairs.index.to_numpy(dtype=object)[pair],
        x=np.column_stack(list(columns.values()))[kept],
        y=rows.y[kept],
        weight=np.where(weight[pair] > 0, rows.weight[kept], 0.0),
        tied=rows.tied[kept],
        open=rows.open[kept],
        cluster=pd.factorize(data.pairs["cluster"].to_numpy(dtype=object)[pair])[0].astype(np.int64),
        in_group=in_group[pair],
        judges=tuple(judges),
        groups=tuple(map(str, groups.columns)),
        group_kinds=kinds,
        dropped=_count(why, in_group, judges, list(groups.columns)),
        ties=ties,
        may_tie=np.asarray((rows.tied * (rows.weight > 0)).any(axis=0), dtype=bool),
        correlation=rows.correlation,
        notes=(*of_order, *of_names),
    )


def _check_rated(data: PreferenceData) -> None:
    if not data.properties:
        ways = (
            "add numeric columns <x>_a and <x>_b, or texts to measure in response_a and response_b; name columns in "
            "load(..., properties=); or use data.join_ratings()"
        )
        raise DataError(
            "these data rate no property, so there is nothing to dissect; "
            f"{'; '.join([*data.report.hints, ways])}; columns: {', '.join(data.source_columns)}"
        )


def _why_absent(
    data: PreferenceData, judges: Sequence[str], ties: Ties, x: FloatArray, said: VerdictRows
) -> tuple[FloatArray, np.ndarray[Any, Any]]:
    """Return the weight of each pair, 0 where it cannot be used, and why, "" where it can, [pair, judge]."""
    weight, why, tied = said.weight, reasons_of_absence(data, judges, said), said.tied * said.weight
    for j, judge in enumerate(judges):
        if not weight[:, j].any():
            counts = pd.Series(why[:, j]).value_counts()
            found = ", ".join(f"{n} pairs: {reason}" for reason, n in counts.items())
            raise DataError(f"judge {judge!r} has no usable verdict ({found}); leave it out of judge=")
        if ties != "half" and (tied[:, j] >= weight[:, j] - 1e-9).all():
            n = int((weight[:, j] > 0).sum())
            raise DataError(f"judge {judge!r} decided no pair: all {n} usable verdicts are ties; leave it out")
    flags = flags_of(data.pairs)[:, None]
    weight = np.where(flags == "", weight, 0.0)
    why = np.where((why == "") & (flags != ""), flags, why)
    lacking = np.array([f"no rating of {p}" for p in data.properties], dtype=object)[np.isnan(x).argmax(axis=1)]
    return weight, np.where((why == "") & np.isnan(x).any(axis=1, keepdims=True), lacking[:, None], why)


def _columns(
    properties: Sequence[str], x: FloatArray, rows: VerdictRows, extra: Mapping[str, FloatArray], *, ordered: bool
) -> dict[str, FloatArray]:
    """Return all columns, [row] each: properties, who was shown first, and those of pairs."""
    columns = {name: x[rows.pair, k] for k, name in enumerate(properties)}
    if ordered:
        columns[ORDER] = rows.first
    return columns | {name: values[rows.pair] for name, values in extra.items()}


def _role_of(name: str, properties: Sequence[str], generators: Mapping[str, FloatArray]) -> Role:
    if name in properties:
        return "property"
    return "generator" if name in generators else "order" if name == ORDER else "nuisance"


def _count(
    why: np.ndarray[Any, Any], in_group: BoolArray, judges: Sequence[str], groups: Sequence[str]
) -> pd.DataFrame:
    """Return how many pairs of each group are left out for each judge, by reason."""
    rows = []
    for reason in sorted(set(why.ravel()) - {""}):
        counts = (why == reason).T.astype(np.int64) @ in_group.astype(np.int64)
        rows += [(judges[j], groups[g], reason, int(counts[j, g])) for j, g in zip(*counts.nonzero(), strict=True)]
    outside = int((~in_group.any(axis=1)).sum())
    rows += [(judge, NO_GROUP, "in no group", outside) for judge in judges if outside]
    table = pd.DataFrame(rows, columns=["judge", "group", "reason", "n"])
    return table.astype({"judge": "str", "group": "str", "reason": "str", "n": np.int64})
