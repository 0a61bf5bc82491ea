"""AnnotatedPairs JSON of feedback-forensics and ICAI: traits become comparisons, annotators judges."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from prefdissect.data.readers.conversation import content_text, last_exchange, read_turns
from prefdissect.data.readers.layout import Layout, Part, Reading
from prefdissect.data.readers.nested import as_items, as_mapping
from prefdissect.errors import DataError, DuplicateError, VerdictError, show
from prefdissect.schema import Property, PropertySchema

__all__ = ["ANNOTATED_PAIRS", "NO_TEXT"]

NO_TEXT = "(no text)"  # begins what stands for a text in files whose readers insist on one

_KEYS = {"metadata", "annotators", "comparisons"}
_TRAITS = ("principle", "non_preference_principle")
_PREFIX = re.compile(r"^select the response that\s+", re.IGNORECASE)
_SIDES = {"a": "A", "text_a": "A", "b": "B", "text_b": "B", "tie": "tie", "nan": None, "": None}
# What no preference means for a trait: as much in one as in the other, or not known.
_NO_DIFFERENCE = ("both", "neither", "not_applicable", None)


def _is_annotated_pairs(part: Part) -> bool:
    return isinstance(part.content, Mapping) and part.content.keys() >= _KEYS


def _read(parts: Sequence[Part]) -> Reading:
    annotators: dict[str, Mapping[str, Any]] = {}
    listed: list[Any] = []
    for part in parts:
        for key, known in as_mapping(part.content["annotators"], f"{part.where}, 'annotators'").items():
            annotators[key] = as_mapping(known, f"{part.where}, annotator {key!r}")
        listed += as_items(part.content["comparisons"], f"{part.where}, 'comparisons'") or []
    comparisons = _merge(listed)
    if not comparisons:
        raise DataError(f"{parts[0].where} holds no comparisons")
    traits = {key: _trait(key, known) for key, known in annotators.items() if known.get("type") in _TRAITS}
    judges = _names({key: known for key, known in annotators.items() if key not in traits})
    columns: dict[str, list[Any]] = {
        f"judge_{name}": [_verdict(c, key) for c in comparisons] for key, name in judges.items()
    }
    columns |= {traits[key].id: [_difference(c, key) for c in comparisons] for key in traits}
    table = pd.concat([_pairs(comparisons), pd.DataFrame(columns)], axis=1)
    used = {f"judge_{name}": name for name in judges.values() if table[f"judge_{name}"].notna().any()}
    schema = PropertySchema(name="traits", properties=tuple(traits.values()))
    facts = [
        ("traits", "a trait that both, neither or no response has does not differ; an invalid answer is not rated")
    ]
    unasked = [name for name in judges.values() if name not in used.values()]
    if unasked:
        facts.append(("no verdicts", f"of annotators {', '.join(unasked)}"))
    options = {"judges": list(used.values()), "properties": list(schema.ids), "schema": schema}
    return Reading(table.drop(columns=[f"judge_{name}" for name in unasked]), facts, options)


def _merge(comparisons: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one comparison an id, annotations of several files together."""
    merged: dict[str, dict[str, Any]] = {}
    for number, comparison in enumerate(comparisons):
        if not isinstance(comparison, Mapping):
            raise DataError(f"comparison {number} is no object but {show(comparison)}")
        name = str(comparison.get("id", number))
        given = as_mapping(comparison.get("annotations"), f"comparison {name!r}, 'annotations'")
        if name not in merged:
            merged[name] = {**comparison, "id": name, "annotations": dict(given)}
            continue
        if any(merged[name].get(key) != comparison.get(key) for key in ("prompt", "response_a", "response_b")):
            raise DuplicateError(
                f"comparison id {name!r} stands more than once, with different texts; rename one of them"
            )
        twice = merged[name]["annotations"].keys() & given.keys()
        if any(merged[name]["annotations"][key] != given[key] for key in twice):
            raise DuplicateError(f"comparison id {name!r} stands more than once, with different annotations")
        merged[name]["annotations"] |= given
    return list(merged.values())


def _trait(key: str, annotator: Mapping[str, Any]) -> Property:
    """Return a trait as a property; its description begins "Select the response that", a name is its id."""
    description = str(annotator.get("description") or annotator.get("name") or key)
    label = _PREFIX.sub("", description).strip().rstrip(".") or key
    plain = re.sub(r"[^a-z0-9]+", "_", label.casefold()).strip("_") or key
    plain = str(annotator.get("name") or plain)
    return Property(id=plain, kind="number", label=label, description=description, aliases=(key,))


def _names(annotators: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return a distinct name for each annotator: its name, else its description, else its key."""
    names: dict[str, str] = {}
    for key, known in annotators.items():
        name = str(known.get("name") or known.get("description") or key)
        names[key] = name if name not in names.values() else f"{name} ({key})"
    return names


def _pref(comparison: Mapping[str, Any], key: str) -> tuple[str | None, Any] | None:
    """Return the side that an annotator prefers and why none, or None if it was not asked."""
    if key not in comparison["annotations"]:
        return None
    found = as_mapping(comparison["annotations"][key], f"comparison {comparison['id']!r}, annotator {key!r}")
    pref = found.get("pref")
    folded = "" if pref is None or (isinstance(pref, float) and np.isnan(pref)) else str(pref).strip().casefold()
    if folded not in _SIDES:
        raise VerdictError(
            f"comparison {comparison['id']!r}, annotator {key!r}: {show(pref)} is no preference; valid: "
            f"{', '.join(map(repr, _SIDES))} and null"
        )
    return _SIDES[folded], found.get("no_pref_reason")


def _verdict(comparison: Mapping[str, Any], key: str) -> str | None:
    """Return the verdict of a judge: both and neither are ties, what it does not say is invalid."""
    found = _pref(comparison, key)
    if found is None:
        return None
    side, reason = found
    return side or {"both": "tie", "neither": "both_bad"}.get(str(reason), "invalid")


def _difference(comparison: Mapping[str, Any], key: str) -> float:
    found = _pref(comparison, key)
    if found is None:
        return np.nan
    side, reason = found
    if side in ("A", "B"):
        return 1.0 if side == "A" else -1.0
    return 0.0 if side == "tie" or reason in _NO_DIFFERENCE else np.nan


def _pairs(comparisons: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    rows = []
    for comparison in comparisons:
        where = f"comparison {comparison['id']!r}"
        about = as_mapping(comparison.get("metadata"), f"{where}, 'metadata'")
        row: dict[str, Any] = {"pair_id": comparison["id"]}
        prompt = comparison.get("prompt") or about.get("prompt")
        for side in "ab":
            given = as_mapping(comparison.get(f"response_{side}"), f"{where}, 'response_{side}'")
            said = given or {"text": comparison.get(f"text_{side}")}
            asked, text = _text(said.get("text"), where)
            prompt = prompt or asked
            row[f"response_{side}"] = text
            if said.get("model"):
                row[f"model_{side}"] = said["model"]
        row["prompt"] = _text(prompt, where)[1] if prompt else None
        rows.append(row | {k: v for k, v in about.items() if k not in row and k != "judge"})
    table = pd.DataFrame(rows)
    texts = [c for c in ("prompt", "response_a", "response_b") if table[c].isna().all()]
    return table.drop(columns=texts)


def _text(text: Any, where: str) -> tuple[str | None, str | None]:
    """Return the request and the response in a text, which may be a whole conversation written as text."""
    if isinstance(text, str) and text.startswith(f"{NO_TEXT} response "):
        return None, None
    if not isinstance(text, str) or not text.lstrip().startswith("[{"):
        return None, content_text(text)
    try:
        items = as_items(text, where) or []
    except DataError:
        return None, text
    if not all(isinstance(item, Mapping) and item.keys() & {"role", "from"} for item in items):
        return None, text  # a list, but no conversation
    turns = read_turns(items, where)
    exchange = last_exchange(turns)
    return exchange.prompt, exchange.response if exchange.response is not None else exchange.prompt


ANNOTATED_PAIRS = Layout(
    "annotated-pairs", "AnnotatedPairs JSON (feedback-forensics, ICAI)", (), _read, accepts=_is_annotated_pairs
)
