"""Prompts are sorted by asking, each once, and what could not be sorted is said."""

import numpy as np
import pytest

import planted_annotator as planted
import prefdissect as pdx
from prefdissect import SCENARIOS, Scenario
from prefdissect.errors import ColumnError, OptionError, PrefDissectWarning
from prefdissect.llm import ReplyCache
from served import BAD_JSON, served


def assign(server, table, **options):
    return pdx.assign_scenarios(table, "m", **{"base_url": server.url, "replies": None, "progress": False} | options)


def wanted(table):
    return [planted.marks(prompt)["scenario"] for prompt in table["prompt"]]


def test_each_prompt_is_sorted_once():
    table = planted.make_table(60, per_prompt=4, hostile=True)
    with served(planted.answer) as server:
        data = assign(server, table)
    assert len(server.log) == table["prompt"].nunique() == 15
    assert data.pairs["scenario"].tolist() == wanted(table)
    assert data.groups.columns.tolist() == ["Code", "Advice", "Others"]  # those that there are, in the paper's order
    assert (data.groups.idxmax(axis=1) == data.pairs["scenario"]).all()
    assert set(data.group_kinds.values()) == {"scenario"}
    asked = server.log[0].body["messages"][0]["content"]
    assert all(s.description in asked for s in SCENARIOS if s.kind == "scenario")
    assert not any(s.description in asked for s in SCENARIOS if s.kind == "case")


@pytest.mark.parametrize(
    "scenarios",
    [
        {"Others": "All the rest.", "Code": "Programs.", "Advice": ""},
        [Scenario(id="Others"), Scenario(id="Code", description="Programs."), Scenario(id="Advice")],
    ],
)
def test_own_scenarios(scenarios):
    table = planted.make_table(9)
    with served(planted.answer) as server:
        data = assign(server, table, scenarios=scenarios)
    assert data.pairs["scenario"].tolist() == wanted(table)
    assert data.groups.columns.tolist() == ["Others", "Code", "Advice"]


def test_scenarios_of_the_source_are_replaced_and_cases_stay():
    table = planted.make_table(9).assign(scenario="chat", hard=[True, False, False] * 3)
    data = pdx.load(table, cases=["hard"])
    with served(planted.answer) as server:
        sorted_ = assign(server, data)
    assert sorted_.groups.columns.tolist() == ["Code", "Advice", "Others", "hard"]
    assert sorted_.group_kinds["hard"] == "case"
    assert (sorted_.pairs["scenario_before"] == "chat").all()
    assert dict(sorted_.report.facts)["scenarios"] == "3: Code, Advice, Others"


def test_what_fails_or_is_not_asked_is_in_no_scenario(tmp_path):
    table = planted.make_table(12)
    table.loc[5, "prompt"] = ""
    fault = {"faults": lambda body, n: BAD_JSON if "[[q=q1]]" in str(body) else None}
    options = {"replies": tmp_path / "r.sqlite", "concurrency": 1}
    with served(planted.answer, **fault) as server:
        with pytest.warns(PrefDissectWarning, match=r"1 calls gave nothing .*; 6 were not asked: .*limit of 6 calls"):
            data = assign(server, table, limit=6, **options)
        assert data.pairs["scenario"].isna().sum() == 1 + 1 + 6
        assert ("pairs without a scenario", 8) in data.report.left_out
        with pytest.warns(PrefDissectWarning, match="1 calls gave nothing"):
            data = assign(server, table, **options)
        assert not data.groups.loc[["p1", "p5"]].any(axis=None)
        assert data.groups.any(axis=1).sum() == 10


def test_it_goes_on_to_an_annotation_and_to_a_file(tmp_path):
    table = planted.make_table(12)
    with served(planted.answer) as server:
        data = assign(server, table, replies=tmp_path / "r.sqlite")
        options = {"base_url": server.url, "replies": tmp_path / "r.sqlite", "progress": False}
        rated = pdx.annotate(data, "m", schema=pdx.PAPER.select(["clear", "satisfy_constraints"]), **options).data
    assert rated.groups.columns.tolist() == ["Code", "Advice", "Others", "w_constraints"]
    again = pdx.load(rated.to_file(tmp_path / "out.parquet"), schema=pdx.PAPER, cases=["w_constraints"])
    assert again.groups.equals(rated.groups)
    np.testing.assert_array_equal(again.ratings, rated.ratings)
    with ReplyCache(tmp_path / "r.sqlite") as replies:
        assert len(replies) == len(server.log)


def test_wrong_scenarios_are_refused():
    table = planted.make_table(3)
    with served(planted.answer) as server:
        for scenarios, message in [
            ({"one": "Alone."}, "at least two"),
            ([Scenario(id="a"), Scenario(id="a")], "of different names"),
            (["Code", "Advice"], "'Code' is no Scenario"),
            ([*SCENARIOS], "intent_unclear.*of kind 'scenario'; cases follow from annotate"),
        ]:
            with pytest.raises(OptionError, match=message):
                assign(server, table, scenarios=scenarios)
        with pytest.raises(ColumnError, match="missing: 'prompt'"):
            assign(server, table.drop(columns="prompt"))
        assert server.log == []


def test_the_estimate_is_what_is_used():
    table = planted.make_table(20, per_prompt=2)
    said = pdx.estimate_scenarios(table, "m", replies=None)
    with served(planted.answer) as server:
        assign(server, table)
        tokens = sum(planted.answer(seen.body).usage["prompt_tokens"] for seen in server.log)
    assert (said.calls, said.tokens_in) == (10, tokens)
