"""What a Compose file says of the containers of a service, in one form and with every default.

Standard library only. A deployment keeps all of it, so that a rollback needs no file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Protocol(StrEnum):
    """What is spoken on a port, which decides how its requests are switched."""

    HTTP = "http"
    TCP = "tcp"
    """Connections are passed on as they are."""
    UDP = "udp"
    LOOK = "look"
    """Nobody knows: the candidate is asked once, when it is ready."""


class MountType(StrEnum):
    """What is mounted into a container."""

    VOLUME = "volume"
    BIND = "bind"
    TMPFS = "tmpfs"


@dataclass(frozen=True, slots=True)
class Port:
    """A port that the containers of a service listen on, as far as the files say."""

    number: int
    protocol: Protocol
    because: str = field(default="", compare=False)
    """Why this protocol, in words: "its health check is an HTTP request"."""
    is_usual: bool = False
    """Whether that is only what is usual on a port of this number: a look may find otherwise."""


@dataclass(frozen=True, slots=True)
class Published:
    """A port of this machine that leads to one of the service. It belongs to the gateway."""

    target: int
    port: int | None = None
    """None: any free one, which then stays. With a `last`, the first free one up to that."""
    last: int | None = None
    host: str = ""
    """The address of this machine; empty is all of them."""
    is_udp: bool = False
    """The engine itself publishes it, since the gateway takes TCP only."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network as the file describes it."""

    key: str
    """Its name in the file."""
    name: str | None = None
    """Its name on the engine, where the file gives one."""
    is_external: bool = False
    """Made by somebody else; never made or removed here."""
    is_internal: bool = False
    """Without a way out."""
    settings: dict[str, Any] = field(default_factory=dict)
    """driver, driver_opts, ipam, attachable, enable_ipv6, labels: as Compose spells them."""


@dataclass(frozen=True, slots=True)
class NetworkLink:
    """How a service is attached to a network."""

    network: Network
    aliases: tuple[str, ...] = ()
    """Names besides that of the service."""
    settings: dict[str, Any] = field(default_factory=dict)
    """ipv4_address, ipv6_address, mac_address, link_local_ips, driver_opts, priority."""


@dataclass(frozen=True, slots=True)
class Mount:
    """Something mounted into a container."""

    type: MountType
    target: str
    source: str = ""
    """Of a bind an absolute path of this machine; of a volume its key in the file, empty for an
    anonymous one."""
    is_read_only: bool = False
    name: str | None = None
    """Of a volume its name on the engine, where the file gives one."""
    is_external: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    """The rest, as Compose spells it: bind, volume and tmpfs options; of a volume also
    driver, driver_opts and labels."""
    digest: str | None = None
    """Of the content of what is bound, where that is a file, or a folder that is only read."""


@dataclass(frozen=True, slots=True)
class InlineFile:
    """A secret or config whose content is in the file or a variable: copied into the container."""

    target: str
    content: str
    mode: int = 0o444
    uid: int = 0
    gid: int = 0
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class Healthcheck:
    """The check of a container. What is None comes from its image, or is the engine's default."""

    test: tuple[str, ...] = ()
    """`("CMD", ...)` or `("CMD-SHELL", line)`; `("NONE",)` switches the image's off; empty: the
    image's own."""
    interval_s: float | None = None
    timeout_s: float | None = None
    retries: int | None = None
    start_period_s: float | None = None
    start_interval_s: float | None = None


@dataclass(frozen=True, slots=True)
class ImageBuild:
    """How an image is built."""

    context: str
    """The absolute path of a folder."""
    dockerfile: str = "Dockerfile"
    """Relative to the context, or absolute."""
    dockerfile_inline: str | None = None
    args: dict[str, str] = field(default_factory=dict)
    target: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    """secrets, additional_contexts, tags, labels, network, shm_size, extra_hosts, platforms,
    cache_from, pull, no_cache: as Compose spells them."""


@dataclass(frozen=True, slots=True)
class Container:
    """Everything about the containers of a service that a `compartment.yml` does not have."""

    image: str | None = None
    """Where it is not built, or the name that it gets as well where it is."""
    build: ImageBuild | None = None
    pull_policy: str = "missing"
    """missing, always, never, build, daily, weekly, every_<duration>."""
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    environment: dict[str, str] = field(default_factory=dict)
    """With env_file in it already."""
    ports: tuple[Port, ...] = ()
    """What it is known to listen on, the main one first."""
    published: tuple[Published, ...] = ()
    networks: tuple[NetworkLink, ...] = ()
    """Where it is attached; empty with a `network_mode`."""
    network_mode: str | None = None
    """host, none, or `service:NAME`."""
    mounts: tuple[Mount, ...] = ()
    files: tuple[InlineFile, ...] = ()
    healthcheck: Healthcheck | None = None
    container_name: str | None = None
    stop_grace_s: float = 10.0
    may_finish: bool = False
    """Whether it is good when it ends with exit code 0, and stays ended."""
    restarts_with: tuple[str, ...] = ()
    """Services after whose replacement this one is replaced, too: `depends_on.*.restart`."""
    settings: dict[str, Any] = field(default_factory=dict)
    """All other keys of the service that are honoured, as Compose spells them, normalised."""
    notes: tuple[str, ...] = field(default=(), compare=False)
    """What a plan has to say of it: what is lost, or cannot be rolled back, and why."""
    kind_because: str = field(default="", compare=False)
    """Words are not compared: other ones are no other configuration."""
    strategy_because: str = field(default="", compare=False)
