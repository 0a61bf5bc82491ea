"""One HTML file that shows a dissection: no server, no network, opened by a double click.

contents.py   everything that the page tells, gathered
sections/     Contents -> what each section of the page is given, as plain lists and packed arrays
packing.py    arrays and texts -> what JSON can hold, so that no text of a stranger is ever markup
html.py       the one file: scripts and styles of page/ inlined, and a policy that allows nothing else
page/         the page itself: HTML, CSS, and one script an idea
"""

from __future__ import annotations

from prefdissect.report.contents import Compared, Contents
from prefdissect.report.html import write_page
from prefdissect.report.texts import Texts, choose_texts, why_none

__all__ = ["Compared", "Contents", "Texts", "choose_texts", "why_none", "write_page"]
