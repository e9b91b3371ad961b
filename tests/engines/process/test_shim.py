from __future__ import annotations

import asyncio
import json
import os
import signal
import statistics
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

import core.engines.process.engine as engine_module
from core.lines import Line, decode
from core.model import Stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.figures import FiguresRecorder

SHIM = Path(engine_module.__file__).with_name("shim.py")
PATIENCE_S = 10


@dataclass
class RunningShim:
    """A shim, and a client that follows what it tells."""

    folder: Path
    process: asyncio.subprocess.Process
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    told: list[dict[str, Any]] = field(default_factory=list)

    async def until(self, state: str) -> dict[str, Any]:
        """Waits until the shim tells a state."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                line = await self.reader.readline()
                assert line, f"the shim ended without telling {state}: {self.told}"
                self.told.append(json.loads(line))
                if self.told[-1]["state"] == state:
                    return self.told[-1]

    def order(self, **command: object) -> None:
        self.writer.write(json.dumps(command).encode() + b"\n")

    async def ended(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            assert await self.process.wait() == 0
        assert not (self.folder / "s").exists()

    @property
    def lines(self) -> list[Line]:
        parts = [self.folder / "log.2", self.folder / "log.1", self.folder / "log"]
        raw = b"".join(part.read_bytes() for part in parts if part.exists())
        found = [decode(line) for line in raw.splitlines()]
        assert None not in found
        return [line for line in found if line is not None]

    def texts(self, stream: Stream) -> list[str]:
        return [line.text for line in self.lines if line.stream is stream]

    @property
    def record(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "exit.json").read_text())
        return found


@asynccontextmanager
async def shim(
    tmp_path: Path, script: str, *, policy: str = "no", retries: int | None = None
) -> AsyncIterator[RunningShim]:
    """A shim that runs a shell script, until the end of the block."""
    spec = {
        "argv": ["/bin/sh", "-c", script],
        "cwd": str(tmp_path),
        "environment": {"PATH": os.environ["PATH"]},
        "log": str(tmp_path / "log"),
        "socket": str(tmp_path / "s"),
        "record": str(tmp_path / "exit.json"),
        "restart": {"policy": policy, "maxRetries": retries},
        "graceMs": 5000,
    }
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(SHIM), str(tmp_path / "spec.json")),
        start_new_session=True,
    )
    try:
        reader, writer = await connected(tmp_path)
        yield RunningShim(tmp_path, process, reader, writer)
        writer.close()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def connected(folder: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await asyncio.open_unix_connection(folder / "s")
            except OSError:
                await asyncio.sleep(0.005)


async def test_streams_are_kept_apart_and_in_order(tmp_path: Path) -> None:
    script = "read go <gate; for i in 1 2 3; do echo out $i; echo err $i >&2; sleep 0.05; done"
    os.mkfifo(tmp_path / "gate")
    async with shim(tmp_path, script) as running:
        (tmp_path / "gate").write_text("go\n")
        await running.until("exited")
        await running.ended()
        assert running.texts(Stream.STDOUT) == ["out 1", "out 2", "out 3"]
        assert running.texts(Stream.STDERR) == ["err 1", "err 2", "err 3"]
        stamps = [line.at for line in running.lines]
        assert stamps == sorted(stamps)


@pytest.mark.parametrize(
    ("script", "code", "number"), [("exit 3", 3, None), ("kill -9 $$", None, signal.SIGKILL)]
)
async def test_how_it_ended(tmp_path: Path, script: str, code: int | None, number: int) -> None:
    os.mkfifo(tmp_path / "gate")
    async with shim(tmp_path, f"read go <gate; {script}") as running:
        (tmp_path / "gate").write_text("go\n")
        told = await running.until("exited")
        await running.ended()
        assert (told["exit"]["code"], told["exit"]["signal"]) == (code, number)
        assert running.record == told["exit"]


async def test_what_cannot_be_started_is_an_exit(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    spec = {
        "argv": ["/nowhere/program"],
        "cwd": str(folder),
        "environment": {},
        "log": str(tmp_path / "log"),
        "socket": str(tmp_path / "s"),
        "record": str(tmp_path / "exit.json"),
        "restart": {"policy": "no", "maxRetries": None},
        "graceMs": 100,
    }
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", str(SHIM), str(tmp_path / "spec.json")
    )
    assert await process.wait() == 0
    record = json.loads((tmp_path / "exit.json").read_text())
    assert record["error"] == f"cannot start {folder}: No such file or directory"


async def test_a_candidate_is_not_restarted_a_kept_one_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate")
    script = "read go <gate; exit 1"
    async with shim(tmp_path, script, policy="on-failure", retries=2) as running:
        running.order(do="keep")
        pids = set()
        for _ in range(2):
            pids.add((await running.until("running"))["pid"])
            await asyncio.to_thread((tmp_path / "gate").write_text, "go\n")
            await running.until("restarting")
        pids.add((await running.until("running"))["pid"])
        await asyncio.to_thread((tmp_path / "gate").write_text, "go\n")
        told = await running.until("exited")
        assert len(pids) == 3
        assert told["restarts"] == 2
        assert told["exit"]["code"] == 1
        assert "restarts in 0.1 s" in running.texts(Stream.COMPARTMENT)


async def test_a_clean_exit_is_no_failure(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate")
    async with shim(tmp_path, "read go <gate", policy="on-failure") as running:
        running.order(do="keep")
        await running.until("running")
        (tmp_path / "gate").write_text("go\n")
        assert (await running.until("exited"))["restarts"] == 0


async def test_a_graceful_stop(tmp_path: Path) -> None:
    script = "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.02; done"
    async with shim(tmp_path, script, policy="unless-stopped") as running:
        running.order(do="keep")
        await until(lambda: "ready" in running.texts(Stream.STDOUT))
        running.order(do="stop", graceMs=5000)
        told = await running.until("exited")
        assert told["exit"]["code"] == 0
        assert running.texts(Stream.STDOUT)[-1] == "bye"
        await running.ended()


async def test_one_that_ignores_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    script = "trap '' TERM; echo ready; while :; do sleep 0.02; done"
    async with shim(tmp_path, script) as running:
        await until(lambda: "ready" in running.texts(Stream.STDOUT))
        began = time.monotonic()
        running.order(do="stop", graceMs=300)
        told = await running.until("exited")
        assert told["exit"]["signal"] == signal.SIGKILL
        assert 0.25 < time.monotonic() - began < 3


async def test_sigterm_to_the_shim_is_a_stop(tmp_path: Path) -> None:
    async with shim(tmp_path, "exec sleep 1000") as running:
        await running.until("running")
        running.process.terminate()
        assert (await running.until("exited"))["exit"]["signal"] == signal.SIGTERM
        await running.ended()


@pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper")
async def test_what_detaches_itself_is_ended_too(tmp_path: Path) -> None:
    detached = f"{sys.executable} -c 'import os, time; os.setsid(); time.sleep(1000)' &"
    script = f"{detached} echo $!; exec sleep 1000"
    async with shim(tmp_path, script) as running:
        await until(lambda: running.texts(Stream.STDOUT))
        stranger = psutil.Process(int(running.texts(Stream.STDOUT)[0]))
        running.order(do="stop", graceMs=200)
        await running.until("exited")
        await running.ended()
        await until(lambda: not is_alive(stranger))


@pytest.mark.skipif(sys.platform != "linux", reason="needs a death signal")
async def test_a_killed_shim_leaves_no_orphan(tmp_path: Path) -> None:
    async with shim(tmp_path, "exec sleep 1000") as running:
        service = psutil.Process((await running.until("running"))["pid"])
        running.process.kill()
        await until(lambda: not is_alive(service))


async def test_clients_come_and_go(tmp_path: Path) -> None:
    async with shim(tmp_path, "exec sleep 1000") as running:
        first = await running.until("running")
        for rubbish in (b"no json\n", b"{}\n", b""):
            _, writer = await connected(tmp_path)
            writer.write(rubbish)
            writer.close()
        reader, writer = await connected(tmp_path)
        assert json.loads(await reader.readline()) == first
        writer.close()


async def test_a_flood_is_kept_whole_and_never_blocks(tmp_path: Path) -> None:
    count = 200_000
    os.mkfifo(tmp_path / "gate")
    script = f"read go <gate; seq {count}; echo done >&2"
    async with shim(tmp_path, script) as running:
        (tmp_path / "gate").write_text("go\n")
        await running.until("exited")
        # 30 bytes of stamp to each short line: it fits into the three parts that are kept.
        numbers = [int(text) for text in running.texts(Stream.STDOUT)]
        assert numbers == list(range(1, count + 1))
        assert running.texts(Stream.STDERR) == ["done"]


async def test_odd_output(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate")
    script = (
        "read go <gate;"
        r"printf 'no newline at the end' >&2;"
        r"printf '\033]0;title\007\033[31mred\033[0m\033[2J\377\n';"
        f"{sys.executable} -c 'print(\"x\" * 90000)'"
    )
    async with shim(tmp_path, script) as running:
        (tmp_path / "gate").write_text("go\n")
        await running.until("exited")
        assert running.texts(Stream.STDERR) == ["no newline at the end"]
        coloured, long = running.texts(Stream.STDOUT)
        assert coloured == "\x1b[31mred\x1b[0m\\xff"
        assert long.startswith("x" * 16_384 + " … [")


async def test_a_prompt_is_shown_though_its_line_has_no_end(tmp_path: Path) -> None:
    async with shim(tmp_path, "printf 'name? '; exec sleep 1000") as running:
        await running.until("running")
        await until(lambda: running.texts(Stream.STDOUT) == ["name? "])


async def test_it_starts_quickly(tmp_path: Path, figures: FiguresRecorder) -> None:
    spans = []
    os.mkfifo(tmp_path / "gate")
    for _ in range(5):
        began = time.time()
        async with shim(tmp_path, "date +%s.%N; read go <gate") as running:
            (tmp_path / "gate").write_text("go\n")
            await running.until("exited")
            spans.append(float(running.texts(Stream.STDOUT)[-1]) - began)
    figures("from the start of a shim to its service's", statistics.median(spans) * 1000, "ms", 100)
    assert statistics.median(spans) < 0.5


async def until(condition: Any) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
