"""The page, as Python writes it: what is in the file, and what can never be."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import prefdissect as pdx
from prefdissect import errors
from prefdissect.report.packing import compress, pack, pack_within
from prefdissect.report.sections.properties import rank_of

HOSTILE = (
    "<script>window.hacked = 1</script>",
    "</script><script>window.hacked = 2</script>",
    "<img src=x onerror='window.hacked=3'>",
    "[click](javascript:window.hacked=4) <a href='javascript:window.hacked=5'>x</a>",
    "<!-- <script> ]]> ${title} $policy &lt;b&gt;",
    "\u202edenrut\u202c \u2066isolate\u2069 \x07",
)


@pytest.fixture(scope="module")
def study() -> pdx.Dissection:
    schema = pdx.PAPER.select(["lengthy", "clear", "polite"])
    made = pdx.simulate(300, schema=schema, judges=["me", "you"], scenarios=["Code", "Advice"], random_seed=0)
    return pdx.dissect(made.data, position=False, engine="ep", draws=200, random_seed=0)


def unpack(packed: dict) -> np.ndarray:
    values = np.frombuffer(base64.b64decode(packed["bytes"]), "<" + packed["type"]).reshape(packed["shape"])
    missing = {"i1": -128, "i2": -32768}.get(packed["type"])
    return values.astype(float) if missing is None else np.where(values == missing, np.nan, values.astype(float))


def given(page: Path, name: str = "given") -> dict:
    text = re.search(rf'<script type="text/plain" id="{name}">([^<]*)</script>', page.read_text(encoding="utf-8"))[1]
    return json.loads(gzip.decompress(base64.b64decode(text)))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([[1, -1, np.nan], [0, 127, -127]], "i1"),
        ([300, -32767, np.nan], "i2"),
        ([32768, 1], "f4"),
        ([0.5, np.nan], "f4"),
        ([], "i1"),
    ],
)
def test_arrays_come_back(values: list, kind: str) -> None:
    packed = pack(values)
    assert packed["type"] == kind
    np.testing.assert_array_equal(unpack(packed), np.asarray(values, dtype=np.float32))


def test_bytes_within_a_reach_are_close_to_a_254th_of_it() -> None:
    rng = np.random.default_rng(0)
    reach = rng.uniform(0, 2, 50)
    values = rng.uniform(-1, 1, (20, 50)) * reach
    values[3, 4] = np.nan
    back = unpack(pack_within(values, reach)) / 127 * reach
    np.testing.assert_array_less(
        np.abs(back - values)[~np.isnan(values)], (np.broadcast_to(reach, values.shape) / 253)[~np.isnan(values)]
    )
    assert np.isnan(back[3, 4])


def test_compressed_text_cannot_be_markup() -> None:
    hostile = [*HOSTILE, "half a character: \ud83d", "\x00\u2028"]
    text = compress({"texts": hostile})
    assert re.fullmatch(r"[A-Za-z0-9+/=]*", text)
    assert json.loads(gzip.decompress(base64.b64decode(text)))["texts"] == hostile


def test_numbers_in_the_page_are_those_of_the_tables(study: pdx.Dissection, tmp_path: Path) -> None:
    found = given(study.report(tmp_path / "out.html"))
    weights = study.weights
    for name in ("mean", "lower", "upper", "sd", "prob_positive", "n_differs"):
        np.testing.assert_allclose(unpack(found["weights"][name]).ravel(), weights[name], rtol=1e-6)
    overall = study.overall()
    for name, column in (
        ("probability", "probability"),
        ("probability_lower", "lower"),
        ("probability_upper", "upper"),
    ):
        np.testing.assert_allclose(unpack(found["weights"]["overall"][name]).ravel(), overall[column], rtol=1e-6)
    similarity = study.similarity().to_frame(ceiling=True)
    one = found["similarity"]["measures"]["pearson"]
    for name in ("similarity", "corrected", "lower", "upper", "agreement", "kappa"):
        np.testing.assert_allclose(unpack(one[name]).ravel(), similarity[name], rtol=1e-5)
    np.testing.assert_allclose(unpack(one["ceiling"])[:, 0], similarity["ceiling_a"], rtol=1e-6)
    assert found["trust"]["checks"][0]["said"] == study.check().table["said"].iloc[0]
    assert found["reading"]["facts"] == [list(fact) for fact in study.data.report.facts]


def test_ranks_and_their_intervals(study: pdx.Dissection, tmp_path: Path) -> None:
    found = given(study.report(tmp_path / "out.html"))["weights"]
    fit = study.fitted.fits["me", "Code"]
    assert (
        unpack(found["rank"])[0, study.groups.index("Code")].tolist() == (3 - np.argsort(np.argsort(fit.mean))).tolist()
    )
    ranks = rank_of(fit.draws.reshape(-1, 3).astype(float))
    np.testing.assert_array_equal(ranks, 3 - np.argsort(np.argsort(fit.draws.reshape(-1, 3), axis=1), axis=1))
    low, high = unpack(found["rank_lower"])[0, 0], unpack(found["rank_upper"])[0, 0]
    inside = ((ranks >= low) & (ranks <= high)).mean(axis=0)
    assert (inside >= 0.94 - 0.02).all()  # of 1,000 of the 800 draws; whole numbers hold at least the interval
    assert (low >= 1).all()
    assert (high <= 3).all()


def test_the_overall_weight_is_the_mean_over_scenarios(study: pdx.Dissection, tmp_path: Path) -> None:
    found = given(study.report(tmp_path / "out.html"))["weights"]["overall"]
    means = study.weights.groupby(["judge", "property"], sort=False)["mean"].mean()
    np.testing.assert_allclose(unpack(found["weight"]).ravel(), means, rtol=1e-6)


def test_spreads_give_the_interval_of_a_pair(study: pdx.Dissection, tmp_path: Path) -> None:
    found = given(study.report(tmp_path / "out.html"))["pairs"]
    pair = study.explain("pair-0", "me")
    j, g = 0, study.groups.index(pair.group)
    x = unpack(found["x"])[0]
    sd, half = unpack(found["spread"]["sd"])[j, g], unpack(found["spread"]["correlation"])[j, g] / 127
    cov = np.diag(sd**2)
    cov[np.tril_indices(3, -1)] = half * (sd[:, None] * sd)[np.tril_indices(3, -1)]
    cov += np.tril(cov, -1).T
    middle = x @ study.fitted.fits["me", pair.group].mean
    low, high = expit(middle + np.array([-1, 1]) * 1.8808 * np.sqrt(x @ cov @ x))
    # 500 of the draws make the interval of `explain`: its bounds are known to 2 x 0.06 standard deviations
    assert [low, high] == pytest.approx([pair.lower, pair.upper], abs=0.12 * (high - low) / 3.76 + 0.005)


class Scripts(HTMLParser):
    """What a browser would run, and every attribute there is."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.tags: list[str] = []
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self._inside = tag == "script" and ("type", "text/plain") not in attrs

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts.append(data)
            self._inside = False


def hostile_study() -> pdx.Dissection:
    n = 60
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "prompt": [HOSTILE[i % len(HOSTILE)].replace("\x00", "") + str(i) for i in range(n)],
            "response_a": [HOSTILE[(i + 1) % len(HOSTILE)] + f" a{i}" for i in range(n)],
            "response_b": [HOSTILE[(i + 2) % len(HOSTILE)] + f" b{i}" for i in range(n)],
            "note": [HOSTILE[(i + 3) % len(HOSTILE)] for i in range(n)],
            "model_a": HOSTILE[0],
            "clear_a": rng.integers(0, 4, n),
            "clear_b": rng.integers(0, 4, n),
            f"judge_{HOSTILE[2]}": rng.choice(["A", "B"], n),
            "judge_<b>bold</b>": rng.choice(["A", "B"], n),
        }
    )
    return pdx.dissect(pdx.PreferenceData.from_frame(table), engine="ep", draws=200, random_seed=0)


def test_texts_of_strangers_are_nowhere_markup(tmp_path: Path) -> None:
    page = hostile_study().report(tmp_path / "out.html", texts=True, title=HOSTILE[1])
    text = page.read_text(encoding="utf-8")
    found = Scripts(text)
    assert len(found.scripts) == 1
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert not {"img", "a"} & set(found.tags) - {"a"}
    assert [value for name, value in found.attributes if name == "href"] == ["data:,", "#main"]
    assert given(page, "texts")["columns"]["note"][0] == HOSTILE[3]


def test_the_policy_names_this_script_and_this_style_only(study: pdx.Dissection, tmp_path: Path) -> None:
    text = study.report(tmp_path / "out.html").read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for kind, inside in (
        ("script-src", Scripts(text).scripts[0]),
        ("style-src", re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]),
    ):
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert rules[kind] == f"'sha256-{digest}'"
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text)


@pytest.mark.parametrize(("texts", "n"), [(False, 0), ("sample", 200), (True, 250)])
def test_how_many_texts(texts: object, n: int, tmp_path: Path) -> None:
    study = texts_study(250)
    found = given(study.report(tmp_path / "out.html", texts=texts), "texts")
    assert len(found["pairs"]) == n
    for i, p in enumerate(found["pairs"]):
        assert found["columns"]["prompt"][i] == study.data.pairs["prompt"].iloc[p]


def texts_study(n: int) -> pdx.Dissection:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "prompt": [f"prompt {i}" for i in range(n)],
            "response_a": [f"a {i}" for i in range(n)],
            "response_b": [f"b {i}" for i in range(n)],
            "clear_a": rng.integers(0, 4, n),
            "clear_b": rng.integers(0, 4, n),
            "judge_me": rng.choice(["A", "B"], n),
        }
    )
    return pdx.dissect(pdx.PreferenceData.from_frame(table), engine="ep", draws=200, random_seed=0)


def test_texts_of_a_saved_dissection_come_from_the_data(tmp_path: Path) -> None:
    study = texts_study(40)
    saved = pdx.Dissection.load(study.save(tmp_path / "run.nc"))
    without = saved.report(tmp_path / "out.html")
    assert given(without, "texts")["pairs"] == []
    assert "data=" in given(without)["without_texts"]
    assert "texts=False" in given(study.report(tmp_path / "none.html", texts=False))["without_texts"]
    with pytest.raises(errors.DataError, match="data="):
        saved.report(tmp_path / "out.html", texts=True)
    page = saved.report(tmp_path / "out.html", texts=True, data=study.data)
    assert given(page, "texts")["columns"]["response_b"][7] == "b 7"
    with pytest.raises(errors.DataError, match="none of the pairs"):
        saved.report(tmp_path / "out.html", data=other_pairs())


def other_pairs() -> pdx.PreferenceData:
    table = pd.DataFrame(
        {"pair_id": ["x"], "prompt": ["p"], "response_a": ["a"], "response_b": ["b"], "judge_me": ["A"]}
    )
    return pdx.PreferenceData.from_frame(table)


def test_bad_arguments(study: pdx.Dissection, tmp_path: Path) -> None:
    with pytest.raises(errors.OptionError, match="texts='some'"):
        study.report(tmp_path / "out.html", texts="some")  # type: ignore[arg-type]
    for texts in (0, 1, np.False_, None):
        with pytest.raises(errors.OptionError, match="texts="):
            study.report(tmp_path / "out.html", texts=texts)  # type: ignore[arg-type]
    with pytest.raises(errors.OptionError, match="load_reference"):
        study.report(tmp_path / "out.html", reference="paper")  # type: ignore[arg-type]
    other = pdx.ReferenceWeights("x", ("a",), ("Code",), {"Code": "scenario"}, ("novel",), np.ones((1, 1, 1)))
    with pytest.raises(errors.UnknownNameError, match="novel"):
        study.report(tmp_path / "out.html", reference=other)
    with pytest.raises(errors.FileFormatError, match="is a folder"):
        study.report(tmp_path)
    with pytest.raises(errors.FileFormatError, match="no folder"):
        study.report(tmp_path / "none" / "out.html")
    assert list(tmp_path.iterdir()) == []


def test_judges_without_a_common_group_are_not_compared(tmp_path: Path) -> None:
    made = pdx.simulate(200, schema=pdx.PAPER.select(["clear"]), judges=["me", "you"], scenarios=["Code", "Advice"])
    in_code = made.data.verdicts["pair_id"].map(made.data.groups["Code"]).to_numpy(dtype=bool)
    kept = made.data.verdicts[in_code == (made.data.verdicts["judge"] == "me").to_numpy()]
    result = pdx.dissect(replace(made.data, verdicts=kept), engine="ep", draws=200, random_seed=0)
    assert given(result.report(tmp_path / "out.html"))["similarity"] is None


def test_cases_are_each_summed_up(tmp_path: Path) -> None:
    made = pdx.simulate(2000, schema=pdx.PAPER.select(["clear", "lengthy"]), judges=["me"], random_seed=0)
    result = pdx.dissect(made.data, by="case", engine="ep", draws=200, random_seed=0)
    topics = [part["topic"] for part in given(result.report(tmp_path / "out.html"))["summary"]]
    assert [f"What me prefers in {group}" for group in result.groups] == topics[2 : 2 + len(result.groups)]


def test_the_call_can_be_run_again(study: pdx.Dissection, tmp_path: Path) -> None:
    call = given(study.report(tmp_path / "out.html"))["making"]["call"]
    names = {"prefdissect": pdx, "data": study.data}
    exec(call, names)
    pd.testing.assert_frame_equal(names["result"].weights, study.weights)


def test_terms_that_are_no_properties_stand_apart(tmp_path: Path) -> None:
    schema = pdx.PAPER.select(["lengthy", "clear"])
    made = pdx.simulate(
        300, schema=schema, judges=["me"], scenarios=None, tie_rate=0.2, order_effect=0.5, random_seed=0
    )
    models = {"model_a": ["new", "old"] * 150, "model_b": ["old", "new"] * 150}
    data = replace(made.data, pairs=made.data.pairs.assign(**models))
    result = pdx.dissect(data, cluster="auto", engine="ep", draws=200, random_seed=0)
    page = given(result.report(tmp_path / "out.html"))
    assert [prop["id"] for prop in page["weights"]["properties"]] == ["clear", "lengthy"]
    rows, table = page["terms"]["rows"], result.nuisance
    assert [(row["term"], row["name"]) for row in rows] == list(zip(table["term"], table["name"], strict=True))
    assert [row["probability"] for row in rows] == pytest.approx(table["probability"].to_numpy(), rel=1e-6)
    assert {row["term"] for row in rows} == {"ties", "order", "generator"}
    assert page["terms"]["effects"] == [{"judge": "me", "group": "all", "design_effect": 1.0}]
    assert any("same two models" in note for note in page["terms"]["notes"])
