"""Why one pair went as it did: what each property adds to the log-odds and to the probability that A is preferred."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit

from prefdissect._typing import BoolArray, FloatArray, check_count
from prefdissect.errors import UnknownNameError, choices
from prefdissect.inference import Fit, shapley_values
from prefdissect.schema import PropertySchema

if TYPE_CHECKING:
    from prefdissect.plots import Axes

__all__ = ["Explanation", "explain_row", "surprise_table", "telling_table", "what_if_row"]

_MOST_DRAWS = 500  # of which intervals of Shapley values are made
_NAMED = 3  # properties in the sentence, on each side
_DIGITS = 12  # by which pairs are ranked: rounding must not choose between equal ones


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """One pair, as one judge's fit sees it.

    Parameters
    ----------
    pair_id, judge, group
        What is explained, by which fit.
    probability, lower, upper
        That A is preferred: at the posterior mean, and the interval.
    label
        What the judge said: 1 for A, 0 for B, between where it did both; NaN if nothing usable.
    table
        One row per property, the largest share of the probability first: property, label, rating_a, rating_b,
        comparison (the column of the fit, positive where A has more), contribution (log-odds; they add up to those of
        `probability`) with lower and upper, shapley (probability; they add up to `probability` - 1/2) with
        shapley_lower and shapley_upper.
    interval
        Probability inside the intervals.
    outcomes
        P(A), P(tie) and P(B), which add up to 1, where `probability` is given a decision; NaN where the fit left ties
        out, or took them as half.
    with_models
        What `probability` is with the models that wrote the responses, as `predict` has it; NaN where they are no
        terms. All else is of the properties alone, as if two equal models had written the pair.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> schema = pdx.PAPER.select(["lengthy", "clear"])
    >>> truth = {"lengthy": 1.0, "clear": 0.5}
    >>> study = pdx.simulate(500, schema=schema, judges=["me"], scenarios=None, weights=truth, random_seed=0)
    >>> found = pdx.dissect(study.data, engine="ep", random_seed=0).explain("pair-0")
    >>> bool(abs(found.table["shapley"].sum() - (found.probability - 0.5)) < 1e-9)
    True
    """

    pair_id: str
    judge: str
    group: str
    probability: float
    lower: float
    upper: float
    label: float
    table: pd.DataFrame
    interval: float
    outcomes: tuple[float, float, float] = (np.nan, np.nan, np.nan)
    with_models: float = np.nan

    @property
    def sentence(self) -> str:
        """The explanation in one sentence."""
        side, odds = ("A", self.probability) if self.probability >= 0.5 else ("B", 1 - self.probability)
        sign = 1 if side == "A" else -1
        shares = self.table.set_index("label")["shapley"] * sign
        ends = [shares[shares > 0].nlargest(_NAMED), shares[shares < 0].nsmallest(_NAMED)]
        named = [", ".join(f"{name} ({value:+.2f})" for name, value in end.items()) for end in ends]
        told = "nothing that was rated differs" if not any(named) else f"for {side}: {named[0]}" if named[0] else ""
        against = f"; against: {named[1]}" if named[1] else ""
        return f"{self.judge} prefers {side} with probability {odds:.2f} ({self._verdict(side)}); {told}{against}."

    def _tell_terms(self) -> str:
        tie = self.outcomes[1]
        of_models = f", {self.with_models:.3f} with the models that wrote them"
        return (f"; given a decision, and P(tie) = {tie:.3f}" if tie > 0 else "") + (
            f"; by the properties{of_models}" if np.isfinite(self.with_models) else ""
        )

    def _verdict(self, side: str) -> str:
        if np.isnan(self.label):
            return "it gave no verdict"
        if self.label == 0.5:
            return "it was undecided"
        said = "A" if self.label > 0.5 else "B"
        return f"and did say {said}" if said == side else f"but said {said}"

    def __repr__(self) -> str:
        from tabulate import tabulate

        rows = self.table[self.table["comparison"] != 0]
        percent = f"{100 * self.interval:g}%"
        shown = [
            {
                "property": r.label,
                **dict(zip("AB", _write_ratings([r.rating_a, r.rating_b]), strict=True)),
                "log-odds": f"{r.contribution:+z.2f} [{r.lower:z.2f}, {r.upper:z.2f}]",
                "probability": f"{r.shapley:+z.3f} [{r.shapley_lower:z.3f}, {r.shapley_upper:z.3f}]",
            }
            for r in rows.itertuples()
        ]
        head = (
            f"<Explanation of {self.pair_id!r} by {self.judge!r} in {self.group!r}: P(A) = {self.probability:.3f} "
            f"[{self.lower:.3f}, {self.upper:.3f}], {percent} intervals{self._tell_terms()}>"
        )
        return "\n".join([head, self.sentence, str(tabulate(shown, headers="keys", disable_numparse=True))])

    def plot(self, ax: Axes | None = None, *, wide: bool = False) -> Axes:
        """Draw how properties add up to the probability of A: a waterfall of Shapley values, with intervals."""
        from prefdissect.plots import plot_waterfall

        return plot_waterfall(self.table, ax, title=f"{self.pair_id}, {self.judge} in {self.group}", wide=wide)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


def _write_ratings(ratings: Sequence[Any]) -> list[str]:
    """Write ratings of both responses, with as few decimals from two on as tell them apart; "-" if there is none."""
    distinct = len(set(ratings))
    for decimals in range(2, 16):
        written = [f"{value:z.{decimals}f}".rstrip("0").rstrip(".") for value in ratings]
        if len(set(written)) >= distinct:
            break
    return ["-" if np.isnan(value) else text for value, text in zip(ratings, written, strict=True)]


def explain_row(
    fit: Fit, kept: BoolArray, x: FloatArray, ratings: FloatArray, schema: PropertySchema, interval: float
) -> tuple[tuple[float, float, float], pd.DataFrame]:
    """Return the probability that A is preferred with its bounds, and the table of an `Explanation`.

    `x` [property] is the row as the fit encodes it, `ratings` [2, property] what was rated. Contributions in log-odds
    are weight times comparison; in probability they are Shapley values against two responses that are equal in all.
    """
    terms, point = _some_draws(fit)[:, kept] * x, fit.mean[kept] * x
    share = shapley_values(point[None])[0]
    tail = (1 - interval) / 2
    samples = np.hstack([terms, shapley_values(terms), terms.sum(axis=1, keepdims=True)])
    lower, upper = np.quantile(samples, [tail, 1 - tail], axis=0)
    columns = {
        "property": np.array(schema.ids, dtype=object),
        "label": np.array(schema.labels, dtype=object),
        "rating_a": ratings[0],
        "rating_b": ratings[1],
        "comparison": x,
        "contribution": point,
        "lower": lower[: len(x)],
        "upper": upper[: len(x)],
        "shapley": share,
        "shapley_lower": lower[len(x) : -1],
        "shapley_upper": upper[len(x) : -1],
    }
    order = np.argsort(-np.abs(share), kind="stable")
    table = pd.DataFrame({name: values[order] for name, values in columns.items()})
    low, high = expit((lower[-1], upper[-1]))
    return (float(expit(point.sum())), float(low), float(high)), table


def what_if_row(
    fit: Fit, kept: BoolArray, x: FloatArray, schema: PropertySchema, equal_on: Sequence[str], interval: float
) -> pd.DataFrame:
    """Return the probability that A is preferred as the pair is, and if both were equal on some properties.

    Rows `as it is`, one per property, and `all of these`; columns probability, lower, upper, change (from as it is)
    with change_lower and change_upper.

    Raises
    ------
    UnknownNameError
        If a property is not in the fit.
    """
    at = [_index(schema, name) for name in equal_on]
    draws, tail = _some_draws(fit)[:, kept], (1 - interval) / 2
    cases = {"as it is": [], **{schema.labels[k]: [k] for k in at}}
    if len(at) > 1:
        cases["all of these"] = at
    rows = {}
    whole_mean, whole = expit(fit.mean[kept] @ x), expit(draws @ x)
    for name, equal in cases.items():
        changed = x.copy()
        changed[equal] = 0.0
        mean, values = expit(fit.mean[kept] @ changed), expit(draws @ changed)
        low, high = np.quantile(values, [tail, 1 - tail])
        change_low, change_high = np.quantile(values - whole, [tail, 1 - tail])
        rows[name] = (mean, low, high, mean - whole_mean, change_low, change_high)
    columns = ["probability", "lower", "upper", "change", "change_lower", "change_upper"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("equal on")


def surprise_table(
    x: FloatArray, y: FloatArray, pair_ids: FloatArray, mean: FloatArray, labels: Sequence[str], k: int
) -> pd.DataFrame:
    """Return the `k` pairs whose label the fit expects least: a look at what property is missing.

    Columns: pair_id, label, probability (that A is preferred), surprise (-log of the probability of the label, in
    nats), because (the properties that spoke for the other side).
    """
    check_count("k", k)
    log_odds = x @ mean
    surprise = y * np.logaddexp(0, -log_odds) + (1 - y) * np.logaddexp(0, log_odds)  # finite for any log-odds
    order = np.argsort(-np.round(surprise, _DIGITS), kind="stable")[:k]
    moved = x[order] * mean * np.where(y[order] > 0.5, -1.0, 1.0)[:, None]
    return pd.DataFrame(
        {
            "pair_id": pair_ids[order],
            "label": y[order],
            "probability": expit(log_odds[order]),
            "surprise": surprise[order],
            "because": [_reasons(row, labels) for row in moved],
        }
    ).astype({"pair_id": "str", "because": "str"})


def telling_table(
    x: FloatArray, y: FloatArray, pair_ids: FloatArray, mean: FloatArray, schema: PropertySchema, name: str, k: int
) -> pd.DataFrame:
    """Return the `k` pairs that show a property at work: where it does most, and the judge went along.

    Columns: pair_id, label, probability, contribution (log-odds of the property), shapley (its share of the
    probability), share (of all that properties move, without regard to sign). Sorted by Shapley value times share.

    Raises
    ------
    UnknownNameError
        If the property is not in the fit.
    """
    check_count("k", k)
    at = _index(schema, name)
    terms = x * mean
    went_along = (terms[:, at] * (y - 0.5)) > 0
    rows = np.flatnonzero(went_along)
    shapley = shapley_values(terms[rows])[:, at]
    share = np.abs(terms[rows, at]) / np.abs(terms[rows]).sum(axis=1)
    order = np.argsort(-np.round(np.abs(shapley) * share, _DIGITS), kind="stable")[:k]
    chosen = rows[order]
    return pd.DataFrame(
        {
            "pair_id": pair_ids[chosen],
            "label": y[chosen],
            "probability": expit(terms[chosen].sum(axis=1)),
            "contribution": terms[chosen, at],
            "shapley": shapley[order],
            "share": share[order],
        }
    ).astype({"pair_id": "str"})


def _some_draws(fit: Fit) -> FloatArray:
    flat = fit.draws.reshape(-1, fit.draws.shape[-1])
    every = np.linspace(0, len(flat) - 1, min(len(flat), _MOST_DRAWS)).round().astype(int)
    return np.asarray(flat[every], dtype=np.float64)


def _index(schema: PropertySchema, name: str) -> int:
    ids = list(schema.ids)
    if name in schema:
        return ids.index(schema[name].id)
    raise UnknownNameError(f"unknown property {name!r}; {choices(name, ids)}")


def _reasons(moved: FloatArray, labels: Sequence[str]) -> str:
    order = [i for i in np.argsort(-moved, kind="stable")[:_NAMED] if moved[i] > 0]
    return ", ".join(f"{labels[i]} {moved[i]:.2f}" for i in order)
