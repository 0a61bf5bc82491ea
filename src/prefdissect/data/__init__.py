"""Who preferred what, and how the responses rate: the table that everything else stands on.

`load` reads anything table-like into a `PreferenceData`; `PreferenceData.from_frame` takes a
DataFrame whose columns need naming.
"""

from __future__ import annotations

from prefdissect.data.labels import read_labels
from prefdissect.data.load import Source, load, load_for
from prefdissect.data.preference_data import PreferenceData
from prefdissect.data.report import DataReport

__all__ = ["DataReport", "PreferenceData", "Source", "load", "load_for", "read_labels"]
