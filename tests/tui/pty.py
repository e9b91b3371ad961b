"""A program in a terminal of its own, whose screen a test can read and whose keys it can press.

The terminal answers no query (synchronised output, in-band resize, kitty's keys): Textual must
start and draw without, as it must in plain terminals.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import pyte

if TYPE_CHECKING:
    import signal
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from pathlib import Path

DASHBOARD: Final = (sys.executable, "-P", "-m", "tui.main")
RESTORED: Final = (b"\x1b[?1049l", b"\x1b[?1003l", b"\x1b[?25h", b"\x1b[?2004l")
"""What a terminal must have been told at the end: screen, mouse, cursor, paste."""

# Makes its standard input the controlling terminal, then becomes the program.
_STARTER: Final = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    " os.execvp(sys.argv[1], sys.argv[1:])"
)
# pyte takes the last letter of these for text.
_UNKNOWN_TO_PYTE: Final = re.compile(rb"\x1b\[[<>=][\d;]*[a-zA-Z]")
_UNFINISHED: Final = re.compile(rb"\x1b(?:\[[<>=?\d;]*)?$")

KEYS: Final = {
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "end": "\x1b[F",
    "home": "\x1b[H",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "f1": "\x1bOP",
}


class Terminal:
    """A terminal with a program in it."""

    def __init__(self, columns: int, rows: int) -> None:
        self.raw = bytearray()
        """Every byte that the program wrote."""
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._rest = b""
        self._changed = asyncio.Event()
        self.process: subprocess.Popen[bytes]
        self._main = -1

    @property
    def text(self) -> str:
        """What a person sees."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def start(
        self, argv: Sequence[str | Path], environ: Mapping[str, str], cwd: Path | None
    ) -> None:
        """Starts the program."""
        self._main, other = os.openpty()
        self._set_size()
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-S", "-E", "-c", _STARTER, *argv],
                stdin=other, stdout=other, stderr=other, cwd=cwd, env=dict(environ),
                start_new_session=True,
            )  # fmt: skip
        finally:
            os.close(other)
        os.set_blocking(self._main, False)
        asyncio.get_running_loop().add_reader(self._main, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._main, 65_536)
        except BlockingIOError:
            return
        except OSError:  # the program and all its children have closed it
            data = b""
        if not data:
            self.hang_up()
            return
        self.raw += data
        data = self._rest + data
        unfinished = _UNFINISHED.search(data)
        end = unfinished.start() if unfinished else len(data)
        self._rest = data[end:]
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data[:end]))
        self._changed.set()

    def hang_up(self) -> None:
        """Closes the window."""
        if self._main >= 0:
            asyncio.get_running_loop().remove_reader(self._main)
            os.close(self._main)
            self._main = -1
            self._changed.set()

    def press(self, *keys: str) -> None:
        """Presses keys by their names, or types text; a window that is closed takes none."""
        if self._main < 0:
            return
        os.write(self._main, "".join(KEYS.get(key, key) for key in keys).encode())

    async def press_until(
        self, key: str, is_so: Callable[[Terminal], bool] | str, tries: int = 20
    ) -> None:
        """Presses a key until it works: dialogs take none that may have been typed before them."""
        for _ in range(tries - 1):
            self.press(key)
            with suppress(AssertionError):
                await self.until(is_so, within_s=0.4)
                return
        self.press(key)
        await self.until(is_so, within_s=1)

    def resize(self, columns: int, rows: int) -> None:
        """Makes the window another size; the kernel tells the program."""
        self.screen.resize(rows, columns)
        self._set_size()

    def _set_size(self) -> None:
        size = struct.pack("HHHH", self.screen.lines, self.screen.columns, 0, 0)
        fcntl.ioctl(self._main, termios.TIOCSWINSZ, size)

    async def stall(self) -> None:
        """Takes no more output, as a terminal behind a dead connection; returns when it is full."""
        asyncio.get_running_loop().remove_reader(self._main)
        held, unchanged = -1, 0
        async with asyncio.timeout(60):
            while unchanged < 10:
                before, held = held, self._held()
                unchanged = unchanged + 1 if held == before else 0
                await asyncio.sleep(0.02)

    def _held(self) -> int:
        """How much waits to be read."""
        size: int = struct.unpack("i", fcntl.ioctl(self._main, termios.FIONREAD, b"\0" * 4))[0]
        return size

    def signal(self, number: signal.Signals) -> None:
        """Sends the program a signal."""
        os.kill(self.process.pid, number)

    async def until(self, is_so: Callable[[Terminal], bool] | str, within_s: float = 60.0) -> None:
        """Waits for a text on the screen, or for anything else about the terminal."""
        test = is_so if callable(is_so) else lambda terminal: is_so in terminal.text
        try:
            async with asyncio.timeout(within_s):
                while not test(self):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            if test(self):  # what is not seen on the screen, as the end of a program, may come late
                return
            wanted = repr(is_so) if isinstance(is_so, str) else "what was waited for"
            raise AssertionError(f"{wanted} was not seen; the screen:\n{self.text}") from None

    async def end(self, within_s: float = 60.0) -> int:
        """The exit code, once the program has ended and all that it wrote was read."""
        code = await asyncio.to_thread(self.process.wait, within_s)
        with suppress(AssertionError):  # somebody else may still have it open
            await self.until(lambda terminal: terminal._main < 0, within_s=1)
        return code

    @property
    def is_restored(self) -> bool:
        """Whether the program gave the terminal back as it was."""
        return all(self.raw.rfind(each) > self.raw.rfind(b"\x1b[?1049h") for each in RESTORED)

    @property
    def after(self) -> str:
        """What stands on the terminal after the other screen was left."""
        told = self.raw.rpartition(b"\x1b[?1049l")[2].decode(errors="replace")
        return re.sub(r"\x1b\[[<>?\d;]*[a-zA-Z]", "", told).replace("\r\n", "\n")


@asynccontextmanager
async def terminal(
    *arguments: str | Path,
    program: Sequence[str | Path] = DASHBOARD,
    columns: int = 120,
    rows: int = 35,
    cwd: Path | None = None,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[Terminal]:
    """The dashboard, or another program, in a terminal; killed at the end if it still runs."""
    found = Terminal(columns, rows)
    environ = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", **variables}
    for name in ("NO_COLOR", "COLUMNS", "LINES"):
        if name not in variables:
            environ.pop(name, None)
    found.start([*program, *arguments], environ, cwd)
    try:
        yield found
    finally:
        found.hang_up()
        with suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(found.process.wait, 0.5)
        found.process.kill()
        found.process.wait()
