"""Data as AnnotatedPairs JSON 2.0, which feedback-forensics opens: judges and properties become annotators.

The rules that its app relies on are observed: `metadata` comes first, the default annotator has the id that the app
knows, every annotator occurs in a comparison, no text is empty, ids are unique.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from prefdissect._typing import FloatArray
from prefdissect.data.cells import plain
from prefdissect.data.combined import asked_rows
from prefdissect.data.identity import complete_ids
from prefdissect.data.readers.annotated_pairs import NO_TEXT
from prefdissect.data.writers.described import describe_pairs
from prefdissect.data.writers.whole import write_text
from prefdissect.errors import DataError, PrefDissectWarning, UnknownNameError, choices
from prefdissect.schema import Property

if TYPE_CHECKING:
    from prefdissect.data.preference_data import PreferenceData

__all__ = ["annotated_pairs", "write_annotated_pairs"]

# The app finds the default annotator by the hash of these very words (inverse_cai 0.4.8).
_DEFAULT = "Default annotator from original dataset (from column `preferred_text`)"
_TRAIT = "Select the response that "
_ID_COLUMNS = ("prompt_id", "response_id_a", "response_id_b", "cluster")
_TEXTS = ("prompt", "response_a", "response_b")
_OF_RESPONSES = ("model_a", "model_b")

Annotation = dict[str, str | None]


def write_annotated_pairs(data: PreferenceData, path: str | Path, *, default: str | None = None) -> Path:
    """Write AnnotatedPairs JSON 2.0 for the app of feedback-forensics, and return its path.

    The judge `default`, by default the first, is the default annotator; the others become annotators (`human`, `ai`,
    `unknown`) and properties annotators of type `principle`, by their comparison: no difference is `neither` where
    both responses are rated as having none of it and `both` otherwise, no rating is `invalid`, or `not_applicable`
    for properties that only some queries call for.

    There is one preference per judge and pair: several verdicts are averaged, and what lies between is decided at 0.5.
    An average of 0.5 that is no tie, such as two orders that disagree, is `not_applicable`, which `load` reads as
    invalid. A response without text gets "(no text)", its side and its pair, which `load` reads as no text. Other
    columns of `pairs` become metadata as text. Ratings, orders, weights and cases are not carried.

    Raises
    ------
    UnknownNameError
        If no judge is called `default`.
    DataError
        If there is no verdict, or the file cannot be written.

    Warns
    -----
    PrefDissectWarning
        If verdicts were decided at 0.5, or are undecided.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import prefdissect as pdx
    >>> study = pdx.simulate(20, judges=["ann", "bob"], random_seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = pdx.load(write_annotated_pairs(study.data, Path(folder) / "study.json", default="bob"))
    >>> again.judges, again.labels["ann"].equals(study.data.labels["ann"])
    (['bob', 'ann'], True)
    """
    path = Path(path)
    content = annotated_pairs(data, default=default, name=path.stem)
    return write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def annotated_pairs(data: PreferenceData, *, default: str | None = None, name: str = "") -> dict[str, Any]:
    """Return what `write_annotated_pairs` writes: metadata, annotators, comparisons."""
    judges = _order_judges(data, default)
    answers = {judge: _preferences(data.verdicts[data.verdicts["judge"] == judge]) for judge in judges}
    annotators: dict[str, dict[str, str]] = {}
    annotations: list[Mapping[str, Annotation]] = []
    for number, judge in enumerate(judges):
        description = f"Judge {judge}" if number else _DEFAULT
        _declare(annotators, description, name=judge, type=_type_of(data.verdicts, judge))
        annotations.append(answers[judge])
    for k, prop in enumerate(data.schema):
        _declare(annotators, _describe_trait(prop), name=prop.id, type="principle")
        answered = _trait_preferences(prop, data.ratings[:, :, k], data.comparisons[:, k])
        annotations.append(dict(zip(data.pairs.index, answered, strict=True)))
    pairs = describe_pairs(data)
    about = _metadata_columns(pairs)
    comparisons = [
        _comparison(
            str(pair),
            row,
            metadata,
            {key: given[pair] for key, given in zip(annotators, annotations, strict=True) if pair in given},
        )
        for pair, row, metadata in zip(pairs.index, _records(pairs), _records(about), strict=True)
    ]
    metadata = {
        "version": "2.0",
        "description": f"{len(pairs)} pairs, written by prefdissect.{_count_soft(answers, data.verdicts)}",
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "dataset_name": name,
        "default_annotator": next(iter(annotators)),
        "available_metadata_keys_per_comparison": list(about.columns),
    }
    return {"metadata": metadata, "annotators": annotators, "comparisons": comparisons}


def _order_judges(data: PreferenceData, default: str | None) -> list[str]:
    """Return the judges that gave a verdict, the default one first: the app fails over an annotator without any."""
    asked = set(data.verdicts["judge"].astype(str))
    judges = [judge for judge in data.judges if judge in asked]
    if default is not None and default not in judges:
        raise UnknownNameError(f"default={default!r} is no judge with a verdict; {choices(default, judges)}")
    if not judges:
        raise DataError("these data have no verdict, and AnnotatedPairs need a default annotator; add one: with_judge")
    first = default or judges[0]
    return [first, *(judge for judge in judges if judge != first)]


def _declare(annotators: dict[str, dict[str, str]], description: str, **fields: str) -> None:
    """Add an annotator under the first 8 digits of its description's hash, as the app makes ids."""
    while (key := hashlib.md5(description.encode("utf-8"), usedforsecurity=False).hexdigest()[:8]) in annotators:
        description += "."
    annotators[key] = {"name": fields["name"], "description": description, "type": fields["type"]}


def _type_of(verdicts: pd.DataFrame, judge: str) -> str:
    asked = asked_rows(verdicts)
    kinds = set(asked.loc[asked["judge"] == judge, "kind"].dropna()) if "kind" in verdicts else set()
    if kinds == {"human"}:
        return "human"
    return "ai" if kinds and kinds <= {"argmax", "sampled"} else "unknown"


def _describe_trait(prop: Property) -> str:
    if prop.description.startswith(_TRAIT):  # read from AnnotatedPairs
        return prop.description
    return f"{_TRAIT}has more of the property '{prop.label}'"


def _preferences(verdicts: pd.DataFrame) -> dict[str, Annotation]:
    """Return the one preference that the verdicts of a judge on each pair come to."""
    value, weight = verdicts["value"].to_numpy(), verdicts["weight"].to_numpy()
    weighed = verdicts.assign(value=np.where(weight > 0, value * weight, 0.0), outcome=verdicts["outcome"].astype(str))
    usable = weighed["outcome"].where(weighed["weight"] > 0)
    grouped = weighed.assign(usable=usable).groupby("pair_id", sort=False)
    means = (grouped["value"].sum() / grouped["weight"].sum().replace(0.0, np.nan)).round(12)
    outcomes = grouped["usable"].agg(lambda cells: "+".join(sorted(set(cells.dropna()))))
    return {str(pair): _decide(mean, said) for pair, mean, said in zip(means.index, means, outcomes, strict=True)}


def _decide(mean: float, said: str) -> Annotation:
    outcomes = set(said.split("+"))
    if not said:
        return _none("invalid")
    if mean != 0.5:
        return {"pref": "a" if mean > 0.5 else "b"}
    if outcomes <= {"tie", "both_bad"}:
        return _none("neither" if outcomes == {"both_bad"} else "both")
    return _none("not_applicable")  # undecided is no tie


def _none(reason: str) -> Annotation:
    return {"pref": None, "no_pref_reason": reason}


def _trait_preferences(prop: Property, ratings: FloatArray, differences: FloatArray) -> list[Annotation]:
    """Return which response has more of a property, [pair]; and where none has, why."""
    a, b = ratings[:, 0], ratings[:, 1]
    given = np.isnan(a) | np.isnan(b)
    signs = np.where(given, prop.encode_difference(differences), prop.encode(a, b))
    unknown = given & np.isnan(differences)
    least = prop.range[0] if prop.range is not None else 0.0
    lacking = (a == least) & (b == least) & (prop.kind != "label") & (prop.direction == "higher")
    why_not = np.where(unknown, "not_applicable" if prop.missing == "zero" else "invalid", "both")
    reasons = np.where(lacking, "neither", why_not)
    return [
        _none(str(reason)) if missing or sign == 0 else {"pref": "a" if sign > 0 else "b"}
        for sign, reason, missing in zip(signs, reasons, unknown, strict=True)
    ]


def _metadata_columns(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return, as text, what is known of a pair beyond texts and models; ids only where the texts do not give them."""
    hashed = complete_ids(pairs[[c for c in _TEXTS if c in pairs]], None, None)
    implied = [c for c in _ID_COLUMNS if c in pairs and pairs[c].astype(object).equals(hashed[c].astype(object))]
    about = pairs.drop(columns=[*_TEXTS, *_OF_RESPONSES, *implied], errors="ignore").dropna(axis=1, how="all")
    return pd.DataFrame({name: plain(about[name]) for name in about}, index=pairs.index)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the cells of each row that are not empty."""
    columns = {str(name): plain(table[name]).tolist() for name in table}
    return [
        {name: cells[row] for name, cells in columns.items() if cells[row] is not None} for row in range(len(table))
    ]


def _comparison(
    pair: str, row: Mapping[str, Any], metadata: Mapping[str, Any], annotations: Mapping[str, Annotation]
) -> dict[str, Any]:
    responses = {}
    for side in "ab":
        text = str(row.get(f"response_{side}", ""))
        response = {"text": text if text.strip() else f"{NO_TEXT} response {side.upper()} of {pair}"}
        model = row.get(f"model_{side}")
        responses[f"response_{side}"] = response if model is None else response | {"model": str(model)}
    return {
        "id": pair,
        "prompt": row.get("prompt"),
        **responses,
        "annotations": dict(annotations),
        "metadata": {name: str(cell) for name, cell in metadata.items()},
    }


def _count_soft(answers: Mapping[str, Mapping[str, Annotation]], verdicts: pd.DataFrame) -> str:
    """Say how many preferences were decided at 0.5 or left undecided, and warn of it."""
    usable = verdicts[verdicts["weight"] > 0]
    keys = usable["pair_id"].astype(str) + "\x1f" + usable["judge"].astype(str)
    mixed = usable["outcome"].astype(str).groupby(keys).agg(lambda said: len(set(said)) > 1 or "soft" in set(said))
    undecided = sum(a.get("no_pref_reason") == "not_applicable" for given in answers.values() for a in given.values())
    decided = int(mixed.sum()) - undecided if len(mixed) else 0
    if not decided and not undecided:
        return ""
    said = f"Of soft or disagreeing verdicts, {decided} were decided at 0.5 and {undecided} left undecided"
    warnings.warn(f"{said}: AnnotatedPairs hold one preference per judge and pair", PrefDissectWarning, stacklevel=4)
    return f" {said}."
