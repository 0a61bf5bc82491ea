"""Addresses of data sets on the Hugging Face Hub: `hf://datasets/OWNER/NAME@REVISION/path`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote

from prefdissect.errors import HubError, OptionError, show

__all__ = ["Address", "is_hub_address", "parse_address"]

_FORM = "hf://datasets/OWNER/NAME, then @REVISION and /path/in/repo if wanted"
_SITE = re.compile(r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/", re.IGNORECASE)
_SCHEME = re.compile(r"hf:/+", re.IGNORECASE)
_NAME = r"[A-Za-z0-9][\w.-]*"
# A revision holds no slash, except in two kinds of reference that the Hub makes itself.
_REVISION = r"refs/convert/[^/]+|refs/pr/\d+|[^/@]+"
_ADDRESS = re.compile(rf"({_NAME})/({_NAME})(?:@({_REVISION}))?(?:/(.*))?", re.ASCII)
# What the address line of a browser has between the name and the file.
_OF_A_BROWSER = re.compile(rf"/(?:tree|blob|resolve|viewer)/({_REVISION})")
_KINDS = ("datasets/", "models/", "spaces/", "buckets/")


@dataclass(frozen=True)
class Address:
    """A data set on the Hub, in one of its revisions, or a file or folder of it.

    `revision` None is the default branch; `path` is empty for the whole repository. `kind` is what the Hub calls it.
    """

    repo: str
    revision: str | None = None
    path: str = ""
    kind: Literal["dataset", "space"] = "dataset"

    @property
    def page(self) -> str:
        """Where a person finds the repository."""
        return f"https://huggingface.co/{self.kind}s/{self.repo}"

    def at(self, path: str) -> Address:
        """Return the address of a file or folder of the same revision."""
        return replace(self, path=path)

    def __str__(self) -> str:
        revision = self.revision or ""
        if not re.fullmatch(_REVISION, revision):
            revision = quote(revision, safe="")
        return (
            f"hf://{self.kind}s/{self.repo}{'@' + revision if revision else ''}{'/' + self.path if self.path else ''}"
        )


def is_hub_address(source: object) -> bool:
    """Return whether `source` is meant as an address on the Hub, well formed or not.

    Examples
    --------
    >>> is_hub_address("hf://datasets/GAIR/preference-dissection"), is_hub_address("pairs.parquet")
    (True, False)
    """
    text = _as_text(source)
    return bool(_SCHEME.match(text) or re.match(r"https?://", text) and _SITE.match(text))


def parse_address(source: str | Path, revision: str | None = None) -> Address:
    """Return what an address names; `revision` is for addresses that state none.

    Raises
    ------
    HubError
        If it is no address of a data set; the message has the closest valid form.
    OptionError
        If a revision stands in both places, or is not text.

    Examples
    --------
    >>> parse_address("hf://datasets/lmsys/mt_bench_human_judgments@main/data")
    Address(repo='lmsys/mt_bench_human_judgments', revision='main', path='data', kind='dataset')
    """
    if not (revision is None or isinstance(revision, str) and revision):
        raise OptionError(f"revision={show(revision)} must be the name of a branch, a tag or a commit, or None")
    text = _as_text(source)
    rest = _SCHEME.sub("", text, count=1).removeprefix("datasets/").rstrip("/")
    found = _ADDRESS.fullmatch(rest)
    if found is None or not re.match(r"hf:/+datasets/", text):
        raise HubError(f"{show(str(source))} is no address of a data set on the Hub; {_closest_form(text)}")
    owner, name, own, path = found.groups()
    if own and revision:
        raise OptionError(f"{text!r} states revision {own!r}, and so does revision={revision!r}; keep one of them")
    folders = filter(None, (path or "").split("/"))
    return Address(f"{owner}/{name}", unquote(own) if own else revision, "/".join(folders))


def _as_text(source: object) -> str:
    """Return the address as text; a path has lost the second slash."""
    return source.as_posix() if isinstance(source, Path) else source.strip() if isinstance(source, str) else ""


def _closest_form(text: str) -> str:
    """Return how the address was probably meant, or the form of all addresses."""
    rest = _SITE.sub("", _SCHEME.sub("", text, count=1), count=1).partition("?")[0].strip("/")
    for kind in _KINDS:
        rest = rest.removeprefix(kind)
    found = _ADDRESS.fullmatch(_OF_A_BROWSER.sub(r"@\1", rest, count=1))
    if found is None:
        alone = re.fullmatch(_NAME, rest, re.ASCII)
        return f"it lacks an owner: hf://datasets/OWNER/{rest}" if alone else f"the form is {_FORM}"
    owner, name, revision, path = found.groups()
    return f"was {str(Address(f'{owner}/{name}', revision, path or ''))!r} meant?"
