"""From what is live to the table that the gateway serves. Pure: it reads the ledger."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.gateway.table import Check, Door, Encryption, Entrance, Site, Table, Upstream
from core.model import EngineName, Readiness, ReadinessType, ServiceKind
from core.promotion import doors
from core.promotion.access import is_restricted, needs_login, users_of
from core.promotion.hosts import LOOPBACK
from core.records import Activation, ActivationState, HostRecord, Tls

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from core.gateway.table import User
    from core.promotion.hosts import Hosts
    from core.promotion.ledger import Ledger
    from core.records import Deployment, DomainRecord, Target

_HTTP_PORT = 80

Serving = dict["Target", dict[str, Activation]]
"""What requests for each service of each environment go to."""


def table(
    ledger: Ledger,
    hosts: Hosts,
    incoming: Sequence[Activation] = (),
    coming: Collection[str] = (),
) -> Table:
    """What is to be served; `incoming` is about to take over.

    `coming` are the ids of deployments that are about to be active without anything that serves.
    """
    coming = {*coming, *(each.deployment_id for each in incoming)}
    known = [each for each in ledger.activations.values() if _is_routed(ledger, each)]
    live = _by_service(ledger, [each for each in known if each.state is ActivationState.LIVE])
    for each in coming:
        replaced = ledger.deployments[each]
        live[replaced.target].pop(replaced.service.name, None)
    incoming = [each for each in incoming if _is_routed(ledger, each)]
    _lay_over(live, _by_service(ledger, incoming))
    # While nothing of a service is live, its name leads the others to the candidate: else the first
    # deploy of services that call each other would wait for itself.
    first = [each for each in known if each.state is ActivationState.CANDIDATE and each.addresses]
    reached = _by_service(ledger, first)
    _lay_over(reached, live)
    entrances = [
        *_entrances(ledger, hosts, reached),
        *_inner_entrances(ledger, hosts, reached),
        *_published(ledger, live, coming),
    ]
    entered = {each.name for services in reached.values() for each in services.values()}
    kept = [
        each
        for each in known
        if each.state is not ActivationState.CANDIDATE or each.name in entered
    ]
    found = {each.name: each for each in (*kept, *incoming) if each.addresses}
    targets = {each.target for each in ledger.hosts.values()}
    targets |= {each.target for each in ledger.domains.values()}
    beside = {each: _beside(ledger, each, live.get(each, {})) for each in targets}
    return Table(
        sites=(
            *(_site(ledger, host, beside[host.target]) for host in ledger.hosts.values()),
            *(_domain(ledger, each, beside[each.target]) for each in ledger.domains.values()),
        ),
        upstreams=tuple(up for each in found.values() for up in _upstreams(ledger, each)),
        entrances=tuple(entrances),
    )


def is_served(deployment: Deployment, activation: Activation) -> bool:
    """Whether the gateway sends anything to an activation."""
    if deployment.service.container is not None:
        return bool(activation.ports)
    return deployment.service.kind.is_routable


def _upstreams(ledger: Ledger, activation: Activation) -> Iterable[Upstream]:
    deployment = ledger.deployments[activation.deployment_id]
    if deployment.service.container is not None:
        return doors.upstreams_of(activation, check_of(deployment))
    return (Upstream(activation.name, activation.addresses, check_of(deployment)),)


def check_of(deployment: Deployment) -> Check | None:
    """How the gateway looks at what requests can be sent to."""
    service = deployment.service
    if not service.kind.is_routable:
        return None
    block = service.readiness or Readiness()
    is_http = service.readiness is not None and block.type is ReadinessType.HTTP
    return Check(block.request_path if is_http else None, block.interval_ms / 1000)


def _is_routed(ledger: Ledger, activation: Activation) -> bool:
    """Nobody calls a worker, though it has an address."""
    return is_served(ledger.deployments[activation.deployment_id], activation)


def _by_service(ledger: Ledger, activations: Iterable[Activation]) -> Serving:
    found: Serving = defaultdict(dict)
    for each in activations:
        deployment = ledger.deployments[each.deployment_id]
        found[deployment.target][deployment.service.name] = each
    return found


def _lay_over(below: Serving, above: Serving) -> None:
    for target, services in above.items():
        below[target].update(services)


@dataclass(frozen=True, slots=True)
class _Beside:
    """What all sites of an environment have in common: made once, there may be a thousand."""

    serving: Mapping[str, Activation]
    live: Mapping[str, str]
    restricted: frozenset[str]
    users: tuple[User, ...]


def _beside(ledger: Ledger, target: Target, serving: Mapping[str, Activation]) -> _Beside:
    live = {name: each.name for name, each in serving.items() if _answers(ledger, each)}
    restricted = needs_login(ledger, target, serving)
    return _Beside(serving, live, restricted, users_of(ledger, target) if restricted else ())


def _site(ledger: Ledger, host: HostRecord, beside: _Beside) -> Site:
    found = Site(
        host.host, host.service, host.is_public, (), beside.live, beside.restricted, beside.users
    )
    if host.service not in beside.serving:
        return found
    deployment = ledger.deployments[beside.serving[host.service].deployment_id]
    is_public = deployment.service.kind is ServiceKind.WEB
    return replace(found, is_public=is_public, rules=deployment.rules)


def _domain(ledger: Ledger, domain: DomainRecord, beside: _Beside) -> Site:
    """A domain is served like the name of its service, to the outside only."""
    host = HostRecord(domain.host, domain.target, domain.service, is_public=True)
    if domain.tls is Tls.NONE:
        encryption = Encryption.OFF
    else:
        encryption = Encryption.ON if domain.certificate else Encryption.AWAITED
    return replace(_site(ledger, host, beside), encryption=encryption)


def _answers(ledger: Ledger, activation: Activation) -> bool:
    """Whether requests can be sent to it: not every Compose service speaks HTTP."""
    if _is_contained(ledger, activation):
        return any(doors.is_http(each) for each in activation.ports)
    return bool(activation.addresses)


def _entrances(ledger: Ledger, hosts: Hosts, reached: Serving) -> list[Entrance]:
    ports = _ports(ledger)
    contained = {
        (each.target, each.service.name)
        for each in ledger.deployments.values()
        if each.service.container is not None
    }
    found = [
        _entrance(ledger, hosts, host, reached.get(host.target, {}), ports)
        for host in ledger.hosts.values()
        if (host.target, host.service) not in contained
    ]
    return [each for each in found if each is not None]


def _inner_entrances(ledger: Ledger, hosts: Hosts, reached: Serving) -> list[Entrance]:
    return [
        entrance
        for target, services in reached.items()
        for name, activation in services.items()
        if _is_contained(ledger, activation)
        for entrance in doors.inner_entrances(
            target, name, activation, hosts.holders_of(target, name)
        )
    ]


def _published(ledger: Ledger, live: Serving, coming: Collection[str]) -> Iterator[Entrance]:
    """Of what is active, or about to be; what is replaced gives its ports up."""
    replaced = {
        (found.target, found.service.name)
        for found in (ledger.deployments[each] for each in coming)
    }
    for deployment in ledger.deployments.values():
        key = (deployment.target, deployment.service.name)
        is_new = deployment.id in coming
        if deployment.service.container is None or not (is_new or deployment.is_active):
            continue
        if key in replaced and not is_new:
            continue
        found = live.get(deployment.target, {}).get(deployment.service.name)
        serving = found if found and found.deployment_id == deployment.id else None
        known = serving or _last(ledger, deployment)
        may = users_of(ledger, deployment.target) if is_restricted(deployment.service) else None
        yield from doors.published_entrances(deployment, serving, known, may, is_new=is_new)


def _last(ledger: Ledger, deployment: Deployment) -> Activation | None:
    """What stands aside: it was live, and may be again."""
    for each in ledger.activations.values():
        if each.deployment_id == deployment.id and each.state is ActivationState.ASIDE:
            return each
    return None


def _is_contained(ledger: Ledger, activation: Activation) -> bool:
    return ledger.deployments[activation.deployment_id].service.container is not None


def _entrance(
    ledger: Ledger,
    hosts: Hosts,
    host: HostRecord,
    reached: Mapping[str, Activation],
    ports: Mapping[tuple[Target, str], set[int]],
) -> Entrance | None:
    record = ledger.environments.get(host.target)
    if record is None:
        return None
    activation = reached.get(host.service)
    upstream = activation.name if activation and activation.addresses else None
    if record.engine is EngineName.PROCESS:
        inner = (host.inner_port,) if host.inner_port else ()
        return Entrance(host.host, _doors(host.host, LOOPBACK, inner), upstream)
    holder = hosts.holder_of(host)
    if holder is None:
        return None
    listened = {_HTTP_PORT, *ports[host.target, host.service]}
    found = _doors(host.host, holder.address, sorted(listened), holder.namespace)
    return Entrance(host.host, found, upstream)


def _doors(
    name: str, address: str, ports: Iterable[int], namespace: str | None = None
) -> tuple[Door, ...]:
    return tuple(Door(f"{name}:{port}", address, port, namespace) for port in ports)


def _ports(ledger: Ledger) -> Mapping[tuple[Target, str], set[int]]:
    """Where the instances of each service listen: callers may know it by its own port."""
    found: dict[tuple[Target, str], set[int]] = defaultdict(set)
    for activation in ledger.activations.values():
        deployment = ledger.deployments[activation.deployment_id]
        key = (deployment.target, deployment.service.name)
        found[key].update(port for _, port in activation.addresses)
    return found
