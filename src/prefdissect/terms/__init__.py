"""What a fit has beside properties: ties, presentation order, the models that wrote the responses."""

from __future__ import annotations

from prefdissect.terms.generators import GENERATOR, SIDES, columns_like, generator_columns
from prefdissect.terms.order import ORDER, choose_orders
from prefdissect.terms.rows import VerdictRows, preferences, reasons_of_absence, rows_of

__all__ = [
    "GENERATOR",
    "ORDER",
    "SIDES",
    "VerdictRows",
    "choose_orders",
    "columns_like",
    "generator_columns",
    "preferences",
    "reasons_of_absence",
    "rows_of",
]
