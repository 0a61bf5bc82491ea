"""Studies whose weights are known: for tests, for teaching, and to plan a real one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit

from prefdissect._typing import BoolArray, FloatArray, GroupKind, IntArray, check_count, check_positive
from prefdissect.data import DataReport, PreferenceData
from prefdissect.data.facts import counted, listed
from prefdissect.data.verdicts import make_verdicts
from prefdissect.errors import OptionError
from prefdissect.features import build_encoder
from prefdissect.schema import PAPER, SCENARIOS, Property, PropertySchema

__all__ = ["Study", "simulate"]

# Pairs of each case in each scenario of the paper, cases and scenarios in the order of SCENARIOS.
# Source: Li et al. 2024, released row indexes.
_CASE_COUNTS = {
    "intent_unclear": (16, 18, 10, 11, 106, 33, 29, 31, 27, 136, 42),
    "express_feeling": (0, 1, 4, 4, 17, 6, 24, 10, 10, 33, 12),
    "w_constraints": (73, 135, 195, 156, 13, 49, 41, 185, 199, 260, 112),
    "w_stances": (1, 5, 32, 34, 36, 34, 52, 78, 21, 48, 47),
    "w_mistakes": (31, 16, 20, 11, 29, 66, 24, 12, 17, 42, 133),
}
_CASE_OF = {
    "clarify_intent": "intent_unclear",
    "show_empathetic": "express_feeling",
    "satisfy_constraints": "w_constraints",
    "support_stances": "w_stances",
    "correct_mistakes": "w_mistakes",
}
_SHARE_OF_CASE = 0.3  # of pairs that a query-specific property applies to, outside the paper's scenarios
_SURE = 300.0  # log-odds beyond which nothing is left to chance, and whose exponential is still a number
_FACTORS, _LOADING = 3, 0.6  # ratings of a response correlate through so many factors


@dataclass(frozen=True, eq=False)
class Study:
    """A simulated study: the data, and the truth behind them.

    Parameters
    ----------
    data
        What a fit sees.
    weights
        The true weights, log-odds per unit of the comparison: judge, group, property, weight.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> study = pdx.simulate(50, judges=["me"], scenarios=None, weights={"lengthy": 1.0}, random_seed=0)
    >>> float(study.weights.set_index("property")["weight"]["lengthy"])
    1.0
    """

    data: PreferenceData
    weights: pd.DataFrame


def simulate(
    n_pairs: int = 5240,
    *,
    schema: PropertySchema = PAPER,
    judges: int | Sequence[str] = 33,
    scenarios: Literal["paper"] | Sequence[str] | None = "paper",
    weights: Mapping[str, float] | FloatArray | None = None,
    scale: float = 0.1,
    tie_rate: float = 0.0,
    order_effect: float = 0.0,
    responses_per_prompt: int = 2,
    response_sd: float = 0.0,
    random_seed: int | np.random.Generator | None = None,
) -> Study:
    """Simulate a preference study with known weights; by default one of the paper's size.

    Parameters
    ----------
    n_pairs
        Pairs of responses.
    schema
        The properties that are rated.
    judges
        How many judges, or their names. Each gives one verdict per pair.
    scenarios
        `paper` (its 11 scenarios in their proportions, and its cases), names of equally frequent
        scenarios, or None.
    weights
        True weights: an array that broadcasts to [judge, group, property], or a mapping from
        property (0 for those left out). None draws each from Laplace(0, `scale`).
    tie_rate
        Share of ties (0 to below 1) under Davidson's model: P(A), P(B), P(tie) are proportional
        to exp(t/2), exp(-t/2), nu.
    order_effect
        Log-odds that a response gains when it is shown first. The order is random and recorded.
    responses_per_prompt, response_sd
        A prompt has so many responses, each pair of which is judged, and each of which has a
        luck of this standard deviation, shared by all judges, that no property names.
    random_seed
        Seed or generator.

    Raises
    ------
    OptionError
        If an argument is out of its range.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> study = pdx.simulate(100, judges=["me"], scenarios=None, random_seed=0)
    >>> len(study.data), study.weights.shape
    (100, (29, 4))
    """
    check_count("n_pairs", n_pairs)
    check_count("responses_per_prompt", responses_per_prompt, least=2)
    check_positive("scale", scale)
    if not 0 <= tie_rate < 1:
        raise OptionError(f"tie_rate={tie_rate!r} must be at least 0 and below 1")
    if not 0 <= response_sd < np.inf:
        raise OptionError(f"response_sd={response_sd!r} must be a finite number of at least 0")
    rng = np.random.default_rng(random_seed)
    names = _list_names("judges", [f"judge{i + 1}" for i in range(judges)] if isinstance(judges, int) else judges)
    if scenarios is not None and scenarios != "paper":
        scenarios = _list_names("scenarios", scenarios)
    prompt, first_response, second_response = _pair_up(n_pairs, responses_per_prompt)
    kinds_of_request, of_prompt, cases = _draw_groups(rng, scenarios, int(prompt.max()) + 1)
    scenario = of_prompt[prompt]
    in_case = {name: flags[prompt] for name, flags in cases.items()}
    of_response = _rate(rng, schema, int(second_response.max()) + 1)
    ratings = np.stack([of_response[first_response], of_response[second_response]], axis=1)
    for k, prop in enumerate(schema):
        if prop.missing == "zero":
            ratings[~_applies(rng, prop, in_case, n_pairs), :, k] = np.nan
    truth = _true_weights(rng, weights, scale, len(names), len(kinds_of_request), schema)
    pairs = _name_pairs(prompt, first_response, second_response)
    data = _assemble(schema, pairs, ratings, kinds_of_request, scenario, in_case)
    x = build_encoder(data, "comparison").encode(data)
    luck = response_sd * rng.standard_normal(len(of_response))
    logit = np.einsum("ik,jik->ij", x, truth[:, scenario]) + (luck[first_response] - luck[second_response])[:, None]
    verdicts = _judge(rng, pairs.index, names, logit, tie_rate, order_effect)
    table = pd.DataFrame(
        [(j, g, p) for j in names for g in kinds_of_request for p in schema.ids],
        columns=["judge", "group", "property"],
    )
    report = data.report.add("judges", listed(names)).add("verdicts", counted(verdicts))
    finished = replace(data, verdicts=verdicts, report=report)
    return Study(finished, table.assign(weight=truth.ravel()))


def _list_names(argument: str, names: Sequence[str]) -> list[str]:
    if isinstance(names, str) or not names or len(set(names)) < len(names):
        raise OptionError(f"{argument}={names!r} must be a list of at least one name, each of them once")
    return list(names)


def _pair_up(n_pairs: int, per_prompt: int) -> tuple[IntArray, IntArray, IntArray]:
    """Return prompt and the two responses of each pair: all pairs of a prompt's responses."""
    within = np.array(list(combinations(range(per_prompt), 2)))
    prompt = np.arange(n_pairs) // len(within)
    pick = within[np.arange(n_pairs) % len(within)]
    return prompt, prompt * per_prompt + pick[:, 0], prompt * per_prompt + pick[:, 1]


def _draw_groups(
    rng: np.random.Generator, scenarios: Literal["paper"] | Sequence[str] | None, n_prompts: int
) -> tuple[list[str], IntArray, dict[str, BoolArray]]:
    """Return the scenarios, which one each prompt belongs to, and the cases of each prompt."""
    if scenarios is None:
        return ["all"], np.zeros(n_prompts, dtype=np.int64), {}
    if scenarios != "paper":
        names = list(scenarios)
        return names, rng.permutation(np.arange(n_prompts) % len(names)), {}
    paper = [s for s in SCENARIOS if s.kind == "scenario"]
    sizes = np.array([s.n_pairs for s in paper])
    bounds = np.round(np.cumsum(sizes) / sizes.sum() * n_prompts).astype(int)
    of_prompt = rng.permutation(np.searchsorted(bounds, np.arange(n_prompts), side="right"))
    cases = {name: rng.random(n_prompts) < (np.array(n) / sizes)[of_prompt] for name, n in _CASE_COUNTS.items()}
    return [s.id for s in paper], of_prompt, cases


def _applies(rng: np.random.Generator, prop: Property, in_case: Mapping[str, BoolArray], n_pairs: int) -> BoolArray:
    """Return in which pairs the query calls for a query-specific property."""
    case = _CASE_OF.get(prop.id)
    return in_case[case] if case and case in in_case else rng.random(n_pairs) < _SHARE_OF_CASE


def _rate(rng: np.random.Generator, schema: PropertySchema, n_responses: int) -> FloatArray:
    """Return ratings of each response, [response, property], correlated through a few factors."""
    loadings = rng.normal(0, _LOADING, (_FACTORS, len(schema)))
    latent = rng.standard_normal((n_responses, _FACTORS)) @ loadings + rng.standard_normal((n_responses, len(schema)))
    latent /= np.sqrt(1 + (loadings**2).sum(axis=0))
    return np.column_stack([_express(prop, latent[:, k]) for k, prop in enumerate(schema)])


def _express(prop: Property, latent: FloatArray) -> FloatArray:
    """Return a standard normal as a rating of the property's kind."""
    if prop.kind == "number":
        return latent
    if prop.kind == "words":
        return np.rint(np.exp(5.0 + 0.6 * latent))
    if prop.kind == "count":
        return np.maximum(0.0, np.floor(1.2 * latent + 0.3))
    low, high = prop.range or (0.0, 0.0)
    levels = sorted(prop.labels.values()) if prop.labels else [*np.arange(low, high + 1)]
    cuts = np.linspace(-1.2, 1.2, len(levels) - 1)
    return np.array(levels, dtype=np.float64)[np.searchsorted(cuts, latent)]


def _true_weights(
    rng: np.random.Generator,
    weights: Mapping[str, float] | FloatArray | None,
    scale: float,
    n_judges: int,
    n_groups: int,
    schema: PropertySchema,
) -> FloatArray:
    shape = (n_judges, n_groups, len(schema))
    if weights is None:
        return rng.laplace(0.0, scale, shape)
    if isinstance(weights, Mapping):
        by_id = {schema[name].id: value for name, value in weights.items()}
        weights = np.array([by_id.get(name, 0.0) for name in schema.ids])
    try:
        return np.broadcast_to(np.asarray(weights, dtype=float), shape)
    except ValueError:
        raise OptionError(
            f"weights of shape {np.shape(weights)} do not broadcast to [judge, group, property] = {shape}"
        ) from None


def _name_pairs(prompt: IntArray, first: IntArray, second: IntArray) -> pd.DataFrame:
    index = pd.Index([f"pair-{i}" for i in range(len(prompt))], name="pair_id")
    named = {
        "prompt_id": ("prompt", prompt),
        "response_id_a": ("response", first),
        "response_id_b": ("response", second),
    }
    pairs = pd.DataFrame(
        {c: [f"{what}-{i}" for i in ids] for c, (what, ids) in named.items()}, index=index, dtype="str"
    )
    return pairs.assign(cluster=pairs["prompt_id"])


def _assemble(
    schema: PropertySchema,
    pairs: pd.DataFrame,
    ratings: FloatArray,
    names: list[str],
    scenario: IntArray,
    in_case: Mapping[str, BoolArray],
) -> PreferenceData:
    """Return the data without verdicts."""
    kinds: dict[str, GroupKind] = {}
    columns: dict[str, Any] = {}
    if names != ["all"]:
        kinds.update(dict.fromkeys(names, "scenario"))
        kinds.update(dict.fromkeys(in_case, "case"))
        columns = {name: scenario == g for g, name in enumerate(names)} | dict(in_case)
    return PreferenceData(
        schema=schema,
        pairs=pairs,
        ratings=ratings,
        comparisons=np.full((len(pairs), len(schema)), np.nan),
        verdicts=pd.DataFrame(),
        groups=pd.DataFrame(columns, index=pairs.index),
        group_kinds=kinds,
        vocabulary=schema,
        report=DataReport().add("simulated", f"{len(pairs):,} pairs, {len(schema)} properties"),
    )


def _judge(
    rng: np.random.Generator,
    pair_ids: pd.Index,
    names: list[str],
    logit: FloatArray,
    tie_rate: float,
    order_effect: float,
) -> pd.DataFrame:
    """Return one verdict per judge and pair; `logit` [pair, judge] is that of A over B, if decided."""
    a_first = rng.random(logit.shape) < 0.5
    t = logit + np.where(a_first, order_effect, -order_effect)
    nu = _tie_parameter(t, tie_rate)
    tied = rng.random(t.shape) < nu / (2 * np.cosh(np.clip(t / 2, -_SURE, _SURE)) + nu)
    prefers_a = rng.random(t.shape) < expit(t)
    outcome = np.where(tied, "tie", np.where(prefers_a, "A", "B"))
    table = pd.DataFrame(
        {
            "pair_id": np.tile(pair_ids.to_numpy(), len(names)),
            "judge": np.repeat(names, len(pair_ids)),
            "first": np.where(a_first, "A", "B").T.ravel(),
            "repeat": 0,
            "value": np.where(tied, 0.5, prefers_a).T.ravel(),
            "outcome": outcome.T.ravel(),
            "weight": 1.0,
        }
    )
    return make_verdicts(table)


def _tie_parameter(t: FloatArray, tie_rate: float) -> float:
    """Return Davidson's nu that makes ties so frequent, on average over these logits."""
    if tie_rate == 0:
        return 0.0
    return float(
        np.exp(brentq(lambda log_nu: np.mean(1 / (1 + 2 * np.cosh(t / 2) * np.exp(-log_nu))) - tie_rate, -30, 30))
    )
