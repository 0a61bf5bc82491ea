"""Which response is A, where a source puts the preferred one first."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from prefdissect.data.identity import hash_text

__all__ = ["CHOSEN_FIRST", "name_pair", "number_repeats", "orient_chosen", "swap_sides"]

CHOSEN_FIRST = (
    "A and B",
    "the source puts the preferred response first; a hash of the texts decides which one is A",
)


def _key(prompt: object, response: object) -> str:
    return hash_text(f"{prompt}\x1f{response}")


def name_pair(prompt: object, one: object, other: object) -> str:
    """Return an id that is the same whichever response comes first."""
    return hash_text("\x1f".join([str(prompt), *sorted((str(one), str(other)))]))


def swap_sides(table: pd.DataFrame, swapped: pd.Series) -> pd.DataFrame:
    """Return the table with the columns `<x>_a` and `<x>_b` exchanged in the rows that are `swapped`."""
    out = table.copy()
    for a in [c for c in table.columns if c.endswith("_a") and f"{c[:-1]}b" in table.columns]:
        b = f"{a[:-1]}b"
        out[a], out[b] = table[a].where(~swapped, table[b]), table[b].where(~swapped, table[a])
    return out


def orient_chosen(table: pd.DataFrame, judge: str) -> pd.DataFrame:
    """Return a table whose side A is the preferred response as one whose sides are in an order that says nothing.

    The order depends on the texts only, so that two verdicts on the same pair agree on which is A.
    The verdicts of `judge` are added, and a `pair_id` where there is none. A verdict that stands there
    already, "tie" or "invalid", remains.
    """
    texts = table[["prompt", "response_a", "response_b"]].itertuples(index=False)
    keys = [(_key(prompt, a), _key(prompt, b), name_pair(prompt, a, b)) for prompt, a, b in texts]
    swapped = pd.Series([b < a for a, b, _ in keys], index=table.index, dtype=bool)
    out = swap_sides(table, swapped)
    column = f"judge_{judge}"
    won = swapped.map({False: "A", True: "B"}).astype(object)
    out[column] = won.where(table[column].isna(), table[column]) if column in table else won
    if "pair_id" not in out:
        out.insert(0, "pair_id", number_repeats([name for _, _, name in keys]))
    return out


def number_repeats(names: Sequence[str]) -> list[str]:
    """Return names that are distinct: the second of a name gets "-2", and so on; no name of the source changes hands.

    Examples
    --------
    >>> number_repeats(["x", "x", "x-2"])
    ['x', 'x-3', 'x-2']
    """
    taken = set(names)
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        while seen[name] > 1 and f"{name}-{seen[name]}" in taken:
            seen[name] += 1
        out.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return out
