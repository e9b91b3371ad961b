"""The host names and inner addresses that services are given once, and keep."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from core.model import DEFAULT_ENVIRONMENT, EngineName, ServiceKind
from core.ports import free_port
from core.records import HostRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.engines.base import Holder
    from core.model import Service
    from core.promotion.engines import Engines
    from core.promotion.ledger import Ledger
    from core.records import Target

LOOPBACK = "127.0.0.1"
_DEFAULT_PORT = 3000
"""Where an instance on Docker listens that says nothing else (spec, 7.2)."""

_LABEL_LIMIT = 63
"""The longest label that DNS allows (RFC 1035, 2.3.4)."""


def host_label(target: Target, service: str) -> str:
    """The label a service would get: `<project>` for the production `web`, else spelled out."""
    if service == "web" and target.environment == DEFAULT_ENVIRONMENT:
        parts = [target.project]
    elif target.environment == DEFAULT_ENVIRONMENT:
        parts = [service, target.project]
    else:
        parts = [service, target.project, target.environment]
    label = _slug("-".join(parts))
    # An environment of which nothing is left would have the names of production.
    is_told_apart = target.environment == DEFAULT_ENVIRONMENT or _slug(target.environment)
    if is_told_apart and len(label) <= _LABEL_LIMIT:
        return label
    return _with_digest(label, target, service)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _with_digest(label: str, target: Target, service: str) -> str:
    named = f"{target.project}\0{target.environment}\0{service}"
    digest = hashlib.sha256(named.encode()).hexdigest()[:6]
    return f"{label[: _LABEL_LIMIT - 7].rstrip('-')}-{digest}"


class Hosts:
    """Gives out names, and knows where the services of an environment reach each other."""

    def __init__(self, ledger: Ledger, engines: Engines, base_domain: str) -> None:
        self._ledger = ledger
        self._engines = engines
        self._base_domain = base_domain

    def of(self, target: Target) -> list[HostRecord]:
        """What the services of an environment were given."""
        return [each for each in self._ledger.hosts.values() if each.target == target]

    def holder_of(self, host: HostRecord) -> Holder | None:
        """Where the gateway takes the calls of other services for one, if that is held for it."""
        found = self.holders_of(host.target, host.service)
        return found[0] if found else None

    def holders_of(self, target: Target, service: str) -> tuple[Holder, ...]:
        """The same on each of its networks."""
        record = self._ledger.environments.get(target)
        if record is None:
            return ()
        return self._engines.of(record.engine).holders(target, service)

    def urls_of(self, target: Target) -> dict[str, str]:
        """The addresses by which services reach each other, as `<SERVICE>_URL` variables."""
        return {
            re.sub(r"[^A-Z0-9]", "_", host.service.upper()) + "_URL": url
            for host in self.of(target)
            if (url := self._inner_url(host)) is not None
        }

    def _inner_url(self, host: HostRecord) -> str | None:
        record = self._ledger.environments.get(host.target)
        if record is None or record.engine is EngineName.PROCESS:
            # One that was given out by an older version has none until its next deploy.
            return f"http://{LOOPBACK}:{host.inner_port}" if host.inner_port else None
        if not self._engines.of(record.engine).holds_names:
            deployment = self._ledger.active(host.target).get(host.service)
            port = (deployment.service.port if deployment else None) or _DEFAULT_PORT
            return f"http://{host.service}:{port}"
        # Not every client takes a host name with an underscore (RFC 952).
        holder = self.holder_of(host) if "_" in host.service else None
        return f"http://{holder.address if holder else host.service}"

    def give(
        self, target: Target, services: Iterable[Service], engine: EngineName
    ) -> dict[str, HostRecord]:
        """The host names of routable services: those they were given once, else new ones."""
        given = {record.service: record for record in self.of(target)}
        taken = {*self._ledger.hosts, *self._ledger.domains}
        ports = {each.inner_port for each in self._ledger.hosts.values() if each.inner_port}
        ports |= {at[1] for each in self._ledger.activations.values() for at in each.addresses}
        found: dict[str, HostRecord] = {}
        for service in services:
            if not service.kind.is_routable:
                continue
            before = given.get(service.name)
            host = before.host if before else self._new_host(target, service.name, taken)
            taken.add(host)
            port = before.inner_port if before else None
            if port is None and engine is EngineName.PROCESS:
                port = free_port(ports)
                ports.add(port)
            is_public = service.kind is ServiceKind.WEB
            found[service.name] = HostRecord(host, target, service.name, is_public, port)
        return found

    def _new_host(self, target: Target, service: str, taken: set[str]) -> str:
        label = host_label(target, service)
        host = f"{label}.{self._base_domain}"
        if host in taken:
            host = f"{_with_digest(label, target, service)}.{self._base_domain}"
        return host
