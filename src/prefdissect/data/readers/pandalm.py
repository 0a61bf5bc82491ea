"""PandaLM's test set: several annotators in columns, and models' results in files of their own, joined by idx."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from prefdissect.data.cells import plain
from prefdissect.data.identity import as_names
from prefdissect.data.readers.codes import decode
from prefdissect.data.readers.layout import Layout, Part, Reading
from prefdissect.errors import DataError, DuplicateError

__all__ = ["PANDALM"]

_CODES = {0: "tie", 1: "A", 2: "B", "tie": "tie", "garbage": "invalid"}
_COLUMNS = ("idx", "instruction", "input", "response1", "response2")
_RESULT, _SET = "_result", "-testset"
_DOUBTFUL = r"^\((.*)\)\?$"  # an app that the source is not sure of


def _read(parts: Sequence[Part]) -> Reading:
    pairs = [part for part in parts if part.columns.issuperset(_COLUMNS)]
    if not pairs:
        raise DataError(
            f"{', '.join(part.where for part in parts)}: results of PandaLM's judges without the responses, which "
            "are in the test set; load both: load([testset, results])"
        )
    table = pd.concat([part.content for part in pairs], ignore_index=True)
    ids = as_names(table["idx"])
    verdicts = {
        f"judge_human{column.removeprefix('annotator')}": decode(table[column], _CODES)
        for column in map(str, table.columns)
        if column.startswith("annotator")
    }
    for part in parts:
        if part not in pairs:
            verdicts |= _results(part, ids)
    instructions = zip(plain(table["instruction"]), plain(table["input"]), strict=True)
    tidy = pd.DataFrame({"pair_id": ids, "prompt": [_prompt(*both) for both in instructions]})
    for side, column in (("a", "response1"), ("b", "response2")):
        tidy[f"response_{side}"] = [_as_text(cell) for cell in plain(table[column])]
    facts = [("texts", "a response that is the JSON value true or false is that word")]
    if "cmp_key" in table:
        models = table["cmp_key"].astype(str).str.split("_", n=1, expand=True)
        tidy["model_a"], tidy["model_b"] = models[0], models.get(1)
    if "motivation_app" in table:
        tidy["scenario"] = table["motivation_app"].str.replace(_DOUBTFUL, r"\1", regex=True)
    used = [*_COLUMNS, "cmp_key", "motivation_app", *(c for c in table.columns if str(c).startswith("annotator"))]
    return Reading(pd.concat([tidy.assign(**verdicts), table.drop(columns=used, errors="ignore")], axis=1), facts)


def _prompt(instruction: object, given: object) -> str | None:
    texts = [str(text) for text in (instruction, given) if text not in (None, "")]
    return "\n\n".join(texts) or None


def _as_text(cell: object) -> str | None:
    """Return a response as text: some are the JSON value true."""
    return str(cell).lower() if isinstance(cell, bool) else None if cell is None else str(cell)


def _results(part: Part, ids: pd.Series) -> dict[str, pd.Series]:
    """Return the verdicts of one file of results, on the rows of the test set."""
    table = part.content.set_index(as_names(part.content["idx"]).to_numpy())
    if table.index.has_duplicates:
        raise DuplicateError(f"{part.where} has idx {table.index[table.index.duplicated()][0]!r} more than once")
    unknown = table.index[~table.index.isin(ids)]
    if len(unknown):
        raise DataError(f"{part.where}: idx {unknown[0]!r} is not in the test set ({len(unknown)} such rows)")
    columns = [str(c) for c in table.columns if str(c).endswith(_RESULT)]
    judge = part.name.partition(_SET)[0]
    names = {c: judge if len(columns) == 1 and _SET in part.name else c.removesuffix(_RESULT) for c in columns}
    return {f"judge_{names[c]}": decode(table[c], _CODES).reindex(ids).set_axis(ids.index) for c in columns}


def _is_result(part: Part) -> bool:
    return "idx" in part.columns and any(column.endswith(_RESULT) for column in part.columns)


PANDALM = Layout("pandalm", "PandaLM test set", _COLUMNS, _read, joins=_is_result)
