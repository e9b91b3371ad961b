"""The files of a folder that belong to a service's source."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from core.engines.source import ignore
from core.errors import ConfigError
from core.escaping import escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    LeftOut = Callable[[str, bool], bool]
    """Whether a path does not count; also told whether it is a folder, which is not looked into."""

_IGNORE_FILE = ".gitignore"
_Rules = list[tuple[int, ignore.Rules]]
"""Deepest first; with each, how much of a path from the repository on lies above its folder."""


class Kind(Enum):
    """What an entry is; the letter goes into the digest."""

    FILE = b"f"
    EXECUTABLE = b"x"
    LINK = b"l"


@dataclass(frozen=True, slots=True)
class Found:
    """A file or link as it was met; `path` is relative to the folder that is walked."""

    path: str
    kind: Kind
    size_bytes: int


def walk(root: Path, repository: Path | None, left_out: LeftOut | None = None) -> Iterator[Found]:
    """Every file and link below the folder that counts, in no order.

    Without a repository no `.gitignore` is looked at.
    """
    above = _rules_above(root, repository) if repository else []
    prefix = os.fsencode(root.relative_to(repository)) if repository else b"."
    start = b"" if prefix == b"." else prefix + b"/"
    pending: list[tuple[str, _Rules]] = [("", above)]
    while pending:
        folder, inherited = pending.pop()
        at = f"{root}/{folder}"
        entries = _entries(at, folder, ignore_file(repository))
        has_rules = repository and any(item.name == _IGNORE_FILE for item in entries)
        own = _rules_of(at) if has_rules else None
        rules = [(len(start + os.fsencode(folder)), own), *inherited] if own else inherited
        for item in entries:
            path = folder + item.name
            is_folder = item.is_dir(follow_symlinks=False)
            if item.name == ".git" or _is_left_out(
                start + os.fsencode(path), rules, is_folder=is_folder
            ):
                continue
            if left_out is not None and left_out(path, is_folder):
                continue
            if is_folder:
                pending.append((path + "/", rules))
            elif (file := _look(path, item)) is not None:
                yield file


def _entries(at: str, folder: str, ignore_file: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(at) as entries:
            return list(entries)
    except FileNotFoundError:
        return []  # deleted while we walk
    except OSError as error:
        raise unreadable(folder or at, error, ignore_file) from error


def _look(path: str, item: os.DirEntry[str]) -> Found | None:
    """The entry if it is a file or a link; None for sockets, pipes and devices."""
    try:
        status = item.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(status.st_mode):
        return Found(path, Kind.LINK, 0)
    if not stat.S_ISREG(status.st_mode):
        return None
    kind = Kind.EXECUTABLE if status.st_mode & stat.S_IXUSR else Kind.FILE
    return Found(path, kind, status.st_size)


def _is_left_out(path: bytes, rules: _Rules, *, is_folder: bool) -> bool:
    """The deepest file that says anything decides; each sees the path from its own folder on."""
    for offset, own in rules:
        verdict = own.decide(path[offset:], is_folder=is_folder)
        if verdict is not None:
            return verdict
    return False


def _rules_above(root: Path, repository: Path) -> _Rules:
    """The rules of the folders above `root` up to the repository, deepest first."""
    parts = root.relative_to(repository).parts
    found: _Rules = []
    for depth in range(len(parts)):
        own = _rules_of(str(repository.joinpath(*parts[:depth])))
        if own:
            offset = sum(len(os.fsencode(part)) + 1 for part in parts[:depth])
            found.insert(0, (offset, own))
    return found


def _rules_of(folder: str) -> ignore.Rules | None:
    path = Path(folder, _IGNORE_FILE)
    try:
        if path.is_symlink() or not path.is_file():  # git does not follow a link here either
            return None
        return ignore.rules(path.read_bytes())
    except OSError as error:
        raise unreadable(str(path), error) from error


def ignore_file(repository: Path | None) -> str:
    """The file that leaves something out, for a hint."""
    return _IGNORE_FILE if repository else ".dockerignore"


def unreadable(path: str, error: OSError, ignore_file: str = _IGNORE_FILE) -> ConfigError:
    """The error for a file or folder that the system does not let us read."""
    return ConfigError(
        f"{shown(path)} cannot be read: {error.strerror}",
        hint=f"make it readable, or list it in {ignore_file}",
    )


def shown(path: str) -> str:
    """The path for a message: undecodable bytes and control characters escaped."""
    return escaped(os.fsencode(path).decode("utf-8", "backslashreplace"))
