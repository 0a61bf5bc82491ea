"""What all tests share: no network, the slow ones on request, and the real data where there is any."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

os.environ["HF_HUB_OFFLINE"] = "1"

# The first example of a test may compile or import something heavy; pytest-timeout guards the rest.
# Where CI is set the same examples come each time, so that a change is judged by what it changes.
settings.register_profile("prefdissect", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("prefdissect")

_TO_TRAIN = ("datasets", "torch", "transformers", "trl")  # the extra train, which takes 1 GB
_DEFAULT_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-slow", action="store_true", help="also run the tests marked slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    missing = [name for name in _TO_TRAIN if find_spec(name) is None]
    lane = os.environ.get("PREFDISSECT_LANE")  # set where CI runs two Pythons at once
    for item in items:
        of = item.get_closest_marker("lane")
        if lane and of and of.args[0] != lane:
            reason = f"CI runs it on the {of.args[0]} Python only: no version of a package changes what it tests"
            item.add_marker(pytest.mark.skip(reason=reason))
        if item.get_closest_marker("slow") and not config.getoption("--run-slow"):
            item.add_marker(pytest.mark.skip(reason="slow: pass --run-slow"))
        if item.get_closest_marker("train") and missing:
            reason = f"train: {', '.join(missing)} not installed; pip install -e '.[test,train]' has all of it"
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder with the real data; the test is skipped where there is none."""
    folder = Path(os.environ.get("PREFDISSECT_DATA") or _DEFAULT_DATA)
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} is not a folder; set PREFDISSECT_DATA to the one that has it")
    return folder
