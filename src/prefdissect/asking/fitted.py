"""What every question is put to: the data, the design, the posterior, and the names in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prefdissect._typing import BoolArray
from prefdissect.data import PreferenceData
from prefdissect.features import Design
from prefdissect.inference import Posterior
from prefdissect.schema import PropertySchema

__all__ = ["Fitted"]


@dataclass(frozen=True, eq=False, repr=False)
class Fitted:
    """The parts of a dissection; see `Dissection`."""

    data: PreferenceData
    design: Design
    fitted: Posterior
    options: dict[str, Any]

    @property
    def judges(self) -> list[str]:
        """The judges that were dissected."""
        return list(self.fitted.judges)

    @property
    def groups(self) -> list[str]:
        """The groups, those with too few pairs included."""
        return list(self.fitted.groups)

    @property
    def properties(self) -> list[str]:
        """Ids of the properties, in the order of the arrays."""
        return list(self.design.encoder.schema.ids)

    @property
    def _schema(self) -> PropertySchema:
        return self.design.encoder.schema

    @property
    def _kept(self) -> BoolArray:
        """Which columns are properties, [column]."""
        return self.design.is_property

    @property
    def _scenarios(self) -> list[str]:
        """The groups that do not overlap; all of them where there are cases only."""
        return [g for g in self.groups if self.design.group_kinds[g] != "case"] or self.groups
