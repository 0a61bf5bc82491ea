"""Data sets of the Hugging Face Hub, from the local cache or by download; the only file that imports huggingface_hub.

The library is imported where it is used: a table in memory needs none of it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from prefdissect.data.hub_address import Address, is_hub_address, parse_address
from prefdissect.data.hub_files import are_whole, choose_files, missing_shards
from prefdissect.errors import HubError, OptionError, show

__all__ = ["fetch", "fetch_space", "is_hub_address"]

_LOG = logging.getLogger(__name__)
_KIND = "dataset"
_SAID = {"dataset": "data set", "space": "Space"}
_SECONDS = 10.0  # to wait for the Hub's answer
_OR_A_FILE = "or download the file in a browser and give its path instead"
_LOG_IN = (
    "let this machine know who you are: run `hf auth login`, or set HF_TOKEN to a token from "
    "https://huggingface.co/settings/tokens"
)


def fetch(address: str | Path, *, split: str | None = None, revision: str | None = None) -> list[Path]:
    """Return the local files of one split of a data set on the Hub, downloaded unless the cache has them.

    The cache comes first: if it holds the wanted files of the revision, nothing is asked of the
    network, even where the Hub has a newer version by now. Else only these files are downloaded.
    The token is huggingface_hub's own (`hf auth login` or HF_TOKEN), as are its cache and settings.

    Parameters
    ----------
    address
        `hf://datasets/OWNER/NAME`, then `@REVISION` and `/path/in/repo` (a file or a folder) if wanted.
    split
        Name of a split. None takes the only one.
    revision
        Branch, tag or commit, where the address states none; by default `main`.

    Raises
    ------
    HubError
        If the data set, the revision, the file or the split is not there, access must be asked for,
        or the Hub cannot be reached; the message says what to do.
    OptionError
        If the revision is stated twice, or an option is not text.
    """
    if not (split is None or isinstance(split, str) and split):
        raise OptionError(f"split={show(split)} must be the name of a split, or None")
    place = parse_address(address, revision)
    with _explained(place):
        try:
            files = _from_cache(place, split)
        except HubError:
            if _is_offline():
                raise
            files = None  # what is in the cache may be older than what is asked for
        files = _download(place, split) if files is None else files
    _LOG.info("%s: %s", place, ", ".join(map(str, files)))
    return files


def fetch_space(repo: str, pattern: str, *, count: int) -> Path:
    """Return the local folder of a Space that holds the files of this name, downloaded unless the cache has them all.

    `count` is how many there are at least: with fewer the cache may be incomplete.

    Raises
    ------
    HubError
        If the cache lacks some and the Hub cannot be reached, or the Space has fewer.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    place = Address(repo, kind="space")

    def find(*, local: bool) -> Path:
        return Path(snapshot_download(repo, repo_type="space", allow_patterns=[pattern], local_files_only=local))

    with suppress(LocalEntryNotFoundError):
        folder = find(local=True)
        if len(list(folder.rglob(pattern))) >= count:
            return folder
    with _explained(place):
        folder = find(local=_is_offline())
    found = len(list(folder.rglob(pattern)))
    if found < count:
        where = f"the cache, {_go_online(place)}" if _is_offline() else f"it; see {place.page}/tree/main"
        raise HubError(f"{place}: {found} of {count} files {pattern} are in {where}")
    return folder


def _is_offline() -> bool:
    from huggingface_hub import is_offline_mode

    return is_offline_mode()


def _from_cache(place: Address, split: str | None) -> list[Path] | None:
    """Return the wanted files, or None if the cache lacks one or cannot tell which they are.

    A listing of the repository is in the cache once something of it was downloaded by us; without one,
    what is there is taken for whole only where the names prove it, or the network is off.
    """
    from huggingface_hub import get_cached_repo_tree
    from huggingface_hub.errors import CachedRepoTreeNotFoundError, LocalEntryNotFoundError

    names = None
    with suppress(CachedRepoTreeNotFoundError):
        names = [file.path for file in get_cached_repo_tree(place.repo, repo_type=_KIND, revision=place.revision)]
    listed = names is not None
    try:
        wanted = choose_files(_cached_names(place) if names is None else names, place, split)
        files = _files_of_snapshot(place, wanted, from_cache=True)
    except LocalEntryNotFoundError:
        return None
    missing = missing_shards(wanted)
    if missing and _is_offline():
        raise HubError(f"the cache lacks {len(missing)} parts of {place}, the first {missing[0]}; {_go_online(place)}")
    sure = listed or _is_offline() or wanted == [place.path] or (split is not None and are_whole(wanted))
    return files if sure else None


def _cached_names(place: Address) -> list[str]:
    """Return the names of all files of the revision that are in the cache."""
    from huggingface_hub import snapshot_download

    folder = Path(snapshot_download(place.repo, repo_type=_KIND, revision=place.revision, local_files_only=True))
    return [file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()]


def _download(place: Address, split: str | None) -> list[Path]:
    """Ask the Hub which files there are, and download those of the split."""
    from huggingface_hub import HfApi

    # Not `list_repo_files`, which tries for half a minute where there is no network.
    found = HfApi().dataset_info(place.repo, revision=place.revision, timeout=_SECONDS)
    wanted = choose_files([file.rfilename for file in found.siblings or ()], place, split)
    files = _files_of_snapshot(place, wanted)
    lost = [name for name, file in zip(wanted, files, strict=True) if not file.is_file()]
    if lost:  # huggingface_hub returns what it has if the network fails half-way
        raise HubError(f"the download of {place.at(lost[0])} failed half-way; try again, {_OR_A_FILE}")
    return files


def _files_of_snapshot(place: Address, names: Sequence[str], *, from_cache: bool = False) -> list[Path]:
    """Return where these files are, downloaded if need be and not `from_cache`."""
    from huggingface_hub import snapshot_download

    folder = snapshot_download(
        place.repo,
        repo_type=_KIND,
        revision=place.revision,
        allow_patterns=_exactly(names),
        local_files_only=from_cache,
    )
    return [Path(folder) / name for name in names]


def _exactly(names: Sequence[str]) -> list[str]:
    """Return patterns that match these names and no others."""
    return [name.replace("[", "[[]").replace("*", "[*]").replace("?", "[?]") for name in names]


@contextmanager
def _explained(place: Address) -> Iterator[None]:
    """Turn the errors of huggingface_hub into one that says what to do."""
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError:
        raise HubError(
            f"{place} is gated: its owner wants to know who reads it. Open {place.page}, log in, and accept the terms "
            f"on that page ('Agree and access repository', or 'Request access', which the owner answers). Then "
            f"{_LOG_IN}"
        ) from None
    except errors.RevisionNotFoundError:
        raise HubError(
            f"{place.repo} has no revision {place.revision or 'main'!r}; its branches and tags are listed at "
            f"{place.page}/tree/main; its newest version is {str(Address(place.repo, None, place.path))!r}"
        ) from None
    except errors.RepositoryNotFoundError:
        raise HubError(
            f"the Hub has no {_SAID[place.kind]} {place.repo!r} that you may see. An address has the form "
            f"hf://{place.kind}s/OWNER/NAME, and {place.page} is then its page. If it is private, {_LOG_IN}"
        ) from None
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled):
        raise HubError(f"{place} is not in the cache, {_why_not(place)}") from None
    except errors.EntryNotFoundError:
        raise HubError(f"{place} is not there any more; see {place.page}/tree/{place.revision or 'main'}") from None
    except errors.HfHubHTTPError as error:
        raise HubError(f"{place}: {_what_the_hub_said(error)}") from None
    except (errors.HTTPError, ConnectionError, TimeoutError) as error:  # type: ignore[attr-defined]  # httpx's own
        raise HubError(
            f"{place} is not in the cache, and the Hub cannot be reached ({type(error).__name__}: {error}). Check the "
            f"network, {_OR_A_FILE}; HF_HUB_OFFLINE=1 reads what the cache holds without asking"
        ) from None


def _what_the_hub_said(error: Exception) -> str:
    """Return the way out of an answer that is neither yes nor no."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 401:
        return f"the Hub refuses the token of this machine; {_LOG_IN}"
    if status == 403:
        return f"the token of this machine may not read it; {_LOG_IN}"
    if status == 429:
        return "the Hub had too many requests from here; wait a few minutes, or log in: `hf auth login`"
    return f"the Hub answered {status}: {str(error).splitlines()[0]}; try again later, {_OR_A_FILE}"


def _why_not(place: Address) -> str:
    if _is_offline():
        return f"and HF_HUB_OFFLINE=1 forbids to ask the Hub; {_go_online(place)}"
    return f"and the Hub did not answer; check the network, {_OR_A_FILE}"


def _go_online(place: Address) -> str:
    return f"unset HF_HUB_OFFLINE to download it, or give the path of a local copy of the file from {place.page}"
