"""`prefdissect annotate`: rate the responses of pairs by asking a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prefdissect.cli import asking
from prefdissect.cli.options import Cases, Format, Revision, Scenario, Split, check_can_write, find_schema
from prefdissect.cli.running import errors_told, run_and_tell

if TYPE_CHECKING:
    from prefdissect.data import PreferenceData

__all__ = ["annotate"]


def annotate(
    source: Annotated[str, typer.Argument(metavar="IN", help="File, folder, or address on the hub.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="Tidy parquet, CSV, JSON or JSON Lines.")],
    model: asking.Model,
    schema: Annotated[str, typer.Option("--schema", help="What to rate: paper, or a YAML or JSON file.")] = "paper",
    mode: Annotated[str, typer.Option("--mode", help="pairwise: both responses in one call; single: each alone.")] = (
        "pairwise"
    ),
    orders: Annotated[str, typer.Option("--orders", help="Which is shown first: random, both or given.")] = "random",
    repeats: Annotated[int, typer.Option("--repeats", help="How often each call is made.")] = 1,
    references: Annotated[str | None, typer.Option("--references", help="Column of reference answers.")] = None,
    scenarios: Annotated[
        bool, typer.Option("--scenarios", help="Also assign each prompt to one of the paper's 11 scenarios.")
    ] = False,
    given: Annotated[
        str | None, typer.Option("--given-schema", help="How ratings that IN has already are rated.")
    ] = None,
    scenario: Scenario = None,
    case: Cases = None,
    format: Format = None,
    split: Split = None,
    revision: Revision = None,
    seed: asking.Seed = 0,
    estimate: asking.Estimate = False,
    limit: asking.Limit = None,
    base_url: asking.BaseUrl = None,
    key_env: asking.KeyEnv = None,
    extra: asking.Extra = None,
    replies: asking.Replies = None,
    prices: asking.Prices = None,
    concurrency: asking.Concurrency = 16,
    retry_failed: asking.RetryFailed = False,
) -> None:
    """Rate the responses of pairs by asking a model, and write them with their ratings.

    A run that was stopped goes on where it was: give the same command again.
    """
    from prefdissect.data import load
    from prefdissect.llm import Limit, Server
    from prefdissect.measure import Annotated as Result
    from prefdissect.measure import annotate as run
    from prefdissect.measure import estimate_annotation, estimate_scenarios
    from prefdissect.measure.scenario import assign_with_use

    with errors_told():
        check_can_write(target)
        data = load(
            source,
            format=format,
            split=split,
            revision=revision,
            schema=find_schema(given),
            scenario=scenario,
            cases=case or (),
        )
        kept = replies or target.with_suffix(".replies.sqlite")
        fields = asking.read_extra(extra)
        server: dict[str, Any] = {"base_url": base_url, "extra": fields}
        how: dict[str, Any] = {"replies": kept, "prices": prices, "concurrency": concurrency}
        what: dict[str, Any] = {
            "schema": find_schema(schema),
            "mode": mode,
            "orders": orders,
            "repeats": repeats,
            "references": references,
            "random_seed": seed,
        }
        if estimate:
            if scenarios:
                typer.echo(f"scenarios: {estimate_scenarios(data, model, **server, **how)}")
            typer.echo(f"ratings: {estimate_annotation(data, model, **what, **server, **how)}")
            return
        how |= {"limit": Limit.read(limit), "retry_failed": retry_failed}
        with asking.interruption_told(kept):
            if scenarios:
                data, used = run_and_tell(
                    assign_with_use, data, model, server=Server(base_url, key_env=key_env), extra=fields, **how
                )
                how["limit"] = how["limit"].after(used)  # one limit for the whole command
            result: Result = run_and_tell(run, data, model, **what, **server, **how, key_env=key_env)
        typer.echo(f"{result}\n\nwrote {result.data.to_file(target)}; replies are kept in {kept}")
        typer.echo(_how_to_go_on(result.data, target, schema))


def _how_to_go_on(data: PreferenceData, target: Path, schema: str) -> str:
    """Return the command that reads the file as it was meant: a table cannot say how it is rated, or what is a case.

    Pairs that nobody judged are for a judge first.
    """
    if not data.judges:
        judged = target.with_name(f"judged-{target.name}")
        asks = f"next: prefdissect judge {target} {judged} --schema {schema} --model MODEL"
        return f"{asks}\nthen: {_how_to_dissect(data, judged, schema)}"
    return f"next: {_how_to_dissect(data, target, schema)}"


def _how_to_dissect(data: PreferenceData, target: Path, schema: str) -> str:
    cases = "".join(f" --case {name}" for name, kind in data.group_kinds.items() if kind == "case")
    return f"prefdissect dissect {target} --schema {schema}{cases}"
