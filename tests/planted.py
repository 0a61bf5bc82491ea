"""A judge whose weights are known, behind the server of the tests: it prefers what marks in the texts say.

Responses hold a mark such as `[[id=r7; x=1,0,-2]]`. The judge finds the marks in the request, whatever way it is asked,
and answers A with the probability sigmoid(w'(x_first - x_second) + bias).
"""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pandas as pd

from served import Answer, Token

WEIGHTS = np.array([1.2, -0.8, 0.5, 0.0])
BIAS = 0.6  # log-odds of being shown first
NAMES = ("kind", "long", "plain", "blue")
_MARK = re.compile(r"\[\[id=(\w+); x=([-\d,]+)\]\]")


def mark(name: str, x) -> str:
    return f"[[id={name}; x={','.join(str(int(v)) for v in x)}]]"


def pairs(n: int, seed: int = 0, per_prompt: int = 1, **more) -> pd.DataFrame:
    """Return pairs whose ratings stand in marks in their texts."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 3, (n, 2, len(NAMES)))
    table = {"pair_id": [f"p{i}" for i in range(n)], "prompt": [f"Question {i // per_prompt}?" for i in range(n)]}
    for side, name in enumerate("ab"):
        table[f"response_{name}"] = [f"Answer {i}{name}. {mark(f'r{i}{name}', x[i, side])}" for i in range(n)]
        table |= {f"{prop}_{name}": x[:, side, k] for k, prop in enumerate(NAMES)}
    return pd.DataFrame(table | more)


def text_of(body: dict) -> str:
    return body["prompt"] if "prompt" in body else body["messages"][0]["content"]


def seen(body: dict) -> list[tuple[str, np.ndarray]]:
    """Return id and ratings of the marked responses of a request, in the order in which they are shown."""
    return [(name, np.array(x.split(","), dtype=float)) for name, x in _MARK.findall(text_of(body))]


def log_odds(body: dict) -> float:
    """Return the log-odds that the response shown first is better."""
    (_, first), (_, second) = seen(body)
    return float(WEIGHTS @ (first - second)) + BIAS


def logprobs(odds: float) -> tuple[float, float]:
    """Return log-probabilities of A and B, a tenth of the probability going to other words."""
    of_a, of_b = -math.log1p(math.exp(-odds)), -math.log1p(math.exp(odds))
    return of_a + math.log(0.9), of_b + math.log(0.9)


def draws(body: dict) -> bool:
    """Return whether A is answered: by chance, but the same for the same request."""
    text = json.dumps(body, sort_keys=True)
    return np.random.default_rng(abs(hash_of(text))).random() < 1 / (1 + math.exp(-log_odds(body)))


def hash_of(text: str) -> int:
    import hashlib

    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big")


def judge(body: dict) -> Answer:
    """Answer in any of the four ways; a verdict is drawn, and log-probabilities are those of its chance."""
    if '"score"' in text_of(body):
        ((_, x),) = seen(body)
        return Answer(json.dumps({"reason": "so", "score": int(np.clip(round(5 + 2 * float(WEIGHTS @ (x - 1))), 1, 10))}))
    letter = "A" if draws(body) else "B"
    if '"verdict"' in text_of(body):
        return Answer(json.dumps({"reasoning": "so it is", "verdict": letter}))
    a, b = logprobs(log_odds(body))
    space = " " if "prompt" in body else ""
    letter = "A" if a > b else "B"
    others = {f"{space}A": a, f"{space}B": b, f"{space}The": math.log(0.06), f"{space}Both": math.log(0.04)}
    return Answer(f"{space}{letter}", tokens=[Token(f"{space}{letter}", others[f"{space}{letter}"], others)])
