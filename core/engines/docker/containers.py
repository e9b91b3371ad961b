"""The container of an instance: its name, its port, and all that the engine is told to make it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from core.container import Protocol
from core.engines.docker import compose_body, labels
from core.engines.docker.container_names import usual_name
from core.engines.docker.images import exposed_port
from core.engines.docker.labels import Role
from core.model import RestartPolicy
from core.ports import read_port

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.container import Container
    from core.engines.base import Address, InstanceSpec
    from core.engines.docker.surroundings import Surroundings
    from core.engines.docker.wiring import Wiring
    from core.model import Restart

Json = dict[str, Any]

_DEFAULT_PORT: Final = 3000
_LOG: Final = {"Type": "json-file", "Config": {"max-size": "16m", "max-file": "3"}}
"""Bounded, and large enough to hold what is printed while no agent reads it."""

_ANY_NUMBER: Final = 0


@dataclass(frozen=True, slots=True)
class Image:
    """What a container is made of, and what the engine says of it."""

    tag: str
    described: Json
    api: str
    """The version of the engine's API that is spoken."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an instance is: its networks, its port there, and where it answers."""

    wiring: Wiring
    port: int
    address: Address
    published: Mapping[int, Address] = field(default_factory=dict)
    """Where its ports are published on this machine, if it is reached by that only."""


def name_of(spec: InstanceSpec) -> str:
    """The name of its container until it is permanent; that of the instance makes it unique."""
    described = {**labels.of_owner("", Role.INSTANCE, spec.owner), labels.INSTANCE: spec.name}
    return usual_name(described)


def other_ports(spec: InstanceSpec, main: int) -> list[int]:
    """What else a service is known to take connections on."""
    ports = spec.service.container.ports if spec.service.container else ()
    return [
        each.number for each in ports if each.protocol is not Protocol.UDP if each.number != main
    ]


def port_of(spec: InstanceSpec, image: Json) -> int:
    """Where a service is expected to listen (spec, 7.2); 0 where nobody knows.

    A Compose service is not told where to listen: it is known, or not.
    """
    container = spec.service.container
    if container is None:
        named = read_port(spec.variables.get("PORT", ""))
        return named or spec.service.port or exposed_port(image) or _DEFAULT_PORT
    known = (port.number for port in container.ports if port.protocol is not Protocol.UDP)
    return next(known, None) or exposed_port(image) or 0


def body_of(
    home: str,
    spec: InstanceSpec,
    image: Image,
    place: Place,
    around: Surroundings | None = None,
    command: str | None = None,
) -> Json:
    """What the engine is asked to create; with a command, for that instead of the service."""
    container, wiring = spec.service.container, place.wiring
    host, port = place.address
    role = Role.INSTANCE if command is None else Role.RELEASE
    if container is None or around is None:
        config, host_config = _config(spec, place), _host_config(spec, image)
        said = dict[str, str]()
    else:
        config = compose_body.config_of(spec, container, image.described, image.api)
        host_config = compose_body.host_config_of(container, spec.service.limits, around, _LOG)
        said = compose_body.labels_of(spec, container)
    bindings = _bindings(place, container)
    policy = restart_policy(spec.service.restart)
    return {
        **config,
        **(_instead(command) if command is not None else {}),
        "Image": image.tag,
        "Labels": {
            **said,
            **labels.of_owner(home, role, spec.owner),
            labels.INSTANCE: spec.name,
            labels.ADDRESS: f"{host}:{port}",
            labels.RESTART: json.dumps(policy),
            labels.LOG: str(spec.log),
            **wiring.labels(is_named=command is None),
        },
        "ExposedPorts": {inner: {} for inner in bindings},
        "HostConfig": {
            **host_config,
            "NetworkMode": wiring.mode,
            "RestartPolicy": policy if spec.is_kept else {"Name": RestartPolicy.NO},
            "PortBindings": bindings,
        },
        "NetworkingConfig": wiring.networking(is_named=command is None),
    }


def _config(spec: InstanceSpec, place: Place) -> Json:
    variables = {"PORT": str(place.port), **spec.variables}
    return {"Env": [f"{name}={value}" for name, value in variables.items()]}


def _host_config(spec: InstanceSpec, image: Image) -> Json:
    limits = spec.service.limits
    return {
        # As the first process a program ignores SIGTERM that does not handle it itself.
        "Init": (image.described["Config"]["Labels"] or {}).get(labels.INIT) == "true",
        "NanoCpus": round(limits.cpus * 1e9) if limits.cpus else 0,
        "Memory": limits.memory_bytes or 0,
        "MemorySwap": limits.memory_bytes or 0,
        "LogConfig": _LOG,
    }


def _bindings(place: Place, container: Container | None) -> Json:
    """The ports of this machine that the engine itself leads to a container."""
    made = {
        f"{inner}/tcp": [{"HostIp": host, "HostPort": str(port)}]
        for inner, (host, port) in place.published.items()
    }
    if container is not None and place.wiring.attachments:
        made.update(compose_body.bindings_of(container.published))
    return made


def _instead(command: str) -> Json:
    return {"Entrypoint": ["sh"], "Cmd": ["-lc", command], "Healthcheck": {"Test": ["NONE"]}}


def published(container: Json) -> dict[int, Address]:
    """Where the TCP ports of a container are published on this machine."""
    bindings = container["HostConfig"].get("PortBindings") or {}
    pairs = ((inner.partition("/"), at[0]) for inner, at in bindings.items())
    return {
        int(number): (at["HostIp"], int(at["HostPort"]))
        for (number, _, protocol), at in pairs
        if protocol == "tcp"
    }


def restart_policy(restart: Restart) -> Json:
    """A restart policy in the engine's words."""
    if restart.policy is not RestartPolicy.ON_FAILURE:
        return {"Name": restart.policy}
    return {"Name": restart.policy, "MaximumRetryCount": restart.max_retries or 0}


def kept(container: Json) -> Json:
    """The update that makes a candidate permanent.

    The limit of processes tells so for ever: an update to none leaves a trace, as a policy `no`
    does not.
    """
    policy = json.loads(container["Config"]["Labels"][labels.RESTART])
    return {"RestartPolicy": policy, "PidsLimit": _kept_pids(container)}


def is_kept(container: Json) -> bool:
    """Whether it was made permanent, maybe by an agent before this one."""
    return bool(container["HostConfig"].get("PidsLimit") == _kept_pids(container))


def _kept_pids(container: Json) -> int:
    return int(container["Config"]["Labels"].get(labels.PIDS, _ANY_NUMBER))


def may_restart(container: Json, restarts: int) -> bool:
    """Whether the restart policy of a container that has ended lets it be started again."""
    policy, code = container["HostConfig"]["RestartPolicy"], container["State"]["ExitCode"]
    if policy["Name"] == RestartPolicy.ON_FAILURE:
        limit = policy["MaximumRetryCount"]
        return bool(code) and (not limit or restarts < limit)
    return bool(policy["Name"] == RestartPolicy.UNLESS_STOPPED)
