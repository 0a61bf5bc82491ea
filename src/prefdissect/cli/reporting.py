"""`prefdissect report`: a saved dissection as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from prefdissect._typing import check_choice
from prefdissect.cli.options import as_source, check_can_write
from prefdissect.cli.running import errors_told, run_and_tell

__all__ = ["report"]

_Shown: TypeAlias = Literal["sample", "all", "none"]
_TEXTS: dict[str, Literal["sample"] | bool] = {"sample": "sample", "all": True, "none": False}


def report(
    result: Annotated[Path, typer.Argument(metavar="RESULT.nc", help="What `prefdissect dissect --out` saved.")],
    out: Annotated[Path, typer.Argument(metavar="OUT.html", help="The file to write.")],
    texts: Annotated[
        str, typer.Option(help="sample (200 pairs), all or none: prompts and responses, which readers of it can see.")
    ] = "sample",
    data: Annotated[
        list[str] | None,
        typer.Option(help="The pairs with their texts, which RESULT.nc lacks; repeat for several files."),
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="Released judges to compare with: paper, or a folder that has their files.")
    ] = None,
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "What judges prefer",
) -> None:
    """Write a saved dissection to one HTML file, which opens without server or network."""
    from prefdissect.compare import load_reference
    from prefdissect.dissection import Dissection

    with errors_told():
        check_choice("--texts", texts, _Shown)
        check_can_write(out)
        released = None
        if reference is not None:
            released = load_reference("paper", None if reference == "paper" else Path(reference))
        saved = Dissection.load(result)
        run_and_tell(
            saved.report,
            out,
            texts=_TEXTS[texts],
            data=as_source(data) if data else None,
            reference=released,
            title=title,
        )
        typer.echo(f"wrote {out}")
        if texts != "none" and not data and not {"prompt", "response_a", "response_b"} & set(saved.data.pairs):
            typer.echo(f"it holds no texts, as {result.name} holds none; --data PAIRS says where they are")
