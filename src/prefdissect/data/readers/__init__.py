"""Readers: from the layouts in which preferences are published to the tidy one. One file a layout."""

from __future__ import annotations

from prefdissect.data.readers.layout import Layout, Part, Reading
from prefdissect.data.readers.registry import LAYOUTS, TIDY, read_parts, recognise

__all__ = ["LAYOUTS", "TIDY", "Layout", "Part", "Reading", "read_parts", "recognise"]
