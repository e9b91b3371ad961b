"""The output of an instance: read from the engine, kept in its log, each line once.

The log itself says how far it has been read. Who begins to read goes back a little, asks the engine
for all since then, and leaves out what is there already: so nothing is lost or doubled by an agent
that is killed, a stream that is cut, or lines that two streams write at the same moment.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.engines.docker.frames import read_frames
from core.engines.docker.labels import LOG
from core.errors import CompartmentError, NotFound
from core.lines import Line, LineSplitter, RotatingFile, decode, part, stamp
from core.model import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.engines.docker.connection import Docker
    from core.engines.docker.frames import Frame
    from core.secrets import Mask

Json = dict[str, Any]

_log = logging.getLogger(__name__)

_SLACK: Final = timedelta(seconds=5)
"""How much older than the last line one may be that comes after it."""

_PAUSE_S: Final = 0.2
_BLOCK_BYTES: Final = 256 * 1024
_STAMP_LENGTH: Final = 26
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


class LogReader:
    """Keeps the output of one container in a file, over all of its starts.

    What the mask hides is not kept.
    """

    def __init__(self, docker: Docker, container: Json, mask: Mask) -> None:
        self.mask = mask
        self._docker = docker
        self._id = container["Id"]
        self._is_tty: bool = container["Config"].get("Tty", False)
        self._path = Path(container["Config"]["Labels"][LOG])
        self._file = RotatingFile(self._path)
        self._wanted = asyncio.Event()
        self._is_read = asyncio.Event()
        self._begun: str | None = None
        """When the oldest line was begun that had not ended when the stream did."""

    def note(self, text: str) -> None:
        """Adds a line of ours."""
        self._file.append([Line(stamp(), Stream.COMPARTMENT, text)])

    def wake(self) -> None:
        """Has it look: the container was started, or there is an engine again."""
        self._is_read.clear()
        self._wanted.set()

    async def wait_read(self) -> None:
        """Returns when all is kept that a container has printed which does not run."""
        await self._is_read.wait()

    async def run(self) -> None:
        """Reads whenever it is woken, until the container is gone."""
        try:
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                try:
                    await self._read_on()
                except NotFound:
                    return
                except CompartmentError:
                    continue  # the engine is lost: it is woken when that is back
                except Exception:  # noqa: BLE001 - the top of a reader: the others read on
                    _log.exception("the log %s is not read on", self._path)
                    return
                if not self._wanted.is_set():
                    self._is_read.set()
        finally:
            self._is_read.set()
            self._file.close()

    async def _read_on(self) -> None:
        await self._read(is_followed=True)
        while await self._is_running():  # the stream was cut, and has not ended
            await asyncio.sleep(_PAUSE_S)
            await self._read(is_followed=True)
        # What is printed last may be missing in a stream that is followed.
        await self._read(is_followed=False)

    async def _is_running(self) -> bool:
        state = (await self._docker.get(f"/containers/{self._id}/json"))["State"]
        return bool(state["Running"] and not state["Restarting"])

    async def read_rest(self) -> None:
        """Keeps what a container has printed that does not run and is not watched.

        Raises:
            CompartmentError: the engine does not tell.
        """
        try:
            await self._read(is_followed=False)
        finally:
            self._file.close()

    async def _read(self, *, is_followed: bool) -> None:
        known = await asyncio.to_thread(_Known, self._path, self._begun)
        lines = _Lines(self.mask)
        frames = read_frames(
            self._docker.socket, f"{self._docker.prefix}/containers/{self._id}/logs",
            is_tty=self._is_tty, follow=str(int(is_followed)),
            stdout="1", stderr="1", timestamps="1",
            since=known.since,
        )  # fmt: skip
        try:
            async for batch in frames:
                self._file.append(known.without(lines.feed(batch)))
            if not is_followed and not self._wanted.is_set():
                self._file.append(known.without(lines.flush()))
        finally:
            self._begun = lines.begun


class _Lines:
    """Makes lines of frames. A long line comes in several, all with the stamp of the first."""

    def __init__(self, mask: Mask) -> None:
        self._splitters = {stream: LineSplitter(mask) for stream in (Stream.STDOUT, Stream.STDERR)}
        self._begun = dict.fromkeys(self._splitters, "")

    @property
    def begun(self) -> str | None:
        """The stamp of the oldest line that has not ended yet."""
        pending = (self._begun[each] for each in self._begun if self._splitters[each].is_pending)
        return min(pending, default=None)

    def feed(self, frames: Sequence[Frame]) -> list[Line]:
        """The lines that end in these frames."""
        lines = []
        for stream, content in frames:
            stamped, _, text = content.partition(b" ")
            at = stamped[:_STAMP_LENGTH].decode() + "Z"
            splitter = self._splitters[stream]
            if splitter.is_pending and self._begun[stream] != at:
                # The start before has ended without ending its last line.
                lines += self._ended(stream)
            self._begun[stream] = at
            lines += [Line(at, stream, line) for line in splitter.feed(text)]
        return lines

    def flush(self) -> list[Line]:
        """Lines that nothing will end any more."""
        return [line for stream in self._splitters for line in self._ended(stream)]

    def _ended(self, stream: Stream) -> list[Line]:
        return [Line(self._begun[stream], stream, text) for text in self._splitters[stream].flush()]


class _Known:
    """The newest lines of a log, of which none is to be kept again."""

    def __init__(self, path: Path, begun: str | None = None) -> None:
        self.since = "0"
        """From when on the engine is to be asked, in seconds."""
        self._lines: Counter[Line] = Counter()
        begin = before = ""
        for line in _newest_first(path):
            if line.stream is Stream.COMPARTMENT:
                continue
            if not begin:
                first = min(line.at, begun or line.at)
                start = datetime.fromisoformat(first) - _SLACK
                begin, before = stamp(start), stamp(start - _SLACK)
                self.since = _seconds(start)
            if line.at < before:
                break
            if line.at >= begin:
                self._lines[line] += 1

    def without(self, lines: list[Line]) -> list[Line]:
        """Those that are not known yet."""
        if not self._lines:
            return lines
        new = []
        for line in lines:
            if line not in self._lines:
                new.append(line)
            elif self._lines[line] == 1:
                del self._lines[line]
            else:
                self._lines[line] -= 1
        return new


def _seconds(moment: datetime) -> str:
    whole, micro = divmod((moment - _EPOCH) // timedelta(microseconds=1), 1_000_000)
    return f"{whole}.{micro:06}"


def _newest_first(path: Path) -> Iterator[Line]:
    number = 0
    while part(path, number).exists():
        with part(path, number).open("rb") as file:
            at, rest = file.seek(0, 2), b""
            while at > 0:
                size = min(_BLOCK_BYTES, at)
                at -= size
                file.seek(at)
                rest, *raw = (file.read(size) + rest).split(b"\n")
                yield from _decoded(raw)
            yield from _decoded([rest])
        number += 1


def _decoded(raw: list[bytes]) -> Iterator[Line]:
    lines = (decode(each) for each in reversed(raw))
    yield from (line for line in lines if line is not None)
