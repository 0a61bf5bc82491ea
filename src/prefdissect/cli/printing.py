"""How tables and results are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["print_result", "print_table"]

_UNIDENTIFIED = " *"
_SHOWN = ["property", "mean", "lower", "upper", "P(weight>0)", "probability", "differs in"]


def print_result(result: Any) -> None:
    """Print what was read, then the weights of each judge and group, largest first."""
    from prefdissect.describe import tell_of_pooling

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
        _print_weights(rows)
    _print_terms(result)
    if result.fitted.pooled is not None:
        typer.echo("\n" + "\n".join(tell_of_pooling(result.fitted.pooled)))
    if len(result.dropped):
        typer.echo("\nleft out:")
        print_table(result.dropped)


def _print_weights(rows: pd.DataFrame) -> None:
    """Print the weights of one fit, those that the data say nothing of with a mark."""
    marked = rows["label"].where(rows["identified"], rows["label"] + _UNIDENTIFIED)
    names = {"prob_positive": "P(weight>0)", "n_differs": "differs in"}
    print_table(rows.assign(property=marked).sort_values("mean", ascending=False).rename(columns=names)[_SHOWN])
    if not rows["identified"].all():
        typer.echo(f"{_UNIDENTIFIED.strip()} not identified: the property never differs, so the weight is the prior")


def _print_terms(result: Any) -> None:
    """Print what fits hold beside properties, one line a term; models of one fit at most, as they may be many."""
    terms, hint = result.nuisance, ""
    if len(terms) and len(result.judges) * len(result.groups) > 1:
        shown = terms["term"] != "generator"
        hint = "" if shown.all() else "models of several fits are not shown here: result.nuisance has them, in Python"
        terms = terms[shown]
    if len(terms):
        typer.echo("\nbeside properties (ties: how often equals are tied; else: how often it wins among equals):")
        names = {"probability_lower": "from", "probability_upper": "to"}
        columns = ["judge", "group", "term", "name", "probability", "from", "to"]
        print_table(terms.sort_values("probability", ascending=False, kind="stable").rename(columns=names)[columns])
    for note in [*result.design.notes, *([hint] if hint else [])]:
        typer.echo(note)


def print_table(table: pd.DataFrame) -> None:
    """Print a table, numbers of weights with their sign."""
    from tabulate import tabulate

    formats = ["+z.2f" if c in ("truth", "estimate", "mean", "lower", "upper") else ".3f" for c in table.columns]
    typer.echo(tabulate(table.to_dict("list"), headers="keys", tablefmt="simple", floatfmt=tuple(formats)))
