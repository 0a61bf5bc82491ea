"""Options of the commands that ask models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["BaseUrl", "Concurrency", "Estimate", "KeyEnv", "Limit", "Model", "Prices", "Replies", "RetryFailed"]

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
    Path | None, typer.Option("--prices", help="YAML of lines `model: [input, output]`, US dollars a million tokens.")
]
Concurrency = Annotated[int, typer.Option("--concurrency", help="Calls in flight at once.")]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Ask again where a reply could not be used.")]
Estimate = Annotated[
    bool, typer.Option("--estimate", help="Say what the run would take, and ask nothing; needs no key.")
]
