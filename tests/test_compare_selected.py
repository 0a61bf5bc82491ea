"""Similarities of some of the judges and groups: every table is of these, and what cannot be compared is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import prefdissect as pdx
from prefdissect.asking import comparing
from prefdissect.compare import cluster_judges, grouping_test
from prefdissect.errors import ColumnError, DataError, DuplicateError, OptionError, UnknownNameError

SMALL = pdx.PAPER.select(["friendly", "clear", "novel", "no_severe_errors", "lengthy"])
POINTS = np.array([[1, 0.9, 0.2, 0.1], [0.9, 1, 0.3, 0.2], [0.2, 0.3, 1, 0.8], [0.1, 0.2, 0.8, 1]])
CLASSES = {"a": "x", "b": "x", "c": "y", "d": "y"}


def lacking(judge: str, group: str) -> pdx.PreferenceData:
    """Return data of judges ann, bob and eve in which one said nothing of one group."""
    study = pdx.simulate(1000, schema=SMALL, judges=["ann", "bob", "eve"], scenarios=["Code", "Advice"], random_seed=0)
    verdicts, held = study.data.verdicts, study.data.groups.index[study.data.groups[group]]
    kept = ~((verdicts["judge"] == judge) & verdicts["pair_id"].isin(held))
    return pdx.PreferenceData(**{**study.data.__dict__, "verdicts": verdicts[kept]})


@pytest.fixture(scope="module")
def result() -> pdx.Dissection:
    study = pdx.simulate(1000, schema=SMALL, judges=["ann", "bob", "eve"], scenarios=["Code", "Advice"], random_seed=0)
    return pdx.dissect(study.data, engine="ep", random_seed=0)


@pytest.fixture(scope="module")
def gappy() -> pdx.Dissection:
    return pdx.dissect(lacking("bob", "Advice"), engine="ep", random_seed=0)


@pytest.mark.parametrize("door", ["similarity", "sel", "after its tables"])
def test_tables_of_chosen_groups_are_those_of_a_result_of_these_groups(result, door):
    """All but the posterior, which is of all groups together."""
    alone = result.sel(group="Code").similarity()
    if door == "similarity":
        chosen = result.similarity(groups=["Code"])
    else:
        whole = result.similarity()
        if door == "after its tables":
            whole.to_frame(ceiling=True)
        chosen = whole.sel(group="Code")
    of_posterior = ["corrected", "lower", "upper"]
    found, expected = (one.to_frame(ceiling=True).drop(columns=of_posterior) for one in (chosen, alone))
    pd.testing.assert_frame_equal(found, expected)
    pd.testing.assert_frame_equal(chosen.ceiling, alone.ceiling)
    pd.testing.assert_frame_equal(chosen.agreement(), alone.agreement())
    assert chosen.kinds == {"Code": "scenario"}
    assert repr(chosen).splitlines()[0] == repr(alone).splitlines()[0]


def test_convergence_is_that_of_what_is_chosen(result):
    whole = result.similarity()
    code = whole.sel(group="Code")
    assert (code.r_hat, code.ess) == (result.similarity(groups=["Code"]).r_hat, result.similarity(groups=["Code"]).ess)
    assert code.ess != whole.ess


def test_agreement_is_of_the_chosen_judges_in_their_order(result):
    table = result.similarity().sel(judge=["eve", "ann"]).agreement()
    assert set(zip(table["judge_a"], table["judge_b"], strict=True)) == {("eve", "ann")}
    whole = result.agreement().set_index(["group", "judge_a", "judge_b"])
    assert table["kappa"].tolist() == pytest.approx(whole.loc[(slice(None), "ann", "eve"), "kappa"].tolist())


def test_notes_are_of_the_chosen_groups(gappy):
    strict = gappy.similarity()
    assert strict.notes[0].startswith("in 1 of 2 scenarios a judge has no fit")
    assert strict.sel(group="Code").notes == ()
    assert strict.sel(judge=["ann", "eve"]).notes == ()
    assert strict.sel(group="Advice").notes[0].startswith("in 1 of 1 scenarios")


def test_skipna_averages_ceilings_over_the_fits_that_there_are(gappy):
    strict, lenient = gappy.similarity().ceiling, gappy.similarity(skipna=True).ceiling
    assert np.isnan(strict.loc["bob", "overall"])
    assert lenient.loc["bob", "overall"] == lenient.loc["bob", "Code"]
    for judge in ("ann", "eve"):
        assert lenient.loc[judge, "overall"] == strict.loc[judge, "overall"]
    row = gappy.similarity(skipna=True).to_frame(ceiling=True).iloc[0]
    assert np.isfinite(row[["similarity", "ceiling_a", "ceiling_b"]].astype(float)).all()


def test_one_judge_is_said_to_be_alone(result):
    one = result.similarity().sel(judge="ann")
    assert repr(one).endswith("'ann' is alone here, so nothing is compared; select two judges or more")
    assert one.to_frame(ceiling=True).empty
    assert one.ceiling.index.tolist() == ["ann"]
    for ask in (one.clusters, one.plot, one.plot_ceiling):
        with pytest.raises(DataError, match="'ann' is alone here; select two judges or more"):
            ask()
    with pytest.raises(DataError, match="'a' is alone here"):
        cluster_judges(np.ones((1, 1)), ["a"])


def test_a_judge_named_twice_is_taken_once(result):
    assert result.similarity().sel(judge=["bob", "ann", "bob"]).judges == ("bob", "ann")


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda r: r.similarity("foo"), OptionError, "method='foo'"),
        (lambda r: r.similarity(groups=["Cod"]), UnknownNameError, "unknown group 'Cod'"),
        (
            lambda r: r.sel(judge="ann").similarity(),
            DataError,
            "only one here; dissect two judges or more",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused_before_the_work(result, call, error, said, monkeypatch):
    def sample(*args: object, **options: object) -> None:
        raise AssertionError("sampled before it refused")

    monkeypatch.setattr(comparing, "draw_jointly", sample)
    with pytest.raises(error, match=said):
        call(pdx.Dissection(result.data, result.design, result.fitted, result.options))


@pytest.mark.parametrize("name", ["overall", "(none)"])
def test_a_group_with_a_name_of_the_tables_is_refused(name):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"clear_a": rng.integers(0, 4, 80), "clear_b": rng.integers(0, 4, 80)})
    table["kind"] = [name, "Code"] * 40
    table["judge_me"] = rng.choice(["A", "B"], 80)
    with pytest.raises(ColumnError, match=r"is named '.*', which in tables of results stands for .*; rename it"):
        pdx.dissect(table, by="kind", engine="ep", random_seed=0)
    assert pdx.dissect(table, by=None, engine="ep", random_seed=0).groups == ["all"]


def test_strata_that_leave_nothing_to_permute_are_refused():
    """It used to be p = 1 over 0 permutations."""
    with pytest.raises(DataError, match="within= leaves nothing to permute"):
        grouping_test(POINTS, list("abcd"), CLASSES, within=CLASSES)


def test_judges_without_a_stratum_are_left_out_and_named():
    """They used to share a stratum of their own, `None`."""
    of = {"a": "s", "b": "s", "c": "s", "d": None}
    found = grouping_test(POINTS, list("abcd"), CLASSES, within=of)
    alone = grouping_test(POINTS[:3, :3], list("abc"), CLASSES, within=of)
    assert found.left_out == ("d",)
    assert (found.difference, found.p_value, found.permutations) == (alone.difference, alone.p_value, 2)
    assert repr(found).endswith("without a class (or a stratum), left out: d")
    with pytest.raises(DataError, match="of 1 judges: .*; without a class or a stratum: b, c, d"):
        grouping_test(POINTS, list("abcd"), CLASSES, within={"a": "s"})


@pytest.mark.parametrize("seed", [-1, 1.5, True])
def test_a_seed_that_is_none_is_refused(seed):
    with pytest.raises(OptionError, match=f"random_seed={seed}"):
        grouping_test(POINTS, list("abcd"), CLASSES, random_seed=seed)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"weight": np.zeros((3, 1, 2))}, DataError, r"weight has shape \(3, 1, 2\).*ask for \(2, 1, 1\)"),
        ({"judges": ("a", "a")}, DuplicateError, "judge 'a' is named twice"),
        ({"kinds": {}}, DataError, "kinds lacks group 'Code'"),
        ({"groups": ("overall",), "kinds": {"overall": "scenario"}}, ColumnError, "named 'overall'"),
    ],
)
def test_reference_weights_that_do_not_fit_their_names_are_refused(change, error, said):
    fields = {
        "name": "mine",
        "judges": ("a", "b"),
        "groups": ("Code",),
        "kinds": {"Code": "scenario"},
        "properties": ("x",),
        "weight": np.zeros((2, 1, 1)),
    }
    with pytest.raises(error, match=said):
        pdx.ReferenceWeights(**(fields | change))
