"""Certificates by ACME from a real server: issued, renewed, and kept while it is away."""

from __future__ import annotations

import asyncio
import json
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from core.agent.pages import serve_pages
from core.certificates import acme
from core.config.settings import Settings
from core.files import Home
from core.platform import Platform
from core.ports import free_port
from core.promotion.certificates import Certificates
from core.promotion.renewals import Renewals
from core.records import DomainRecord, HostRecord, Target, Tls
from tests.e2e.acme_server import acme_server
from tests.e2e.clients import get
from tests.e2e.tls import handshake
from tests.load import plan

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.e2e.acme_server import AcmeServer

HOST = "shop.example.com"
TARGET = Target("shop", "production")
LIMIT_S = 60.0


@asynccontextmanager
async def served(home: Path, settings: Settings) -> AsyncIterator[Platform]:
    """A platform with its pages; at the end nothing of it is left."""
    where = Home(home)
    async with Platform.running(where, settings) as platform:
        pages, listening = serve_pages(where, platform)
        with listening:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(pages.serve(sockets=[listening]))
                try:
                    yield platform
                finally:
                    pages.should_exit = True
                    await platform.gateway.envoy.stop()


@pytest.mark.timeout(180)
async def test_issue_renew_and_go_on_without_the_authority(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = [free_port(set())]
    ports += [free_port({*ports})]
    public, https = ports
    async with acme_server(tmp_path / "acme", looks_at=public) as server:
        settings = Settings(
            port=public,
            internal_port=0,
            https_port=https,
            acme_directory=server.directory,
            acme_ca_file=str(server.ca_file),
            acme_email="owner@example.com",
        )
        async with served(home, settings) as platform:
            await platform.ledger.write(HostRecord("shop.localhost", TARGET, "web", is_public=True))
            await issued_by_itself(platform, server)
            await renewed(platform, server)
            await refused_without_a_proof(platform, monkeypatch)
            server.end()
            await going_on_alone(platform, server)


async def issued_by_itself(platform: Platform, server: AcmeServer) -> None:
    async with asyncio.timeout(LIMIT_S):
        added = await platform.add_domain(DomainRecord(HOST, TARGET, "web", Tls.ACME))
    assert added.record.failure is None
    assert added.record.certificate is not None
    assert await shown(platform, server) == held(platform)
    port = platform.gateway.ports.public
    reply = await get(plan.Target("127.0.0.1", port, HOST), "/")
    assert (reply.status, reply.headers["location"][:8]) == (308, "https://")
    # No key is open to anybody else.
    home = platform.parts.home
    for folder in (home.certificates, platform.gateway.secrets.folder):
        files = list(folder.iterdir())
        assert files
        assert {each.stat().st_mode & 0o777 for each in files} == {0o600}


async def renewed(platform: Platform, server: AcmeServer) -> None:
    before = held(platform)
    (account,) = platform.parts.home.certificates.iterdir()
    registered = json.loads(account.read_text())
    await later(platform, timedelta(minutes=2)).renew_due()
    assert held(platform) == before
    await later(platform, timedelta(minutes=4)).renew_due()
    assert held(platform) != before
    assert await shown(platform, server) == held(platform)
    assert json.loads(account.read_text()) == registered


async def refused_without_a_proof(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can have a certificate for what does not lead to them."""
    monkeypatch.setattr(acme, "_VALIDATION_LIMIT_S", 2.0)
    before = held(platform)
    monkeypatch.setattr(platform.parts.challenges, "answer", lambda *_: None)
    await later(platform, timedelta(minutes=4)).renew_due()
    record = platform.ledger.domains[HOST]
    assert record.failure is not None
    assert "port 80" in record.failure
    assert held(platform) == before


async def going_on_alone(platform: Platform, server: AcmeServer) -> None:
    before = held(platform)
    await later(platform, timedelta(minutes=10)).renew_due()
    record = platform.ledger.domains[HOST]
    assert "cannot be reached: Connection refused" in (record.failure or "")
    assert record.next_try_at is not None
    assert await shown(platform, server) == held(platform) == before


def later(platform: Platform, by: timedelta) -> Renewals:
    """What renews, with a clock that is ahead."""
    certificates = Certificates(platform.parts.router)
    authority = platform.parts.authority
    return Renewals(
        platform.ledger, certificates, authority, lambda: True, lambda: datetime.now(UTC) + by
    )


def held(platform: Platform) -> bytes:
    found = Certificates(platform.parts.router).held(HOST)
    assert found is not None
    return found.leaf_der


async def shown(platform: Platform, server: AcmeServer) -> bytes:
    """What a client is shown that trusts the authority, and checks the name."""
    context = ssl.create_default_context(cafile=str(server.ca_file))
    assert platform.gateway.ports.https
    return (await handshake(platform.gateway.ports.https, HOST, context)).leaf_der
