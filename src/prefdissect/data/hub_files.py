"""Which files of a repository are the wanted table: splits by the names of files and folders, as the Hub finds them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from prefdissect.data.hub_address import Address
from prefdissect.errors import HubError, choices

__all__ = ["are_whole", "choose_files", "missing_shards", "split_files"]

# In the order of preference, where a table is there in several formats.
_ENDINGS = (".parquet", ".jsonl", ".ndjson", ".json", ".csv")
_READABLE = (*_ENDINGS, *(ending + ".gz" for ending in _ENDINGS[1:]))
_NO_TABLES = ("config.json", "dataset_dict.json", "dataset_info.json", "dataset_infos.json", "state.json")
_WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_SPLIT_OF = {word: split for split, words in _WORDS.items() for word in words}
_BETWEEN_WORDS = re.compile(r"[-._ 0-9]+")
_SHARD = re.compile(r"(?P<stem>\w+(?:\.\w+)*)-(?P<at>\d{5})-of-(?P<of>\d{5})(?![0-9]).*")
_CONVERTED = "refs/convert/parquet"  # the branch in which the Hub keeps what it made of the files itself
_CONVERTED_FILE = re.compile(r"[^/]+/(?P<split>[^/]+)/\d+\.parquet")  # configuration, split, number
_MOST = 8


def choose_files(names: Iterable[str], address: Address, split: str | None) -> list[str]:
    """Return the files of one split of the table at `address`, in order, out of the `names` of all files.

    Raises
    ------
    HubError
        If there is none, or more than one split or table to choose from; the message lists them.
    """
    tables = sorted(n for n in names if _is_table(n))
    if not tables:
        raise HubError(f"{address.at('')} holds no file that can be read; readable: {', '.join(_READABLE)}")
    splits = split_files(_inside(tables, address), address.revision)
    if split is None and len(splits) > 1:
        listed = ", ".join(map(repr, splits))
        raise HubError(f"{address} has several splits: {listed}; say which: split={next(iter(splits))!r}")
    chosen = next(iter(splits)) if split is None else split
    if chosen not in splits:
        raise HubError(f"{address} has no split {chosen!r}; {choices(chosen, splits)}")
    return _one_table(splits[chosen], chosen, address)


def split_files(names: Sequence[str], revision: str | None = None) -> dict[str, list[str]]:
    """Return split to its files, by the first of these rules that finds any.

    `<split>-00000-of-00002...`; a word such as `train`, `dev` or `test` in the name of the file; such a
    word in the name of a folder; else all files are `train`. Source: "Structure your repository",
    documentation of the Hub. In the branch of files that the Hub converted the folder is the split,
    whatever its name: `default/train_prefs/0000.parquet`, or `partial-train` where it converted a part only.

    Examples
    --------
    >>> split_files(["data/human-00000-of-00001-25f4910818759289.parquet", "extra.csv"])
    {'human': ['data/human-00000-of-00001-25f4910818759289.parquet']}
    >>> split_files(["train.jsonl.gz", "eval.jsonl.gz"])
    {'train': ['train.jsonl.gz'], 'test': ['eval.jsonl.gz']}
    """
    rules: tuple[Callable[[str], str | None], ...] = (_split_of_shard, _split_of_name, _split_of_folder)
    for rule in (_split_of_converted, *rules) if revision == _CONVERTED else rules:
        found: dict[str, list[str]] = {}
        for name in names:
            split = rule(name)
            if split is not None:
                found.setdefault(split, []).append(name)
        if found:
            return found
    return {"train": list(names)}


def missing_shards(names: Iterable[str]) -> list[str]:
    """Return the files `...-00001-of-00003...` that belong to the named ones and are not among them.

    Examples
    --------
    >>> missing_shards(["data/train-00001-of-00002.parquet"])
    ['data/train-00000-of-00002']
    """
    at: dict[tuple[str, int], set[int]] = {}
    for name in names:
        folder, _, file = name.rpartition("/")
        shard = _SHARD.fullmatch(file)
        if shard:
            stem = f"{folder}/{shard['stem']}" if folder else shard["stem"]
            at.setdefault((stem, int(shard["of"])), set()).add(int(shard["at"]))
    return [f"{stem}-{k:05d}-of-{n:05d}" for (stem, n), there in at.items() for k in range(n) if k not in there]


def are_whole(names: Sequence[str]) -> bool:
    """Return whether names alone prove that none of the files is missing: all are numbered, out of so many.

    Examples
    --------
    >>> are_whole(["data/train-00000-of-00001.parquet"]), are_whole(["train_1.csv"])
    (True, False)
    """
    return all(_split_of_shard(name) for name in names) and not missing_shards(names)


def _is_table(name: str) -> bool:
    *folders, file = name.split("/")
    hidden = file.startswith(".") or any(f.startswith((".", "__")) for f in folders)
    return not hidden and file not in _NO_TABLES and file.lower().endswith(_READABLE)


def _inside(tables: Sequence[str], address: Address) -> list[str]:
    """Return the file that the address names, or the files of that folder."""
    path = address.path
    found = [n for n in tables if not path or n == path or n.startswith(path + "/")]
    if not found:
        folders = {n.rpartition("/")[0] for n in tables} - {""}
        known = [*sorted(folders), *tables]
        raise HubError(f"{address.at('')} has no file or folder {path!r} that can be read; {choices(path, known)}")
    return found


def _split_of_converted(name: str) -> str | None:
    file = _CONVERTED_FILE.fullmatch(name)
    return file["split"] if file else None


def _split_of_shard(name: str) -> str | None:
    shard = _SHARD.fullmatch(name.rpartition("/")[2])
    return shard["stem"] if shard else None


def _split_of_name(name: str) -> str | None:
    return _split_of_words(_stem(name.rpartition("/")[2]))


def _split_of_folder(name: str) -> str | None:
    folders = reversed(name.split("/")[:-1])
    return next((split for split in map(_split_of_words, folders) if split), None)


def _split_of_words(text: str) -> str | None:
    """Return the split that the first fitting word names."""
    words = map(str.casefold, _BETWEEN_WORDS.split(text))
    return next((_SPLIT_OF[word] for word in words if word in _SPLIT_OF), None)


def _stem(file: str) -> str:
    """Return the name of a file without the ending that says how to read it."""
    return file[: -len(_ending(file))]


def _ending(file: str) -> str:
    return next(e for e in _READABLE if file.lower().endswith(e))


def _one_table(names: Sequence[str], split: str, address: Address) -> list[str]:
    """Return the files if they are parts of one table, in the best format that all parts are in.

    Files are parts of one table if they stand in one folder and their names differ in numbers only.
    """
    tables: dict[tuple[str, str], dict[str, list[str]]] = {}
    for name in names:
        folder, _, file = name.rpartition("/")
        shard = _SHARD.fullmatch(file)
        key = shard["stem"] if shard else re.sub(r"\d+", "0", _stem(file))
        tables.setdefault((folder, key), {}).setdefault(_ending(file), []).append(name)
    if len(tables) > 1:
        first = [next(iter(formats.values()))[0] for formats in tables.values()]
        more = f", and {len(first) - _MOST} more" if len(first) > _MOST else ""
        raise HubError(
            f"split {split!r} of {address} is in files that may be different tables: "
            f"{', '.join(first[:_MOST])}{more}; name a file or a folder, such as {str(address.at(_narrower(first)))!r}"
        )
    (formats,) = tables.values()
    return formats[min(formats, key=_READABLE.index)]


def _narrower(names: Sequence[str]) -> str:
    """Return the folder of the first file, or the file itself where others share its folder."""
    folders = [n.rpartition("/")[0] for n in names]
    return folders[0] if folders[0] and folders.count(folders[0]) == 1 else names[0]
