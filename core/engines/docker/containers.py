"""The container of an instance: its name, its port, and all that the engine is told to make it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from core.engines.docker import labels
from core.engines.docker.images import exposed_port
from core.engines.docker.labels import Role
from core.model import RestartPolicy
from core.ports import read_port

if TYPE_CHECKING:
    from core.engines.base import Address, InstanceSpec, Variables
    from core.engines.docker.networks import Attachment
    from core.model import Restart, Service

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


@dataclass(frozen=True, slots=True)
class Place:
    """Where an instance is: its address on the network, and the one that it answers at."""

    attachment: Attachment
    port: int
    address: Address


def name_of(spec: InstanceSpec) -> str:
    """The name of its container; that of the instance makes it unique."""
    parts = (
        "compartment", spec.owner.target.project, spec.owner.target.environment,
        spec.owner.service_name, spec.name,
    )  # fmt: skip
    return "-".join(re.sub(r"[^a-zA-Z0-9_.]+", "-", part) for part in parts)


def port_of(variables: Variables, service: Service, image: Json) -> int:
    """Where a service is expected to listen (spec, 7.2)."""
    named = read_port(variables.get("PORT", ""))
    return named or service.port or exposed_port(image) or _DEFAULT_PORT


def body_of(
    home: str, spec: InstanceSpec, image: Image, place: Place, command: str | None = None
) -> Json:
    """What the engine is asked to create; with a command, for that instead of the service."""
    host, port = place.address
    limits, attachment = spec.service.limits, place.attachment
    is_published = host != attachment.address
    inner = f"{place.port}/tcp"
    variables = {"PORT": str(place.port), **spec.variables}
    role = Role.INSTANCE if command is None else Role.RELEASE
    return {
        **(_instead(command) if command is not None else {}),
        "Image": image.tag,
        "Env": [f"{name}={value}" for name, value in variables.items()],
        "Labels": {
            **labels.of_owner(home, role, spec.owner),
            labels.INSTANCE: spec.name,
            labels.ADDRESS: f"{host}:{port}",
            labels.RESTART: json.dumps(restart_policy(spec.service.restart)),
            labels.LOG: str(spec.log),
        },
        "ExposedPorts": {inner: {}} if is_published else {},
        "HostConfig": {
            "NetworkMode": attachment.network,
            # As the first process a program ignores SIGTERM that does not handle it itself.
            "Init": (image.described["Config"]["Labels"] or {}).get(labels.INIT) == "true",
            "NanoCpus": round(limits.cpus * 1e9) if limits.cpus else 0,
            "Memory": limits.memory_bytes or 0,
            "MemorySwap": limits.memory_bytes or 0,
            "RestartPolicy": {"Name": RestartPolicy.NO},
            "LogConfig": _LOG,
            "PortBindings": {inner: [{"HostIp": host, "HostPort": str(port)}]}
            if is_published
            else {},
        },
        "NetworkingConfig": {
            "EndpointsConfig": {
                attachment.network: {
                    "IPAMConfig": {"IPv4Address": attachment.address},
                    "Aliases": list(attachment.aliases) if command is None else [],
                }
            }
        },
    }


def _instead(command: str) -> Json:
    return {"Entrypoint": ["sh"], "Cmd": ["-lc", command], "Healthcheck": {"Test": ["NONE"]}}


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
    return {"RestartPolicy": policy, "PidsLimit": _ANY_NUMBER}


def is_kept(container: Json) -> bool:
    """Whether it was made permanent, maybe by an agent before this one."""
    return container["HostConfig"].get("PidsLimit") is not None


def may_restart(container: Json, restarts: int) -> bool:
    """Whether the restart policy of a container that has ended lets it be started again."""
    policy, code = container["HostConfig"]["RestartPolicy"], container["State"]["ExitCode"]
    if policy["Name"] == RestartPolicy.ON_FAILURE:
        limit = policy["MaximumRetryCount"]
        return bool(code) and (not limit or restarts < limit)
    return bool(policy["Name"] == RestartPolicy.UNLESS_STOPPED)
