"""The command line: `prefdissect demo`, `dissect`, and what is asked of data and of saved dissections."""

from __future__ import annotations

from importlib import metadata
from typing import Annotated

import typer

from prefdissect.cli.annotating import annotate
from prefdissect.cli.auditing import audit
from prefdissect.cli.checking import check
from prefdissect.cli.comparing import compare
from prefdissect.cli.converting import convert
from prefdissect.cli.demo import demo
from prefdissect.cli.dissecting import dissect
from prefdissect.cli.explaining import explain
from prefdissect.cli.inspecting import inspect
from prefdissect.cli.judging import judge
from prefdissect.cli.plotting import plot
from prefdissect.cli.reporting import report
from prefdissect.cli.schemas import schema
from prefdissect.cli.steering import steer
from prefdissect.cli.training import pairs

__all__ = ["app"]

app = typer.Typer(
    help="Tell what a judge is preferring: a weight per property, with a posterior.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"prefdissect {metadata.version('prefdissect')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Tell what a judge is preferring: a weight per property, with a posterior."""


_ON_DATA = (demo, inspect, annotate, judge, dissect)
_ON_RESULTS = (compare, check, explain, plot, report, audit, steer, pairs, convert, schema)
for _command in (*_ON_DATA, *_ON_RESULTS):
    app.command()(_command)
