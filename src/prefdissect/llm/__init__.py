"""One client for every server that speaks the OpenAI-compatible protocols, and what its calls cost.

A `Client` asks a `Server` for the `Reply` to a `Request`. It keeps each reply in a `ReplyCache` before
anyone uses it, so that a run that ends at any moment goes on where it was; stays within a `Limit`; waits
where the server asks to; and runs many jobs at once. `estimate_calls` says beforehand what calls would take.
`Prompt` fills in templates, `fence` keeps texts inside their place in them.

`measure` and `judge` stand on this room. Only `server.py` imports openai.
"""

from prefdissect.llm.budget import Limit, Use
from prefdissect.llm.client import Client
from prefdissect.llm.estimate import Estimate, Planned, estimate_calls
from prefdissect.llm.jobs import Failure, Jobs
from prefdissect.llm.prices import Price, find_price, load_prices
from prefdissect.llm.prompting import Prompt, fence
from prefdissect.llm.replies import ReplyCache
from prefdissect.llm.request import Reply, Request, Token
from prefdissect.llm.server import Server
from prefdissect.llm.structured import read_json, text_of
from prefdissect.llm.tokens import count_tokens

__all__ = [
    "Client",
    "Estimate",
    "Failure",
    "Jobs",
    "Limit",
    "Planned",
    "Price",
    "Prompt",
    "Reply",
    "ReplyCache",
    "Request",
    "Server",
    "Token",
    "Use",
    "count_tokens",
    "estimate_calls",
    "fence",
    "find_price",
    "load_prices",
    "read_json",
    "text_of",
]
