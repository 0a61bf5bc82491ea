"""The contract that everything else stands on: pairs, ratings, verdicts, groups."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from prefdissect._typing import FloatArray, GroupKind, TableLike
from prefdissect.data.combined import asked_rows
from prefdissect.data.flags import FLAG
from prefdissect.data.report import DataReport
from prefdissect.data.verdicts import KEY, labels_of
from prefdissect.schema import PropertySchema

if TYPE_CHECKING:
    from typing import Self

__all__ = ["PreferenceData"]


@dataclass(frozen=True, eq=False, repr=False)
class PreferenceData:
    """Pairs of responses, how the responses rate, and who preferred which.

    Made by `load` or `PreferenceData.from_frame`; change is by copy.

    Parameters
    ----------
    schema
        The properties of these data, in the order of the arrays.
    pairs
        One row per pair, unique text index `pair_id`: `prompt_id`, `response_id_a`,
        `response_id_b`, `cluster`, and whatever else the source has; where there are responses, `pair_flag`
        says which pairs are left out of fits because one is empty or both are the same.
    ratings
        Shape [pair, 2, property], NaN where a response is not rated.
    comparisons
        Shape [pair, property]: ready-made differences, positive where A has more of the property,
        NaN where the source gives ratings instead.
    verdicts
        One row per question asked: `pair_id`, `judge`, `first` (A, B or unknown), `repeat`,
        `value` (1 = A, 0 = B, 0.5 = tie, between = soft, NaN = unusable), `outcome` (A, B, tie,
        both_bad, soft, invalid), `weight`, and where known more.
    groups
        Boolean, [pair, group].
    group_kinds
        `scenario` or `case` for each group.
    vocabulary
        The schema that was asked for, by which joined ratings are read; `schema` is what it rates here.
    report
        What was inferred and what was left out.

    Examples
    --------
    >>> import pandas as pd
    >>> from prefdissect import PreferenceData
    >>> table = pd.DataFrame({"clear_a": [3, 1], "clear_b": [1, 2], "judge_me": ["A", "B"]})
    >>> data = PreferenceData.from_frame(table)
    >>> data.judges, data.properties
    (['me'], ['clear'])
    """

    schema: PropertySchema
    pairs: pd.DataFrame
    ratings: FloatArray
    comparisons: FloatArray
    verdicts: pd.DataFrame
    groups: pd.DataFrame
    group_kinds: Mapping[str, GroupKind]
    vocabulary: PropertySchema | None = None
    report: DataReport = field(default_factory=DataReport)

    @classmethod
    def from_frame(
        cls,
        df: pd.DataFrame | TableLike,
        *,
        judges: str | Sequence[str] | None = None,
        properties: str | Sequence[str] | None = None,
        scenario: str | None = None,
        cases: str | Sequence[str] = (),
        cluster: str | None = None,
        response_id: str | None = None,
        schema: PropertySchema | str | Path | None = None,
    ) -> Self:
        """Read a table of one row per pair, or of one row per verdict (with a column `judge`).

        Parameters
        ----------
        df
            A DataFrame, or anything with `.to_pandas()`. Numeric columns `<x>_a` and `<x>_b` are
            ratings of property `x`, except stems `id`, `index`, `*_id`, `*_idx`, `*_pos`; a
            column `judge_<name>` holds the verdicts of that judge; `pair_id`, `prompt`,
            `prompt_id`, `response_a`, `response_b`, `response_id_a`, `response_id_b`,
            `scenario`, `cluster` mean what they say. All others are kept in `pairs`.
        judges
            Judges, or columns that hold the verdicts of one each.
        properties
            Properties to use: stems of `<x>_a` and `<x>_b`, or columns that already hold
            differences, positive where A has more.
        scenario, cases, cluster
            Columns that name the scenario, mark the cases (boolean) and name the cluster of
            pairs that are not independent (by default the prompt).
        response_id
            Stem of the columns that identify the responses, if not `response_id`.
        schema
            How the properties are rated: a schema or its file. Without it every property is a plain number.

        Raises
        ------
        DataError
            Its subclasses name the column, the row, the value and the valid choices.
        """
        from prefdissect.data.frame import read_frame

        return cls(
            **read_frame(
                df,
                judges=judges,
                properties=properties,
                scenario=scenario,
                cases=cases,
                cluster=cluster,
                response_id=response_id,
                schema=schema,
            )
        )

    @property
    def judges(self) -> list[str]:
        """Names of the judges, in the order of the source."""
        return [str(j) for j in self.verdicts["judge"].cat.categories]

    @property
    def properties(self) -> list[str]:
        """Ids of the properties, in the order of the arrays."""
        return list(self.schema.ids)

    @property
    def source_columns(self) -> list[str]:
        """Columns of `pairs` beyond the ids that are always there."""
        always = ("prompt_id", "response_id_a", "response_id_b", "cluster", FLAG)
        return [str(c) for c in self.pairs.columns if c not in always]

    @cached_property
    def labels(self) -> pd.DataFrame:
        """Weighted mean verdict of each judge on each pair, [pair, judge], NaN where there is none."""
        return labels_of(self.verdicts, self.pairs.index, self.judges)

    @cached_property
    def hash(self) -> str:
        """32 hexadecimal digits that change when a pair, rating, verdict or group does."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update(self.schema.model_dump_json(exclude={"properties": {"__all__": {"question"}}}).encode())
        digest.update(repr([(g, self.group_kinds[g]) for g in self.groups.columns]).encode())
        for array in (self.ratings, self.comparisons, self.groups.to_numpy(dtype=bool)):
            digest.update(np.ascontiguousarray(array).tobytes())
        ids = self.pairs[["prompt_id", "response_id_a", "response_id_b", "cluster"]].reset_index()
        for frame in (ids, self.verdicts[[*KEY, "value", "outcome", "weight"]]):
            digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
        return digest.hexdigest()

    def with_judge(self, name: str, labels: Sequence[Any] | Mapping[str, Any] | pd.Series) -> Self:
        """Return data with one more judge.

        Parameters
        ----------
        name
            A name that no judge has yet.
        labels
            One verdict per pair in the order of `pairs`, or a mapping or Series from pair id.
            Missing or NaN: the judge was not asked.

        Raises
        ------
        DataError
            If the name is taken, the number of labels is wrong, or an id or a label is unknown.
        """
        from prefdissect.data.extend import add_judge

        return replace(self, **add_judge(self, name, labels))

    def join_ratings(
        self,
        frame: pd.DataFrame | TableLike,
        *,
        properties: str | Sequence[str] | None = None,
        schema: PropertySchema | str | Path | None = None,
    ) -> Self:
        """Return data with more properties, from a table of ratings kept elsewhere.

        Parameters
        ----------
        frame
            One row per pair (column `pair_id`, columns `<x>_a` and `<x>_b`), or one row per
            response (column `response_id`, one column per property).
        properties, schema
            As in `from_frame`.

        Raises
        ------
        DataError
            If the key is missing or repeated, nothing matches, or a property is there already.
        """
        from prefdissect.data.extend import add_ratings

        return replace(self, **add_ratings(self, frame, properties, schema))

    def to_file(self, path: str | Path) -> Path:
        """Write one tidy table (parquet, CSV, JSON, JSON Lines) that `load` reads back; see `writers.write_table`."""
        from prefdissect.data.writers import write_table

        return write_table(self, path)

    def to_annotated_pairs(self, path: str | Path, default: str | None = None) -> Path:
        """Write JSON that feedback-forensics opens, judge `default` first; see `writers.write_annotated_pairs`."""
        from prefdissect.data.writers import write_annotated_pairs

        return write_annotated_pairs(self, path, default=default)

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.pairs)

    def __repr__(self) -> str:
        properties = f"{len(self.schema)} {'property' if len(self.schema) == 1 else 'properties'}"
        counts = [(len(self), "pair"), (len(self.judges), "judge"), (len(asked_rows(self.verdicts)), "verdict")]
        shape = ", ".join([*(f"{n:,} {what}{'s' * (n != 1)}" for n, what in counts), properties])
        return f"PreferenceData: {shape}\n{self.report}"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"
