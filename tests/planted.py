"""A judge whose weights are known, behind the server of the tests: it prefers what marks in the texts say.

Responses hold a mark such as `[[id=r7a; x=1,0,2,0]]`. The judge finds the marks in the request, in whatever way it is
asked, and holds that the log-odds of the response shown first are w'sign(x_first - x_second) + luck + `BIAS`. The luck
of two responses is logistic, and changes its sign when they are exchanged: so without the bias the first is better with
probability sigmoid(w'sign(x_first - x_second)), and the sum over both orders is free of the bias.
"""

from __future__ import annotations

import hashlib
import json
import math
import re

import numpy as np
import pandas as pd

from served import Answer, Token

WEIGHTS = np.array([1.0, -0.8, 0.5, 0.0])
BIAS = 0.6  # log-odds of being shown first
NAMES = ("kind", "wordy", "plain", "blue")
_MARK = re.compile(r"\[\[id=(\w+); x=([-\d,]+)\]\]")


def mark(name: str, x) -> str:
    return f"[[id={name}; x={','.join(str(int(v)) for v in x)}]]"


def pairs(n: int, seed: int = 0, per_prompt: int = 1) -> pd.DataFrame:
    """Return pairs that are rated, and whose ratings stand in marks in their texts."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 3, (n, 2, len(NAMES)))
    table = {"pair_id": [f"p{i}" for i in range(n)], "prompt": [f"Question {i // per_prompt}?" for i in range(n)]}
    for side, name in enumerate("ab"):
        table[f"response_{name}"] = [f"Answer {i}{name}. {mark(f'r{i}{name}', x[i, side])}" for i in range(n)]
        table |= {f"{prop}_{name}": x[:, side, k] for k, prop in enumerate(NAMES)}
    return pd.DataFrame(table)


def text_of(body: dict) -> str:
    return body["prompt"] if "prompt" in body else body["messages"][0]["content"]


def seen(body: dict) -> list[tuple[str, np.ndarray]]:
    """Return id and ratings of the marked responses of a request, in the order in which they are shown."""
    return [(name, np.array(x.split(","), dtype=float)) for name, x in _MARK.findall(text_of(body))]


def luck(one: str, other: str) -> float:
    """Return a logistic draw that two responses determine; exchanged, they get its negative."""
    low, high = sorted((one, other))
    digest = hashlib.blake2b(f"{low} {high}".encode(), digest_size=7).digest()
    u = (int.from_bytes(digest, "big") + 0.5) / 2**56
    return math.log(u / (1 - u)) * (1 if one == low else -1)


def log_odds(shown: list[tuple[str, np.ndarray]], bias: float = BIAS) -> float:
    """Return the log-odds that the response shown first is better; the comparison of ratings is what counts."""
    (one, first), (other, second) = shown
    return float(WEIGHTS @ np.sign(first - second)) + luck(one, other) + bias


def logprobs(odds: float) -> tuple[float, float]:
    """Return log-probabilities of A and B, a tenth of the probability going to other words."""
    return math.log(0.9) - math.log1p(math.exp(-odds)), math.log(0.9) - math.log1p(math.exp(odds))


def score(x: np.ndarray) -> int:
    return int(np.clip(round(5 + float(WEIGHTS @ (x - 1))), 1, 10))


def judge(body: dict) -> Answer:
    """Answer in any of the four ways."""
    asks = text_of(body).rsplit("\n", 1)[-1]
    if '"score"' in asks:
        ((_, x),) = seen(body)
        return Answer(json.dumps({"reason": "so", "score": score(x)}))
    odds = log_odds(seen(body))
    letter = "A" if odds > 0 else "B"
    if '"verdict"' in asks:
        return Answer(json.dumps({"reasoning": "so it is", "verdict": letter}))
    a, b = logprobs(odds)
    space = " " if "prompt" in body else ""
    likely = {f"{space}A": a, f"{space}B": b, f"{space}The": math.log(0.06), f"{space}Both": math.log(0.04)}
    return Answer(space + letter, tokens=[Token(space + letter, likely[space + letter], likely)])
