"""The facade: `dissect` fits, `Dissection` answers."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from prefdissect import _arviz, storage, tables
from prefdissect._typing import (
    Clustering,
    Encoding,
    Engine,
    Pooling,
    Preset,
    Ties,
    check_flag,
)
from prefdissect.asking.drawing import DrawsFigures
from prefdissect.asking.explaining import ExplainsPairs
from prefdissect.asking.pooling import TellsOfPooling
from prefdissect.asking.predicting import PredictsPairs
from prefdissect.asking.reporting import WritesReports
from prefdissect.asking.steering import SteersModels
from prefdissect.asking.training import LabelsPairs
from prefdissect.choose import choose_judges, pick
from prefdissect.data import Source, load_for, read_labels
from prefdissect.describe import describe
from prefdissect.errors import OptionError
from prefdissect.features import build_design, check_by
from prefdissect.inference import (
    OWN,
    PAPER_PRIOR,
    FitOptions,
    PriorLike,
    arrange_prior,
    check_options,
    check_pooling,
    check_self_preference,
    fit_design,
    fit_pooled,
    own_column,
    terms_when_pooled,
)
from prefdissect.nuisance import nuisance_table
from prefdissect.preset import apply_preset
from prefdissect.schema import PropertySchema
from prefdissect.text import rate_if_unrated

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Dissection", "dissect"]


def dissect(
    data: Source,
    judge: str | Sequence[str] | None = None,
    *,
    by: str | None = "scenario",
    encoding: Encoding = "comparison",
    ties: Ties = "davidson",
    position: bool | Literal["auto"] = "auto",
    generators: bool | Literal["auto"] = "auto",
    cluster: Clustering | None = None,
    preset: Preset | None = None,
    prior: PriorLike = PAPER_PRIOR,
    engine: Engine = "exact",
    draws: int = 1000,
    chains: int = 4,
    folds: int | None = None,
    interval: float = 0.94,
    min_pairs: int = 10,
    robust: bool = False,
    pooling: Pooling = "none",
    exclude_from_pool: str | Sequence[str] = (),
    pair_effect: bool | None = None,
    self_preference: bool = False,
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
        have texts and rate nothing are measured by rules first, by the properties of `TEXT`; with `schema=TEXT` they
        are measured whatever else is rated.
    judge
        One judge, several, or None for all.
    by
        Fit per `scenario`, per `case`, `both`, per value of a column, or None for all pairs
        together. Without scenarios all pairs are one group, `all`.
    encoding
        `comparison` (-1, 0, 1), `diff` (in the unit of the rating) or `norm_diff` (-1 to 1).
    ties
        `davidson`: P(A), P(B) and P(tie) are proportional to exp(t/2), exp(-t/2) and nu, so that weights are log-odds
        given a decision, and nu, one for each fit, says how decisive the judge is. `ordered`: cutpoints at -c and c on
        a latent scale, and weights on that scale, smaller than Davidson's where ties are many. A judge that never ties
        is plain logistic under both. `drop` leaves tie verdicts out; `half` counts them as half a win for each, which
        pulls weights towards 0 and makes intervals too narrow.
    position
        Being shown first as a term: `auto` where the order is known and varies, True where it is known, False not.
        Each order of a pair is then a row, and the k verdicts of a judge on one pair weigh k / (1 + (k - 1) r)
        together, r their correlation; with False their mean weighs 1.
    generators
        The models that wrote the responses (`model_a`, `model_b`) as terms: weights then compare responses of the same
        two models, and the terms are a leaderboard with the properties held equal. `auto` where both are known and
        have 25 pairs each in the average group, True wherever they are known, False not.
    cluster
        `auto`: rows weigh one over the design effect of clusters of pairs, see `certificates`. `none`: they do not.
        None is `auto` with pooling, which else takes what pairs of one prompt share for what judges share, and `none`.
        See also `robust`, which widens intervals and leaves the centre of the likelihood.
    preset
        `paper`: the paper's model, whatever the defaults are: ties dropped, no term but properties, no cluster
        weights, no pooling, `Laplace(0.1)`, comparisons.
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
    robust
        Let clusters of pairs say how sure the data are (`data.pairs["cluster"]`; by default pairs of one prompt): pairs
        that share a prompt or a response are not independent, and plain intervals are then too narrow. The likelihood
        keeps its centre and gets the width at which clusters vary: a greater one mostly, a smaller one where they vary
        less than independent verdicts, as with ties as half and soft labels. The prior then pulls the means by another
        amount, so that they move too, unless the prior is wide. Rows name the engine `robust`.
    pooling
        `none`: each judge and group on its own. `partial`: a weight is the sum of what is common, the judge's, the
        group's and the cell's own, and how large each of these is, is learned: weights borrow from other judges and
        groups as far as they are alike. `full`: one set of weights for all. Rows name the engine `pooled`; see
        `layers`, `scales` and `pooling_gain`, which says whether it paid. Terms are the same as without, but for
        `ties="ordered"`; a judge has one habit of order in all groups.
    exclude_from_pool
        Judges that are fitted on their own beside the pool, such as one that is unlike the others.
    pair_effect
        With pooling: whether pairs have something that all judges see and no property names. None looks for it where
        most verdicts are on pairs that four judges or more decided; without it shared noise would pass as agreement.
    self_preference
        With pooling and two judges or more: each generator has an effect, and so has being the judge's own response;
        see `Dissection.self_preference`. Needs `model_a`, `model_b` and `judge_generator`. Weights are then of
        properties among responses of one generator.
    random_seed
        Seed; each fit's stream derives from it, its judge and its group. None takes a fresh one, so that two runs
        differ in the last digits; `prefdissect dissect` takes 0.
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
    chosen: dict[str, Any] = {"ties": ties, "position": position, "generators": generators, "encoding": encoding}
    chosen, cluster, prior = apply_preset(preset, chosen, cluster, prior, pooling)
    options = check_options(
        engine,
        draws,
        chains,
        folds,
        interval,
        min_pairs,
        random_seed,
        robust,
        cluster,
        pooling=pooling,
        exclude_from_pool=exclude_from_pool,
        pair_effect=pair_effect,
    )
    check_flag("progress", progress)
    check_flag("robust", robust)
    chosen = terms_when_pooled(chosen, options, own=bool(check_flag("self_preference", self_preference)))
    given = load_for(data, judge, schema)
    check_by(given, by)
    loaded = rate_if_unrated(given, progress=progress)
    judges = choose_judges(loaded, judge)
    if self_preference:
        check_self_preference(loaded, judges, options)
    own = {OWN: np.zeros(len(loaded))} if self_preference else {}
    design = build_design(loaded, judges, by=by, **chosen, nuisance=own)
    check_pooling(design, prior, options)
    n = len(design.encoder.schema)
    arranged = arrange_prior(prior, design.columns[:n], design.columns[n:])
    if pooling == "none":
        posterior = fit_design(design, arranged, options, progress=progress)
    else:
        mine = {OWN: own_column(loaded, design)} if self_preference else {}
        posterior = fit_pooled(design, arranged, options, own=mine, progress=progress)
    asked = {"by": by, **chosen, "preset": preset, "prior": repr(prior), "self_preference": self_preference}
    asked |= asdict(options) | {"exclude_from_pool": list(options.exclude_from_pool)}  # as JSON has it
    return Dissection(loaded, design, posterior, asked | {"versions": dict(_versions()), "data_hash": loaded.hash})


@dataclass(frozen=True, eq=False, repr=False)
class Dissection(WritesReports, ExplainsPairs, PredictsPairs, DrawsFigures, SteersModels, LabelsPairs, TellsOfPooling):
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

    @property
    def weights(self) -> pd.DataFrame:
        """Every weight: one row per judge, group and property; see `tables.weights_table`."""
        return tables.weights_table(self.design, self.fitted, self.design.encoder.schema)

    @property
    def posterior(self) -> xr.Dataset:
        """Draws of the weights, log-odds per unit: `weight[chain, draw, judge, group, property]`, float32.

        Where fits hold other terms, `nuisance[chain, draw, judge, group, term]` has theirs, `cutpoint` those of ties.

        NaN where a group had too few pairs. A grid of more than 50 fits keeps 250 draws a chain, with ep 125;
        the tables are made from all. `az.plot_forest(result.posterior)` works.
        """
        return self.fitted.to_dataset(self.design.is_property).assign_attrs(data_hash=self.options["data_hash"])

    @property
    def nuisance(self) -> pd.DataFrame:
        """What fits hold beside properties: ties, order, models; see `nuisance.nuisance_table`."""
        return nuisance_table(self.design, self.fitted)

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

    def add(
        self,
        name: str,
        labels: Sequence[Any] | Mapping[str, Any] | pd.Series | str | Path,
        *,
        progress: bool | None = None,
    ) -> Dissection:
        """Return the dissection with one more judge, fitted like the others, which are not fitted again.

        `labels` is one per pair of the data, a mapping from pair id, or a JSON or CSV file that holds either; see
        `PreferenceData.with_judge` and `read_labels`.

        Raises
        ------
        PrefDissectError
            If there is a judge of that name, labels do not fit the pairs, or too few can be used.
        """
        if self.fitted.pooled is not None:
            raise OptionError(
                f"{name!r} cannot be added to a pooled fit without moving the others; add it to the data "
                "(data.with_judge) and dissect them again"
            )
        given = read_labels(labels) if isinstance(labels, str | Path) else labels
        data = self.data.with_judge(name, given)
        asked: dict[str, Any] = {key: self.options[key] for key in ("by", "encoding", "ties")}
        asked |= {"position": self.options.get("position", False), "generators": "generator" in self.design.roles}
        design = build_design(data, [*self.judges, name], **asked).sel([*self.judges, name], self.groups)
        design = design.align(self.design)
        options = FitOptions(**{f.name: self.options[f.name] for f in fields(FitOptions) if f.name in self.options})
        new = fit_design(
            design.sel([name], self.groups), self.fitted.prior, options, kept=self.fitted.shape[1], progress=progress
        )
        return Dissection(data, design, self.fitted.join(new), self.options | {"data_hash": data.hash})

    def to_arviz(self) -> Any:
        """Return the draws as the installed ArviZ holds them: `InferenceData`, or `DataTree` from 1.0 on."""
        return _arviz.to_container(self.posterior)

    def to_markdown(self, *, digits: int = 2) -> str:
        """Return the weights as a Markdown table."""
        return tables.to_text(self.weights, "github", digits)

    def to_latex(self, *, digits: int = 2) -> str:
        """Return the weights as a LaTeX table (it needs the package booktabs)."""
        return tables.to_text(self.weights, "latex_booktabs", digits)

    def save(self, path: str | Path, *, texts: bool = False) -> Path:
        """Write everything to one netCDF file, by default without the texts, and return its path."""
        return storage.write_file(Path(path), self.data, self.design, self.fitted, self.options, texts=texts)

    @classmethod
    def load(cls, path: str | Path) -> Dissection:
        """Read what `save` wrote; raises `FileFormatError` if the file is something else."""
        return cls(*storage.read_file(Path(path)))

    def __repr__(self) -> str:
        kept = self.fitted.shape[1]
        said = describe(self.weights, self.dropped, self.options, kept, self.design, self.fitted.pooled)
        hints = "".join(f"\nHint: {hint}" for hint in self.data.report.hints)
        return f"{said}\n{hints}" if hints else said

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>" + self.summary().round(3).to_html()


@cache
def _versions() -> dict[str, str]:
    """Return versions of the packages behind a fit; reading them takes as long as a fit does."""
    packages = ("prefdissect", "numba", "numpy", "scipy", "pymc", "arviz")
    return {name: metadata.version(name) for name in packages}
