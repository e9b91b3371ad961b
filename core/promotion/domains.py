"""Domains: host names of their owners' own that lead to `web` services."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.certificates.certificate import check_serves
from core.certificates.files import CertificateFiles
from core.config.document import quote
from core.config.domains import check_domain
from core.errors import Conflict, NotFound
from core.events import EventType
from core.lines import stamp
from core.model import ServiceKind
from core.promotion.certificates import certificate_event, cleared
from core.records import DomainRecord, DomainRemoved, Tls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.certificates.certificate import Certificate
    from core.journal import Record
    from core.promotion.certificates import Certificates
    from core.promotion.routing import Router
    from core.records import CertificateRecord, Target

_FIRST_TRY_LIMIT_S: Final = 90.0
"""How long a command waits for the first answer of an authority; it goes on without."""

_WORDS: Final = {
    Tls.NONE: "without TLS",
    Tls.FILES: "with a certificate from files",
    Tls.ACME: "with certificates by ACME",
}


@dataclass(frozen=True, slots=True)
class Added:
    """A domain as it is now, and what is to be said of it besides."""

    record: DomainRecord
    warnings: tuple[str, ...] = ()


class Domains:
    """Adds and removes domains; what is done is in force when it returns."""

    def __init__(self, router: Router, certificates: Certificates) -> None:
        self._router = router
        self._ledger = router.ledger
        self._certificates = certificates
        self._changing = asyncio.Lock()
        """Of two that claim a host at once, the certificate of the one that is refused is shown to
        nobody; and nothing is forgotten that is being added again."""

    def of(self, target: Target | None) -> list[DomainRecord]:
        """Those of an environment, or of all, by name."""
        known = self._ledger.domains
        return [known[host] for host in sorted(known) if target in (None, known[host].target)]

    async def add(self, wanted: DomainRecord) -> Added:
        """Leads a host name to a service, or changes how one that leads there gets its certificate.

        Raises:
            UsageError: it is no host name.
            NotFound: no such service was ever deployed.
            Conflict: it leads elsewhere, the service is no `web`, or there is no port for TLS.
            ConfigError: the certificate cannot be used.
            GatewayUnavailable: it is kept, but not in force yet.
        """
        check_domain(wanted.host)
        self._check(wanted)
        found, warnings = await self._certificate(wanted)
        async with self._changing:
            self._check(wanted)
            await self._lead(wanted, found)
            return Added(self._ledger.domains[wanted.host], tuple(warnings))

    async def _lead(self, wanted: DomainRecord, found: Certificate | None) -> None:
        certificate = await self._certificates.show(wanted.host, found) if found else None
        await self._ledger.update(lambda: self._changes(wanted, certificate))
        if found is None:
            await self._router.enforce()
            self._forget_secret(wanted.host)
        else:
            await self._certificates.enforce(wanted.host, found)

    async def first_answer(self, host: str) -> None:
        """Returns when clients are shown a certificate, or there is a reason; or after a while.

        Raises:
            GatewayUnavailable: there is one, but it is not in force yet.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_TRY_LIMIT_S):
                while self._is_asking(host):
                    await self._ledger.wait_change()
        record = self._ledger.domains.get(host)
        found = self._certificates.held(host) if record and record.certificate else None
        if found is not None:
            # Who took it has told of it before it was in force.
            await self._certificates.enforce(host, found)

    def _is_asking(self, host: str) -> bool:
        record = self._ledger.domains.get(host)
        if record is None or record.tls is not Tls.ACME:
            return False
        return record.certificate is None and not record.failures

    async def remove(self, host: str, target: Target) -> None:
        """Lets a host name lead nowhere.

        Raises:
            NotFound: it is no domain of this environment.
            GatewayUnavailable: it is kept, but not in force yet.
        """

        def change() -> Sequence[Record]:
            record = self._ledger.domains.get(host)
            if record is None or record.target != target:
                raise self._unknown(host, record, target)
            message = f"domain {host} of {target} was removed"
            event = certificate_event(EventType.DOMAIN_CHANGED, record, message)
            return DomainRemoved(host), event

        async with self._changing:
            await self._ledger.update(change)
            await self._router.enforce()
            self._forget_secret(host)

    def _unknown(self, host: str, record: DomainRecord | None, target: Target) -> NotFound:
        if record is not None:
            hint = f"it is one of {record.target}: add --env {record.target.environment}"
        else:
            known = ", ".join(each.host for each in self.of(target))
            hint = f"those there are: {known or 'none'}"
        return NotFound(
            f"{quote(host)} is no domain of {target}", hint=hint, code="domain_not_found"
        )

    def _forget_secret(self, host: str) -> None:
        """Only once no listener names it: Envoy would not start with one that is gone."""
        record = self._ledger.domains.get(host)
        if record is None or record.tls is Tls.NONE:
            self._router.gateway.secrets.remove(host)

    async def _certificate(self, wanted: DomainRecord) -> tuple[Certificate | None, list[str]]:
        if wanted.certificate_file is None or wanted.key_file is None:
            return None, []
        files = CertificateFiles(Path(wanted.certificate_file), Path(wanted.key_file))
        # On a thread, because files may be on a network.
        found = await asyncio.to_thread(files.read)
        check_serves(found, wanted.host)
        return found, files.warnings()

    def _check(self, wanted: DomainRecord) -> None:
        self._check_free(wanted)
        self._check_service(wanted.target, wanted.service)
        if wanted.tls is not Tls.NONE and self._router.gateway.ports.https is None:
            raise Conflict(
                "the gateway has no port for TLS",
                hint="give it one: compartment agent stop; compartment agent start"
                " --https-port 443 (or set https_port)",
                code="https_port_missing",
            )

    def _check_free(self, wanted: DomainRecord) -> None:
        found = self._ledger.domains.get(wanted.host) or self._ledger.hosts.get(wanted.host)
        leads_to = found and (found.target, found.service)
        is_given = wanted.host in self._ledger.hosts
        if found is not None and (is_given or leads_to != (wanted.target, wanted.service)):
            raise Conflict(
                f"{wanted.host} leads to service {found.service} of {found.target} already",
                hint="use another name"
                if is_given
                else f"remove it there first: compartment domain remove {wanted.host}"
                f" --project {found.target.project} --env {found.target.environment}",
                code="domain_taken",
            )

    def _check_service(self, target: Target, service: str) -> None:
        known = {each.service: each for each in self._router.hosts.of(target)}
        if service not in known:
            names = ", ".join(sorted(name for name, each in known.items() if each.is_public))
            raise NotFound(
                f"no service {service} that has a host name was deployed to {target}",
                hint=f"its web services: {names}" if names else "deploy it: compartment deploy",
                code="service_not_found",
            )
        active = self._ledger.active(target).get(service)
        is_web = active.service.kind is ServiceKind.WEB if active else known[service].is_public
        if not is_web:
            raise Conflict(
                f"service {service} of {target} is not a web service: nobody outside reaches it",
                hint="lead to a web service with a route rule, or make it kind: web",
                code="not_a_web_service",
            )

    def _changes(
        self, wanted: DomainRecord, certificate: CertificateRecord | None
    ) -> Sequence[Record]:
        self._check(wanted)
        before = self._ledger.domains.get(wanted.host)
        made = replace(wanted, created_at=before.created_at if before else stamp())
        if wanted.tls is Tls.ACME and before is not None:
            certificate = before.certificate
        made = cleared(made, certificate)
        if before is not None and (before.tls is not made.tls or before.failure):
            made = made.changed(next_try_at=stamp())
        verb = "changed" if before else "added"
        told = f"{verb}: to {made.service}, {_WORDS[made.tls]}"
        message = f"domain {made.host} of {made.target} {told}"
        return made, certificate_event(EventType.DOMAIN_CHANGED, made, message)
