"""The paper's 33 judges from their released weights: the figures that were published, or recomputed from them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import prefdissect as pdx
from prefdissect.errors import FileFormatError, HubError, OptionError, UnknownNameError

# Source: Li et al. 2024, sections 5.1 and 5.2, and recomputed from the released weights where they print fewer digits.
HUMAN_AND_GPT_4 = {
    "NLP Tasks": 0.955,
    "Daily Tasks": 0.923,
    "Creative Writing": 0.909,
    "Others": 0.902,
    "Exam Questions": 0.880,
    "express_feeling": 0.851,
    "Knowledge-aware": 0.825,
    "w_constraints": 0.789,
    "Code": 0.764,
    "Functional Writing": 0.758,
    "w_stances": 0.618,
    "Advice": 0.616,
    "intent_unclear": 0.575,
    "w_mistakes": 0.379,
    "Communication": 0.371,
    "Unsafe Queries": 0.257,
}
MEASURES = {  # human and GPT-4-Turbo; within <=14B, within >30B, between
    "pearson": (0.742, 0.8280, 0.8832, 0.7374),
    "spearman": (0.743, 0.786, 0.884, 0.740),
    "l1": (-0.1236, -0.0709, -0.0639, -0.0994),
    "l2": (-0.0377, -0.0213, -0.0190, -0.0291),
}
ALIGNED = {
    "yi-6b": [0.885],
    "yi-34b": [0.943],
    "qwen-7b": [0.890],
    "qwen-14b": [0.963],
    "qwen-72b": [0.961],
    "llama-2-7b": [0.469, 0.529, 0.546],
    "llama-2-13b": [0.918, 0.881, 0.872, 0.866],
    "llama-2-70b": [0.888, 0.889, 0.892],
    "mistral-7b": [0.921, 0.848, 0.848, 0.880],
    "mistral-8x7b": [0.842],
}
GPT_4, GPT_3 = "gpt-4-1106-preview", "gpt-3.5-turbo-1106"


@pytest.fixture(scope="module")
def folder(data_dir):
    return data_dir / "gair" / "fitted_paras_comparison"


@pytest.fixture(scope="module")
def reference(folder) -> pdx.ReferenceWeights:
    return pdx.load_reference("paper", folder)


@pytest.fixture(scope="module")
def similarity(reference) -> pdx.JudgeSimilarity:
    return reference.similarity()


def test_there_are_33_judges_in_11_scenarios_and_5_cases(reference):
    assert list(reference.judges) == list(pdx.judge_table("paper").index)
    assert reference.weight.shape == (33, 16, 29)
    assert sorted(reference.kinds.values()) == ["case"] * 5 + ["scenario"] * 11
    assert np.isfinite(reference.weight).all()


def test_the_matrix_is_the_one_that_was_recomputed(similarity, data_dir):
    file = data_dir.parent / "reference" / "similarity_overall.csv"
    if not file.is_file():
        pytest.skip("the recomputed matrix is not beside the data")
    known = pd.read_csv(file, index_col=0)
    assert list(known.index) == list(similarity.judges)
    np.testing.assert_allclose(similarity.overall, known, atol=2e-6)


def test_human_and_gpt_4_in_every_group(similarity):
    found = {group: table.loc["human", GPT_4] for group, table in similarity.by_group.items()}
    assert found == pytest.approx(HUMAN_AND_GPT_4, abs=5.1e-4)


@pytest.mark.parametrize("method", list(MEASURES))
def test_size_classes_by_every_measure(reference, method):
    found = reference.similarity(method)
    expected, digits = MEASURES[method], 5.1e-4 if method in ("pearson", "spearman") else 5.1e-5
    assert found.overall.loc["human", GPT_4] == pytest.approx(expected[0], abs=digits)
    test = found.grouping(pdx.judge_table("paper")["size_class"], permutations=999)
    rows = test.table.set_index(["class_a", "class_b"])
    assert rows["n"].tolist() == [190, 200, 45]
    order = [("<=14B", "<=14B"), (">30B", ">30B"), ("<=14B", ">30B")]
    assert rows.loc[order, "similarity"].tolist() == pytest.approx(expected[1:], abs=digits)
    assert test.p_value == 0.001  # none of 999 permutations is as large
    assert set(test.left_out) == {"human", GPT_4, GPT_3}


def test_pearson_within_size_classes_to_four_digits(similarity):
    test = similarity.grouping(pdx.judge_table("paper")["size_class"], permutations=9)
    assert test.table["similarity"].round(4).tolist() == [0.8280, 0.7374, 0.8832]


def test_families_are_alike_no_more_than_others(similarity):
    """Size matters inside families too, family does not."""
    table = pdx.judge_table("paper").query("kind in ['pretrained', 'aligned']")
    families = similarity.grouping(table["family"], random_seed=0)
    within = families.table.query("class_a == class_b").set_index("class_a")["similarity"]
    assert within.round(3).to_dict() == {"LLaMA-2": 0.756, "Mistral": 0.851, "Qwen": 0.786, "Yi": 0.829}
    assert families.p_value > 0.2
    assert similarity.grouping(table["size_class"], within=table["family"], random_seed=0).p_value < 0.001


def test_pretrained_models_and_those_aligned_from_them(similarity):
    table = pdx.judge_table("paper").query("kind == 'aligned'")
    found = {base: similarity.overall.loc[base, list(rows.index)].tolist() for base, rows in table.groupby("base")}
    assert {base: sorted(values) for base, values in found.items()} == {
        base: pytest.approx(sorted(values), abs=5.5e-4) for base, values in ALIGNED.items()
    }
    every = [value for values in found.values() for value in values]
    assert np.mean(every) == pytest.approx(0.836, abs=5e-4)


def test_the_ends_of_every_judges_overall(reference):
    """Top and last three of some judges as published, and the counts over all of them."""
    overall = 100 * reference.overall()
    labels = dict(zip(pdx.PAPER.ids, pdx.PAPER.labels, strict=True))

    def ends(judge: str) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
        row = overall.loc[judge].rename(labels).sort_values(ascending=False)
        return [*row.head(3).round(2).items()], [*row[::-1].head(3).round(2).items()]

    assert ends("human") == (
        [("no severe errors", 62.86), ("novel", 58.80), ("satisfy constraints", 58.73)],
        [("admit limits", 46.24), ("harmless", 48.57), ("no minor errors", 49.01)],
    )
    assert ends(GPT_4) == (
        [("no severe errors", 76.19), ("satisfy constraints", 62.39), ("novel", 61.47)],
        [("no minor errors", 50.11), ("use informal expressions", 50.16), ("admit limits", 50.34)],
    )
    assert ends(GPT_3)[0] == [("lengthy", 66.71), ("contain rich info", 66.05), ("novel", 60.61)]
    assert ends("llama-2-7b")[1] == [("admit limits", 43.05), ("well formatted", 48.59), ("interactive", 48.88)]
    last = [ends(judge)[1][0][0] for judge in reference.judges]
    assert last.count("admit limits") == 30


def test_nearest_judges(similarity):
    human = similarity.overall.loc["human"].drop("human").sort_values(ascending=False)
    assert human.round(3).head(4).to_dict() == {
        "qwen-72b": 0.783,
        "qwen-72b-chat": 0.771,
        GPT_4: 0.742,
        "wizardLM-70b-v1.0": 0.737,
    }
    assert human.index[-1] == "llama-2-7b"


def test_points_make_trees_without_support_and_no_posterior(similarity):
    clusters = similarity.clusters(3)
    assert clusters.together is None
    assert clusters.support["support"].isna().all()
    assert clusters.labels["qwen-72b"] == clusters.labels["qwen-72b-chat"]
    assert np.isnan(similarity.lower.to_numpy()).all()
    assert "points only" in repr(similarity)
    for ask in (
        lambda: similarity.ceiling,
        similarity.agreement,
        lambda: similarity.closer(to="human", a=GPT_4, b=GPT_3),
    ):
        with pytest.raises(OptionError, match="only"):
            ask()


def test_a_new_judge_is_placed_among_them(reference):
    """GPT-4-Turbo's own weights, simulated with 4,000 pairs a scenario, fall nearest to GPT-4-Turbo."""
    scenarios = [g for g in reference.groups if reference.kinds[g] == "scenario"]
    j = reference.judges.index(GPT_4)
    weights = reference.weight[j, [reference.groups.index(g) for g in scenarios]]
    study = pdx.simulate(11 * 4000, judges=["mine"], scenarios=scenarios, weights=weights, random_seed=0)
    places = pdx.dissect(study.data, engine="ep", random_seed=0).place_among(reference)
    assert places["reference"].iloc[0] == GPT_4
    assert places["similarity"].iloc[0] > 0.9
    assert places["similarity"].is_monotonic_decreasing
    assert places["n_groups"].eq(11).all()
    assert len(places) == 33


def test_a_written_judge_is_read_beside_the_released_ones(reference, folder, tmp_path):
    study = pdx.simulate(5240, judges=["mine"], random_seed=0)
    result = pdx.dissect(study.data, by="both", engine="ep", random_seed=0)
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    result.to_reference(tmp_path / "7B_mine.json")
    both = pdx.load_reference("paper", tmp_path)
    assert both.judges == (*reference.judges, "7B_mine")
    found = both.weights.set_index(["judge", "group", "property"])["mean"].loc["7B_mine"]
    fitted = result.weights.set_index(["group", "property"])["mean"]
    pd.testing.assert_series_equal(found.sort_index(), fitted.sort_index(), check_names=False)
    assert both.similarity().overall.shape == (34, 34)


def test_a_file_of_a_released_judge_is_refused_and_both_are_named(tmp_path):
    """It used to take the place of the released one in silence."""
    (tmp_path / "model_Code_fitted_paras.jsonl").write_text(LINE.replace('"me"', '"human"'), encoding="utf-8")
    for label in ("[Scenario] Code", "[Scenario] Advice"):
        (tmp_path / "human.json").write_text(json.dumps({label: [0.1] * 29}), encoding="utf-8")
        with pytest.raises(
            FileFormatError, match=r"human\.json' would be judge 'human', whom .*model_Code_.*rename the"
        ):
            pdx.load_reference("paper", tmp_path)
    (tmp_path / "human.json").rename(tmp_path / "mine.json")
    assert pdx.load_reference("paper", tmp_path).judges == ("human", "mine")


def test_other_properties_cannot_be_placed(reference):
    study = pdx.simulate(
        200, schema=pdx.PAPER.select(["clear", "lengthy"]), judges=1, scenarios=["Code"], random_seed=0
    )
    with pytest.raises(UnknownNameError, match="2 properties cannot be placed among those of 29: without harmless"):
        pdx.dissect(study.data, engine="ep", random_seed=0).place_among(reference)


def test_other_groups_cannot_be_placed(reference):
    study = pdx.simulate(200, judges=1, scenarios=["Chess"], random_seed=0)
    with pytest.raises(UnknownNameError, match="no group is common: these are Chess"):
        pdx.dissect(study.data, engine="ep", random_seed=0).place_among(reference)


LINE = json.dumps({"model_name": "me", "parameters": [0.1] * 28 + [0.2]})


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("model_Code_fitted_paras.jsonl", "{", "line 1 of .*model_Code"),
        ("model_Code_fitted_paras.jsonl", LINE.replace("0.2]", "NaN]"), "29 numbers, 28 of them finite"),
        ("model_Code_fitted_paras.jsonl", LINE.replace("0.1, ", "", 1), "28 numbers"),
        ("model_Code_fitted_paras.jsonl", '{"model": 1}', "model_name"),
        ("model_Code_fitted_paras.jsonl", f"{LINE}\n\n{LINE}", "'me' twice"),
        ("model_Cod_fitted_paras.jsonl", LINE, "no group of the paper"),
        ("other.txt", "", "holds no file"),
        ("broken.json", "{", "is no JSON"),
        ("7B_me.json", '{"[Scenario] Code": [1, 2]}', "29 numbers for each group"),
    ],
)
def test_broken_files_are_named(tmp_path, name, content, said):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(FileFormatError, match=said):
        pdx.load_reference("paper", tmp_path)


def test_a_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(FileFormatError, match="is no folder"):
        pdx.load_reference("paper", tmp_path / "nowhere")
    with pytest.raises(OptionError, match="paper"):
        pdx.load_reference("papr")


def test_without_a_network_the_way_out_is_named():
    with pytest.raises(HubError, match=r"spaces/GAIR/Preference-Dissection-Visualization.*not in the cache"):
        pdx.load_reference("paper")


def test_equal_weights_have_no_similarity(tmp_path):
    lines = [
        json.dumps({"model_name": n, "parameters": w}) for n, w in (("a", [0.1] * 29), ("b", [0.1, 0.2] + [0] * 27))
    ]
    (tmp_path / "model_Code_fitted_paras.jsonl").write_text("\n".join(lines), encoding="utf-8")
    found = pdx.load_reference("paper", tmp_path).similarity()
    assert np.isnan(found.overall.loc["a", "b"])


def published_rows(data_dir, columns: int) -> list[list[str]]:
    """Return the rows of the tables of recomputed top and last properties, by their number of columns."""
    file = data_dir.parent / "reference" / "paper.md"
    if not file.is_file():
        pytest.skip("the recomputed tables of the paper are not beside the data")
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [
        row for row in rows if len(row) == columns and "no severe errors" in " ".join(row[-2:]) + "no severe errors"
    ]


def named(cell: str) -> list[tuple[str, float]]:
    return [(part.rpartition(" ")[0].strip(), float(part.rpartition(" ")[2])) for part in cell.split(",")]


def test_top_and_last_three_of_all_33_judges(reference, data_dir):
    """The published values are rounded to two digits; neighbours closer than that may change places."""
    overall = 100 * reference.overall().rename(columns=dict(zip(pdx.PAPER.ids, pdx.PAPER.labels, strict=True)))
    found = [row for row in published_rows(data_dir, 3) if row[0] in reference.judges and row[2].count(",") == 2]
    assert sorted(row[0] for row in found) == sorted(reference.judges)
    for judge, top, last in found:
        row = overall.loc[judge].sort_values(ascending=False)
        for expected, values in ((named(top), row.head(3)), (named(last), row[::-1].head(3))):
            assert [name for name, _ in expected] == list(values.index), judge
            assert [value for _, value in expected] == pytest.approx(values.tolist(), abs=0.0051)


def test_top_and_last_three_in_every_group(reference, data_dir):
    names = {"human": "human", "GPT-4-Turbo": GPT_4, "GPT-3.5-Turbo": GPT_3}
    found = [row for row in published_rows(data_dir, 4) if row[0] in names and row[1] in reference.groups]
    assert len(found) == 3 * 16
    table = reference.weights.assign(
        label=lambda t: t["property"].map(dict(zip(pdx.PAPER.ids, pdx.PAPER.labels, strict=True)))
    )
    for judge, group, top, last in found:
        rows = (
            table[(table["judge"] == names[judge]) & (table["group"] == group)].set_index("label")["probability"] * 100
        )
        row = rows.sort_values(ascending=False)
        for expected, values in ((named(top), row.head(3)), (named(last), row[::-1].head(3))):
            assert [value for _, value in expected] == pytest.approx(values.tolist(), abs=0.051)
            assert [value for _, value in expected] == pytest.approx([rows[name] for name, _ in expected], abs=0.051)


def test_sensitivity_to_errors(reference):
    """Mean probability over scenarios, as in the paper's Table 4."""
    table = 100 * reference.overall()[["no_severe_errors", "no_moderate_errors", "no_minor_errors"]]
    assert table.loc["human"].round(2).tolist() == [62.86, 52.45, 49.01]
    assert table.loc[GPT_4].round(2).tolist() == [76.19, 58.00, 50.11]
    assert table.loc[GPT_3].round(2).tolist() == [57.10, 52.01, 49.96]
    best = table.drop(index=["human", GPT_4, GPT_3])["no_severe_errors"].sort_values(ascending=False)
    assert best.round(2).head(3).to_dict() == {"qwen-72b-chat": 65.27, "qwen-72b": 64.72, "tulu-2-dpo-70b": 63.75}


def test_numbers_that_the_released_weights_are_checked_by(reference, similarity):
    """Single probabilities, and the mean similarity over all 16 groups."""
    chance = 100 * reference.weights.set_index(["judge", "group", "property"])["probability"]
    assert chance["human", "Communication", "lengthy"] == pytest.approx(61.9, abs=0.05)
    assert chance["human", "Communication", "admit_limits"] == pytest.approx(38.7, abs=0.05)
    assert chance["human", "Unsafe Queries", "admit_limits"] == pytest.approx(30.7, abs=0.05)
    assert similarity.overall.loc["yi-6b", "yi-6b-chat"] == pytest.approx(0.8847, abs=5e-5)
    assert similarity.overall.loc["qwen-14b", "qwen-14b-chat"] == pytest.approx(0.9632, abs=5e-5)
    every = np.mean([table.loc["human", GPT_4] for table in similarity.by_group.values()])
    assert every == pytest.approx(0.7108, abs=5e-5)
