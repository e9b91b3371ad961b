"""TLS on a running gateway: handshakes, redirects, and renewals under load."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.errors import GatewayUnavailable
from core.gateway.domains import domain_routes
from core.gateway.table import Encryption, Site, Table
from tests.certificates.issuing import Authority, Issued, pem
from tests.e2e.clients import get
from tests.e2e.gateways import RunningGateway, running_gateway
from tests.e2e.tls import handshake, open_tls, status_of, trusting
from tests.load.plan import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.figures import FiguresRecorder
    from tests.load.connection import Connection

SHOP, BLOG, AWAITED, PLAIN = (f"{name}.example.com" for name in ("shop", "blog", "new", "plain"))
ENCRYPTED = {SHOP: Encryption.ON, BLOG: Encryption.ON, AWAITED: Encryption.AWAITED}


class Domains:
    """A gateway with domains, and who has signed their certificates."""

    def __init__(self, running: RunningGateway) -> None:
        self.running = running
        self.gateway = running.gateway
        self.authority = Authority()
        self.client = trusting(self.authority.root)

    @property
    def https(self) -> int:
        assert self.gateway.ports.https
        return self.gateway.ports.https

    def table(self, *hosts: str) -> Table:
        found = self.running.table("old")
        sites = [
            Site(host, "web", True, (), {"web": "old"}, encryption=ENCRYPTED.get(host, OFF))
            for host in hosts
        ]
        return replace(found, sites=(*found.sites, *sites))

    async def take(self, issued: Issued, host: str) -> None:
        pair = (issued.chain_pem.decode(), issued.key_pem.decode())
        await self.gateway.take_certificate(host, pair, issued.der)

    async def certified(self, host: str) -> Issued:
        issued = self.authority.issue(host)
        await self.take(issued, host)
        return issued

    async def shown(self, host: str) -> bytes:
        return (await handshake(self.https, host, self.client)).leaf_der

    @asynccontextmanager
    async def connection(self, host: str) -> AsyncIterator[Connection]:
        with await open_tls(self.at(host, tls=True), self.client) as found:
            yield found

    def at(self, host: str, *, tls: bool = False) -> Target:
        return Target("127.0.0.1", self.https if tls else self.gateway.ports.public, host)


OFF = Encryption.OFF


@pytest.fixture
async def domains(home: Path) -> AsyncIterator[Domains]:
    async with running_gateway(home, https=0) as running:
        yield Domains(running)


async def test_handshakes(domains: Domains) -> None:
    shop, blog = [await domains.certified(host) for host in (SHOP, BLOG)]
    await domains.gateway.apply(domains.table(SHOP, BLOG, AWAITED, PLAIN))
    await domains.gateway.await_certificate(BLOG, blog.der)
    client = domains.client
    session = await handshake(domains.https, SHOP, client, "h2", "http/1.1")
    assert (session.version, session.protocol, session.leaf_der) == ("TLSv1.3", "h2", shop.der)
    session = await handshake(domains.https, BLOG, client, "http/1.1")
    assert (session.protocol, session.leaf_der) == ("http/1.1", blog.der)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    assert (await handshake(domains.https, SHOP, client)).version == "TLSv1.2"
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    for host in (None, "other.example.com", AWAITED, PLAIN, "127.0.0.1", "localhost"):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await handshake(domains.https, host, anybody)
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError), match=r"(?i)version"):
        await handshake(domains.https, SHOP, old)


async def test_curl_checks_the_chain_and_speaks_http_2(domains: Domains, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    await domains.certified(SHOP)
    await domains.gateway.apply(domains.table(SHOP))
    root = tmp_path / "root.pem"
    root.write_bytes(pem(domains.authority.root))
    process = await asyncio.create_subprocess_exec(
        *("curl", "--silent", "--show-error", "--http2", "--cacert", str(root)),
        *("--resolve", f"{SHOP}:{domains.https}:127.0.0.1", "--noproxy", "*"),
        *("--output", "/dev/null", "--write-out", "%{http_version} %{http_code}"),
        f"https://{SHOP}:{domains.https}/",
        stdout=subprocess.PIPE,
    )
    told, _ = await process.communicate()
    assert told.decode() == "2 200"


async def test_what_is_answered_in_clear_and_by_tls(domains: Domains) -> None:
    await domains.certified(SHOP)
    await domains.gateway.apply(domains.table(SHOP, AWAITED, PLAIN))
    https = domains.https
    shop, awaited, plain = (domains.at(host) for host in (SHOP, AWAITED, PLAIN))

    reply = await get(shop, "/a%20b/c?d=e&f", method="POST", x_forwarded_proto="https")
    assert reply.status == 308
    assert reply.headers["location"] == f"https://{SHOP}:{https}/a%20b/c?d=e&f"
    for host in (f"{SHOP}:8080", SHOP.upper()):
        reply = await get(replace(shop, host=host), "/")
        assert reply.headers["location"] == f"https://{SHOP}:{https}/"
    # To the agent's pages, which nobody serves here.
    challenge = "/.well-known/acme-challenge/token"
    for target in (shop, awaited, plain):
        assert (await get(target, challenge)).status == 503
    assert (await get(shop, "/a//../b")).status == 404
    assert (await get(awaited, "/")).status == 503
    assert "certificate_pending" in (await get(awaited, "/")).body.decode()
    assert (await get(plain, "/")).headers["x-echo"]
    # A domain is for the outside.
    internal = Target("127.0.0.1", domains.gateway.ports.internal, PLAIN)
    assert (await get(internal, "/")).status == 404

    async with domains.connection(SHOP) as connection:
        target = domains.at(SHOP, tls=True)
        assert await status_of(connection, target) == 200
        assert await status_of(connection, target, "/a//../b") == 404
        assert await status_of(connection, replace(target, host="other.example.com")) == 404
        assert await status_of(connection, replace(target, host=f"{SHOP}:{https}")) == 200


async def test_on_port_443_the_redirect_names_none() -> None:
    site = Site(SHOP, "web", True, (), {}, encryption=Encryption.ON)
    (_, found) = domain_routes(site, 443)
    assert found["redirect"].keys() == {"https_redirect", "host_redirect", "response_code"}


async def test_connections_of_others_outlive_what_changes(domains: Domains) -> None:
    """A domain that comes or goes, and a new certificate, cut nothing."""
    await domains.certified(SHOP)
    await domains.gateway.apply(domains.table(SHOP))
    async with domains.connection(SHOP) as connection:
        target = domains.at(SHOP, tls=True)
        assert await status_of(connection, target) == 200
        blog = await domains.certified(BLOG)
        await domains.gateway.apply(domains.table(SHOP, BLOG))
        await domains.gateway.await_certificate(BLOG, blog.der)
        renewed = await domains.certified(SHOP)
        assert await domains.shown(SHOP) == renewed.der
        assert await domains.shown(BLOG) == blog.der
        without = domains.table(SHOP)
        await domains.gateway.apply(without)
        await domains.gateway.remove_drained(without)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await domains.shown(BLOG)
        assert await status_of(connection, target) == 200


async def test_what_envoy_refuses_changes_nothing(domains: Domains) -> None:
    good = await domains.certified(SHOP)
    await domains.gateway.apply(domains.table(SHOP))
    other = domains.authority.issue(SHOP)
    with pytest.raises(GatewayUnavailable, match="KEY_VALUES_MISMATCH"):
        await domains.take(replace(other, key=good.key), SHOP)
    assert await domains.shown(SHOP) == good.der
    # Also an Envoy that starts now has what was good; one whose file is gone closes.
    await domains.gateway.envoy.stop()
    await domains.gateway.start(domains.table(SHOP))
    assert await domains.shown(SHOP) == good.der
    await domains.gateway.envoy.stop()
    domains.gateway.secrets.remove(SHOP)
    await domains.gateway.start(domains.table(SHOP))
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await domains.shown(SHOP)
    assert (await get(domains.at(SHOP), "/")).status == 308


async def test_secrets_are_private(domains: Domains) -> None:
    issued = await domains.certified(SHOP)
    secrets = domains.gateway.secrets
    (file,) = secrets.folder.iterdir()
    assert (file.stat().st_mode & 0o777, secrets.folder.stat().st_mode & 0o777) == (0o600, 0o700)
    chain, key = issued.chain_pem.decode(), issued.key_pem.decode()
    assert secrets.read(SHOP) == (chain, key)


async def test_renewals_under_load_lose_nothing(domains: Domains, counts: FiguresRecorder) -> None:
    await domains.certified(SHOP)
    await domains.gateway.apply(domains.table(SHOP))
    target = domains.at(SHOP, tls=True)
    statuses: list[int] = []
    stopping = asyncio.Event()

    async def keep_asking() -> None:
        async with domains.connection(SHOP) as connection:
            while not stopping.is_set():
                statuses.append(await status_of(connection, target))

    async def keep_connecting() -> None:
        while not stopping.is_set():
            async with domains.connection(SHOP) as connection:
                statuses.append(await status_of(connection, target))

    shown = []
    async with asyncio.TaskGroup() as tasks:
        for client in (keep_asking, keep_asking, keep_connecting, keep_connecting):
            tasks.create_task(client())
        for _ in range(20):
            renewed = await domains.certified(SHOP)
            shown.append(await domains.shown(SHOP) == renewed.der)
        stopping.set()
    assert all(shown)
    assert len(statuses) > 20
    counts(
        "lost in 20 renewals of a certificate", sum(each != 200 for each in statuses), "requests", 0
    )
    assert set(statuses) == {200}
