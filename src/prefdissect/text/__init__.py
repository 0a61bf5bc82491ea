"""Rate responses from their text alone: no model, no key, no network.

`TEXT` holds the properties: length, markdown, readability, diction, manner. `measure_text` rates
every response of a data set by them. One response is read by `reading.read_response`.
"""

from __future__ import annotations

from prefdissect.text.catalogue import TEXT
from prefdissect.text.measure import measure_text, rate_if_unrated, rate_like, rate_only

__all__ = ["TEXT", "measure_text", "rate_if_unrated", "rate_like", "rate_only"]
