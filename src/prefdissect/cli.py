"""The command line: `prefdissect demo`, `prefdissect dissect FILE --judge NAME`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prefdissect.errors import FileFormatError, PrefDissectError, PrefDissectWarning

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["app"]

app = typer.Typer(
    help="Tell what a judge is preferring: a weight per property, with a posterior.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_DEMO_WEIGHTS = {
    "human": {"no_severe_errors": 0.5, "lengthy": 0.4, "novel": 0.3, "admit_limits": -0.5, "polite": 0.0},
    "llm": {"no_severe_errors": 1.2, "lengthy": 0.1, "novel": 0.4, "admit_limits": 0.0, "polite": 0.2},
}
_SHOWN = ["property", "mean", "lower", "upper", "P(weight>0)", "probability", "differs in"]


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


Seed = Annotated[int, typer.Option("--seed", help="Seed of the draws; the same seed gives the same numbers.")]


@app.command()
def demo(seed: Seed = 0) -> None:
    """Simulate a small study with known weights, dissect it, print truth beside estimate."""
    import numpy as np

    from prefdissect.dissection import dissect
    from prefdissect.schema import PAPER
    from prefdissect.simulation import simulate

    schema = PAPER.select(next(iter(_DEMO_WEIGHTS.values())))
    truth = np.array([[[by_name[p] for p in schema.ids]] for by_name in _DEMO_WEIGHTS.values()])
    study = simulate(2000, schema=schema, judges=list(_DEMO_WEIGHTS), scenarios=None, weights=truth, random_seed=seed)
    typer.echo(f"Simulated {len(study.data)} pairs of responses, judged by {' and '.join(study.data.judges)}.\n")
    result = _run_and_tell(dissect, study.data, random_seed=seed)
    percent = f"{100 * result.weights.attrs['interval']:g}%"
    table = result.weights.merge(study.weights, on=["judge", "group", "property"])
    inside = (table["lower"] <= table["weight"]) & (table["weight"] <= table["upper"])
    shown = table.assign(inside=inside.map({True: "yes", False: "no"}))
    shown = shown[["judge", "label", "weight", "mean", "lower", "upper", "inside"]].rename(
        columns={"label": "property", "weight": "truth", "mean": "estimate"}
    )
    _print_table(shown)
    typer.echo(f"\n{int(inside.sum())} of {len(inside)} true weights lie inside their {percent} intervals.")


@app.command()
def dissect(
    file: Annotated[Path, typer.Argument(help="Table of pairs: parquet, CSV, JSON or JSON Lines.")],
    judge: Annotated[
        list[str] | None, typer.Option("--judge", "-j", help="Judge; repeat for several. Default: all.")
    ] = None,
    by: Annotated[str, typer.Option(help="scenario, case, both, none, or a column.")] = "scenario",
    encoding: Annotated[str, typer.Option(help="comparison, diff or norm_diff.")] = "comparison",
    ties: Annotated[str, typer.Option(help="drop or half.")] = "drop",
    schema: Annotated[str | None, typer.Option(help="paper, or a YAML or JSON file: how properties are rated.")] = None,
    engine: Annotated[str, typer.Option(help="exact, ep or nuts.")] = "exact",
    draws: Annotated[int, typer.Option(help="Draws per chain.")] = 1000,
    chains: Annotated[int, typer.Option(help="Chains.")] = 4,
    out: Annotated[Path | None, typer.Option(help="Save the dissection to this netCDF file.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write all weights to this CSV file.")] = None,
    seed: Seed = 0,
) -> None:
    """Dissect the judges of a table of pairs and print their weights."""
    from prefdissect.dissection import dissect as run
    from prefdissect.schema import PAPER

    try:
        for path in (out, csv):
            if path is not None and not path.parent.is_dir():  # before the work, not after it
                raise FileFormatError(f"cannot write {str(path)!r}: there is no folder {str(path.parent)!r}")
        result = _run_and_tell(
            run,
            file,
            judge or None,
            by=None if by == "none" else by,
            encoding=encoding,  # checked by `dissect`, which names the choices
            ties=ties,
            schema=PAPER if schema == "paper" else schema,
            engine=engine,
            draws=draws,
            chains=chains,
            random_seed=seed,
        )
        _print_result(result)
        if out is not None:
            typer.echo(f"\nsaved {result.save(out)}")
        if csv is not None:
            result.weights.to_csv(csv, index=False)
            typer.echo(f"\nwrote {csv}")
    except (PrefDissectError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


def _run_and_tell(run: Callable[..., Any], *args: Any, **options: Any) -> Any:
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


def _print_result(result: Any) -> None:
    """Print what was read, then the weights of each judge and group, largest first."""
    typer.echo(f"{result.data.report}\n")
    typer.echo(repr(result).partition("\n")[0])
    weights = result.weights
    percent = f"{100 * weights.attrs['interval']:g}%"
    for (judge, group), rows in weights.groupby(["judge", "group"], sort=False):
        if rows["engine"].iloc[0] == "none":
            typer.echo(f"\n{judge}, {group}: {rows['n_pairs'].iloc[0]} pairs, too few to fit")
            continue
        typer.echo(
            f"\n{judge}, {group}: {rows['n_pairs'].iloc[0]:,} pairs; lower and upper bound the {percent} interval"
        )
        ordered = rows.sort_values("mean", ascending=False).rename(
            columns={
                "label": "property",
                "property": "id",
                "prob_positive": "P(weight>0)",
                "n_differs": "differs in",
            }
        )
        _print_table(ordered[_SHOWN])
    if len(result.dropped):
        typer.echo("\nleft out:")
        _print_table(result.dropped)


def _print_table(table: pd.DataFrame) -> None:
    from tabulate import tabulate

    formats = ["+z.2f" if c in ("truth", "estimate", "mean", "lower", "upper") else ".3f" for c in table.columns]
    typer.echo(tabulate(table.to_dict("list"), headers="keys", tablefmt="simple", floatfmt=tuple(formats)))
