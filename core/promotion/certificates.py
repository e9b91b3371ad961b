"""The certificates that clients of domains are shown: taken, refused, and told of.

What is in force is a file of the gateway; the record of the domain tells of it. What is no good is
never taken: the old one goes on.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.certificates.certificate import read_certificate
from core.errors import ConfigError
from core.events import EventType
from core.lines import stamp
from core.promotion.ledger import target_event
from core.records import CertificateRecord, Tls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.certificates.certificate import Certificate
    from core.events import Event
    from core.journal import Record
    from core.promotion.routing import Router
    from core.records import DomainRecord


class Certificates:
    """Hands certificates to the gateway, and keeps what is to be known of them."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._ledger = router.ledger
        self._is_behind = False

    def held(self, host: str) -> Certificate | None:
        """What the gateway has for a host."""
        pair = self._router.gateway.secrets.read(host)
        if pair is None:
            return None
        try:
            return read_certificate(*(each.encode() for each in pair))
        except ConfigError:
            return None

    async def show(self, host: str, certificate: Certificate) -> CertificateRecord:
        """Lets the gateway have it; in force at once where the host has TLS already.

        Raises:
            GatewayUnavailable: it cannot be; the old one goes on.
        """
        pair = (certificate.chain_pem, certificate.key_pem)
        await self._router.gateway.take_certificate(host, pair, certificate.leaf_der)
        return CertificateRecord(
            valid_from=stamp(certificate.valid_from),
            valid_until=stamp(certificate.valid_until),
            issuer=certificate.issuer,
            taken_at=stamp(),
        )

    async def take(self, host: str, certificate: Certificate) -> None:
        """Shows a new one, and tells of it.

        Raises:
            GatewayUnavailable: it cannot be; the old one goes on.
        """
        made = await self.show(host, certificate)

        def change() -> Sequence[Record]:
            record = self._ledger.domains.get(host)
            if record is None or record.tls is Tls.NONE:
                return ()
            until = f"{certificate.valid_until:%Y-%m-%d %H:%M} UTC"
            message = f"domain {host}: a certificate of {made.issuer}, valid until {until}"
            event = certificate_event(EventType.CERTIFICATE_RENEWED, record, message)
            return cleared(record, made), event

        await self._ledger.update(change)
        record = self._ledger.domains.get(host)
        if record is None or record.tls is Tls.NONE:
            self._router.gateway.secrets.remove(host)
            return
        await self.enforce(host, certificate)

    async def enforce(self, host: str, certificate: Certificate) -> None:
        """Returns when clients are shown it.

        Raises:
            GatewayUnavailable: they are not yet.
        """
        self._is_behind = True
        await self._router.enforce()
        await self._router.gateway.await_certificate(host, certificate.leaf_der)
        self._is_behind = False

    async def catch_up(self) -> None:
        """Puts in force what could not be when it was taken."""
        if self._is_behind:
            await self._router.enforce()
            self._is_behind = False

    async def refuse(
        self, host: str, error: str, *, at: datetime, next_try_at: datetime | None = None
    ) -> None:
        """Tells why there is no newer one; of the same files an agent says it once."""

        def change() -> Sequence[Record]:
            record = self._ledger.domains.get(host)
            if record is None or record.tls is Tls.NONE:
                return ()
            if next_try_at is None and record.failure == error:
                return ()
            made = record.changed(
                failure=error,
                failed_at=stamp(at),
                failures=record.failures + 1,
                next_try_at=stamp(next_try_at) if next_try_at else None,
            )
            goes_on = "the old one goes on" if record.certificate else "there is none yet"
            message = f"domain {host}: {error}; {goes_on}"
            return made, certificate_event(EventType.CERTIFICATE_FAILED, record, message)

        await self._ledger.update(change)

    def forget_orphans(self) -> None:
        """Removes what an agent has left that ended while it added or removed a domain."""
        secrets = self._router.gateway.secrets
        for host in secrets.hosts():
            record = self._ledger.domains.get(host)
            if record is None or record.tls is Tls.NONE:
                secrets.remove(host)


def cleared(record: DomainRecord, certificate: CertificateRecord | None) -> DomainRecord:
    """A domain with this certificate, and without a failure."""
    return record.changed(
        certificate=certificate, failure=None, failed_at=None, failures=0, next_try_at=None
    )


def moment(text: str) -> datetime:
    """A time stamp of a record."""
    return datetime.fromisoformat(text).astimezone(UTC)


def certificate_event(type_: EventType, record: DomainRecord, message: str) -> Event:
    """An event that tells of a domain."""
    return target_event(type_, record.target, message, record.service, host=record.host)
