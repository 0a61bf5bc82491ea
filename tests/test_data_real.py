"""Real files, against the counts in their README files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prefdissect import PreferenceData, load

CRITERIA = ["relevance", "coherence", "empathy", "surprise", "engagement", "complexity"]


def outcomes(data: PreferenceData, judge: str) -> tuple[int, int, int]:
    """Numbers of A, B and tie, from the verdicts; the labels must say the same."""
    counts = data.verdicts.loc[data.verdicts["judge"] == judge, "outcome"].value_counts()
    labels = data.labels[judge].value_counts()
    assert [labels.get(v, 0) for v in (1.0, 0.0, 0.5)] == [counts["A"], counts["B"], counts["tie"]]
    return int(counts["A"]), int(counts["B"]), int(counts["tie"])


def test_hanna_engagement(data_dir: Path) -> None:
    path = data_dir / "hanna" / "pairs_engagement.parquet"
    data, source = load(path), pd.read_parquet(path)
    assert len(data) == 5280
    assert len(data.judges) == 23
    assert outcomes(data, "human1") == (2070, 2036, 1174)
    assert outcomes(data, "chatgpt_p1")[2] == 2659
    stems = [c.removesuffix("_a") for c in source.columns if c.endswith("_a")]
    assert data.properties == [s for s in stems if s not in ("story_id", "model")]
    assert len(data.properties) == 10
    assert "engagement" not in data.properties
    assert set(CRITERIA) - {"engagement"} < set(data.properties)
    for k, name in enumerate(data.properties):
        np.testing.assert_array_equal(data.ratings[:, 0, k], source[f"{name}_a"])
        np.testing.assert_array_equal(data.ratings[:, 1, k], source[f"{name}_b"])
    assert data.pairs["cluster"].nunique() == 96
    assert (data.pairs["cluster"].value_counts() == 55).all()
    assert data.pairs.index.tolist() == source["pair_id"].astype(str).tolist()
    empty = int(source.filter(like="judge_").isna().sum().sum())
    assert len(data.verdicts) == 5280 * 23 - empty
    assert dict(data.report.left_out)["cells without a verdict"] == empty


def test_hanna_labels_by_a_brute_force_twin(data_dir: Path) -> None:
    path = data_dir / "hanna" / "pairs_engagement.parquet"
    data, source = load(path, judges=["human2", "mistral7b_p1"]), pd.read_parquet(path)
    assert data.judges == ["human2", "mistral7b_p1"]
    value = {"A": 1.0, "B": 0.0, "tie": 0.5, None: np.nan}
    for judge in data.judges:
        cells = source[f"judge_{judge}"].astype(object).where(source[f"judge_{judge}"].notna(), None)
        np.testing.assert_array_equal(data.labels[judge], [value[c] for c in cells])


def test_hanna_story_ratings_join(data_dir: Path) -> None:
    """The pairs hold the human means; joined by story they must be the very same numbers."""
    source = pd.read_parquet(data_dir / "hanna" / "pairs_engagement.parquet")
    data = load(source, response_id="story_id")
    stories = pd.read_parquet(data_dir / "hanna" / "stories.parquet")
    means = stories[["story_id", *(f"human_mean_{c}" for c in CRITERIA)]].rename(columns={"story_id": "response_id"})
    joined = data.join_ratings(means)
    for criterion in set(CRITERIA) - {"engagement"}:
        mine, theirs = (joined.properties.index(p) for p in (criterion, f"human_mean_{criterion}"))
        np.testing.assert_allclose(joined.ratings[:, :, mine], joined.ratings[:, :, theirs], rtol=1e-6)


def test_hanna_overall(data_dir: Path) -> None:
    data = load(data_dir / "hanna" / "pairs_overall.parquet", judges=["human1", "chatgpt_p1"])
    assert outcomes(data, "human1") == (2552, 2487, 241)
    assert outcomes(data, "chatgpt_p1") == (2157, 2204, 889)
    assert int(data.labels["chatgpt_p1"].isna().sum()) == 30
    assert dict(data.report.left_out)["cells without a verdict"] == 30


def test_topical_chat(data_dir: Path) -> None:
    data = load(data_dir / "topical_chat" / "pairs.parquet", cluster="context_id")
    assert len(data) == 900
    assert sorted(data.properties) == ["coherence", "engagingness", "groundedness", "naturalness", "understandability"]
    assert outcomes(data, "human_mean") == (405, 429, 66)
    assert data.pairs["cluster"].nunique() == 60
    assert (data.pairs["cluster"].value_counts() == 15).all()
    ranges = {"understandability": (0, 1), "naturalness": (1, 3), "groundedness": (0, 1)}
    for name, (low, high) in ranges.items():
        rated = data.ratings[:, :, data.properties.index(name)]
        assert (rated.min(), rated.max()) == (low, high)
    assert "knowledge" in data.pairs.columns
    assert "knowledge" in str(data.report)


def test_topical_chat_takes_the_ratings_of_gpt35(data_dir: Path) -> None:
    folder = data_dir / "topical_chat"
    ratings = pd.read_parquet(folder / "gpt35_ratings.parquet")
    data = load(folder / "pairs.parquet").join_ratings(ratings)
    assert len(data.properties) == 5 + 28
    by_response = ratings.set_index(ratings["response_id"].astype(str)).drop(columns="response_id")
    for prop in by_response.columns:
        k = data.properties.index(prop)
        for side, ids in enumerate((data.pairs["response_id_a"], data.pairs["response_id_b"])):
            np.testing.assert_array_equal(data.ratings[:, side, k], by_response[prop].reindex(ids))


def test_topical_chat_responses_rejoin_exactly(data_dir: Path) -> None:
    folder = data_dir / "topical_chat"
    responses = pd.read_parquet(folder / "responses.parquet")
    rated = ["understandability", "naturalness", "coherence", "engagingness", "groundedness"]
    again = responses[["response_id", *rated]].rename(columns={r: f"my_{r}" for r in rated})
    data = load(folder / "pairs.parquet").join_ratings(again)
    mine = [data.properties.index(f"my_{r}") for r in rated]
    theirs = [data.properties.index(r) for r in rated]
    np.testing.assert_array_equal(data.ratings[:, :, mine], data.ratings[:, :, theirs])


def test_pandalm(data_dir: Path) -> None:
    data = load(data_dir / "pandalm" / "pairs.parquet")
    assert len(data) == 999
    assert data.properties == []
    assert data.ratings.shape == (999, 2, 0)
    assert {j: outcomes(data, j) for j in data.judges} == {
        "human1": (427, 475, 97),
        "human2": (417, 466, 116),
        "human3": (411, 475, 113),
        "gpt35turbo": (460, 476, 38),
        "pandalm7b": (433, 459, 107),
    }
    assert int(data.labels["gpt35turbo"].isna().sum()) == 25
    assert dict(data.report.left_out)["cells without a verdict"] == 25
    assert data.groups.shape == (999, 49)
    assert (data.groups.sum(axis=1) == 1).all()
    assert set(data.group_kinds.values()) == {"scenario"}
    source = pd.read_parquet(data_dir / "pandalm" / "pairs.parquet")
    assert data.groups.sum().to_dict() == source["scenario"].value_counts().to_dict()
    assert data.pairs["prompt_id"].nunique() == source["prompt"].nunique()
    same = source["response_a"].to_numpy() == source["response_b"].to_numpy()
    np.testing.assert_array_equal(data.pairs["response_id_a"] == data.pairs["response_id_b"], same)


@pytest.mark.parametrize(
    ("file", "n", "judge", "counts", "scenarios"),
    [
        ("arena_llama3/pairs.parquet", 1415, "human", (720, 695), 6),
        ("alpaca_eval/pairs_v1.parquet", 9660, "gpt4", (3670, 5904, 5), 5),
    ],
)
def test_pairs_of_texts(file: str, n: int, judge: str, counts: tuple[int, ...], scenarios: int, data_dir: Path) -> None:
    data = load(data_dir / file)
    assert len(data) == n
    assert data.properties == []
    verdicts = data.verdicts["outcome"].value_counts()
    assert tuple(int(verdicts[o]) for o in ("A", "B", "tie")[: len(counts)]) == counts
    assert len(data.groups.columns) == scenarios
    assert data.pairs[["prompt_id", "response_id_a", "response_id_b"]].notna().all(axis=None)
    assert {"model_a", "model_b"} <= set(data.pairs.columns)
