"""One more judge: fitted as if it had been there from the start, and nothing else changes."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import prefdissect as pdx
from prefdissect.cli import app
from prefdissect.data import read_labels
from prefdissect.errors import ColumnError, DataError, DuplicateError, FileFormatError, TooFewPairsError

SCHEMA = pdx.PAPER.select(["friendly", "clear", "lengthy"])


@pytest.fixture(scope="module")
def study() -> pdx.PreferenceData:
    return pdx.simulate(600, schema=SCHEMA, judges=["ann", "bob"], scenarios=["Code", "Advice"], random_seed=0).data


@pytest.fixture(scope="module")
def labels(study) -> list[str]:
    return np.random.default_rng(1).choice(["A", "B", "tie"], len(study), p=[0.45, 0.45, 0.1]).tolist()


@pytest.mark.parametrize(
    "options", [{}, {"engine": "ep"}, {"robust": True}, {"folds": 5, "engine": "ep"}, {"ties": "half", "by": None}]
)
def test_it_is_as_if_the_judge_had_been_there(study, labels, options):
    result = pdx.dissect(study, random_seed=3, **options)
    added = result.add("new", labels)
    whole = pdx.dissect(study.with_judge("new", labels), random_seed=3, **options)
    pd.testing.assert_frame_equal(added.weights, whole.weights)
    pd.testing.assert_frame_equal(added.dropped, whole.dropped)
    assert added.options["data_hash"] == whole.options["data_hash"]
    assert all(added.fitted.fits[key] is fit for key, fit in result.fitted.fits.items())
    assert result.judges == ["ann", "bob"]
    assert added.posterior["weight"].shape[2] == 3


def test_a_loaded_result_of_some_groups_takes_a_judge_and_all_questions_work(study, labels, tmp_path):
    result = pdx.Dissection.load(pdx.dissect(study, engine="ep", random_seed=0).save(tmp_path / "run.nc"))
    added = result.sel(judge="ann", group="Code").add("new", dict(zip(study.pairs.index, labels, strict=True)))
    assert added.judges == ["ann", "new"]
    assert added.groups == ["Code"]
    assert added.similarity().overall.shape == (2, 2)
    assert added.explain(str(added.design.pair_ids[0]), judge="new").judge == "new"
    assert added.check(progress=False).table["judge"].nunique() == 2


@pytest.mark.parametrize("kind", ["list", "object", "column", "table"])
def test_files_of_labels(study, labels, tmp_path, kind):
    by_pair = dict(zip(study.pairs.index, labels, strict=True))
    file = tmp_path / ("new.json" if kind in ("list", "object") else "new.csv")
    if kind in ("list", "object"):
        file.write_text(json.dumps(labels if kind == "list" else by_pair))
    elif kind == "column":
        pd.DataFrame({"label": labels}).to_csv(file, index=False)
    else:
        pd.DataFrame({"label": by_pair.values(), "pair_id": by_pair.keys()}).sample(frac=1).to_csv(file, index=False)
    result = pdx.dissect(study, engine="ep", random_seed=0)
    pd.testing.assert_frame_equal(result.add("new", file).weights, result.add("new", labels).weights)


def test_the_command_adds_a_judge(study, labels, tmp_path):
    study.to_file(tmp_path / "pairs.parquet")
    (tmp_path / "gpt.json").write_text(json.dumps(labels))
    pairs, file = str(tmp_path / "pairs.parquet"), tmp_path / "gpt.json"
    for asked, name in ((str(file), "gpt"), (f"my judge={file}", "my judge")):
        out = tmp_path / "weights.csv"
        done = CliRunner().invoke(
            app, ["dissect", pairs, "--schema", "paper", "--labels", asked, "--engine", "ep", "--csv", str(out)]
        )
        assert done.exit_code == 0, done.output
        found = pd.read_csv(out)
        assert found["judge"].unique().tolist() == ["ann", "bob", name]
        expected = pdx.dissect(study.with_judge(name, labels), engine="ep", random_seed=0).weights
        np.testing.assert_allclose(found["mean"], expected["mean"], atol=1e-6)


def test_bad_labels_are_one_clear_error(study, labels, tmp_path):
    result = pdx.dissect(study, engine="ep", random_seed=0)
    with pytest.raises(DuplicateError, match="there is a judge 'ann' already"):
        result.add("ann", labels)
    with pytest.raises(DataError, match="599 labels for 600 pairs"):
        result.add("new", labels[1:])
    with pytest.raises(FileFormatError, match="there is no file"):
        result.add("new", "nowhere.json")
    with pytest.raises(DataError, match="no usable verdict"):
        result.add("new", [None] * 600)
    with pytest.raises(TooFewPairsError, match="min_pairs=10"):
        result.add("new", ["A"] * 5 + [None] * 595)
    file = tmp_path / "three.csv"
    pd.DataFrame({"pair_id": ["a"], "x": ["A"], "y": ["B"]}).to_csv(file, index=False)
    with pytest.raises(ColumnError, match="labels are one column"):
        read_labels(file)
    pd.DataFrame({"pair_id": ["a", "a"], "x": ["A", "B"]}).to_csv(file, index=False)
    with pytest.raises(DuplicateError, match="'a' more than once"):
        read_labels(file)
    (tmp_path / "number.json").write_text("3")
    with pytest.raises(FileFormatError, match="holds int"):
        read_labels(tmp_path / "number.json")
