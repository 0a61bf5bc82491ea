"""Scenarios and cases: those of the paper, and how pairs fall into groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prefdissect import SCENARIOS, PreferenceData
from prefdissect.errors import ColumnError
from prefdissect.features import choose_groups

# Scenario or case, label to print, number of pairs: the paper's table.
GROUPS = (
    ("Exam Questions", "Exam Questions", 400),
    ("Code", "Code", 400),
    ("Creative Writing", "Creative Writing", 400),
    ("Functional Writing", "Functional Writing", 400),
    ("Communication", "Communication", 400),
    ("Knowledge-aware", "Knowledge-aware", 820),
    ("Advice", "Advice", 400),
    ("Daily Tasks", "Daily Tasks", 400),
    ("NLP Tasks", "NLP Tasks", 400),
    ("Others", "Others", 820),
    ("Unsafe Queries", "Unsafe Queries", 400),
    ("intent_unclear", "Unclear User Intent", 459),
    ("express_feeling", "Express Feelings or Emotions", 121),  # the demo prints "of Emotions", a slip
    ("w_constraints", "Contain Explicit Constraints", 1418),
    ("w_stances", "Show Explicit Subjective Stances", 388),
    ("w_mistakes", "Contain Mistakes or Bias", 401),
)


def test_scenarios_and_cases_have_the_names_and_sizes_of_the_paper() -> None:
    assert tuple((s.id, s.label, s.n_pairs) for s in SCENARIOS) == GROUPS
    assert [s.kind for s in SCENARIOS] == ["scenario"] * 11 + ["case"] * 5
    assert len({s.description for s in SCENARIOS}) == 16


def test_scenarios_divide_the_5240_pairs() -> None:
    assert sum(s.n_pairs for s in SCENARIOS if s.kind == "scenario") == 5240


def test_every_scenario_and_case_is_described() -> None:
    assert all(s.description.endswith(".") and len(s.description) > 20 for s in SCENARIOS)


def test_the_scenarios_of_the_paper_stand_in_its_order() -> None:
    names = [name for name, _, _ in GROUPS[:11]]
    table = pd.DataFrame({"x_a": 1.0, "x_b": 0.0, "judge_ann": "A", "scenario": names[::-1]})
    data = PreferenceData.from_frame(table)
    assert data.groups.columns.tolist() == names
    assert data.groups.to_numpy().tolist() == np.eye(11, dtype=bool)[::-1].tolist()
    other = PreferenceData.from_frame(table.assign(scenario=[*names[:0:-1], "My own"]))
    assert other.groups.columns.tolist() == [*names[:0:-1], "My own"]  # else as they come


def groups_of(table: pd.DataFrame, by: str | None) -> tuple[dict[str, list[int]], dict[str, str]]:
    cases = [c for c in ("urgent",) if c in table]
    frame, kinds = choose_groups(PreferenceData.from_frame(table, cases=cases), by)
    return {g: np.flatnonzero(frame[g]).tolist() for g in frame}, dict(kinds)


def test_pairs_are_grouped_as_asked() -> None:
    plain = pd.DataFrame({"x_a": [1.0] * 4, "x_b": [0.0] * 4, "judge_ann": ["A"] * 4, "model": ["m", "k", None, "m"]})
    full = plain.assign(scenario=["Others", "Code", None, "Code"], urgent=[True, False, True, False])
    scenarios, cases = {"Code": [1, 3], "Others": [0]}, {"urgent": [0, 2]}
    kinds = {"Code": "scenario", "Others": "scenario"}
    everything = ({"all": [0, 1, 2, 3]}, {"all": "all"})
    assert groups_of(full, "scenario") == (scenarios, kinds)
    assert groups_of(full, "case") == (cases, {"urgent": "case"})
    assert groups_of(full, "both") == (scenarios | cases, kinds | {"urgent": "case"})
    assert groups_of(full, "model") == ({"m": [0, 3], "k": [1]}, {"m": "scenario", "k": "scenario"})
    assert groups_of(full, None) == everything
    assert groups_of(plain, "scenario") == groups_of(plain, "both") == everything
    assert groups_of(plain.assign(urgent=full["urgent"]), "both") == (cases, {"urgent": "case"})
    with pytest.raises(ColumnError, match=r"by='modl' is no kind of group and no column; close matches: 'model'"):
        groups_of(full, "modl")
    with pytest.raises(ColumnError, match="by='case', but the data mark no cases"):
        groups_of(plain, "case")
