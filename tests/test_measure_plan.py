"""Which property is rated in which step, how it is asked for, and which replies are taken."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefdissect import PAPER, TEXT, Property, PropertySchema, Question
from prefdissect.errors import OptionError, SchemaError
from prefdissect.measure.forms import read_cases, read_checks, read_choice, read_ratings
from prefdissect.measure.plan import Case, make_plan
from prefdissect.measure.wording import case_line, property_line


def schema(*properties):
    return PropertySchema(name="mine", properties=properties)


def rating(name, **fields):
    return Property(id=name, kind="rating", range=(0, 3), **fields)


class TestPlan:
    def test_the_papers_steps(self):
        """Numbers of properties and their names as in section 3 of the paper: 18 + 2 + 3 + 5, and the length."""
        plan = make_plan(PAPER)
        assert list(plan.steps) == ["query_specific", "query_aware", "query_free", "errors"]
        assert [len(plan.steps[step]) for step in plan.steps] == [5, 2, 18, 3]
        assert [p.id for p in plan.steps["query_aware"]] == ["relevant", "novel"]
        assert [p.rated for p in plan.steps["errors"]] == ["minor_errors", "moderate_errors", "severe_errors"]
        assert [case.name for case in plan.cases] == [p.question.case for p in plan.steps["query_specific"]]
        assert [case.each for case in plan.cases] == ["", "", "condition", "view", "mistake or prejudice"]
        assert {name: rule.id for name, rule in plan.by_rule.items()} == {"lengthy": "length"}
        assert plan.needs_prompt
        assert plan.needs_reference

    def test_what_must_be_seen_follows_from_the_group_unless_it_is_said(self):
        plan = make_plan(
            schema(
                rating("calm"),
                rating("apt", question=Question(needs="query")),
                rating("true", group="error"),
                rating("safe", group="error", question=Question(needs="response")),
                Property(id="slips", kind="count", group="error"),
                Property(id="jokes", kind="count"),
            )
        )
        found = {step: [p.id for p in properties] for step, properties in plan.steps.items()}
        assert found == {
            "query_aware": ["apt"],
            "query_free": ["calm", "safe", "jokes"],
            "reference_aware": ["true"],
            "errors": ["slips"],
        }
        assert not plan.cases

    def test_a_case_follows_from_the_property_or_is_named(self):
        limits = rating(
            "keeps_limits", group="query-specific", question=Question(when="There are limits.", each="limit")
        )
        sense = rating("cites_law", group="query-specific", description="Names the law.")
        kind = rating("consoles", question=Question(case="express_feeling"))
        plan = make_plan(schema(limits, sense, kind))
        assert plan.cases[0] == Case("keeps_limits", "There are limits.", "limit")
        assert plan.cases[1].when == "It makes sense to ask of a response to this query: cites law. Names the law."
        assert plan.cases[2].when == "The user says in the query how they feel."
        assert plan.case_of(kind) == plan.cases[2]

    def test_two_properties_of_one_case(self):
        one = rating("a", question=Question(case="c", when="It is so."))
        two = rating("b", question=Question(case="c", each="thing"))
        assert make_plan(schema(one, two)).cases == (Case("c", "It is so.", "thing"),)
        other = rating("b", question=Question(case="c", when="It is not so."))
        with pytest.raises(SchemaError, match="property 'b' says another thing of case 'c'"):
            make_plan(schema(one, other))

    def test_what_is_measured_by_rule_and_what_cannot_be(self):
        plan = make_plan(schema(TEXT["bold"], Property(id="long", kind="words"), rating("calm")))
        assert {k: v.id for k, v in plan.by_rule.items()} == {"bold": "bold", "long": "length"}
        assert [p.id for p in plan.asked] == ["calm"]
        with pytest.raises(SchemaError, match=r"'zeal' of group 'text'.*give it another group.*schema.select"):
            make_plan(schema(Property(id="zeal", kind="number", group="text")))
        with pytest.raises(OptionError, match="has no property"):
            make_plan(schema())


class TestWording:
    def test_lines(self):
        assert str(property_line(PAPER["polite"])) == (
            '- "polite": Is worded with courtesy and respect. Answer: a whole number, 0 to 3.'
        )
        assert str(property_line(PAPER["non_repetitive"])) == (
            '- "repetitive": Says the same thing more than once. Answer: a whole number, 0 to 3.'
        )
        assert "Answer: one of " in str(property_line(PAPER["support_stances"]))
        assert '"strongly opposed"' in str(property_line(PAPER["support_stances"]))
        assert str(case_line(Case("c", "It is\nso"))) == '- "c": It is so. Answer: true or false.'

    def test_a_property_that_is_rated_the_other_way_round_is_asked_so(self):
        """Asked for the description of "to the point" under the name "padding", a model would turn it round."""
        padding = rating("to_the_point", rated="padding", direction="lower", description="Wastes no words.")
        line = str(property_line(padding))
        assert line.startswith('- "padding": How much there is of: padding. Less of it means more of this: Wastes no')
        jokes = Property(id="few_jokes", kind="count", rated="jokes", unit="jokes")
        assert str(property_line(jokes)).endswith("Answer: how many, a whole number (jokes).")

    @pytest.mark.parametrize(
        ("low", "high", "said"),
        [(1, 5, "a whole number, 1 to 5"), (0, 1, "a number, 0 to 1"), (-0.5, 3, "a number, -0.5 to 3")],
    )
    def test_ranges(self, low, high, said):
        assert property_line(Property(id="x", kind="rating", range=(low, high))).answer == said


RATED = (rating("a"), Property(id="b", kind="count"), PAPER["support_stances"], Property(id="d", kind="number"))
LABELS = list(PAPER["support_stances"].labels)
GOOD = {"a": [3, "1"], "b": [0, 2], "support_stances": ["Neutral ", "strongly opposed"], "d": [1.5, -2]}


class TestReplies:
    def test_ratings_of_all_kinds(self):
        read = read_ratings(GOOD, RATED, n_responses=2)
        assert read.tolist() == [[3, 0, 0, 1.5], [1, 2, -2, -2]]
        alone = {name: values[0] for name, values in GOOD.items()}
        assert read_ratings(alone, RATED, n_responses=1).tolist() == [[3, 0, 0, 1.5]]

    def test_items_are_keyed_by_number_and_averaged(self):
        reply = {"a": {"1": [3, 0], "2": [2, 1]}, "b": [1, 1]}
        read = read_ratings(reply, RATED[:2], n_responses=2, n_items=(2, 0))
        assert read.tolist() == [[2.5, 1], [0.5, 1]]
        for wrong in ({"1": [3, 0]}, {"1": [3, 0], "2": [1, 1], "3": [0, 0]}, [[3, 0], [2, 1]], {}):
            with pytest.raises(ValueError, match="a"):
                read_ratings({"a": wrong, "b": [1, 1]}, RATED[:2], n_responses=2, n_items=(2, 0))

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("a", [4, 0]),
            ("a", [-1, 0]),
            ("a", [True, 0]),
            ("a", [None, 0]),
            ("a", ["high", 0]),
            ("a", [float("nan"), 0]),
            ("a", [1]),
            ("a", [1, 1, 1]),
            ("a", 1),
            ("a", {"1": 1, "2": 1}),
            ("b", [1.5, 0]),
            ("b", [-1, 0]),
            ("support_stances", ["supported", "neutral"]),
            ("support_stances", [2, "neutral"]),
            ("d", ["inf", 0]),
            ("d", [float("nan"), 0]),
        ],
    )
    def test_what_is_no_rating_is_refused_by_name(self, name, value):
        with pytest.raises(ValueError, match=name):
            read_ratings({**GOOD, name: value}, RATED, n_responses=2)

    @pytest.mark.parametrize("name", GOOD)
    def test_every_property_must_be_there_and_no_other(self, name):
        with pytest.raises(ValueError, match=name):
            read_ratings({k: v for k, v in GOOD.items() if k != name}, RATED, n_responses=2)
        with pytest.raises(ValueError, match="stranger"):
            read_ratings({**GOOD, "stranger": [1, 1]}, RATED, n_responses=2)

    @given(
        st.lists(
            st.tuples(st.text(min_size=1), st.integers(-5, 5), st.integers(1, 9)),
            min_size=1,
            max_size=6,
            unique_by=lambda t: t[0],
        ),
        st.data(),
    )
    def test_any_names_and_ranges_come_back(self, drawn, data):
        properties = [Property(id=name, kind="rating", range=(low, low + width)) for name, low, width in drawn]
        values = [[data.draw(st.integers(low, low + width)) for _ in "ab"] for _, low, width in drawn]
        reply = {p.rated: both for p, both in zip(properties, values, strict=True)}
        assert read_ratings(reply, properties, n_responses=2).T.tolist() == values

    def test_facts(self):
        cases = [Case("plain", "x"), Case("several", "y", "thing")]
        read = read_cases({"plain": "no", "several": [" a ", "</query>"]}, cases)
        assert (read["plain"].holds, read["several"].holds, read["several"].items) == (False, True, ("a", "</query>"))
        assert not read_cases({"plain": True, "several": []}, cases)["several"].holds
        for wrong in ({"plain": True}, {"plain": "perhaps", "several": []}, {"plain": True, "several": [""]}):
            with pytest.raises(ValueError, match="plain|several"):
                read_cases(wrong, cases)
        with pytest.raises(ValueError, match="several"):
            read_cases({"plain": True, "several": ["x"] * 51}, cases)

    def test_errors(self):
        severities = (Property(id="slips", kind="count"), Property(id="harm", kind="count"))
        error = {"error": "wrong year", "type": "FACT", "severity": "Harm "}
        reply = {
            "response_1": {"applicable": True, "errors": [error]},
            "response_2": {"applicable": False, "errors": []},
        }
        one, two = read_checks(reply, severities, n_responses=2)
        assert (one.errors[0].type, one.errors[0].severity, two.applicable) == ("fact", "harm", False)
        for field, value in (("severity", "awful"), ("type", "taste"), ("error", "")):
            wrong = {**reply, "response_1": {"applicable": True, "errors": [{**error, field: value}]}}
            with pytest.raises(ValueError, match=field):
                read_checks(wrong, severities, n_responses=2)
        reply["response_2"] = {"applicable": False, "errors": [error]}
        with pytest.raises(ValueError, match="said not to apply"):
            read_checks(reply, severities, n_responses=2)

    def test_choices(self):
        assert read_choice({"scenario": "3"}, 3) == 2
        for wrong in (0, 4, 1.5, True, "Code", None):
            with pytest.raises(ValueError, match="scenario"):
                read_choice({"scenario": wrong}, 3)


def test_a_question_changes_neither_files_nor_hashes():
    plain = rating("calm")
    asked = rating("calm", question=Question(text="Is it calm?"))
    assert "question" not in plain.model_dump()
    assert asked.terse() == {**plain.terse(), "question": {"text": "Is it calm?"}}
    assert np.array_equal(plain.encode([3], [1]), asked.encode([3], [1]))
