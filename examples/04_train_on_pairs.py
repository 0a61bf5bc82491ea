# ruff: noqa: D100, D103, T201
# %% [markdown]
# # Train a model toward a judge, and away from it
#
# Texts and verdicts to a fit, the fit to labelled pairs, the pairs to DPO with TRL. As it stands it trains a tiny model
# with random weights on the CPU, in half a minute, to show that all parts fit together. With a model and pairs of your
# own:
#
#     python examples/04_train_on_pairs.py --model NAME --pairs pairs.jsonl --out trained
#
# where `prefdissect pairs RESULT.nc pairs.jsonl --form conversational` wrote the pairs. It needs the extra `train`.

# %%
import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from datasets import load_dataset
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer

import prefdissect as pdx

parser = argparse.ArgumentParser()
parser.add_argument("--model", help="name or folder of a causal language model; by default a tiny one is made")
parser.add_argument("--pairs", type=Path, help="conversational pairs; by default some are made, in both directions")
parser.add_argument("--out", type=Path, help="folder to save the trained model in")
asked = parser.parse_known_args()[0]  # a notebook has arguments of its own
scratch = tempfile.TemporaryDirectory()
folder = Path(scratch.name)

# %% [markdown]
# A judge whose taste is known: it likes long answers and does not like lists. Answers differ in both, at random.

# %%
rng = np.random.default_rng(0)
TOPICS = ["rain", "bread", "tides", "bees", "iron", "maps", "glass", "wheat", "storms", "salt"]
FACTS = ["is old", "can be made at home", "was once rare", "is told of in songs", "is sold by weight", "needs water"]


def answer(topic: str) -> str:
    said = [f"{topic} {fact}" for fact in rng.permutation(FACTS)[: rng.integers(1, 6)]]
    return "\n".join(f"- {line}" for line in said) if rng.random() < 0.5 else ". ".join(said) + "."


topics = rng.choice(TOPICS, 400)
table = pd.DataFrame(
    {
        "prompt": [f"Tell me of {topic}." for topic in topics],
        "response_a": [answer(topic) for topic in topics],
        "response_b": [answer(topic) for topic in topics],
    }
)
length, lists = (
    np.sign(measure(table["response_a"]) - measure(table["response_b"]))
    for measure in (lambda texts: texts.str.split().str.len(), lambda texts: texts.str.startswith("-").astype(int))
)
table["judge_reader"] = np.where(rng.random(400) < 1 / (1 + np.exp(-(1.5 * length - 1.0 * lists))), "A", "B")

# %% [markdown]
# Dissect it by two properties that the texts alone give, and label the pairs by the fit. `inverted()` is the mirror.

# %%
data = pdx.measure_text(table, properties=["length", "list_items"])
result = pdx.dissect(data, random_seed=0)
toward = result.preference_pairs()
print(toward)
files = {
    "toward": toward.to_file(folder / "toward.jsonl", form="conversational"),
    "away": toward.inverted().to_file(folder / "away.jsonl", form="conversational"),
}
if asked.pairs:
    files = {asked.pairs.stem: asked.pairs}

# %% [markdown]
# The model: yours, or a tiny one with random weights, and a tokenizer that is trained on these texts.

# %%
TEMPLATE = (
    "{% for turn in messages %}{{ turn['role'] + ':\\n' + turn['content'] }}"
    "{{ eos_token if turn['role'] == 'assistant' else '' }}{{ '\\n' }}{% endfor %}"
    "{{ 'assistant:\\n' if add_generation_prompt else '' }}"
)


def make_tiny_model(path: Path) -> Path:
    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer, pieces.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    learner = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<eos>", "<pad>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    pieces.train_from_iterator([*table["prompt"], *table["response_a"], *table["response_b"]], learner)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=pieces, eos_token="<eos>", pad_token="<pad>")
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    ids = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, "bos_token_id": None}
    torch.manual_seed(0)
    LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **size, **ids)).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


if not asked.model:
    torch.set_num_threads(1)  # threads of so small a model wait for each other
name_of_model = asked.model or str(make_tiny_model(folder / "tiny"))

# %% [markdown]
# DPO, with a tenth of the pairs held out. The options of the tiny model make it learn in a few steps; those of a real
# one are a start. `beta` says how dear it is to leave the model that training began with. A tokenizer without a chat
# template, as base models have, gets a plain one.

# %%
TINY = {
    "max_steps": 10,
    "per_device_train_batch_size": 32,
    "learning_rate": 5e-3,
    "gradient_checkpointing": False,  # it saves memory, which is not scarce here, for time
    "use_cpu": True,
    "bf16": False,
}
REAL = {
    "num_train_epochs": 3,
    "per_device_train_batch_size": 4,
    "gradient_accumulation_steps": 16,
    "learning_rate": 1e-6,
    "lr_scheduler_type": "cosine",
}


def train(name: str, file: Path) -> dict[str, float]:
    rows = load_dataset("json", data_files=str(file), split="train", cache_dir=str(folder / "cache"))
    parts = rows.train_test_split(0.1, seed=0)
    tokenizer = AutoTokenizer.from_pretrained(name_of_model)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    tokenizer.chat_template = tokenizer.chat_template or TEMPLATE
    trainer = DPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(name_of_model),
        args=DPOConfig(
            output_dir=str(folder / name),
            beta=0.1,
            report_to="none",
            save_strategy="no",
            logging_steps=5,
            disable_tqdm=asked.model is None,
            seed=0,
            **(REAL if asked.model else TINY),
        ),
        train_dataset=parts["train"],
        eval_dataset=parts["test"],
        processing_class=tokenizer,
    )
    before = trainer.evaluate()
    trainer.train()
    after = trainer.evaluate()
    if asked.out:
        trainer.save_model(str(asked.out / name))
    return {"before": before["eval_loss"], "after": after["eval_loss"], "raised": after["eval_rewards/accuracies"]}


results = {name: train(name, file) for name, file in files.items()}

# %% [markdown]
# Before training the loss is log 2 = 0.693, as the model is its own reference. `raised` is the share of pairs that were
# held out in which training made the chosen response more likely, compared to the rejected one.

# %%
print()
for name, found in results.items():
    print(f"{name}: loss {found['before']:.3f} before, {found['after']:.3f} after; raised {found['raised']:.2f}")
scratch.cleanup()
