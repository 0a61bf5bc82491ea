"""A response as a reader sees it: prose, labels and code apart, and its layout counted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

__all__ = ["Document", "read_markdown"]

_MARKUP = re.compile(r"[*_`\[<\\&]")
_MOST_MARKS = 2_000  # in one paragraph: above it links and emphasis are not looked for, which takes quadratic time
_CODE = ("fence", "code_block", "html_block")
_LABELS = ("heading", "th", "td")  # text that is no sentence


@dataclass
class Document:
    """What a response holds.

    Parameters
    ----------
    prose
        Paragraphs and list items, without markup and code.
    labels
        Headings and cells of tables.
    headings, list_items, bold, tables, links, quotes
        How many there are; quotes are quoted blocks.
    code
        Characters of code that are not spaces: fenced and indented blocks, HTML, code in a line.
    """

    prose: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    headings: int = 0
    list_items: int = 0
    bold: int = 0
    tables: int = 0
    links: int = 0
    quotes: int = 0
    code: int = 0


def read_markdown(text: str) -> Document:
    r"""Read a response as CommonMark with tables.

    A line underlined by dashes is no heading: models write `---` for a rule between paragraphs, and
    only headings that start with `#` are counted, as in LMArena's style features.

    Examples
    --------
    >>> from prefdissect.text.markdown import read_markdown
    >>> page = read_markdown("# Title\n\nSome **bold** words.\n\n- one\n- two\n\n```\nx = 1\n```")
    >>> page.headings, page.bold, page.list_items, page.code, page.prose, page.labels
    (1, 1, 2, 3, ['Some bold words.', 'one', 'two'], ['Title'])
    """
    parser = _parser()
    blocks: list[Token] = []
    # The two halves of `MarkdownIt.parse`, to leave out the second where it has nothing to find.
    parser.block.parse(text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd"), parser, {}, blocks)
    document = Document()
    inside = ""
    for token in blocks:
        kind, _, end = token.type.rpartition("_")
        if token.type == "inline":
            _add_line(document, token.content, labels=inside in _LABELS)
        elif token.type in _CODE:
            document.code += _visible(token.content)
        elif end == "open":
            inside = kind
            _count_block(document, kind)
    return document


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table").disable("lheading")


def _count_block(document: Document, kind: str) -> None:
    if kind == "heading":
        document.headings += 1
    elif kind == "list_item":
        document.list_items += 1
    elif kind == "table":
        document.tables += 1
    elif kind == "blockquote":
        document.quotes += 1


def _add_line(document: Document, content: str, *, labels: bool) -> None:
    """Read what stands in a line: its words, and the links, bold words and code among them."""
    place = document.labels if labels else document.prose
    marks = len(_MARKUP.findall(content))
    if not marks or marks > _MOST_MARKS:
        place.append(content)
        return
    parser = _parser()
    pieces: list[Token] = []
    parser.inline.parse(content, parser, {}, pieces)
    place.append("".join(_words_of(pieces, document)))


def _words_of(pieces: Sequence[Token], document: Document) -> list[str]:
    words = []
    for piece in pieces:
        if piece.type == "text":
            words.append(piece.content)
        elif piece.type in ("softbreak", "hardbreak"):
            words.append("\n")
        elif piece.type == "code_inline":
            document.code += _visible(piece.content)
            words.append(" ")
        elif piece.type == "strong_open":
            document.bold += 1
        elif piece.type in ("link_open", "image"):
            # An address that is its own text is counted where it stands among the words.
            document.links += piece.markup != "autolink"
    return words


def _visible(code: str) -> int:
    return len("".join(code.split()))
