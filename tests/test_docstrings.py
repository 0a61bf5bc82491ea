"""Every example in a docstring runs, and every public name has one."""

import doctest
import importlib
import pkgutil

import pytest

import prefdissect

MODULES = sorted(m.name for m in pkgutil.walk_packages(prefdissect.__path__, "prefdissect."))


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    results = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert results.failed == 0


def needs_none(public):
    """Constants have no docstring, and an error is shown by what raises it."""
    return not hasattr(public, "__name__") or (isinstance(public, type) and issubclass(public, Exception))


@pytest.mark.parametrize("name", [n for n in prefdissect.__all__ if not needs_none(getattr(prefdissect, n))])
def test_public_names_have_an_example(name):
    assert ">>>" in getattr(prefdissect, name).__doc__, f"prefdissect.{name} has no example in its docstring"
