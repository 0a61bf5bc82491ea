"""Rate responses, and sort prompts, by asking a model.

`annotate` asks for the properties of a schema: `plan` says in which step each is rated, `calls` makes the requests of
one pair in their order, `asking` puts them, `joining` makes data of the answers, and `Annotated` holds what came of it.
`estimate_annotation` goes through the same requests without asking. `assign_scenarios` finds the kind of each prompt.
"""

from prefdissect.measure.annotate import annotate
from prefdissect.measure.annotated import Annotated
from prefdissect.measure.estimating import estimate_annotation
from prefdissect.measure.scenario import assign_scenarios, estimate_scenarios

__all__ = ["Annotated", "annotate", "assign_scenarios", "estimate_annotation", "estimate_scenarios"]
