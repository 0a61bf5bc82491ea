"""Which response was shown first: whose orders are known, and vary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from prefdissect._typing import BoolArray
from prefdissect.data import PreferenceData
from prefdissect.data.combined import spread_weights
from prefdissect.errors import OptionError

__all__ = ["ORDER", "choose_orders"]

ORDER = "shown first"  # the column: 1 where A was, -1 where B was, 0 where that is not known
_FEWEST = 10  # verdicts in each order, from which on an order varies


def choose_orders(
    data: PreferenceData, judges: Sequence[str], position: bool | Literal["auto"]
) -> tuple[BoolArray | None, tuple[str, ...]]:
    """Return whose orders count, [judge], None if nobody's do, and what to say of it.

    `auto`: those of judges with ten verdicts in each order at least. `True`: all that are known, also where A always
    was first: the column then is an intercept.

    Raises
    ------
    OptionError
        If `position` is True and no order is known.
    """
    if position is False:
        return None, ()
    given = spread_weights(data.verdicts)
    table = given[(given["weight"] > 0) & given["judge"].isin(judges)]
    first, judge = table["first"].astype(object).to_numpy(), table["judge"].astype(object).to_numpy()
    counts = np.array([[int(((judge == j) & (first == side)).sum()) for side in ("A", "B", "unknown")] for j in judges])
    known = counts[:, :2].sum(axis=1)
    if position is True and not known.any():
        raise OptionError(
            "position=True, but no verdict says which response was shown first (column 'first' in a table of one row "
            "per verdict); position='auto' leaves the term out"
        )
    counted = known > 0 if position is True else counts[:, :2].min(axis=1) >= _FEWEST
    notes = tuple(_describe(judges, counts, counted, known))
    return (np.asarray(counted, dtype=bool) if counted.any() else None), notes


def _describe(judges: Sequence[str], counts: np.ndarray, counted: np.ndarray, known: np.ndarray) -> list[str]:
    """Say what is unusual: orders that do not vary, and verdicts whose order is not known."""
    notes = []
    fixed = [judge for judge, n, on in zip(judges, known, counted, strict=True) if n and not on]
    if fixed:
        notes.append(
            f"order: hardly varies for {', '.join(fixed[:3])}{' and more' * (len(fixed) > 3)} (fewer than {_FEWEST} "
            "verdicts in one order), so that being shown first is not told from being A; position=True takes it as that"
        )
    partly = [f"{n:,} of {judge}" for judge, (_, _, n), on in zip(judges, counts, counted, strict=True) if on and n]
    if partly:
        notes.append(f"order: not known of some verdicts, which count as shown in neither: {', '.join(partly[:3])}")
    return notes
