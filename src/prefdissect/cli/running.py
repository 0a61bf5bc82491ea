"""Run what a command asks for: warnings in one line each, errors in one line and exit status 1."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from prefdissect.errors import PrefDissectError, PrefDissectWarning

__all__ = ["errors_told", "run_and_tell"]


@contextmanager
def errors_told() -> Iterator[None]:
    """Say an error of ours, or of the file system, in one line, and end with exit status 1."""
    try:
        yield
    except (PrefDissectError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


def run_and_tell(run: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Return what `run` returns, its warnings printed in one line each."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", PrefDissectWarning)
        result = run(*args, **options)
    for warning in caught:
        if issubclass(warning.category, PrefDissectWarning):
            typer.echo(f"warning: {warning.message}", err=True)
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return result
