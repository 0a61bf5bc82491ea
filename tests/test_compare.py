"""Judges against judges: measures, agreement, ceilings, clusters, tests, contrasts, each against a twin by hand."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.cluster import hierarchy
from scipy.special import expit

import prefdissect as pdx
from prefdissect.compare import cluster_judges, compare_weights, describe, grouping, grouping_test
from prefdissect.errors import DataError, OptionError, UnknownNameError

pytestmark = pytest.mark.lane("newer")

DOCS = Path(__file__).parents[1] / "docs"
SMALL = pdx.PAPER.select(["lengthy", "clear", "novel", "friendly", "polite"])


@pytest.fixture(scope="module")
def study() -> pdx.Study:
    """Three judges in two scenarios; the first two have the same weights, the third their negative."""
    one = np.array([1.0, 0.5, -0.2, 0.3, 0.0])
    weights = np.stack([[one, one[::-1]], [one, one[::-1]], [-one, -one[::-1]]])
    return pdx.simulate(
        1600, schema=SMALL, judges=["a", "b", "c"], scenarios=["Code", "Advice"], weights=weights, random_seed=0
    )


@pytest.fixture(scope="module")
def result(study) -> pdx.Dissection:
    return pdx.dissect(study.data, position=False, engine="ep", random_seed=0)


@pytest.fixture(scope="module")
def similarity(result) -> pdx.JudgeSimilarity:
    return result.similarity()


def test_measures_are_those_of_scipy_and_of_the_papers_code():
    rng = np.random.default_rng(0)
    w = rng.normal(0, 1, (4, 29))
    w[:, :3] = 0.5  # ties, for the ranks
    pearson, spearman, l1, l2 = (compare_weights(w, m) for m in ("pearson", "spearman", "l1", "l2"))
    for i, j in itertools.product(range(4), repeat=2):
        d = w[i] - w[j]
        assert pearson[i, j] == pytest.approx(stats.pearsonr(w[i], w[j])[0])
        assert spearman[i, j] == pytest.approx(stats.spearmanr(w[i], w[j])[0])
        assert l1[i, j] == pytest.approx(-np.abs(d).sum() / 29)
        assert l2[i, j] == pytest.approx(-np.linalg.norm(d) / 29)


def test_weights_that_are_all_equal_have_no_correlation():
    w = np.array([[0.1, 0.1, 0.1], [0.1, 0.2, 0.3]])
    for method in ("pearson", "spearman"):
        found = compare_weights(w, method)
        assert np.isnan(found[0]).all()
        assert np.isnan(found[:, 0]).all()
        assert found[1, 1] == pytest.approx(1)
    assert compare_weights(w, "l1")[0, 1] == pytest.approx(-0.1)


def test_one_nan_stays_in_its_judge():
    w = np.array([[0.1, np.nan, 0.4], [0.1, 0.2, 0.3], [0.5, 0.2, 0.1]])
    for method in ("pearson", "spearman", "l1", "l2"):
        found = compare_weights(w, method)
        assert np.isnan(found[0]).all()
        assert np.isfinite(found[1:, 1:]).all()


def test_points_are_between_posterior_means_and_overall_is_their_mean(result, similarity):
    by_hand = []
    for group in result.groups:
        means = [result.fitted.fits[judge, group].mean for judge in result.judges]
        by_hand.append(np.corrcoef(means))
        np.testing.assert_allclose(similarity.by_group[group], by_hand[-1], atol=1e-12)
    np.testing.assert_allclose(similarity.overall, np.mean(by_hand, axis=0), atol=1e-12)


def test_bounds_are_quantiles_of_the_mean_over_scenarios(similarity):
    draws = similarity.draws.mean(axis=1)
    lower, upper = np.quantile(draws, [0.03, 0.97], axis=0)
    np.testing.assert_allclose(similarity.lower, lower, atol=1e-6)
    np.testing.assert_allclose(similarity.upper, upper, atol=1e-6)
    np.testing.assert_allclose(similarity.corrected, draws.mean(axis=0, dtype=float), atol=1e-6)
    assert similarity.lower.loc["a", "b"] > 0.8
    assert similarity.upper.loc["a", "c"] < -0.8


def test_cases_are_shown_and_not_averaged():
    study = pdx.simulate(3000, schema=SMALL, judges=2, random_seed=1)
    both = pdx.dissect(study.data, by="both", engine="ep", random_seed=0).similarity()
    scenarios = [g for g, kind in both.kinds.items() if kind == "scenario"]
    assert len(both.by_group) > len(scenarios) > 0
    mean = np.mean([both.by_group[g] for g in scenarios], axis=0)
    np.testing.assert_allclose(both.overall, mean, atol=1e-12)


def test_with_cases_only_there_is_no_overall():
    study = pdx.simulate(3000, schema=SMALL, judges=2, random_seed=1)
    cases = pdx.dissect(study.data, by="case", engine="ep", random_seed=0).similarity()
    with pytest.raises(OptionError, match="cases only"):
        _ = cases.overall
    assert set(cases.to_frame()["group"]) == set(cases.groups)
    assert "caution" in repr(cases) or "JudgeSimilarity" in repr(cases)


def test_to_frame_has_one_row_per_group_and_pair(similarity):
    table = similarity.to_frame(ceiling=True)
    assert list(table["group"].unique()) == ["overall", "Code", "Advice"]
    assert len(table) == 3 * 3
    row = table.set_index(["group", "judge_a", "judge_b"]).loc["overall", "a", "c"]
    assert row["similarity"] == similarity.overall.loc["a", "c"]
    assert row["upper"] == similarity.upper.loc["a", "c"]
    assert row["ceiling_b"] == similarity.ceiling.loc["c", "overall"]
    assert row["n"] == 1600
    assert table.attrs["interval"] == 0.94


def test_agreement_and_kappa_by_hand(study, similarity):
    labels = study.data.labels
    table = similarity.agreement().set_index(["group", "judge_a", "judge_b"])
    both = (labels["a"] == labels["c"]).mean()
    pa, pc = labels["a"].mean(), labels["c"].mean()
    chance = pa * pc + (1 - pa) * (1 - pc)
    row = table.loc["overall", "a", "c"]
    assert row["agreement"] == pytest.approx(both)
    assert row["kappa"] == pytest.approx((both - chance) / (1 - chance))
    assert row["kappa"] < 0 < table.loc["overall", "a", "b"]["kappa"]


def test_undecided_pairs_are_counted_and_take_no_part():
    table = pd.DataFrame(
        {
            "clear_a": [3, 1, 2, 3, 1] * 4,
            "clear_b": [1, 2, 1, 1, 2] * 4,
            "judge_x": ["A", "B", "A", "tie", "A"] * 4,
            "judge_y": ["A", "B", "B", "A", "A"] * 4,
        }
    )
    found = pdx.dissect(table, ties="half", engine="ep", random_seed=0).agreement()
    assert found[["n", "n_undecided", "agreement"]].iloc[0].tolist() == [16, 4, 0.75]
    assert list(found["group"]) == ["overall"]


def test_closer_counts_draws(similarity):
    assert similarity.closer(to="a", a="b", b="c") == 1.0
    assert similarity.closer(to="a", a="c", b="b") == 0.0
    draws = similarity.draws[:, 0]
    expected = (draws[:, 2, 0] > draws[:, 2, 1]).mean()
    assert similarity.closer(to="c", a="a", b="b", group="Code") == pytest.approx(expected)


def test_the_ceiling_falls_with_noise_and_nears_one_without():
    """Of one judge in three sizes of study: ceilings of 20 replicates have an error of about 0.03 at 200 pairs."""
    ceilings = []
    for n in (200, 2000, 20_000):
        study = pdx.simulate(n, judges=["a", "b"], scenarios=None, random_seed=0)
        ceilings.append(pdx.dissect(study.data, engine="ep", random_seed=0).similarity().ceiling.loc["a", "overall"])
    assert ceilings[0] < 0.6 < ceilings[1] < ceilings[2]
    assert ceilings[2] > 0.95


def test_the_ceiling_is_what_refitting_by_hand_gives():
    """Replicates by the public door: weights drawn, two sets of labels, two dissections, correlated.

    The medians of 20 and of 40 replicates have errors of about 0.05 and 0.035; 0.2 is more than 3 of both together.
    """
    study = pdx.simulate(300, judges=["a", "b"], scenarios=None, random_seed=3)
    result = pdx.dissect(study.data, position=False, engine="ep", random_seed=0)
    fit, x = result.fitted.fits["a", "all"], result.design.x
    rng, found = np.random.default_rng(0), []
    for _ in range(40):
        w = rng.multivariate_normal(fit.mean, fit.cov)
        frame = pd.DataFrame(x, columns=[f"p{k}" for k in range(29)])
        table = pd.concat([frame.add_suffix("_a"), (0 * frame).add_suffix("_b")], axis=1)
        for name in ("one", "two"):
            table[f"judge_{name}"] = np.where(rng.random(len(x)) < expit(x @ w), "A", "B")
        refits = pdx.dissect(table, engine="ep", draws=4, random_seed=0).fitted.stack("mean")[:, 0]
        found.append(np.corrcoef(refits)[0, 1])
    assert result.similarity().ceiling.loc["a", "overall"] == pytest.approx(np.median(found), abs=0.2)


def test_a_tree_is_scipys_and_cuts_into_as_many_clusters_as_asked():
    rng = np.random.default_rng(2)
    points = rng.normal(0, 1, (7, 2))
    distance = np.linalg.norm(points[:, None] - points, axis=2)
    judges = list("abcdefg")
    tree = hierarchy.linkage(distance[np.triu_indices(7, 1)], "average", optimal_ordering=True)
    for k in range(1, 8):
        found = cluster_judges(distance, judges, k=k)
        assert found.k == k
        theirs = hierarchy.cut_tree(tree, k)[:, 0]
        ours = found.labels.reindex(judges).to_numpy()
        np.testing.assert_array_equal(ours[:, None] == ours, theirs[:, None] == theirs)
    assert list(found.judges) == [judges[i] for i in hierarchy.leaves_list(tree)]
    np.testing.assert_allclose(found.linkage, tree)


def test_support_counts_the_draws_that_have_a_branch():
    """Three judges; a and b are nearest in 3 of 4 draws, b and c in the other."""
    near = np.array([[0, 0.1, 0.8], [0.1, 0, 0.9], [0.8, 0.9, 0]])
    other = np.array([[0, 0.8, 0.9], [0.8, 0, 0.1], [0.9, 0.1, 0]])
    found = cluster_judges(near, ["a", "b", "c"], np.array([near, near, other, near], dtype=np.float32), k=2)
    support = found.support.set_index("judges")["support"].to_dict()
    assert {frozenset(k): v for k, v in support.items()} == {frozenset("ab"): 0.75, frozenset("abc"): 1.0}
    assert found.together.loc["a", "b"] == 0.75
    assert found.together.loc["b", "c"] == 0.25
    assert found.together.loc["a", "c"] == 0.0
    assert "in 75% of draws" in repr(found)


def test_clusters_of_a_result_put_the_twins_together(similarity):
    found = similarity.clusters(2)
    assert found.labels["a"] == found.labels["b"] != found.labels["c"]
    assert found.support["support"].min() == 1.0
    assert similarity.clusters(height=0.5).k == 2


def brute_p_value(points: np.ndarray, classes: list[str], strata: list[str]) -> tuple[float, float]:
    """Return the difference and its p-value over every permutation of judges inside strata."""
    upper = np.triu_indices(len(classes), 1)

    def difference(labels: tuple[str, ...]) -> float:
        same = np.array([labels[i] == labels[j] for i, j in zip(*upper, strict=True)])
        return points[upper][same].mean() - points[upper][~same].mean()

    observed, every = difference(tuple(classes)), []
    for order in itertools.permutations(range(len(classes))):
        if all(strata[i] == strata[j] for i, j in enumerate(order)):
            every.append(difference(tuple(classes[i] for i in order)))
    return observed, np.mean(np.array(every) >= observed - 1e-12)


@pytest.mark.parametrize("strata", ["xxxxxx", "xxxyyy"])
def test_the_grouping_test_is_that_of_all_permutations(strata, monkeypatch):
    """Exactly where all are taken; drawn, 20,000 of them leave an error of 0.0035 at most, and 0.014 is 4 of these."""
    rng = np.random.default_rng(4)
    points = rng.uniform(0, 1, (6, 6))
    points = (points + points.T) / 2
    classes = list("ppqqqp")
    points[np.ix_([0, 1], [0, 1])] += 0.3
    of, within = (dict(zip("abcdef", labels, strict=True)) for labels in (classes, strata))
    found = grouping_test(points, list("abcdef"), of, within=within, permutations=30)
    observed, p_value = brute_p_value(points, classes, list(strata))
    assert found.difference == pytest.approx(observed)
    assert found.p_value == pytest.approx(p_value)
    assert found.permutations == {"xxxxxx": 19, "xxxyyy": 8}[strata]
    monkeypatch.setattr(grouping, "_count_arrangements", lambda code, strata: 10**9)
    drawn = grouping_test(points, list("abcdef"), of, within=within, permutations=20_000)
    assert not drawn.exact
    assert drawn.p_value == pytest.approx(p_value, abs=0.014)
    rows = found.table.set_index(["class_a", "class_b"])
    assert rows.loc["p", "p"]["similarity"] == pytest.approx(points[[0, 0, 1], [1, 5, 5]].mean())
    assert rows["n"].sum() == 15


def test_judges_without_a_class_are_left_out_and_named(similarity):
    test = similarity.grouping({"a": "x", "b": "x", "c": "y"}, permutations=99)
    assert test.left_out == ()
    assert test.lower > 0
    assert "within minus between" in repr(test)
    points = np.eye(4)
    test = grouping_test(points, list("abcd"), pd.Series({"a": "x", "b": "x", "c": "y", "d": None}), permutations=9)
    assert test.left_out == ("d",)


def test_a_contrast_by_hand(result):
    table = result.contrast("a", "c", group="Code").set_index("property")
    first, second = (result.fitted.fits[judge, "Code"] for judge in ("a", "c"))
    k, name = 0, result.properties[0]  # of weights 1 and -1
    assert table.loc[name, "difference"] == pytest.approx(first.mean[k] - second.mean[k])
    assert table.loc[name, "prob_positive"] == 1.0
    gain = (first.draws - second.draws)[..., k].ravel()
    assert table.loc[name, "lower"] == pytest.approx(np.quantile(gain, 0.03), abs=1e-6)
    chance = expit(first.mean[k]) - expit(second.mean[k])
    assert table.loc[name, "probability_difference"] == pytest.approx(chance)
    assert table["difference"].abs().is_monotonic_decreasing
    overall = result.contrast("a", "c").set_index("property")
    means = [result.fitted.fits[j, g].mean[k] for j, g in itertools.product("ac", ["Code", "Advice"])]
    assert overall.loc[name, "difference"] == pytest.approx((means[0] + means[1] - means[2] - means[3]) / 2)


def test_a_contrast_of_two_groups_of_one_judge(result):
    table = result.contrast("Code", "Advice", judge="a").set_index("property")
    fits = [result.fitted.fits["a", group] for group in ("Code", "Advice")]
    k = result.properties.index("polite")
    assert table.loc["polite", "difference"] == pytest.approx(fits[0].mean[k] - fits[1].mean[k])


def test_disagreements_are_sorted_and_explained(result):
    table = result.disagreements("a", "c", 7)
    assert len(table) == 7
    assert table["difference"].abs().is_monotonic_decreasing
    first = table.iloc[0]
    row = list(result.design.pair_ids).index(first["pair_id"])
    x = result.design.x[row]
    fits = [result.fitted.fits[judge, first["group"]] for judge in ("a", "c")]
    assert first["probability_a"] == pytest.approx(expit(x @ fits[0].mean))
    every = [
        abs(
            expit(result.design.x @ result.fitted.fits["a", g].mean)
            - expit(result.design.x @ result.fitted.fits["c", g].mean)
        )[result.design.in_group[:, i]].max()
        for i, g in enumerate(result.groups)
    ]
    assert abs(first["difference"]) == pytest.approx(max(every))
    moved = x * (fits[0].mean - fits[1].mean) * np.sign(first["difference"])
    best = result.design.encoder.schema.labels[int(np.argmax(moved))]
    assert first["because"].startswith(f"{best} ")
    assert set(table["label_a"]) <= {0.0, 1.0}


def test_saved_and_loaded_the_similarity_is_the_same(result, similarity, tmp_path):
    again = pdx.Dissection.load(result.save(tmp_path / "run.nc")).similarity()
    pd.testing.assert_frame_equal(again.to_frame(ceiling=True), similarity.to_frame(ceiling=True))


def test_groups_choose_what_is_averaged(result, similarity):
    code = result.similarity(groups=["Code"])
    pd.testing.assert_frame_equal(code.overall, similarity.by_group["Code"])
    pd.testing.assert_frame_equal(result.similarity(groups=["Advice", "Code"]).overall, similarity.overall)


def test_judges_can_be_chosen_and_turned_round(similarity):
    turned = similarity.sel(judge=["c", "a"])
    assert list(turned.overall) == ["c", "a"]
    assert turned.overall.loc["c", "a"] == similarity.overall.loc["a", "c"]
    assert similarity.sel(group="Code").groups == ("Code",)
    row = turned.to_frame(ceiling=True).iloc[0]
    assert (row["judge_a"], row["judge_b"], row["n"]) == ("c", "a", 1600)
    assert row["ceiling_a"] == similarity.ceiling.loc["c", "overall"]


def test_a_missing_fit_is_nan_and_skipna_averages_the_rest():
    study = pdx.simulate(600, schema=SMALL, judges=["a", "b", "c"], scenarios=["Code", "Advice"], random_seed=2)
    verdicts = study.data.verdicts
    in_code = study.data.groups.index[study.data.groups["Code"]]
    dropped = (verdicts["judge"] == "b") & verdicts["pair_id"].isin(in_code)
    data = pdx.PreferenceData(**{**study.data.__dict__, "verdicts": verdicts[~dropped]})
    result = pdx.dissect(data, engine="ep", random_seed=0)
    strict, lenient = result.similarity(), result.similarity(skipna=True)
    assert np.isnan(strict.overall.loc["a", "b"])
    assert np.isnan(strict.lower.loc["a", "b"])
    assert np.isfinite(strict.overall.loc["a", "c"])
    assert lenient.overall.loc["a", "b"] == lenient.by_group["Advice"].loc["a", "b"]
    assert np.isfinite(lenient.upper.loc["a", "b"])
    assert strict.notes == (
        "in 1 of 2 scenarios a judge has no fit (too few pairs): overall values of a judge are NaN where it lacks one; "
        "skipna=True averages over those that two judges share",
    )
    assert lenient.notes[0].endswith("two judges are compared in the others")
    with pytest.raises(DataError, match="'a' and 'b' is not known"):
        strict.clusters()
    with pytest.raises(DataError, match="no fit in group 'Code'.*groups with fits of both sides: Advice; name one"):
        result.contrast("a", "b")
    assert np.isnan(strict.closer(to="a", a="b", b="c"))


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda r: r.sel(judge="a").similarity(), DataError, "'a' is the only one here"),
        (lambda r: r.similarity("cosine"), OptionError, "pearson"),
        (lambda r: r.similarity(groups=["Cde"]), UnknownNameError, "Code"),
        (lambda r: r.similarity().closer(to="a", a="b", b="b"), OptionError, "three judges"),
        (lambda r: r.similarity().closer(to="a", a="b", b="d"), UnknownNameError, "unknown judge 'd'"),
        (lambda r: r.similarity().clusters(5), OptionError, "k=5 clusters of 3"),
        (lambda r: r.similarity().clusters(2, height=0.1), OptionError, "not both"),
        (lambda r: r.similarity().clusters(0), OptionError, "k=0"),
        (lambda r: r.similarity().clusters(linkage="median"), OptionError, "average"),
        (lambda r: r.similarity().grouping({"z": "x"}), UnknownNameError, "names none of the judges"),
        (lambda r: r.similarity().grouping({"a": "x", "b": "y", "c": "z"}), DataError, "two judges of one class"),
        (lambda r: r.similarity().grouping({"a": "x", "b": "x", "c": "x"}), DataError, "two classes"),
        (lambda r: r.similarity().grouping(["x"]), OptionError, "a dict or a Series does, and is a list"),
        (
            lambda r: r.similarity().grouping(pdx.judge_table()),
            OptionError,
            "is a DataFrame; of a table take one column",
        ),
        (lambda r: r.place_among("paper"), OptionError, "load it first"),
        (lambda r: r.contrast("a", "a"), OptionError, "two different"),
        (lambda r: r.contrast("a", "d"), UnknownNameError, "unknown judge"),
        (lambda r: r.contrast("Code", "Advice", judge="a", group="Code"), OptionError, "two groups of a judge"),
        (lambda r: r.disagreements("a", "a"), OptionError, "two different"),
        (lambda r: r.disagreements("a", "b", 0), OptionError, "k=0"),
        (lambda r: r.to_reference("x.json"), OptionError, "judge=None"),
    ],
)
def test_bad_input_is_one_clear_error(result, call, error, said):
    with pytest.raises(error, match=said):
        call(result)


def test_judges_without_a_common_group_are_refused():
    study = pdx.simulate(400, schema=SMALL, judges=["a", "b"], scenarios=["Code", "Advice"], random_seed=2)
    verdicts, groups = study.data.verdicts, study.data.groups
    mine = {"a": groups.index[groups["Code"]], "b": groups.index[groups["Advice"]]}
    kept = [row.pair_id in mine[row.judge] for row in verdicts.itertuples()]
    data = pdx.PreferenceData(**{**study.data.__dict__, "verdicts": verdicts[kept]})
    with pytest.raises(DataError, match="no two judges have a fit in a common group"):
        pdx.dissect(data, engine="ep", random_seed=0).similarity()


def test_weights_per_unit_of_different_ratings_are_warned_of():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"clear_a": rng.integers(0, 4, 80), "clear_b": rng.integers(0, 4, 80)})
    table["lengthy_a"], table["lengthy_b"] = rng.integers(10, 500, (2, 80))
    table["judge_x"], table["judge_y"] = rng.choice(["A", "B"], (2, 80))
    result = pdx.dissect(table, encoding="diff", schema=pdx.PAPER, engine="ep", random_seed=0)
    with pytest.warns(pdx.PrefDissectWarning, match="per unit of each rating"):
        result.similarity()


@pytest.mark.parametrize(
    ("properties", "said"), [(["clear"], "one property is NaN"), (["clear", "novel"], "is 1 or -1")]
)
def test_too_few_properties_are_said(properties, said):
    study = pdx.simulate(200, schema=pdx.PAPER.select(properties), judges=2, scenarios=None, random_seed=0)
    result = pdx.dissect(study.data, engine="ep", random_seed=0)
    assert said in result.similarity().notes[0]
    assert result.similarity("l1").notes == ()


def test_little_signal_is_said():
    """100 pairs of weights from the prior: more noise than weights, as the text says."""
    study = pdx.simulate(100, judges=2, scenarios=None, random_seed=0)
    assert "caution: in 2 of 2 fits" in repr(pdx.dissect(study.data, engine="ep", random_seed=0).similarity())


def test_much_signal_is_not_warned_of(similarity):
    assert "caution" not in repr(similarity)
    assert "corrected" in repr(similarity)


def test_the_caution_says_what_was_simulated():
    """Its figures, and those of the page on similarity, are those of the page that the simulations wrote."""
    page = (DOCS / "reference" / "similarity-coverage.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("| ")
    ]
    cover = {
        (r[0], r[1], r[2]): float(r[3].rstrip("%"))
        for r in rows
        if r[0] in ("released", "Laplace(0.1)") and "%" in r[3]
    }
    assert len(cover) == 12
    hardest = {truth: cover.pop(("Laplace(0.1)", "400", truth)) for truth in ("0.3", "0.6", "0.9")}
    assert all(abs(share - 94) <= 3 for share in cover.values())
    assert [round(share) for share in hardest.values()] == [98, 98, 92]
    itself = {(r[0], r[1]): r[5] for r in rows if len(r) == 7}
    assert itself["Laplace(0.1)", "400"] == "0.49"
    for text in (describe._CAUTION, (DOCS / "explanation" / "similarity.md").read_text(encoding="utf-8")):
        assert "98%" in text
        assert "92%" in text
