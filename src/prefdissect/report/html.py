"""The one file: the page with its scripts and styles inside, and a policy under which nothing else runs or loads."""

from __future__ import annotations

import base64
import hashlib
import html
import tempfile
from importlib import resources
from pathlib import Path
from string import Template

from prefdissect.errors import FileFormatError
from prefdissect.report.contents import Contents
from prefdissect.report.packing import compress
from prefdissect.report.sections import (
    audit_section,
    judges_section,
    making_section,
    pairs_section,
    properties_section,
    reading_section,
    summary_section,
    terms_section,
    trust_section,
)
from prefdissect.report.sections.pairs import texts_of

__all__ = ["write_page"]

_PAGE = resources.files("prefdissect.report") / "page"
# In this order: later ones use earlier ones.
_SCRIPTS = (
    "unpack", "numbers", "elements", "state", "controls", "downloads", "chart", "dots", "heat", "tree", "waterfall",
    "calibration", "study", "words", "summary", "properties", "property", "judges", "pairs", "pair", "terms", "trust",
    "audit", "reading", "main",
)  # fmt: skip


def write_page(contents: Contents, path: Path, *, title: str) -> Path:
    """Write the page, whole or not at all, and return its path.

    Raises
    ------
    FileFormatError
        If the path is a folder, or in none.
    """
    if path.is_dir():
        raise FileFormatError(f"cannot write {str(path)!r}: it is a folder; name a file in it")
    if not path.parent.is_dir():
        raise FileFormatError(f"cannot write {str(path)!r}: there is no folder {str(path.parent)!r}")
    page = _assemble(contents, title)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        whole = Path(folder) / "whole.html"
        whole.write_text(page, encoding="utf-8")
        whole.replace(path)
    return path


def _assemble(contents: Contents, title: str) -> str:
    script = "\n".join(["'use strict'; (() => {", *(_read(f"{name}.js") for name in _SCRIPTS), "})();"])
    style = _read("style.css")
    summary = summary_section(contents)
    given = {
        "title": title,
        "judges": list(contents.posterior.judges),
        "groups": [{"id": g, "kind": contents.design.group_kinds[g]} for g in contents.posterior.groups],
        "interval": contents.posterior.interval,
        "summary": summary,
        "weights": properties_section(contents),
        "similarity": judges_section(contents),
        "pairs": pairs_section(contents),
        "without_texts": contents.without_texts,
        "terms": terms_section(contents),
        "trust": trust_section(contents),
        "audit": audit_section(contents),
        "reading": reading_section(contents),
        "making": making_section(contents),
    }
    return Template(_read("page.html")).substitute(
        policy=_policy(script, style),
        title=html.escape(title),
        style=style,
        script=script,
        given=compress(given),
        texts=compress(texts_of(contents)),
        summary="".join(
            f"<h2>{html.escape(part['topic'])}</h2><p>{html.escape(' '.join(part['said']))}</p>" for part in summary
        ),
    )


def _read(name: str) -> str:
    return (_PAGE / name).read_text(encoding="utf-8")


def _policy(script: str, style: str) -> str:
    """Return what the page may do: run this script, use this style, and nothing else; no text can become markup."""
    rules = {
        "default-src": "'none'",
        "script-src": _hash(script),
        "style-src": _hash(style),
        "img-src": "data: blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
