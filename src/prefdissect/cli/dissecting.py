"""`prefdissect dissect`: the weights of the judges of some data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from prefdissect._typing import Clustering, check_choice
from prefdissect.cli.options import (
    Cases,
    Cluster,
    Files,
    Format,
    Revision,
    Scenario,
    Schema,
    Seed,
    Split,
    as_source,
    check_can_write,
    find_schema,
    tell_schema_beside,
)
from prefdissect.cli.printing import print_result, print_table
from prefdissect.cli.running import errors_told, run_and_tell

if TYPE_CHECKING:
    from prefdissect.data import PreferenceData

__all__ = ["dissect"]

_Switch = Literal["auto", "yes", "no"]


def dissect(
    files: Files,
    judge: Annotated[
        list[str] | None, typer.Option("--judge", "-j", help="Judge; repeat for several. Default: all.")
    ] = None,
    labels: Annotated[
        list[str] | None,
        typer.Option(
            "--labels",
            metavar="[NAME=]FILE",
            help="Verdicts of one more judge: JSON list or object by pair id, or CSV. Repeat for several.",
        ),
    ] = None,
    property: Annotated[
        list[str] | None,
        typer.Option(
            "--property",
            help="Property, rated or to be measured from the texts; repeat for several. Default: all that are rated.",
        ),
    ] = None,
    by: Annotated[str, typer.Option(help="scenario, case, both, none, or a column.")] = "scenario",
    encoding: Annotated[str, typer.Option(help="comparison, diff or norm_diff.")] = "comparison",
    ties: Annotated[str, typer.Option(help="davidson, ordered, drop or half.")] = "davidson",
    order: Annotated[str, typer.Option(help="Being shown first as a term: auto, yes or no.")] = "auto",
    generators: Annotated[
        str, typer.Option(help="The models that wrote the responses as terms: auto, yes or no.")
    ] = "auto",
    cluster_weights: Annotated[
        str | None,
        typer.Option(help="Weigh rows by the design effect of clusters of pairs: auto or none. Default: with pooling."),
    ] = None,
    pooling: Annotated[str, typer.Option(help="Borrow from other judges and groups: none, partial or full.")] = "none",
    exclude_from_pool: Annotated[
        list[str] | None, typer.Option(metavar="JUDGE", help="Judge that is fitted apart; repeat for several.")
    ] = None,
    self_preference: Annotated[
        bool, typer.Option("--self-preference", help="With pooling: do judges prefer what they wrote themselves?")
    ] = False,
    preset: Annotated[str | None, typer.Option(help="paper: the paper's model, whatever the defaults.")] = None,
    schema: Schema = None,
    scenario: Scenario = None,
    case: Cases = None,
    cluster: Cluster = None,
    format: Format = None,
    split: Split = None,
    revision: Revision = None,
    engine: Annotated[str, typer.Option(help="exact, ep or nuts.")] = "exact",
    draws: Annotated[int, typer.Option(help="Draws per chain.")] = 1000,
    chains: Annotated[int, typer.Option(help="Chains.")] = 4,
    folds: Annotated[
        int | None, typer.Option(help="Average over fits that each leave out one of so many folds.")
    ] = None,
    interval: Annotated[float, typer.Option(help="Probability inside the intervals.")] = 0.94,
    robust: Annotated[
        bool,
        typer.Option(
            "--robust",
            help="Let clusters of pairs say how sure the data are: most intervals widen, and means move where the "
            "prior matters.",
        ),
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Save the dissection to this netCDF file.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write all weights to this CSV file.")] = None,
    seed: Seed = 0,
) -> None:
    """Dissect the judges of pairs and print their weights.

    Pairs that have texts and no ratings are measured by rules from their texts first; with --schema text all are.
    """
    from prefdissect.data import load_for
    from prefdissect.dissection import dissect as run
    from prefdissect.text import rate_only

    with errors_told():
        check_can_write(out, csv)
        for option, word in {"--order": order, "--generators": generators}.items():
            check_choice(option, word.casefold(), _Switch)
        if cluster_weights is not None:
            check_choice("--cluster-weights", cluster_weights, Clustering)
        tell_schema_beside(files, schema)
        data = load_for(
            as_source(files),
            judge or None,
            find_schema(schema),
            format=format,
            split=split,
            revision=revision,
            scenario=scenario,
            cases=case or (),
            cluster=cluster,
        )
        for one in labels or ():
            data = add_labels(data, one)
        if property:
            data = rate_only(data, property)
        result = run_and_tell(
            run,
            data,
            judge or None,
            by=None if by.casefold() == "none" else by,
            encoding=encoding,  # checked by `dissect`, which names the choices
            ties=ties,
            position=read_switch(order),
            generators=read_switch(generators),
            cluster=cluster_weights,
            pooling=pooling,
            exclude_from_pool=exclude_from_pool or (),
            self_preference=self_preference,
            preset=preset,
            engine=engine,
            draws=draws,
            chains=chains,
            folds=folds,
            interval=interval,
            robust=robust,
            random_seed=seed,
        )
        print_result(result)
        if self_preference:
            typer.echo("\nby how much judges prefer their own responses, log-odds:")
            print_table(result.self_preference)
        if out is not None:
            typer.echo(f"\nsaved {result.save(out)}")
        if csv is not None:
            result.weights.to_csv(csv, index=False)
            typer.echo(f"\nwrote {csv}")


def read_switch(word: str) -> bool | str:
    """Return True for `yes`, False for `no`, and `auto` as it is."""
    return {"yes": True, "no": False}.get(word.casefold(), "auto")


def add_labels(data: PreferenceData, asked: str) -> PreferenceData:
    """Return the data with the judge of `[NAME=]FILE`; without a name it is that of the file."""
    from prefdissect.data import read_labels

    name, mark, file = asked.partition("=")
    path = Path(file if mark else asked)
    return data.with_judge(name if mark else path.name.split(".")[0], read_labels(path))
