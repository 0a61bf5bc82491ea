"""What each section of the page is given."""

from __future__ import annotations

from prefdissect.report.sections.audit import audit_section
from prefdissect.report.sections.judges import judges_section
from prefdissect.report.sections.making import making_section
from prefdissect.report.sections.pairs import pairs_section
from prefdissect.report.sections.properties import properties_section
from prefdissect.report.sections.reading import reading_section
from prefdissect.report.sections.summary import summary_section
from prefdissect.report.sections.terms import terms_section
from prefdissect.report.sections.trust import trust_section

__all__ = [
    "audit_section",
    "judges_section",
    "making_section",
    "pairs_section",
    "properties_section",
    "reading_section",
    "summary_section",
    "terms_section",
    "trust_section",
]
