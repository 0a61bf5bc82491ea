"""How alike judges are, and how sure that is."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prefdissect._typing import FloatArray, GroupKind
from prefdissect.compare.chains import diagnose_pairs
from prefdissect.compare.clusters import JudgeClusters, Linkage, cluster_judges
from prefdissect.compare.grouping import GroupingTest, grouping_test
from prefdissect.compare.measures import Measure, is_correlation
from prefdissect.compare.notes import note_gaps
from prefdissect.compare.rows import OVERALL, mean_over, names_of_rows
from prefdissect.errors import OptionError, UnknownNameError, choices

if TYPE_CHECKING:
    from prefdissect.plots import Axes

__all__ = ["FindTable", "JudgeSimilarity"]


# From judges and groups, in their order, to a table of these.
FindTable: TypeAlias = Callable[[Sequence[str], Sequence[str]], pd.DataFrame]


@dataclass(frozen=True, eq=False, repr=False)
class JudgeSimilarity:
    """How alike judges are: the paper's point values, and their posterior with the noise taken out.

    A point value is the similarity of two posterior means. Noise in both pulls it towards 0, the more the fewer pairs
    there are, so it cannot be compared between studies, nor with 1: see `ceiling`. `corrected`, `lower` and
    `upper` are the mean and the equal-tailed interval of the similarity of the true weights, from joint draws.

    Parameters
    ----------
    method
        `pearson`, `spearman`, `l1` or `l2`; see `compare_weights`.
    judges, groups, kinds
        Names, and the kind of each group.
    point
        Shape [group, judge, judge].
    draws, chains
        Shape [draw, group, judge, judge], and how many chains they come from; None where only points are known.
    interval
        Probability inside `lower` and `upper`.
    skipna
        Whether the overall value of two judges is the mean over the groups that both have a fit in (a ceiling: that the
        judge has one in); else it is NaN where one is missing.
    signal
        Share of each judge's weights that is no noise, [group, judge]: the variance over properties of the posterior
        means, over that plus the mean posterior variance; None where only points are known.
    remarks
        What bears on how to read the values of all judges and groups.
    find_ceiling, find_agreement
        Called with judges and groups when their table is asked for.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> study = pdx.simulate(800, judges=["me", "you"], scenarios=["Code", "Advice"], random_seed=0)
    >>> similarity = pdx.dissect(study.data, random_seed=0).similarity()
    >>> similarity.overall.shape, bool(similarity.lower.loc["me", "you"] < similarity.upper.loc["me", "you"])
    ((2, 2), True)
    """

    method: Measure
    judges: tuple[str, ...]
    groups: tuple[str, ...]
    kinds: Mapping[str, GroupKind]
    point: FloatArray
    draws: NDArray[np.float32] | None = None
    chains: int = 1
    interval: float = 0.94
    skipna: bool = False
    signal: FloatArray | None = None
    remarks: tuple[str, ...] = ()
    find_ceiling: FindTable | None = None
    find_agreement: FindTable | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What else bears on how to read the values: missing fits, and the remarks."""
        return (*note_gaps(self.signal, self.groups, self.kinds, skipna=self.skipna), *self.remarks)

    @property
    def r_hat(self) -> float:
        """Of the overall similarity over the chains behind `draws`: the largest R-hat of any two judges."""
        return self._convergence[0]

    @property
    def ess(self) -> float:
        """Of the overall similarity: the smallest effective sample size of any two judges."""
        return self._convergence[1]

    @property
    def overall(self) -> pd.DataFrame:
        """The point values of each two judges: the mean over scenarios, without cases. Source: the paper, 5.2."""
        return self._frame(self._average(self.point))

    @property
    def by_group(self) -> dict[str, pd.DataFrame]:
        """The point values in each group."""
        return {group: self._frame(self.point[g]) for g, group in enumerate(self.groups)}

    @property
    def corrected(self) -> pd.DataFrame:
        """The posterior mean of the overall similarity; NaN where only points are known."""
        return self._frame(self._summary[0])

    @property
    def lower(self) -> pd.DataFrame:
        """Lower bound of the interval of the overall similarity; NaN where only points are known."""
        return self._frame(self._summary[1])

    @property
    def upper(self) -> pd.DataFrame:
        """Upper bound of the interval of the overall similarity; NaN where only points are known."""
        return self._frame(self._summary[2])

    @cached_property
    def ceiling(self) -> pd.DataFrame:
        """How alike each judge would be to itself on fresh labels, [judge, overall and group]; see `ceiling_table`.

        Computed at the first call. A point value cannot be expected above the ceilings of its two judges.

        Raises
        ------
        OptionError
            If only points are known.
        """
        if self.find_ceiling is None:
            raise OptionError("only point weights are known of these judges, so there is no ceiling to simulate")
        return self.find_ceiling(self.judges, self.groups)

    @cached_property
    def _agreement(self) -> pd.DataFrame:
        if self.find_agreement is None:
            raise OptionError("only weights are known of these judges, no labels, so they have no agreement")
        return self.find_agreement(self.judges, self.groups)

    def agreement(self) -> pd.DataFrame:
        """Return raw agreement and Cohen's kappa of each two judges and group; see `agreement_table`.

        Raises
        ------
        OptionError
            If no labels are known of the judges.
        """
        return self._agreement.copy()

    @cached_property
    def overall_draws(self) -> NDArray[np.float32]:
        """Draws of the overall similarity, [draw, judge, judge]: the mean over scenarios, draw by draw.

        Raises
        ------
        OptionError
            If only points are known.
        """
        return self._average(self.group_draws)

    @property
    def group_draws(self) -> NDArray[np.float32]:
        """Draws of the similarity in each group, [draw, group, judge, judge].

        Raises
        ------
        OptionError
            If only points are known.
        """
        if self.draws is None:
            raise OptionError("only point weights are known of these judges: there is no posterior to draw from")
        return self.draws

    def closer(self, *, to: str, a: str, b: str, group: str | None = None) -> float:
        """Return the probability that `a` is more like `to` than `b` is, overall or in a group.

        Raises
        ------
        UnknownNameError
            If a name is not one of the judges or groups.
        OptionError
            If two of the judges are one, or only points are known.
        """
        at = [self._index(name) for name in (to, a, b)]
        if len(set(at)) < 3:
            raise OptionError(f"closer(to={to!r}, a={a!r}, b={b!r}) compares three judges, and two of these are one")
        draws = self._draws_of(group)
        gain = draws[:, at[0], at[1]] - draws[:, at[0], at[2]]
        return float("nan") if np.isnan(gain).any() else float((gain > 0).mean() + (gain == 0).mean() / 2)

    def clusters(
        self,
        k: int | None = None,
        *,
        height: float | None = None,
        linkage: Linkage = "average",
        group: str | None = None,
    ) -> JudgeClusters:
        """Return the judges as a tree of clusters, with the support of each branch; see `cluster_judges`.

        Of the corrected similarity, or of the points where only these are known, overall or in a group. Cut into `k`
        clusters, or at a height (1 - similarity, or the negative of l1 and l2); by default where the tree is longest.
        """
        draws = None if self.draws is None else self._draws_of(group)
        values = self._points_of(group) if draws is None else draws.mean(axis=0, dtype=float)
        top = 1.0 if is_correlation(self.method) else 0.0
        return cluster_judges(
            top - values, self.judges, None if draws is None else top - draws, k=k, height=height, linkage=linkage
        )

    def grouping(
        self,
        attributes: pd.Series | Mapping[str, object],
        *,
        within: pd.Series | Mapping[str, object] | None = None,
        group: str | None = None,
        permutations: int = 9999,
        random_seed: int | None = 0,
    ) -> GroupingTest:
        """Return whether judges of one class are more alike than judges of different ones; see `grouping_test`.

        `attributes` maps judges to classes; judges that it leaves out, or whose class is missing, do not take part.
        `within` maps them to strata, such as families, inside which alone classes are permuted; judges without one do
        not take part.
        """
        draws = None if self.draws is None else self._draws_of(group)
        return grouping_test(
            self._points_of(group),
            self.judges,
            attributes,
            draws=draws,
            within=within,
            interval=self.interval,
            permutations=permutations,
            random_seed=random_seed,
        )

    def plot(self, ax: Axes | None = None, *, group: str | None = None) -> Axes:
        """Draw a heat map with the tree of judges: corrected values with intervals, or points where only they are."""
        from prefdissect.compare.drawing import draw_similarity

        return draw_similarity(self, ax, group)

    def plot_ceiling(self, ax: Axes | None = None, *, group: str | None = None, wide: bool = False) -> Axes:
        """Draw each two judges' similarity beside the ceiling that noise sets it, overall or in a group."""
        from prefdissect.compare.drawing import draw_ceiling

        return draw_ceiling(self, ax, group, wide=wide)

    def to_frame(self, *, ceiling: bool = False) -> pd.DataFrame:
        """Return one row per group (`overall` first) and two judges.

        Columns: group, judge_a, judge_b, similarity (the point), corrected, lower, upper; and, where labels are known,
        n (pairs that both decided), agreement, kappa; and, if asked for, ceiling_a and ceiling_b.
        """
        a, b = np.triu_indices(len(self.judges), 1)
        names = np.array(self.judges, dtype=object)
        parts = []
        for group in names_of_rows(self.groups, self.kinds):
            points = self._points_of(group)
            mean, lower, upper = self._summarise(None if self.draws is None else self._draws_of(group))
            values = {"similarity": points, "corrected": mean, "lower": lower, "upper": upper}
            part = {"group": group, "judge_a": names[a], "judge_b": names[b]} | {n: v[a, b] for n, v in values.items()}
            parts.append(pd.DataFrame(part))
        table = pd.concat(parts, ignore_index=True)
        table = table.astype(dict.fromkeys(["group", "judge_a", "judge_b"], "str"))
        if self.find_agreement is not None:
            known = self._agreement.drop(columns="n_undecided")
            table = table.merge(known, on=["group", "judge_a", "judge_b"], how="left", validate="1:1")
        if ceiling:
            long = self.ceiling.rename_axis(columns="group").stack()
            for side in "ab":
                keys = pd.MultiIndex.from_frame(table[[f"judge_{side}", "group"]])
                table[f"ceiling_{side}"] = long.reindex(keys).to_numpy()
        table.attrs = {"interval": self.interval, "interval_kind": "equal-tailed", "method": self.method}
        return table

    def sel(
        self, *, judge: str | Sequence[str] | None = None, group: str | Sequence[str] | None = None
    ) -> JudgeSimilarity:
        """Return the similarities of these judges, in this order, and groups; overall is then the mean over these.

        Raises
        ------
        OptionError
            If a list is empty.
        UnknownNameError
            If a name is not one of the judges or groups.
        """
        judges = self._chosen("judge", judge, self.judges)
        groups = self._chosen("group", group, self.groups)
        j, g = [self._index(name) for name in judges], [self._group(name) for name in groups]
        return replace(
            self,
            judges=tuple(judges),
            groups=tuple(groups),
            kinds={name: self.kinds[name] for name in groups},
            point=self.point[np.ix_(g, j, j)],
            signal=None if self.signal is None else self.signal[np.ix_(g, j)],
            draws=None if self.draws is None else self.draws[:, g][:, :, j][:, :, :, j],
        )

    @property
    def _scenarios(self) -> NDArray[np.bool_]:
        return np.array([self.kinds[g] != "case" for g in self.groups])

    @cached_property
    def _summary(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        return self._summarise(None if self.draws is None else self.overall_draws)

    @cached_property
    def _convergence(self) -> tuple[float, float]:
        if self.draws is None:
            return float("nan"), float("nan")
        return diagnose_pairs(self.overall_draws if self._scenarios.any() else self.draws, self.chains)

    def _summarise(self, draws: NDArray[np.float32] | None) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return mean, lower and upper bound, [judge, judge] each."""
        if draws is None:
            missing = np.full(self.point.shape[1:], np.nan)
            return missing, missing, missing
        tail = (1 - self.interval) / 2
        lower, upper = np.quantile(draws, [tail, 1 - tail], axis=0)
        return draws.mean(axis=0, dtype=float), lower, upper

    def _average(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the mean over scenarios; their dimension is the third from last."""
        if not self._scenarios.any():
            raise OptionError(
                "the overall similarity is the mean over scenarios, and these groups are cases only: "
                f"{', '.join(self.groups)}; name one in group=, or dissect with by='scenario' or by='both'"
            )
        return mean_over(values[..., self._scenarios, :, :], -3, skipna=self.skipna)

    def _draws_of(self, group: str | None) -> NDArray[np.float32]:
        return self.overall_draws if group in (None, OVERALL) else self.group_draws[:, self._group(group)]

    def _points_of(self, group: str | None) -> FloatArray:
        return self._average(self.point) if group in (None, OVERALL) else self.point[self._group(group)]

    def _chosen(self, what: str, wanted: str | Sequence[str] | None, valid: tuple[str, ...]) -> list[str]:
        names = valid if wanted is None else [wanted] if isinstance(wanted, str) else wanted
        if not names:
            raise OptionError(f"{what}=[] names none; {choices('', valid)}")
        return list(dict.fromkeys(names))

    def _index(self, judge: str) -> int:
        if judge not in self.judges:
            raise UnknownNameError(f"unknown judge {judge!r}; {choices(judge, self.judges)}")
        return self.judges.index(judge)

    def _group(self, group: str) -> int:
        if group not in self.groups:
            raise UnknownNameError(f"unknown group {group!r}; {choices(group, self.groups)}")
        return self.groups.index(group)

    def _frame(self, values: FloatArray) -> pd.DataFrame:
        names = pd.Index(self.judges, name="judge")
        return pd.DataFrame(values, index=names, columns=names.rename(None))

    def __repr__(self) -> str:
        from prefdissect.compare.describe import describe_similarity

        return describe_similarity(self)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"
