"""The labels by which everything that this program makes on an engine leads back to it.

Nothing without them, or with another home, is ever touched.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.engines.base import Owner
    from core.files import Home
    from core.records import Target

HOME = "compartment.home"
ROLE = "compartment.role"
PROJECT = "compartment.project"
ENVIRONMENT = "compartment.environment"
SERVICE = "compartment.service"
DEPLOYMENT = "compartment.deployment"
NETWORK = "compartment.network"
"""The key of a network in the Compose file; without, it is the one that all services share."""
DEFINITION = "compartment.definition"
"""Tells whether a network is as the file describes it now."""
NAMES = "compartment.names"
"""Of a holder: the further names that it has, as JSON; without, there are none."""
INSTANCE = "compartment.instance"
INIT = "compartment.init"
"""Of an image: its program does not behave as the first process of a container has to."""
ADDRESS = "compartment.address"
"""Where an instance answers: host and port. The host is empty where it has none, or where
the engine gives it one."""
REACHED_ON = "compartment.reached-on"
"""The network where an instance answers at the address that the engine gives it."""
ENDPOINTS = "compartment.endpoints"
"""How an instance is attached to each of its networks, as JSON."""
RESTART = "compartment.restart"
"""The restart policy of an instance from the time on that it is permanent, as JSON."""
NAME = "compartment.name"
"""The name that the container of an instance gets when it is permanent."""
PIDS = "compartment.pids"
"""How many processes an instance may have; without, there is no limit."""
LOG = "compartment.log"
"""The path of the log of an instance."""
ARTIFACT = "compartment.artifact"
"""What an image is; empty on what only led to one."""
PORT = "compartment.port"
"""The port that the Dockerfile of an image exposes first; the engine does not keep their order."""


class Role(StrEnum):
    """What an object is for."""

    INSTANCE = "instance"
    HOLDER = "holder"
    RELEASE = "release"
    NETWORK = "network"
    VOLUME = "volume"
    IMAGE = "image"
    BUILD = "build"
    """The layers and containers of a build on its way to an image."""


def home_id(home: Home) -> str:
    """Tells the objects of one home folder from those of all others on the same engine.

    A home that was deleted and made again at its place finds what the old one left.
    """
    return hashlib.sha256(str(home.root).encode()).hexdigest()[:12]


def of_target(home: str, role: Role, target: Target) -> dict[str, str]:
    """The labels of what belongs to an environment."""
    return {
        HOME: home,
        ROLE: role,
        PROJECT: target.project,
        ENVIRONMENT: target.environment,
    }


def of_owner(home: str, role: Role, owner: Owner) -> dict[str, str]:
    """The labels of what belongs to a deployment."""
    return {
        **of_target(home, role, owner.target),
        SERVICE: owner.service_name,
        DEPLOYMENT: owner.deployment_id,
    }


def only(home: str, role: Role, **more: str) -> dict[str, list[str]]:
    """The filter that finds the objects of a home that have a role, and these other labels."""
    wanted = {HOME: home, ROLE: role, **more}
    return {"label": [f"{name}={value}" for name, value in wanted.items()]}


def only_of(home: str, role: Role, target: Target) -> dict[str, list[str]]:
    """The same, for what belongs to one environment."""
    return only(home, role, **{PROJECT: target.project, ENVIRONMENT: target.environment})
