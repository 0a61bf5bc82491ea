"""Each published layout, from a golden file of invented rows in its exact form, to pairs and verdicts."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import prefdissect as pdx
from prefdissect.data.readers import LAYOUTS
from prefdissect.errors import DataError, FileFormatError, OptionError, PrefDissectError, UnknownNameError, VerdictError
from prefdissect.features import build_design, build_encoder

GOLDEN = Path(__file__).parent / "golden"


def read(*names: str, **options: Any) -> pdx.PreferenceData:
    return pdx.load([GOLDEN / name for name in names], **options)


def outcomes(data: pdx.PreferenceData, judge: str) -> list[str]:
    rows = data.verdicts[data.verdicts["judge"] == judge]
    return [str(outcome) for outcome in rows["outcome"]]


def preferred(data: pdx.PreferenceData, judge: str) -> set[Any]:
    """Return the response that each verdict prefers, whichever side it is on."""
    rows = data.verdicts[(data.verdicts["judge"] == judge) & data.verdicts["outcome"].isin(["A", "B"])]
    return {
        data.pairs[f"response_{str(side).lower()}"][pair]
        for pair, side in zip(rows["pair_id"], rows["outcome"], strict=True)
    }


# files: layout, and the outcomes of each judge in the order of the rows
CASES: dict[tuple[str, ...], tuple[str, dict[str, list[str]]]] = {
    ("chatbot_arena_33k.jsonl",): ("chatbot-arena", {"human": ["A", "B", "tie", "both_bad", "A"]}),
    ("arena_human_preference_100k.jsonl",): ("chatbot-arena", {"human": ["B", "both_bad"]}),
    ("arena_human_preference_140k.jsonl",): ("chatbot-arena", {"human": ["A", "both_bad"]}),
    ("arena_55k.csv",): ("arena-55k", {"human": ["A", "tie", "B"]}),
    ("mt_bench.jsonl",): ("mt-bench", {"human": ["A", "B", "tie"], "gpt-4 pair-v2": ["soft"]}),
    ("alpaca_eval_weighted.json", "alpaca_eval_plain.json"): (
        "alpaca-eval",
        {"weighted_x": ["soft", "B", "tie"], "plain_x": ["B", "invalid", "invalid"]},
    ),
    ("ultrafeedback.jsonl",): ("ultrafeedback", {"gpt-4": ["B", "tie", "B"]}),
    ("helpsteer2_preference.jsonl",): ("helpsteer2", {"human": ["A", "A", "B", "tie", "invalid"]}),
    ("helpsteer2.jsonl",): ("helpsteer2-ratings", {"helpfulness": ["A", "tie"]}),
    ("helpsteer3.jsonl",): ("helpsteer3", {"human": ["A", "tie", "B"]}),
    ("pku_saferlhf.jsonl",): ("pku-saferlhf", {"helpful": ["B", "A"], "safe": ["A", "A"]}),
    ("pandalm-testset-v1.json", "gpt-3.5-turbo-testset-v1.json"): (
        "pandalm",
        {"human1": ["A", "tie", "B"], "human2": ["B", "tie", "B"], "gpt-3.5-turbo": ["A", "tie", "invalid"]},
    ),
    ("llmbar.json",): ("llmbar", {"reference": ["A", "B"]}),
    ("judge_bench.jsonl",): ("judge-bench", {"reference": ["A", "B"]}),
    ("vibecheck.csv",): ("vibecheck", {"human": ["B", "A", "tie"]}),
    ("feedback_forensics.csv",): ("text-pairs", {"preferred_text": ["A", "B", "tie"], "gpt_choice": ["B", "B"]}),
    ("annotated_pairs.json",): ("annotated-pairs", {"human": ["B", "A", "tie"]}),
    ("gair_hub.jsonl",): ("gair-hub", {"human": ["B", "A"], "gpt-4-1106-preview": ["A", "A"]}),
    ("gair_pairs.jsonl", "gair_resolved.jsonl", "gair_query_aware_idxs.json", "gair_labels.json"): (
        "gair-files",
        {"human": ["A", "B"], "gair_labels": ["A", "B"]},
    ),
}
# files of layouts that put the preferred response first: layout, judge, and the responses that it prefers
CHOSEN: dict[str, tuple[str, str, set[str | None]]] = {
    "hh_rlhf.jsonl": ("hh-rlhf", "human", {"Rayleigh scattering.", "Hi there", "Yes"}),
    "trl_strings.jsonl": ("trl", "chosen", {" blue.", " green."}),
    "trl_messages.jsonl": ("trl", "chosen", {"Blue."}),
    "trl_implicit.jsonl": ("trl", "chosen", {"Blue."}),
    "ultrafeedback.jsonl": ("ultrafeedback", "gpt-4", {"good", "yes"}),
    "reward_bench.jsonl": ("reward-bench", "reference", {"4", "I cannot help."}),
    "reward_bench_2.jsonl": ("reward-bench-2", "reference", {"Paris", "Red", "Blue"}),
}


def test_every_layout_has_a_golden_file() -> None:
    tested = {layout for layout, _ in CASES.values()} | {layout for layout, _, _ in CHOSEN.values()}

    assert tested == set(LAYOUTS) - {"tidy"}


@pytest.mark.parametrize("files", CASES, ids=lambda files: files[0])
def test_verdicts_of_a_layout(files: tuple[str, ...]) -> None:
    layout, expected = CASES[files]
    data = read(*files)

    assert dict(data.report.facts)["layout"].startswith(f"{layout}: ")
    assert {judge: outcomes(data, judge) for judge in expected} == expected


@pytest.mark.parametrize("file", CHOSEN)
def test_the_chosen_response_is_preferred_whichever_side_it_is_on(file: str) -> None:
    layout, judge, expected = CHOSEN[file]
    data = read(file)

    assert dict(data.report.facts)["layout"].startswith(f"{layout}: ")
    assert "preferred response first" in dict(data.report.facts)["A and B"]
    assert preferred(data, judge) == expected


@pytest.mark.parametrize("files", [*CASES, *((file,) for file in CHOSEN)], ids=lambda files: files[0])
def test_a_named_format_reads_the_same(files: tuple[str, ...]) -> None:
    layout = CASES[files][0] if files in CASES else CHOSEN[files[0]][0]

    assert read(*files, format=layout).hash == read(*files).hash


def test_sides_of_chosen_first_pairs_are_balanced_and_agree_between_judges() -> None:
    texts = [(f"q{i}", f"good {i}", f"bad {i}") for i in range(2000)]
    table = pd.DataFrame(texts, columns=["prompt", "chosen", "rejected"])
    turned = table.rename(columns={"chosen": "rejected", "rejected": "chosen"})
    data, other = pdx.load(table), pdx.load(turned)

    # 2,000 fair coins: 1,000 +- 4 standard deviations of 22.4
    assert 910 < outcomes(data, "chosen").count("A") < 1090
    assert list(data.pairs.index) == list(other.pairs.index)
    assert data.pairs["response_a"].tolist() == other.pairs["response_a"].tolist()
    assert (data.labels["chosen"] + other.labels["chosen"] == 1).all()


def test_a_row_that_stands_twice_is_two_pairs_of_one_cluster() -> None:
    data = pdx.load(pd.DataFrame({"prompt": ["q", "q"], "chosen": ["x", "x"], "rejected": ["y", "y"]}))

    assert len(data) == 2
    assert data.pairs["cluster"].nunique() == 1


def test_the_last_exchange_is_the_pair_and_the_rest_is_context() -> None:
    data = read("chatbot_arena_33k.jsonl")
    pair = data.pairs.loc["q2"]

    assert (pair["prompt"], pair["response_a"], pair["response_b"]) == ("And 2+2?", "5", "4")
    assert json.loads(pair["context_a"]) == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello!"},
    ]
    assert json.loads(pair["context_b"])[1]["content"] == "Hey."
    assert pdx.load(GOLDEN / "hh_rlhf.jsonl").pairs["context"].notna().sum() == 1


def test_prompts_with_another_context_are_other_prompts() -> None:
    def talk(first: str) -> list[dict[str, str]]:
        said = [("user", first), ("assistant", "Yes."), ("user", "Sure?"), ("assistant", "Sure.")]
        return [{"role": role, "content": content} for role, content in said]

    table = pd.DataFrame({"chosen": [talk("One?"), talk("Two?"), talk("One?")], "rejected": [talk("One?")] * 3})

    assert pdx.load(table).pairs["prompt_id"].nunique() == 2


def test_voters_of_the_arena_are_no_judges_and_the_order_is_known() -> None:
    data = read("chatbot_arena_33k.jsonl")

    assert data.judges == ["human"]
    assert data.verdicts["voter"].nunique() == 4
    assert set(data.verdicts["first"]) == {"A"}


def test_a_conversation_without_an_answer_is_kept_and_left_out_by_reason() -> None:
    data = read("chatbot_arena_33k.jsonl")

    assert data.pairs["pair_flag"].to_dict()["q5"] == "empty response"
    assert dict(data.report.left_out)["pairs with empty response, kept but not fitted"] == 1


def test_language_turn_and_tags_become_groups_if_asked() -> None:
    data = read("arena_human_preference_100k.jsonl", scenario="language", cases=["math", "is_code"])

    assert list(data.groups.columns) == ["English", "math", "is_code"]
    assert data.groups[["math", "is_code"]].to_numpy().tolist() == [[True, False], [False, True]]


def test_style_counts_of_the_arena_become_properties_if_asked() -> None:
    data = read("arena_human_preference_100k.jsonl", properties=["style_tokens", "style_headers", "style_bold"])

    assert data.ratings[0].tolist() == [[9.0, 3.0, 4.0], [8.0, 0.0, 1.0]]


def test_pictures_leave_a_mark() -> None:
    assert read("arena_human_preference_140k.jsonl").pairs["prompt"].tolist()[1] == "What is this?\n[image]"


def test_voters_of_mt_bench_saw_one_pair_in_either_order() -> None:
    data = read("mt_bench.jsonl")
    first = data.verdicts[data.verdicts["pair_id"] == "81-1-alpaca-13b-gpt-4"]

    assert first["value"].tolist() == [1.0, 0.0]  # the second named gpt-4 as model_a, and preferred it
    assert first["voter"].tolist() == ["expert_1", "author_2"]
    assert first["weight"].tolist() == [0.5, 0.5]
    assert data.pairs.loc["81-1-alpaca-13b-gpt-4", "response_a"] == "alpaca-13b first"
    assert data.pairs.loc["81-2-alpaca-13b-gpt-4", "response_a"] == "alpaca-13b second"
    assert data.pairs["cluster"].tolist() == ["81", "81", "82"]


def test_two_orders_that_disagree_are_no_tie() -> None:
    data = read("mt_bench.jsonl")
    design = build_design(
        data.join_ratings(pd.DataFrame({"pair_id": data.pairs.index, "x_a": 1.0, "x_b": 0.0})),
        ["gpt-4 pair-v2"],
        by=None,
        encoding="comparison",
        ties="drop",
    )

    assert design.y.tolist() == [[0.5]]


def test_weighted_preferences_of_alpaca_eval_are_soft() -> None:
    data = read("alpaca_eval_weighted.json", "alpaca_eval_plain.json")

    assert len(data) == 3
    assert data.labels["weighted_x"].tolist() == [0.75, 0.0, 0.5]
    assert np.isnan(data.labels["plain_x"].tolist()[1:]).all()


def test_several_people_share_the_weight_of_a_pair() -> None:
    data = read("helpsteer2_preference.jsonl")

    assert data.labels["human"].tolist() == [pytest.approx(2 / 3), 0.5]
    assert data.verdicts["strength"].tolist()[:4] == [-2, -1, 1, 0]


def test_ratings_of_helpsteer2_are_properties() -> None:
    data = read("helpsteer2.jsonl")

    assert data.properties == ["correctness", "coherence", "complexity", "verbosity"]
    assert data.ratings[:, :, 0].tolist() == [[4.0, 3.0], [3.0, 4.0]]


def test_ratings_that_do_not_come_in_pairs() -> None:
    table = pd.read_json(GOLDEN / "helpsteer2.jsonl", lines=True)

    with pytest.raises(DataError, match="share a prompt"):
        pdx.load(table.iloc[[0, 2, 1, 3]])
    with pytest.raises(DataError, match="3 rows"):
        pdx.load(table.iloc[:3])


def test_one_against_many_is_expanded_with_the_prompt_as_cluster() -> None:
    data = read("reward_bench_2.jsonl")

    assert Counter(data.pairs["cluster"]) == {"7": 3, "8": 2}
    assert list(data.groups.columns) == ["Factuality", "Ties"]


def test_results_of_pandalm_are_joined_by_idx_and_true_is_a_word() -> None:
    data = read("gpt-3.5-turbo-testset-v1.json", "pandalm-testset-v1.json")

    assert outcomes(data, "gpt-3.5-turbo") == ["A", "tie", "invalid"]
    assert data.pairs["response_a"].tolist() == ["fine", "true", "good"]
    assert data.pairs["prompt"].tolist()[0] == "Fix.\n\nText"
    assert list(data.groups.columns) == ["Grammarly", "Gmail"]
    with pytest.raises(DataError, match="test set"):
        read("gpt-3.5-turbo-testset-v1.json")


def test_traits_are_comparisons_and_texts_may_be_missing() -> None:
    data = read("annotated_pairs.json")

    assert data.schema.labels == ("is more concise", "refuses to answer")
    assert data.comparisons.tolist()[:2] == [[-1.0, 0.0], [1.0, -1.0]]
    assert np.isnan(data.comparisons[2, 0])  # an invalid annotation is no comparison
    assert data.comparisons[2, 1] == 0.0  # where a trait does not apply, the responses do not differ in it
    assert data.pairs.loc["c2", ["prompt", "response_b"]].tolist() == ["Who?", "I will not say."]
    assert data.pairs["pair_flag"].tolist() == ["", "", ""]


def test_annotations_of_several_files_are_joined_and_must_not_differ(tmp_path: Path) -> None:
    content = json.loads((GOLDEN / "annotated_pairs.json").read_text(encoding="utf-8"))
    more = {**content, "annotators": {"33333333": {"name": "llm", "description": "a model", "type": "ai"}}}
    more["comparisons"] = [{**c, "annotations": {"33333333": {"pref": "a"}}} for c in content["comparisons"]]
    (tmp_path / "more.json").write_text(json.dumps(more), encoding="utf-8")
    data = pdx.load([GOLDEN / "annotated_pairs.json", tmp_path / "more.json"])

    assert data.judges == ["human", "llm"]
    assert outcomes(data, "llm") == ["A", "A", "A"]
    content["comparisons"][0]["annotations"]["ba751e7b"] = {"pref": "a"}
    (tmp_path / "more.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(PrefDissectError, match="'c1' stands more than once"):
        pdx.load([GOLDEN / "annotated_pairs.json", tmp_path / "more.json"])


def test_an_annotated_preference_that_is_none(tmp_path: Path) -> None:
    content = json.loads((GOLDEN / "annotated_pairs.json").read_text(encoding="utf-8"))
    content["comparisons"][0]["annotations"]["ba751e7b"] = {"pref": "left"}
    (tmp_path / "ap.json").write_text(json.dumps(content), encoding="utf-8")

    with pytest.raises(VerdictError, match="'c1', annotator 'ba751e7b': 'left'"):
        pdx.load(tmp_path / "ap.json")


def test_nan_written_into_json_is_no_preference(tmp_path: Path) -> None:
    text = (GOLDEN / "annotated_pairs.json").read_text(encoding="utf-8").replace('"pref": "text_a"', '"pref": NaN')
    (tmp_path / "ap.json").write_text(text, encoding="utf-8")

    assert outcomes(pdx.load(tmp_path / "ap.json"), "human") == ["B", "invalid", "tie"]


def test_ratings_from_the_paper_give_the_released_comparisons() -> None:
    data = read("gair_resolved.jsonl")
    rows = [json.loads(line)["comparison"] for line in (GOLDEN / "gair_resolved.jsonl").read_text("utf-8").splitlines()]
    encoded = build_encoder(data, "comparison").encode(data)

    for k, prop in enumerate(data.schema):
        name = "repetitive" if prop.id == "non_repetitive" else prop.name
        for row, released in enumerate(rows):
            if prop.group == "error":
                expected = released["accuracy"]["comparison"]
                expected = np.nan if expected == 999 else expected[prop.name.removeprefix("accuracy / ")]
            else:
                expected = released[name]["comparison"]
            assert encoded[row, k] == pytest.approx(expected, nan_ok=True), (prop.id, row)


def test_files_of_the_paper_are_joined_by_row() -> None:
    data = read("gair_pairs.jsonl", "gair_query_aware_idxs.json", "gair_labels.json")

    assert data.pairs["prompt"].tolist() == ["P0", "P1"]  # the file has row 1 first
    assert data.groups["w_constraints"].tolist() == [False, True]
    assert list(data.groups.columns[:1]) == ["Advice"]


def test_files_of_the_paper_that_differ_in_length(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text('["A", "B", "A"]', encoding="utf-8")

    with pytest.raises(DataError, match="differ in length"):
        pdx.load([GOLDEN / "gair_query_aware_idxs.json", tmp_path / "mine.json"])


def test_rows_of_the_hub_are_rated_by_the_schema_of_the_paper() -> None:
    data = read("gair_hub.jsonl")
    columns = {p.id: k for k, p in enumerate(data.schema)}

    assert data.properties == list(pdx.PAPER.ids)
    assert data.ratings[0, :, columns["non_repetitive"]].tolist() == [0.0, 1.0]
    assert data.ratings[0, :, columns["no_minor_errors"]].tolist() == [0.0, 1.0]
    assert np.isnan(data.ratings[1, 1, columns["no_minor_errors"]])  # the check did not apply
    assert data.ratings[1, :, columns["satisfy_constraints"]].tolist() == [3.0, 0.0]
    assert data.groups["intent_unclear"].tolist() == [True, False]


def test_a_folder_and_gzipped_files(tmp_path: Path) -> None:
    for name in ("alpaca_eval_plain.json", "alpaca_eval_weighted.json"):
        with gzip.open(tmp_path / f"{name}.gz", "wt", encoding="utf-8") as file:
            file.write((GOLDEN / name).read_text(encoding="utf-8"))
    (tmp_path / "README.md").write_text("no data", encoding="utf-8")

    assert pdx.load(tmp_path).hash == read("alpaca_eval_plain.json", "alpaca_eval_weighted.json").hash
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileFormatError, match="holds no table"):
        pdx.load(tmp_path / "empty")


def test_parquet_with_nested_columns(tmp_path: Path) -> None:
    for name in ("chatbot_arena_33k", "gair_hub", "ultrafeedback", "helpsteer3"):
        table = pd.read_json(GOLDEN / f"{name}.jsonl", lines=True, dtype=False)
        table.to_parquet(tmp_path / f"{name}.parquet")
        text, parquet = read(f"{name}.jsonl"), pdx.load(tmp_path / f"{name}.parquet")

        assert parquet.labels.equals(text.labels), name
        assert parquet.pairs["response_a"].tolist() == text.pairs["response_a"].tolist(), name
        assert np.array_equal(parquet.ratings, text.ratings, equal_nan=True), name


def test_what_the_user_says_of_columns_goes_before_what_the_reader_says() -> None:
    data = read("chatbot_arena_33k.jsonl", scenario="language", cluster="model_a")

    assert list(data.groups.columns) == ["English", "German"]
    assert data.pairs["cluster"].nunique() == 1


def broken(columns: dict[str, Sequence[Any]]) -> str:
    with pytest.raises(PrefDissectError) as caught:
        pdx.load(pd.DataFrame(columns))
    return str(caught.value)


def test_a_table_of_no_layout_names_the_closest_ones() -> None:
    message = broken({"instruction": ["Do"], "output_1": ["x"], "output_2": ["y"], "score": [3]})

    assert "columns found: instruction, output_1, output_2, score" in message
    assert "closest: alpaca-eval lacks preference; " in message
    assert broken({"foo": [1]}).count(" lacks ") == 2


def test_responses_without_a_judge_name_the_closest_layouts() -> None:
    columns = {"question": ["q"], "source": ["s"], "response_A": ["x"], "response_B": ["y"], "reply_a": ["x"]}
    data = pdx.load(pd.DataFrame({**columns, "reply_b": ["y"]}))
    closest = "closest layouts: tidy lacks judge_<name>; judge-bench lacks label; vibecheck lacks preference"

    assert dict(data.report.facts)["judges"] == f"none; {closest}"
    with pytest.raises(UnknownNameError, match=f"have no judge.* name the verdict column in judge=; {closest}$"):
        pdx.dissect(data)
    assert dict(data.with_judge("me", ["A"]).report.facts)["judges"] == "1: me"


def test_ratings_without_a_judge_are_close_to_no_other_layout() -> None:
    table = pd.DataFrame({"clear_a": [1], "clear_b": [2]})

    assert dict(pdx.load(table).report.facts)["judges"] == "none; closest layouts: tidy lacks judge_<name>"
    assert dict(pdx.load(table, judges=[]).report.facts)["judges"] == "none"


def test_codes_that_a_layout_does_not_have() -> None:
    alpaca = {"instruction": ["Do"], "output_1": ["x"], "output_2": ["y"]}

    assert "row 0: 3.0 is no preference" in broken({**alpaca, "preference": [3.0]})
    assert "row 0: 'better' is no preference" in broken({**alpaca, "preference": ["better"]})
    assert "row 0: 3 is no verdict" in broken({"input": ["Do"], "output_1": ["x"], "output_2": ["y"], "label": [3]})
    assert "row 1: 7 is no verdict" in broken(
        {"prompt": ["p"] * 2, "response_1": ["a"] * 2, "response_2": ["b"] * 2, "preference_strength": [1, 7]}
    )
    assert "'maybe' is no verdict" in broken({"text_a": ["x"], "text_b": ["y"], "preferred_text": ["maybe"]})


def test_conversations_that_are_none() -> None:
    arena = {"model_a": ["m"], "model_b": ["n"], "winner": ["model_a"], "conversation_b": [[]]}

    assert "row 0: 'hello' is no list" in broken({**arena, "conversation_a": ["hello"]})
    assert "role 'robot'" in broken({**arena, "conversation_a": [[{"role": "robot", "content": "x"}]]})
    assert "is no turn" in broken({**arena, "conversation_a": [["hello"]]})


def test_more_than_one_winner() -> None:
    table = pd.read_csv(GOLDEN / "arena_55k.csv").assign(winner_tie=1)

    with pytest.raises(VerdictError, match="row 0 has more than one winner"):
        pdx.load(table)


def test_unknown_formats() -> None:
    with pytest.raises(OptionError, match="close matches: 'alpaca-eval'"):
        read("llmbar.json", format="alpacaeval")
    with pytest.raises(OptionError, match="lacks 'model_a'"):
        read("llmbar.json", format="chatbot-arena")


def test_parts_of_two_layouts() -> None:
    with pytest.raises(DataError, match="fits no layout|several layouts"):
        read("llmbar.json", "alpaca_eval_plain.json")


def test_duplicated_ids_are_named() -> None:
    table = pd.read_json(GOLDEN / "pku_saferlhf.jsonl", lines=True).assign(pair_id="p")

    with pytest.raises(PrefDissectError, match="pair_id 'p' stands in more than one row"):
        pdx.load(table)


# What a review found


def messages(role: str, *texts: str) -> list[dict[str, str]]:
    roles = ["user", "assistant"] if role == "user" else ["assistant", "user"]
    return [{"role": roles[i % 2], "content": text} for i, text in enumerate(texts)]


def test_scores_of_the_source_do_not_become_properties_by_way_of_a_file(tmp_path: Path) -> None:
    for name in ("ultrafeedback.jsonl", "arena_human_preference_100k.jsonl", "pku_saferlhf.jsonl"):
        data = read(name)
        for ending in ("parquet", "csv", "jsonl"):
            again = pdx.load(data.to_file(tmp_path / f"pairs.{ending}"))
            assert again.properties == [], (name, ending)
            assert again.labels.to_numpy().tolist() == data.labels.to_numpy().tolist()


def test_a_carriage_return_survives_csv(tmp_path: Path) -> None:
    texts = {"prompt": ["p", "q"], "response_a": ["1%\r100%", "x"], "response_b": ["a\r\nb", "y\n"]}
    data = pdx.load(pd.DataFrame({**texts, "judge_me": ["A", "B"]}))
    again = pdx.load(data.to_file(tmp_path / "pairs.csv"))

    assert again.hash == data.hash
    assert again.pairs[list(texts)].to_dict("list") == texts


@pytest.mark.parametrize("gap", [None, float("nan"), pd.NA])
def test_a_gap_in_a_conversation_is_no_text(gap: Any) -> None:
    said = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": gap}]
    row = {"model_a": "m", "model_b": "n", "winner": "model_a", "conversation_a": said}
    data = pdx.load(pd.DataFrame([{**row, "conversation_b": messages("user", "Hi", "Hello")}]))

    assert data.pairs["pair_flag"].tolist() == ["empty response"]


def test_a_column_of_the_user_does_not_decide_who_is_fitted() -> None:
    table = pd.DataFrame({"x_a": [1, 2] * 10, "x_b": [2, 1] * 10, "judge_me": ["A", "B"] * 10})
    for name in ("flag", "pair_flag"):
        result = pdx.dissect(table.assign(**{name: "ok"}), random_seed=0, draws=500)
        assert result.weights["n_pairs"].tolist() == [20]


def test_mt_bench_from_texts_is_that_of_lists() -> None:
    table = pd.DataFrame([json.loads(line) for line in (GOLDEN / "mt_bench.jsonl").read_text("utf-8").splitlines()])
    listed = pdx.load(table)
    written = {c: table[c].map(repr) for c in ("conversation_a", "conversation_b")}
    written["judge"] = table["judge"].map(lambda judge: judge if isinstance(judge, str) else repr(judge))

    assert pdx.load(table.assign(**written)).hash == listed.hash


def test_annotations_of_other_pairs_under_the_same_id(tmp_path: Path) -> None:
    content = json.loads((GOLDEN / "annotated_pairs.json").read_text(encoding="utf-8"))
    content["comparisons"][0]["response_a"]["text"] = "Another story."
    (tmp_path / "more.json").write_text(json.dumps(content), encoding="utf-8")

    with pytest.raises(PrefDissectError, match="'c1' stands more than once, with different texts"):
        pdx.load([GOLDEN / "annotated_pairs.json", tmp_path / "more.json"])


def test_columns_that_the_source_has_as_well() -> None:
    rows = {
        "chosen": [messages("user", "A?", "b", "C?", "d")],
        "rejected": [messages("user", "A?", "b", "C?", "e")],
        "prompt_id": ["mine"],
        "context": ["a note"],
    }
    pairs = pdx.load(pd.DataFrame(rows)).pairs

    assert pairs[["prompt_id", "source_context"]].to_numpy().tolist() == [["mine", "a note"]]
    assert len(json.loads(pairs["context"].iloc[0])) == 2


def test_turns_after_the_prompt_keep_it_as_context() -> None:
    prompt = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "One?"}]
    rows = {
        "prompt": [prompt],
        "chosen": [messages("assistant", "Two.", "Three?", "Four.")],
        "rejected": [messages("assistant", "Two.", "Three?", "Five.")],
    }
    pair = pdx.load(pd.DataFrame(rows)).pairs.iloc[0]

    assert pair["prompt"] == "Three?"
    assert [turn["content"] for turn in json.loads(pair["context"])] == ["Be kind.", "One?", "Two."]


def test_a_winner_that_is_no_mark() -> None:
    table = pd.read_csv(GOLDEN / "arena_55k.csv").astype(object)

    with pytest.raises(VerdictError, match="'winner_tie', row 0: 'yes'"):
        pdx.load(table.assign(winner_tie="yes"))


def test_a_known_layout_goes_before_a_column_that_looks_like_a_judge() -> None:
    table = pd.DataFrame({"prompt": ["p"], "chosen": ["x"], "rejected": ["y"], "judge_values": [[1, 0]]})

    assert preferred(pdx.load(table, judges=["chosen"]), "chosen") == {"x"}


def test_voters_of_the_arena_can_be_clusters() -> None:
    assert read("chatbot_arena_33k.jsonl", cluster="user").pairs["cluster"].nunique() == 4


def chosen(*rows: tuple[Any, Any], **more: Any) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["chosen", "rejected"]).assign(**more)


def dialogue(answer: str) -> str:
    return f"\n\nHuman: One?\n\nAssistant: Yes.\n\nHuman: Two?\n\nAssistant: {answer}"


@pytest.mark.parametrize("more", [{}, {"prompt": "Two?"}], ids=["alone", "with a prompt"])
def test_dialogues_are_told_by_all_rows(more: dict[str, str]) -> None:
    rows = [("a text", "another"), *((dialogue(f"good {i}"), dialogue(f"bad {i}")) for i in range(3))]
    data = pdx.load(chosen(*rows, **more))

    assert dict(data.report.facts)["layout"].startswith("hh-rlhf: ")
    assert preferred(data, "human") == {"a text", "good 0", "good 1", "good 2"}
    assert data.pairs["prompt"].tolist()[1:] == ["Two?"] * 3
    assert [len(json.loads(context)) for context in data.pairs["context"].tolist()[1:]] == [2] * 3
    assert "source_prompt" in data.pairs or not more


def test_an_answer_that_quotes_a_dialogue_is_no_dialogue() -> None:
    rows = [(dialogue("good"), "bad"), ("yes", "no"), ("oui", "non")]
    data = pdx.load(chosen(*rows, prompt="Write one."))

    assert dict(data.report.facts)["layout"].startswith("trl: ")
    assert preferred(data, "chosen") == {dialogue("good"), "yes", "oui"}


@pytest.mark.parametrize("dtype", ["object", "bool", "boolean"])
def test_true_and_false_name_no_response(dtype: str) -> None:
    marks = pd.Series([True, False], dtype=dtype)
    llmbar = {"input": ["Do"] * 2, "output_1": ["x"] * 2, "output_2": ["y"] * 2}
    pandalm = {"idx": [0, 1], "instruction": ["Do"] * 2, "input": [""] * 2, "response1": ["x"] * 2}

    assert "'label', row 0: True is no verdict; valid: 1, 2; " in broken({**llmbar, "label": marks})
    assert "'annotator1', row 0: True is no verdict" in broken({**pandalm, "response2": ["y"] * 2, "annotator1": marks})


def test_winners_marked_true_and_false_are_those_marked_1_and_0() -> None:
    table = pd.read_csv(GOLDEN / "arena_55k.csv")
    winners = [c for c in table.columns if c.startswith("winner_")]

    assert outcomes(pdx.load(table.astype(dict.fromkeys(winners, bool))), "human") == ["A", "tie", "B"]


def test_a_missing_score_leaves_out_its_pair_only() -> None:
    table = pd.read_json(GOLDEN / "ultrafeedback.jsonl", lines=True)
    table.loc[2, "score_chosen"] = np.nan
    data = pdx.load(table)

    assert outcomes(data, "gpt-4") == ["B", "tie", "invalid"]
    assert dict(data.report.facts)["no score"] == "1 pairs lack a score: their verdicts are invalid"
    assert dict(data.report.left_out) == {"verdicts that are invalid": 1}
    table["score_chosen"] = table["score_chosen"].astype(object)
    table.loc[2, "score_chosen"] = "high"
    with pytest.raises(DataError, match="'score_chosen', row 2: 'high' is not a finite number"):
        pdx.load(table)


def test_a_missing_rating_of_helpsteer2_leaves_out_its_pair_only() -> None:
    table = pd.read_json(GOLDEN / "helpsteer2.jsonl", lines=True)
    table.loc[0, "helpfulness"] = np.nan
    data = pdx.load(table)

    assert outcomes(data, "helpfulness") == ["tie"]
    assert dict(data.report.left_out) == {"cells without a verdict": 1}


def test_ids_that_stand_twice_in_judge_bench_are_numbered() -> None:
    parts = [pd.read_json(GOLDEN / "judge_bench.jsonl", lines=True) for _ in range(2)]
    data = pdx.load([parts[0], parts[1].assign(response_model="claude-3-5-sonnet", label="B>A")])

    assert list(data.pairs.index) == ["p1", "p2", "p1-2", "p2-2"]
    assert outcomes(data, "reference") == ["A", "B", "B", "B"]
    assert data.pairs["response_model"].tolist()[2:] == ["claude-3-5-sonnet"] * 2
    assert dict(data.report.facts)["repeated ids"].startswith("2 rows have the pair_id of another")


def test_nan_in_what_python_wrote_is_a_gap() -> None:
    said = repr([{"strength": -2}, {"strength": float("nan")}, {"strength": 1, "why": "nan"}])
    table = pd.read_json(GOLDEN / "helpsteer2_preference.jsonl", lines=True).iloc[:1]
    data = pdx.load(table.assign(all_preferences_unprocessed=said))

    assert outcomes(data, "human") == ["A", "invalid", "B"]
    assert "is no list" in broken({**table.to_dict("list"), "all_preferences_unprocessed": ["{[]: nan}"]})


def test_a_folder_of_pairs_and_other_tables_is_refused(tmp_path):
    """Rows of a table of ratings would be pairs without responses; the message names both files."""
    pd.DataFrame({"pair_id": [1, 2], "judge_me": ["A", "B"]}).to_csv(tmp_path / "pairs.csv", index=False)
    pd.DataFrame({"response_id": [1, 2], "clear": [3, 1]}).to_csv(tmp_path / "ratings.csv", index=False)
    with pytest.raises(DataError, match=r"pairs\.csv' holds pairs, and .*ratings\.csv', which was given with it"):
        pdx.load(tmp_path)
    assert len(pdx.load(tmp_path / "pairs.csv")) == 2
