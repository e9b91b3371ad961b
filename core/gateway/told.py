"""What Envoy is told: the files that it watches, each written as a whole and renamed at once."""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from core.errors import GatewayUnavailable
from core.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Json = dict[str, Any]

_VERSION = re.compile(rb'\{"version_info": "([^"]*)"')
_HEAD = 100
"""Bytes in which the version stands: a file of a thousand services is long."""


class Told:
    """The files in a folder. An Envoy that starts reads them, also those of an agent before us."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[object, list[Json]]] = {}
        """What was read since it was written, with what tells its file from others."""

    def write(self, name: str, version: str, resources: list[Json]) -> None:
        """Tells all resources of a kind.

        Raises:
            GatewayUnavailable: the file cannot be written.
        """
        self.write_content(name, content_of(version, resources))

    def write_content(self, name: str, content: bytes) -> None:
        """Writes a file whose content is made already.

        Raises:
            GatewayUnavailable: it cannot be written.
        """
        self._known.pop(name, None)
        try:
            # An Envoy that starts is given all of it anew, and a switch waits for no disk.
            write_atomically(self._path(name), content, outlives_power_loss=False)
        except OSError as error:
            raise self.full(error) from error

    def full(self, error: OSError) -> GatewayUnavailable:
        """What is said when something in the folder cannot be written."""
        return GatewayUnavailable(
            f"cannot write the gateway's configuration: {error.strerror or error}",
            hint=f"make room in {self._folder}",
        )

    def has(self, name: str) -> bool:
        """Whether it was ever told."""
        return self._content(name) is not None

    def version(self, name: str) -> str | None:
        """The version that was told last; None where there is none."""
        try:
            with self._path(name).open("rb") as file:
                found = _VERSION.match(file.read(_HEAD))
        except FileNotFoundError:
            return None
        return found[1].decode() if found else None

    def resources(self, name: str) -> list[Json]:
        """What Envoy was told last, by this agent or one before it. Not to be changed."""
        try:
            with self._path(name).open("rb") as file:
                found = os.fstat(file.fileno())
                identity = (found.st_ino, found.st_mtime_ns, found.st_size)
                known = self._known.get(name)
                if known is None or known[0] != identity:
                    known = self._known[name] = identity, json.load(file)["resources"]
        except FileNotFoundError:
            return []
        return known[1]

    @contextmanager
    def restored_on_failure(self, *names: str) -> Iterator[None]:
        """A file that was refused must not be what the next Envoy starts with."""
        before = {name: self._content(name) for name in names}
        try:
            yield
        except GatewayUnavailable:
            for name, content in before.items():
                if content is not None and content != self._content(name):
                    # On a disk that is full the write that failed has changed nothing.
                    self._known.pop(name, None)
                    with suppress(OSError):
                        write_atomically(self._path(name), content)
            raise

    def _content(self, name: str) -> bytes | None:
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"


def content_of(version: str, resources: list[Json]) -> bytes:
    """A file with all resources of a kind."""
    return json.dumps({"version_info": version, "resources": resources}).encode()


def new_version() -> str:
    """Versions only need to differ, also from those of an agent before this one."""
    return str(time.time_ns())
