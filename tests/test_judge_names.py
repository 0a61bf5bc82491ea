"""One judge under two names."""

from __future__ import annotations

import pytest

import prefdissect as pdx
from prefdissect.data.judge_names import resolve_judge
from prefdissect.errors import UnknownNameError


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("gpt-4-turbo", ["gpt-4-1106-preview"], "gpt-4-1106-preview"),
        ("gpt-4-1106-preview", ["gpt-4-turbo"], "gpt-4-turbo"),
        ("gpt-3.5-turbo", ["gpt-3.5-turbo-1106"], "gpt-3.5-turbo-1106"),
        ("gpt-3.5-turbo-1106", ["gpt-3.5-turbo"], "gpt-3.5-turbo"),
        ("gpt-4-turbo", ["gpt-4-1106-preview", "gpt-4-turbo"], "gpt-4-turbo"),
        ("gpt-4-turbo", ["gpt-3.5-turbo-1106"], "gpt-4-turbo"),
        ("human", ["gpt-4-turbo"], "human"),
    ],
)
def test_exact_name_wins_else_the_other_one(name, known, expected):
    assert resolve_judge(name, known) == expected


@pytest.mark.filterwarnings("ignore::prefdissect.errors.ConvergenceWarning")
def test_a_dissection_finds_judges_by_either_name():
    schema = pdx.PAPER.select(["clear"])
    study = pdx.simulate(40, schema=schema, judges=["human", "gpt-4-1106-preview"], scenarios=None, random_seed=0)
    result = pdx.dissect(study.data, judge=["gpt-4-turbo", "human"], draws=10, chains=2, random_seed=0)
    assert result.judges == ["gpt-4-1106-preview", "human"]
    assert result.sel(judge="gpt-4-turbo").judges == ["gpt-4-1106-preview"]
    assert result.sel(judge="judge_gpt-4-turbo").judges == ["gpt-4-1106-preview"]
    with pytest.raises(UnknownNameError, match="unknown judge 'gpt-3.5-turbo'"):
        result.sel(judge="gpt-3.5-turbo")
