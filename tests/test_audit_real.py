"""AlpacaEval's annotations audited: its published win rates, and models moved as its length control moves them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prefdissect as pdx
from prefdissect.audit.leaderboard import leaderboard
from prefdissect.inference import check_options

pytestmark = pytest.mark.lane("newer")

# Published by tatsu-lab/alpaca_eval (Apache-2.0): win rate, and length-controlled win rate, in percent.
VERSION_2 = {
    "claude-2": (17.188240356708075, 28.155),
    "claude-2.1": (15.733506736409938, 25.252),
    "Mixtral-8x7B-Instruct-v0.1_concise": (13.744040154795034, 22.963),
    "gpt-3.5-turbo-0301": (9.622453295105588, 18.093),
}
VERSION_1 = {  # code 0 counts half a win for each
    "alpaca-7b": 26.459627329192543,
    "guanaco-65b": 71.80124223602485,
    "falcon-40b-instruct": 45.71428571428572,
    "vicuna-13b": 70.43478260869566,
    "oasst-rlhf-llama-33b": 66.52173913043478,
    "alpaca-farm-ppo-human": 41.24223602484472,
}
VERBOSE = "FuseChat-Gemma-2-9B-Instruct"
MOST_OFF = 2.5  # points between held-equal win rates by two methods


def as_annotations(table: pd.DataFrame, preference: pd.Series) -> pd.DataFrame:
    """Return pairs as AlpacaEval publishes them."""
    names = {"instruction": "prompt", "output_1": "response_a", "output_2": "response_b"}
    names |= {"generator_1": "model_a", "generator_2": "model_b", "dataset": "scenario"}
    columns = {new: table[old].to_numpy() for new, old in names.items()}
    return pd.DataFrame({**columns, "annotator": "gpt4", "preference": preference.to_numpy()})


def mostly_longer(table: pd.DataFrame) -> pd.Series:
    """Return on how many more prompts each model is longer than the baseline than it is shorter, as a share."""
    gap = table["response_b"].str.len() - table["response_a"].str.len()
    return np.sign(gap).groupby(table["model_b"]).mean()


@pytest.fixture(scope="module")
def second(data_dir: Path) -> tuple[pd.DataFrame, pdx.Audit]:
    table = pd.read_parquet(data_dir / "alpaca_eval" / "pairs_v2.parquet")
    table = table[table["model_b"].isin([*VERSION_2, VERBOSE])]
    annotations = as_annotations(table, 1 + table["prob_b_weighted_gpt4_turbo"])
    return table, pdx.audit_benchmark(annotations, properties="length", resamples=200, random_seed=0)


def test_raw_win_rates_are_the_published_ones(second: tuple[pd.DataFrame, pdx.Audit]) -> None:
    table, found = second
    raw = found.leaderboard.set_index("model")["raw"]
    means = table.groupby("model_b")["prob_b_weighted_gpt4_turbo"].mean()
    assert raw[means.index].to_numpy() == pytest.approx(means.to_numpy(), abs=1e-9)
    for model, (win_rate, _) in VERSION_2.items():
        assert 100 * raw[model] == pytest.approx(win_rate, abs=1e-6)
    assert raw["gpt4_1106_preview"] == 0.5


def test_length_held_equal_moves_models_as_length_control_does(second: tuple[pd.DataFrame, pdx.Audit]) -> None:
    """The verbose down, the terse up, all intervals on one side of 0; and about as far as by the other method."""
    table, found = second
    board = found.leaderboard[~found.leaderboard["is_baseline"]].set_index("model")
    longer = mostly_longer(table)[board.index]
    assert (longer > 0).sum() == 1, "the verbose one"
    assert (board["moved"] * longer < 0).all()
    assert board.loc[VERBOSE, "moved_upper"] < 0
    assert (board["moved_lower"].drop(VERBOSE) > 0).all()
    for model, (_, controlled) in VERSION_2.items():
        assert 100 * board.loc[model, "equal"] == pytest.approx(controlled, abs=MOST_OFF)
        assert 100 * board.loc[model, "equal_lower"] < controlled < 100 * board.loc[model, "equal_upper"]
    assert found.rules[found.rules["group"] == "(all pairs)"]["property"].iloc[0] == "length"
    assert found.subsets["without_reading"].all()
    assert (found.subsets["one_side"] > 0.7).all(), "the baseline, always A, wins most pairs"


def test_a_file_as_published_gives_the_published_win_rate(data_dir: Path) -> None:
    folder = data_dir / "alpaca_eval" / "raw" / "results" / "gpt-3.5-turbo-0301"
    found = pdx.audit_benchmark(
        folder / "weighted_alpaca_eval_gpt4_turbo" / "annotations.json.gz", properties="length", random_seed=0
    )
    raw = found.leaderboard.set_index("model")["raw"]
    assert 100 * raw["gpt-3.5-turbo-0301"] == pytest.approx(VERSION_2["gpt-3.5-turbo-0301"][0], abs=1e-6)


def test_win_rates_with_ties_and_unread_verdicts_are_the_published_ones(data_dir: Path) -> None:
    """Version 1 has code 0, which its rule counts half; where it has nothing at all, that verdict is left out."""
    table = pd.read_parquet(data_dir / "alpaca_eval" / "pairs_v1.parquet")
    preference = table["judge_gpt4"].map({"A": 1.0, "B": 2.0, "tie": 1.5}).fillna(0.0)
    data = pdx.load(as_annotations(table, preference))
    half, drop = (raw_win_rates(data, unparsed) for unparsed in ("half", "drop"))
    for model, win_rate in VERSION_1.items():
        assert 100 * half.loc[model, "raw"] == pytest.approx(win_rate, abs=1e-6)
    assert half["n_unparsed"].drop("text_davinci_003").sum() == 81
    assert half.loc["gpt-3.5-turbo-0301", "n_ties"] == 6
    assert 100 * drop.loc["gpt-3.5-turbo-0301", "raw"] == pytest.approx(89.36567164179104, abs=1e-6)
    assert 100 * drop.loc["llama-2-13b-chat-hf", "raw"] == pytest.approx(81.09452736318407, abs=1e-6)


def raw_win_rates(data: pdx.PreferenceData, unparsed: str) -> pd.DataFrame:
    """Return the leaderboard of data that rate nothing, which is raw."""
    options = check_options("exact", 100, 2, None, 0.94, 2, 0, True)
    found, _, _ = leaderboard(data, "gpt4", encoding="comparison", unparsed=unparsed, options=options, resamples=100)
    return found.set_index("model")


def test_votes_of_an_arena(data_dir: Path) -> None:
    """Votes in 1,415 pairs: the longer response wins 59.5% of them by characters, and 60.3% by the paper's rule."""
    found = pdx.audit_benchmark(
        data_dir / "arena_llama3" / "pairs.parquet", properties="length", resamples=100, random_seed=0
    )
    best = found.rules[found.rules["group"] == "(all pairs)"].iloc[0]
    assert (best["property"], best["direction"]) == ("length", "more")
    assert best["share"] == pytest.approx(0.603, abs=5e-4)
    board = found.leaderboard.set_index("model")
    assert board.loc["llama-3-70b-instruct", "raw"] == pytest.approx(0.507, abs=5e-4)
    assert board.loc["llama-3-70b-instruct", "moved_upper"] < 0
    assert not board["is_baseline"].any()


def test_stories_rated_by_people_have_no_blind_property_but_those_named(data_dir: Path) -> None:
    data = pdx.load(data_dir / "hanna" / "pairs_engagement.parquet")
    found = pdx.audit_benchmark(data, "human1", folds=5, resamples=100, random_seed=0)
    assert found.blind == ()
    assert found.subsets["blind"].isna().all()
    assert "name those in blind=" in found.notes[0]
    assert found.hold_equal == ("text_length",)
    named = pdx.audit_benchmark(
        data, "human1", blind=["text_length"], folds=5, resamples=100, random_seed=0
    ).subsets.iloc[0]
    assert named["without_reading"]
    assert named["fit"] > named["blind"]


@pytest.mark.parametrize(
    ("judge", "most", "least", "step"),
    [
        ("human", 33.4, -7.1, ("no_severe_errors", 12.9)),
        ("gpt-3.5-turbo-1106", 39.2, -2.2, ("lengthy", 16.7)),
        ("gpt-4-1106-preview", 43.4, -1.4, ("no_severe_errors", 26.2)),
    ],
)
def test_what_the_page_says_beside_the_papers_experiments(
    data_dir: Path, judge: str, most: float, least: float, step: tuple[str, float]
) -> None:
    released = pdx.load_reference("paper", data_dir / "gair" / "fitted_paras_comparison")
    scenarios = [g for g in released.groups if released.kinds[g] == "scenario"]
    own = released.weights[(released.weights["judge"] == judge) & released.weights["group"].isin(scenarios)]
    page = (Path(__file__).parent.parent / "docs/explanation/what-an-audit-can-claim.md").read_text(encoding="utf-8")
    gains = {}
    for name, take in (("most", pd.Series.nlargest), ("least", pd.Series.nsmallest)):
        sums = own.groupby("group")["mean"].apply(lambda weights, take=take: take(weights, 3).sum())
        gains[name] = 100 * (1 / (1 + np.exp(-sums)) - 0.5).mean()
    assert (round(gains["most"], 1), round(gains["least"], 1)) == (most, least)
    assert f"| {most:+.1f} | {least:+.1f} |" in page
    by_one = (100 / (1 + np.exp(-own["mean"])) - 50).groupby(own["property"]).mean()
    assert (by_one.idxmax(), round(by_one.max(), 1)) == step
