"""Built copies of sources, one folder each, kept by what they were made from.

A source is copied to a folder of its own when it is taken. To be built it moves to
`<artifact id>/`, where the service is run later, because some tools write the path into what they
make. The manifest `<artifact id>.json` is written when all is done; a folder without one is
unfinished.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import uuid
from collections import defaultdict
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from core.ending import to_the_end
from core.engines.process.recipe import Recipe, artifact_id, build_in_place, detect_before_build
from core.engines.source.disk import blocking, delete, explained, size_bytes
from core.engines.source.snapshot import LIMIT_BYTES, SourceChanged, copy_to, fingerprint
from core.errors import CompartmentError, ConfigError
from core.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.engines.source.detect import Detected

_ATTEMPTS = 4
_ARTIFACT_ID = re.compile(r"art_[0-9a-f]{20}")
_OURS = re.compile(
    r"(?P<artifact>art_[0-9a-f]{20})(\.json)?"
    r"|\.(?P<unwritten>art_[0-9a-f]{20})\.json\..+"
    r"|(taken|removed)_(?P<token>[0-9a-f]{32})_\d+"
)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known about a complete artifact.

    `command` is the detected one, None where the project file gave its own; `because` says how it
    was found. `created_at` is ISO 8601 in UTC.
    """

    artifact_id: str
    source_digest: str
    command: str | None
    because: str
    created_at: str
    size_bytes: int


_MANIFEST = TypeAdapter(Manifest)


@dataclass(frozen=True, slots=True)
class Taken:
    """A source as it was when it was taken; `copy` is None when its artifact existed already."""

    artifact_id: str
    source_digest: str
    recipe: Recipe
    detected: Detected | None
    copy: Path | None


class Releases:
    """The folder that holds the artifacts. All methods belong to one event loop."""

    def __init__(self, folder: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._token = uuid.uuid4().hex
        self._numbers = itertools.count()

    def folder_of(self, artifact_id: str) -> Path:
        """Where the artifact is, or would be."""
        return self._folder / artifact_id

    def has(self, artifact_id: str) -> bool:
        """Whether the artifact is there and complete."""
        return self.manifest(artifact_id) is not None

    def manifest(self, artifact_id: str) -> Manifest | None:
        """The manifest of a complete artifact; a damaged one is as good as none."""
        if not _ARTIFACT_ID.fullmatch(artifact_id) or not self.folder_of(artifact_id).is_dir():
            return None
        try:
            manifest = _MANIFEST.validate_json(self._manifest_path(artifact_id).read_bytes())
        except (OSError, ValueError):
            return None
        return manifest if manifest.artifact_id == artifact_id else None

    async def identify(self, root: Path, repository: Path, recipe: Recipe) -> str:
        """The id of what a build would make now, without keeping a copy.

        Raises:
            ConfigError: Nothing says how to run it, or the source cannot be read.
        """
        snapshot = await blocking(fingerprint, root, repository, self._limit_bytes)
        detected = await blocking(detect_before_build, snapshot.root, recipe)
        return artifact_id(snapshot.digest, recipe, detected)

    async def take(self, root: Path, repository: Path, recipe: Recipe) -> Taken:
        """Copies the source, unless its artifact is there. `build` or `discard` must follow.

        Raises:
            ConfigError: Nothing says how to run it, or the source cannot be read.
            SourceChanged: It changed under our hands again and again.
            CompartmentError: The disk does not take it. No part of the copy is left.
        """
        for _ in range(_ATTEMPTS - 1):
            try:
                return await self._take_once(root, repository, recipe)
            except SourceChanged:
                continue
        return await self._take_once(root, repository, recipe)

    async def discard(self, taken: Taken) -> None:
        """Removes the copy of what is not going to be built."""
        if taken.copy is not None:
            await self._remove(taken.copy)

    async def build(self, taken: Taken, on_line: Callable[[str], None]) -> Manifest:
        """Makes the artifact of what was taken, or finds it made already.

        Of several that ask for the same artifact at the same time the first one builds it.

        Raises:
            ConfigError: The build made nothing that could be run.
            CompartmentError: The build failed, or the disk does not take what it makes. Nothing
                unfinished is left then, nor after a cancellation.
        """
        try:
            async with self._locks[taken.artifact_id]:
                made = self.manifest(taken.artifact_id)
                return made or await self._make(taken, on_line)
        finally:
            await to_the_end(self.discard(taken))

    async def sweep(self) -> None:
        """Removes what a crash left unfinished."""
        for path, name in self._ours():
            if not self._is_needed(name):
                await self._remove(path)

    async def prune(self, keep: set[str]) -> list[str]:
        """Removes every complete artifact that is not to be kept; returns the ids of these."""
        removed = []
        for _, name in self._ours():
            identity = name.string
            if identity not in keep and self.has(identity):
                await self._remove_artifact(identity)
                removed.append(identity)
        return removed

    async def _take_once(self, root: Path, repository: Path, recipe: Recipe) -> Taken:
        snapshot = await blocking(fingerprint, root, repository, self._limit_bytes)
        with suppress(ConfigError):  # raised below if the copy, without ignored files, has it too
            detected = await blocking(detect_before_build, snapshot.root, recipe)
            identity = artifact_id(snapshot.digest, recipe, detected)
            if self.has(identity):
                return Taken(identity, snapshot.digest, recipe, detected, copy=None)
        copy = self._temporary("taken")
        try:
            await blocking(copy_to, snapshot, copy)
            detected = await blocking(detect_before_build, copy, recipe)
        except BaseException:
            await to_the_end(self._remove(copy))
            raise
        identity = artifact_id(snapshot.digest, recipe, detected)
        return Taken(identity, snapshot.digest, recipe, detected, copy)

    async def _make(self, taken: Taken, on_line: Callable[[str], None]) -> Manifest:
        if taken.copy is None:
            raise CompartmentError(
                f"the artifact {taken.artifact_id} was removed before it could be used",
                hint="deploy again",
            )
        folder = self.folder_of(taken.artifact_id)
        await self._remove(folder)
        try:
            await blocking(taken.copy.rename, folder)
            detected = await build_in_place(folder, taken.recipe, taken.detected, on_line)
            manifest = Manifest(
                artifact_id=taken.artifact_id,
                source_digest=taken.source_digest,
                command=detected.command if detected else None,
                because=detected.because if detected else "run.command",
                created_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
                size_bytes=await blocking(size_bytes, folder),
            )
            written = json.dumps(asdict(manifest)).encode()
            await blocking(write_atomically, self._manifest_path(taken.artifact_id), written)
        except BaseException:
            await to_the_end(self._remove_artifact(taken.artifact_id))
            raise
        return manifest

    async def _remove_artifact(self, identity: str) -> None:
        # First the manifest: a crash in between leaves something that `sweep` removes.
        with explained():
            self._manifest_path(identity).unlink(missing_ok=True)
        await self._remove(self.folder_of(identity))

    async def _remove(self, path: Path) -> None:
        """Removes a file or folder, if it is there."""
        removed = self._temporary("removed")
        with explained():
            try:
                # Not in a thread: out of the way before another task can use the name again.
                path.rename(removed)  # noqa: ASYNC240
            except FileNotFoundError:
                return
        await blocking(delete, removed)

    def _temporary(self, purpose: str) -> Path:
        return self._folder / f"{purpose}_{self._token}_{next(self._numbers)}"

    def _ours(self) -> list[tuple[Path, re.Match[str]]]:
        if not self._folder.is_dir():
            return []
        paths = list(self._folder.iterdir())
        return [(path, name) for path in paths if (name := _OURS.fullmatch(path.name))]

    def _is_needed(self, name: re.Match[str]) -> bool:
        if name["token"]:
            return name["token"] == self._token
        if name["unwritten"]:
            return self._is_busy(name["unwritten"])
        return self._is_busy(name["artifact"]) or self.has(name["artifact"])

    def _manifest_path(self, identity: str) -> Path:
        return self._folder / f"{identity}.json"

    def _is_busy(self, identity: str) -> bool:
        return identity in self._locks and self._locks[identity].locked()
