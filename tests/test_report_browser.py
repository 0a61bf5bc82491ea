"""The page in a browser: every control, and numbers that are those of Python."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser
from scipy.special import expit

import prefdissect as pdx
from browser import Shown, chromium, opened
from test_report import HOSTILE, hostile_study

pytestmark = pytest.mark.lane("newer")

PRIOR_SD = 0.1 * np.sqrt(2)  # of the default, Laplace(0.1)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def hanna(data_dir: Path) -> pdx.Dissection:
    data = pdx.load(data_dir / "hanna" / "pairs_engagement.parquet")
    return pdx.dissect(data, judge=data.judges[:5], engine="ep", draws=250, random_seed=0)


@pytest.fixture(scope="module")
def arena(data_dir: Path) -> pdx.Dissection:
    return pdx.dissect(data_dir / "arena_llama3" / "pairs.parquet", engine="ep", draws=250, random_seed=0)


@pytest.fixture(scope="module")
def of_hanna(hanna: pdx.Dissection, browser: Browser, folder: Path) -> Iterator[Shown]:
    with opened(browser, hanna.report(folder / "hanna.html")) as shown:
        yield shown


@pytest.fixture(scope="module")
def of_arena(arena: pdx.Dissection, browser: Browser, folder: Path) -> Iterator[Shown]:
    with opened(browser, arena.report(folder / "arena.html", texts=True)) as shown:
        yield shown


def same(found: float, expected: float) -> bool:
    return found == pytest.approx(expected, rel=1e-5, abs=1e-6)


# Properties


@pytest.mark.parametrize("show", ["probability", "weight", "rank"])
def test_points_are_the_weights(of_hanna: Shown, hanna: pdx.Dissection, show: str) -> None:
    judges = hanna.judges[1:3]
    of_hanna.go(section="properties", judge=judges, show=show)
    table = hanna.weights.set_index(["judge", "property"])
    drawn = of_hanna.numbers("#body > .figure .point", "row", "judge", "value", "lower", "upper")
    assert len(drawn) == len(judges) * len(hanna.properties)
    for prop, judge, *found in drawn:
        row = table.loc[(judge, prop)]
        if show == "rank":
            assert found[0] == (table.loc[judge]["mean"] > row["mean"]).sum() + 1
            assert found[1] <= found[0] <= found[2]
        else:
            turn = expit if show == "probability" else float
            assert np.allclose(found, [turn(row[name]) for name in ("mean", "lower", "upper")], rtol=1e-5)


def test_every_control_of_properties(of_hanna: Shown, hanna: pdx.Dissection) -> None:
    page = of_hanna.page
    of_hanna.go(section="properties")
    page.get_by_label("weight", exact=True).check()
    assert "show=weight" in of_hanna.view
    page.get_by_label("heat map by judge").check()
    assert of_hanna.find(".cell").count() == 3 * len(hanna.properties)
    page.locator("details.several > summary").click()
    page.locator(".several-box").get_by_role("button", name="none").click()
    assert "Choose at least one judge" in page.inner_text("#body")
    page.locator(".several-box").get_by_role("button", name="all").click()
    assert of_hanna.find(".cell").count() == 5 * len(hanna.properties)
    page.locator(".boxes input").nth(4).uncheck()
    assert of_hanna.find(".cell").count() == 4 * len(hanna.properties)
    table = hanna.weights.set_index(["judge", "property"])["mean"]
    for prop, judge, value in of_hanna.numbers(".cell", "row", "column", "value"):
        assert same(value, table[judge, prop])
    page.keyboard.press("Escape")
    of_hanna.go(section="properties", judge=hanna.judges[:2], chart="groups", show="weight")
    for prop, _, value in of_hanna.numbers(".cell", "row", "column", "value"):
        assert same(value, table[hanna.judges[0], prop])
    of_hanna.go(section="properties", judge=hanna.judges[:2])
    names = [row for (row,) in of_hanna.numbers("#body > .figure .point", "row")][::2]
    values = expit(table.loc[hanna.judges[:2]].to_numpy().reshape(2, -1)).mean(axis=0)
    assert names == [hanna.properties[k] for k in np.argsort(-values, kind="stable")]
    page.get_by_label("Order").select_option("schema")
    assert [row for (row,) in of_hanna.numbers("#body > .figure .point", "row")][::2] == hanna.properties
    page.get_by_label("Order").select_option("spread")
    page.get_by_label("Order").select_option("name")
    page.get_by_label("94% intervals").uncheck()
    assert of_hanna.find("#body > .figure .point > line").count() == 0


def test_a_property_tells_its_definition_and_its_pairs(of_hanna: Shown, hanna: pdx.Dissection) -> None:
    judge, prop = hanna.judges[0], hanna.properties[0]
    of_hanna.go(section="properties", judge=judge)
    of_hanna.find(f'#body [role=button][data-key="{prop}"]').focus()
    of_hanna.page.keyboard.press("Enter")
    panel = of_hanna.find("#property")
    assert panel.get_attribute("data-property") == prop
    expected = hanna.telling(prop, 10, judge)
    shown = panel.locator("tbody tr").evaluate_all("rows => rows.map(row => row.dataset.key)")
    found = panel.locator("tbody tr").evaluate_all("rows => rows.map(r => r.children[4].textContent)")
    # Of pairs that show it equally well either may stand first, as the page has 7 digits: the values are the same.
    assert [f"{abs(float(text.replace('−', '-'))):.3f}" for text in found] == [
        f"{v:.3f}" for v in expected["shapley"].abs()
    ]
    panel.locator("tbody button").first.click()
    assert of_hanna.find("#pair").get_attribute("data-pair") == shown[0]


def test_tables_and_downloads(of_hanna: Shown, hanna: pdx.Dissection, tmp_path: Path) -> None:
    of_hanna.go(section="properties", judge=hanna.judges[0])
    of_hanna.page.get_by_text("The numbers, as a table").click()
    with of_hanna.page.expect_download() as waited:
        of_hanna.page.get_by_role("button", name="Save all weights (CSV)").click()
    waited.value.save_as(tmp_path / "weights.csv")
    saved = pd.read_csv(tmp_path / "weights.csv").set_index(["judge", "group", "property"])
    ours = hanna.weights.set_index(["judge", "group", "property"])
    for name in ("mean", "sd", "lower", "upper", "probability", "n_pairs"):
        np.testing.assert_allclose(saved[name], ours.loc[saved.index, name], rtol=2e-6)
    with of_hanna.page.expect_download() as waited:
        of_hanna.page.get_by_role("button", name="Save figure (SVG)").first.click()
    waited.value.save_as(tmp_path / "figure.svg")
    assert (tmp_path / "figure.svg").read_text(encoding="utf-8").startswith("<svg")


# Judges


@pytest.mark.parametrize("measure", ["pearson", "spearman", "l1", "l2"])
@pytest.mark.parametrize("value", ["corrected", "similarity"])
def test_the_matrix_is_the_similarity(of_hanna: Shown, hanna: pdx.Dissection, measure: str, value: str) -> None:
    of_hanna.go(section="judges", measure=measure, value=value)
    similarity = hanna.similarity(measure)
    table = {"corrected": similarity.corrected, "similarity": similarity.overall}[value]
    cells = of_hanna.numbers(".cell", "row", "column", "value", "lower", "upper")
    assert len(cells) == len(hanna.judges) ** 2
    for a, b, *found in cells:
        if a == b:
            assert same(found[0], similarity.ceiling.loc[a].iloc[0])
        else:
            assert np.allclose(found, [f.loc[a, b] for f in (table, similarity.lower, similarity.upper)], rtol=1e-5)


def test_the_tree_is_that_of_python(of_hanna: Shown, hanna: pdx.Dissection) -> None:
    of_hanna.go(section="judges", clusters="2")
    ours = hanna.similarity().clusters(2)
    drawn = of_hanna.numbers(".branch", "height", "support")
    assert np.allclose([height for height, _ in drawn], ours.linkage[:, 2], rtol=1e-5)
    # 100 of the draws, which are 1,000 in Python: a share of 1/2 has a standard error of 0.05, and 4 of them are enough
    assert np.allclose([support for _, support in drawn], ours.support["support"], atol=0.2)
    shown = of_hanna.find("#judges .scroll svg > text > title").all_text_contents()
    clusters = {name[:-4]: name[-2] for name in shown if name.endswith(")")}
    both = pd.DataFrame({"page": pd.Series(clusters), "python": ours.labels})
    assert both.groupby("page")["python"].nunique().eq(1).all()
    assert both["page"].nunique() == 2


def test_every_control_of_judges(of_hanna: Shown, hanna: pdx.Dissection) -> None:
    page, judges = of_hanna.page, hanna.judges
    of_hanna.go(section="judges")
    of_hanna.control("set").select_option("chosen")
    page.locator("details.several > summary").click()
    page.locator(".boxes input").nth(0).uncheck()
    assert of_hanna.find(".cell").count() == 16
    page.locator(".several-box").get_by_role("button", name="none").click()
    assert "at least two" in page.inner_text("#body")
    of_hanna.go(section="judges", set="chosen", among=judges[:2])
    (one,) = [row for row in of_hanna.numbers(".cell", "row", "column", "value") if row[:2] == (judges[0], judges[1])]
    assert same(one[2], hanna.similarity().corrected.loc[judges[0], judges[1]])
    of_hanna.find(f'.cell[data-row="{judges[0]}"][data-column="{judges[1]}"]').click()
    told = page.inner_text("#chosen-cell")
    agreement = hanna.agreement().set_index(["judge_a", "judge_b"]).loc[(judges[0], judges[1])]
    assert f"kappa {agreement['kappa']:.2f}" in told.replace("−", "-")
    assert "ceilings" in told
    of_hanna.go(section="judges")
    page.get_by_label("Of", exact=True).select_option(judges[3])
    corrected = hanna.similarity().corrected.loc[judges[3]].drop(judges[3]).sort_values(ascending=False)
    near = of_hanna.numbers(".point", "row", "value")
    assert [name.removeprefix("near:") for name, _ in near] == list(corrected.index)
    assert np.allclose([value for _, value in near], corrected, rtol=1e-5)


def test_released_judges_stand_beside(hanna: pdx.Dissection, browser: Browser, folder: Path) -> None:
    study = pdx.simulate(600, judges=["me", "you"], scenarios=["Code", "Advice"], random_seed=0)
    result = pdx.dissect(study.data, engine="ep", draws=200, random_seed=0)
    weight = np.random.default_rng(0).normal(0, 0.2, (3, 2, 29))
    kinds = {"Code": "scenario", "Advice": "scenario"}
    released = pdx.ReferenceWeights("mine", ("a", "b", "you"), ("Code", "Advice"), kinds, pdx.PAPER.ids, weight)
    place = result.place_among(released)
    with opened(browser, result.report(folder / "released.html", reference=released)) as shown:
        shown.go(section="judges", set="all", value="similarity")
        cells = {(a, b): value for a, b, value in shown.numbers(".cell", "row", "column", "value")}
        assert len(cells) == 25
        for row in place.itertuples():
            name = f"{row.reference} (released)" if row.reference == "you" else row.reference
            assert same(cells[row.judge, name], row.similarity)


# Pairs


def test_waterfalls_are_explanations(of_hanna: Shown, hanna: pdx.Dissection) -> None:
    for pair in hanna.data.pairs.index[[0, 7, 1000, 5279]]:
        for judge in hanna.judges[:2]:
            of_hanna.go(section="pairs", pair=pair, by=judge)
            ours = hanna.explain(pair, judge)
            assert same(float(of_hanna.find("#verdict").get_attribute("data-probability")), ours.probability)
            steps = dict(of_hanna.numbers(".step", "property", "value"))
            expected = ours.table[ours.table["comparison"] != 0].set_index("property")
            assert set(steps) == set(expected.index)
            assert all(same(value, expected["shapley"][prop]) for prop, value in steps.items())
            of_hanna.page.get_by_label("log-odds", exact=True).check()
            for prop, value, lower, upper in of_hanna.numbers(".step", "property", "value", "lower", "upper"):
                row = expected.loc[prop]
                assert same(value, row["contribution"])
                # `explain` takes 500 of the draws, whose ends are known to some 0.1 standard deviations
                assert [lower, upper] == pytest.approx([row["lower"], row["upper"]], abs=0.1 * (upper - lower))


def _ratings(shown: Shown, column: int) -> list[str]:
    return shown.find("details[data-key=ratings] tbody tr").evaluate_all(
        f"rows => rows.map(r => r.children[{column}].textContent)"
    )


def test_walking_and_filters(of_arena: Shown, arena: pdx.Dissection) -> None:
    page, pairs = of_arena.page, arena.data.pairs
    of_arena.go(section="pairs")

    def here() -> str:
        return str(of_arena.find("#pair").get_attribute("data-pair"))

    assert here() == pairs.index[0]
    page.get_by_role("button", name="Next").click()
    assert here() == pairs.index[1]
    page.get_by_role("button", name="Previous").click()
    page.get_by_label("Go to pair number").fill("100")
    page.keyboard.press("Tab")
    assert here() == pairs.index[99]
    judge = arena.judges[0]
    label = arena.data.labels[judge]
    page.get_by_label("Judge said").select_option("B")
    assert f"of {int((label < 0.5).sum()):,} " in page.inner_text("#position") + " "
    page.get_by_label("Judge said").select_option("any")
    group = arena.groups[0]
    page.get_by_label("Group", exact=True).select_option(group)
    assert f"of {int(arena.data.groups[group].sum()):,} " in page.inner_text("#position") + " "
    page.get_by_label("Group", exact=True).select_option("")
    page.get_by_label("Differs in").select_option("refusal")
    x = arena.design.encoder.encode(arena.data)[:, arena.properties.index("refusal")]
    assert f"of {int((x != 0).sum()):,} " in page.inner_text("#position") + " "
    page.get_by_label("Differs in").select_option("")
    page.get_by_label("Search").fill("Tardis")
    words = (
        pairs[["prompt", "response_a", "response_b"]].apply(lambda c: c.str.contains("tardis", case=False)).any(axis=1)
    )
    page.locator("#position").get_by_text(f"of {int(words.sum()):,} ").wait_for()
    assert here() == pairs.index[words][0]


def test_the_most_surprising_pairs(of_arena: Shown, arena: pdx.Dissection) -> None:
    of_arena.go(section="pairs", first="surprise")
    ours = arena.surprising(3)
    for pair in ours["pair_id"]:
        assert of_arena.find("#pair").get_attribute("data-pair") == pair
        of_arena.page.get_by_role("button", name="Next").click()
    for order in ("sure", "split", "file"):
        of_arena.page.get_by_label("Order").select_option(order)


def test_texts_and_ratings_stand_beside(of_arena: Shown, arena: pdx.Dissection) -> None:
    pair = arena.data.pairs.index[42]
    of_arena.go(section="pairs", pair=pair)
    shown = of_arena.find(".strange").evaluate_all("all => all.slice(0, 3).map(one => one.textContent)")
    for text, name in zip(shown, ("prompt", "response_a", "response_b"), strict=True):
        assert text == arena.data.pairs[name][pair]
    a = arena.data.ratings[42, 0, [list(arena.data.properties).index(p) for p in arena.properties]]
    for text, value in zip(_ratings(of_arena, 1), a, strict=True):
        assert float(text.replace("−", "-")) == pytest.approx(value, abs=0.005)


def test_what_is_no_finding_does_not_look_like_one(of_arena: Shown, arena: pdx.Dissection) -> None:
    rows = arena.weights[arena.weights["group"] == "chatting"].set_index("property")
    of_arena.go(section="properties", group="chatting", show="weight")
    hollow = {row for row, prior in of_arena.numbers("#body > .figure .point", "row", "prior") if prior == "yes"}
    near = (rows["mean"].abs() <= 0.25 * PRIOR_SD) & (rows["sd"] >= 0.9 * PRIOR_SD)
    assert set(rows.index[~rows["identified"]]) < hollow == set(rows.index[near]) < set(rows.index)
    assert "hollow" in of_arena.page.inner_text(".legend")
    of_arena.page.get_by_text("The numbers, as a table").click()
    said = of_arena.find("details[data-key=numbers] tbody tr").evaluate_all(
        "rows => rows.map(({ dataset, children }) => [dataset.key.split('|')[1],"
        " Number(children[5].dataset.value), children[7].textContent])"
    )
    for prop, differs, words in said:
        assert differs == rows.loc[prop, "n_differs"]
        assert words == ("" if prop not in hollow else "nearly the prior" if differs else "never differs: the prior")
    of_arena.go(section="properties", property="tables", group="chatting")
    assert "0 of 69 pairs of human" in of_arena.page.inner_text("#property")
    of_arena.go(section="properties", property="courtesy", group="stem_questions")
    assert "no evidence of a preference" in of_arena.page.inner_text("#unsure")
    of_arena.go(section="properties", property="length", group="stem_questions")
    assert of_arena.find("#unsure").count() == 0
    of_arena.go(section="properties", chart="groups")
    assert of_arena.find(".struck").count() > 20
    assert "struck through" in of_arena.page.inner_text(".colour-key")


def test_a_pair_tells_what_does_not_count(of_arena: Shown, of_hanna: Shown, hanna: pdx.Dissection) -> None:
    of_arena.go(section="pairs", pair="arena-0")
    assert "Too close to count as different: code (under 5)" in of_arena.page.inner_text("[data-key=ratings]")
    of_hanna.go(section="pairs", by=hanna.judges[0], said="undecided")
    told = of_hanna.page.inner_text("#verdict")
    assert "said undecided. By its fit" in told
    assert "surprise" not in told  # which is given a decision
    pair = str(of_hanna.page.get_attribute("#pair", "data-pair"))
    assert f"if there is no tie, P(tie) = {hanna.explain(pair, hanna.judges[0]).outcomes[1]:.2f}." in told
    assert "those of 200 pairs" in of_hanna.page.inner_text("#no-texts")
    of_hanna.go(section="pairs", texts="yes")
    assert "prompts only, no responses" in of_hanna.page.inner_text(".texts")


def test_one_judge_is_told_what_a_comparison_takes(of_arena: Shown) -> None:
    of_arena.go(section="judges")
    assert "result.add" in of_arena.page.inner_text("#body")
    of_arena.go(section="properties")
    assert of_arena.find("[data-key='chart=judges']").count() == 0
    assert "differ most" not in of_arena.page.inner_text("[data-key=order]")


def test_one_group_is_no_mean_over_scenarios(of_hanna: Shown) -> None:
    of_hanna.go(section="judges")
    assert "Overall" not in of_hanna.page.inner_text("#main")
    assert "cluster 1 in" in of_hanna.page.inner_text("#cut")


def test_marks_lead_to_their_findings_and_words_are_explained(of_hanna: Shown, hanna: pdx.Dissection) -> None:
    of_hanna.go(section="trust")
    of_hanna.find('[data-key="clusters:stop"]').click()
    rows = of_hanna.find("details[data-key=findings] tbody tr").evaluate_all("r => r.map(x => x.dataset.key)")
    assert rows == [f"clusters|{judge}|all" for judge in hanna.judges]
    of_hanna.go()
    of_hanna.page.get_by_text("Words of this page").click()
    told = of_hanna.find(".words dt").all_text_contents()
    assert {"Judge", "Fit", "Weight", "Prior", "Ceiling", "Held out"} <= set(told)


# Trust, data, how made

MARKS = "rows => rows.map(r => [r.dataset.key, [...r.querySelectorAll('.level')].map(mark => mark.innerText)])"


def test_checks_scores_and_calibration(of_hanna: Shown, hanna: pdx.Dissection) -> None:
    of_hanna.go(section="trust")
    checks = hanna.check().table
    unmeasured = hanna.check().not_checked
    measured = checks[~(checks["number"].isna() & (checks["level"] == "ok"))]
    assert len(unmeasured) == 2 * len(hanna.judges)  # order and left out
    page = of_hanna.page
    for row in page.locator("#body .beside tbody tr").evaluate_all(MARKS):
        for level, rows in (("stop", checks), ("look", checks), ("ok", measured), ("not checked", unmeasured)):
            n = int(((rows["check"] == row[0]) & (rows["level"] == level.replace("not checked", "ok"))).sum())
            assert (f"{n} {level}" in row[1]) == (n > 0)
    page.get_by_label("Level").select_option("stop")
    assert of_hanna.find("details[data-key=findings] tbody tr").count() == min(16, (checks["level"] == "stop").sum())
    page.get_by_label("Level").select_option("")
    judge = hanna.judges[2]
    page.get_by_label("Judge", exact=True).select_option(judge)
    rows = of_hanna.numbers("#calibration .point", "predicted", "value")
    expected = hanna.cross_validate().calibration(judge)[["predicted", "observed"]]
    assert np.allclose(rows, expected, rtol=1e-5)
    scores = hanna.cross_validate().scores
    mine = scores[(scores["judge"] == judge) & (scores["model"] == "fit")].iloc[0]
    cells = of_hanna.find(f'tr[data-key="{judge}|all|fit"] td').evaluate_all("c => c.map(x => Number(x.dataset.value))")
    assert np.allclose([cells[4], *cells[6:9]], [mine[n] for n in ("accuracy", "log_loss", "auc", "brier")], rtol=1e-5)
    assert 0 < cells[5] < 0.05  # its standard error, of some 4,000 pairs in 96 prompts
    page.get_by_label("Group", exact=True).select_option("all")


def test_what_was_read_and_how_it_was_made(of_arena: Shown, arena: pdx.Dissection) -> None:
    of_arena.go(section="data")
    shown = of_arena.page.inner_text("#body")
    assert all(fact in shown for _, fact in arena.data.report.facts)
    total = arena.dropped.groupby("reason")["n"].sum()
    assert all(f"{n:,}, over all fits" in shown for n in total)
    of_arena.go(section="making")
    shown = of_arena.page.inner_text("#body")
    assert arena.options["data_hash"] in shown
    assert "Dissecting Human and LLM Preferences" in shown


def test_the_summary_leads_on(of_arena: Shown) -> None:
    of_arena.go()
    for name in of_arena.find(".said button").all_inner_texts():
        of_arena.go()
        of_arena.page.get_by_role("button", name=name).first.click()
        assert name.removeprefix("See ") == of_arena.page.inner_text("#heading")
        of_arena.page.go_back()
        assert of_arena.page.inner_text("#heading") == "Summary"


# The page itself


def test_a_link_restores_the_view(of_hanna: Shown, hanna: pdx.Dissection) -> None:
    page = of_hanna.page
    of_hanna.go(section="properties")
    page.get_by_label("rank", exact=True).check()
    page.get_by_label("Theme").select_option("dark")
    before, view = page.inner_html("#body"), of_hanna.view
    page.goto("about:blank")
    page.goto(f"{of_hanna.file.as_uri()}#{view}")
    page.wait_for_selector("html[data-ready=yes]", state="attached")
    assert page.inner_html("#body") == before
    assert page.locator("html").get_attribute("data-theme") == "dark"
    of_hanna.go(section="nowhere", show="nothing", judge="nobody", pair="none", theme="<script>")
    assert page.inner_text("#heading") == "Summary"


def test_the_keyboard_is_enough(of_hanna: Shown) -> None:
    page = of_hanna.page
    of_hanna.go()
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Properties"
    page.keyboard.press("Enter")
    assert page.inner_text("#heading") == "Properties"
    assert page.evaluate("document.activeElement.textContent") == "Properties"  # focus is not lost
    nameless = page.evaluate(
        "[...document.querySelectorAll('button, select, input, [role=button]')].filter(n => !(n.ariaLabel"
        " || n.textContent.trim() || n.labels?.length || n.title)).length"
    )
    assert nameless == 0


def test_the_skip_link_keeps_the_view(of_hanna: Shown) -> None:
    of_hanna.go(section="trust")
    of_hanna.page.keyboard.press("Tab")
    of_hanna.page.keyboard.press("Enter")
    assert of_hanna.page.evaluate("document.activeElement.id") == "main"
    assert of_hanna.view == "section=trust"


def test_cells_are_walked_by_arrows(of_hanna: Shown) -> None:
    of_hanna.go(section="judges")
    of_hanna.find('.cell[tabindex="0"]').focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowRight", " "):
        of_hanna.page.keyboard.press(key)
    names = of_hanna.find(".cell:focus").evaluate("cell => [cell.dataset.row, cell.dataset.column]")
    assert all(name in of_hanna.page.inner_text("#chosen-cell") for name in names)
    assert names[0] != names[1]


def test_focus_outlives_a_choice(of_hanna: Shown, hanna: pdx.Dissection) -> None:
    of_hanna.go(section="properties", judge=hanna.judges[:1])
    of_hanna.find("details.several > summary").click()
    of_hanna.page.get_by_role("button", name="none").focus()
    of_hanna.page.keyboard.press("Enter")
    assert of_hanna.page.evaluate("document.activeElement.textContent") == "none"


def test_released_judges_without_weights_have_no_similarity(browser: Browser, folder: Path) -> None:
    study = pdx.simulate(400, judges=["me", "you"], scenarios=["Code", "Advice"], random_seed=0)
    result = pdx.dissect(study.data, engine="ep", draws=200, random_seed=0)
    weight = np.random.default_rng(0).normal(0, 0.2, (2, 1, 29))
    released = pdx.ReferenceWeights("mine", ("a", "b"), ("Code",), {"Code": "scenario"}, pdx.PAPER.ids, weight)
    with opened(browser, result.report(folder / "gap.html", reference=released)) as shown:
        for measure in ("pearson", "spearman", "l1", "l2"):
            shown.go(section="judges", set="all", **{"in": "Advice"}, measure=measure)
            values = {(a, b): value for a, b, value in shown.numbers(".cell", "row", "column", "value")}
            assert np.isnan(float(values["me", "a"]))


def test_a_judge_that_is_alone_stands_beside_released_ones(browser: Browser, folder: Path) -> None:
    study = pdx.simulate(400, judges=["me"], scenarios=["Code", "Advice"], random_seed=0)
    result = pdx.dissect(study.data, engine="ep", draws=200, random_seed=0)
    weight = np.random.default_rng(0).normal(0, 0.2, (3, 2, 29))
    kinds = {"Code": "scenario", "Advice": "scenario"}
    released = pdx.ReferenceWeights("mine", ("a", "b", "c"), ("Code", "Advice"), kinds, pdx.PAPER.ids, weight)
    place = result.place_among(released).set_index("reference")["similarity"]
    with opened(browser, result.report(folder / "alone.html", reference=released)) as shown:
        shown.go(section="judges")
        cells = {(a, b): value for a, b, value in shown.numbers(".cell", "row", "column", "value")}
        assert len(cells) == 16
        assert all(same(float(cells["me", name]), place[name]) for name in "abc")
        near = [name.removeprefix("near:") for (name,) in shown.numbers(".point", "row")]
        assert near == list(place.sort_values(ascending=False).index)


@pytest.mark.parametrize("section", ["summary", "properties", "judges", "pairs", "trust", "data", "making"])
def test_a_phone_needs_no_sideways_scrolling(
    hanna: pdx.Dissection, browser: Browser, folder: Path, section: str
) -> None:
    path = folder / "hanna.html"
    if not path.exists():
        hanna.report(path)
    with opened(browser, path) as shown:
        shown.page.set_viewport_size({"width": 390, "height": 800})
        shown.go(section=section)
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= 390
        here = shown.find("nav [aria-current]").bounding_box()
        assert here is not None
        assert 0 <= here["x"] <= here["x"] + here["width"] <= 390  # of the sections, this one can be seen


def test_dark_and_print(of_hanna: Shown) -> None:
    page = of_hanna.page
    of_hanna.go(section="properties")
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(20, 24, 29)"
    page.emulate_media(color_scheme="light", media="print")
    assert not page.locator("nav").is_visible()
    page.emulate_media(media="screen")


def test_hostile_texts_run_nothing(browser: Browser, folder: Path) -> None:
    result = hostile_study()
    with opened(browser, result.report(folder / "hostile.html", texts=True, title=HOSTILE[1])) as shown:
        for section in ("summary", "properties", "judges", "trust", "data", "making"):
            shown.go(section=section)
        for pair in result.data.pairs.index[:12]:
            shown.go(section="pairs", pair=pair, by=result.judges[0])
            text = shown.find(".strange").evaluate_all("all => all.map(one => one.textContent)")
            said = result.data.pairs.loc[pair, ["prompt", "response_a", "response_b"]].tolist()
            for found, given in zip(text, said, strict=False):
                visible = "".join(c if c not in "\u202e\u202c\u2066\u2069\x07" else f"U+{ord(c):04X}" for c in given)
                assert found == visible
        assert shown.page.title() == HOSTILE[1]
        assert shown.page.evaluate("window.hacked") is None
        assert shown.find("main img, main a, main script, main b[onclick]").count() == 0
        # The policy stops what would slip through: nothing that is added later runs, and nothing is fetched.
        blocked = shown.page.evaluate(
            "(() => { try { document.body.innerHTML += '<img src=x onerror=\"window.hacked=9\">'; return false; }"
            " catch (error) { return error instanceof TypeError; } })()"
        )
        assert blocked
        assert [line for line in shown.wrong if "TrustedHTML" in line or "trusted" in line.lower()]
        shown.wrong.clear()


def test_a_megabyte_of_text(browser: Browser, folder: Path) -> None:
    rng = np.random.default_rng(0)
    n = 30
    table = pd.DataFrame(
        {
            "prompt": "p",
            "response_a": ["<b>" + "word " * 220_000, *["x"] * (n - 1)],
            "response_b": "y",
            "clear_a": rng.integers(0, 4, n),
            "clear_b": rng.integers(0, 4, n),
            "judge_me": rng.choice(["A", "B"], n),
        }
    )
    table["prompt"] = [f"p{i}" for i in range(n)]
    result = pdx.dissect(pdx.PreferenceData.from_frame(table), engine="ep", draws=200, random_seed=0)
    with opened(browser, result.report(folder / "long.html", texts=True)) as shown:
        shown.go(section="pairs")
        box = shown.find(".response .strange").first
        assert len(box.text_content() or "") < 30_000
        box.get_by_role("button", name="Show all 1,100,003 characters").click()
        assert len(box.text_content() or "") == 1_100_003


# Gaming


@pytest.mark.parametrize("group", ["overall", "coding"])
def test_gains_are_those_of_exploitability(of_arena: Shown, arena: pdx.Dissection, group: str) -> None:
    of_arena.go(section="audit", agroup=group)
    guard = arena.exploitability(skipna=True).guard(group=group)
    drawn = of_arena.numbers("#steps .point", "row", "value", "lower", "upper")
    assert [row[0] for row in drawn] == guard["property"].tolist()
    sign = np.where(guard["direction"] == "more", 1, -1)
    ends = np.sort(sign[:, None] * 100 * guard[["lower", "upper"]].to_numpy(), axis=1)
    expected = np.column_stack([100 * guard["gain"], ends])
    assert np.array([row[1:] for row in drawn], dtype=float) == pytest.approx(expected, abs=0.0051), "two digits"


def test_the_leaderboard_and_subsets_are_those_of_the_audit(of_arena: Shown, arena: pdx.Dissection) -> None:
    of_arena.go(section="audit")
    found = arena.audit(resamples=300)
    drawn = of_arena.numbers("#leaderboard .point", "row", "kind", "value", "lower", "upper")
    assert len(drawn) == 2 * len(found.leaderboard)
    for model, kind, *numbers in drawn:
        row = found.leaderboard.set_index("model").loc[model]
        assert numbers == pytest.approx([100 * row[f"{kind}{end}"] for end in ("", "_lower", "_upper")], rel=1e-5)
    rows = of_arena.find("#subsets tbody tr").all_inner_texts()
    assert len(rows) == len(found.subsets)
    for text, row in zip(rows, found.subsets.itertuples(), strict=True):
        assert f"{100 * row.fit:.1f} [{100 * row.fit_lower:.1f}, {100 * row.fit_upper:.1f}]" in text
        assert ("yes, by at least" in text) == row.without_reading
    rules = of_arena.find("#rules tbody tr").all_inner_texts()
    assert rules[0].startswith("more length")


def test_the_summary_leads_to_it(of_arena: Shown) -> None:
    of_arena.go(section="summary")
    of_arena.find(
        "article",
    ).filter(has_text="How far it can be gamed").locator("button").click()
    of_arena.find("#audit #steps").wait_for()


# A study of the paper's size


@pytest.fixture(scope="module", params=[11, pytest.param(33, marks=pytest.mark.slow)])
def large(request: pytest.FixtureRequest) -> pdx.Dissection:
    """The paper's pairs, properties, scenarios and cases, with a third of its judges; all of them take four minutes."""
    study = pdx.simulate(5240, judges=request.param, random_seed=0)
    return pdx.dissect(study.data, by="both", engine="ep", draws=125, random_seed=0)


@pytest.mark.timeout(900)
def test_a_study_of_the_papers_size(large: pdx.Dissection, browser: Browser, folder: Path) -> None:
    path, n, last = large.report(folder / "large.html"), len(large.judges), large.judges[-1]
    assert path.stat().st_size < 6e6
    with opened(browser, path) as shown:
        shown.go(section="properties", chart="judges", judge=large.judges)
        cells = {(judge, prop): value for prop, judge, value in shown.numbers(".cell", "row", "column", "value")}
        overall = large.overall().set_index(["judge", "property"])["probability"]
        assert len(cells) == n * 29
        assert all(same(value, overall[key]) for key, value in cells.items())
        shown.go(section="properties", chart="groups", judge="judge7", show="weight")
        means = large.weights.set_index(["judge", "property", "group"])["mean"]
        drawn = shown.numbers(".cell", "row", "column", "value")
        assert len(drawn) == 29 * 17
        assert all(same(value, means["judge7", prop, group]) for prop, group, value in drawn if group != "overall")
        shown.go(section="judges", **{"in": "Code"}, measure="spearman")
        corrected = large.similarity("spearman", groups=["Code"]).corrected
        matrix = shown.numbers(".cell", "row", "column", "value")
        assert len(matrix) == n * n
        assert all(same(value, corrected.loc[a, b]) for a, b, value in matrix if a != b)
        pair = large.data.pairs.index[4321]
        shown.go(section="pairs", pair=pair, by=last)
        ours = large.explain(pair, last)
        steps = dict(shown.numbers(".step", "property", "value"))
        expected = ours.table.set_index("property")["shapley"]
        assert all(same(value, expected[prop]) for prop, value in steps.items())
        for group in shown.find('[data-key="fit"] option').evaluate_all("all => all.map(one => one.value)"):
            shown.go(section="pairs", pair=pair, by=last, fit=group)
            found = float(shown.find("#verdict").get_attribute("data-probability"))
            assert same(found, large.explain(pair, last, group).probability)
        for section in ("summary", "trust", "data", "making"):
            shown.go(section=section)
