"""The facade: `dissect` fits, `Dissection` answers."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prefdissect import _arviz, storage, tables
from prefdissect._typing import (
    Encoding,
    Engine,
    Ties,
    check_choice,
    check_flag,
)
from prefdissect.choose import choose_judges, pick
from prefdissect.compare import (
    JudgeSimilarity,
    Measure,
    ReferenceWeights,
    agreement_table,
    contrast_table,
    disagreement_table,
    draw_jointly,
    judge_similarity,
    place_table,
)
from prefdissect.data import PreferenceData, Source, load, load_for
from prefdissect.data.writers import write_paper_weights
from prefdissect.describe import describe
from prefdissect.errors import OptionError, choices
from prefdissect.features import Design, build_design, groups_like
from prefdissect.inference import PAPER_PRIOR, Posterior, PriorLike, arrange_prior, check_options, fit_design
from prefdissect.schema import PropertySchema
from prefdissect.text import TEXT, rate_if_unrated, rate_like

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Dissection", "dissect"]


def dissect(
    data: Source,
    judge: str | Sequence[str] | None = None,
    *,
    by: str | None = "scenario",
    encoding: Encoding = "comparison",
    ties: Ties = "drop",
    prior: PriorLike = PAPER_PRIOR,
    engine: Engine = "exact",
    draws: int = 1000,
    chains: int = 4,
    folds: int | None = None,
    interval: float = 0.94,
    min_pairs: int = 10,
    random_seed: int | np.random.Generator | None = None,
    progress: bool | None = None,
    schema: PropertySchema | str | Path | None = None,
) -> Dissection:
    """Tell what judges are preferring: the weight of each property, per judge and group.

    Fits P(A preferred) = sigmoid(sum_k weight_k x_k) without an intercept, where x_k says by how
    much A has more of property k, for each judge and group apart. Source: Li et al. 2024 (ACL),
    section 4; the posterior, which they reduce to its mean, is kept.

    Parameters
    ----------
    data
        What `load` takes. A column named `judge` is a judge even without the prefix `judge_`. Pairs that
        have texts and rate nothing are measured by rules first, by the properties of `TEXT`.
    judge
        One judge, several, or None for all.
    by
        Fit per `scenario`, per `case`, `both`, per value of a column, or None for all pairs
        together. Without scenarios all pairs are one group, `all`.
    encoding
        `comparison` (-1, 0, 1), `diff` (in the unit of the rating) or `norm_diff` (-1 to 1).
    ties
        `drop` leaves tie verdicts out; `half` counts them as half a win for each, which pulls
        weights towards 0.
    prior
        `Laplace(scale)` or `Normal(scale)`, or a mapping from property to one of them.
    engine
        `exact`: draws from the posterior, in milliseconds. `ep`: a close approximation for sweeps of
        thousands of fits. `nuts`: PyMC, the reference, in seconds. Where the certificate of one fails,
        the next takes over (`ep`, `exact`, `nuts`), with a warning, and the row names it.
    draws, chains
        Draws per chain, and chains (at least 2). A fit of a sampler needs an effective sample size of
        400 to be certified. With fewer than 1,600 draws in all a low one is no reason for another engine to
        take over.
    folds
        Average over so many fits that each leave out a fold, as the paper does with 10.
    interval
        Probability inside the equal-tailed intervals.
    min_pairs
        A group with fewer usable pairs is reported and not fitted.
    random_seed
        Seed; each fit's stream derives from it, its judge and its group. None takes a fresh one.
    progress
        Show a bar; None shows it where the work takes more than a moment and someone may look.
    schema
        How the properties are rated, where `data` is a table: a `PropertySchema` or its file.

    Raises
    ------
    PrefDissectError
        Its subclasses name the argument, the value and the valid choices.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> schema = pdx.PAPER.select(["lengthy", "clear"])
    >>> truth = {"lengthy": 1.0, "clear": 0.0}
    >>> study = pdx.simulate(500, schema=schema, judges=["me"], scenarios=None, weights=truth, random_seed=0)
    >>> result = pdx.dissect(study.data, judge="me", random_seed=0)
    >>> result.top(1)[["side", "property"]].to_numpy().tolist()
    [['most', 'lengthy'], ['least', 'clear']]
    """
    options = check_options(engine, draws, chains, folds, interval, min_pairs, random_seed)
    check_choice("encoding", encoding, Encoding)
    check_choice("ties", ties, Ties)
    check_flag("progress", progress)
    loaded = rate_if_unrated(load_for(data, judge, schema), progress=progress)
    judges = choose_judges(loaded, judge)
    design = build_design(loaded, judges, by=by, encoding=encoding, ties=ties)
    posterior = fit_design(design, arrange_prior(prior, design.encoder.schema.ids), options, progress=progress)
    asked = {"by": by, "encoding": encoding, "ties": ties, "prior": repr(prior), **asdict(options)}
    return Dissection(loaded, design, posterior, asked | {"versions": _versions(), "data_hash": loaded.hash})


@dataclass(frozen=True, eq=False, repr=False)
class Dissection:
    """What each judge is preferring, in each group; made by `dissect` or `Dissection.load`.

    Parameters
    ----------
    data
        The pairs, ratings and verdicts.
    design
        The signed matrix that was fitted.
    fitted
        The posterior of each judge and group.
    options
        How it was made: every argument, the seed, versions, the data's hash.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> schema = pdx.PAPER.select(["lengthy", "clear"])
    >>> study = pdx.simulate(200, schema=schema, judges=["me"], scenarios=None, random_seed=0)
    >>> result = pdx.dissect(study.data, random_seed=0)
    >>> result.weights.shape, result.posterior["weight"].dims
    ((2, 19), ('chain', 'draw', 'judge', 'group', 'property'))
    """

    data: PreferenceData
    design: Design
    fitted: Posterior
    options: dict[str, Any]

    @property
    def judges(self) -> list[str]:
        """The judges that were dissected."""
        return list(self.fitted.judges)

    @property
    def groups(self) -> list[str]:
        """The groups, those with too few pairs included."""
        return list(self.fitted.groups)

    @property
    def properties(self) -> list[str]:
        """Ids of the properties, in the order of the arrays."""
        return list(self.design.encoder.schema.ids)

    @property
    def weights(self) -> pd.DataFrame:
        """Every weight: one row per judge, group and property; see `tables.weights_table`."""
        return tables.weights_table(self.design, self.fitted, self.design.encoder.schema)

    @property
    def posterior(self) -> xr.Dataset:
        """Draws of the weights, log-odds per unit: `weight[chain, draw, judge, group, property]`, float32.

        NaN where a group had too few pairs. A grid of more than 50 fits keeps 250 draws a chain, with ep 125;
        the tables are made from all. `az.plot_forest(result.posterior)` works.
        """
        return self.fitted.to_dataset().assign_attrs(data_hash=self.options["data_hash"])

    @property
    def certificates(self) -> pd.DataFrame:
        """How each fit was made and why it can be relied on; see `tables.certificate_table`."""
        return tables.certificate_table(self.fitted)

    @property
    def dropped(self) -> pd.DataFrame:
        """Pairs left out of each fit: judge, group, reason, n."""
        return self.design.dropped.copy()

    def summary(self) -> pd.DataFrame:
        """Return the fitted weights indexed by judge, group and property, largest first."""
        return tables.summary_table(self.weights)

    def overall(self, *, skipna: bool = False) -> pd.DataFrame:
        """Return each judge's mean probability of each property over scenarios; see `tables.overall_table`."""
        return tables.overall_table(self.design, self.fitted, self.design.encoder.schema, skipna=skipna)

    def top(self, k: int = 3) -> pd.DataFrame:
        """Return the `k` most and least preferred properties of each judge and group."""
        return tables.top_table(self.weights, k)

    def sel(self, *, judge: str | Sequence[str] | None = None, group: str | Sequence[str] | None = None) -> Dissection:
        """Return the dissection of these judges and groups only.

        Raises
        ------
        UnknownNameError
            If a judge or group is not in the result.
        """
        judges = pick("judge", judge, self.judges)
        groups = pick("group", group, self.groups)
        return Dissection(self.data, self.design.sel(judges, groups), self.fitted.sel(judges, groups), self.options)

    def predict(self, data: Source) -> pd.DataFrame:
        """Return the probability that A is preferred in each pair of `data`, with its interval.

        One row per judge, group and pair: a pair is predicted by each fitted group that it belongs
        to; a pair that belongs to none has one row without group and probability. Schema, encoding
        and scales are those of the fit. See `tables.prediction_table`.

        Raises
        ------
        UnknownNameError
            If the pairs lack a property, or none is in a fitted group.
        """
        encoder = self.design.encoder
        data = _load_new(data, encoder.schema)
        in_group = groups_like(data, self.design, self.options["by"])
        x = self.design.complete(encoder.encode(data))
        return tables.prediction_table(self.fitted, x, data.pairs.index, in_group)

    def similarity(
        self, method: Measure = "pearson", *, groups: Sequence[str] | None = None, skipna: bool = False
    ) -> JudgeSimilarity:
        """Return how alike the judges are, overall and in each group, with the noise that is in it.

        `method` is `pearson` (the paper's), `spearman`, `l1` or `l2`; `groups` the groups to show and average, all if
        None (the posterior is that of all groups together). `skipna` averages over the groups that two judges both
        have a fit in. Source: Li et al. 2024, section 5.2; the posterior is ours: see `JudgeSimilarity`.

        Raises
        ------
        DataError
            If there are fewer than two judges, or no two of them have a fit in a common group.
        """
        found = judge_similarity(
            self.design,
            self.fitted,
            self._joint_weights,
            method,
            skipna=skipna,
            random_seed=self.options["random_seed"],
        )
        return found if groups is None else found.sel(group=pick("group", groups, self.groups))

    @cached_property
    def _joint_weights(self) -> NDArray[np.float32]:
        """Joint draws of the weights of all judges, made once."""
        return draw_jointly(self.design, self.fitted, random_seed=self.options["random_seed"])

    def agreement(self) -> pd.DataFrame:
        """Return raw agreement and Cohen's kappa of each two judges and group; see `agreement_table`."""
        return agreement_table(self.design)

    def contrast(self, a: str, b: str, *, group: str | None = None, judge: str | None = None) -> pd.DataFrame:
        """Return how two judges' weights differ, property by property, the largest difference first.

        In `group`, or averaged over scenarios if None. With `judge`, `a` and `b` are two groups of this judge. See
        `contrast_table` for the columns.

        Raises
        ------
        UnknownNameError
            If a name is not in the result.
        OptionError
            If `a` and `b` are the same, or both `group` and `judge` are given.
        """
        if judge is None:
            a, b = pick("judge", [a], self.judges) + pick("judge", [b], self.judges)
            where = self._scenarios if group is None else pick("group", group, self.groups)
            sides = [(a, g) for g in where], [(b, g) for g in where]
        else:
            (judge,) = pick("judge", judge, self.judges)
            sides = (
                [(judge, g) for g in pick("group", a, self.groups)],
                [(judge, g) for g in pick("group", b, self.groups)],
            )
            if group is not None:
                raise OptionError(
                    f"group={group!r} and judge={judge!r}: contrast two judges in a group, or two groups of a judge"
                )
        if a == b:
            raise OptionError(f"contrast({a!r}, {b!r}): name two different ones")
        return contrast_table(self.design, self.fitted, self.design.encoder.schema, *sides)

    def disagreements(self, a: str, b: str, k: int = 10, *, group: str | None = None) -> pd.DataFrame:
        """Return the `k` pairs on which two judges' fits differ most, and the properties that explain it.

        In `group`, or in any scenario if None. See `disagreement_table` for the columns.

        Raises
        ------
        UnknownNameError
            If a name is not in the result.
        """
        a, b = pick("judge", [a], self.judges) + pick("judge", [b], self.judges)
        where = self._scenarios if group is None else pick("group", group, self.groups)
        return disagreement_table(self.design, self.fitted, self.design.encoder.schema, a, b, where, k)

    @property
    def _scenarios(self) -> list[str]:
        """The groups that do not overlap; all of them where there are cases only."""
        return [g for g in self.groups if self.design.group_kinds[g] != "case"] or self.groups

    def place_among(self, reference: ReferenceWeights, *, method: Measure = "pearson") -> pd.DataFrame:
        """Return how alike each judge is to each judge of a reference, nearest first; see `place_table`.

        Raises
        ------
        UnknownNameError
            If the properties differ, or no group is common.
        """
        kept = [role == "property" for role in self.design.roles]
        means = self.fitted.stack("mean")[:, :, kept]
        return place_table(means, self.fitted.judges, self.fitted.groups, tuple(self.properties), reference, method)

    def to_arviz(self) -> Any:
        """Return the draws as the installed ArviZ holds them: `InferenceData`, or `DataTree` from 1.0 on."""
        return _arviz.to_container(self.posterior)

    def to_markdown(self, *, digits: int = 2) -> str:
        """Return the weights as a Markdown table."""
        return tables.to_text(self.weights, "github", digits)

    def to_latex(self, *, digits: int = 2) -> str:
        """Return the weights as a LaTeX table (it needs the package booktabs)."""
        return tables.to_text(self.weights, "latex_booktabs", digits)

    def to_reference(self, path: str | Path, judge: str | None = None) -> Path:
        """Write a judge's mean weights as the paper's authors' app takes new ones; see `writers.write_paper_weights`.

        `judge` may be left out where there is one only. `load_reference` reads the file beside the released ones.
        """
        if judge is None and len(self.judges) > 1:
            raise OptionError(f"judge=None, but the file holds one judge; {choices('', self.judges)}")
        (name,) = pick("judge", judge, self.judges)
        return write_paper_weights(self.weights, path, name)

    def save(self, path: str | Path, *, texts: bool = False) -> Path:
        """Write everything to one netCDF file, by default without the texts, and return its path."""
        return storage.write_file(Path(path), self.data, self.design, self.fitted, self.options, texts=texts)

    @classmethod
    def load(cls, path: str | Path) -> Dissection:
        """Read what `save` wrote; raises `FileFormatError` if the file is something else."""
        return cls(*storage.read_file(Path(path)))

    def __repr__(self) -> str:
        said = describe(self.weights, self.dropped, self.options, self.fitted.shape[1])
        hint = dict(self.data.report.facts).get("hint")
        return f"{said}\n\nHint: {hint}" if hint else said

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>" + self.summary().round(3).to_html()


def _load_new(data: Source, schema: PropertySchema) -> PreferenceData:
    """Return pairs to predict, whose verdicts are not needed; what `TEXT` has and they lack is measured."""
    if isinstance(data, PreferenceData):
        return rate_like(data, schema)
    if any(prop in TEXT.properties for prop in schema):
        return rate_like(load(data, schema=schema), schema)
    return load(data, schema=schema, properties=list(schema.ids), judges=[])


def _versions() -> dict[str, str]:
    packages = ("prefdissect", "numba", "numpy", "scipy", "pymc", "arviz")
    return {name: metadata.version(name) for name in packages}
