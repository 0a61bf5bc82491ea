"""From data to files that others read: tidy tables, AnnotatedPairs JSON, the weights of the paper's authors' app.

A writer says what its format cannot carry, and warns where something is left out.
"""

from __future__ import annotations

from prefdissect.data.writers.annotated_pairs import write_annotated_pairs
from prefdissect.data.writers.paper_weights import write_paper_weights
from prefdissect.data.writers.tidy import write_table

__all__ = ["write_annotated_pairs", "write_paper_weights", "write_table"]
