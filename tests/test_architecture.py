"""The package is built as ARCHITECTURE.md says, in small files, behind a light front door."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import prefdissect

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "src" / "prefdissect"
MAX_LINES = 400
HEAVY = (
    "arviz",
    "huggingface_hub",
    "matplotlib",
    "numba",
    "pandas",
    "pymc",
    "pytensor",
    "scipy.stats",
    "typer",
    "xarray",
)


def source_files() -> list[Path]:
    files = sorted(PACKAGE.rglob("*.py"))
    assert files, f"no source files in {PACKAGE}"
    return files


def modules_in_the_tree() -> set[str]:
    """Return every module but the `__init__.py` of rooms, relative to the package."""
    paths = {file.relative_to(PACKAGE).as_posix() for file in source_files()}
    return {path for path in paths if path == "__init__.py" or not path.endswith("/__init__.py")}


def modules_in_the_table() -> list[str]:
    """Return the module paths in backticks in the first column of the tables of ARCHITECTURE.md."""
    text = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")
    first_cells = re.findall(r"^\s*\|([^|]*)\|", text, flags=re.MULTILINE)
    return [path for cell in first_cells for path in re.findall(r"`([^`]+\.py)`", cell)]


def test_architecture_table_lists_every_module_once() -> None:
    table = Counter(modules_in_the_table())
    tree = modules_in_the_tree()

    assert {path for path, times in table.items() if times > 1} == set(), "listed twice in ARCHITECTURE.md"
    assert tree - set(table) == set(), "not in the table of ARCHITECTURE.md"
    assert set(table) - tree == set(), "in the table of ARCHITECTURE.md, but not in src/prefdissect"


def test_package_is_marked_as_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()


def test_no_source_file_is_too_long() -> None:
    lines = {
        file.relative_to(PACKAGE).as_posix(): len(file.read_text(encoding="utf-8").splitlines())
        for file in source_files()
    }
    too_long = {path: count for path, count in lines.items() if count > MAX_LINES}

    assert too_long == {}, f"a file is one idea, at most {MAX_LINES} lines"


def test_import_loads_nothing_heavy() -> None:
    code = f"import sys, prefdissect; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)

    assert run.returncode == 0, f"`import prefdissect` failed with warnings as errors:\n{run.stderr}"
    assert run.stdout.split() == [], "`import prefdissect` loads these; import them where they are used"


def test_every_public_name_resolves_and_is_listed() -> None:
    names = prefdissect.__all__

    assert len(set(names)) == len(names), "a name is twice in __all__"
    for name in names:
        assert getattr(prefdissect, name) is not None, f"prefdissect.{name} is None"
    assert set(names) - set(dir(prefdissect)) == set(), "in __all__, but not in dir(prefdissect)"
