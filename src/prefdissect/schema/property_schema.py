"""A set of properties: the vocabulary of a study, in an order, with names that find them."""

from __future__ import annotations

import json
import operator
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml
from pydantic import model_validator

from prefdissect.errors import FileFormatError, SchemaError, UnknownNameError, choices
from prefdissect.schema._model import FrozenModel
from prefdissect.schema.property import Property

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PropertySchema"]


def _parse(text: str) -> Any:
    """Read JSON, else YAML: most JSON is YAML too, but not where it has tabs or escaped surrogates."""
    try:
        return json.loads(text)
    except ValueError:
        return yaml.safe_load(text)


class PropertySchema(FrozenModel):
    """An ordered set of properties; frozen, and equal if its properties are.

    Find a property by id, position, label, long name or alias: `PAPER["lengthy"]`, `PAPER[28]`.

    Raises
    ------
    SchemaError
        If two properties share an id or a rated name.

    Examples
    --------
    >>> from prefdissect import Property, PropertySchema
    >>> schema = PropertySchema(name="mine", properties=[Property(id="polite", kind="rating", range=(0, 3))])
    >>> schema.ids
    ('polite',)
    """

    name: str = ""
    properties: tuple[Property, ...]

    @model_validator(mode="after")
    def _unique(self) -> Self:
        for field in ("id", "rated"):
            names = [getattr(p, field) for p in self.properties]
            twice = sorted({n for n in names if names.count(n) > 1})
            if twice:
                raise SchemaError(f"schema {self.name!r} has more than one property with {field} {twice[0]!r}")
        return self

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, in order."""
        return tuple(p.id for p in self.properties)

    @property
    def labels(self) -> tuple[str, ...]:
        """The short labels, in order."""
        return tuple(p.label for p in self.properties)

    def __iter__(self) -> Iterator[Property]:  # type: ignore[override]  # a schema is a sequence of properties
        return iter(self.properties)

    def __len__(self) -> int:
        return len(self.properties)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, Property) and name in self.properties or self._find(name) is not None

    def __getitem__(self, name: str | int) -> Property:
        """Return the property of that id, position, label, long name or alias."""
        found = self._find(name)
        if found is None:
            raise UnknownNameError(f"unknown property {name!r} in schema {self.name!r}; {choices(name, self.ids)}")
        return found

    def _find(self, name: object) -> Property | None:
        if hasattr(name, "__index__") and not isinstance(name, bool):
            name = operator.index(name)
            return self.properties[name] if -len(self) <= name < len(self) else None
        for field in ("id", "label", "name"):
            for prop in self.properties:
                if getattr(prop, field) == name:
                    return prop
        return next((p for p in self.properties if name in p.aliases), None)

    def rates(self, stem: str) -> bool:
        """Return whether columns `<stem>_a` and `<stem>_b` hold ratings of one of the properties."""
        return any(p.rated == stem for p in self.properties)

    def rated_as(self, stem: str) -> Property | None:
        """Return the property whose ratings stand in columns `<stem>_a` and `<stem>_b`, if any.

        Raises
        ------
        SchemaError
            If the stem names a property that is rated under another name: guessing whether such
            a column is already turned round could flip the sign of a weight.
        """
        by_rated = next((p for p in self.properties if p.rated == stem), None)
        named = by_rated or self._find(stem)
        if named is not None and by_rated is None and named.rated != named.id:
            raise SchemaError(
                f"columns {stem + '_a'!r} and {stem + '_b'!r}: schema {self.name!r} rates property {named.id!r} "
                f"as {named.rated!r} ({named.direction} is more of the property); if they hold that, rename them "
                f"to {named.rated + '_a'!r} and {named.rated + '_b'!r}"
            )
        return named

    def select(self, names: Iterable[str | int]) -> PropertySchema:
        """Return a schema of the named properties only, in the order of this schema."""
        wanted = {self[name].id for name in names}
        return PropertySchema(name=self.name, properties=tuple(p for p in self if p.id in wanted))

    def to_frame(self) -> pd.DataFrame:
        """Return one row per property: id, label, name, kind, group, direction, missing, description."""
        import pandas as pd

        fields = ["id", "label", "name", "kind", "group", "direction", "missing", "description"]
        return pd.DataFrame([[getattr(p, f) for f in fields] for p in self], columns=fields)

    def to_file(self, path: str | Path) -> Path:
        """Write the schema as YAML or JSON, by the file's ending, and return the path."""
        path = Path(path)
        fields = {"name": self.name, "properties": [p.terse() for p in self]}
        if path.suffix == ".json":
            text = json.dumps(fields, indent=2, ensure_ascii=False)
        else:
            text = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)
        path.write_text(text + "\n", encoding="utf-8")
        return path

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """Read a schema from a YAML or JSON file.

        Raises
        ------
        FileFormatError
            If the file cannot be read, or does not describe a schema; the message says where.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
            fields = _parse(text)
        except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
            raise FileFormatError(f"cannot read the schema file {str(path)!r}: {error}") from error
        if not isinstance(fields, dict) or "properties" not in fields:
            raise FileFormatError(f"{str(path)!r} is no schema: it needs a list `properties`, each with id and kind")
        try:
            return cls.model_validate(fields)
        except SchemaError as error:
            raise FileFormatError(f"{str(path)!r} is no valid schema: {error}") from error

    def __repr__(self) -> str:
        return f"PropertySchema({self.name!r}, {len(self)} properties: {', '.join(self.labels)})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False))
