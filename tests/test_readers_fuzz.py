"""Whatever stands in a table of a known layout: it loads, or one of our errors says why not."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import prefdissect as pdx
from prefdissect.data.readers import LAYOUTS
from prefdissect.errors import PrefDissectError

pytestmark = pytest.mark.lane("oldest")

COLUMNS = {name: layout.columns for name, layout in LAYOUTS.items() if layout.columns}
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(),
    st.sampled_from(
        ["A", "B", "tie", "model_a", "text_b", "1", "[]", "[1]", '["x"]', "[{'role': 'user'}]", "", "\ud800"]
    ),
    st.text(max_size=5),
)
TURN = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["user", "assistant", "robot", None]),
        "content": SCALARS | st.lists(SCALARS, max_size=2),
    },
)
CELLS = st.one_of(
    SCALARS,
    st.lists(SCALARS | TURN, max_size=3),
    st.lists(TURN, max_size=3),
    st.dictionaries(st.sampled_from(["content", "model", "text", "human", "friendly", "math"]), SCALARS, max_size=3),
)
CELLS_OF_A_TABLE = CELLS | st.lists(st.floats(), max_size=2).map(np.array)


@pytest.mark.parametrize("layout", COLUMNS)
@settings(max_examples=25)
@given(data=st.data())
def test_any_cells_in_the_columns_of_a_layout(layout: str, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 3))
    columns = {name: data.draw(st.lists(CELLS_OF_A_TABLE, min_size=n, max_size=n)) for name in COLUMNS[layout]}
    check(pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()}), layout)


@pytest.mark.parametrize("layout", COLUMNS)
@settings(max_examples=15)
@given(data=st.data())
def test_one_spoilt_cell_of_a_golden_file(layout: str, data: st.DataObject) -> None:
    table = golden(layout).copy()
    column = data.draw(st.sampled_from(list(table.columns)))
    cells = table[column].astype(object).tolist()
    cells[data.draw(st.integers(0, len(cells) - 1))] = data.draw(CELLS_OF_A_TABLE)
    check(table.assign(**{column: pd.Series(cells, dtype=object)}), layout)


@settings(max_examples=100)
@given(
    st.dictionaries(
        st.sampled_from(["metadata", "annotators", "comparisons", "all", "x"]),
        st.one_of(
            SCALARS,
            st.lists(
                st.one_of(
                    SCALARS,
                    st.integers(0, 9),
                    st.dictionaries(st.sampled_from(["id", "annotations", "response_a", "prompt"]), CELLS),
                )
            ),
            st.dictionaries(st.text(max_size=2), st.dictionaries(st.sampled_from(["type", "name"]), SCALARS)),
        ),
    )
    | st.lists(SCALARS)
)
def test_any_document(tmp_path_factory: pytest.TempPathFactory, content: Any) -> None:
    path = tmp_path_factory.mktemp("documents") / "content.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    check(path, None)


def check(source: pd.DataFrame | Path, layout: str | None) -> None:
    with contextlib.suppress(PrefDissectError):
        assert isinstance(pdx.load(source, format=layout), pdx.PreferenceData)


FILES = {
    "chatbot-arena": "arena_human_preference_100k.jsonl",
    "hh-rlhf": "hh_rlhf.jsonl",
    "trl": "trl_messages.jsonl",
    "reward-bench-2": "reward_bench_2.jsonl",
    "mt-bench": "mt_bench.jsonl",
    "ultrafeedback": "ultrafeedback.jsonl",
    "helpsteer2": "helpsteer2_preference.jsonl",
    "helpsteer2-ratings": "helpsteer2.jsonl",
    "helpsteer3": "helpsteer3.jsonl",
    "pku-saferlhf": "pku_saferlhf.jsonl",
    "reward-bench": "reward_bench.jsonl",
    "judge-bench": "judge_bench.jsonl",
    "gair-hub": "gair_hub.jsonl",
    "alpaca-eval": "alpaca_eval_plain.json",
    "pandalm": "pandalm-testset-v1.json",
    "llmbar": "llmbar.json",
    "arena-55k": "arena_55k.csv",
    "vibecheck": "vibecheck.csv",
    "text-pairs": "feedback_forensics.csv",
}


def golden(layout: str) -> pd.DataFrame:
    path = Path(__file__).parent / "golden" / FILES[layout]
    if path.suffix == ".csv":
        return pd.read_csv(path)
    text = path.read_text(encoding="utf-8")
    return pd.DataFrame(
        [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else json.loads(text)
    )
