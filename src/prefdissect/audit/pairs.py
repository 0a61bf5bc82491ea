"""`PreferencePairs`: pairs to train a model on, toward a judge or away from it."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from prefdissect._typing import Direction, PairForm, check_choice
from prefdissect.audit.pair_card import aim, within, write_card
from prefdissect.audit.pair_files import write_pairs

__all__ = ["PreferencePairs"]

_OTHER = {"toward": "away", "away": "toward", "A": "B", "B": "A", "chosen": "rejected", "rejected": "chosen"}
_OTHER |= {"more": "less", "less": "more"}


@dataclass(frozen=True, eq=False, repr=False)
class PreferencePairs:
    """Pairs labelled by the fit of one judge, ready to train on; made by `Dissection.preference_pairs`.

    Parameters
    ----------
    judge
        Whose fits labelled them.
    margin
        Pairs whose probability is within 1/2 plus or minus this are left out.
    direction
        `toward`: `chosen` is the response that the judge is predicted to prefer; `away`: the other one.
    table
        One row per pair: pair_id, group (whose fit labelled it), probability (that the judge prefers A, at posterior
        mean weights), prob_side (share of posterior draws that say the same side), label (what the judge said: 1 for
        A, 0 for B, NaN if nothing usable), side (`A` or `B`: the chosen one), prompt, chosen, rejected, and turns
        (what was said before the prompt).
    left_out
        group, reason, n: every pair is a row of `table` or counted here, once.
    differences
        property, label, more, less: in how many pairs the chosen response has more of it, and less.
    made
        From what and how, for the card.

    Examples
    --------
    >>> import pandas as pd
    >>> import prefdissect as pdx
    >>> texts = ["Yes.", "Yes, and here is why: it rains."] * 50
    >>> table = pd.DataFrame({"prompt": "Rain?", "response_a": texts, "response_b": texts[::-1]})
    >>> table = table.assign(length_a=[1, 9] * 50, length_b=[9, 1] * 50, judge_me=["B", "A"] * 50)
    >>> result = pdx.dissect(table, engine="ep", random_seed=0)
    >>> pairs = result.preference_pairs()
    >>> len(pairs), pairs.table.loc[0, ["chosen", "rejected"]].tolist()
    (100, ['Yes, and here is why: it rains.', 'Yes.'])
    >>> pairs.inverted().table.loc[0, ["chosen", "rejected"]].tolist()
    ['Yes.', 'Yes, and here is why: it rains.']
    """

    judge: str
    margin: float
    direction: Direction
    table: pd.DataFrame
    left_out: pd.DataFrame
    differences: pd.DataFrame
    made: Mapping[str, Any]

    def inverted(self) -> PreferencePairs:
        """Return the same pairs with chosen and rejected exchanged: the other direction."""
        return replace(
            self,
            direction=_OTHER[self.direction],  # type: ignore[arg-type]  # a Direction, as it was
            table=_exchange(self.table).assign(side=self.table["side"].map(_OTHER).astype("str")),
            differences=_exchange(self.differences),
        )

    def to_file(self, path: str | Path, *, form: PairForm = "standard") -> Path:
        """Write the pairs as TRL's trainers take them, and beside them a card, `<name>.card.md`; return the path.

        Columns: prompt, chosen, rejected; pair_id, group and probability_chosen (that the judge prefers the chosen
        one), which TRL leaves alone. The ending says how: `.jsonl`, `.ndjson` or `.json`, with `.gz` on top if wanted,
        or `.parquet`.

        Parameters
        ----------
        path
            The file.
        form
            `standard`: texts, which TRL joins as they are, prompt and response without anything between them.
            `conversational`: turns, which the chat template of the model's tokenizer joins.

        Raises
        ------
        FileFormatError
            If the ending is another, or a file cannot be written.
        DataError
            If pairs have turns before the prompt, for which the standard form has no room.
        """
        check_choice("form", form, PairForm)
        written = write_pairs(self.table, Path(path), form)
        write_card(self, written, form)
        return written

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.table)

    def __repr__(self) -> str:
        from tabulate import tabulate

        n = len(self) + int(self.left_out["n"].sum())
        a = int((self.table["side"] == "A").sum())
        head = (
            f"<PreferencePairs: {len(self):,} of {n:,} pairs, {aim(self.direction, repr(self.judge))}, beyond "
            f"{within(self.margin)}; chosen: {a:,} A, {len(self) - a:,} B>"
        )
        if not len(self.left_out):
            return head
        rows = tabulate(self.left_out.to_dict("list"), headers="keys")
        return f"{head}\n\nleft out:\n{rows}"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


def _exchange(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose opposite columns have exchanged their names, and which is in the old order."""
    return table.rename(columns=_OTHER)[list(table.columns)]
