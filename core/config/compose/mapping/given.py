"""What the mapping is given: the canonical model, and the place of everything in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.config.document import KeyPath, Position
    from core.model import Problem

Json = dict[str, Any]


class Given(Protocol):
    """Compose files that were read and merged, in the shape of `docker compose config`."""

    @property
    def model(self) -> Json:
        """The canonical model."""

    @property
    def environ(self) -> Mapping[str, str]:
        """The caller's environment, with what `.env` adds to it."""

    def place(self, path: KeyPath) -> tuple[str, Position]:
        """Return the file of a value and where it is in it."""

    def problem(self, path: KeyPath, message: str, hint: str | None = None) -> Problem:
        """Return a problem with the value at a path."""


def part(data: Json, *keys: str) -> Json:
    """Return the mapping under some keys; empty where there is none."""
    for key in keys:
        data = data.get(key) or {}
    return data
