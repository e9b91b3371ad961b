"""Domains on a running agent: added, served, kept, renewed, and removed."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from core.config.settings import settings_file
from tests.certificates.issuing import Authority
from tests.e2e.clients import get
from tests.e2e.house import house
from tests.e2e.tls import LIMIT_S, handshake, open_tls, status_of, trusting
from tests.load.plan import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.e2e.house import House, LabProject
    from tests.figures import FiguresRecorder

HOST, PLAIN = "shop.example.com", "plain.example.com"
NAMED = {"project": "lab"}
CHALLENGE = "/.well-known/acme-challenge/a-Token_1"


class Domains:
    """A house whose project `lab` has a domain with a certificate from files."""

    def __init__(self, running: House, lab: LabProject, folder: Path) -> None:
        self.running = running
        self.lab = lab
        self.folder = folder
        self.authority = Authority()
        self.client = trusting(self.authority.root)
        self.https = Target("127.0.0.1", 0, HOST)

    async def find_ports(self) -> None:
        secure = (await self.running.client.agent())["secureAddress"]
        self.https = Target("127.0.0.1", int(secure.rpartition(":")[2]), HOST)

    async def add(self, host: str, **body: Any) -> dict[str, Any]:
        told = await self.running.client.add_domain(host, {**NAMED, "service": "web", **body})
        return dict(told["domain"])

    async def domain(self, host: str = HOST) -> dict[str, Any]:
        told = await self.running.client.domains(NAMED)
        (found,) = [each for each in told["domains"] if each["host"] == host]
        return dict(found)

    async def until(self, **fields: Any) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not fields.items() <= (await self.domain()).items():
                await asyncio.sleep(0.05)

    async def shown(self) -> bytes:
        return (await handshake(self.https.port, HOST, self.client)).leaf_der

    async def until_shown(self, leaf: bytes) -> None:
        async with asyncio.timeout(LIMIT_S):
            while await self.shown() != leaf:
                await asyncio.sleep(0.05)

    async def status(self, path: str = "/up") -> int:
        with await open_tls(self.https, self.client) as connection:
            return await status_of(connection, self.https, path)

    @asynccontextmanager
    async def asked_all_the_time(self) -> AsyncIterator[list[int]]:
        """On connections that stay open, and on new ones; yields the statuses so far."""
        statuses: list[int] = []
        stopping = asyncio.Event()

        async def keep_asking() -> None:
            with await open_tls(self.https, self.client) as connection:
                while not stopping.is_set():
                    statuses.append(await status_of(connection, self.https, "/up"))

        async def keep_connecting() -> None:
            while not stopping.is_set():
                statuses.append(await self.status())

        async with asyncio.TaskGroup() as tasks:
            for client in (keep_asking, keep_asking, keep_connecting):
                tasks.create_task(client())
            yield statuses
            stopping.set()


@pytest.fixture
async def domains(home: Path, tmp_path: Path) -> AsyncIterator[Domains]:
    webroot = tmp_path / "webroot"
    (webroot / CHALLENGE[1:]).parent.mkdir(parents=True)
    (webroot / CHALLENGE[1:]).write_text("a-Token_1.thumbprint")
    write_settings(webroot)
    async with house(home, https=0) as running:
        lab = running.lab(tmp_path)
        lab.write(web={})
        await running.deployed(lab)
        found = Domains(running, lab, tmp_path / "live")
        await found.find_ports()
        yield found


def write_settings(webroot: Path) -> None:
    file = settings_file(os.environ)
    file.parent.mkdir(parents=True)
    file.write_text(f'acme_webroot = "{webroot}"\n')


@pytest.mark.timeout(180)
async def test_from_the_first_certificate_to_the_end(
    domains: Domains, counts: FiguresRecorder
) -> None:
    running, lab = domains.running, domains.lab
    first = domains.authority.issue(HOST)
    chain, key = first.write(domains.folder)
    files = {"certificateFile": str(chain), "keyFile": str(key)}
    assert (await domains.add(PLAIN))["url"].startswith(f"http://{PLAIN}:")
    added = await domains.add(HOST, **files)
    url = f"https://{HOST}:{domains.https.port}"
    assert (added["url"], added["state"]) == (url, "ok")
    # In force when the command returns.
    assert await domains.shown() == first.der
    assert await domains.status() == 200
    assert (await running.status(lab))["web"]["routeUrl"] == url
    for host in (HOST, PLAIN):
        found = await get(await running.target(host), CHALLENGE)
        assert (found.status, found.body) == (200, b"a-Token_1.thumbprint")
        assert (await get(await running.target(host), f"{CHALLENGE}-2")).status == 404
    assert (await get(await running.target(HOST), "/up")).status == 308
    assert (await get(await running.target(PLAIN), "/up")).status == 200
    # Hosts that are no domains keep their paths: the lab answers everywhere.
    assert (await get(await running.target(), CHALLENGE)).version

    async with domains.asked_all_the_time() as statuses:
        renewed = domains.authority.issue(HOST)
        renewed.write(domains.folder)
        await domains.until_shown(renewed.der)
        domains.authority.issue("other.example.com").write(domains.folder)
        await domains.until(state="failing")
        assert "it is not for shop.example.com" in (await domains.domain())["failureMessage"]
        assert await domains.shown() == renewed.der
        lab.bump()
        await running.deployed(lab)
        await running.deployed(lab, "rollback")
        await running.client.stop_agent()
        await running.client.attach()
        assert await domains.shown() == renewed.der
        last = domains.authority.issue(HOST)
        last.write(domains.folder)
        await domains.until_shown(last.der)
    lost = sum(each != 200 for each in statuses)
    counts("lost over two renewals, a deploy and a new agent", lost, "requests", 0)
    assert set(statuses) == {200}
    await domains.until(state="ok", failureMessage=None)

    await running.client.down({"project": lab.name})
    assert await domains.status() == 503
    await running.client.remove_domain(HOST, NAMED)
    with pytest.raises(OSError):  # noqa: PT011 - reset or refused by TLS, as the system tells it
        await domains.shown()
    assert (await get(await running.target(HOST), "/up")).status == 404
    events = [each["type"] for each in await first_events(running)]
    for type_, times in (
        ("DomainChanged", 3),
        ("CertificateRenewed", 2),
        ("CertificateFailed", 1),
    ):
        assert events.count(type_) == times, type_


async def first_events(running: House) -> list[dict[str, Any]]:
    """All so far: the last is that of the domain that was removed."""
    found = []
    async for event in running.client.events(0):
        found.append(event)
        if event["type"] == "DomainChanged" and event["message"].endswith("was removed"):
            return found
    raise AssertionError("the stream has ended")
