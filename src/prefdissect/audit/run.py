"""From a benchmark to its audit: rules, subsets, leaderboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from prefdissect._typing import Encoding, Unparsed, check_choice, check_count
from prefdissect.audit.benchmark import Audit
from prefdissect.audit.leaderboard import LEADERBOARD, WEIGHTS, leaderboard
from prefdissect.audit.models import has_models
from prefdissect.audit.rules import rule_table
from prefdissect.audit.subsets import subset_table
from prefdissect.check import HeldOut
from prefdissect.check.heldout import LENGTHS
from prefdissect.choose import choose_judges
from prefdissect.data import PreferenceData, Source, load_for
from prefdissect.errors import DataError, OptionError, UnknownNameError, choices
from prefdissect.features import Design, build_design, check_by
from prefdissect.inference import PAPER_PRIOR, FitOptions, PriorArrays, PriorLike, arrange_prior, check_options
from prefdissect.inference.threads import one_blas_thread
from prefdissect.schema import PropertySchema
from prefdissect.text import TEXT, rate_if_unrated, rate_only

__all__ = ["audit_benchmark", "audit_design", "check_plan"]

_NEED_PROMPT = ("prompt_overlap", "same_language")
_TEXTS = ("response_a", "response_b")
_LENGTH = ("length",)


@dataclass(frozen=True)
class Plan:
    """The options of an audit, checked; see `audit_benchmark`."""

    hold_equal: tuple[str, ...]
    blind: tuple[str, ...] | None
    encoding: Encoding
    unparsed: Unparsed
    folds: int
    resamples: int
    fit: FitOptions


def audit_benchmark(
    data: Source,
    judge: str | Sequence[str] | None = None,
    properties: str | Sequence[str] | None = None,
    hold_equal: str | Sequence[str] = _LENGTH,
    *,
    blind: str | Sequence[str] | None = None,
    by: str | None = "scenario",
    encoding: Encoding = "comparison",
    unparsed: Unparsed = "drop",
    prior: PriorLike = PAPER_PRIOR,
    folds: int = 10,
    interval: float = 0.94,
    resamples: int = 1000,
    random_seed: int | np.random.Generator | None = None,
    schema: PropertySchema | str | Path | None = None,
    progress: bool | None = None,
) -> Audit:
    """Tell how much of a benchmark is won by looking at single properties, and who wins if they are held equal.

    No model is asked. Rules such as "prefer the longer" are scored on the verdicts of a judge; the best rule and a
    fitted judge on pairs that had no part in choosing them; and where the pairs name the models that wrote them, a
    leaderboard is made again with chosen properties held equal. See `Audit` for the tables, and the page "What an audit
    can claim".

    Parameters
    ----------
    data
        What `load` takes. Pairs with texts and without ratings are measured first, by the properties of `TEXT`.
    judge
        Whose verdicts: one judge, several, or None for all.
    properties
        Which to audit: those rated, and of others what `TEXT` has; by default all that are rated.
    hold_equal
        Properties to hold equal in the leaderboard, likewise. Where the default, length, is neither rated nor to be
        measured, a rated length of another name stands for it, or nothing is held equal, and the audit says so.
    blind
        The properties that can be told without reading the prompt; by default those of `TEXT` that are.
    by
        Subsets: as in `dissect`.
    encoding
        Of what is held equal: `comparison` takes out which response has more, `norm_diff` and `diff` also how much.
    unparsed
        Raw win rates leave out a verdict that could not be read (`drop`), or count it half a win for each (`half`), as
        AlpacaEval counts its code 0.
    prior
        Of the fitted judge that is scored held out, as in `dissect`.
    folds
        Prompts (clusters) are dealt into so many; a subset with fewer is not scored held out.
    interval, resamples
        Probability inside the intervals, and draws of clusters behind those of shares.
    random_seed
        Seed of folds and draws. None takes a fresh one.
    schema
        How the properties are rated, where `data` is a table.
    progress
        Show a bar; None shows it where the work takes more than a moment and someone may look.

    Raises
    ------
    PrefDissectError
        Its subclasses name the argument, the value and the valid choices.

    Examples
    --------
    >>> import pandas as pd
    >>> import prefdissect as pdx
    >>> table = pd.DataFrame({"prompt": [f"Ask {i}" for i in range(60)], "scenario": ["easy", "hard"] * 30})
    >>> table["response_a"] = [("word " * (5 + 20 * (i % 7))).strip() for i in range(60)]
    >>> table["response_b"] = [("text " * (95 - 20 * (i % 5))).strip() for i in range(60)]
    >>> longer = table["response_a"].str.len() > table["response_b"].str.len()
    >>> table["judge_counts"] = ["A" if a else "B" for a in longer]
    >>> found = pdx.audit_benchmark(table, properties=["length", "questions"], random_seed=0)
    >>> found.rules.loc[found.rules["group"] == "(all pairs)", ["direction", "property"]].iloc[0].tolist()
    ['more', 'length']
    >>> found.subsets["without_reading"].tolist(), len(found.leaderboard)
    ([True, True, True], 0)
    """
    plan = check_plan(
        hold_equal, blind, encoding=encoding, unparsed=unparsed, folds=folds, resamples=resamples, interval=interval,
        random_seed=random_seed,
    )  # fmt: skip
    loaded = load_for(data, judge, schema)
    check_by(loaded, by)
    names = [properties] if isinstance(properties, str) else properties
    rated = rate_if_unrated(loaded, progress=progress) if names is None else rate_only(loaded, names)
    judges = choose_judges(rated, judge)
    design = build_design(rated, judges, by=by, encoding="comparison", ties="drop")
    return audit_design(rated, design, arrange_prior(prior, design.encoder.schema.ids), plan, progress=progress)


def check_plan(
    hold_equal: str | Sequence[str],
    blind: str | Sequence[str] | None,
    *,
    encoding: Encoding,
    unparsed: Unparsed,
    folds: int,
    resamples: int,
    interval: float,
    random_seed: int | np.random.Generator | None,
) -> Plan:
    """Return the options of an audit, each checked; a fresh seed where none is given."""
    held = (hold_equal,) if isinstance(hold_equal, str) else tuple(hold_equal)
    if not held:
        raise OptionError("hold_equal=[] names nothing to hold equal; the raw leaderboard stands beside it in any case")
    return Plan(
        hold_equal=held,
        blind=(blind,) if isinstance(blind, str) else None if blind is None else tuple(blind),
        encoding=check_choice("encoding", encoding, Encoding),
        unparsed=check_choice("unparsed", unparsed, Unparsed),
        folds=check_count("folds", folds, least=2),
        resamples=check_count("resamples", resamples, least=100),
        fit=check_options("exact", 1000, 4, None, interval, 2, random_seed, True),
    )


def audit_design(
    data: PreferenceData,
    design: Design,
    prior: PriorArrays,
    plan: Plan,
    *,
    held: HeldOut | None = None,
    progress: bool | None = None,
) -> Audit:
    """Return the audit of a design of comparisons; see `audit_benchmark`.

    `prior` is that of its columns, `held` what is known of pairs held out with it in as many folds.
    """
    ids = design.encoder.schema.ids
    blind = _choose_blind(design, plan.blind)
    shared = {"interval": plan.fit.interval, "resamples": plan.resamples, "random_seed": plan.fit.random_seed}
    with one_blas_thread():
        rules = rule_table(design, **shared)  # type: ignore[arg-type]
        subsets = subset_table(design, prior, rules, blind, folds=plan.folds, held=held, progress=progress, **shared)  # type: ignore[arg-type]
        equal, note = _held(data, plan.hold_equal)
        boards, weights, left_out, without = _leaderboards(data, design.judges, equal, plan)
    notes = [
        *([] if blind else [f"none of the {len(ids)} properties is known to need no prompt; name those in blind="]),
        *([note] if note and len(boards) else []),
        *without,
    ]
    dropped = design.dropped.groupby(["judge", "reason"])["n"].sum().reset_index()
    dropped = pd.concat([dropped, left_out])
    return Audit(
        rules=rules,
        subsets=subsets,
        leaderboard=boards,
        weights=weights,
        left_out=dropped.reset_index(drop=True),
        blind=tuple(blind),
        hold_equal=equal,
        folds=plan.folds,
        interval=plan.fit.interval,
        notes=tuple(notes),
    )


def _choose_blind(design: Design, asked: Sequence[str] | None) -> list[str]:
    """Return the properties that need no prompt, in the order of the columns.

    Raises
    ------
    UnknownNameError
        If one that was asked for is not there.
    """
    schema = design.encoder.schema
    if asked is None:
        return [p.id for p in schema if (p in TEXT.properties and p.id not in _NEED_PROMPT) or p.kind == "words"]
    for name in asked:
        if name not in schema.ids:
            raise UnknownNameError(f"blind names unknown property {name!r}; {choices(name, schema.ids)}")
    return [name for name in schema.ids if name in asked]


def _held(data: PreferenceData, asked: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return what is held equal, and what there is to say of it."""
    if asked != _LENGTH or "length" in data.properties:
        return asked, ""
    other = next((name for name in LENGTHS if name in data.properties), None)
    if other is not None:
        return (other,), f"held equal: {other}, as the data rate no 'length'"
    if set(_TEXTS) <= set(data.pairs.columns):
        return asked, ""
    why = "the data rate no length and hold no texts to measure it"
    return (), f"nothing is held equal: {why}; name properties in hold_equal="


def _leaderboards(
    data: PreferenceData, judges: Sequence[str], held: tuple[str, ...], plan: Plan
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, list[str]]:
    """Return the leaderboards of all judges, the weights, what is left out, and which judge has none and why."""
    parts: list[tuple[pd.DataFrame, ...]] = []
    without = []
    if has_models(data):
        rated = rate_only(data, held) if held else _unrated(data)
        how = {"encoding": plan.encoding, "unparsed": plan.unparsed, "options": plan.fit, "resamples": plan.resamples}
        for judge in judges:
            try:
                parts.append(leaderboard(rated, judge, **how))  # type: ignore[arg-type]
            except DataError as error:
                without.append(f"no leaderboard of {judge}: {error}")
    else:
        without.append("no leaderboard: the data do not name two models (columns model_a and model_b)")
    names = LEADERBOARD, WEIGHTS, ["judge", "reason", "n"]
    if not parts:
        empty = [pd.DataFrame(columns=columns) for columns in names]
        return empty[0], empty[1], empty[2], without
    boards, weights, left_out = (pd.concat([part[i] for part in parts], ignore_index=True) for i in range(3))
    boards.attrs = {"interval": plan.fit.interval, "interval_kind": "equal-tailed"}
    return boards, weights, left_out, without


def _unrated(data: PreferenceData) -> PreferenceData:
    """Return the data without any property."""
    from dataclasses import replace

    schema = data.schema.model_copy(update={"properties": ()})
    n = len(data)
    return replace(data, schema=schema, ratings=np.full((n, 2, 0), np.nan), comparisons=np.full((n, 0), np.nan))
