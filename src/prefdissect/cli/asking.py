"""Options of the commands that ask models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from prefdissect.errors import OptionError

__all__ = [
    "BaseUrl",
    "Concurrency",
    "Estimate",
    "Extra",
    "KeyEnv",
    "Limit",
    "Model",
    "Prices",
    "Replies",
    "RetryFailed",
    "Seed",
    "interruption_told",
    "read_extra",
]

Model = Annotated[str, typer.Option("--model", help="Name by which the server knows the model.")]
BaseUrl = Annotated[
    str | None,
    typer.Option("--base-url", help="Address of a server, such as http://127.0.0.1:8000/v1; OpenAI's by default."),
]
KeyEnv = Annotated[
    str | None,
    typer.Option(
        "--key-env",
        help="Environment variable that holds the key; OPENAI_API_KEY for OpenAI, and no key for other servers, by "
        "default.",
    ),
]
Limit = Annotated[str | None, typer.Option("--limit", help="The most to use: $5, or 200 calls.")]
Replies = Annotated[
    Path | None,
    typer.Option("--replies", help="File that keeps every reply, so that a run goes on where it was; beside OUT."),
]
Prices = Annotated[
    Path | None, typer.Option("--prices", help="YAML of lines `model: \\[input, output]`, US dollars a million tokens.")
]
Extra = Annotated[
    str | None,
    typer.Option(
        "--extra",
        help="JSON of further fields of each request; null leaves one out, as in "
        '{"max_tokens": null, "max_completion_tokens": 4000}.',
    ),
]
Concurrency = Annotated[int, typer.Option("--concurrency", help="Calls in flight at once.")]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Ask again where a reply could not be used.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the random orders.")]
Estimate = Annotated[
    bool, typer.Option("--estimate", help="Say what the run would take, and ask nothing; needs no key.")
]


@contextmanager
def interruption_told(kept: Path) -> Iterator[None]:
    """Say at an interrupt (Ctrl-C) that nothing is lost, and end with exit status 130."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"stopped; replies so far are kept in {kept}: give the same command again to go on", err=True)
        raise typer.Exit(130) from None


def read_extra(text: str | None) -> dict[str, Any] | None:
    """Return the further fields of requests.

    Raises
    ------
    OptionError
        If the text is no JSON object.
    """
    if text is None:
        return None
    try:
        fields = json.loads(text)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise OptionError(f"--extra {text!r} is no JSON object; give one such as '{{\"temperature\": 1}}'")
    return fields
