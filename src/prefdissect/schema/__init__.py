"""What can be rated, and what kinds of request there are.

`Property` states one property and how two ratings compare, `Question` how a model is asked for
them; `PropertySchema` is an ordered set of properties. `PAPER` holds the 29 properties of Li et al.
(ACL 2024), `SCENARIOS` their 11 scenarios and 5 query-specific cases.
"""

from __future__ import annotations

from prefdissect.schema.paper import PAPER
from prefdissect.schema.property import Property
from prefdissect.schema.property_schema import PropertySchema
from prefdissect.schema.question import Question
from prefdissect.schema.scenarios import SCENARIOS, Scenario

__all__ = ["PAPER", "SCENARIOS", "Property", "PropertySchema", "Question", "Scenario"]
