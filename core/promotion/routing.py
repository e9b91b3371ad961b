"""From what is live to what the gateway serves, and the one place where routes are switched."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import TYPE_CHECKING

from core.gateway.table import Site, Table, Upstream
from core.model import DEFAULT_ENVIRONMENT, ServiceKind
from core.records import Activation, ActivationState, HostRecord, Target

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from core.gateway.gateway import Gateway
    from core.model import Service
    from core.promotion.ledger import Ledger

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
    label = re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-") or "app"
    return label if len(label) <= _LABEL_LIMIT else _with_digest(label, target, service)


def _with_digest(label: str, target: Target, service: str) -> str:
    named = f"{target.project}\0{target.environment}\0{service}"
    digest = hashlib.sha256(named.encode()).hexdigest()[:6]
    return f"{label[: _LABEL_LIMIT - 7].rstrip('-')}-{digest}"


class Router:
    """The only caller of the gateway: it turns the ledger into a table, one update at a time."""

    def __init__(self, ledger: Ledger, gateway: Gateway, base_domain: str = "localhost") -> None:
        self.ledger = ledger
        self.gateway = gateway
        self._base_domain = base_domain
        self._updating = asyncio.Lock()

    async def start(self, incoming: Sequence[Activation] = ()) -> None:
        """Makes sure that the gateway runs and serves what is live, or about to be."""
        async with self._updating:
            await self.gateway.start(self._table(incoming))

    async def switch(
        self, incoming: Sequence[Activation], settle: Callable[[], Awaitable[None]]
    ) -> float:
        """Sends all new requests to these activations, then lets `settle` make it true.

        Returns how long the switch of the routes took, in seconds.

        Raises:
            GatewayUnavailable: it refused; the old routes are served.
            JournalError: the routes are switched, but `settle` could not say so. The next agent
                finds the run in its switch, and takes it forward.
        """
        async with self._updating:
            seconds = await self.gateway.apply(self._table(incoming))
            await settle()
            return seconds

    async def refresh(self) -> None:
        """Serves what the ledger says now, and forgets the clusters of what is gone."""
        async with self._updating:
            await self.gateway.apply(self._table(()))
            await self.gateway.remove_drained(self._table(()))

    async def forget_gone(self) -> None:
        """Removes the clusters of activations that are gone; routes stay as they are."""
        async with self._updating:
            await self.gateway.remove_drained(self._table(()))

    def hosts_of(self, target: Target, services: Iterable[Service]) -> dict[str, HostRecord]:
        """The host names of routable services: those they were given once, else new ones."""
        given = {
            record.service: record.host
            for record in self.ledger.hosts.values()
            if record.target == target
        }
        taken = set(self.ledger.hosts)
        found: dict[str, HostRecord] = {}
        for service in services:
            if not service.kind.is_routable:
                continue
            host = given.get(service.name) or self._new_host(target, service.name, taken)
            taken.add(host)
            is_public = service.kind is ServiceKind.WEB
            found[service.name] = HostRecord(host, target, service.name, is_public)
        return found

    def _new_host(self, target: Target, service: str, taken: set[str]) -> str:
        label = host_label(target, service)
        host = f"{label}.{self._base_domain}"
        if host in taken:
            host = f"{_with_digest(label, target, service)}.{self._base_domain}"
        return host

    def _table(self, incoming: Sequence[Activation]) -> Table:
        serving: dict[Target, dict[str, Activation]] = {}
        for activation in self.ledger.activations.values():
            if activation.state is ActivationState.LIVE:
                self._place(serving, activation)
        for activation in incoming:
            self._place(serving, activation)
        kept = [
            each
            for each in self.ledger.activations.values()
            if each.state is not ActivationState.CANDIDATE
        ]
        upstreams = [
            Upstream(each.name, (each.address,)) for each in (*kept, *incoming) if each.address
        ]
        sites = [self._site(host, serving) for host in self.ledger.hosts.values()]
        return Table(tuple(sites), tuple(upstreams))

    def _place(self, serving: dict[Target, dict[str, Activation]], which: Activation) -> None:
        deployment = self.ledger.deployments[which.deployment_id]
        serving.setdefault(deployment.target, {})[deployment.service.name] = which

    def _site(self, host: HostRecord, serving: dict[Target, dict[str, Activation]]) -> Site:
        beside = serving.get(host.target, {})
        live = {name: each.name for name, each in beside.items() if each.address}
        if host.service not in beside:
            return Site(host.host, host.service, host.is_public, (), live)
        deployment = self.ledger.deployments[beside[host.service].deployment_id]
        is_public = deployment.service.kind is ServiceKind.WEB
        return Site(host.host, host.service, is_public, deployment.rules, live)
