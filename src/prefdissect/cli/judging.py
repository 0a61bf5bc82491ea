"""`prefdissect judge`: a model's verdicts on some pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prefdissect.cli.asking import (
    BaseUrl,
    Concurrency,
    Estimate,
    Extra,
    KeyEnv,
    Limit,
    Model,
    Prices,
    Replies,
    RetryFailed,
    Seed,
    interruption_told,
    read_extra,
)
from prefdissect.cli.options import Format, Revision, Schema, Split, check_can_write, find_schema
from prefdissect.cli.running import errors_told, run_and_tell

__all__ = ["judge"]


def judge(
    source: Annotated[str, typer.Argument(metavar="IN", help="File, folder, or address on the hub, with texts.")],
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="Tidy parquet, CSV, JSON or JSON Lines, one row per verdict.")
    ],
    model: Model,
    way: Annotated[str, typer.Option(help="letter, completion (the paper's), reasoned or score.")] = "letter",
    orders: Annotated[str, typer.Option(help="both, given or random.")] = "both",
    repeats: Annotated[int, typer.Option(help="How often each is asked.")] = 1,
    name: Annotated[str | None, typer.Option(help="What the judge is called in OUT; by default as the model.")] = None,
    base_url: BaseUrl = None,
    key_env: KeyEnv = None,
    extra: Extra = None,
    limit: Limit = None,
    replies: Replies = None,
    prices: Prices = None,
    concurrency: Concurrency = 16,
    retry_failed: RetryFailed = False,
    seed: Seed = 0,
    estimate: Estimate = False,
    format: Format = None,
    schema: Schema = None,
    split: Split = None,
    revision: Revision = None,
) -> None:
    """Ask a model which response of each pair is better, and write the data with its verdicts.

    Run again, it goes on where it was: every reply is kept, and costs nothing the second time.
    """
    from prefdissect.data import load
    from prefdissect.data.extend import check_new_judge
    from prefdissect.data.writers.tidy import check_table
    from prefdissect.judge import ChatJudge, collect, estimate_collect

    with errors_told():
        asked = ChatJudge(model, way=way, base_url=base_url, key_env=key_env, extra=read_extra(extra))  # type: ignore[arg-type]
        check_can_write(target)
        data = load(source, format=format, schema=find_schema(schema), split=split, revision=revision)
        check_new_judge(data, name or model)
        check_table(data.pairs, target)  # before anything is paid for
        kept = replies or target.with_suffix(".replies.sqlite")
        plan = {"orders": orders, "repeats": repeats, "random_seed": seed}
        plan |= {"replies": kept, "prices": prices, "concurrency": concurrency}
        if estimate:
            typer.echo(repr(estimate_collect(data, asked, **plan)))  # type: ignore[arg-type]  # checked there
            return
        with interruption_told(kept):
            found = run_and_tell(collect, data, asked, **plan, name=name, limit=limit, retry_failed=retry_failed)
        written = run_and_tell(found.data.to_file, target)
        typer.echo(f"{found!r}\n\nwrote {written}; the replies are kept in {kept}")
        typer.echo(f"next: prefdissect dissect {written}{f' --schema {schema}' if schema else ''}")
