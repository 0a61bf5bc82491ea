"""Read the responses of many pairs: each distinct text once, a batch at a time, over the cores."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import TypeAlias

import joblib
import numpy as np
import pandas as pd

from prefdissect._typing import FloatArray, IntArray
from prefdissect.text.cells import as_texts
from prefdissect.text.reading import RATED, read_responses

__all__ = ["read_pairs"]

_BATCH = 128  # pairs: a fifth of a second of work for a process, and some 500 kB to send to it
_WORTH_PROCESSES = 1_000  # pairs; below, starting other processes takes longer than reading


_Text: TypeAlias = tuple[str, str]  # a response and its prompt


def read_pairs(
    texts: pd.DataFrame, *, n_jobs: int | None = None, progress: bool | None = None
) -> tuple[FloatArray, int]:
    """Return the ratings of responses A and B, shape [pair, 2, property of TEXT], and how many texts were read.

    `texts` has columns `response_a` and `response_b`, and may have `prompt`. Beside them only a few
    batches are in memory as Python text.
    """
    from tqdm.auto import tqdm

    places = np.full((len(texts), 2), -1, dtype=np.int64)
    batches = _new_texts(texts, places)
    read: list[FloatArray] = []
    watched = _is_watched() and len(texts) >= _WORTH_PROCESSES if progress is None else progress
    with tqdm(total=len(texts), desc="Measuring texts", unit="pair", disable=not watched) as bar:
        for ratings in _read_all(batches, _choose_jobs(n_jobs, len(texts))):
            read.append(ratings)
            bar.update(min(_BATCH, len(texts) - bar.n))
    # The last row stands for all that is missing, and is found by the place -1.
    table = np.concatenate([*read, np.full((1, len(RATED)), np.nan)])
    return table[places], len(table) - 1


def _is_watched() -> bool:
    """Whether a person is likely to look: a terminal, or a notebook."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules


def _choose_jobs(n_jobs: int | None, n_pairs: int) -> int:
    if n_jobs is not None:
        return int(joblib.effective_n_jobs(n_jobs))
    return int(joblib.cpu_count()) if n_pairs >= _WORTH_PROCESSES else 1


def _new_texts(texts: pd.DataFrame, places: IntArray) -> Iterator[list[_Text]]:
    """Yield, a batch of pairs at a time, the texts that no pair before had; note in `places` where each will be."""
    known: dict[bytes, int] = {}
    for start in range(0, len(texts), _BATCH):
        some = texts.iloc[start : start + _BATCH]
        prompts = as_texts(some["prompt"]) if "prompt" in some.columns else [None] * len(some)
        new = []
        for side, column in enumerate(("response_a", "response_b")):
            for row, (response, prompt) in enumerate(zip(as_texts(some[column]), prompts, strict=True), start):
                if response is not None and response.strip():
                    key = _digest(prompt or "", response)
                    if key not in known:
                        known[key] = len(known)
                        new.append((response, prompt or ""))
                    places[row, side] = known[key]
        yield new


def _digest(prompt: str, response: str) -> bytes:
    digest = blake2b(prompt.encode("utf-8", "surrogatepass"), digest_size=16)
    digest.update(b"\0\xff" + response.encode("utf-8", "surrogatepass"))
    return digest.digest()


def _read_all(batches: Iterable[list[_Text]], n_jobs: int) -> Iterator[FloatArray]:
    if n_jobs == 1:
        yield from map(read_responses, batches)
        return
    tasks = (joblib.delayed(read_responses)(batch) for batch in batches)
    yield from joblib.Parallel(n_jobs=n_jobs, return_as="generator")(tasks)
