"""What is known of the paper's 33 judges: size, family, and whether they were aligned."""

from __future__ import annotations

from typing import Literal, TypeAlias

import pandas as pd

from prefdissect._typing import check_choice

__all__ = ["judge_table"]

_Table: TypeAlias = Literal["paper"]

# name, billions of parameters, family, the pretrained model it was made from (its own name: it is that model).
# Source: Li et al. 2024, section 4 and released code. The sizes of closed models are not known.
_OPEN = (
    ("yi-6b", 6, "Yi", "yi-6b"),
    ("yi-6b-chat", 6, "Yi", "yi-6b"),
    ("llama-2-7b", 7, "LLaMA-2", "llama-2-7b"),
    ("llama-2-7b-chat", 7, "LLaMA-2", "llama-2-7b"),
    ("vicuna-7b-v1.5", 7, "LLaMA-2", "llama-2-7b"),
    ("tulu-2-dpo-7b", 7, "LLaMA-2", "llama-2-7b"),
    ("mistral-7b", 7, "Mistral", "mistral-7b"),
    ("mistral-7b-instruct-v0.1", 7, "Mistral", "mistral-7b"),
    ("mistral-7b-instruct-v0.2", 7, "Mistral", "mistral-7b"),
    ("zephyr-7b-alpha", 7, "Mistral", "mistral-7b"),
    ("zephyr-7b-beta", 7, "Mistral", "mistral-7b"),
    ("qwen-7b", 7, "Qwen", "qwen-7b"),
    ("qwen-7b-chat", 7, "Qwen", "qwen-7b"),
    ("llama-2-13b", 13, "LLaMA-2", "llama-2-13b"),
    ("llama-2-13b-chat", 13, "LLaMA-2", "llama-2-13b"),
    ("wizardLM-13b-v1.2", 13, "LLaMA-2", "llama-2-13b"),
    ("vicuna-13b-v1.5", 13, "LLaMA-2", "llama-2-13b"),
    ("tulu-2-dpo-13b", 13, "LLaMA-2", "llama-2-13b"),
    ("qwen-14b", 14, "Qwen", "qwen-14b"),
    ("qwen-14b-chat", 14, "Qwen", "qwen-14b"),
    ("yi-34b", 34, "Yi", "yi-34b"),
    ("yi-34b-chat", 34, "Yi", "yi-34b"),
    ("mistral-8x7b", 56, "Mistral", "mistral-8x7b"),
    ("mistral-8x7b-instruct-v0.1", 56, "Mistral", "mistral-8x7b"),
    ("llama-2-70b", 70, "LLaMA-2", "llama-2-70b"),
    ("llama-2-70b-chat", 70, "LLaMA-2", "llama-2-70b"),
    ("wizardLM-70b-v1.0", 70, "LLaMA-2", "llama-2-70b"),
    ("tulu-2-dpo-70b", 70, "LLaMA-2", "llama-2-70b"),
    ("qwen-72b", 72, "Qwen", "qwen-72b"),
    ("qwen-72b-chat", 72, "Qwen", "qwen-72b"),
)
_CLOSED = (("gpt-3.5-turbo-1106", "OpenAI"), ("gpt-4-1106-preview", "OpenAI"))
_SMALL = 14  # billions: the paper's smaller class ends here, the larger one begins above 30


def judge_table(name: _Table = "paper") -> pd.DataFrame:
    """Return the attributes of the paper's 33 judges, one row each, in the order of its similarity matrix.

    Columns: size (billions of parameters, NaN where unknown), size_class (`<=14B`, `>30B`, missing for closed models
    and people), family (missing for people), kind (pretrained, aligned, closed, human), base (the pretrained model that
    an open one is or was made from). Source: Li et al. 2024, section 4.

    Examples
    --------
    >>> from prefdissect import judge_table
    >>> judge_table("paper")["kind"].value_counts().to_dict()
    {'aligned': 20, 'pretrained': 10, 'closed': 2, 'human': 1}
    """
    check_choice("name", name, _Table)
    rows: list[tuple[object, ...]] = [
        (judge, size, "<=14B" if size <= _SMALL else ">30B", family, "pretrained" if judge == base else "aligned", base)
        for judge, size, family, base in _OPEN
    ]
    rows += [(judge, float("nan"), None, family, "closed", None) for judge, family in _CLOSED]
    rows.append(("human", float("nan"), None, None, "human", None))
    table = pd.DataFrame(rows, columns=["judge", "size", "size_class", "family", "kind", "base"]).set_index("judge")
    return table.astype({"size": float} | dict.fromkeys(["size_class", "family", "kind", "base"], "str"))
