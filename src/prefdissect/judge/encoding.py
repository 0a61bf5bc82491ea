"""From prompts to the tokens of a model: the letters, and texts that cannot pass for marks of the model's own."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from prefdissect.errors import ModelError, OptionError

__all__ = ["Encoder"]

_PLACE = "PREFDISSECTPLACEOFTHETEXT"
_LEAD = "The one that serves the user better is Response"  # where the answer of a chat begins


class Encoder:
    """Turns prompts into tokens by a tokenizer of transformers.

    Parameters
    ----------
    tokenizer
        The tokenizer.
    name
        What errors call it.
    chat_template
        Put prompts as the user's turn of a chat, and begin the answer.

    Raises
    ------
    OptionError
        If there is no chat template to use.
    """

    def __init__(self, tokenizer: Any, name: str, *, chat_template: bool = False) -> None:
        self.tokenizer, self.name, self.chat_template = tokenizer, name, chat_template
        if chat_template and not getattr(tokenizer, "chat_template", None):
            raise OptionError(
                f"chat_template=True, but the tokenizer of {name!r} has none; leave it out, as the paper did"
            )

    @cached_property
    def letters(self) -> tuple[int, int]:
        """The tokens of " A" and " B" after "Response".

        Source: Li et al., ACL 2024: "Response A" must be the tokens of "Response" and one more.

        Raises
        ------
        ModelError
            If it is not so.
        """
        start = self._tokens("Response")
        found = []
        for letter in "AB":
            whole = self._tokens(f"Response {letter}")
            if whole[:-1] != start:
                raise ModelError(
                    f"the tokenizer of {self.name!r} makes {whole} of 'Response {letter}' and {start} of 'Response'; "
                    "the letter must be one token of its own for its probability to be read; serve the model and ask "
                    "it with ChatJudge(way='letter') or way='reasoned'"
                )
            found.append(int(whole[-1]))
        return found[0], found[1]

    @property
    def padding(self) -> int:
        """The token that fills up short rows, which is masked."""
        return int(self.tokenizer.pad_token_id or self.tokenizer.eos_token_id or 0)

    def write(self, text: str) -> str:
        """Return all that the model reads, as text."""
        before, after = self._frame
        return before + text + after

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a prompt; marks of the model's own that stand in its texts are plain text."""
        if not self.chat_template:
            whole = self._tokens(text, plain=True, add_special_tokens=True)
            ends = self.tokenizer.eos_token_id
            return whole[:-1] if whole and whole[-1] == ends else whole  # some tokenizers end every text
        before, after = self._frame
        return self._tokens(before) + self._tokens(text, plain=True) + self._tokens(after)

    @cached_property
    def _frame(self) -> tuple[str, str]:
        """What stands before and after the prompt."""
        if not self.chat_template:
            return "", ""
        turn = [{"role": "user", "content": _PLACE}]
        written = self.tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
        before, place, after = str(written).partition(_PLACE)
        if not place or _PLACE in after:
            raise OptionError(f"the chat template of {self.name!r} does not show what the user says once; leave it out")
        return before, after + _LEAD

    def _tokens(self, text: str, *, plain: bool = False, add_special_tokens: bool = False) -> list[int]:
        found = self.tokenizer(text, add_special_tokens=add_special_tokens, split_special_tokens=plain)
        return [int(token) for token in found["input_ids"]]
