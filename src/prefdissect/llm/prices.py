"""What models cost, from a file that users can edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from prefdissect.errors import FileFormatError, OptionError, choices

__all__ = ["Price", "dollars", "find_price", "is_loopback", "load_prices", "need_price"]

_LOOPBACK = ("localhost", "127.0.0.1", "::1", "0.0.0.0")


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens, of what is sent and of what comes back.

    Examples
    --------
    >>> from prefdissect.llm import Price
    >>> Price(2.5, 10).of(tokens_in=2_000, tokens_out=300)
    0.008
    """

    input: float
    output: float

    def of(self, *, tokens_in: float, tokens_out: float) -> float:
        """Return what so many tokens cost, in US dollars."""
        return (self.input * tokens_in + self.output * tokens_out) / 1e6


def dollars(money: float) -> str:
    """Return a sum in words: one below a cent is not free.

    Examples
    --------
    >>> from prefdissect.llm.prices import dollars
    >>> dollars(1234.5), dollars(0.004), dollars(0.0)
    ('$1,234.50', 'less than $0.01', '$0.00')
    """
    return "less than $0.01" if 0 < money < 0.01 else f"${money:,.2f}"


def load_prices(path: str | Path | None = None) -> dict[str, Price]:
    """Return prices by the name of the model: those of the package, and over them those of `path`.

    Parameters
    ----------
    path
        A YAML file of lines `model: [input, output]`, in US dollars for a million tokens.

    Raises
    ------
    FileFormatError
        If the file is missing, or a line of it is no price; the message names the line.

    Examples
    --------
    >>> from prefdissect.llm import load_prices
    >>> load_prices()["gpt-4o"]
    Price(input=2.5, output=10.0)
    """
    known = dict(_own_prices())
    if path is None:
        return known
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise FileFormatError(f"cannot read the prices in {str(path)!r}: {error.strerror}") from None
    return known | _read_prices(text, str(path))


@cache
def _own_prices() -> dict[str, Price]:
    return _read_prices(files("prefdissect.llm").joinpath("prices.yaml").read_text(encoding="utf-8"), "prices.yaml")


def _read_prices(text: str, where: str) -> dict[str, Price]:
    import yaml

    try:
        lines = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise FileFormatError(f"{where!r} is no YAML: {error}") from None
    if not isinstance(lines, dict):
        raise FileFormatError(f"{where!r} must hold lines `model: [input, output]`")
    return {str(model): _read_price(model, value, where) for model, value in lines.items()}


def _read_price(model: Any, value: Any, where: str) -> Price:
    numbers = isinstance(value, list) and len(value) == 2 and all(isinstance(v, int | float) and v >= 0 for v in value)
    if not numbers or any(isinstance(v, bool) for v in value):
        raise FileFormatError(
            f"{where!r}: the price of {model!r} is {value!r}; give [input, output] in US dollars for a million tokens"
        )
    return Price(float(value[0]), float(value[1]))


def find_price(model: str, prices: Mapping[str, Price], *, base_url: str | None = None) -> Price | None:
    """Return the price of a model, 0 on a server of this machine, or None if it is not known.

    A provider before the name (`openai/gpt-4o`) and a variant after it (`:free` costs nothing) are understood.

    Examples
    --------
    >>> from prefdissect.llm import find_price, load_prices
    >>> find_price("openai/gpt-4o-mini", load_prices())
    Price(input=0.15, output=0.6)
    """
    if model in prices:
        return prices[model]
    if model.endswith(":free") or (base_url is not None and is_loopback(base_url)):
        return Price(0.0, 0.0)
    return prices.get(model.rsplit("/", 1)[-1].split(":", maxsplit=1)[0])


def is_loopback(base_url: str) -> bool:
    """Return whether an address is of this machine."""
    return urlsplit(base_url).hostname in _LOOPBACK


def need_price(model: str, prices: Mapping[str, Price]) -> Price:
    """Return the price of a model, or raise `OptionError` with the way to give it.

    That a server is of this machine does not count: it may be a gateway to one that is paid.
    """
    price = find_price(model, prices)
    if price is None:
        raise OptionError(
            f"no price of model {model!r} is known, so no limit in money can be kept; write `{model}: [input, output]` "
            f"(US dollars for a million tokens, 0 if it is free) into a file and give it as prices=, or limit calls; "
            f"{choices(model, prices, most=3)}"
        )
    return price
