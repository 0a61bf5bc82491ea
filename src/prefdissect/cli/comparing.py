"""`prefdissect compare`: the judges of a saved dissection against one another, and against the paper's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prefdissect.cli.options import check_can_write
from prefdissect.cli.printing import print_table
from prefdissect.cli.running import errors_told, run_and_tell
from prefdissect.errors import OptionError

if TYPE_CHECKING:
    import pandas as pd

    from prefdissect.compare import JudgeSimilarity
    from prefdissect.dissection import Dissection

__all__ = ["compare"]

_MOST_PAIRS = 40  # of judges in a table on a screen
_NEAREST = 5


def compare(
    result: Annotated[Path, typer.Argument(metavar="RESULT.nc", help="What `prefdissect dissect --out` saved.")],
    method: Annotated[str, typer.Option(help="pearson, spearman, l1 or l2.")] = "pearson",
    group: Annotated[str | None, typer.Option(help="Group to compare in. Default: the mean over scenarios.")] = None,
    k: Annotated[int | None, typer.Option(help="Number of clusters. Default: where the tree is longest.")] = None,
    skipna: Annotated[bool, typer.Option("--skipna", help="Average over the scenarios that two judges share.")] = False,
    against: Annotated[str | None, typer.Option(help="paper: place the judges among its 33.")] = None,
    reference: Annotated[
        Path | None, typer.Option(help="Folder with the released weights. Default: the authors' Space on the Hub.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write all similarities, with ceilings, to this CSV file.")] = None,
) -> None:
    """Compare the judges of a saved dissection: similarities with intervals, ceilings, clusters, nearest judges."""
    from prefdissect._typing import check_choice
    from prefdissect.choose import pick
    from prefdissect.compare import Measure
    from prefdissect.compare.clusters import check_clusters
    from prefdissect.dissection import Dissection

    with errors_told():  # what can be refused is refused before the work, which may take a minute
        check_can_write(csv)
        check_choice("method", method, Measure)
        if reference is not None and against is None:
            raise OptionError(f"--reference {str(reference)!r} is read with --against paper only")
        dissected = Dissection.load(result)
        pick("group", group, dissected.groups)
        if k is not None and len(dissected.judges) > 1:
            check_clusters(k, len(dissected.judges))
        if against is not None:
            _print_places(dissected, against, reference, method)
            if len(dissected.judges) < 2:
                return
        similarity = run_and_tell(dissected.similarity, method, skipna=skipna)
        _print_similarity(similarity, group)
        if len(similarity.judges) > 2:
            typer.echo(f"\n{similarity.clusters(k, group=group)!r}")
        if csv is not None:
            similarity.to_frame(ceiling=True).to_csv(csv, index=False)
            typer.echo(f"\nwrote {csv}")


def _print_similarity(similarity: JudgeSimilarity, group: str | None) -> None:
    from prefdissect.compare.describe import cautions

    table = similarity.to_frame(ceiling=True)
    shown = table["group"].iloc[0] if group is None else group
    if group is not None:
        shown = group if (table["group"] == group).any() else table["group"].iloc[0]
    table = table[table["group"] == shown].drop(columns="group").sort_values("similarity", ascending=False)
    percent = f"{100 * similarity.interval:g}%"
    typer.echo(
        f"similarity ({similarity.method}), {shown}; lower and upper bound the {percent} interval of the corrected one"
    )
    left_out = len(table) - _MOST_PAIRS
    _print(table.head(_MOST_PAIRS))
    if left_out > 0:
        typer.echo(f"(the {left_out} least alike pairs of judges are not shown; --csv writes all)")
    for said in cautions(similarity):
        typer.echo(said, err=True)


def _print_places(dissected: Dissection, against: str, reference: Path | None, method: str) -> None:
    from prefdissect.compare import load_reference

    known = load_reference(against, reference)  # type: ignore[arg-type]  # checked there, which names the choices
    places = dissected.place_among(known, method=method)  # type: ignore[arg-type]
    typer.echo(f"nearest of {len(known.judges)} judges ({known.name})")
    print_table(places[places["rank"] <= _NEAREST])
    typer.echo("")


def _print(table: pd.DataFrame) -> None:
    from tabulate import tabulate

    typer.echo(tabulate(table.to_dict("list"), headers="keys", tablefmt="simple", floatfmt=".3f"))
