"""Figures: the numbers drawn are those of the tables, names are all there and do not overlap, nothing is shown."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import prefdissect as pdx
from benchmark_worlds import play
from prefdissect import plots
from prefdissect.cli import app
from prefdissect.errors import DataError, OptionError, UnknownNameError

pytestmark = pytest.mark.lane("newer")


@pytest.fixture(scope="module")
def result() -> pdx.Dissection:
    """Return a study of the paper's size in judges, groups and properties."""
    study = pdx.simulate(2400, judges=33, scenarios=["Code", "Advice", "Creative Writing"], random_seed=0)
    return pdx.dissect(study.data, engine="ep", random_seed=0)


def rows_of(ax: object) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def points(ax: object, label: str) -> np.ndarray:
    (line,) = (one for one in ax.lines if one.get_label() == label)
    return np.column_stack([line.get_xdata(), line.get_ydata()]).astype(float)


def segments(ax: object) -> np.ndarray:
    """Return the ends of all horizontal intervals, [interval, (low, high)]."""
    found = [path[:, 0] for one in ax.collections for path in one.get_segments()]
    return np.sort(np.array(found), axis=1)


def assert_readable(ax: object) -> None:
    """Every tick label that is in view is inside the figure, and no two neighbours overlap."""
    figure = ax.figure
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    whole = figure.bbox
    for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, sorted(ax.get_ylim()))):
        at = zip(axis.get_ticklabels(), axis.get_ticklocs(), strict=True)
        shown = [one.get_window_extent(renderer) for one, where in at if low <= where <= high and one.get_text()]
        for box in shown:
            assert box.x0 >= whole.x0 - 1
            assert box.x1 <= whole.x1 + 1
            assert box.y0 >= whole.y0 - 1
            assert box.y1 <= whole.y1 + 1
        assert not any(a.overlaps(b) for a, b in itertools.pairwise(shown))


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("group", [None, "Advice"])
def test_probabilities_are_those_of_the_table(result, n, group):
    some = result.sel(judge=result.judges[:n])
    ax = some.plot(group=group)
    names = rows_of(ax)
    assert sorted(names) == sorted(result.data.schema.labels)
    for judge in some.judges:
        if group is None:
            expected = some.overall().query("judge == @judge").set_index("label")
            value, low = expected["probability"], expected["lower"]
        else:
            expected = some.weights.query("judge == @judge and group == @group").set_index("label")
            value, low = expected["probability"], 1 / (1 + np.exp(-expected["lower"]))
        drawn = points(ax, judge)
        np.testing.assert_allclose(drawn[:, 0], value.loc[[names[round(y)] for y in drawn[:, 1]]])
        assert np.isin(low.round(12), segments(ax)[:, 0].round(12)).all()
    assert_readable(ax)
    assert ax.get_figure() is ax.figure


def test_of_33_judges_each_is_a_dot_and_the_median_a_tick(result):
    ax = result.plot()
    table = result.overall()
    drawn = points(ax, "median of 33")
    median = table.groupby("label")["probability"].median()
    np.testing.assert_allclose(drawn[:, 0], median.loc[rows_of(ax)])
    assert sum(len(line.get_xdata()) for line in ax.lines) >= 33 * 29
    assert_readable(ax)


def test_a_forest_of_one_judge_or_one_group(result):
    ax = result.plot("forest", judge="judge2")
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["Code", "Advice", "Creative Writing"]
    expected = result.weights.query("judge == 'judge2' and group == 'Code'").set_index("label")["mean"]
    drawn = points(ax, "Code")
    np.testing.assert_allclose(drawn[:, 0], expected.loc[[rows_of(ax)[round(y)] for y in drawn[:, 1]]])
    assert_readable(ax)
    assert_readable(result.plot("forest", judge=["judge1", "judge2"], group="Code", wide=True))
    with pytest.raises(OptionError, match="one judge, or one group"):
        result.plot("forest")


@pytest.mark.parametrize(("kind", "judge"), [("judges", None), ("groups", "judge5")])
def test_heat_maps_hold_the_numbers(result, kind, judge):
    ax = result.plot(kind, judge=judge)
    table = result.overall() if kind == "judges" else result.weights.query("judge == @judge")
    column = "judge" if kind == "judges" else "group"
    (image,) = ax.images
    names = [label.get_text() for label in ax.get_xticklabels()]
    expected = table.pivot(index="label", columns=column, values="probability").loc[rows_of(ax), names]
    np.testing.assert_allclose(image.get_array(), expected)
    if kind == "groups":
        assert [t.get_text() for t in ax.texts][:3] == [f"{100 * p:.0f}" for p in expected.iloc[0]]
    assert_readable(ax)


@pytest.fixture(scope="module")
def of_all(result) -> pdx.JudgeSimilarity:
    """The similarities of all 33 judges, which take half a minute."""
    return result.similarity()


@pytest.mark.parametrize("n", [2, 4, 33])
def test_similarities_stand_in_the_order_of_the_tree(result, n, request):
    similarity = request.getfixturevalue("of_all") if n == 33 else result.sel(judge=result.judges[:n]).similarity()
    ax = similarity.plot()
    names = rows_of(ax)
    assert names == [label.get_text() for label in ax.get_xticklabels()]
    square = ax.images[0].get_array()
    np.testing.assert_allclose(np.diagonal(square), 1.0)
    off = ~np.eye(n, dtype=bool)
    np.testing.assert_allclose(square[off], similarity.corrected.loc[names, names].to_numpy()[off], rtol=1e-6)
    if n > 2:
        clusters = similarity.clusters()
        assert names == list(clusters.judges)
        (tree,) = ax.child_axes
        heights = sorted(max(line.get_ydata()) for line in tree.lines)
        np.testing.assert_allclose(heights, np.sort(clusters.linkage[:, 2]))
        for line, row in zip(tree.lines, clusters.linkage, strict=True):  # a branch stands over its leaves
            assert line.get_ydata()[1] == row[2]
    if n == 4:
        low = similarity.lower.loc[names[0], names[1]]
        assert f"{low:.2f} to" in ax.texts[1].get_text()
    assert_readable(ax)


def test_the_tree_joins_what_the_linkage_joins(result):
    """The leaves under each branch, as drawn, are the judges of that branch in the table of supports."""
    clusters = result.sel(judge=result.judges[:6]).similarity().clusters()
    from prefdissect.compare.drawing import number_leaves

    linkage, under = number_leaves(clusters), {i: {name} for i, name in enumerate(clusters.judges)}
    for step, (a, b, *_) in enumerate(linkage):
        under[6 + step] = under[int(a)] | under[int(b)]
        assert under[6 + step] == set(clusters.support["judges"].iloc[step])
        at = [clusters.judges.index(name) for name in under[6 + step]]
        assert max(at) - min(at) == len(at) - 1


def test_ceilings_stand_beside_similarities(result):
    similarity = result.sel(judge=result.judges[:3]).similarity()
    ax = similarity.plot_ceiling(group="Code")
    table = similarity.to_frame(ceiling=True).query("group == 'Code'").sort_values("similarity", ascending=False)
    np.testing.assert_allclose(points(ax, "of posterior means")[:, 0], table["similarity"])
    lower = np.minimum(table["ceiling_a"], table["ceiling_b"])
    np.testing.assert_allclose(points(ax, "lower ceiling of the two")[:, 0], lower)
    np.testing.assert_allclose(np.sort(segments(ax)[:, 0]), np.sort(table["lower"]))
    assert_readable(ax)


def test_of_33_judges_each_has_a_row_with_its_ceiling(of_all):
    similarity = of_all
    ax = similarity.plot_ceiling()
    names = rows_of(ax)
    ceiling = similarity.ceiling["overall"]
    assert names == list(ceiling.sort_values(ascending=False, kind="stable").index)
    np.testing.assert_allclose(points(ax, "own ceiling")[:, 0], ceiling.loc[names])
    drawn = points(ax, "corrected, to each other judge")
    for row in (0, 17, 32):
        mine = np.sort(drawn[np.round(drawn[:, 1]) == row, 0])
        expected = similarity.corrected.loc[names[row]].drop(names[row])
        np.testing.assert_allclose(mine, np.sort(expected), rtol=1e-6)
    assert_readable(ax)
    assert ax.figure.get_size_inches()[0] < similarity.plot_ceiling(wide=True).figure.get_size_inches()[0]


def test_distances_are_drawn_from_their_lowest_to_zero(result):
    similarity = result.sel(judge=result.judges[:3]).similarity("l1")
    ax = similarity.plot()
    (image,) = ax.images
    assert np.diagonal(image.get_array()).tolist() == [0, 0, 0]
    lowest = similarity.corrected.to_numpy()[~np.eye(3, dtype=bool)].min()
    assert image.get_clim() == (pytest.approx(lowest), 0)
    names = rows_of(ax)
    said = [text.get_text() for text in ax.texts if "to" in text.get_text()]
    bounds = (side.loc[names[0], names[1]] for side in (similarity.lower, similarity.upper))
    assert "{:.2f} to {:.2f}".format(*bounds) in said[0]


def test_names_are_drawn_letter_by_letter(result):
    table = result.overall().query("judge in ['judge1', 'judge2']")
    names = {"judge1": r"$\frac$", "judge2": "_hidden"}
    table = table.assign(judge=table["judge"].map(names), label=table["label"] + " $x")
    ax = plots.plot_probabilities(table)
    ax.figure.canvas.draw()
    shown = [text.get_text().replace(r"\$", "$").strip("\u200b") for text in ax.get_legend().get_texts()]
    assert shown == list(names.values())
    plots.plot_heatmap(table).figure.canvas.draw()


def test_heat_maps_are_as_wide_as_asked(result):
    few = result.sel(judge=result.judges[:2])
    widths = [few.plot("judges", wide=wide).figure.get_size_inches()[0] for wide in (False, True)]
    assert widths[0] < widths[1]


def test_a_contrast_is_coloured_where_it_is_sure(result):
    table = result.contrast("judge1", "judge2")
    ax = plots.plot_contrast(table, names=("judge1", "judge2"))
    table = table.set_index("label").loc[rows_of(ax)]
    drawn = [line for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose([float(line.get_xdata()[0]) for line in drawn], table["difference"])
    sure = (table["lower"] > 0) | (table["upper"] < 0)
    assert [line.get_color() != "#B1B8C0" for line in drawn] == sure.tolist()
    assert "more in judge2  |  more in judge1" in ax.get_xlabel()
    assert_readable(ax)


def test_a_waterfall_ends_at_the_probability(result):
    found = result.explain("pair-3", judge="judge1")
    ax = found.plot()
    bars = list(ax.patches)
    assert sum(bar.get_width() for bar in bars) == pytest.approx(found.probability - 0.5)
    assert len(bars) <= 12
    assert bars[0].get_width() == pytest.approx(found.table["shapley"].iloc[0])
    assert bars[0].get_x() == pytest.approx(0.5)
    assert f"{100 * found.probability:.0f}%" in [text.get_text() for text in ax.texts]
    assert rows_of(ax)[0] == found.table["label"].iloc[0]
    assert_readable(ax)


def test_calibration_is_that_of_the_table(result):
    held = result.sel(judge="judge1", group="Code").cross_validate(5)
    ax = held.plot()
    table = held.calibration()
    np.testing.assert_allclose(ax.lines[-1].get_xydata(), table[["predicted", "observed"]])
    assert_readable(ax)


def test_given_axes_are_drawn_on(result):
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    assert result.plot(judge="judge1", ax=ax) is ax


def test_nothing_to_draw_and_unknown_names_are_clear_errors(result):
    with pytest.raises(OptionError, match="kind='pie'"):
        result.plot("pie")
    with pytest.raises(UnknownNameError, match="unknown judge 'nobody'"):
        result.plot(judge="nobody")
    empty = pd.DataFrame({"judge": ["a"], "label": ["x"], "probability": [np.nan], "lower": [0.0], "upper": [0.0]})
    with pytest.raises(DataError, match="nothing is fitted"):
        plots.plot_probabilities(empty)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("probabilities", ["--wide"]),
        ("similarity", ["-j", "judge1", "-j", "judge2", "-j", "judge3"]),
        ("contrast", ["-j", "judge1", "-j", "judge2"]),
        ("pair", ["--pair", "pair-1", "-j", "judge1"]),
        ("calibration", ["-j", "judge1", "--group", "Code"]),
    ],
)
def test_the_command_writes_files(result, tmp_path, kind, options):
    run = result.save(tmp_path / "run.nc")
    for ending, magic in ((".pdf", b"%PDF"), (".png", b"\x89PNG")):
        out = tmp_path / f"figure{ending}"
        done = CliRunner().invoke(app, ["plot", str(run), kind, str(out), *options])
        assert done.exit_code == 0, done.output
        assert out.read_bytes().startswith(magic)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pie", "x.pdf"], "KIND='pie'"),
        (["forest", "x.txt"], "'.txt'"),
        (["contrast", "x.pdf"], "two judges"),
        (["pair", "x.pdf"], "--pair"),
    ],
)
def test_the_command_refuses_in_one_line(result, tmp_path, monkeypatch, arguments, said):
    run = result.save(tmp_path / "run.nc")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["plot", str(run), *arguments])
    assert done.exit_code == 1
    assert said in done.output
    assert len(done.output.splitlines()) == 1


# Audits


def test_gains_leaderboards_rules_and_subsets_are_drawn_as_they_stand():
    table, _ = play(np.array([0.5, 0.0, -0.5]), np.array([-1.0, 0, 1]), n_prompts=300, length_weight=1.0)
    result = pdx.dissect(table, engine="ep", random_seed=0)
    found = result.audit(blind="length")
    board = found.leaderboard
    ax = found.plot("leaderboard")
    assert rows_of(ax) == board["model"].tolist()
    assert points(ax, "as judged")[:, 0] == pytest.approx(100 * board["raw"])
    assert points(ax, "length held equal")[:, 0] == pytest.approx(100 * board["equal"])
    ends = 100 * np.concatenate([board[[f"{name}_lower", f"{name}_upper"]] for name in ("raw", "equal")])
    assert segments(ax) == pytest.approx(ends)
    assert_readable(ax)
    ax = found.plot("rules")
    assert rows_of(ax) == ["more length"]
    assert_readable(ax)
    ax = found.plot("subsets")
    assert points(ax, "best rule")[:, 0] == pytest.approx(100 * found.subsets["best_rule"])
    assert points(ax, "fit, all without the prompt")[:, 0] == pytest.approx(100 * found.subsets["fit"])
    assert_readable(ax)


def test_gains_are_positive_whichever_way_they_come(result):
    guard = result.exploitability("judge1").guard()
    ax = result.exploitability("judge1").plot()
    drawn = np.concatenate([points(ax, "by more of it"), points(ax, "by less of it")])
    drawn = drawn[drawn[:, 1].argsort()]
    assert drawn[:, 0] == pytest.approx(100 * guard["gain"])
    assert rows_of(ax) == guard["label"].tolist()
    bounds = np.where(guard[["change"]] >= 0, guard[["lower", "upper"]], -guard[["upper", "lower"]])
    assert segments(ax) == pytest.approx(100 * bounds)
    assert_readable(ax)
    with pytest.raises(DataError, match="nothing is fitted"):
        plots.plot_exploitability(guard.assign(change=np.nan))
