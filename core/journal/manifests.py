"""Manifests: the records of what matters now, in small files beside the journal.

Nothing reads them while the journal is sound; one that is damaged is made anew from them. They hold
what the journal holds, also the variables of services, and are as private as it is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from core.files import write_atomically
from core.journal.schema import ADAPTERS, Kept

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that the journal keeps for the agents to come."""

    name: str
    value: str


Entry = Kept | Setting
"""What a manifest is made of."""

_VERSION = 1
_SUFFIX = ".json"
_DEPLOYMENT = "dep_"
_ADAPTERS: dict[str, TypeAdapter[Any]] = {
    kind.__name__: adapter for kind, adapter in {**ADAPTERS, Setting: TypeAdapter(Setting)}.items()
}


@dataclass(slots=True)
class Contents:
    """All that the manifests of a home say."""

    entries: list[Entry] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    """The names of those that are damaged themselves, or of a later version."""


class Manifests:
    """The folder that holds them; the manifest of a deployment has its id for a name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def names(self) -> set[str]:
        """Of all that there are."""
        return {path.stem for path in self._folder.glob(f"*{_SUFFIX}")}

    @property
    def deployment_ids(self) -> set[str]:
        """The deployments that have a manifest."""
        return {name for name in self.names if name.startswith(_DEPLOYMENT)}

    def write(self, name: str, entries: Sequence[Entry]) -> None:
        """Writes one whole, unless it says so already; OSError where the disk does not take it."""
        found = [[type(each).__name__, _dumped(each)] for each in entries]
        content = json.dumps({"version": _VERSION, "records": found}).encode()
        path = self._folder / f"{name}{_SUFFIX}"
        if not path.exists() or path.read_bytes() != content:
            write_atomically(path, content)

    def remove(self, name: str) -> None:
        """Removes one, if it is there."""
        (self._folder / f"{name}{_SUFFIX}").unlink(missing_ok=True)

    def set_aside(self, name: str, mark: str) -> None:
        """Has one read no more, because it is damaged; it stays there to be looked at."""
        path = self._folder / f"{name}{_SUFFIX}"
        path.rename(path.with_name(f"{path.name}.{mark}"))

    def read(self) -> Contents:
        """All of them; what one that is damaged says is not there."""
        found = Contents()
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            try:
                found.entries += _read(path)
            except (OSError, ValueError, KeyError, TypeError):
                found.unreadable.append(path.stem)
        return found


def _dumped(entry: Entry) -> Any:
    return _ADAPTERS[type(entry).__name__].dump_python(entry, mode="json")


def _read(path: Path) -> list[Entry]:
    content = json.loads(path.read_bytes())
    if content["version"] != _VERSION:
        raise ValueError(f"{path} is of another version")
    return [_ADAPTERS[kind].validate_python(each) for kind, each in content["records"]]
