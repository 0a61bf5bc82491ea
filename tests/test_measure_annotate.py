"""A served annotator whose every answer is known is asked, and what it says is found again, whatever happens."""

import json
import logging
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import planted_annotator as planted
import prefdissect as pdx
from prefdissect import PAPER, TEXT, Property, PropertySchema, Question
from prefdissect.errors import ColumnError, ModelError, OptionError, PrefDissectWarning, SchemaError
from prefdissect.llm import ReplyCache
from served import BAD_JSON, CLOSED, REFUSAL, TOO_LONG, refused, served, too_many

pytestmark = pytest.mark.lane("oldest")

KEY = "sk-this-is-a-secret-0123456789"
SMALL = PAPER.select(["clear", "novel", "no_severe_errors", "satisfy_constraints", "lengthy"])


def annotate(server, table, schema=PAPER, **options):
    return pdx.annotate(
        table, "m", **{"schema": schema, "base_url": server.url, "replies": None, "progress": False} | options
    )


def expected(table, schema):
    """Return the ratings, [pair, 2, property], by the rule that the annotator follows, written down a second time."""
    out = np.full((len(table), 2, len(schema)), np.nan)
    for row, pair in enumerate(table.to_dict("records")):
        facts = json.loads(planted.marks(pair["prompt"])["facts"])
        for side, letter in enumerate("ab"):
            hidden = planted.marks(pair[f"response_{letter}"])
            for k, prop in enumerate(schema):
                out[row, side, k] = one_rating(prop, hidden, facts)
    return out


def one_rating(prop, hidden, facts):
    if prop.kind == "words":
        return np.nan  # measured, not asked
    if prop.group == "error" and prop.kind == "count":
        return 0 if "poem" in hidden else planted.n_errors(hidden["r"], prop.rated)
    case = prop.question.case or (prop.id if prop.group == "query-specific" else "")
    if case and not facts.get(case):
        return np.nan
    items = facts[case] if prop.question.each else [None]
    scores = list(prop.labels.values()) if prop.labels else range(int(prop.range[0]), int(prop.range[1]) + 1)
    names = [prop.rated if item is None else f"{prop.rated}/{item.strip()}" for item in items]
    return np.mean([scores[planted.number(hidden["r"], name, len(scores))] for name in names])


def assert_planted(result, table, schema=PAPER):
    asked = [p.id for p in schema if p.kind != "words"]
    at = [result.data.properties.index(name) for name in asked]
    wanted = expected(table, schema.select(asked))
    np.testing.assert_array_equal(result.data.ratings[:, :, at], wanted)


def texts(server):
    return [seen.body["messages"][0]["content"] for seen in server.log]


class TestRatings:
    def test_planted_ratings_come_back(self):
        """All 29 properties of 40 pairs of 20 prompts, exactly; facts hold as often as in the paper's data."""
        table = planted.make_table(40, per_prompt=2)
        with served(planted.answer) as server:
            result = annotate(server, table)
        assert_planted(result, table)
        length = pdx.measure_text(table, properties=["length"]).ratings[:, :, 0]
        np.testing.assert_array_equal(result.data.ratings[:, :, -1], length)
        facts = [json.loads(planted.marks(prompt)["facts"]) for prompt in table["prompt"]]
        for case in ("intent_unclear", "express_feeling", "w_constraints", "w_stances", "w_mistakes"):
            held = [case in fact for fact in facts]
            assert result.data.groups[case].tolist() == result.data.pairs[case].tolist() == held
            assert result.data.group_kinds[case] == "case"
        items = result.data.pairs["w_constraints_items"].tolist()
        assert items == [fact.get("w_constraints", []) for fact in facts]
        assert result.data.properties == list(PAPER.ids)
        assert (result.failures, result.not_asked, result.stopped) == ((), (), None)

    def test_what_is_of_a_prompt_is_asked_once_and_the_query_is_withheld(self):
        table = planted.make_table(30, per_prompt=3)
        with served(planted.answer) as server:
            result = annotate(server, table)
        asked = texts(server)
        assert len(asked) == len(set(asked)) == result.use.calls
        assert sum(text.startswith("A user sent a query") for text in asked) == 10
        assert sum(text in set(table["prompt"]) for text in asked) == 10  # a reference: the query as it is
        free = [text for text in asked if '- "harmless"' in text]
        assert len(free) == 30
        assert not any("[[q=" in text for text in free)
        steps = result.calls.drop_duplicates("request")["step"].value_counts()
        assert dict(steps.drop("query_specific", errors="ignore")) == {
            "query_aware": 30, "query_free": 30, "errors": 30, "query_info": 10, "reference": 10
        }  # fmt: skip
        assert set(result.prompts) == {"query_info", "query_specific", "query_aware", "query_free", "errors"}
        assert result.prompts["query_aware"] == result.prompts["query_free"]

    def test_errors_are_listed_and_a_check_that_does_not_apply_finds_none(self):
        table = planted.make_table(21)
        with served(planted.answer) as server:
            result = annotate(server, table, SMALL)
            missing = annotate(server, table, SMALL, inapplicable="missing")
        errors, pairs = result.errors, result.data.pairs
        assert (errors.groupby(["pair_id", "response"]).size() <= 6).all()
        first = pairs.loc["p0", "error_list_a"]
        assert errors[(errors["pair_id"] == "p0") & (errors["response"] == "A")]["error"].tolist() == [
            e["error"] for e in first
        ]
        assert pairs.loc["p3", "error_check_a"] == "not applicable"  # a poem
        severe = result.data.properties.index("no_severe_errors")
        row = pairs.index.get_loc("p3")
        assert result.data.ratings[row, :, severe].tolist() == [0, 0]
        assert np.isnan(missing.data.ratings[row, :, severe]).all()
        assert (
            "searches for errors that do not apply to a response, counted as no errors",
            4,
        ) in result.data.report.left_out
        assert "counted as no rating" in str(missing.data.report)

    def test_orders_are_recorded_and_undone(self):
        table = planted.make_table(24, words=20)
        with served(planted.answer) as server:
            results = {orders: annotate(server, table, SMALL, orders=orders) for orders in ("given", "random", "both")}
            seeds = [annotate(server, table, SMALL, random_seed=seed).calls["first"].tolist() for seed in (0, 1)]
        for result in results.values():
            assert_planted(result, table, SMALL)
        shown = {name: set(r.calls[r.calls["step"] == "query_free"]["first"]) for name, r in results.items()}
        assert shown == {"given": {"A"}, "random": {"A", "B"}, "both": {"A", "B"}}
        firsts = results["random"].calls.query("step == 'query_free'").set_index("pair_id")["first"]
        sent = [t for t in texts(server) if '- "clear"' in t]
        for pair, first in firsts.items():
            number = pair.removeprefix("p")
            shown_first, shown_second = f"[[r=r{number}{first.lower()}]]", f"[[r=r{number}{'ab'[first == 'A']}]]"
            assert any(t.find(shown_first) < t.find(shown_second) for t in sent if shown_first in t)
        assert 5 <= (firsts == "A").sum() <= 19  # 24 fair coins
        assert seeds[0] != seeds[1]
        part = annotate_part(results["random"], table.iloc[5:15])
        assert part == firsts[table["pair_id"].iloc[5:15]].tolist()

    def test_a_position_that_pays_is_averaged_out_and_seen(self):
        """An annotator that gives whatever comes first one more of "clear": with both orders nothing is left of it."""

        def biased(body):
            said = json.loads(planted.answer(body).text)
            said["clear"] = [min(said["clear"][0] + 1, 3), said["clear"][1]]
            return json.dumps(said)

        schema = PAPER.select(["clear", "polite"])
        table = planted.make_table(60)
        with served(biased) as server:
            both = annotate(server, table, schema, orders="both")
        wanted = expected(table, schema)
        half = np.minimum(wanted[:, :, 1] + 0.5, (wanted[:, :, 1] + 3) / 2)  # "polite" is before "clear"
        np.testing.assert_allclose(both.data.ratings[:, :, 1], half)
        agreement = both.agreement().set_index("property")
        assert agreement.loc["polite", ["kappa", "same"]].tolist() == [1, 1]
        assert agreement.loc["clear", "kappa"] < 0.9

    def test_repeats_are_other_calls_and_are_averaged(self):
        seen = {}

        def moody(body):
            said = json.loads(planted.answer(body).text)
            key = json.dumps(body)
            seen[key] = seen.get(key, 0) + 1
            return json.dumps({"clear": [min(v + seen[key] % 2, 3) for v in said["clear"]]})

        table, schema = planted.make_table(30), PAPER.select(["clear"])
        with served(moody) as server:
            result = annotate(server, table, schema, repeats=4)
        assert len(server.log) == 120
        assert result.by_call.shape == (30, 2, 4, 2, 1)
        assert sorted(result.calls["repeat"].unique()) == [0, 1, 2, 3]
        wanted = expected(table, schema)
        np.testing.assert_allclose(result.data.ratings, (wanted + np.minimum(wanted + 1, 3)) / 2)
        row = result.agreement().iloc[0]
        assert (row["between"], row["n"]) == ("repeats", 30 * 6)

    def test_single_responses(self):
        """Each response is asked about once, however many pairs it is in."""
        table = planted.make_table(12)
        table["prompt"] = table["prompt"].iloc[0]
        table.loc[6:, "response_a"] = table["response_a"].iloc[0]
        with served(planted.answer) as server:
            result = annotate(server, table, mode="single")
        assert_planted(result, table)
        assert not any("response_1" in text for text in texts(server))
        free = [text for text in texts(server) if '- "harmless"' in text]
        assert len(free) == len(set(free)) == 12 + 6
        assert set(result.calls["response"]) == {"", "A", "B"}
        assert set(result.calls["first"]) == {""}

    def test_an_own_schema_of_all_kinds(self):
        schema = PropertySchema(
            name="mine",
            properties=[
                Property(id="calm", kind="rating", range=(1, 5), description="Is calm."),
                Property(id="to_the_point", kind="rating", range=(-2, 2), rated="padding", direction="lower"),
                Property(id="no_slips", kind="count", group="error", rated="slips"),
                Property(id="accurate", kind="rating", range=(0, 10), group="error"),
                Property(
                    id="keeps_limits",
                    kind="label",
                    labels={"kept": 1, "bent": 0, "broken": -1},
                    group="query-specific",
                    question=Question(case="w_constraints", each="condition"),
                ),
                TEXT["bold"],
            ],
        )  # fmt: skip
        table = planted.make_table(30)
        with served(planted.answer) as server:
            result = annotate(server, table, schema)
        asked = schema.select([p.id for p in schema if p.id != "bold"])
        assert_planted(result, table, asked)
        assert result.data.schema == schema
        assert result.data.ratings[:, :, -1].tolist() == np.zeros((30, 2)).tolist()
        assert result.data.groups.columns.tolist() == ["w_constraints"]
        accurate = [t for t in texts(server) if '- "accurate"' in t]
        assert len(accurate) == 30
        assert all("<reference>" in t for t in accurate)

    def test_references_that_are_there_are_not_asked_for(self):
        table = planted.make_table(6).assign(reference=["It is so."] * 4 + [None, " "])
        schema = PAPER.select(["no_severe_errors"])
        with served(planted.answer) as server:
            by_default = annotate(server, table, schema)
            by_column = annotate(server, table.rename(columns={"reference": "best"}), schema, references="best")
            by_id = annotate(server, table.drop(columns="reference"), schema, references={"p0": "Well."})
            with pytest.raises(OptionError, match="'p7' is the id of no pair and no prompt"):
                annotate(server, table, schema, references={"p7": "Well."})
            with pytest.raises(OptionError, match="references='bset' is no column; close matches: 'best'"):
                annotate(server, table.rename(columns={"reference": "best"}), schema, references="bset")
        for result, n_asked in ((by_default, 2), (by_column, 2), (by_id, 5)):
            assert (result.calls["step"] == "reference").sum() == n_asked
            assert result.data.pairs["reference_used"].notna().all()
        assert by_default.data.pairs["reference"].isna().sum() == 1  # the source's column stays
        assert by_id.data.pairs.loc["p0", "reference_used"] == "Well."


def annotate_part(result, table):
    """Return which response came first in a part of the data, annotated alone."""
    with served(planted.answer) as server:
        part = annotate(server, table, SMALL)
    assert result.model == part.model
    return part.calls.query("step == 'query_free'").set_index("pair_id")["first"].tolist()


class TestHostileTexts:
    @pytest.mark.parametrize("mode", ["pairwise", "single"])
    def test_no_text_breaks_a_prompt(self, mode):
        """Marks of templates, JSON, instructions, our own marks: the ratings are the planted ones all the same."""
        table = planted.make_table(30, hostile=True)
        with served(planted.answer) as server:
            result = annotate(server, table, mode=mode)
        assert_planted(result, table)
        originals = {*table["prompt"], *table["response_a"], *table["response_b"], *result.data.pairs["reference_used"]}
        shown = [planted.split_blocks(t)[0] for t in texts(server) if t not in originals]
        assert {t for blocks in shown for name, t in blocks.items() if name != "items"} == originals

    def test_items_that_a_model_made_of_hostile_texts_stay_in_their_place(self):
        table = planted.make_table(40, hostile=True)
        facts = [json.loads(planted.marks(prompt)["facts"]) for prompt in table["prompt"]]
        held = [row for row, fact in enumerate(facts) if "w_constraints" in fact]
        assert len(held) >= 5
        with served(planted.answer) as server:
            result = annotate(server, table, PAPER.select(["satisfy_constraints"]))
        assert result.data.pairs["w_constraints_items"].iloc[held[0]] == [t.strip() for t in planted.HOSTILE[1:3]]
        assert (~np.isnan(result.data.ratings[:, 0, 0])).sum() == len(held)


class TestFailures:
    def test_malformed_once_is_repaired_and_said(self):
        table = planted.make_table(6)

        def fault(body, attempt):
            return None if len(body["messages"]) > 1 or '"clear"' not in str(body) else BAD_JSON

        with served(planted.answer, faults=fault) as server:
            result = annotate(server, table, PAPER.select(["clear", "novel"]))
        assert_planted(result, table, PAPER.select(["clear", "novel"]))
        assert result.calls.groupby("step")["repaired"].sum().to_dict() == {"query_aware": 0, "query_free": 6}
        assert "repaired: 6 replies" in repr(result)

    def test_malformed_twice_is_a_failure_that_is_listed_and_asked_again_on_request(self, tmp_path):
        """What failed is missing and not zero, and a pair whose zeros would lie is left out of fits."""
        table = planted.make_table(8)
        bad = {"on": True}

        def fault(body, attempt):
            text = body["messages"][0]["content"]
            wrong = bad["on"] and ("[[r=r1" in text or ("[[q=q2" in text and "Find out" in text))
            return BAD_JSON if wrong else None

        options = {"replies": tmp_path / "r.sqlite"}
        with served(planted.answer, faults=fault) as server:
            with pytest.warns(PrefDissectWarning, match=r"calls gave nothing.*no JSON object.*p1: .*retry_failed=True"):
                first = annotate(server, table, **options)
            n = len(server.log)
            with pytest.warns(PrefDissectWarning):
                again = annotate(server, table, **options)
            assert len(server.log) == n  # failures are kept, too
            bad["on"] = False
            mended = annotate(server, table, retry_failed=True, **options)
        assert {f.job for f in first.failures} >= {"p1: query_free", "p1: errors", "p2: query_info"}
        assert [f.job for f in again.failures] == [f.job for f in first.failures]
        assert np.isnan(first.data.ratings[1, :, PAPER.ids.index("clear")]).all()
        assert (~np.isnan(first.data.ratings[2, :, PAPER.ids.index("clear")])).all()
        assert first.data.pairs.loc["p2", "ratings_failed"].startswith("clarify_intent, show_empathetic")
        assert first.data.pairs.loc["p2", "pair_flag"] == "ratings that failed"
        assert first.data.pairs.loc["p0", "pair_flag"] == ""
        assert not first.data.groups.loc["p2"].any()
        assert "failed: " in repr(first)
        assert "the model failed" in str(first.data.report)
        assert mended.failures == ()
        assert_planted(mended, table)
        assert (mended.data.pairs["pair_flag"] == "").all()

    def test_a_failure_goes_with_the_file_and_keeps_the_pair_out_of_fits(self, tmp_path):
        table = planted.make_table(30).assign(judge_me=["A", "B"] * 15)
        fault = {"faults": lambda body, n: BAD_JSON if "[[q=q4]]" in str(body) else None}
        with served(planted.answer, **fault) as server, pytest.warns(PrefDissectWarning):
            result = annotate(server, table, PAPER.select(["clear", "satisfy_constraints"]))
        path = result.data.to_file(tmp_path / "out.parquet")
        again = pdx.load(path, schema=PAPER, cases=["w_constraints"])
        assert again.pairs.loc["p4", "pair_flag"] == "ratings that failed"
        fit = pdx.dissect(again, by=None, engine="ep", random_seed=0)
        assert ("ratings that failed", 1) in fit.dropped[["reason", "n"]].itertuples(index=False, name=None)

    def test_a_search_for_errors_that_failed_in_one_order_is_no_equality(self):
        """The other order found errors, so that the check applies; what is missing is missing by failure."""
        bad = Property(id="bad", kind="count", group="error", missing="zero", description="An error.")
        table = planted.make_table(4)

        def fault(body, attempt):
            shown, asked = planted.split_blocks(body["messages"][0]["content"])
            errors = asked.startswith("Look for errors")
            return BAD_JSON if errors and "[[r=r1b]]" in shown["response_1"] else None

        with served(planted.answer, faults=fault) as server, pytest.warns(PrefDissectWarning):
            result = annotate(server, table, PropertySchema(name="own", properties=[bad]), orders="both")
        assert np.isnan(result.data.ratings[:, 0, 0]).tolist() == [False, True, False, False]
        assert result.data.pairs["pair_flag"].tolist() == ["", "ratings that failed", "", ""]

    def test_checks_that_do_not_apply_are_missing_on_request_and_no_failure(self):
        bad = Property(id="bad", kind="count", group="error", missing="zero", description="An error.")
        schema, table = PropertySchema(name="own", properties=[bad]), planted.make_table(5)  # the fourth is a poem
        with served(planted.answer) as server:
            result = annotate(server, table, schema, inapplicable="missing")
        assert np.isnan(result.data.ratings[:, :, 0]).all(axis=1).tolist() == [False, False, False, True, False]
        assert (result.data.pairs["pair_flag"] == "").all()

    def test_what_failed_before_stays_failed_when_something_else_is_rated(self):
        keeps = Property(id="keeps", kind="rating", range=(1, 5), missing="zero", description="Keeps to it.")
        warm = Property(id="warm", kind="rating", range=(1, 5), description="Is warm.")
        table, bad = planted.make_table(4), {"on": True}

        def fault(body, attempt):
            return BAD_JSON if bad["on"] and "[[r=r2a]]" in str(body) and '"keeps"' in str(body) else None

        first, second = (PropertySchema(name="own", properties=[p]) for p in (keeps, warm))
        with served(planted.answer, faults=fault) as server:
            with pytest.warns(PrefDissectWarning):
                once = annotate(server, table, first)
            twice = annotate(server, once.data, second)
            bad["on"] = False
            mended = annotate(server, twice.data, first)
        assert twice.data.pairs["pair_flag"].tolist() == ["", "", "ratings that failed", ""]
        assert twice.data.pairs.loc["p2", "ratings_failed"] == "keeps"
        assert (mended.data.pairs["pair_flag"] == "").all()

    @pytest.mark.parametrize(("fault", "reason"), [(REFUSAL, "refused"), (TOO_LONG, "cut off")])
    def test_refusals_and_replies_that_are_cut_off(self, fault, reason):
        table = planted.make_table(4)
        faults = {"faults": lambda body, n: fault if "[[r=r2" in str(body) else None}
        with served(planted.answer, **faults) as server, pytest.warns(PrefDissectWarning):
            result = annotate(server, table, PAPER.select(["clear"]))
        assert [f.job for f in result.failures] == ["p2: query_free"]
        assert reason in result.failures[0].reason

    def test_a_reference_that_is_refused_costs_only_what_needs_it(self):
        table = planted.make_table(5)

        def fault(body, attempt):
            return REFUSAL if body["messages"][0]["content"] == table["prompt"][3] else None

        with served(planted.answer, faults=fault) as server, pytest.warns(PrefDissectWarning, match="p3: reference"):
            result = annotate(server, table, SMALL)
        at = SMALL.ids.index
        assert np.isnan(result.data.ratings[3, :, at("no_severe_errors")]).all()
        assert not np.isnan(result.data.ratings[3, :, at("clear")]).any()

    def test_half_of_a_balance_is_no_rating(self):
        table, schema = planted.make_table(3), PAPER.select(["clear"])

        def fault(body, attempt):
            text = body["messages"][0]["content"]
            return BAD_JSON if "[[r=r1a" in text and text.find("r1a") < text.find("r1b") else None

        with served(planted.answer, faults=fault) as server, pytest.warns(PrefDissectWarning):
            result = annotate(server, table, schema, orders="both")
        assert np.isnan(result.data.ratings[:, 0, 0]).tolist() == [False, True, False]
        assert not np.isnan(result.by_call[1, 1]).any()

    def test_a_limit_stops_and_the_next_run_goes_on(self, tmp_path):
        table = planted.make_table(20)
        options = {"replies": tmp_path / "r.sqlite", "concurrency": 2}
        with served(planted.answer) as server:
            with pytest.warns(
                PrefDissectWarning, match=r"of 20 pairs were not asked.*limit of 25 calls.*call again with"
            ):
                first = annotate(server, table, SMALL, limit=25, **options)
            assert len(server.log) == first.use.calls == 25
            assert 10 <= len(first.not_asked) < 20
            assert "25 calls" in first.stopped
            assert (
                np.isnan(first.data.ratings[first.data.pairs.index.get_indexer(first.not_asked)]).any(axis=(1, 2)).all()
            )
            assert first.data.pairs.loc["p19", "pair_flag"] == "ratings that failed"  # its missing zeros would lie
            done = [i for i in first.data.pairs.index if i not in first.not_asked]
            assert not np.isnan(first.data.ratings[first.data.pairs.index.get_indexer(done), :, 0]).any()
            rest = annotate(server, table, SMALL, **options)
            asked = texts(server)
        assert len(asked) == len(set(asked))
        assert rest.use.kept == 25
        assert_planted(rest, table, SMALL)

    def test_a_wrong_key_stops_at_once(self, monkeypatch):
        monkeypatch.setenv("OTHER_KEY", "wrong")
        with served(planted.answer, key=KEY) as server:
            with pytest.raises(ModelError, match="refuses the key in OTHER_KEY"):
                annotate(server, planted.make_table(200), key_env="OTHER_KEY", concurrency=4)
            assert len(server.log) <= 8

    def test_errors_of_the_server_pass(self, monkeypatch, caplog, tmp_path):
        """429, 500 and a broken connection once each; and the key is nowhere but in the header."""
        monkeypatch.setenv("OTHER_KEY", KEY)
        table = planted.make_table(5)
        faults = {2: too_many(ms=20), 5: refused(500, "oh"), 9: CLOSED}
        with caplog.at_level(logging.DEBUG), served(planted.answer, key=KEY, faults=faults) as server:
            result = annotate(server, table, SMALL, key_env="OTHER_KEY", replies=tmp_path / "r.sqlite")
        assert_planted(result, table, SMALL)
        path = result.data.to_file(tmp_path / "out.jsonl")
        kept = (tmp_path / "r.sqlite").read_bytes() + path.read_bytes()
        assert KEY.encode() not in kept
        assert KEY not in caplog.text + repr(result) + str(vars(result))

    def test_a_server_that_answers_nothing_is_not_asked_for_long(self):
        with served(planted.answer, faults=lambda body, n: BAD_JSON) as server:
            with pytest.raises(ModelError, match="the first 20 questions all failed"):
                annotate(server, planted.make_table(300), PAPER.select(["clear"]), concurrency=4)
            assert len(server.log) < 100


class TestData:
    def test_pairs_that_cannot_be_rated_are_not_shown(self):
        table = planted.make_table(6)
        table.loc[1, "response_a"] = "  "
        table.loc[2, "response_b"] = table.loc[2, "response_a"]
        table.loc[3, "prompt"] = None
        with served(planted.answer) as server:
            result = annotate(server, table)
            free = annotate(server, table, PAPER.select(["clear"]))
        assert set(result.data.report.left_out) >= {
            ("pairs not shown to the model: empty response", 1),
            ("pairs not shown to the model: identical responses", 1),
            ("pairs not shown to the model: empty prompt", 1),
        }  # fmt: skip
        assert np.isnan(result.data.ratings[1:4, :, 0]).all()
        lengths = pdx.measure_text(table, properties=["length"]).ratings[:, :, 0]
        np.testing.assert_array_equal(result.data.ratings[:, :, -1], lengths)
        assert result.not_asked == ()
        assert np.isnan(free.data.ratings[:, 0, 0]).tolist() == [False, True, True, False, False, False]

    def test_ratings_of_the_source_are_set_aside_and_compared(self):
        table = planted.make_table(80)
        truth = expected(table, PAPER.select(["clear", "polite"]))
        rng = np.random.default_rng(0)
        for k, name in enumerate(["polite", "clear"]):
            table[[f"{name}_a", f"{name}_b"]] = truth[:, :, k]
        noisy = rng.random(80) < 0.3
        table.loc[noisy, "clear_a"] = rng.integers(0, 4, noisy.sum())
        data = pdx.load(table.assign(own_a=1.0, own_b=2.0), schema=PropertySchema(
            name="theirs", properties=(PAPER["clear"], PAPER["polite"], Property(id="own", kind="number"))
        ))  # fmt: skip
        with served(planted.answer) as server:
            result = annotate(server, data, PAPER.select(["clear", "polite", "friendly"]))
        assert result.data.properties == ["own", "friendly", "polite", "clear"]
        assert result.given.properties == ["clear", "polite"]
        found = result.agreement().set_index("property")
        assert found["between"].unique().tolist() == ["human"]
        assert found.loc["polite", ["kappa", "same", "n"]].tolist() == [1, 1, 80]
        assert 0.5 < found.loc["clear", "kappa"] < 0.98
        assert found.loc["clear", "kappa_lower"] < found.loc["clear", "kappa"] < found.loc["clear", "kappa_upper"]
        theirs = result.agreement(human=data)
        pd.testing.assert_frame_equal(theirs, result.agreement())
        with pytest.raises(pdx.PrefDissectError, match="human= rates none of the properties"):
            result.agreement(human=pdx.load(table[["pair_id", "prompt"]].assign(z_a=1, z_b=2)))
        with pytest.raises(OptionError, match="interval"):
            result.agreement(interval=94)

    def test_ready_made_comparisons_of_people_compare_only_as_such(self):
        table = planted.make_table(40)
        truth = expected(table, PAPER.select(["non_repetitive"]))
        table["non_repetitive"] = np.sign(truth[:, 1, 0] - truth[:, 0, 0])  # less repetitive is more of the property
        people = pdx.load(table, schema=PAPER, properties=["non_repetitive"])
        with served(planted.answer) as server:
            result = annotate(server, table.drop(columns="non_repetitive"), PAPER.select(["non_repetitive"]))
        row = result.agreement(human=people).iloc[0]
        assert (row["same"], row["n"]) == (1.0, 40)
        assert np.isnan(row["kappa"])

    def test_names_that_the_source_has_are_not_overwritten(self):
        table = planted.make_table(5).assign(w_constraints="mine", error_list_a="own")
        with served(planted.answer) as server:
            result = annotate(server, table)
        pairs = result.data.pairs
        assert (pairs["w_constraints"] == "mine").all()
        assert pairs["annotated_w_constraints"].isin([True, False]).all()
        assert (pairs["error_list_a"] == "own").all()

    @pytest.mark.parametrize("ending", ["parquet", "jsonl", "csv"])
    def test_it_goes_to_a_file_and_back(self, ending, tmp_path):
        table = planted.make_table(12).assign(judge_me=["A", "B"] * 6)
        with served(planted.answer) as server:
            data = annotate(server, table).data
        again = pdx.load(data.to_file(tmp_path / f"out.{ending}"), schema=PAPER, cases=list(data.groups.columns))
        np.testing.assert_array_equal(again.ratings, data.ratings)
        assert again.groups.equals(data.groups)
        assert again.labels.equals(data.labels)

    def test_wrong_arguments_are_refused_before_anything_is_asked(self):
        table = planted.make_table(3)
        with served(planted.answer) as server:
            for options, message in [
                ({"mode": "pairs"}, "mode='pairs' is not an option"),
                ({"orders": "all"}, "orders='all' is not an option"),
                ({"repeats": 0}, "repeats=0"),
                ({"random_seed": -1}, "random_seed=-1"),
                ({"inapplicable": "one"}, "inapplicable='one'"),
                ({"mode": "single", "orders": "both"}, "orders='both' means nothing"),
                ({"schema": TEXT}, "all properties of schema 'text' are measured by rule.*measure_text"),
                ({"limit": "$5 or so"}, "neither money nor calls"),
                ({"concurrency": 0}, "concurrency=0"),
                ({"timeout": 0}, "timeout=0"),
            ]:
                with pytest.raises(OptionError, match=message):
                    annotate(server, table, **options)
            with pytest.raises(SchemaError, match="group 'text'"):
                annotate(server, table, PropertySchema(properties=[Property(id="z", kind="number", group="text")]))
            with pytest.raises(ColumnError, match="missing: 'prompt'"):
                annotate(server, table.drop(columns="prompt"))
            with pytest.raises(ColumnError, match="is a list, not a text"):
                annotate(server, table.assign(response_a=[["x"]] * 3))
            assert server.log == []
            assert annotate(server, table.drop(columns="prompt"), PAPER.select(["clear"])).failures == ()

    def test_extra_fields_go_into_the_request(self):
        extra = {"max_tokens": None, "max_completion_tokens": 500, "temperature": 1}
        with served(planted.answer) as server:
            annotate(server, planted.make_table(2), PAPER.select(["clear"]), extra=extra)
        body = server.log[0].body
        assert (body["max_completion_tokens"], body["temperature"]) == (500, 1)
        assert "max_tokens" not in body
        assert body["response_format"] == {"type": "json_object"}


class TestEstimate:
    @pytest.mark.parametrize("mode", ["pairwise", "single"])
    def test_it_is_within_a_tenth_of_what_is_used(self, mode):
        """The annotator is as an estimate takes it to be: facts at the paper's rates, an error a response on average.

        Of 60 prompts 26 +- 4 call for a call more, which is 1.4% of 270 calls.
        """
        table = planted.make_table(60)
        said = pdx.estimate_annotation(table, "m", mode=mode, replies=None)
        with served(planted.answer) as server:
            used = annotate(server, table, mode=mode).use
        assert said.calls == pytest.approx(used.calls, rel=0.1)
        assert said.tokens_in == pytest.approx(used.tokens_in, rel=0.1)
        assert said.tokens_out == pytest.approx(used.tokens_out, rel=0.1)

    def test_what_is_kept_is_known_and_costs_nothing(self, tmp_path):
        table = planted.make_table(30)
        path = tmp_path / "r.sqlite"
        with served(planted.answer) as server:
            options = {"base_url": server.url, "replies": path}
            before = pdx.estimate_annotation(table, "m", **options)
            with pytest.warns(PrefDissectWarning):
                used = annotate(server, table, limit=40, replies=path, concurrency=1).use
            between = pdx.estimate_annotation(table, "m", **options)
            whole = annotate(server, table, replies=path).use
            after = pdx.estimate_annotation(table, "m", **options)
        assert before.kept == 0
        assert (between.kept, after.kept, after.calls, after.tokens_in) == (40, 40 + whole.calls, 0, 0)
        assert between.calls == pytest.approx(whole.calls, rel=0.1)
        assert used.calls == 40

    def test_it_needs_neither_key_nor_openai(self, tmp_path):
        code = (
            "import sys; sys.modules['openai'] = None; sys.modules['httpx2'] = None\n"
            "import pandas as pd, prefdissect as pdx\n"
            "t = pd.DataFrame({'prompt': ['Hi'], 'response_a': ['a'], 'response_b': ['b']})\n"
            "print(pdx.estimate_annotation(t, 'gpt-4o'), pdx.estimate_scenarios(t, 'gpt-4o'))\n"
            "pdx.annotate(t, 'gpt-4o')"
        )
        environment = {k: v for k, v in os.environ.items() if k != "OPENAI_API_KEY"}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.stdout.startswith("gpt-4o: ")
        assert "ModelError" in done.stderr

    def test_the_file_of_replies_is_only_read(self, tmp_path):
        with ReplyCache(tmp_path / "r.sqlite"):
            pass
        pdx.estimate_annotation(planted.make_table(2), "m", replies=tmp_path / "r.sqlite")
        pdx.estimate_annotation(planted.make_table(2), "m", replies=tmp_path / "none.sqlite")
        assert not (tmp_path / "none.sqlite").exists()
