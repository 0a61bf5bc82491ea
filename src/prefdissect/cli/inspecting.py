"""`prefdissect inspect`: what is understood of some data, before any fit."""

from __future__ import annotations

import typer

from prefdissect.cli.options import (
    Cases,
    Cluster,
    Files,
    Format,
    Revision,
    Scenario,
    Schema,
    Split,
    as_source,
    find_schema,
    tell_schema_beside,
)
from prefdissect.cli.printing import print_table
from prefdissect.cli.running import errors_told

__all__ = ["inspect"]


def inspect(
    files: Files,
    scenario: Scenario = None,
    case: Cases = None,
    cluster: Cluster = None,
    format: Format = None,
    schema: Schema = None,
    split: Split = None,
    revision: Revision = None,
) -> None:
    """Say what was recognised: layout, judges with counts, properties, groups, what was left out and why."""
    from prefdissect.data import load
    from prefdissect.data.overview import count_groups, count_judges

    with errors_told():
        tell_schema_beside(files, schema)
        data = load(
            as_source(files),
            format=format,
            split=split,
            revision=revision,
            scenario=scenario,
            cases=case or (),
            cluster=cluster,
            schema=find_schema(schema),
        )
        typer.echo(str(data.report))
        for table in (count_judges(data), count_groups(data)):
            if len(table):
                typer.echo("")
                print_table(table)
