"""What the children of `test_judge_resume` run; imported before they are forked, with all that it takes to ask."""

from __future__ import annotations

import planted
import prefdissect.data.extend
import prefdissect.text.cells  # noqa: F401
from prefdissect.judge import ChatJudge, Collected, collect
from prefdissect.llm import Server

PAIRS, CONCURRENCY = 300, 8

_SERVER = Server("http://127.0.0.1:9/v1")
_SERVER.connect()  # loads the SDK
_SERVER.close()


def run(url: str, replies: str, concurrency: int = CONCURRENCY) -> Collected:
    judge = ChatJudge("m", base_url=url)
    return collect(planted.pairs(PAIRS), judge, replies=replies, concurrency=concurrency, progress=False)
