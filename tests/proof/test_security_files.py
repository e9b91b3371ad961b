"""Another user of the machine gets at no file, socket or process of ours, whatever our umask.

A real agent, gateway and service live a whole life under umask 000, where every file that does not
say otherwise is everybody's: variables, logins, deploys, a rollback, uploads, logs, a crash, the
dashboard's memory. Then each file, folder and socket that came to be is looked at, and a second
user really tries: reads, writes, renames, links, connects, sends signals, reads memory. All must be
refused but what docs/security.md names: ports of loopback are open to local users. That user also
comes first, and makes the folder that our sockets would be in.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.config.footprint import footprint
from core.config.project import load_project
from core.errors import CompartmentError
from core.files import Home
from core.sources.collecting import collect
from core.sources.packing import list_files, pack
from tests.e2e.house import house, processes_of
from tests.proof.security.somebody import UID, as_somebody, done, on_path, on_port, on_process
from tui.choices import Choices
from tui.crash import report_crash

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psutil

    from tests.e2e.house import House, LabProject
    from tests.figures import FiguresRecorder

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user, too"),
]

_PATIENCE_S = 120
_SECRET = "a-secret-that-no-argument-holds"
_COPIES = ("releases", "uploads", "sources")
"""Where copies of sources are: they keep the modes of the files, which services run as."""


@pytest.fixture(params=[0o000, pytest.param(0o022, marks=pytest.mark.whole)])
def careless(request: pytest.FixtureRequest, home: Path) -> Iterator[int]:
    """A umask, and a way to the home that is open to all; beside it everything is as it was."""
    home.parent.chmod(0o755)
    before = os.umask(request.param)
    yield request.param
    os.umask(before)
    home.parent.chmod(0o700)


async def _said(*arguments: str, given: str = "", cwd: Path, code: int = 0) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "core.cli.main", *arguments),
        cwd=cwd,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(_PATIENCE_S):
        said, _ = await process.communicate(given.encode())
    assert process.returncode == code, said.decode()
    return said.decode()


async def _live(running: House, lab: LabProject) -> None:
    """Has the product make all the files that it makes."""
    job = {"kind": "job", "run": {"command": "true"}, "readiness": None}
    lab.write(web={"accessMode": "authenticated"}, job=job)
    for words in (
        "variable set TOKEN --service web --sensitive --stdin",
        "user add ann --password-stdin",
        "deploy",
    ):
        await _said(*words.split(), given=_SECRET, cwd=lab.root)
    lab.bump()
    await _said("deploy", cwd=lab.root)
    await _said("rollback", cwd=lab.root)
    await _said("logs", "--tail", "5", cwd=lab.root)
    await _said("doctor", cwd=lab.root)
    await _upload(running, lab)
    Choices(path=running.home.root / "dashboard.json").set("theme", "textual-light")
    report_crash(ValueError("a bug"), running.home)


async def _upload(running: House, lab: LabProject) -> None:
    """As `--host` does."""
    with footprint() as read:
        collected = collect(load_project(lab.root), read)
    listing = list_files(collected)
    query = {"project": lab.name, "environment": "staging", "digest": listing.digest}
    parts = pack(collected.root, listing)
    await running.client.send_source({**query, "writable": []}, parts)


def _everything(home: Path) -> list[Path]:
    return sorted([home, *home.rglob("*")])


def _told(path: Path) -> str:
    return f"{stat.filemode(path.lstat().st_mode)} {path}"


def _is_open(path: Path, home: Path) -> bool:
    """Whether its mode lets anybody else at it, were all folders above it open."""
    found = path.lstat()
    top, *below = path.relative_to(home).parts or ("",)
    is_copy = top in _COPIES and bool(below)
    return not (stat.S_ISLNK(found.st_mode) or is_copy) and bool(found.st_mode & 0o077)


def _memory_of(processes: list[psutil.Process]) -> list[Path]:
    """What of the machine's shared memory is ours."""
    mapped = {each.path for process in processes for each in process.memory_maps()}
    return [each for each in Path("/dev/shm").glob("envoy*") if str(each) in mapped]


async def test_another_user_gets_at_nothing(
    home: Path, careless: int, tmp_path: Path, counts: FiguresRecorder
) -> None:
    async with house(home) as running:
        lab = running.lab(tmp_path)
        await _live(running, lab)
        everything = _everything(home)
        assert [_told(each) for each in everything if _is_open(each, home)] == []
        ours = processes_of(running.home)
        processes = list({*ours, *(child for each in ours for child in each.children())})
        # The agent, its gateway, a shim and a service at least.
        assert len(processes) >= 4
        memory = _memory_of(processes)
        attempts = [
            *(each for path in (*everything, *memory) for each in on_path(path)),
            *(each for process in processes for each in on_process(process.pid)),
        ]
        # Everybody sees that they are there.
        seen = {f"look at {path}" for path in (home, *memory)}
        could = set(as_somebody(lambda: done(attempts))) - seen
        assert could == set()
        # What everybody sees of a process has no secret.
        assert not any(_SECRET in " ".join(each.cmdline()) for each in processes)
        counts("security: what another user tried", len(attempts), "attempts")
        counts("security: what another user could do", len(could), "attempts", 0)
        # As docs/security.md says: the ports of the gateway and of services on loopback are open.
        about = await running.client.agent()
        ports = {about[name].rpartition(":")[2] for name in ("publicAddress", "internalAddress")}
        assert len(as_somebody(lambda: done(on_port(int(each)) for each in ports))) == 2


@pytest.mark.parametrize("is_link", [False, True])
async def test_whoever_makes_the_folder_of_our_sockets_first_is_told_nothing(
    home: Path, tmp_path: Path, is_link: bool
) -> None:
    """A stranger listens where an agent would: the command must not tell it our environment."""
    long = Home(home.parent / ("long-" * 20) / "home")
    stand_in, place = long.sockets, home.parent / "stranger"
    assert stand_in.parent == Path("/tmp")
    place.mkdir()
    os.chown(place, UID, UID)
    place.rename(stand_in) if not is_link else stand_in.symlink_to(place)
    heard: list[bytes] = []
    services = "services: {web: {path: ., run: {command: 'true'}}}"
    (tmp_path / "compartment.yml").write_text(f"name: lab\n{services}\n")

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1))
        writer.close()

    try:
        server = await asyncio.start_unix_server(listen, stand_in / "agent.sock")
        async with server:
            for command in ("status", "deploy", "agent start", "doctor"):
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-P", "-m", "core.cli.main", *command.split()),
                    *(() if command == "doctor" else ("--project", "lab")),
                    cwd=tmp_path,
                    env={**os.environ, "COMPARTMENT_HOME": str(long.root)},
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT,
                )
                async with asyncio.timeout(_PATIENCE_S):
                    said, _ = await process.communicate()
                assert process.returncode != 0, command
                assert b"is not a folder of yours" in said, command
                assert b"Traceback" not in said
        assert heard == []
        with pytest.raises(CompartmentError, match="is not a folder of yours"):
            long.create()
    finally:
        if is_link:
            stand_in.unlink()
        else:
            shutil.rmtree(stand_in)


def test_a_home_of_somebody_else_is_not_used(home: Path) -> None:
    home.mkdir()
    os.chown(home, UID, UID)
    with pytest.raises(CompartmentError, match="is not a folder of yours"):
        Home(home).create()


def test_nothing_is_made_for_all_on_the_way_to_a_home(home: Path, careless: int) -> None:
    nested = Home(home / "a" / "b")
    nested.create()
    for folder in (home, home / "a", home / "a" / "b"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
