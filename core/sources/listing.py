"""The files of a source, and one digest over them, by which two machines know it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from core.engines.source.walk import Kind

MOST_FILES: Final = 250_000
"""How many a source may have: who takes it keeps a line about each in memory."""


@dataclass(frozen=True, slots=True)
class Item:
    """One file or link; `path` is relative, with undecodable bytes kept as surrogates."""

    path: str
    kind: Kind
    is_private: bool
    """Whether nobody but its owner may read it: some programs refuse a key that others can."""
    digest: str
    """Of the content, or of what a link leads to."""

    @property
    def mode(self) -> int:
        """The permissions that it gets."""
        mode = 0o755 if self.kind is Kind.EXECUTABLE else 0o644
        return mode & 0o700 if self.is_private else mode


@dataclass(frozen=True, slots=True)
class Listing:
    """What a source consists of."""

    items: tuple[Item, ...]
    """Sorted by their paths."""
    writable: tuple[str, ...] = ()
    """Folders that services may write to, by their relative paths."""

    @property
    def digest(self) -> str:
        """The same for the same files, whenever and wherever they are listed."""
        return hashlib.sha256(json.dumps(self.as_json()).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """As it travels, and as it is kept."""
        items = [[each.path, each.kind.name, each.is_private, each.digest] for each in self.items]
        return {"items": items, "writable": list(self.writable)}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Listing:
        """The listing that `as_json` wrote."""
        items = (
            Item(path, Kind[kind], is_private, digest)
            for path, kind, is_private, digest in found["items"]
        )
        return cls(tuple(items), tuple(found["writable"]))


def listing_of(items: list[Item], writable: tuple[str, ...]) -> Listing:
    """A listing in its one order."""
    return Listing(tuple(sorted(items, key=lambda item: item.path)), tuple(sorted(writable)))


def is_below(path: str, folder: str) -> bool:
    """Whether a relative path is a folder, or leads into it."""
    return folder == "." or path == folder or path.startswith(f"{folder}/")
