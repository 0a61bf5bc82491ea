"""Prompts from templates, with texts that cannot break out of their place."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from prefdissect.errors import ModelError

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["Prompt", "fence"]


@dataclass(frozen=True)
class Prompt:
    """A prompt of the package: a template in a file, filled in with values that are never read as a template.

    Parameters
    ----------
    package, name
        Where the template is: the package that has it as `prompts/<name>.jinja`.

    Examples
    --------
    >>> from prefdissect.llm import fence
    >>> print(fence("response", "{{ 7 * 7 }} is no sum here", seen="").strip())
    <response>
    {{ 7 * 7 }} is no sum here
    </response>
    """

    package: str
    name: str

    def fill(self, **values: Any) -> str:
        """Return the prompt with its values; texts are fenced, so that no other text can end them.

        Values that are `Mapping`s named `texts` are fenced one by one under their own names.
        """
        texts: Mapping[str, str] = values.pop("texts", {})
        seen = "\n".join(texts.values())
        fenced = {name: fence(name, text, seen=seen) for name, text in texts.items()}
        return self._template.render(**values, **fenced).strip()

    @cached_property
    def source(self) -> str:
        """The template as it is in its file."""
        return _read(self.package, self.name)

    @cached_property
    def hash(self) -> str:
        """12 hexadecimal digits of the template: its version."""
        return hashlib.blake2b(self.source.encode(), digest_size=6).hexdigest()

    @cached_property
    def _template(self) -> Template:
        return _compile(self.source)


@cache
def _read(package: str, name: str) -> str:
    return files(package).joinpath("prompts", f"{name}.jinja").read_text(encoding="utf-8")


@cache
def _compile(source: str) -> Template:
    try:
        import jinja2
    except ImportError:
        raise ModelError('prompts need the package jinja2: pip install "prefdissect[llm]"') from None
    # Texts are values: jinja2 does not look into them, whatever marks of a template they hold.
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False
    )  # plain text goes to a model, so nothing is escaped
    return environment.from_string(source)


def fence(name: str, text: str, *, seen: str) -> str:
    """Return a text between marks that name it and that occur in no text of `seen`.

    A text that closes the mark itself, and goes on with instructions, stays inside: the mark then carries digits
    that the text does not have. The same texts get the same marks, so that the same question is the same request.
    """
    mark, n = name, 0
    while f"<{mark}>" in seen or f"</{mark}" in seen:
        n += 1
        mark = f"{name}-{hashlib.blake2b(f'{n}{seen}'.encode('utf-8', 'surrogatepass'), digest_size=4).hexdigest()}"
    return f"<{mark}>\n{text}\n</{mark}>"
