"""The folder of an agent that holds the sources which were sent to it.

Each environment has one folder that never moves, `source`, from which it is deployed: what a
Compose file binds by a relative path is in it, and what services write there stays. What was sent
for a plan lies beside it, in a folder named by its digest, until it is deployed or is the oldest
of a few.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import re
import uuid
from collections import defaultdict
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from core.ending import to_the_end
from core.engines.source.disk import delete
from core.errors import CompartmentError, NotFound, UsageError
from core.files import write_atomically
from core.sources.listing import Listing, listing_of
from core.sources.settling import Stamp, is_settled, settle
from core.sources.unpacking import unpack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from core.records import Target

P = ParamSpec("P")
Result = TypeVar("Result")
MEGABYTE: Final = 1_000_000

_KEPT: Final = 3
_TAR_OVERHEAD: Final = 4
"""An archive of very small files is larger than they are: a header and a rest for each."""
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._-]{0,200}")


@dataclass(frozen=True, slots=True)
class _State:
    """What is in a settled folder. Without a digest it was left in the middle of a change."""

    digest: str | None = None
    listing: Listing = field(default_factory=lambda: Listing(()))
    stamps: dict[str, Stamp] = field(default_factory=dict)


class Sources:
    """All methods belong to one event loop."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes
        self._locks: defaultdict[Target, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._token = uuid.uuid4().hex
        self._numbers = itertools.count()

    def root_of(self, target: Target) -> Path:
        """Where an environment is deployed from."""
        return self._place(target) / "source"

    async def known(self, target: Target) -> list[str]:
        """The digests of what need not be sent again."""
        async with self._locks[target]:
            return await _on_disk(self._known, self._place(target))

    async def receive(
        self, target: Target, digest: str, writable: tuple[str, ...], parts: AsyncIterator[bytes]
    ) -> None:
        """Takes a source that is sent as a tar archive.

        Raises:
            UsageError: it is too large, holds what it may not, or is not what the digest says.
            CompartmentError: the disk does not take it. No part of it is left.
        """
        if not _DIGEST.fullmatch(digest):
            raise UsageError(f"{digest!r} is no digest")
        place = self._place(target)
        coming = place / f"coming_{self._token}_{next(self._numbers)}"
        async with self._locks[target]:
            await _on_disk(self._make_room, place)
        try:
            archive = coming.with_suffix(".tar")
            await self._write(archive, parts)
            items = await _on_disk(unpack, archive, coming, self.limit_bytes)
            listing = listing_of(items, writable)
            if listing.digest != digest:
                raise UsageError("what came is not what was to be sent", code="bad_source")
            async with self._locks[target]:
                await _on_disk(self._keep, place, coming, listing)
        finally:
            await _on_disk(_delete_all, [coming, coming.with_suffix(".tar")])

    @asynccontextmanager
    async def settled(self, target: Target, digest: str) -> AsyncIterator[None]:
        """Has the environment's folder be a source for the length of a block.

        Raises:
            NotFound: that source is not here.
        """
        place = self._place(target)
        async with self._locks[target]:
            await _on_disk(self._settle, place, digest)
            yield

    @asynccontextmanager
    async def looked_at(self, target: Target, digest: str) -> AsyncIterator[Path]:
        """A folder that holds a source, for the length of a block, without deploying it.

        Raises:
            NotFound: that source is not here.
        """
        place = self._place(target)
        async with self._locks[target]:
            known = await _on_disk(self._known, place)
            if digest not in known:
                raise _not_here(digest)
            yield place / ("source" if known[0] == digest else digest)

    def _place(self, target: Target) -> Path:
        name = f"{target.project}@{target.environment}"
        if not _PLAIN_NAME.fullmatch(name):
            name = hashlib.sha256(name.encode()).hexdigest()
        return self.folder / name

    def _known(self, place: Path) -> list[str]:
        """That of the settled folder first, or an empty text in its place."""
        state = _read(place)
        is_good = state.digest and is_settled(place / "source", state.listing, state.stamps)
        return [state.digest if is_good and state.digest else "", *_kept(place)]

    def _make_room(self, place: Path) -> None:
        """Makes the folder, and removes what a crash left in it."""
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = _kept(place)
        for each in place.iterdir():
            is_of_before = each.name.startswith("coming_") and self._token not in each.name
            is_used_up = _DIGEST.fullmatch(each.stem) is not None and each.stem not in known
            if is_of_before or is_used_up:
                _delete_all([each])

    async def _write(self, archive: Path, parts: AsyncIterator[bytes]) -> None:
        size_bytes = 0
        with await _on_disk(archive.open, "xb", 0) as file:
            async for part in parts:
                size_bytes += len(part)
                if size_bytes > _TAR_OVERHEAD * self.limit_bytes:
                    raise UsageError("the source that was sent is larger than what is taken here")
                await _on_disk(file.write, part)

    def _keep(self, place: Path, coming: Path, listing: Listing) -> None:
        kept = place / listing.digest
        if listing.digest not in _kept(place):
            coming.rename(kept)
            write_atomically(kept.with_suffix(".json"), json.dumps(listing.as_json()).encode())
        for each in _kept(place)[_KEPT:]:
            _delete_kept(place / each)

    def _settle(self, place: Path, digest: str) -> None:
        settled, sent = place / "source", place / digest
        state = _read(place)
        if state.digest == digest and is_settled(settled, state.listing, state.stamps):
            return
        if digest not in _kept(place):
            raise _not_here(digest)
        listing = Listing.from_json(json.loads(sent.with_suffix(".json").read_bytes()))
        settled.mkdir(mode=0o755, exist_ok=True)
        # From here on it is used up: after a crash it would be half of what it was.
        sent.with_suffix(".json").unlink()
        # Whoever goes on after a crash in the middle knows which files may be ours.
        both = {item.path: item for item in (*listing.items, *state.listing.items)}
        writable = tuple({*listing.writable, *state.listing.writable})
        _write_state(place, _State(None, listing_of([*both.values()], writable), state.stamps))
        stamps = settle(settled, sent, listing, state.listing, state.stamps)
        _write_state(place, _State(digest, listing, stamps))
        _delete_all([sent])


async def _on_disk(function: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result:
    """Runs it in a thread, which is never left behind, and translates what the disk refuses."""
    try:
        return await to_the_end(asyncio.to_thread(function, *args, **kwargs))
    except OSError as error:
        raise CompartmentError(
            f"the source cannot be kept: {error.strerror or error}",
            hint="is there room on the disk? see the folder `uploads` in the home folder",
        ) from error


def _not_here(digest: str) -> NotFound:
    return NotFound(
        f"the source {digest[:12]} is not here",
        hint="another deploy came in between: deploy again",
        code="source_not_found",
    )


def _kept(place: Path) -> list[str]:
    """The digests of the folders beside the settled one, newest first."""
    found = [each for each in place.glob("*.json") if _DIGEST.fullmatch(each.stem)]
    there = [each for each in found if each.with_suffix("").is_dir()]
    return [each.stem for each in sorted(there, key=lambda each: -each.stat().st_mtime_ns)]


def _delete_kept(folder: Path) -> None:
    # The listing first: without it the folder counts for nothing.
    _delete_all([folder.with_suffix(".json"), folder])


def _delete_all(paths: list[Path]) -> None:
    for path in paths:
        with suppress(FileNotFoundError):
            delete(path)


def _read(place: Path) -> _State:
    """The state of a settled folder; a damaged one is as good as none."""
    try:
        found: dict[str, Any] = json.loads((place / "source.json").read_bytes())
        stamps = {path: (int(a), int(b), int(c)) for path, (a, b, c) in found["stamps"].items()}
        return _State(found["digest"], Listing.from_json(found["listing"]), stamps)
    except (OSError, ValueError, KeyError, TypeError):
        return _State()


def _write_state(place: Path, state: _State) -> None:
    told = {
        "digest": state.digest,
        "listing": state.listing.as_json(),
        "stamps": state.stamps,
    }
    write_atomically(place / "source.json", json.dumps(told).encode())
