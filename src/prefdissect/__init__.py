"""prefdissect tells what a judge is preferring.

A judge is whoever said which of two responses is better: a person, an LLM, a reward model. Given
pairs of responses, ratings of their properties and the verdicts of judges, `dissect` fits one
weight per property, judge and group of pairs, each with a posterior:

    import prefdissect as pdx

    result = pdx.dissect(df, judge="gpt-4-turbo")
    result                   # most and least preferred properties, with intervals
    result.weights           # one row per judge, group and property

Four values tell the story, each made from the one before it:

    PreferenceData  ->  Design  ->  Posterior  ->  Dissection

`load` and `PreferenceData.from_frame` make the first; `measure_text` rates responses by `TEXT`,
properties that their texts alone give, `annotate` by asking a model, and `assign_scenarios` sorts
prompts by asking one. `collect` asks a judge which response is better (`ChatJudge`, `LocalJudge`,
`RuleJudge`). `estimate_annotation`, `estimate_scenarios` and `estimate_collect` say beforehand what
that would cost. `Property` and `PropertySchema` say what can be rated, `Question` how a model is
asked for it; `PAPER` and `SCENARIOS` hold the properties and scenarios of Li et al. (ACL 2024);
`Laplace` and `Normal` are priors; `simulate` makes studies whose weights are known. `load_reference`
gets the weights of the paper's 33 judges, `judge_table` what is known of them.

How far can a judge be gamed? `audit_benchmark` tells how much of a benchmark single properties win,
`predicted_shift` what a change of responses does; `run_experiment` steers a model (`ChatGenerator`)
toward a judge and away from it, on prompts that `load_prompts` reads and `sort_prompts` puts into
scenarios; `estimate_experiment` says what that would cost. Errors are kinds of `PrefDissectError`,
warnings of `PrefDissectWarning`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefdissect.audit import (
        Audit,
        ChatGenerator,
        Experiment,
        Exploitability,
        PreferencePairs,
        Steering,
        SteeringMessage,
        audit_benchmark,
        estimate_experiment,
        load_prompts,
        predicted_shift,
        run_experiment,
        sort_prompts,
    )
    from prefdissect.check import Checks, HeldOut
    from prefdissect.compare import JudgeSimilarity, ReferenceWeights, judge_table, load_reference
    from prefdissect.data import DataReport, PreferenceData, load
    from prefdissect.dissection import Dissection, dissect
    from prefdissect.errors import ConvergenceWarning, PrefDissectError, PrefDissectWarning
    from prefdissect.explain import Explanation
    from prefdissect.features import Design
    from prefdissect.inference import Laplace, Normal, Posterior
    from prefdissect.judge import ChatJudge, Collected, LocalJudge, RuleJudge, collect, estimate_collect
    from prefdissect.measure import Annotated, annotate, assign_scenarios, estimate_annotation, estimate_scenarios
    from prefdissect.schema import PAPER, SCENARIOS, Property, PropertySchema, Question, Scenario
    from prefdissect.simulation import Study, simulate
    from prefdissect.text import TEXT, measure_text

__all__ = [
    "PAPER",
    "SCENARIOS",
    "TEXT",
    "Annotated",
    "Audit",
    "ChatGenerator",
    "ChatJudge",
    "Checks",
    "Collected",
    "ConvergenceWarning",
    "DataReport",
    "Design",
    "Dissection",
    "Experiment",
    "Explanation",
    "Exploitability",
    "HeldOut",
    "JudgeSimilarity",
    "Laplace",
    "LocalJudge",
    "Normal",
    "Posterior",
    "PrefDissectError",
    "PrefDissectWarning",
    "PreferenceData",
    "PreferencePairs",
    "Property",
    "PropertySchema",
    "Question",
    "ReferenceWeights",
    "RuleJudge",
    "Scenario",
    "Steering",
    "SteeringMessage",
    "Study",
    "annotate",
    "assign_scenarios",
    "audit_benchmark",
    "collect",
    "dissect",
    "estimate_annotation",
    "estimate_collect",
    "estimate_experiment",
    "estimate_scenarios",
    "judge_table",
    "load",
    "load_prompts",
    "load_reference",
    "measure_text",
    "predicted_shift",
    "run_experiment",
    "simulate",
    "sort_prompts",
]

# Names are found when they are used: pandas, PyMC and ArviZ take seconds to import.
_ROOMS = {
    "audit": (
        "Audit",
        "ChatGenerator",
        "Experiment",
        "Exploitability",
        "PreferencePairs",
        "Steering",
        "SteeringMessage",
        "audit_benchmark",
        "estimate_experiment",
        "load_prompts",
        "predicted_shift",
        "run_experiment",
        "sort_prompts",
    ),
    "check": ("Checks", "HeldOut"),
    "compare": ("JudgeSimilarity", "ReferenceWeights", "judge_table", "load_reference"),
    "data": ("DataReport", "PreferenceData", "load"),
    "dissection": ("Dissection", "dissect"),
    "errors": ("ConvergenceWarning", "PrefDissectError", "PrefDissectWarning"),
    "explain": ("Explanation",),
    "features": ("Design",),
    "inference": ("Laplace", "Normal", "Posterior"),
    "judge": ("ChatJudge", "Collected", "LocalJudge", "RuleJudge", "collect", "estimate_collect"),
    "measure": ("Annotated", "annotate", "assign_scenarios", "estimate_annotation", "estimate_scenarios"),
    "schema": ("PAPER", "SCENARIOS", "Property", "PropertySchema", "Question", "Scenario"),
    "simulation": ("Study", "simulate"),
    "text": ("TEXT", "measure_text"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import the room of a public name when it is first used."""
    if name == "__version__":
        return import_module("importlib.metadata").version(__name__)
    if name not in _ROOM_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_ROOM_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
