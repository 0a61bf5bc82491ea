"""Readers: from the layouts in which preferences are published to the tidy one. One file a layout."""

from __future__ import annotations

from prefdissect.data.readers.layout import Layout, Part, Reading
from prefdissect.data.readers.registry import LAYOUTS, TIDY, closest_layouts, read_parts, recognise

__all__ = ["LAYOUTS", "TIDY", "Layout", "Part", "Reading", "closest_layouts", "read_parts", "recognise"]
