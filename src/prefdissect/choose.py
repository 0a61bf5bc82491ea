"""Which of the judges and groups there are a caller means."""

from __future__ import annotations

from collections.abc import Sequence

from prefdissect.data import PreferenceData
from prefdissect.data.judge_names import resolve_judge
from prefdissect.errors import OptionError, UnknownNameError, choices

__all__ = ["choose_judges", "pick"]


def choose_judges(data: PreferenceData, judge: str | Sequence[str] | None) -> list[str]:
    """Return the judges to dissect: those named, or all.

    Raises
    ------
    UnknownNameError
        If there is none, or none of that name.
    """
    if not data.judges:
        closest = dict(data.report.facts).get("judges", "").removeprefix("none")
        raise UnknownNameError(
            "these data have no judge: no column judge_<name>, and none was named; "
            f"columns: {', '.join(data.source_columns)}; ask a model (prefdissect judge, collect()), or name the "
            f"verdict column in judge={closest}"
        )
    return pick("judge", judge, data.judges)


def pick(what: str, wanted: str | Sequence[str] | None, valid: Sequence[str]) -> list[str]:
    """Return the wanted names, all of the valid ones if None, each once and each known.

    Raises
    ------
    OptionError
        If the list is empty.
    UnknownNameError
        If a name is unknown.
    """
    if wanted is None:
        return list(valid)
    asked = [wanted] if isinstance(wanted, str) else list(wanted)
    if not asked:
        raise OptionError(f"{what}=[] names none; {choices('', valid)}")
    names = [resolve_judge(str(n), valid) for n in asked] if what == "judge" else asked
    for name in names:
        if name not in valid:
            raise UnknownNameError(f"unknown {what} {name!r}; {choices(name, valid)}")
    return list(dict.fromkeys(names))
