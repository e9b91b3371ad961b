"""Which domains can be added, and what becomes of their certificates; without a gateway."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from core.certificates.certificate import read_certificate
from core.errors import CompartmentError, Conflict
from core.model import Service, ServiceKind
from core.promotion import renewals
from core.promotion.certificates import Certificates
from core.promotion.renewals import Renewals, due_at
from core.promotion.serving import table
from core.records import CertificateRecord, DomainRecord, HostRecord, Target, Tls
from tests.agent.inside import agent_inside
from tests.certificates.issuing import Authority, Issued
from tests.promotion.records import TARGET, deployment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.agent.client import Client
    from core.platform import Platform

HOST = "shop.example.com"
NAMED = {"project": TARGET.project, "environment": TARGET.environment}
STAGING = Target("shop", "staging")
AUTHORITY = Authority()
GOOD = AUTHORITY.issue(HOST)


class Shop:
    """An agent whose project has a web service `web`, an api `api` and a `changed` one."""

    def __init__(self, platform: Platform, client: Client, folder: Path) -> None:
        self.platform = platform
        self.client = client
        self.folder = folder
        self.authority = Asked()
        self.at = datetime.now(UTC)
        certificates = Certificates(platform.parts.router)
        self.renewals = Renewals(
            platform.ledger, certificates, self.authority, lambda: True, lambda: self.at
        )

    async def add(self, host: str = HOST, **body: Any) -> dict[str, Any]:
        return await self.client.add_domain(host, {**NAMED, "service": "web", **body})

    async def files(self, issued: Issued = GOOD) -> dict[str, str]:
        chain, key = issued.write(self.folder)
        return {"certificateFile": str(chain), "keyFile": str(key)}

    async def domain(self, host: str = HOST) -> dict[str, Any]:
        told = await self.client.domains(NAMED)
        (found,) = [each for each in told["domains"] if each["host"] == host]
        return dict(found)

    def shown(self, host: str = HOST) -> bytes | None:
        found = Certificates(self.platform.parts.router).held(host)
        return found.leaf_der if found else None

    async def events(self, type_: str) -> list[str]:
        events = await self.platform.ledger.journal.events_after(0, None)
        return [each.message for each in events if each.type == type_]


class Asked:
    """An authority that does what it is told to."""

    def __init__(self) -> None:
        self.times = 0
        self.answer: Issued | CompartmentError = CompartmentError("nobody is there")

    async def issue(self, host: str) -> tuple[bytes, bytes]:
        self.times += 1
        if isinstance(self.answer, CompartmentError):
            raise self.answer
        return self.answer.chain_pem, self.answer.key_pem


@pytest.fixture
async def shop(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    async def nothing(_: Renewals) -> None:
        await asyncio.Event().wait()

    # The test itself says when files are looked at, and an authority is asked.
    monkeypatch.setattr(Renewals, "follow", nothing)
    async with agent_inside(home, https_port=0) as (platform, client):
        changed = Service("changed", ".", ServiceKind.API)
        await platform.ledger.write(
            HostRecord("shop.localhost", TARGET, "web", is_public=True),
            HostRecord("staging-shop.localhost", STAGING, "web", is_public=True),
            HostRecord("api-shop.localhost", TARGET, "api", is_public=False),
            HostRecord("changed-shop.localhost", TARGET, "changed", is_public=True),
            deployment(service=changed, is_active=True),
        )
        yield Shop(platform, client, tmp_path / "certificates")


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("Shop.example.com", {}, "invalid_domain", "capitals"),
    ("shop.localhost", {}, "domain_taken", "leads to service web of shop/production already"),
    ("taken.example.com", {}, "domain_taken", "web of shop/staging already"),
    ("taken.example.com", {"service": "api"}, "domain_taken", "web of shop/staging already"),
    (HOST, {"service": "nobody"}, "service_not_found", "no service nobody"),
    (HOST, {"service": "api"}, "not_a_web_service", "not a web service"),
    (HOST, {"service": "changed"}, "not_a_web_service", "not a web service"),
    (HOST, {"project": "other"}, "service_not_found", "no service web"),
    (HOST, {"acme": True, "certificateFile": "/a", "keyFile": "/b"}, "usage", "not both"),
    (HOST, {"certificateFile": "/a"}, "usage", "belong together"),
    (HOST, {"certificateFile": "a", "keyFile": "b"}, "usage", "absolute path"),
    (HOST, {"certificateFile": "/nowhere", "keyFile": "/b"}, "invalid_certificate", "/nowhere"),
]


async def test_what_is_refused_changes_nothing(shop: Shop) -> None:
    await shop.add("taken.example.com", environment="staging")
    for host, body, code, words in REFUSED:
        with pytest.raises(CompartmentError) as refused:
            await shop.add(host, **body)
        assert (refused.value.code, words in refused.value.message) == (code, True), words
    assert list(shop.platform.ledger.domains) == ["taken.example.com"]


async def test_tls_needs_a_port(home: Path) -> None:
    async with agent_inside(home) as (platform, client):
        await platform.ledger.write(HostRecord("shop.localhost", TARGET, "web", is_public=True))
        with pytest.raises(CompartmentError, match="no port for TLS") as refused:
            await client.add_domain(HOST, {**NAMED, "service": "web", "acme": True})
        assert "--https-port" in (refused.value.hint or "")
        assert not platform.ledger.domains


async def test_a_domain_is_a_public_site_until_it_is_removed(shop: Shop) -> None:
    await shop.add()
    (site,) = [each for each in table_of(shop) if each.host == HOST]
    assert (site.service, site.is_public, site.encryption) == ("web", True, "off")
    await shop.add(**await shop.files())
    (site,) = [each for each in table_of(shop) if each.host == HOST]
    assert site.encryption == "on"
    assert (await shop.domain())["state"] == "ok"
    assert shop.shown() == GOOD.der
    # Without TLS again nothing is left of the key.
    await shop.add()
    assert shop.shown() is None
    await shop.client.remove_domain(HOST, NAMED)
    assert HOST not in [each.host for each in table_of(shop)]
    with pytest.raises(CompartmentError, match="no domain of shop/production"):
        await shop.client.remove_domain(HOST, NAMED)
    changes = await shop.events("DomainChanged")
    assert [each.partition(f"{HOST} of shop/production ")[2] for each in changes] == [
        "added: to web, without TLS",
        "changed: to web, with a certificate from files",
        "changed: to web, without TLS",
        "was removed",
    ]


def table_of(shop: Shop) -> Any:
    parts = shop.platform.parts
    return table(parts.ledger, parts.router.hosts).sites


async def test_one_of_another_environment_is_not_removed(shop: Shop) -> None:
    await shop.add(environment="staging")
    with pytest.raises(CompartmentError) as refused:
        await shop.client.remove_domain(HOST, NAMED)
    assert "--env staging" in (refused.value.hint or "")
    assert HOST in shop.platform.ledger.domains


async def test_of_two_that_claim_a_host_only_one_is_seen(shop: Shop, tmp_path: Path) -> None:
    staged = AUTHORITY.issue(HOST)
    theirs = {TARGET: GOOD, STAGING: staged}
    wanted = []
    for target, issued in theirs.items():
        chain, key = issued.write(tmp_path / target.environment)
        record = DomainRecord(HOST, target, "web", Tls.FILES)
        wanted.append(replace(record, certificate_file=str(chain), key_file=str(key)))
    domains = shop.platform.domains
    ends = await asyncio.gather(*map(domains.add, wanted), return_exceptions=True)
    (refused,) = [each for each in ends if isinstance(each, BaseException)]
    assert isinstance(refused, Conflict)
    (known,) = domains.of(None)
    assert shop.shown() == theirs[known.target].der


async def test_a_name_that_is_given_out_is_never_that_of_a_domain(shop: Shop) -> None:
    await shop.add("blog.localhost")
    given = shop.platform.parts.router.hosts.give(
        Target("blog", "production"), [Service("web", ".")], deployment().engine
    )
    assert given["web"].host != "blog.localhost"


async def test_a_key_that_everybody_can_read_is_warned_of(shop: Shop) -> None:
    files = await shop.files()
    (shop.folder / "privkey.pem").chmod(0o644)
    assert "everybody on this machine can read the key" in (await shop.add(**files))["warnings"][0]


async def test_renewed_files_are_taken_and_bad_ones_are_not(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.add(**await shop.files())
    await shop.renewals.look()
    renewed = AUTHORITY.issue(HOST)
    # For a moment the two do not fit.
    (shop.folder / "fullchain.pem").write_bytes(renewed.chain_pem)
    await shop.renewals.look()
    assert (shop.shown(), (await shop.domain())["failureMessage"]) == (GOOD.der, None)
    (shop.folder / "privkey.pem").write_bytes(renewed.key_pem)
    await shop.renewals.look()
    assert shop.shown() == renewed.der
    assert len(await shop.events("CertificateRenewed")) == 1

    monkeypatch.setattr(renewals, "_SETTLES_S", 0)
    for bad, reason in (
        (AUTHORITY.issue("other.example.com"), "it is not for shop.example.com"),
        (AUTHORITY.issue(HOST, ends=timedelta(seconds=-1)), "it expired on"),
        (replace(AUTHORITY.issue(HOST), key=GOOD.key), "the key is not that of the certificate"),
    ):
        bad.write(shop.folder)
        await shop.renewals.look()
        await shop.renewals.look()
        domain = await shop.domain()
        assert reason in domain["failureMessage"]
        assert domain["state"] == "failing"
        assert shop.shown() == renewed.der
    # Each is told once.
    assert len(await shop.events("CertificateFailed")) == 3
    (shop.folder / "privkey.pem").unlink()
    await shop.renewals.look()
    assert "there is no such file" in (await shop.domain())["failureMessage"]
    GOOD.write(shop.folder)
    await shop.renewals.look()
    assert shop.shown() == GOOD.der
    assert (await shop.domain())["state"] == "ok"


async def test_files_that_are_again_what_they_were_are_well_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewals, "_SETTLES_S", 0)
    await shop.add(**await shop.files())
    AUTHORITY.issue("other.example.com").write(shop.folder)
    await shop.renewals.look()
    assert (await shop.domain())["state"] == "failing"
    GOOD.write(shop.folder)
    await shop.renewals.look()
    domain = await shop.domain()
    assert (domain["state"], domain["failureMessage"]) == ("ok", None)


async def test_an_agent_that_ended_before_it_could_tell_of_a_renewal(shop: Shop) -> None:
    await shop.add(**await shop.files())
    renewed = AUTHORITY.issue(HOST, ends=timedelta(days=200))
    renewed.write(shop.folder)
    known = read_certificate(renewed.chain_pem, renewed.key_pem)
    await Certificates(shop.platform.parts.router).show(HOST, known)
    await shop.renewals.look()
    told = (await shop.domain())["certificate"]
    assert datetime.fromisoformat(told["validUntil"]) == known.valid_until


async def test_symlinks_that_are_turned_are_followed(shop: Shop) -> None:
    """As certbot's `live` folder has them."""
    renewed = AUTHORITY.issue(HOST)
    GOOD.write(shop.folder)
    renewed.write(shop.folder / "new")
    live = shop.folder / "live"
    live.mkdir()
    for name in ("fullchain.pem", "privkey.pem"):
        (live / name).symlink_to(shop.folder / name)
    await shop.add(certificateFile=str(live / "fullchain.pem"), keyFile=str(live / "privkey.pem"))
    await shop.renewals.look()
    for name in ("fullchain.pem", "privkey.pem"):
        (live / "turned").symlink_to(shop.folder / "new" / name)
        (live / "turned").replace(live / name)
    await shop.renewals.look()
    assert shop.shown() == renewed.der


async def test_what_expires_is_told_once_for_each_state(shop: Shop) -> None:
    await shop.add(**await shop.files())
    for days in (60, 70, 80, 91, 92):
        shop.at = datetime.now(UTC) + timedelta(days=days)
        await shop.renewals.look()
    told = await shop.events("CertificateExpiring")
    assert [each.split(" at ")[0] for each in told] == [
        f"domain {HOST}: its certificate expires",
        f"domain {HOST}: its certificate expired",
    ]


async def test_an_authority_is_asked_again_after_pauses_that_grow(shop: Shop) -> None:
    await shop.platform.ledger.write(DomainRecord(HOST, TARGET, "web", Tls.ACME))
    (site,) = [each for each in table_of(shop) if each.host == HOST]
    assert site.encryption == "awaited"
    pauses = []
    for times in range(1, 13):
        await shop.renewals.renew_due()
        await shop.renewals.renew_due()
        assert shop.authority.times == times
        record = shop.platform.ledger.domains[HOST]
        pauses.append((due_at(record) - shop.at).total_seconds())
        shop.at = due_at(record)
    assert 60 <= pauses[0] <= 66
    assert all(before * 1.8 < after for before, after in pairwise(pauses[:9]))
    assert max(pauses) <= 6 * 3600 * 1.1
    assert (await shop.domain())["failureMessage"] == "nobody is there"

    shop.at = datetime.now(UTC)
    shop.authority.answer = GOOD
    await shop.platform.ledger.write(record.changed(next_try_at=None))
    await shop.renewals.renew_due()
    assert shop.shown() == GOOD.der
    domain = await shop.domain()
    assert (domain["state"], domain["failureMessage"]) == ("ok", None)


async def test_who_asks_too_often_waits_an_hour(shop: Shop) -> None:
    await shop.platform.ledger.write(DomainRecord(HOST, TARGET, "web", Tls.ACME))
    limited = CompartmentError("too many")
    limited.is_limited = True  # type: ignore[attr-defined]
    shop.authority.answer = limited
    await shop.renewals.renew_due()
    record = shop.platform.ledger.domains[HOST]
    assert due_at(record) - shop.at >= timedelta(hours=1)


async def test_what_an_authority_gives_for_another_host_is_not_taken(shop: Shop) -> None:
    await shop.platform.ledger.write(DomainRecord(HOST, TARGET, "web", Tls.ACME))
    shop.authority.answer = AUTHORITY.issue("other.example.com")
    await shop.renewals.renew_due()
    assert shop.shown() is None
    assert "it is not for" in (await shop.domain())["failureMessage"]


async def test_a_domain_that_is_removed_while_it_is_asked_for_leaves_nothing(shop: Shop) -> None:
    await shop.platform.ledger.write(DomainRecord(HOST, TARGET, "web", Tls.ACME))

    class Slow(Asked):
        async def issue(self, host: str) -> tuple[bytes, bytes]:
            await shop.client.remove_domain(host, NAMED)
            return GOOD.chain_pem, GOOD.key_pem

    router = shop.platform.parts.router
    certificates = Certificates(router)
    await Renewals(shop.platform.ledger, certificates, Slow(), lambda: True).renew_due()
    assert shop.shown() is None
    assert HOST not in shop.platform.ledger.domains


def test_renewal_is_due_after_two_thirds_of_what_was_left_when_it_was_issued() -> None:
    certificate = CertificateRecord(
        valid_from="2026-01-01T00:00:00.000000Z",
        valid_until="2026-04-01T00:00:00.000000Z",
        issuer="somebody",
        taken_at="2026-01-01T00:00:00.000000Z",
    )
    record = DomainRecord(HOST, TARGET, "web", Tls.ACME, certificate=certificate)
    assert due_at(record) == datetime(2026, 3, 2, tzinfo=UTC)
