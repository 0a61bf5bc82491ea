"""From ratings and verdicts to the signed design that a posterior is fitted to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from prefdissect._typing import BoolArray, Encoding, FloatArray, GroupKind, IntArray, Role, TieModel, Ties
from prefdissect.data import PreferenceData
from prefdissect.data.flags import flags_of
from prefdissect.data.groups import scenario_groups
from prefdissect.errors import ColumnError, DataError, OptionError, UnknownNameError, choices
from prefdissect.schema import PropertySchema

__all__ = ["OVERALL", "Cell", "Design", "Encoder", "build_design", "build_encoder", "groups_like"]

NO_GROUP = "(none)"  # stands in the table of dropped pairs for those that no group holds
OVERALL = "overall"  # stands in tables of comparisons for the mean over scenarios
_SCALE_QUANTILE = 0.95  # of |difference|: what norm_diff calls 1 for a number without a scale


@dataclass(frozen=True)
class Encoder:
    """How pairs become signed columns; kept, so that new pairs are encoded alike.

    Parameters
    ----------
    schema
        The properties, in the order of the columns.
    encoding
        `comparison` (-1, 0, 1), `diff` (in the unit of the rating) or `norm_diff` (-1 to 1).
    scales
        Property id to the difference that `norm_diff` calls 1.
    """

    schema: PropertySchema
    encoding: Encoding
    scales: Mapping[str, float]

    def encode(self, data: PreferenceData) -> FloatArray:
        """Return the columns of all pairs, shape [pair, property], NaN where a rating is missing.

        Raises
        ------
        UnknownNameError
            If `data` lacks a property.
        """
        encoded = np.full((len(data), len(self.schema)), np.nan)
        for k, prop in enumerate(self.schema):
            if prop.id not in data.properties:
                raise UnknownNameError(f"the data lack property {prop.id!r}; {choices(prop.id, data.properties)}")
            at = data.properties.index(prop.id)
            given = data.comparisons[:, at]
            scale = self.scales.get(prop.id)
            if np.isfinite(given).any():
                encoded[:, k] = prop.encode_difference(given, self.encoding, scale=scale)
            else:
                a, b = data.ratings[:, 0, at], data.ratings[:, 1, at]
                encoded[:, k] = prop.encode(a, b, self.encoding, scale=scale)
        return encoded


@dataclass(frozen=True)
class Cell:
    """What one judge said of the pairs of one group: the data of one fit.

    `x` is [row, column], `y` [row] in [0, 1], `weight` [row] above 0; rows of one `cluster` [row] are not independent.
    Where `ties` names a model of ties, `tied` [row] is the share of a row's weight in ties, which count half in `y`,
    and `open` [row] the share in verdicts that could have been ties.
    """

    judge: str
    group: str
    x: FloatArray
    y: FloatArray
    weight: FloatArray
    cluster: IntArray
    ties: TieModel | None = None
    tied: FloatArray = field(default_factory=lambda: np.empty(0))
    open: FloatArray = field(default_factory=lambda: np.empty(0))

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.y)

    def only(self, column: int) -> Cell:
        """Return the cell with this column only."""
        return replace(self, x=np.ascontiguousarray(self.x[:, [column]]))

    def take(self, rows: IntArray | BoolArray) -> Cell:
        """Return the cell with these rows only."""
        named = ("x", "y", "weight", "cluster", *(("tied", "open") if self.ties else ()))
        return replace(self, **{name: getattr(self, name)[rows] for name in named})


@dataclass(frozen=True, eq=False)
class Design:
    """A signed matrix, the preferences of several judges, and groups of rows.

    Parameters
    ----------
    encoder
        How the columns were made.
    columns, roles
        Name and role of each column: `property` or `nuisance`.
    pair_ids
        Pair that each row refers to.
    x
        Shape [row, column], positive where A has more.
    y, weight
        Shape [row, judge]: preference for A in [0, 1], and weight, 0 where there is none.
    cluster
        Number of the cluster that each row's pair belongs to, [row]: pairs of one cluster are not independent.
    in_group
        Boolean, [row, group].
    judges, groups, group_kinds
        Names of the judges and groups, and the kind of each group.
    dropped
        Tidy: `judge`, `group`, `reason`, `n`; every pair of a group is a row of the design or
        counted here, once. Pairs that are in no group stand under the group `(none)`.

    Examples
    --------
    >>> import pandas as pd
    >>> from prefdissect import PreferenceData
    >>> from prefdissect.features import build_design
    >>> table = pd.DataFrame({"clear_a": [3, 1], "clear_b": [1, 2], "judge_me": ["A", "tie"]})
    >>> data = PreferenceData.from_frame(table)
    >>> design = build_design(data, ["me"], by=None, encoding="comparison", ties="drop")
    >>> design.x.tolist(), design.dropped["reason"].tolist()
    ([[1.0]], ['tie, dropped'])
    """

    encoder: Encoder
    columns: tuple[str, ...]
    roles: tuple[Role, ...]
    pair_ids: np.ndarray[Any, Any]
    x: FloatArray
    y: FloatArray
    weight: FloatArray
    cluster: IntArray
    in_group: BoolArray
    judges: tuple[str, ...]
    groups: tuple[str, ...]
    group_kinds: Mapping[str, GroupKind]
    dropped: pd.DataFrame

    @property
    def is_property(self) -> BoolArray:
        """Which columns are properties and no nuisance, [column]."""
        return np.array([role == "property" for role in self.roles])

    def cell(self, judge: str, group: str) -> Cell:
        """Return what `judge` said of the pairs of `group`."""
        j, rows = self.judges.index(judge), self.rows(judge, group)
        return Cell(judge, group, self.x[rows], self.y[rows, j], self.weight[rows, j], self.cluster[rows])

    def rows(self, judge: str, group: str) -> IntArray:
        """Return the rows of the pairs of `group` that `judge` decided."""
        j, g = self.judges.index(judge), self.groups.index(group)
        return np.flatnonzero(self.in_group[:, g] & (self.weight[:, j] > 0))

    def count(self) -> tuple[IntArray, IntArray]:
        """Return the pairs of each cell [judge, group], and those where a column is not 0 [judge, group, column]."""
        differs = (self.x != 0).astype(float)
        used = [(self.in_group & (self.weight[:, [j]] > 0)).astype(float) for j in range(len(self.judges))]
        n_pairs = np.array([cell.sum(axis=0) for cell in used], dtype=np.int64)
        return n_pairs, np.array([cell.T @ differs for cell in used], dtype=np.int64)

    def complete(self, x: FloatArray) -> FloatArray:
        """Return encoded properties with a 0 in every nuisance column: nothing is shown first, and so on."""
        whole = np.zeros((len(x), len(self.columns)))
        whole[:, self.is_property] = x
        return whole

    def count_soft(self) -> IntArray:
        """Return the pairs of each cell whose preference is neither 0 nor 1, [judge, group].

        For them the likelihood is a quasi-likelihood: the width of intervals is not calibrated.
        """
        soft = (self.weight > 0) & (self.y > 0) & (self.y < 1)
        return soft.astype(np.int64).T @ self.in_group.astype(np.int64)

    def sel(self, judges: Sequence[str], groups: Sequence[str]) -> Design:
        """Return the design of these judges and groups."""
        j = [self.judges.index(name) for name in judges]
        g = [self.groups.index(name) for name in groups]
        kept = self.dropped["judge"].isin(judges) & self.dropped["group"].isin([*groups, NO_GROUP])
        return replace(
            self,
            y=self.y[:, j],
            weight=self.weight[:, j],
            in_group=self.in_group[:, g],
            judges=tuple(judges),
            groups=tuple(groups),
            group_kinds={name: self.group_kinds[name] for name in groups},
            dropped=self.dropped[kept].reset_index(drop=True),
        )


def build_encoder(data: PreferenceData, encoding: Encoding) -> Encoder:
    """Return the encoder of these data, with the scales that the schema leaves to be learned."""
    scales = {}
    for k, prop in enumerate(data.schema):
        given = data.comparisons[:, k]
        difference = np.abs(given if np.isfinite(given).any() else data.ratings[:, 0, k] - data.ratings[:, 1, k])
        if prop.norm_scale is not None:
            scales[prop.id] = prop.norm_scale
        elif prop.kind == "number":
            scales[prop.id] = _typical(difference[np.isfinite(difference)])
    return Encoder(data.schema, encoding, scales)


def _typical(difference: FloatArray) -> float:
    """Return the 95th percentile; the largest if that is 0, and 1 if nothing differs at all."""
    if not difference.size:
        return 1.0
    return float(np.quantile(difference, _SCALE_QUANTILE) or difference.max() or 1.0)


def build_design(
    data: PreferenceData,
    judges: Sequence[str],
    *,
    by: str | None,
    encoding: Encoding,
    ties: Ties,
    nuisance: Mapping[str, FloatArray] | None = None,
) -> Design:
    """Encode all pairs, gather the preferences of the judges, and count what is left out.

    `nuisance` holds signed columns, [pair], that are no properties: they are fitted beside them, and
    stand in no table.

    Raises
    ------
    DataError
        If there is no property, or a judge has no usable verdict.
    ColumnError
        If `by` names no kind of group and no column, or a group has a name that tables use for something else.
    """
    if not data.properties:
        ways = (
            "add numeric columns <x>_a and <x>_b, or texts to measure in response_a and response_b; name columns in "
            "load(..., properties=); or use data.join_ratings()"
        )
        raise DataError(
            "these data rate no property, so there is nothing to dissect; "
            f"{'; '.join([*data.report.hints, ways])}; columns: {', '.join(data.source_columns)}"
        )
    groups, kinds = choose_groups(data, by)
    check_group_names(kinds)
    extra = dict(nuisance or {})
    encoder = build_encoder(data, encoding)
    x = encoder.encode(data)
    y, weight, why = preferences(data, judges, ties)
    for j, judge in enumerate(judges):
        if not weight[:, j].any():
            counts = pd.Series(why[:, j]).value_counts()
            found = ", ".join(f"{n} pairs: {reason}" for reason, n in counts.items())
            raise DataError(f"judge {judge!r} has no usable verdict ({found}); leave it out of judge=")
    flags = flags_of(data.pairs)[:, None]
    weight = np.where(flags == "", weight, 0.0)
    why = np.where((why == "") & (flags != ""), flags, why)
    rated: BoolArray = np.asarray(np.isfinite(x).all(axis=1), dtype=bool)
    lacking = np.array([f"no rating of {p}" for p in data.properties], dtype=object)[np.isnan(x).argmax(axis=1)]
    why = np.where((why == "") & ~rated[:, None], lacking[:, None], why)
    in_group = groups.to_numpy(dtype=bool)
    keep = rated & (weight > 0).any(axis=1) & in_group.any(axis=1)
    return Design(
        encoder=encoder,
        columns=(*data.properties, *extra),
        roles=tuple("nuisance" if name in extra else "property" for name in (*data.properties, *extra)),
        pair_ids=data.pairs.index.to_numpy(dtype=object)[keep],
        x=np.column_stack([x, *extra.values()])[keep],
        y=y[keep],
        weight=weight[keep],
        cluster=pd.factorize(data.pairs["cluster"].to_numpy(dtype=object)[keep])[0].astype(np.int64),
        in_group=in_group[keep],
        judges=tuple(judges),
        groups=tuple(map(str, groups.columns)),
        group_kinds=kinds,
        dropped=_count(why, in_group, judges, list(groups.columns)),
    )


def choose_groups(data: PreferenceData, by: str | None) -> tuple[pd.DataFrame, dict[str, GroupKind]]:
    """Return the groups to fit, [pair, group], and their kinds; all pairs in one where there are none.

    Raises
    ------
    ColumnError
        If `by` is neither "scenario", "case", "both", None nor a column of the pairs.
    """
    wanted: dict[str | None, tuple[str, ...]] = {
        "scenario": ("scenario",),
        "case": ("case",),
        "both": ("scenario", "case"),
        None: (),
    }
    everything = pd.DataFrame({"all": np.ones(len(data), dtype=bool)}, index=data.pairs.index)
    if not isinstance(by, str | None):
        raise OptionError(f"by={by!r} must be the name of one kind of group or of one column, or None")
    if by in wanted:
        names = [g for g in data.groups.columns if data.group_kinds[g] in wanted[by]]
        if names:
            return data.groups[names], {g: data.group_kinds[g] for g in names}
        if by == "case":
            raise ColumnError("by='case', but the data mark no cases; name their columns in cases= when loading")
        return everything, {"all": "all"}
    if by not in data.pairs.columns:
        valid = dict.fromkeys(["scenario", "case", "both", None, *data.pairs])
        raise ColumnError(f"by={by!r} is no kind of group and no column; {choices(by, valid)}")
    groups = scenario_groups(data.pairs, by)  # type: ignore[arg-type]  # None is in `wanted`
    return groups, dict.fromkeys(groups.columns, "scenario")


def check_group_names(groups: Iterable[str]) -> None:
    """Raise `ColumnError` where a group has a name that tables use for something else."""
    taken = {OVERALL: "the mean over scenarios", NO_GROUP: "pairs that are in no group"}
    for group in groups:
        if group in taken:
            raise ColumnError(
                f"a scenario or case is named {group!r}, which in tables of results stands for {taken[group]}; rename "
                "it in the data, or choose other groups in by="
            )


def groups_like(data: PreferenceData, design: Design, by: str | None) -> pd.DataFrame:
    """Return which pairs of `data` belong to which groups of a design that was grouped by `by`.

    Raises
    ------
    UnknownNameError
        If no pair belongs to any.
    """
    everything = set(design.group_kinds.values()) == {"all"}
    groups, _ = choose_groups(data, None if everything else by)
    if not set(groups.columns) & set(design.groups):
        raise UnknownNameError(
            f"the pairs are in none of the fitted groups {list(design.groups)}; theirs are {list(groups.columns)}; "
            "where a column needs naming, load them with load(..., scenario=, cases=) first"
        )
    return groups.reindex(columns=list(design.groups), fill_value=False)


def preferences(
    data: PreferenceData, judges: Sequence[str], ties: Ties
) -> tuple[FloatArray, FloatArray, np.ndarray[Any, Any]]:
    """Return preference, weight and reason of absence, each [pair, judge].

    A tie verdict is dropped or counts half, as `ties` says; two orders that disagree are no tie
    but two verdicts, whose mean is 0.5. The reason is "" where there is a preference.
    """
    shape = (len(data), len(judges))
    table = data.verdicts
    codes = pd.Index(judges).get_indexer(pd.Index(table["judge"].astype(object)))
    pair = data.pairs.index.get_indexer(pd.Index(table["pair_id"]))
    mine = codes >= 0
    at = (pair[mine], codes[mine].astype(np.int64))
    outcome = table["outcome"].astype(object).to_numpy()[mine]
    value, weight = table["value"].to_numpy(float)[mine], table["weight"].to_numpy(float)[mine]
    usable = weight > 0
    tie = np.isin(outcome, ("tie", "both_bad"))
    counted = usable & ~tie if ties == "drop" else usable
    total, sum_y, n_asked, n_tied, n_weightless = (np.zeros(shape) for _ in range(5))
    np.add.at(total, at, np.where(counted, weight, 0.0))
    np.add.at(sum_y, at, np.where(counted, weight * np.nan_to_num(value), 0.0))
    np.add.at(n_asked, at, 1.0)
    np.add.at(n_tied, at, (usable & tie).astype(float))
    np.add.at(n_weightless, at, (~usable & np.isfinite(value)).astype(float))
    y = np.divide(sum_y, total, out=np.full(shape, 0.5), where=total > 0)
    why = np.select(
        [total > 0, n_tied > 0, n_weightless > 0, n_asked > 0],
        ["", "tie, dropped", "verdict of weight 0", "invalid verdict"],
        default="no verdict",
    ).astype(object)
    return y, total, why


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
