"""A served world for experiments: a model that follows system messages, and a judge whose weights over texts are known.

Responses are words, with some of four features: list items, bold words, exclamations, emoji. The model `writer`
shows more of those that a system message names. The judge measures both responses by `TEXT`, and prefers the first with
probability sigmoid(w'x): its log-odds hold noise of a logistic distribution, the same whichever is shown first.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from functools import cache

import numpy as np
import pandas as pd

from prefdissect.schema import PropertySchema
from prefdissect.text import TEXT, measure_text
from served import Answer, Token

FEATURES = ("list_items", "bold", "exclamations", "emoji")  # in the order of `TEXT`
SCHEMA: PropertySchema = TEXT.select(FEATURES)
WEIGHTS = np.array([-1.5, 1.5, -0.6, 0.6])
_WORDS = ["river", "stone", "tree", "cloud", "light", "road", "garden", "winter", "letter", "music", "window", "paper"]
_FENCED = re.compile(r"<(request|response_A|response_B|response)(?:-\w+)?>\n(.*?)\n</\1", re.DOTALL)


def _rng(*texts: str) -> np.random.Generator:
    digest = hashlib.blake2b("\0".join(texts).encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def write(prompt: str, message: str, voice: str = "") -> str:
    """Return a response, the same for the same prompt, message and voice."""
    rng = _rng(prompt, message, voice)
    wanted = [0.8 if re.search(rf"\b{name.replace('_', '.')}", message) else 0.25 for name in FEATURES]
    listed, bold, exclamation, emoji = rng.random(4) < wanted
    words = list(rng.choice(_WORDS, 30))
    if bold:
        words[3], words[9] = f"**{words[3]}**", f"**{words[9]}**"
    text = f"{' '.join(words[:12]).capitalize()}. {' '.join(words[12:20]).capitalize()}."
    text += f" {' '.join(words[20:]).capitalize()}{'!!' if exclamation else '.'}"
    text += " \N{SPARKLES} \N{SUNFLOWER} \N{FOUR LEAF CLOVER}" if emoji else ""
    return text + "\n\n- one\n- two\n- three" if listed else text


def writer(body: dict) -> str:
    """Write a response to the user's prompt as the system message asks."""
    messages = {m["role"]: m["content"] for m in body["messages"]}
    return write(messages["user"], messages.get("system", ""))


@cache
def _ratings(response: str) -> np.ndarray:
    table = pd.DataFrame({"prompt": ["p"], "response_a": [response], "response_b": ["x"]})
    return measure_text(table, properties=list(FEATURES), n_jobs=1).ratings[0, 0]


def log_odds(prompt: str, first: str, second: str, weights: np.ndarray, luck: str = "") -> float:
    """Return the log-odds that the first is better, noise included; swapping the responses flips its sign."""
    ratings = np.stack([_ratings(first), _ratings(second)])[None]
    x = np.array([prop.encode(ratings[:, 0, k], ratings[:, 1, k])[0] for k, prop in enumerate(SCHEMA)])
    u = _rng(luck + prompt, *sorted((first, second))).random()
    noise = math.log(u / (1 - u)) * (1 if first <= second else -1)
    return float(x @ weights) + noise


def _judge(body: dict, weights: np.ndarray) -> Answer:
    texts = _FENCED.findall(body["messages"][-1]["content"])
    if "score" in body["messages"][-1]["content"]:
        (_, prompt), (_, response) = texts
        rng = _rng(prompt, response)
        liking = 5.5 + 2 * float(weights @ np.sign(_ratings(response))) + rng.normal(0, 0.7)
        return Answer(json.dumps({"reason": "so", "score": int(np.clip(round(liking), 1, 10))}))
    (_, prompt), (_, first), (_, second) = texts
    luck = body["model"].removeprefix("indifferent") if body["model"] != "judge" else ""
    odds = log_odds(prompt, first, second, weights, luck)
    a, b = -math.log1p(math.exp(-odds)), -math.log1p(math.exp(odds))
    letter = "A" if a > b else "B"
    return Answer(letter, tokens=[Token(letter, max(a, b), {"A": a, "B": b})])


def answer(body: dict) -> Answer | str:
    """Answer as the model that is asked: `writer`, `judge`, `indifferent` or `mute`.

    Those whose names begin with `indifferent` have weights of 0, and each its own luck.
    """
    if body["model"] == "mute":
        return Answer("")
    if body["model"] == "writer":
        return writer(body)
    return _judge(body, WEIGHTS if body["model"] == "judge" else np.zeros(len(FEATURES)))


def pairs(n: int) -> pd.DataFrame:
    """Return pairs of responses by two writers."""
    prompts = [f"Tell me about {_WORDS[i % len(_WORDS)]} number {i}." for i in range(n)]
    sides = {f"response_{side}": [write(p, "", voice) for p in prompts] for side, voice in (("a", "1"), ("b", "2"))}
    return pd.DataFrame({"prompt": prompts, **sides})
