"""A judge that is a model of transformers in this process; the only file that imports torch and transformers."""

from __future__ import annotations

import hashlib
import inspect
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from prefdissect._typing import check_count, check_flag
from prefdissect.errors import ModelError, OptionError
from prefdissect.judge.answers import Answer, Answers, Run
from prefdissect.judge.encoding import Encoder
from prefdissect.judge.letters import Letters
from prefdissect.judge.questions import Question
from prefdissect.judge.ways import answer_letters, fill
from prefdissect.llm import Failure, Limit, Prompt, Reply, ReplyCache, Request, Token, Use

__all__ = ["LocalJudge"]

_WINDOW = 32  # batches whose questions are sorted by length, so that little is padded
_ENDS = 8  # numbers of each weight, at either end, by which models are told apart


@dataclass(frozen=True, eq=False)
class LocalJudge:
    """A model of transformers in this process, asked in the paper's way.

    The prompt ends in "Response"; the log-probabilities of the tokens " A" and " B" after it decide, summed over both
    orders. No chat template is used unless asked for, as in the paper. Needs `pip install "prefdissect[local]"`.

    Replies are kept in the same file as those of served models, under a name made from the model's weights. Batches are
    the same in a run that goes on, so that its numbers are, too; a batch that was cut off is computed again.

    Parameters
    ----------
    model_or_path
        Name on the Hub, a folder, or a model that is loaded already.
    device
        Where it runs, such as "cuda:0"; by default a GPU if there is one. A loaded model stays where it is.
    batch_size
        Questions computed at once.
    chat_template
        Put the question as the user's turn, and let the answer begin with "The one that serves the user better is
        Response".
    dtype
        Type of the weights, such as "bfloat16"; by default the one they are stored in.
    tokenizer
        Of a loaded model; otherwise that of the same name.

    Raises
    ------
    OptionError
        If an option is none, or a loaded model comes without a tokenizer.
    ModelError
        When asked: if torch and transformers are not installed, or "Response A" is not "Response" and one more token.

    Examples
    --------
    >>> import prefdissect as pdx
    >>> judge = pdx.LocalJudge("meta-llama/Llama-3.2-1B", batch_size=16, dtype="bfloat16")
    >>> judge.name, judge.way
    ('meta-llama/Llama-3.2-1B', 'completion')
    """

    model_or_path: Any
    _: KW_ONLY
    device: str | None = None
    batch_size: int = 8
    chat_template: bool = False
    dtype: Any = None
    tokenizer: Any = None

    def __post_init__(self) -> None:
        """Check the options; nothing is loaded before it is needed."""
        check_count("batch_size", self.batch_size)
        if check_flag("chat_template", self.chat_template) is None:
            raise OptionError("chat_template=None must be True or False")
        if not isinstance(self.model_or_path, str | Path) and self.tokenizer is None:
            raise OptionError("a model that is loaded already needs its tokenizer: LocalJudge(model, tokenizer=...)")

    @property
    def name(self) -> str:
        """The model's name; of a folder the last part."""
        given = self.model_or_path
        if not isinstance(given, str | Path):
            given = getattr(given, "name_or_path", "") or type(given).__name__
        return Path(given).name if Path(given).is_dir() else str(given)

    @property
    def way(self) -> str:
        """How it is asked."""
        return "completion, chat template" if self.chat_template else "completion"

    @property
    def sees_order(self) -> bool:
        """It sees both responses at once."""
        return True

    @property
    def prompt(self) -> Prompt:
        """The prompt: the one of `ChatJudge(way="completion")`, or one that asks, for a chat template."""
        return Prompt("prefdissect.judge", "completion_chat" if self.chat_template else "completion")

    @property
    def prompt_hash(self) -> str:
        """The version of the prompt."""
        return self.prompt.hash

    @property
    def settings(self) -> Mapping[str, object]:
        """All that its answers depend on."""
        return {"model": self.address, "way": self.way, "prompt": self.prompt_hash}

    @property
    def address(self) -> str:
        """Under what its replies are kept: the same for the same weights and tokens, wherever they lie."""
        return f"local:{self._fingerprint}"

    def answer(self, questions: Sequence[Question], run: Run) -> Answers:
        """Return its answers to questions; of `run` it heeds replies, progress, and a limit in calls."""
        from tqdm import tqdm

        hidden = None if run.progress is None else not run.progress
        with (
            ReplyCache(run.replies) as replies,
            tqdm(total=len(questions), desc=f"Asking {self.name}", unit="question", disable=hidden) as bar,
        ):
            work = _Work(self, replies, _calls_of(run.limit))
            size = _WINDOW * self.batch_size
            for start in range(0, len(questions), size):
                work.go_through(questions[start : start + size])
                bar.update(len(questions[start : start + size]))
            return work.answers()

    @cached_property
    def encoder(self) -> Encoder:
        """What turns prompts into tokens."""
        transformers, _ = _import()
        tokenizer = self.tokenizer or transformers.AutoTokenizer.from_pretrained(self.model_or_path)
        return Encoder(tokenizer, self.name, chat_template=self.chat_template)

    @cached_property
    def model(self) -> Any:
        """The model, where it runs."""
        transformers, torch = _import()
        model = self.model_or_path
        if isinstance(model, str | Path):
            found = transformers.AutoModelForCausalLM.from_pretrained(model, dtype=self.dtype or "auto")
            model = found.to(self.device or ("cuda" if torch.cuda.is_available() else "cpu"))
        elif self.device is not None:
            model = model.to(self.device)
        return model.eval()

    @cached_property
    def _fingerprint(self) -> str:
        digest = hashlib.blake2b(repr((self.encoder.letters, len(self.encoder.tokenizer))).encode(), digest_size=8)
        for name, weights in self.model.state_dict().items():
            flat = weights.reshape(-1)
            ends = [*flat[:_ENDS].float().tolist(), *flat[-_ENDS:].float().tolist()]
            digest.update(repr((name, tuple(weights.shape), str(weights.dtype), ends)).encode())
        return digest.hexdigest()

    def compute(self, batch: Sequence[Sequence[int]]) -> list[Letters]:
        """Return the log-probabilities of A and B after each row of tokens, all padded on the left to one length."""
        _, torch = _import()
        longest = max(map(len, batch))
        pad = self.encoder.padding
        where = self.model.get_input_embeddings().weight.device
        ids = torch.tensor([[pad] * (longest - len(row)) + list(row) for row in batch], device=where)
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in batch], device=where)
        # Not all models count positions from the mask by themselves, and only the last place is needed.
        given = {"position_ids": (mask.cumsum(1) - 1).clamp(min=0), "logits_to_keep": 1, "use_cache": False}
        given = {name: value for name, value in given.items() if name in self._arguments}
        with torch.inference_mode():
            logits = self.model(input_ids=ids, attention_mask=mask, **given).logits[:, -1]
            logprobs = torch.log_softmax(logits.float(), dim=-1)[:, list(self.encoder.letters)].tolist()
        return [Letters(a, b) for a, b in logprobs]

    @cached_property
    def _arguments(self) -> frozenset[str]:
        return frozenset(inspect.signature(self.model.forward).parameters)


class _Work:
    """One run of a local judge: what is kept, what is computed, what is left."""

    def __init__(self, judge: LocalJudge, replies: ReplyCache, most: int | None) -> None:
        self.judge, self.replies, self.most = judge, replies, most
        self.found: dict[str, Answer] = {}
        self.failures: list[Failure] = []
        self.not_done: list[str] = []
        self.calls = self.kept = self.tokens = 0

    def go_through(self, questions: Sequence[Question]) -> None:
        """Answer some questions, from the file where their replies are kept."""
        requests = {q.name: self._request(q) for q in questions}
        kept = {q.name: self.replies.find(self.judge.address, requests[q.name]) for q in questions}
        if any(reply is None for reply in kept.values()):
            for batch in self._batches(questions):
                self._answer(batch, requests, kept)
        for name, reply in kept.items():
            if reply is not None:
                token = reply.tokens[0]
                self.found[name] = answer_letters(Letters(token.top[" A"], token.top[" B"]), reply.text)
                self.kept += 1

    def answers(self) -> Answers:
        """Return what became of all questions."""
        use = Use(self.calls, self.kept, self.tokens, self.calls, 0.0)
        stopped = f"the limit of {self.most:,} calls is reached" if self.not_done else None
        return Answers(self.found, tuple(self.failures), tuple(self.not_done), stopped, use=use)

    def _request(self, question: Question) -> Request:
        text = self.judge.encoder.write(fill(self.judge.prompt, question))
        return Request(self.judge.name, prompt=text, max_tokens=1, top_logprobs=2, repeat=question.repeat)

    def _batches(self, questions: Sequence[Question]) -> Iterator[list[tuple[str, list[int]]]]:
        """Yield batches of names and tokens, the same whatever is kept; what the model cannot hold fails."""
        encoder, most = self.judge.encoder, getattr(self.judge.model.config, "max_position_embeddings", None)
        rows = []
        for question in questions:
            row = encoder.encode(fill(self.judge.prompt, question))
            if most is not None and len(row) > most:
                reason = f"the prompt has {len(row):,} tokens, and the model reads {most:,} at most"
                self.failures.append(Failure(question.name, reason))
            else:
                rows.append((question.name, row))
        rows.sort(key=lambda named: len(named[1]))
        size = self.judge.batch_size
        yield from (rows[start : start + size] for start in range(0, len(rows), size))

    def _answer(
        self, batch: list[tuple[str, list[int]]], requests: Mapping[str, Request], kept: Mapping[str, Reply | None]
    ) -> None:
        new = [name for name, _ in batch if kept[name] is None]
        room = len(new) if self.most is None else self.most - self.calls
        new, left = new[:room], new[room:]
        self.not_done += left
        if not new:
            return
        for (name, row), letters in zip(batch, self.judge.compute([row for _, row in batch]), strict=True):
            if name not in new:
                continue
            self.calls, self.tokens = self.calls + 1, self.tokens + len(row)
            if math.isnan(letters.a) or math.isnan(letters.b):
                self.failures.append(Failure(name, "the model gives no number; try dtype='float32'"))
                continue
            reply = _as_reply(letters)
            self.replies.keep(self.judge.address, requests[name], reply)
            self.found[name] = answer_letters(letters, reply.text)


def _as_reply(letters: Letters) -> Reply:
    """Return the reply that a server would send: the likelier letter, none in a tie, and both log-probabilities."""
    likelier = "" if letters.a == letters.b else (" A" if letters.a > letters.b else " B")
    return Reply(likelier, "length", (Token(likelier, max(letters.a, letters.b), {" A": letters.a, " B": letters.b}),))


def _calls_of(limit: Limit | str | int | None) -> int | None:
    read = Limit.read(limit)
    if read.money is not None:
        raise OptionError(f"limit={limit!r} is money, and a local judge costs none; give a number of calls")
    return read.calls


def _import() -> tuple[Any, Any]:
    try:
        import torch
        import transformers
    except ImportError:
        raise ModelError('a local judge needs torch and transformers: pip install "prefdissect[local]"') from None
    return transformers, torch
