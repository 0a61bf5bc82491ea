"""The pydantic base of what users write in files: frozen, strict, and with our errors."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from prefdissect.errors import SchemaError

__all__ = ["FrozenModel"]


class FrozenModel(BaseModel):
    """A frozen model without unknown fields, whose faults are `SchemaError`s."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "fields"
            got = "" if first["type"] == "missing" else f", got {first['input']!r}"
            owner = f"{type(self).__name__} {fields.get('id') or fields.get('name') or ''!r}"
            raise SchemaError(f"{owner}: `{where}`: {first['msg']}{got}") from error
