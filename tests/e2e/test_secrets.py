"""A secret is in the environment of the instances of its service, and nowhere else."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.engines.docker.labels import HOME, home_id
from tests.e2e.clients import get
from tests.e2e.house import LabProject
from tests.engine.client import connected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.e2e.house import House

pytestmark = [pytest.mark.engines("process", "docker"), pytest.mark.timeout(120)]

TELLER = Path(__file__).with_name("teller") / "server.py"
MARK = "zq7Kx"
"""Stands in every few characters of the secret, so that no part of it goes unseen."""

HOSTILE = "$HOME \" w' \\ # = \t ; & | < > * ? `id` é 日 🙂 ${X} $(id) %0A"
SECRET = "\n".join(f"{MARK}{n} {HOSTILE} {MARK}{n}" for n in range(50))
FOUND = (MARK.encode(), b64encode(SECRET.encode())[100:140])
PATIENCE_S = 60


@dataclass
class Place:
    """Where something was found."""

    name: str
    content: bytes


async def command(*arguments: str, given: bytes = b"") -> bytes:
    """What a command says, in all."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "core.cli.main", "--project", "teller", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(PATIENCE_S):
        said, _ = await process.communicate(given)
    assert process.returncode == 0, said
    return said


def project(folder: Path, *, release: str) -> LabProject:
    """One whose every command tells the secret, too."""
    found = LabProject(folder / "teller", "teller")
    app = found.root / "app"
    if not app.exists():
        app.mkdir(parents=True)
        shutil.copy(TELLER, app)
        (app / "printed.hex").write_text(SECRET.encode().hex())
    prints = "print(bytes.fromhex(open('printed.hex').read()).decode())"
    build = f'python3 -c "{prints}" && printf %s "$OPEN" >built.txt'
    teller = {
        "path": "app",
        "readiness": {"type": "http", "path": "/"},
        "run": {"command": "exec python3 server.py"},
    }
    found.write(
        web={
            **teller,
            "build": {"command": build, "env": ["OPEN"]},
            "release": {"command": f'printf %s "$SECRET"; env; {release}'},
        },
        other=teller,
    )
    return found


def encoded(value: str) -> str:
    """A value in double quotes, as a `.env` file takes it."""
    for char in '\\"$':
        value = value.replace(char, f"\\{char}")
    return f'"{value}"'


async def test_a_secret_is_found_only_with_its_service(
    running: House, tmp_path: Path, engine: str, request: pytest.FixtureRequest
) -> None:
    scope = ("--service", "web", "--sensitive")
    said = [await command("variable", "set", "SECRET", *scope, "--stdin", given=SECRET.encode())]
    (tmp_path / "all.env").write_text(f"IMPORTED={encoded(SECRET)}\n")
    said.append(await command("variable", "import", "--file", str(tmp_path / "all.env"), *scope))
    said.append(await command("variable", "set", "OPEN", "plain $value"))
    teller = project(tmp_path, release="true")
    live = await running.deployed(teller)
    target = await running.target("teller.localhost")
    # Byte for byte, as its service got it; the build got what it lists.
    for path in ("/", "/imported"):
        assert (await get(target, path)).body.decode() == sha256(SECRET.encode()).hexdigest()
    assert (await get(target, "/built")).body == b"plain $value"
    failures = [await failed(running, teller, release="exit 3")]
    (teller.root / "app" / "fails").touch()
    failures.append(await failed(running, teller, release="true"))
    assert all("***" in failure for failure in failures)
    places = [Place("a command", each) for each in said]
    places += [Place("a failure", failure.encode()) for failure in failures]
    places += [each async for each in told(running, teller)]
    places += kept(running.home.root)
    logged = b"".join(each.content for each in places if "logs" in each.name)
    for words in (b"whole: ***", b'json: {"secret": "***"}', b"key=***", b"ValueError: ***"):
        assert words in logged, words
    ids = {each["id"] for each in live["deployments"] if each["serviceName"] == "web"}
    if engine == "docker":
        places += docker_places(request.getfixturevalue("docker_socket"), running, ids)
    places += processes(ids)
    assert [each.name for each in places if any(part in each.content for part in FOUND)] == []


async def failed(running: House, teller: LabProject, *, release: str) -> str:
    """How a deploy fails whose commands tell the secret."""
    project(teller.root.parent, release=release)
    result = await running.run(teller, services=["web"])
    assert result["run"]["status"] == "failed"
    return json.dumps(result, ensure_ascii=False)


async def told(running: House, teller: LabProject) -> AsyncIterator[Place]:
    """What every front end can ask for."""
    for words in (
        *("status", "inspect", "deployment list", "logs --tail 1000", "variable list"),
        *("variable list --service web", "variable show SECRET --service web"),
    ):
        yield Place(words, await command(*words.split(), "--output", "json"))
    yield Place("status", await command("status", "--verbose"))
    named = {"project": teller.name}
    body = {**named, "trigger": "deploy", "root": str(teller.root), "engine": running.engine}
    yield Place("plan", json.dumps(await running.client.plan(body)).encode())
    history = await running.client.runs({**named, "environment": "production"})
    newest = history["runs"][0]["id"]
    async for event in running.client.events(0):
        yield Place("an event", json.dumps(event).encode())
        if event["type"] == "RunFinished" and event["deploymentRunId"] == newest:
            break
    async for update in running.client.watch(named):
        yield Place("watch", json.dumps(update).encode())
        break
    for deployment in (await running.client.history(named))["deployments"]:
        query = {**named, "deployment": deployment["id"], "tail": 1000}
        yield Place(
            f"logs of {deployment['id']}",
            json.dumps([line async for line in running.client.logs(query)]).encode(),
        )


def kept(home: Path) -> Iterator[Place]:
    """Every file but the journal and the manifests, which are where a secret is kept."""
    manifests = home / "manifests"
    for path in home.rglob("*"):
        may_hold = path.name.startswith("journal.db") or path.parent == manifests
        if path.is_file() and not may_hold:
            yield Place(str(path), path.read_bytes())
        elif may_hold:
            assert path.stat().st_mode & 0o077 == 0, path


def docker_places(socket: str, running: House, ids: set[str]) -> Iterator[Place]:
    """All that the engine tells of what is ours."""

    def place(kind: str, described: Any) -> Place:
        return Place(kind, json.dumps(described, ensure_ascii=False).encode())

    with connected(socket) as client:
        ours = {"label": f"{HOME}={home_id(running.home)}"}
        for each in client.containers(all=True, filters=ours):
            described = client.inspect_container(each["Id"])
            if described["Config"]["Labels"].get("compartment.deployment") in ids:
                assert f"SECRET={SECRET}" in described["Config"].pop("Env")
            yield place("a container", described)
        for each in client.images(filters=ours, all=True):
            yield place("an image", client.inspect_image(each["Id"]))
            yield place("the history of an image", client.history(each["Id"]))
        for each in client.networks(filters=ours):
            yield place("a network", client.inspect_network(each["Id"]))


def processes(ids: set[str]) -> Iterator[Place]:
    """The command lines and environments of this machine, without those of the live instance."""
    seen = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line, environment = ((folder / name).read_bytes() for name in ("cmdline", "environ"))
        except OSError:  # others come and go
            continue
        yield Place(f"the command line of {folder.name}", line)
        if any(f"COMPARTMENT_DEPLOYMENT={each}".encode() in environment for each in ids):
            seen += f"SECRET={SECRET}".encode() in environment.split(b"\0")
        else:
            yield Place(f"the environment of {line!r}", environment)
    assert seen >= 1
