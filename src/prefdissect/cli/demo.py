"""`prefdissect demo`: a study whose weights are known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prefdissect.cli.options import Seed, check_can_write
from prefdissect.cli.printing import print_table
from prefdissect.cli.running import errors_told, run_and_tell

__all__ = ["demo"]

_DEMO_WEIGHTS = {
    "human": {"no_severe_errors": 0.5, "lengthy": 0.4, "novel": 0.3, "admit_limits": -0.5, "polite": 0.0},
    "llm": {"no_severe_errors": 1.2, "lengthy": 0.1, "novel": 0.4, "admit_limits": 0.0, "polite": 0.2},
}


def demo(
    seed: Seed = 0,
    report: Annotated[bool, typer.Option("--report", help="Write the study as one HTML file, too.")] = False,
    out: Annotated[Path, typer.Option(help="That file.")] = Path("prefdissect-demo.html"),
) -> None:
    """Simulate a small study with known weights, dissect it, print truth beside estimate."""
    import numpy as np

    from prefdissect.dissection import dissect
    from prefdissect.schema import PAPER
    from prefdissect.simulation import simulate

    schema = PAPER.select(next(iter(_DEMO_WEIGHTS.values())))
    truth = np.array([[[by_name[p] for p in schema.ids]] for by_name in _DEMO_WEIGHTS.values()])
    study = simulate(2000, schema=schema, judges=list(_DEMO_WEIGHTS), scenarios=None, weights=truth, random_seed=seed)
    typer.echo(f"Simulated {len(study.data)} pairs of responses, judged by {' and '.join(study.data.judges)}.\n")
    result = run_and_tell(dissect, study.data, random_seed=seed)
    percent = f"{100 * result.weights.attrs['interval']:g}%"
    table = result.weights.merge(study.weights, on=["judge", "group", "property"])
    inside = (table["lower"] <= table["weight"]) & (table["weight"] <= table["upper"])
    shown = table.assign(inside=inside.map({True: "yes", False: "no"}))
    shown = shown[["judge", "label", "weight", "mean", "lower", "upper", "inside"]].rename(
        columns={"label": "property", "weight": "truth", "mean": "estimate"}
    )
    print_table(shown)
    typer.echo(f"\n{int(inside.sum())} of {len(inside)} true weights lie inside their {percent} intervals.")
    if report:
        with errors_told():
            check_can_write(out)
            run_and_tell(result.report, out, title="A study whose weights are known")
            typer.echo(f"wrote {out.resolve()}: open it in a browser.")
