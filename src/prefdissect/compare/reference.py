"""Judges whose weights others released: the paper's 33, and where a new judge falls among them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from scipy.special import expit

from prefdissect._typing import FloatArray, GroupKind, check_choice
from prefdissect.compare.measures import Measure, compare_weights
from prefdissect.compare.paper_judges import judge_table
from prefdissect.compare.similarity import JudgeSimilarity
from prefdissect.data.hub import fetch_space
from prefdissect.errors import DataError, DuplicateError, FileFormatError, UnknownNameError, choices
from prefdissect.features import check_group_names
from prefdissect.schema import PAPER, SCENARIOS

__all__ = ["ReferenceWeights", "check_properties", "load_reference", "place_table"]

Reference: TypeAlias = Literal["paper"]
_SPACE, _FILES = "GAIR/Preference-Dissection-Visualization", "*_fitted_paras.jsonl"
_NAME = re.compile(r"model_(.+)_fitted_paras\.jsonl")
# Heads of the groups in the format that the authors' app takes new models in.
_LABELS = {f"[{'Scenario' if s.kind == 'scenario' else 'Query-Specific Cases'}] {s.label}": s.id for s in SCENARIOS}


@dataclass(frozen=True, eq=False, repr=False)
class ReferenceWeights:
    """Mean weights of judges in groups, without a posterior: what the paper's authors released.

    Parameters
    ----------
    name
        Where they come from.
    judges, groups, kinds, properties
        Names along each dimension, and the kind of each group.
    weight
        Log-odds per unit of the comparison, shape [judge, group, property]; NaN where a judge has none.

    Raises
    ------
    DataError
        If the names and the weights do not fit one another.

    Examples
    --------
    >>> import numpy as np
    >>> from prefdissect import PAPER
    >>> from prefdissect.compare import ReferenceWeights
    >>> weight = np.random.default_rng(0).normal(0, 0.2, (3, 1, 29))
    >>> reference = ReferenceWeights("mine", ("a", "b", "c"), ("Code",), {"Code": "scenario"}, PAPER.ids, weight)
    >>> reference.similarity().overall.shape
    (3, 3)
    """

    name: str
    judges: tuple[str, ...]
    groups: tuple[str, ...]
    kinds: Mapping[str, GroupKind]
    properties: tuple[str, ...]
    weight: FloatArray

    def __post_init__(self) -> None:
        """Refuse names and weights that do not fit one another."""
        names = {"judge": self.judges, "group": self.groups, "property": self.properties}
        shape, wanted = np.shape(self.weight), tuple(map(len, names.values()))
        if shape != wanted:
            raise DataError(
                f"weight has shape {shape}, and the names of judges, groups and properties ask for {wanted}: "
                "[judge, group, property]"
            )
        for what, given in names.items():
            twice = [name for i, name in enumerate(given) if name in given[:i]]
            if twice:
                raise DuplicateError(f"{what} {twice[0]!r} is named twice; give each {what} its own name")
        unknown = [group for group in self.groups if group not in self.kinds]
        if unknown:
            raise DataError(
                f"kinds lacks group {unknown[0]!r}; it says of each group whether it is a scenario or a case"
            )
        check_group_names(self.groups)

    @property
    def weights(self) -> pd.DataFrame:
        """One row per judge, group and property: judge, group, property, mean, probability."""
        index = pd.MultiIndex.from_product(
            [self.judges, self.groups, self.properties], names=["judge", "group", "property"]
        )
        table = pd.DataFrame({"mean": self.weight.ravel()}, index=index).reset_index()
        return table.assign(probability=expit(table["mean"]))

    def overall(self) -> pd.DataFrame:
        """Return each judge's mean probability of each property over scenarios, [judge, property]; cases excluded."""
        scenario = [self.kinds[g] != "case" for g in self.groups]
        mean = expit(self.weight[:, scenario]).mean(axis=1)
        return pd.DataFrame(mean, index=pd.Index(self.judges, name="judge"), columns=list(self.properties))

    def similarity(self, method: Measure = "pearson") -> JudgeSimilarity:
        """Return how alike the judges are; points only, as no posterior was released."""
        check_choice("method", method, Measure)
        point = compare_weights(np.swapaxes(self.weight, 0, 1), method)
        return JudgeSimilarity(method, self.judges, self.groups, self.kinds, point)

    def __repr__(self) -> str:
        return (
            f"<ReferenceWeights {self.name!r}: {len(self.judges)} judges x {len(self.groups)} groups x "
            f"{len(self.properties)} properties, means only>\n{', '.join(self.judges)}"
        )


def load_reference(name: Reference = "paper", path: str | Path | None = None) -> ReferenceWeights:
    r"""Return released weights: the paper's 33 judges in its 11 scenarios and 5 cases.

    They have no licence and are not part of this package.

    Parameters
    ----------
    name
        `paper`: Li et al. 2024.
    path
        Folder with the authors' files `model_<group>_fitted_paras.jsonl`; files `<judge>.json` beside them, in the
        format that their app takes new models in, are judges more, of other names. None fetches
        the files from the authors' public Space on the Hugging Face Hub, from the cache if it has them.

    Raises
    ------
    FileFormatError
        If the folder holds no such files, one cannot be read (it names the line), or two hold one judge.
    HubError
        If the Hub cannot be reached and the cache has no copy.

    Examples
    --------
    >>> import json, tempfile
    >>> from pathlib import Path
    >>> from prefdissect import load_reference
    >>> lines = [json.dumps({"model_name": j, "parameters": [0.1 * k for k in range(29)]}) for j in ("a", "b")]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "model_Code_fitted_paras.jsonl").write_text("\n".join(lines))
    ...     load_reference("paper", folder).judges
    ('a', 'b')
    """
    check_choice("name", name, Reference)
    folder = fetch_space(_SPACE, _FILES, count=len(SCENARIOS)) if path is None else Path(path)
    if not folder.is_dir():
        raise FileFormatError(
            f"path={str(path)!r} is no folder; name the one that holds model_<group>_fitted_paras.jsonl"
        )
    found = _read_folder(folder)
    if not found:
        raise FileFormatError(f"folder {str(folder)!r} holds no file model_<group>_fitted_paras.jsonl")
    told = dict.fromkeys(judge for judge, _ in found)
    judges = (
        *(j for j in judge_table(name).index if j in told),
        *(j for j in told if j not in judge_table(name).index),
    )
    groups = tuple(s.id for s in SCENARIOS if any(group == s.id for _, group in found))
    weight = np.full((len(judges), len(groups), len(PAPER)), np.nan)
    for (judge, group), row in found.items():
        weight[judges.index(judge), groups.index(group)] = row
    kinds: dict[str, GroupKind] = {s.id: s.kind for s in SCENARIOS if s.id in groups}
    return ReferenceWeights(name, judges, groups, kinds, tuple(PAPER.ids), weight)


def _read_folder(folder: Path) -> dict[tuple[str, str], list[float]]:
    """Return the weights of each judge and group: of the released files, and of judges that others put beside them."""
    known = [s.id for s in SCENARIOS]
    found: dict[tuple[str, str], list[float]] = {}
    released: dict[str, Path] = {}  # judge to a file that holds it
    for file in sorted(folder.rglob(_FILES)):
        match = _NAME.fullmatch(file.name)
        group = match.group(1) if match else ""
        if group not in known:
            raise FileFormatError(f"{str(file)!r} is of no group of the paper; {choices(group, known)}")
        for judge, row in _read_lines(file):
            if (judge, group) in found:
                raise FileFormatError(f"{str(file)!r} has judge {judge!r} twice")
            found[judge, group] = row
            released.setdefault(judge, file)
    for file in sorted(folder.glob("*.json")):
        rows = _read_community(file)
        if rows and file.stem in released:
            raise FileFormatError(
                f"{str(file)!r} would be judge {file.stem!r}, whom {str(released[file.stem])!r} holds already; rename "
                "the file: its name is that of the judge"
            )
        found |= {(file.stem, group): row for group, row in rows}
    return found


def _read_lines(file: Path) -> list[tuple[str, list[float]]]:
    rows = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            try:
                record = json.loads(line)
                rows.append((str(record["model_name"]), _check_row(record["parameters"])))
            except (ValueError, KeyError, TypeError) as error:
                raise FileFormatError(
                    f"line {number} of {str(file)!r} is not {{'model_name': ..., 'parameters': [29 numbers]}}: {error}"
                ) from error
    return rows


def _read_community(file: Path) -> list[tuple[str, list[float]]]:
    """Return group and weights of a judge in the format of `write_paper_weights`; nothing if it is something else."""
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FileFormatError(f"{str(file)!r} is no JSON: {error}") from error
    if not isinstance(record, dict) or not set(record) & set(_LABELS):
        return []
    try:
        return [(_LABELS[label], _check_row(row)) for label, row in record.items() if label in _LABELS]
    except (ValueError, TypeError) as error:
        raise FileFormatError(f"{str(file)!r} does not hold 29 numbers for each group: {error}") from error


def _check_row(row: list[float]) -> list[float]:
    numbers = [float(value) for value in row]
    if len(numbers) != len(PAPER) or not np.isfinite(numbers).all():
        raise ValueError(f"{len(numbers)} numbers, {int(np.isfinite(numbers).sum())} of them finite")
    return numbers


def place_table(
    weight: FloatArray,
    judges: tuple[str, ...],
    groups: tuple[str, ...],
    properties: tuple[str, ...],
    reference: ReferenceWeights,
    method: Measure,
) -> pd.DataFrame:
    """Return how alike each judge is to each of the reference, nearest first.

    `weight` holds posterior means, [judge, group, property]. Columns: judge, rank, reference, similarity (mean over the
    scenarios that both have; over cases where there are no scenarios), n_groups. Points: noise pulls all of a judge's
    towards 0, so their order means more than their size.

    Raises
    ------
    UnknownNameError
        If the properties differ, or no group is common.
    """
    check_choice("method", method, Measure)
    check_properties(reference, properties)
    common = [g for g in groups if g in reference.groups]
    scenarios = [g for g in common if reference.kinds[g] != "case"] or common
    if not scenarios:
        raise UnknownNameError(
            f"no group is common: these are {', '.join(groups)}, and the reference has {', '.join(reference.groups)}"
        )
    order = [properties.index(p) for p in reference.properties]
    mine = weight[:, [groups.index(g) for g in scenarios]][:, :, order]
    theirs = reference.weight[:, [reference.groups.index(g) for g in scenarios]]
    rows = []
    for j, judge in enumerate(judges):
        pairs = np.stack([np.broadcast_to(mine[j], theirs.shape), theirs], axis=2)  # [reference, group, 2, property]
        values = compare_weights(pairs, method)[..., 0, 1]
        known = np.isfinite(values)
        if not known.any():
            raise DataError(f"judge {judge!r} has no fit in a group of the reference: {', '.join(scenarios)}")
        n = known.sum(axis=1)
        mean = np.where(n > 0, np.nansum(values, axis=1) / np.maximum(n, 1), np.nan)
        for rank, i in enumerate(np.argsort(-mean), start=1):
            rows.append((judge, rank, reference.judges[i], float(mean[i]), int(n[i])))
    columns = ["judge", "rank", "reference", "similarity", "n_groups"]
    return pd.DataFrame(rows, columns=columns).astype({"judge": "str", "reference": "str"})


def check_properties(reference: ReferenceWeights, properties: Sequence[str]) -> None:
    """Raise `UnknownNameError` unless a reference has weights of just these properties."""
    lacking = [p for p in reference.properties if p not in properties]
    more = [p for p in properties if p not in reference.properties]
    if lacking or more:
        raise UnknownNameError(
            f"weights of {len(properties)} properties cannot be placed among those of {len(reference.properties)}: "
            f"{'without ' + ', '.join(lacking[:5]) if lacking else 'with ' + ', '.join(more[:5])}; dissect data that "
            "are rated by the same properties (schema=PAPER)"
        )
