"""One judge under two names."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import prefdissect as pdx
from prefdissect.data.judge_names import resolve_judge
from prefdissect.errors import ColumnError, UnknownNameError


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
        ("judge_human", ["human"], "human"),
        ("judge_human", ["human", "judge_human"], "judge_human"),
        ("judge_gpt-4-turbo", ["gpt-4-1106-preview"], "gpt-4-1106-preview"),
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


def table(**judges: Any) -> pd.DataFrame:
    return pd.DataFrame({"clear_a": [1, 2], "clear_b": [2, 1], **judges})


AB = ["A", "B"]


@pytest.mark.parametrize("column", ["gpt-4-1106-preview", "judge_gpt-4-1106-preview"])
def test_load_finds_columns_by_either_name(column):
    data = pdx.load(table(judge_human=AB, **{column: AB}), judges=["human", "gpt-4-turbo"])
    assert data.judges == ["human", "gpt-4-1106-preview"]


def test_load_takes_a_judges_own_column_before_its_other_one():
    data = pdx.load(table(**{"gpt-4-turbo": AB, "judge_gpt-4-1106-preview": AB[::-1]}), judges="gpt-4-turbo")
    assert data.labels["gpt-4-turbo"].tolist() == [1.0, 0.0]
    with pytest.raises(ColumnError, match="unknown judge 'gpt-3.5-turbo': .* 'judge_gpt-3.5-turbo'"):
        pdx.load(table(judge_human=AB), judges="gpt-3.5-turbo")


def test_load_finds_rows_by_either_name():
    rows = pd.DataFrame({"pair_id": [1, 1], "judge": ["human", "gpt-4-1106-preview"], "verdict": AB})
    assert pdx.load(rows, judges=["gpt-4-turbo"]).judges == ["gpt-4-1106-preview"]
    assert pdx.load(rows, judges="judge_human").judges == ["human"]
    with pytest.raises(UnknownNameError, match="unknown judge 'gpt-3.5-turbo'"):
        pdx.load(rows, judges="gpt-3.5-turbo")


@pytest.mark.filterwarnings("ignore::prefdissect.errors.ConvergenceWarning")
def test_a_file_is_dissected_by_the_other_name_of_a_column_without_prefix(tmp_path):
    path = tmp_path / "pairs.parquet"
    columns = {"judge_human": AB, "gpt-4-1106-preview": AB[::-1], "judge_model": ["m", "n"]}
    pd.concat([table(**columns)] * 20).to_parquet(path)
    result = pdx.dissect(path, ["human", "gpt-4-turbo"], draws=10, chains=2, random_seed=0)
    assert result.judges == ["human", "gpt-4-1106-preview"]
    assert result.data.labels.to_numpy()[:2].tolist() == [[1.0, 0.0], [0.0, 1.0]]
