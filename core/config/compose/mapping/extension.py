"""`x-compartment`: what a person says of a service that Compose has no word for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from core.model import AccessMode, AutoRollback, Drain, Readiness, ServiceKind, Strategy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.config.compose.mapping.given import Given
    from core.config.document import Document, KeyPath
    from core.container import Protocol
    from core.model import Problem

EXTENSION = "x-compartment"


@dataclass(frozen=True, slots=True)
class Extension:
    """The block of one service; what is None, or missing, is found out by rule."""

    kind: ServiceKind | None = None
    strategy: Strategy | None = None
    port: int | None = None
    protocol: dict[int, Protocol] = field(default_factory=dict)
    readiness: Readiness | None = None
    drain: Drain = field(default_factory=Drain)
    access_mode: AccessMode = AccessMode.PUBLIC
    auto_rollback: AutoRollback | None = None


def extension_of(given: Given, name: str) -> tuple[Extension, list[Problem]]:
    """Return the block of a service, and what is wrong with it."""
    path: KeyPath = ("services", name, EXTENSION)
    block = given.model["services"][name].get(EXTENSION)
    if block is None:
        return Extension(), []
    # Few files have it, and pydantic takes longer to load than all the rest.
    from core.config.compose.mapping.extension_model import extension_from

    extension, problems = extension_from(_document(given, path, block))
    return extension or Extension(), [replace(each, service=name) for each in problems]


def _document(given: Given, path: KeyPath, block: Any) -> Document:
    """The block as a document of its own, with the places that it has in its file."""
    from core.config.document import Document

    values = {inner: given.place((*path, *inner))[1] for inner in _paths(block)}
    return Document(given.place(path)[0], block, values=values)


def _paths(data: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    yield path
    items = data.items() if isinstance(data, dict) else ()
    for key, value in items:
        yield from _paths(value, (*path, key))
