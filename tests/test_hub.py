"""Data sets of the Hub: addresses, splits, the cache, downloads, and every way in which it can say no."""

from __future__ import annotations

import gzip
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pandas as pd
import pytest
from huggingface_hub import HfApi, constants, errors
from huggingface_hub.utils import close_session

import prefdissect as pdx
from fake_hub import COMMIT, FakeHub, serve
from prefdissect.data.hub import fetch, fetch_space, is_hub_address
from prefdissect.data.hub_address import Address, parse_address
from prefdissect.data.hub_files import choose_files, missing_shards, split_files
from prefdissect.errors import FileFormatError, HubError, OptionError, TooFewPairsError

PLACE = "hf://datasets/owner/name"


def refuse(address: object = PLACE, *words: str, **options: object) -> str:
    """The one error says all these words, in a few lines, without the errors it came from."""
    with pytest.raises(HubError) as caught:
        fetch(address, **options)
    message = str(caught.value)
    assert [word for word in words if word not in message] == [], message
    assert len(message) < 700
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return message


# Addresses


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hf://datasets/GAIR/preference-dissection", Address("GAIR/preference-dissection")),
        (" hf://datasets/o/n/ ", Address("o/n")),
        ("hf://datasets/o/n@v1.0", Address("o/n", "v1.0")),
        ("hf://datasets/o/n@v1/data/train.csv", Address("o/n", "v1", "data/train.csv")),
        ("hf://datasets/o/n@refs/convert/parquet/default", Address("o/n", "refs/convert/parquet", "default")),
        ("hf://datasets/o/n@refs/pr/3", Address("o/n", "refs/pr/3")),
        ("hf://datasets/o/n@a%2Fb/x", Address("o/n", "a/b", "x")),
        (Path("hf://datasets/o/n/data"), Address("o/n", None, "data")),
    ],
)
def test_addresses(text, expected):
    assert is_hub_address(text)
    assert parse_address(text) == expected
    assert parse_address(str(expected)) == expected


@pytest.mark.parametrize("other", ["pairs.parquet", Path("hf/datasets/o/n"), pd.DataFrame(), None, "https://x.org/a/b"])
def test_other_sources_are_no_addresses(other):
    assert not is_hub_address(other)


@pytest.mark.parametrize(
    ("text", "closest"),
    [
        ("hf://owner/name", "'hf://datasets/owner/name'"),
        ("hf:datasets/owner/name", None),
        ("hf://models/owner/name", "'hf://datasets/owner/name'"),
        ("hf://datasets/name", "hf://datasets/OWNER/name"),
        ("https://huggingface.co/datasets/owner/name", "'hf://datasets/owner/name'"),
        (
            "https://huggingface.co/datasets/owner/name/blob/main/data/a.csv",
            "'hf://datasets/owner/name@main/data/a.csv'",
        ),
        ("https://huggingface.co/datasets/owner/name/tree/refs%2Fpr%2F1?x=1", "hf://datasets/owner/name@refs"),
        ("hf://", "hf://datasets/OWNER/NAME"),
        ("hf://datasets/ow ner/name", "hf://datasets/OWNER/NAME"),
    ],
)
def test_what_is_no_address_gets_the_closest_one(text, closest):
    if closest is None:
        assert not is_hub_address(text)
        return
    assert is_hub_address(text)
    refuse(text, "no address", closest)


def test_options_are_checked():
    with pytest.raises(OptionError, match="revision 'v1'.*revision='v2'.*keep one"):
        fetch(PLACE + "@v1", revision="v2")
    with pytest.raises(OptionError, match="split=3"):
        fetch(PLACE, split=3)
    with pytest.raises(OptionError, match="revision=''"):
        fetch(PLACE, revision="")


# Splits, by the names of files alone


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["data/train-00000-of-00002-abc.parquet", "data/train-00001-of-00002-def.parquet"], {"train": 2}),
        (
            ["data/human-00000-of-00001-25f.parquet", "data/gpt4_pair-00000-of-00001-9a.parquet"],
            {"human": 1, "gpt4_pair": 1},
        ),
        (
            ["data/train_prefs-00000-of-00001.parquet", "data/test_prefs-00000-of-00001.parquet"],
            {"train_prefs": 1, "test_prefs": 1},
        ),
        (["train.jsonl.gz", "validation.jsonl.gz", "README.json"], {"train": 1, "validation": 1}),
        (["dev.csv", "my-testing-set.csv", "training_1.csv"], {"validation": 1, "test": 1, "train": 1}),
        (["train/0000.parquet", "train/0001.parquet", "test/0000.parquet"], {"train": 2, "test": 1}),
        (["preference/preference.jsonl.gz"], {"train": 1}),
        (["latest.csv", "strainer.csv"], {"train": 2}),
    ],
)
def test_splits_by_name(names, expected):
    assert {split: len(files) for split, files in split_files(names).items()} == expected


HELPSTEER = ["train.jsonl.gz", "validation.jsonl.gz", "preference/preference.jsonl.gz", "README.md", ".gitattributes"]
HH = [f"{folder}/{split}.jsonl.gz" for folder in ("harmless-base", "helpful-base") for split in ("train", "test")]


@pytest.mark.parametrize(
    ("names", "path", "split", "expected"),
    [
        (HELPSTEER, "", "train", ["train.jsonl.gz"]),
        (HELPSTEER, "preference", None, ["preference/preference.jsonl.gz"]),
        (HELPSTEER, "validation.jsonl.gz", None, ["validation.jsonl.gz"]),
        (HH, "helpful-base", "test", ["helpful-base/test.jsonl.gz"]),
        (["b-00001-of-00002.csv", "b-00000-of-00002.csv"], "", None, ["b-00000-of-00002.csv", "b-00001-of-00002.csv"]),
        (["train.csv", "train.jsonl", "train.parquet"], "", None, ["train.parquet"]),
        (["dataset_infos.json", "data/.x.csv", "__cache/x.csv", "pairs.json"], "", None, ["pairs.json"]),
    ],
)
def test_files_of_a_split(names, path, split, expected):
    assert choose_files(names, Address("o/n", None, path), split) == expected


@pytest.mark.parametrize(
    ("names", "path", "split", "words"),
    [
        (HELPSTEER, "", None, ["several splits", "'train', 'validation'", "split='train'"]),
        (HELPSTEER, "", "tran", ["no split 'tran'", "close matches: 'train'"]),
        (HELPSTEER, "preferences", None, ["no file or folder 'preferences'", "close matches: 'preference'"]),
        (HH, "", "train", ["different tables", "harmless-base/train.jsonl.gz", "'hf://datasets/o/n/harmless-base'"]),
        (["a.json", "b.json"], "", None, ["different tables", "a.json, b.json", "'hf://datasets/o/n/a.json'"]),
        (["README.md", "model.safetensors"], "", None, ["no file that can be read", ".parquet"]),
    ],
)
def test_unclear_files_are_listed(names, path, split, words):
    with pytest.raises(HubError) as caught:
        choose_files(names, Address("o/n", None, path), split)
    assert [word for word in words if word not in str(caught.value)] == []


CONVERTED = [f"default/{split}/000{k}.parquet" for split in ("test_prefs", "train_prefs", "train_sft") for k in (0, 1)]


@pytest.mark.parametrize(
    ("names", "path", "split", "expected"),
    [
        (CONVERTED, "", "train_prefs", CONVERTED[2:4]),
        (CONVERTED, "default/train_sft", None, CONVERTED[4:]),
        (["default/gpt4_pair/0000.parquet"], "", None, ["default/gpt4_pair/0000.parquet"]),
        (["default/partial-train/0000.parquet"], "", "partial-train", ["default/partial-train/0000.parquet"]),
        (["old/x-train-00000-of-00001.parquet"], "", None, ["old/x-train-00000-of-00001.parquet"]),
    ],
)
def test_splits_of_files_that_the_hub_converted(names, path, split, expected):
    assert choose_files(names, Address("o/n", "refs/convert/parquet", path), split) == expected


@pytest.mark.parametrize(
    ("names", "split", "words"),
    [
        (CONVERTED, None, ["several splits: 'test_prefs', 'train_prefs', 'train_sft'"]),
        (["default/partial-train/0000.parquet"], "train", ["no split 'train'", "close matches: 'partial-train'"]),
        (["a/train/0000.parquet", "b/train/0000.parquet"], None, ["'hf://datasets/o/n@refs/convert/parquet/a/train'"]),
    ],
)
def test_unclear_files_that_the_hub_converted(names, split, words):
    with pytest.raises(HubError) as caught:
        choose_files(names, Address("o/n", "refs/convert/parquet"), split)
    assert [word for word in words if word not in str(caught.value)] == []


def test_missing_shards():
    assert missing_shards(["a/x-00001-of-00003-f.csv", "y.csv"]) == ["a/x-00000-of-00003", "a/x-00002-of-00003"]
    assert missing_shards(["x-00000-of-00001.csv"]) == []


# The cache, in the layout in which huggingface_hub keeps it


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "hub"
    folder.mkdir()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    return folder


def put(cache: Path, files: dict[str, bytes], *, revision: str = "main", commit: str = COMMIT) -> None:
    """Put files into the cache as blobs, a snapshot that links to them, and a reference to it."""
    repo = cache / "datasets--owner--name"
    (repo / "blobs").mkdir(parents=True, exist_ok=True)
    (repo / "refs").mkdir(exist_ok=True)
    (repo / "refs" / revision).write_text(commit)
    for k, (name, body) in enumerate(files.items()):
        blob, link = repo / "blobs" / f"{commit[:8]}{k}", repo / "snapshots" / commit / name
        blob.write_bytes(body)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(blob)


def test_cached_files_are_found_offline(cache):
    put(cache, {"data/train-00000-of-00001.parquet": b"1", "README.md": b""})
    (file,) = fetch(PLACE)
    assert file.read_bytes() == b"1"
    assert fetch(PLACE, split="train") == fetch(PLACE + "@main/data") == fetch(PLACE, revision=COMMIT) == [file]


def test_each_revision_has_its_own_files(cache):
    other = "f" * 40
    put(cache, {"a.csv": b"new"})
    put(cache, {"a.csv": b"old"}, revision="v1", commit=other)
    assert [fetch(PLACE, revision=r)[0].read_bytes() for r in (None, "v1", other)] == [b"new", b"old", b"old"]


def test_offline_without_the_files_is_said_at_once(cache):
    start = time.perf_counter()
    refuse(PLACE, "not in the cache", "HF_HUB_OFFLINE=1", "unset HF_HUB_OFFLINE", "local copy")
    put(cache, {"train-00000-of-00002.csv": b""})
    refuse(PLACE + "@v2", "not in the cache")
    refuse(PLACE, "lacks 1 parts", "train-00001-of-00002", "unset HF_HUB_OFFLINE")
    refuse(PLACE, "no split 'test'", "'train'", split="test")
    refuse(PLACE + "/x.csv", "no file or folder 'x.csv'")
    assert time.perf_counter() - start < 2


# Downloads, from a Hub on this machine


def test_converted_files_are_found_by_address(cache):
    (cache / "datasets--owner--name" / "refs" / "refs" / "convert").mkdir(parents=True)
    put(cache, {"default/human/0000.parquet": b"1", "default/gpt4/0000.parquet": b"2"}, revision="refs/convert/parquet")
    (file,) = fetch(PLACE + "@refs/convert/parquet", split="gpt4")
    assert file.read_bytes() == b"2"


@pytest.fixture
def online(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    files = {
        "data/train-00000-of-00002.csv": b"x\n1\n",
        "data/train-00001-of-00002.csv": b"x\n2\n",
        "data/test-00000-of-00001.csv.gz": gzip.compress(b"x\n3\n", mtime=0),
        "README.md": b"much else",
        "weights.bin": b"not for us",
    }
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)
    monkeypatch.setenv("HF_TOKEN", "hf_mine")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve(FakeHub(files)) as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        close_session()
        yield hub
    close_session()


def downloaded(hub: FakeHub) -> list[str]:
    return sorted(
        {r.partition("/resolve/")[2].partition("/")[2] for r in hub.requests if r.startswith("GET /datasets/")}
    )


def test_only_the_wanted_split_is_downloaded_and_only_once(online, cache):
    files = fetch(PLACE, split="train")
    assert [f.read_bytes() for f in files] == [b"x\n1\n", b"x\n2\n"]
    assert downloaded(online) == ["data/train-00000-of-00002.csv", "data/train-00001-of-00002.csv"]
    assert all(cache in f.parents for f in files)
    assert set(online.tokens) == {"Bearer hf_mine"}
    online.requests.clear()
    assert fetch(PLACE, split="train") == files
    assert online.requests == []
    refuse(PLACE, "several splits", "'test', 'train'")  # asked again, the cached listing may be old
    fetch(PLACE + "/data/test-00000-of-00001.csv.gz")
    assert downloaded(online) == ["data/test-00000-of-00001.csv.gz"]


def test_a_cache_that_may_be_incomplete_is_completed(online, cache):
    put(cache, {"data/train-00000-of-00002.csv": b"x\n1\n"})
    assert len(fetch(PLACE, split="train")) == 2
    assert downloaded(online) == ["data/train-00001-of-00002.csv"]


def test_a_complete_cache_needs_no_network(online, cache):
    put(cache, {f"data/train-0000{k}-of-00002.csv": b"" for k in range(2)})
    assert len(fetch(PLACE, split="train")) == 2
    assert online.requests == []


@pytest.mark.parametrize("split", [None, "dev"])
def test_unclear_split_is_refused_before_any_download(online, split):
    refuse(PLACE, "'test', 'train'", split=split)
    assert downloaded(online) == []


@pytest.mark.parametrize("status", [401, 403])
def test_gated_data_say_what_to_click(online, status):
    online.refuse_files = (status, "GatedRepo")
    refuse(
        PLACE,
        "https://huggingface.co/datasets/owner/name",
        "log in",
        "Agree and access repository",
        "hf auth login",
        "HF_TOKEN",
        split="test",
    )


def test_unknown_repository_and_revision(online):
    refuse("hf://datasets/owner/other", "no data set 'owner/other'", "hf://datasets/OWNER/NAME", "private")
    refuse(PLACE + "@v9/data", "no revision 'v9'", "/tree/main", "'hf://datasets/owner/name/data'")
    assert len(fetch(PLACE + "@v1", split="train")) == 2


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, ["refuses the token", "hf auth login"]),
        (403, ["may not read it", "HF_TOKEN"]),
        (429, ["too many requests"]),
        (500, ["answered 500", "again later"]),
        (503, ["answered 503"]),
    ],
)
def test_other_answers(online, status, words):
    online.refuse_all = (status, "Nothing")
    refuse(PLACE, *words)


def test_no_network_is_said_in_one_sentence(online, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    start = time.perf_counter()
    refuse(PLACE, "cannot be reached", "Check the network", "HF_HUB_OFFLINE=1")
    assert time.perf_counter() - start < 3


def raised(kind: type[Exception]) -> Exception:
    """Return an error as huggingface_hub makes it."""
    if issubclass(kind, errors.HfHubHTTPError):
        return kind("no", response=httpx2.Response(403, request=httpx2.Request("GET", "http://127.0.0.1")))
    return kind("no")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (errors.GatedRepoError, ["is gated"]),
        (errors.RepositoryNotFoundError, ["no data set"]),
        (errors.RevisionNotFoundError, ["no revision 'main'"]),
        (errors.RemoteEntryNotFoundError, ["not there any more"]),
        (errors.DisabledRepoError, ["may not read it"]),
        (errors.LocalEntryNotFoundError, ["not in the cache", "did not answer"]),
        (errors.OfflineModeIsEnabled, ["not in the cache"]),
        (errors.HTTPError, ["cannot be reached"]),
        (TimeoutError, ["cannot be reached"]),
    ],
)
def test_every_error_of_the_library_is_explained(online, monkeypatch, kind, words):
    def fail(*_: object, **__: object) -> None:
        raise raised(kind)

    monkeypatch.setattr(HfApi, "dataset_info", fail)
    refuse(PLACE, *words)


def test_files_are_logged(cache, caplog):
    put(cache, {"a.csv": b""})
    with caplog.at_level(logging.INFO, "prefdissect"):
        fetch(PLACE)
    assert "a.csv" in caplog.text


def test_a_cache_that_cannot_prove_to_be_whole_is_completed(cache, online):
    """Another program downloaded one of two files whose names do not say how many there are."""
    online.files.clear()
    online.files.update({"train_1.csv": b"x\n1\n", "train_2.csv": b"x\n2\n"})
    put(cache, {"train_1.csv": b"x\n1\n"})
    assert [file.name for file in fetch(PLACE, split="train")] == ["train_1.csv", "train_2.csv"]


# Through the front door

PAIRS = b"pair_id,clear_a,clear_b,judge_gpt-4-1106-preview\np%d,1,0,A\n"


def test_files_of_a_space_are_downloaded_once_and_alone(online, cache):
    folder = fetch_space("owner/name", "*train-*.csv", count=2)
    assert [f.name for f in sorted(folder.rglob("*")) if f.is_file()] == [
        "train-00000-of-00002.csv",
        "train-00001-of-00002.csv",
    ]
    assert cache in folder.parents
    online.requests.clear()
    assert fetch_space("owner/name", "*train-*.csv", count=2) == folder
    assert online.requests == []


def test_a_space_with_fewer_files_is_refused(online, cache):
    with pytest.raises(HubError, match=r"hf://spaces/owner/name: 2 of 3 files \*train-\*\.csv are in it; see https"):
        fetch_space("owner/name", "*train-*.csv", count=3)
    constants.HF_HUB_OFFLINE = True  # `online` puts it back
    with pytest.raises(HubError, match="2 of 3 files .* are in the cache, unset HF_HUB_OFFLINE"):
        fetch_space("owner/name", "*train-*.csv", count=3)


def test_load_puts_the_parts_of_a_split_together(cache):
    put(cache, {f"train-0000{k}-of-00002.csv": PAIRS % k for k in range(2)} | {"test.csv": b""})
    data = pdx.load(PLACE)
    assert data.pairs.index.tolist() == ["p0", "p1"]
    assert data.judges == ["gpt-4-1106-preview"]


def test_load_takes_split_and_revision_and_dissect_an_address(cache):
    put(cache, {"train.csv": PAIRS % 1, "test.csv": PAIRS % 2})
    put(cache, {"train.csv": PAIRS % 3}, revision="v1", commit="f" * 40)
    assert pdx.load(PLACE, split="test").pairs.index.tolist() == ["p2"]
    assert pdx.load(PLACE, revision="v1").pairs.index.tolist() == ["p3"]
    with pytest.raises(TooFewPairsError, match="gpt-4-1106-preview"):  # read, and the judge was found
        pdx.dissect(Path(PLACE + "/test.csv"), judge="gpt-4-turbo")


def test_the_commit_is_stated_whether_loaded_or_dissected(cache):
    header = PAIRS.partition(b"p%d")[0]
    put(cache, {"train.csv": header + b"".join(b"p%d,%d,1,A\n" % (k, 2 * (k % 2)) for k in range(12))})
    stated = f"{PLACE}, commit {COMMIT}: train"
    assert dict(pdx.load(PLACE).report.facts)["hub"] == stated
    data = pdx.dissect(PLACE, "gpt-4-turbo", engine="ep", draws=500, random_seed=0).data
    assert dict(data.report.facts)["hub"] == stated


@pytest.mark.parametrize("source", ["pairs.csv", pd.DataFrame({"judge_me": ["A"]})])
def test_split_and_revision_are_for_the_hub(source):
    with pytest.raises(OptionError, match="split='train' goes with an address on the Hub"):
        pdx.load(source, split="train")
    with pytest.raises(OptionError, match="revision='main'"):
        pdx.load(source, revision="main")


def test_parts_with_different_columns_are_no_table(cache):
    put(cache, {"x-00000-of-00002.csv": b"a\n1\n", "x-00001-of-00002.csv": b"b\n1\n"})
    with pytest.raises(FileFormatError, match=r"x-00000-of-00002.csv' and .*x-00001.*different columns"):
        pdx.load(PLACE)


def test_addresses_need_no_huggingface_hub():
    code = "import sys, prefdissect.data.hub as h; h.is_hub_address('a'); print('huggingface_hub' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == [
        "False"
    ]
