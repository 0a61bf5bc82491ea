"""`prefdissect steer`: messages that steer a model by a judge, and what comes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from prefdissect._typing import Direction
from prefdissect.cli.asking import (
    BaseUrl,
    Concurrency,
    Estimate,
    Extra,
    KeyEnv,
    Limit,
    Prices,
    Replies,
    RetryFailed,
    read_extra,
)
from prefdissect.cli.auditing import check_folder, write_tables
from prefdissect.cli.options import Seed, check_can_write
from prefdissect.cli.running import errors_told, run_and_tell
from prefdissect.errors import OptionError

__all__ = ["steer"]


def steer(
    result: Annotated[Path, typer.Argument(metavar="RESULT.nc", help="What `prefdissect dissect --out` saved.")],
    prompts: Annotated[
        str | None,
        typer.Argument(
            metavar="[PROMPTS]", help="File of prompts, alpaca_eval or mt_bench; without it messages are printed only."
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", help="Judge of RESULT.nc to steer by; may be left out if there is one."),
    ] = None,
    scenario: Annotated[str | None, typer.Option(help="Scenario: of the message, or of all prompts.")] = None,
    k: Annotated[int, typer.Option("--k", help="How many properties a message asks for.")] = 3,
    certain: Annotated[bool, typer.Option("--certain", help="Only properties whose sign is certain.")] = False,
    generator: Annotated[str | None, typer.Option(help="Model that writes the responses.")] = None,
    judge: Annotated[str | None, typer.Option(help="Model that judges them.")] = None,
    way: Annotated[str, typer.Option(help="How the judge is asked: letter, completion, reasoned, score.")] = "letter",
    out: Annotated[Path | None, typer.Option(help="Write every response with its score to this CSV file.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write scores and shifts as CSV files into this folder.")] = None,
    base_url: BaseUrl = None,
    key_env: KeyEnv = None,
    extra: Extra = None,
    judge_base_url: Annotated[
        str | None, typer.Option(help="Address of the judge's server, if it is another than the generator's.")
    ] = None,
    judge_key_env: Annotated[str | None, typer.Option(help="Variable of its key.")] = None,
    judge_extra: Annotated[str | None, typer.Option(help="JSON of further fields of the judge's requests.")] = None,
    limit: Limit = None,
    replies: Replies = None,
    prices: Prices = None,
    concurrency: Concurrency = 16,
    retry_failed: RetryFailed = False,
    estimate: Estimate = False,
    seed: Seed = 0,
) -> None:
    """Print messages that steer a model toward a judge and away from it; with PROMPTS, try them out.

    A judge that is asked with --way score rates each response from 1 to 10, as MT-Bench does; any other compares it
    with the unsteered one (or a column `baseline`), as AlpacaEval 2.0 does.
    """
    from prefdissect.audit import ChatGenerator, estimate_experiment, run_experiment
    from prefdissect.dissection import Dissection
    from prefdissect.judge import ChatJudge

    with errors_told():
        check_can_write(out)
        check_folder(csv)
        steering = Dissection.load(result).steering(by, k=k, certain=certain)
        if prompts is None:
            _print_messages(steering, scenario)
            return
        if generator is None or judge is None:
            raise OptionError("PROMPTS are given, so name who writes and who judges: --generator and --judge")
        writer = ChatGenerator(generator, base_url=base_url, key_env=key_env, extra=read_extra(extra))
        # a server gets the key that was named for it, and no other's
        at: dict[str, Any] = {"base_url": base_url, "key_env": judge_key_env or key_env}
        if judge_base_url is not None:
            at = {"base_url": judge_base_url, "key_env": judge_key_env}
        at |= {"extra": read_extra(judge_extra)}
        rater = ChatJudge(judge, way=way, **at)  # type: ignore[arg-type]  # it checks the way itself
        kept = replies or (out or Path("steered.csv")).with_suffix(".replies.sqlite")
        plan: dict[str, Any] = {"scenario": scenario, "scoring": "single" if way == "score" else "pairwise"}
        plan |= {"replies": kept, "prices": prices, "concurrency": concurrency}
        if estimate:
            for part in estimate_experiment(prompts, writer, rater, steering, **plan):
                typer.echo(repr(part))
            return
        done = run_and_tell(
            run_experiment,
            prompts,
            writer,
            rater,
            steering,
            **plan,
            limit=limit,
            retry_failed=retry_failed,
            random_seed=seed,
        )
        typer.echo(repr(done))
        if csv is not None:
            write_tables({"scores": done.scores, "shifts": done.shifts}, csv)
        if out is not None:
            done.responses.merge(done.judged.drop(columns="scenario"), "left").to_csv(out, index=False)
            typer.echo(f"\nwrote {out}")
        typer.echo(f"the replies are kept in {kept}")


def _print_messages(steering: Any, scenario: str | None) -> None:
    """Print every message there is, and why another is not; an error only where there is none at all."""
    found = 0
    for group in steering.groups if scenario is None else [scenario]:
        for direction in get_args(Direction):
            try:
                message = steering.message(group, direction)
            except OptionError as error:
                typer.echo(f"no message {direction}, {group}: {error}\n", err=True)
                continue
            if not found:
                typer.echo("in brackets: how likely a response with more of it is to be preferred, all else equal\n")
            found += 1
            typer.echo(f"{message.why()}\n\n{message}\n")
    if not found:
        raise OptionError("so there is no message at all; ask for fewer properties (--k)")
