"""How alike judges are: tables of every measure and group, draws for the support of any tree, released judges."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from prefdissect.compare import Measure
from prefdissect.compare.rows import names_of_rows
from prefdissect.report.contents import Compared, Contents
from prefdissect.report.packing import pack, pack_within

__all__ = ["judges_section"]

_DRAWS = 100  # of all weights: the support of a branch is then known to 0.05


def judges_section(contents: Contents) -> dict[str, Any] | None:
    """Return similarities [row, pair of judges] of each measure, ceilings [row, judge], and draws.

    Rows are `overall` and the groups; pairs of judges are those above the diagonal, row by row. Where no two judges can
    be compared, nothing is known of them but how they are beside released judges; None where there are none of these.
    """
    known = contents.similarities
    if not known and contents.reference is None:
        return None
    rows = names_of_rows(contents.posterior.groups, contents.design.group_kinds)
    n = len(contents.posterior.judges)
    return {
        "rows": rows,
        "measures": {
            name: _measure(known[name], rows) if known else _unknown(len(rows), n) for name in get_args(Measure)
        },
        "notes": list(next(iter(known.values())).notes) if known else [],
        "draws": _draws(contents) if known else None,
        "reference": _reference(contents),
    }


def _measure(compared: Compared, rows: list[str]) -> dict[str, Any]:
    table = compared.table
    shape = len(rows), len(table) // len(rows)
    values = {name: pack(table[name].to_numpy().reshape(shape)) for name in ("similarity", "corrected")}
    values |= {name: pack(table[name].to_numpy().reshape(shape)) for name in ("lower", "upper")}
    for name in ("agreement", "kappa", "n"):
        values[name] = pack(table[name].to_numpy(dtype=float).reshape(shape))
    return {**values, "ceiling": pack(compared.ceiling[rows].to_numpy().T)}


def _unknown(n_rows: int, n_judges: int) -> dict[str, Any]:
    """Return what `_measure` does, all of it missing."""
    pairs = pack(np.full((n_rows, n_judges * (n_judges - 1) // 2), np.nan))
    names = ("similarity", "corrected", "lower", "upper", "agreement", "kappa", "n")
    return {**dict.fromkeys(names, pairs), "ceiling": pack(np.full((n_rows, n_judges), np.nan))}


def _draws(contents: Contents) -> dict[str, Any]:
    """Return 100 joint draws of the weights, [draw, group, judge, property], as the middle and steps around it."""
    joint = contents.joint
    if joint is None:
        raise ValueError("there are no joint draws of one judge")
    chosen = np.asarray(joint[np.linspace(0, len(joint) - 1, min(len(joint), _DRAWS)).round().astype(int)], dtype=float)
    middle = chosen.mean(axis=0)
    reach = np.abs(chosen - middle).max(axis=0)
    return {"middle": pack(middle), "reach": pack(reach), "steps": pack_within(chosen - middle, reach)}


def _reference(contents: Contents) -> dict[str, Any] | None:
    """Return released mean weights in the groups and properties of this dissection."""
    reference = contents.reference
    if reference is None:
        return None
    groups, ids = contents.posterior.groups, contents.design.encoder.schema.ids
    shared = [g for g in groups if g in reference.groups]
    weight = np.full((len(reference.judges), len(groups), len(ids)), np.nan)
    at = [reference.properties.index(name) for name in ids]
    for group in shared:
        weight[:, groups.index(group)] = reference.weight[:, reference.groups.index(group)][:, at]
    return {"name": reference.name, "judges": list(reference.judges), "mean": pack(weight)}
