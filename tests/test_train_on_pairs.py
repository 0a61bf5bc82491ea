"""TRL loads what `preference_pairs` writes, and trains on it: losses by the formula, down after two steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import prefdissect as pdx

# TRL and what it stands on warn of their own next versions.
pytestmark = [pytest.mark.train, pytest.mark.filterwarnings("default")]

TEMPLATE = (
    "{% for turn in messages %}{{ turn['role'] + '\\n' + turn['content'] + eos_token }}{% endfor %}"
    "{{ 'assistant\\n' if add_generation_prompt else '' }}"
)


@pytest.fixture(scope="module")
def pairs() -> pdx.PreferencePairs:
    """Return 16 pairs whose chosen response is the long one."""
    long, short = "It is wet, it falls from the clouds, and it makes rivers.", "Wet."
    table = pd.DataFrame({"prompt": [f"Tell me of rain, part {i}." for i in range(16)]})
    table = table.assign(response_a=[long, short] * 8, response_b=[short, long] * 8, judge_me=["A", "B"] * 8)
    data = pdx.measure_text(table, properties=["length"])
    return pdx.dissect(data, engine="ep", prior=pdx.Normal(1.0), random_seed=0).preference_pairs()


@pytest.fixture(scope="module")
def tiny(pairs: pdx.PreferencePairs, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the folder of a random model of 20,000 parameters, and of a tokenizer that knows these texts."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    learner = trainers.BpeTrainer(vocab_size=300, special_tokens=["<eos>", "<pad>"], initial_alphabet=alphabet)
    pieces.train_from_iterator([*pairs.table["prompt"], *pairs.table["chosen"]], learner)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=pieces, eos_token="<eos>", pad_token="<pad>")
    tokenizer.chat_template = TEMPLATE
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    ids = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, "bos_token_id": None}
    folder = tmp_path_factory.mktemp("tiny")
    torch.set_num_threads(1)  # threads of so small a model wait for each other
    torch.manual_seed(0)
    LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **size, **ids)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture
def rows_of(tmp_path: Path) -> Callable[[Path], Any]:
    from datasets import load_dataset

    def read(path: Path) -> Any:
        kind = "parquet" if path.suffix == ".parquet" else "json"
        return load_dataset(kind, data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))

    return read


def trainer_of(model: str, rows: Any, other: Any, folder: Path) -> Any:
    """Return a trainer of two steps on all rows at once, which evaluates on these and on others."""
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    options = DPOConfig(
        output_dir=str(folder),
        max_steps=2,
        per_device_train_batch_size=len(rows),
        per_device_eval_batch_size=len(rows),
        learning_rate=1e-2,
        lr_scheduler_type="constant",
        gradient_checkpointing=False,
        bf16=False,
        use_cpu=True,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        seed=0,
    )
    return DPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(model),
        args=options,
        train_dataset=rows,
        eval_dataset={"these": rows, "mirrored": other},
        processing_class=AutoTokenizer.from_pretrained(model),
    )


@pytest.mark.parametrize(
    ("form", "ending"), [("standard", ".jsonl"), ("conversational", ".parquet"), ("conversational", ".json")]
)
def test_trl_reads_the_file_and_two_steps_lower_its_loss(pairs, tiny, rows_of, tmp_path, form, ending) -> None:
    """Loss log 2 before training, by the formula: model and reference are the same.

    After it a pair with reward margin m costs log(1 + exp(-m)), and its mirror log(1 + exp(m)), which is m more.
    """
    toward = rows_of(pairs.to_file(tmp_path / f"toward{ending}", form=form))
    away = rows_of(pairs.inverted().to_file(tmp_path / f"away{ending}", form=form))
    assert {"prompt", "chosen", "rejected"} <= set(toward.column_names)
    assert toward["prompt"][0] == (
        pairs.table["prompt"][0] if form == "standard" else [{"content": pairs.table["prompt"][0], "role": "user"}]
    )
    assert (toward["chosen"], toward["rejected"]) == (away["rejected"], away["chosen"])
    trainer = trainer_of(tiny, toward, away, tmp_path / "out")
    for name in ("these", "mirrored"):
        assert trainer.evaluate(name)["eval_loss"] == pytest.approx(math.log(2), abs=1e-5)
    trainer.train()
    assert trainer.state.global_step == 2
    these, mirrored = trainer.evaluate("these"), trainer.evaluate("mirrored")
    assert these["eval_loss"] < math.log(2) - 0.01
    assert mirrored["eval_loss"] > math.log(2) + 0.01
    margin = these["eval_rewards/margins"]
    assert mirrored["eval_rewards/margins"] == pytest.approx(-margin, rel=1e-4)
    assert mirrored["eval_loss"] - these["eval_loss"] == pytest.approx(margin, rel=1e-4)


def test_the_card_is_one_that_the_hub_reads(pairs, tmp_path) -> None:
    """As README.md of a folder it tells `load_dataset` which file holds the pairs."""
    from datasets import load_dataset

    folder = tmp_path / "mine"
    folder.mkdir()
    pairs.to_file(folder / "pairs.parquet", form="conversational")
    (folder / "pairs.card.md").rename(folder / "README.md")
    rows = load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache"))
    assert rows["pair_id"][:] == pairs.table["pair_id"].tolist()
