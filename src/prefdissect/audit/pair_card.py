"""The card of labelled pairs: from what and how they were made, what was left out, and what they cannot claim."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from prefdissect._typing import Direction, PairForm
from prefdissect.data.writers.whole import write_text

if TYPE_CHECKING:
    from prefdissect.audit.pairs import PreferencePairs

__all__ = ["aim", "card_of", "card_path", "within", "write_card"]

_SURE = 0.94  # the share of draws from which on a side counts as certain, as in the intervals of tables

_CLAIMS = """\
- **The labels are not the judge's.** They say which response a fitted model predicts the judge to prefer. Where the
  judge is moved by something that no property names, the labels are wrong and do not show it.
- **Properties are correlates.** Pairs that differ in one property differ in others, rated or not, and a model trained
  on them learns all of these. A shift after training is no proof of what caused it.
- **They do not make a model better.** They make it more like, or less like, what this judge rewards. That is a way to
  measure how far a benchmark that uses the judge can be gamed, and no way to measure quality.
- **Pairs that the fit was made from are predicted better than new ones.** The predictions here are not held out.
- **The texts belong to their sources.** Their licence and terms hold for this file too."""


def within(margin: float) -> str:
    """Return how a margin is written."""
    return f"50% ± {100 * margin:g}%"


def aim(direction: Direction, judge: str) -> str:
    """Return where pairs lead, in words."""
    return f"{direction} {judge}" if direction == "toward" else f"away from {judge}"


def card_path(path: Path) -> Path:
    """Return where the card of a file is: beside it, under its name without endings."""
    zipped = path.suffix.lower() == ".gz"
    return path.with_name(f"{(path.with_suffix('') if zipped else path).stem}.card.md")


def write_card(pairs: PreferencePairs, path: Path, form: PairForm) -> Path:
    """Write the card of pairs that were written to `path`, and return its path."""
    return write_text(card_path(path), card_of(pairs, path.name, form))


def card_of(pairs: PreferencePairs, file: str, form: PairForm) -> str:
    """Return the card as Markdown; the head is that of a dataset card of the Hub, so that it can be its README."""
    parts = {
        "How they were made": _rows(_facts(pairs, form)),
        "Fits": _table(_per_group(pairs)),
        "Left out": _table(pairs.left_out) if len(pairs.left_out) else "Nothing.",
        "What the chosen responses have more of": _taught(pairs.differences),
        "What they cannot claim": _CLAIMS,
    }
    return f"{_head(file)}\n{_opening(pairs, file)}\n" + "".join(f"\n## {k}\n\n{v}\n" for k, v in parts.items())


def _head(file: str) -> str:
    data = f"configs:\n- config_name: default\n  data_files: {file!r}"
    return f"---\n{data}\ntags:\n- preference\n- trl\n- prefdissect\n---\n"


def _opening(pairs: PreferencePairs, file: str) -> str:
    n = len(pairs) + int(pairs.left_out["n"].sum())
    likes = {"toward": "more", "away": "less"}[pairs.direction]
    return (
        f"# Preference pairs {aim(pairs.direction, _plain(pairs.judge))}\n\n"
        f"`{file}` holds {len(pairs):,} of {n:,} pairs of responses. In each, `chosen` is the response that the judge "
        f"{_plain(pairs.judge)} is predicted to like {likes}, by a Bayesian logistic regression of its verdicts on "
        f"properties of the responses. Pairs with a predicted probability within {within(pairs.margin)} are left out."
    )


def _facts(pairs: PreferencePairs, form: PairForm) -> list[tuple[str, str]]:
    table, made = pairs.table, dict(pairs.made)
    a, sure = int((table["side"] == "A").sum()), int((table["prob_side"] >= _SURE).sum())
    said = table[table["label"].notna() & (table["label"] != 0.5)]
    agree = int(((said["label"] > 0.5) == (said["probability"] > 0.5)).sum())
    facts = {
        "judge": pairs.judge,
        "direction": pairs.direction,
        "margin": f"{pairs.margin:g}",
        "pairs": f"{len(table):,}; chosen is A in {a:,}, B in {len(table) - a:,}",
        "form": form,
        "sure of the side": f"{sure:,} pairs: {100 * _SURE:g}% of posterior draws or more say the same side",
        "the judge's own verdicts": f"{agree:,} of {len(said):,} decided ones are as predicted"
        if len(said)
        else "none on these pairs",
        **{name: str(value) for name, value in made.items() if name != "fits"},
    }
    return list(facts.items())


def _per_group(pairs: PreferencePairs) -> pd.DataFrame:
    """Return one row per group that has a fit: the pairs it labelled, and how it was made."""
    labelled = pairs.table["group"].value_counts()
    fits = pd.DataFrame(pairs.made["fits"])
    return fits.assign(**{"pairs here": [int(labelled.get(g, 0)) for g in fits["group"]]})


def _taught(differences: pd.DataFrame) -> str:
    """Return properties with the pairs in which the chosen response has more of them, the most one-sided first."""
    net = (differences["more"] - differences["less"]).to_numpy()
    return _table(differences.iloc[np.argsort(-np.abs(net), kind="stable")][["label", "more", "less"]])


def _rows(rows: Sequence[tuple[str, Any]]) -> str:
    return _table(pd.DataFrame(rows, columns=["what", "value"]))


def _table(table: pd.DataFrame) -> str:
    from tabulate import tabulate

    cells = [[_plain(cell) for cell in row] for row in table.itertuples(index=False)]
    return str(tabulate(cells, headers=list(table.columns), tablefmt="github", disable_numparse=True))


def _plain(cell: Any) -> str:
    """Return a cell that neither ends a column of a Markdown table nor starts another line."""
    return " ".join(str(cell).split()).replace("|", r"\|")
