"""All keys with what becomes of them, as a list: for `schema compose` and the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.config.compose.keys import (
    builds,
    commands,
    deploys,
    files,
    healthchecks,
    mounts,
    networks,
    ports,
    resources,
    services,
    toplevel,
)
from core.config.compose.keys.shapes import Tier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.config.compose.keys.shapes import Keyed

SECTIONS: tuple[tuple[str, str, Keyed], ...] = (
    ("The file", "", toplevel.TOP),
    ("Includes", "include[]", toplevel.INCLUDE),
    ("Services", "services.*", services.SERVICE),
    ("Extends", "services.*.extends", services.EXTENDS),
    ("Builds", "services.*.build", builds.BUILD),
    ("Dependencies", "services.*.depends_on.*", commands.DEPENDENCY),
    ("Health checks", "services.*.healthcheck", healthchecks.HEALTHCHECK),
    ("Published ports", "services.*.ports[]", ports.PORT),
    ("Mounts", "services.*.volumes[]", mounts.MOUNT),
    ("Bind mounts", "services.*.volumes[].bind", mounts.BIND),
    ("Mounted volumes", "services.*.volumes[].volume", mounts.MOUNTED_VOLUME),
    ("Mounted memory", "services.*.volumes[].tmpfs", mounts.TMPFS),
    ("Attachments to networks", "services.*.networks.*", networks.LINK),
    ("Files of variables", "services.*.env_file[]", files.ENV_FILE),
    ("Files of secrets", "services.*.secrets[]", files.SERVICE_FILE),
    ("Files of configs", "services.*.configs[]", files.SERVICE_FILE),
    ("Logging", "services.*.logging", resources.LOGGING),
    ("Limits of processes", "services.*.ulimits.*", resources.ULIMIT),
    ("Devices", "services.*.devices[]", resources.DEVICE),
    ("GPUs", "services.*.gpus[]", resources.REQUEST),
    ("Disk", "services.*.blkio_config", resources.BLKIO),
    ("Deploy", "services.*.deploy", deploys.DEPLOY),
    ("Limits", "services.*.deploy.resources.limits", deploys.LIMITS),
    ("Reservations", "services.*.deploy.resources.reservations", deploys.RESERVATIONS),
    ("Restarts", "services.*.deploy.restart_policy", deploys.RESTART),
    ("Updates", "services.*.deploy.update_config", deploys.UPDATE),
    ("Rollbacks", "services.*.deploy.rollback_config", deploys.ROLLBACK),
    ("Networks", "networks.*", networks.NETWORK),
    ("Addresses of networks", "networks.*.ipam", networks.IPAM),
    ("Subnets", "networks.*.ipam.config[]", networks.IPAM_POOL),
    ("Volumes", "volumes.*", toplevel.VOLUME),
    ("Secrets", "secrets.*", files.SECRET),
    ("Configs", "configs.*", files.CONFIG),
)
"""Titles, the path that leads to a mapping, and the table of its keys."""

_INTRODUCTION = """\
# Compose keys

Every key that a Compose file can have, and what becomes of it. `compartment schema compose` prints
the same. Made from the tables in `core/config/compose/keys/`.

* **honoured**: it does what the Compose specification says, here as described.
* **noted**: it is read and checked, and does nothing here. A note says so, with its place.
* **refused**: without it the service would not be what its author means. An error, with its place.

Keys that begin with `x-` are allowed everywhere and mean nothing, but for
[`x-compartment`](compose.md). Any other key is an error that names the nearest valid one.
"""


class Row(NamedTuple):
    """A key with its whole path."""

    key: str
    tier: Tier
    words: str


def rows() -> list[Row]:
    """Return all keys, those of one mapping together."""
    return [row for _, path, keyed in SECTIONS for row in _rows(path, keyed)]


def _rows(path: str, keyed: Keyed) -> Iterator[Row]:
    for name, key in keyed.table.items():
        yield Row(f"{path}.{name}".lstrip("."), key.tier, key.words)


def markdown() -> str:
    """Return the page of the documentation."""
    parts = [_INTRODUCTION]
    for title, path, keyed in SECTIONS:
        below = f"Below `{path}`.\n\n" if path else ""
        parts.append(f"\n## {title}\n\n{below}| key | | what it does here |\n|---|---|---|\n")
        parts += [
            f"| `{name}` | {_cell(key.tier)} | {key.words.replace('|', chr(92) + '|')} |\n"
            for name, key in sorted(keyed.table.items())
        ]
    return "".join(parts)


def _cell(tier: Tier) -> str:
    return str(tier) if tier is Tier.HONOURED else f"**{tier}**"
