"""Keeps the certificate of each domain fresh: from its files, or from an authority.

Files are looked at each second. What an authority gives is renewed when two thirds of its life are
over; what fails is tried again after pauses that grow.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.certificates.certificate import check_serves, read_certificate
from core.certificates.expiry import Expiry, expiry_of
from core.certificates.files import CertificateFiles
from core.ending import single_error
from core.errors import CompartmentError, ConfigError
from core.events import EventType
from core.lines import stamp
from core.promotion.certificates import certificate_event, moment
from core.records import Tls

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from core.certificates.authority import Authority
    from core.certificates.certificate import Certificate
    from core.certificates.files import Look
    from core.promotion.certificates import Certificates
    from core.promotion.ledger import Ledger
    from core.records import DomainRecord

_log = logging.getLogger(__name__)

_LOOK_PAUSE_S: Final = 1.0
_SETTLES_S: Final = 5.0
"""Chain and key are written one after the other: for a moment they do not fit."""

_RENEWED_AT: Final = 2 / 3
"""Of its life, as Let's Encrypt advises."""

_FIRST_PAUSE: Final = timedelta(minutes=1)
_LONGEST_PAUSE: Final = timedelta(hours=6)
_LIMITED_PAUSE: Final = timedelta(hours=1)
_JITTER: Final = 0.1


@dataclass(slots=True)
class _Watched:
    files: CertificateFiles
    look: Look
    since_s: float
    is_decided: bool = False


class Renewals:
    """What goes on as long as there is a domain with a certificate."""

    def __init__(
        self,
        ledger: Ledger,
        certificates: Certificates,
        authority: Authority,
        is_serving: Callable[[], bool],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`is_serving` says whether the gateway runs: an authority asks it for its proof."""
        self._ledger = ledger
        self._certificates = certificates
        self._authority = authority
        self._is_serving = is_serving
        self._now = now
        self._watched: dict[str, _Watched] = {}
        self._told: dict[str, tuple[str, Expiry]] = {}

    async def follow(self) -> None:
        """Looks at files, and beside that at what is due; an authority may take its time."""
        with single_error():
            await self._follow()

    async def _follow(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._again_and_again(self.look))
            tasks.create_task(self._again_and_again(self.renew_due))

    async def _again_and_again(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            changed = self._ledger.next_change()
            if not any(self._of(Tls.FILES, Tls.ACME)):
                await changed.wait()
                continue
            await work()
            await asyncio.sleep(_LOOK_PAUSE_S)

    def _of(self, *kinds: Tls) -> Iterator[DomainRecord]:
        return (each for each in list(self._ledger.domains.values()) if each.tls in kinds)

    async def look(self) -> None:
        """Takes what is new in files, and tells what expires."""
        for record in self._of(Tls.FILES):
            await self._survived(record.host, self._look_at(record))
        for record in self._of(Tls.FILES, Tls.ACME):
            await self._tell_expiry(record)
        await self._survived("", self._certificates.catch_up())

    async def _survived(self, host: str, work: Awaitable[None]) -> None:
        """One domain never holds up the others."""
        try:
            await work
        except CompartmentError as error:
            _log.warning("certificate %s: %s", host, error.message)

    async def _look_at(self, record: DomainRecord) -> None:
        files = CertificateFiles(Path(record.certificate_file or ""), Path(record.key_file or ""))
        # On a thread, because files may be on a network.
        look = await asyncio.to_thread(files.look)
        seen = self._watched.get(record.host)
        if seen is None or (seen.files, seen.look) != (files, look):
            seen = self._watched[record.host] = _Watched(files, look, time.monotonic())
        if not seen.is_decided:
            seen.is_decided = await self._is_decided(record, seen)

    async def _is_decided(self, record: DomainRecord, seen: _Watched) -> bool:
        """Takes what is in the files; False while that may only be half of what comes."""
        try:
            found = await asyncio.to_thread(seen.files.read)
            if found == self._certificates.held(record.host) and _tells_of(record, found):
                return True
            check_serves(found, record.host, self._now())
        except ConfigError as error:
            if time.monotonic() - seen.since_s < _SETTLES_S:
                return False
            _log.warning("domain %s: %s", record.host, error.message)
            await self._certificates.refuse(record.host, error.message, at=self._now())
            return True
        await self._certificates.take(record.host, found)
        return True

    async def renew_due(self) -> None:
        """Gets from the authority what it is time for, one after the other."""
        for record in self._of(Tls.ACME):
            if self._is_serving() and _is_due(record, self._now()):
                await self._survived(record.host, self._renew(record.host))

    async def _renew(self, host: str) -> None:
        try:
            found = read_certificate(*await self._authority.issue(host))
            check_serves(found, host, self._now())
        except CompartmentError as error:
            told = f"{error.message} ({error.hint})" if error.hint else error.message
            _log.warning("domain %s: %s", host, told)
            at = self._now()
            next_try = at + self._pause(host, error)
            await self._certificates.refuse(host, told, at=at, next_try_at=next_try)
            return
        await self._certificates.take(host, found)

    def _pause(self, host: str, error: CompartmentError) -> timedelta:
        """Longer each time; those who ask again must not all do so at the same moment."""
        record = self._ledger.domains.get(host)
        doubled = 2.0 ** min(record.failures if record else 0, 16)
        pause = min(_FIRST_PAUSE * doubled, _LONGEST_PAUSE)
        if getattr(error, "is_limited", False):
            pause = max(pause, _LIMITED_PAUSE)
        return pause * random.uniform(1, 1 + _JITTER)  # noqa: S311 - it spreads load

    async def _tell_expiry(self, record: DomainRecord) -> None:
        """Once for each certificate and state."""
        expiry = record_expiry(record, self._now())
        if record.certificate is None or expiry is None:
            return
        told = (record.certificate.valid_until, expiry)
        if expiry is Expiry.FAR or self._told.get(record.host) == told:
            return
        self._told[record.host] = told
        verb = "expired" if expiry is Expiry.EXPIRED else "expires"
        message = f"domain {record.host}: its certificate {verb} at {told[0][:16]}Z"
        event = certificate_event(EventType.CERTIFICATE_EXPIRING, record, message)
        await self._ledger.write(event)


def _tells_of(record: DomainRecord, certificate: Certificate) -> bool:
    """Whether a domain is known to have a certificate, and no failure since.

    An agent may have ended between the two; and the files may be again what they were.
    """
    known = record.certificate
    if known is None or record.failure is not None:
        return False
    validity = (stamp(certificate.valid_from), stamp(certificate.valid_until))
    return (known.valid_from, known.valid_until) == validity


def _is_due(record: DomainRecord, now: datetime) -> bool:
    """Also where no pause lasts as long as that: then the clock was set back since."""
    due = due_at(record)
    is_retry = record.next_try_at is not None
    return now >= due or (is_retry and due - now > _LONGEST_PAUSE * (1 + _JITTER))


def due_at(record: DomainRecord) -> datetime:
    """When an authority is asked for the next certificate of a domain."""
    if record.next_try_at is not None:
        return moment(record.next_try_at)
    if record.certificate is None:
        return datetime.min.replace(tzinfo=UTC)
    # What an authority gives may begin earlier than it was given, as clocks differ.
    since, until = moment(record.certificate.taken_at), moment(record.certificate.valid_until)
    return since + _RENEWED_AT * (until - since)


def record_expiry(record: DomainRecord, now: datetime) -> Expiry | None:
    """How near the end of the certificate of a domain is; None where it has none."""
    found = record.certificate
    return expiry_of(moment(found.valid_from), moment(found.valid_until), now) if found else None
