"""What was read, and what was left out."""

from __future__ import annotations

from typing import Any

from prefdissect.report.contents import Contents
from prefdissect.report.sections.trust import plain_rows

__all__ = ["reading_section"]


def reading_section(contents: Contents) -> dict[str, Any]:
    """Return what the reader understood, rows left out by reason, and pairs left out of fits by judge and group."""
    report = contents.data.report
    return {
        "facts": [[topic, fact] for topic, fact in report.facts],
        "left_out": [[reason, n] for reason, n in report.left_out],
        "dropped": plain_rows(contents.design.dropped),
    }
