"""How far a judge, and a benchmark built on it, can be gamed.

shift.py           a change of properties -> the change of the win rate that a posterior expects
exploitability.py  one step of each property, and the best few together
rules.py           what "prefer more of this" wins of a benchmark
subsets.py         what is won of pairs that had no part in choosing
leaderboard.py     models, raw and with properties held equal
run.py             `audit`: all of it from a table or a file

The room bears the name of its function: `prefdissect.audit` is called, too, whichever of them is found under it.
"""

from __future__ import annotations

import inspect
import sys
from types import ModuleType
from typing import Any

from prefdissect.audit.benchmark import Audit, AuditFigure
from prefdissect.audit.exploitability import exploit
from prefdissect.audit.exploited import Exploitability
from prefdissect.audit.run import Plan, audit, audit_design, check_plan
from prefdissect.audit.shift import predicted_shift

__all__ = [
    "Audit",
    "AuditFigure",
    "Exploitability",
    "Plan",
    "audit",
    "audit_design",
    "check_plan",
    "exploit",
    "predicted_shift",
]


class _Callable(ModuleType):
    """Importing any module of the room binds the room where the front door's function would be."""

    def __call__(self, *args: Any, **kwargs: Any) -> Audit:
        return audit(*args, **kwargs)


sys.modules[__name__].__class__ = _Callable
__doc__ = f"{__doc__}\n{audit.__doc__}"  # what help() says of it
__signature__ = inspect.signature(audit)
