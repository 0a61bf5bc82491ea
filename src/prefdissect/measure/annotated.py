"""What comes of an annotation: the data, every call, how far repeats agree, and what failed."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from prefdissect._typing import FloatArray, check_positive
from prefdissect.errors import DataError
from prefdissect.llm import Failure, Use
from prefdissect.llm.jobs import tell_reasons
from prefdissect.measure.agreement import agree
from prefdissect.measure.joining import combine, split_given
from prefdissect.schema import Property, PropertySchema

if TYPE_CHECKING:
    import pandas as pd

    from prefdissect.data import PreferenceData

__all__ = ["Annotated"]

_Comparison = tuple[str, tuple[Property, Property], list[tuple[FloatArray, FloatArray]]]


@dataclass(frozen=True, eq=False, repr=False)
class Annotated:
    """Pairs whose responses were rated by a model; made by `annotate`.

    Parameters
    ----------
    data
        The pairs with their ratings. In `data.pairs` stand, as far as the schema asks for them: a column for each case
        of queries (True, False), `<case>_items` with what the query holds of it, `reference_used`, and for each
        response `error_check_<a|b>` and `error_list_<a|b>`, of the first call. Cases are groups too.
    schema
        The properties for which the model was asked.
    calls
        One row per pair and call: `pair_id`, `step`, `first` (which response was shown first; empty where that has no
        meaning), `response` (the one that was shown alone), `repeat`, `request` (its name in the file of replies: the
        same where pairs share a call), `reply` (a hash of what it says), `repaired`.
    errors
        One row per error that was found: `pair_id`, `first`, `repeat`, `response`, `error`, `type`, `severity`.
    by_call
        Ratings before they are averaged, shape [pair, order, repeat, response, property of `schema`]: order 0 shows A
        first (or a response alone), order 1 shows B first.
    prompts
        Hash of the prompt of each step, which changes with its words.
    failures
        Calls of which nothing came, `<pair>: <step>`, and why.
    not_asked
        Ids of pairs that were not asked about, or not about all, because the run ended.
    stopped
        Why it ended before all was asked; None if it did not.
    use
        Calls, tokens and money.
    given
        The source's own ratings of the same properties, which `agreement` compares; None if there are none.
    model
        Who rated.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> result = pdx.annotate("pairs.parquet", "gpt-4o-mini", orders="both")  # doctest: +SKIP
    >>> result.agreement().sort_values("kappa").head(3)  # which properties it rates least steadily # doctest: +SKIP
    """

    data: PreferenceData
    schema: PropertySchema
    calls: pd.DataFrame
    errors: pd.DataFrame
    by_call: FloatArray
    prompts: dict[str, str]
    failures: tuple[Failure, ...]
    not_asked: tuple[str, ...]
    stopped: str | None
    use: Use
    given: PreferenceData | None
    model: str

    def agreement(self, human: PreferenceData | None = None, *, interval: float = 0.94) -> pd.DataFrame:
        """Return how far ratings agree, between orders, between repeats, and with the ratings of people.

        Parameters
        ----------
        human
            Data that rate some of the same properties (by id) of some of the same pairs; by default the ratings that
            the source had, which are in `given`.
        interval
            Probability inside the intervals, which are from a bootstrap of prompts.

        Returns
        -------
        DataFrame
            One row per comparison (`orders`, `repeats`, `human`) and property: `kappa` of the ratings with quadratic
            weights (NaN against ratings on another scale, and where nothing varies), `same`, the share of pairs that
            are compared alike, each with `lower` and `upper`, and `n` pairs (of repeats, times the pairs of repeats).

        Raises
        ------
        DataError
            If `human` rates no property or no pair that was asked about.
        """
        import pandas as pd

        check_positive("interval", interval, below=1.0)
        clusters = self.data.pairs["cluster"].astype("category").cat.codes.to_numpy().astype(np.int64)
        rows = []
        for between, properties, ratings in self._comparisons(human):
            found = agree(properties, ratings, clusters, interval=interval)
            comparable = _scale(properties[0]) == _scale(properties[1])
            values = dict(vars(found)) if comparable else {**vars(found), **dict.fromkeys(_KAPPA, np.nan)}
            rows.append({"between": between, "property": properties[0].id, **values})
        columns = ["between", "property", *_KAPPA, "same", "same_lower", "same_upper", "n"]
        table = pd.DataFrame(rows, columns=columns)
        table.attrs["interval"] = interval
        return table

    def _comparisons(self, human: PreferenceData | None) -> Iterator[_Comparison]:
        """Yield what is compared, of which property as each side defines it, and the ratings [pair, 2] of both."""
        people = self.given if human is None else _given_of(human, self.schema)
        for k, prop in enumerate(self.schema):
            by_order = np.moveaxis(self.by_call[..., k], 0, 2)  # combine() wants order and repeat before the pairs
            a_first, b_first = combine(by_order[:1], both=False), combine(by_order[1:], both=False)
            if not np.isnan(a_first + b_first).all():
                yield "orders", (prop, prop), [(a_first, b_first)]
        n_repeats = self.by_call.shape[2]
        for k, prop in enumerate(self.schema):
            repeats = np.moveaxis(self.by_call[..., k], 0, 2)
            pairs = [(of[r], of[s]) for of in repeats for r, s in combinations(range(n_repeats), 2)]
            if pairs:
                yield "repeats", (prop, prop), pairs
        for theirs in people.schema if people is not None else ():
            if people is not None and theirs.id in self.schema.ids:
                given, read_as = _ratings_by(people, theirs, self.data)
                yield "human", (self.schema[theirs.id], read_as), [(self._ratings(theirs.id), given)]

    def _ratings(self, name: str) -> FloatArray:
        return self.data.ratings[:, :, self.data.properties.index(name)]

    def __repr__(self) -> str:
        n_pairs, n_failed = len(self.data), len({f.job.rpartition(": ")[0] for f in self.failures})
        lines = [
            f"Annotated: {n_pairs:,} pairs, {len(self.schema)} properties rated by {self.model}",
            f"used: {self.use}",
        ]
        if n_failed:
            lines.append(
                f"failed: {len(self.failures):,} calls of {n_failed:,} pairs ({tell_reasons(self.failures)}); "
                "retry_failed=True asks them again"
            )
        if self.not_asked:
            lines.append(
                f"not asked, or not about all: {len(self.not_asked):,} pairs ({self.stopped}); annotate again to go on"
            )
        n_repaired = int(self.calls["repaired"].sum())
        if n_repaired:
            lines.append(f"repaired: {n_repaired:,} replies that did not have the form at first")
        if self.by_call.shape[2] > 1 or self.given is not None or set(self.calls["first"]) >= {"A", "B"}:
            lines.append("agreement(): how far orders, repeats and people agree")
        return "\n".join([*lines, "", str(self.data.report)])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


_KAPPA = ("kappa", "kappa_lower", "kappa_upper")


def _scale(prop: Property) -> tuple[object, ...]:
    return prop.kind, prop.range, prop.labels


def _given_of(human: PreferenceData, schema: PropertySchema) -> PreferenceData:
    given = split_given(human, schema)[1]
    if given is None:
        raise DataError(
            f"human= rates none of the properties that were asked for; it rates {', '.join(human.properties) or 'none'}"
        )
    return given


def _ratings_by(people: PreferenceData, prop: Property, data: PreferenceData) -> tuple[FloatArray, Property]:
    """Return the ratings of people on the rows of `data`, and how to read them.

    Ready-made differences stand as ratings of A against 0, of a plain number: only how they compare means something.
    """
    k = people.properties.index(prop.id)
    ratings, differences = people.ratings[:, :, k], people.comparisons[:, k]
    if np.isnan(ratings).all():
        ratings, prop = np.stack([differences, 0 * differences], axis=1), Property(id=prop.id, kind="number")
    rows = people.pairs.index.get_indexer(data.pairs.index)
    if (rows < 0).all():
        raise DataError(f"human= has none of the pairs, such as {data.pairs.index[0]!r}")
    return np.where((rows >= 0)[:, None], ratings[rows], np.nan), prop
