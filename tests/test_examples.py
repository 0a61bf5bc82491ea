"""The examples run and come to the right results, and the documentation agrees with the code.

`python tests/test_examples.py docs/tutorial.md ...` runs the code of pages and puts its output into them.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

import prefdissect as pdx
from prefdissect.cli import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
API = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
# A block of code, and the block of output right after it, if there is one.
CODE_AND_OUTPUT = re.compile(r"```python\n(.*?)```\n(\n```text\n.*?```\n)?", re.DOTALL)

WITH_OUTPUT = [page for page in PAGES if CODE_AND_OUTPUT.search(page.read_text(encoding="utf-8"))]
NUMBER = re.compile(r"(?<![\w.])[+-]?\d+(?:\.\d+)?(?![\w.]*[a-zA-Z])")

# Our warnings are errors; those of other libraries are not the example's fault.
RUN = """
import runpy, sys, warnings
from prefdissect.errors import PrefDissectWarning
warnings.simplefilter("error", PrefDissectWarning)
runpy.run_path(sys.argv[1], run_name="__main__")
"""


def run_example(name: str, folder: Path) -> str:
    """Return what an example prints, run in an empty folder, which it must leave empty."""
    script = ROOT / "examples" / name
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(script)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not list(folder.iterdir())
    return done.stdout


def rows_of(output: str, *keys: str) -> list[list[str]]:
    """Return the words of each line that starts with these words."""
    return [words for line in output.splitlines() if (words := line.split())[: len(keys)] == list(keys)]


def test_quickstart_finds_the_true_weights_again(tmp_path: Path) -> None:
    output = run_example("01_quickstart.py", tmp_path)
    for judge in ("ann", "bob"):
        for name, truth in {"friendly": 0.0, "clear": 0.5, "no_severe_errors": 1.0, "lengthy": -0.4}.items():
            (row,) = rows_of(output, judge, name)
            assert float(row[2]) == truth
            assert float(row[3]) == pytest.approx(truth, abs=0.15)
    assert "all certified: True" in output
    found = re.findall(r"(\w+) prefers '(.+)' (most|least): probability ([\d.]+)", output)
    assert [row[:3] for row in found] == [
        (judge, name, side)
        for judge in ("ann", "bob")
        for name, side in (("no severe errors", "most"), ("lengthy", "least"))
    ]
    # sigmoid(1.0) and sigmoid(-0.4), a little shrunk
    assert [float(row[3]) for row in found] == pytest.approx([0.73, 0.40] * 2, abs=0.04)


def test_own_table_tells_the_scenarios_apart(tmp_path: Path) -> None:
    output = run_example("02_your_own_table.py", tmp_path)
    mean = {(g, p): float(rows_of(output, g, p)[0][2]) for g in ("explain", "write") for p in ("clear", "funny")}
    assert mean["explain", "clear"] == pytest.approx(1.0, abs=0.25)
    assert mean["write", "funny"] == pytest.approx(0.8, abs=0.25)
    assert mean["explain", "funny"] == pytest.approx(0.0, abs=0.15)
    assert mean["write", "clear"] == pytest.approx(0.0, abs=0.15)
    ties = int(re.search(r"(\d+) tie$", output, re.MULTILINE)[1])
    assert sum(int(rows_of(output, "editor", g)[0][-1]) for g in ("explain", "write")) == ties > 50
    # A is clearer, B is funnier: the prediction is the sigmoid of the difference of the two weights.
    assert re.findall(r"^(\w+): prefers ([AB])", output, re.MULTILINE) == [("explain", "A"), ("write", "B")]
    assert "the same after loading: True" in output


def test_own_properties_follow_their_direction_and_rules(tmp_path: Path) -> None:
    output = run_example("03_your_own_properties.py", tmp_path)
    truth = {"warm": 0.5, "to_the_point": 0.7, "keeps_limits": 1.0, "fluent": 0.0}
    rows = {name: rows_of(output, name)[0] for name in truth}
    for name, row in rows.items():
        assert float(row[1]) == pytest.approx(truth[name], abs=0.3)
        assert row[4] == "1200"  # no pair is dropped for want of a rating
    # Two of 4 (3, 4) equally likely ratings differ in 3/4 (2/3, 3/4) of the pairs; a third of pairs has limits; two
    # standard normals differ by 0.5 or more in 72 percent.
    share = {"warm": 2 / 3, "to_the_point": 3 / 4, "keeps_limits": 1 / 4, "fluent": 0.72}
    assert [int(rows[name][5]) / 1200 for name in truth] == pytest.approx([share[name] for name in truth], abs=0.04)
    assert "error: rating 'wram' of property 'warm' in row 'pair-0'" in output


@pytest.mark.train
def test_training_goes_toward_the_judge_and_away(tmp_path: Path) -> None:
    """Half a minute on two cores: it imports TRL and trains twice."""
    output = run_example("04_train_on_pairs.py", tmp_path)
    kept, every = map(int, re.search(r"(\d+) of (\d+) pairs, toward 'reader'", output).groups())
    assert 100 < kept < every == 400
    rows = {
        name: found
        for name, *found in re.findall(r"(\w+): loss ([\d.]+) before, ([\d.]+) after; raised ([\d.]+)", output)
    }
    for name in ("toward", "away"):
        before, after, raised = map(float, rows[name])
        assert before == 0.693
        assert after < 0.5
        assert raised > 0.9


def test_every_example_is_run_here() -> None:
    own_source = Path(__file__).read_text(encoding="utf-8")
    assert [p.name for p in (ROOT / "examples").glob("*.py") if f'"{p.name}"' not in own_source] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_code_on_pages_compiles(page: Path) -> None:
    for code, _ in CODE_AND_OUTPUT.findall(page.read_text(encoding="utf-8")):
        compile(code, str(page), "exec")


@pytest.mark.parametrize("page", WITH_OUTPUT, ids=lambda p: p.name)
def test_output_on_pages_is_what_the_code_prints(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Word by word; numbers within 0.03 or 3%, as another processor or library changes the last digits of draws."""
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    shown, printed = text.split(), render(text).split()
    assert [NUMBER.sub("#", word) for word in printed] == [NUMBER.sub("#", word) for word in shown]
    for one, other in zip(NUMBER.findall(" ".join(printed)), NUMBER.findall(" ".join(shown)), strict=True):
        assert float(one) == pytest.approx(float(other), rel=0.03, abs=0.03)


def test_the_readme_shows_what_its_commands_print(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo, and HANNA's weights and checks, each line of a block but those of dots."""
    (tmp_path / "pairs_engagement.parquet").symlink_to(data_dir / "hanna" / "pairs_engagement.parquet")
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, re.MULTILINE)
    commands = {"pip install": "demo", "$ prefdissect dissect pairs_engagement": None, "$ prefdissect check": None}
    for start, command in commands.items():
        at = next(i for i, block in enumerate(blocks) if block.strip().removeprefix("python -m ").startswith(start))
        shown = blocks[at + 1 if command else at].strip("\n").splitlines()
        words = [command] if command else shown.pop(0).split()[2:]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
        printed = [" ".join(line.split()) for line in done.stdout.splitlines()]
        for line in (" ".join(line.split()) for line in shown):
            assert line in ("", "...") or any(_alike(line, other) for other in printed), line


def _alike(one: str, other: str) -> bool:
    """Return whether two lines have the same words, and numbers within 0.03 or 3%."""
    if NUMBER.sub("#", one) != NUMBER.sub("#", other):
        return False
    pairs = zip(NUMBER.findall(one), NUMBER.findall(other), strict=True)
    return all(float(a) == pytest.approx(float(b), rel=0.03, abs=0.03) for a, b in pairs)


def render(text: str) -> str:
    """Return a page with the output of its code blocks, run one after the other, in the blocks after them."""
    names: dict[str, Any] = {}

    def run(match: re.Match[str]) -> str:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), pd.option_context("display.width", 118, "display.max_columns", 30):
            tree = ast.parse(match[1])
            last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, "page", "exec"), names)
            if last is not None:
                sys.displayhook(eval(compile(ast.Expression(last.value), "page", "eval"), names))
        lines = [line.rstrip() for line in printed.getvalue().rstrip().splitlines()]
        output = "\n```text\n" + "\n".join(lines) + "\n```\n"
        return f"```python\n{match[1]}```\n" + (output if match[2] else "")

    return CODE_AND_OUTPUT.sub(run, text)


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda p: p.name)
def test_internal_links_lead_somewhere(page: Path) -> None:
    for link in links_of(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in anchors_of(target), f"{page.name}: {link}; there are {anchors_of(target)}"


def links_of(page: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"\w+:", link)]


def anchors_of(page: Path) -> list[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


def test_every_page_can_be_reached_from_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links_of(index)}
    assert set(PAGES) - {index} <= linked
    assert set((ROOT / "examples").glob("*.py")) <= linked


COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group of commands has them


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_stands_on_its_page_with_all_its_options(command: str) -> None:
    page = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    assert re.search(rf"^## `prefdissect {command}[ `]", page, re.MULTILINE)
    synopsis = re.search(rf"^prefdissect {command}\b.*?(?=^prefdissect |^```)", page, re.DOTALL | re.MULTILINE)[0]
    given = [option.opts for option in COMMANDS[command].params if option.opts[0].startswith("-")]
    missing = [opts for opts in given if not any(re.search(rf"[\[ ]{opt}\b(?!-)", synopsis) for opt in opts)]
    assert missing in ([], [["--help"]])


@pytest.mark.parametrize("name", pdx.__all__)
def test_every_public_name_stands_in_the_api_page(name: str) -> None:
    assert f"`{name}`" in API


@pytest.mark.parametrize("name", ["collect", "dissect", "load", "measure_text", "simulate", "Property"])
def test_signatures_on_the_api_page_are_those_of_the_code(name: str) -> None:
    written = re.search(rf"```text\n{name}\((.*?)\)(?: -> \w+)?\n```", API, re.DOTALL)[1]
    arguments = [re.split(r"=", part.strip()) for part in re.split(r",\s+|,$", written.strip())]
    shown = {a[0]: a[1:] for a in arguments if a[0] not in ("*", "")}
    parameters = inspect.signature(getattr(pdx, name)).parameters
    assert list(shown) == list(parameters)
    for argument, default in shown.items():
        actual = parameters[argument].default
        expected = [] if actual is inspect.Parameter.empty else [actual]
        assert [eval(d, {public: getattr(pdx, public) for public in pdx.__all__}) for d in default] == expected


@pytest.mark.parametrize("kind", [pdx.Dissection, pdx.PreferenceData, pdx.PreferencePairs, pdx.Posterior, pdx.Design])
def test_public_members_stand_in_the_reference(kind: type) -> None:
    reference = API + (ROOT / "docs" / "reference" / "data-contract.md").read_text(encoding="utf-8")
    for name in (n for n in dir(kind) if not n.startswith("_")):
        assert re.search(rf"[`.]{name}[`(\[]", reference), name


@pytest.mark.filterwarnings("ignore::prefdissect.errors.ConvergenceWarning")
def test_columns_on_the_api_page_are_those_of_the_tables() -> None:
    schema = pdx.PAPER.select(["clear", "lengthy"])
    study = pdx.simulate(50, schema=schema, judges=["ann"], scenarios=None, random_seed=0)
    result = pdx.dissect(study.data, draws=50, chains=2, random_seed=0)
    described = re.search(r"^`weights`:\n\n(.*?)\n\n", API, re.DOTALL | re.MULTILINE)[1]
    listed = re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in described.strip().splitlines()))
    assert sorted(listed) == sorted(result.weights.columns)
    for name, table in {
        "certificates": result.certificates,
        "summary": result.summary().reset_index(),
        "overall": result.overall(),
        "top": result.top(1),
        "predict": result.predict(study.data),
    }.items():
        paragraph = re.search(rf"^`{name}(?:\(\))?`:.*?\n\n", API, re.DOTALL | re.MULTILINE)[0]
        missing = [column for column in table.columns if f"`{column}`" not in paragraph]
        assert missing == [], name


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(render(path.read_text(encoding="utf-8")), encoding="utf-8")
