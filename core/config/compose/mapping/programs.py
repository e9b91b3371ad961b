"""Whether a service runs the program that its image is known for, or another one that is in there.

The image of a database is also used for what works on that database: a backup, a script that makes
users or topics. Such a one listens nowhere, and is no database.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.config.compose.mapping.well_known import known_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.config.compose.mapping.given import Json
    from core.config.compose.mapping.well_known import KnownImage

_SHELLS = frozenset(("sh", "bash", "ash", "dash"))
_SERVERS = frozenset((
    "caddy", "docker-entrypoint.sh", "dragonfly", "etcd", "httpd", "httpd-foreground",
    "keydb-server", "mariadbd", "memcached", "minio", "mongod", "mongos", "mysqld", "mysqld_safe",
    "nginx", "postgres", "rabbitmq-server", "redis-sentinel", "redis-server", "valkey-server",
))  # fmt: skip
"""What a script starts in the end where it only prepares the image's own program."""
_OTHERS = frozenset((
    "cat", "clickhouse-client", "cqlsh", "createdb", "echo", "etcdctl", "kafka-topics",
    "kafka-topics.sh", "mariadb", "mariadb-dump", "mc", "mongo", "mongodump", "mongosh", "mysql",
    "mysqladmin", "mysqldump", "pg_basebackup", "pg_dump", "pg_dumpall", "pg_isready", "pg_restore",
    "psql", "rabbitmqadmin", "rabbitmqctl", "redis-benchmark", "redis-cli", "sleep", "tail", "true",
    "valkey-cli",
))  # fmt: skip
"""Clients that come with well-known images, and what keeps a container busy."""

_START = re.compile(r"(?:^|[;&|({\n])\s*(?:(?:do|then|else|exec)\s+)*([^\s;&|(){}]+)")
"""In a shell script, the first word of each command."""


def known_program(service: Json) -> KnownImage | None:
    """Return what is known of the image of a service, as long as it runs the image's program."""
    return None if _runs_another(service) else known_image(service.get("image"))


def _runs_another(service: Json) -> bool:
    words = [*(service.get("entrypoint") or ()), *(service.get("command") or ())]
    if not words or words[0].startswith("-"):
        return False
    first = _name(words[0])
    if first not in _SHELLS and not first.endswith(".sh"):
        return first in _OTHERS
    return _SERVERS.isdisjoint([first, *_started(words[1:])])


def _started(words: list[str]) -> Iterator[str]:
    """The programs that a shell with these arguments starts, as far as one can read."""
    for word in words:
        yield from map(_name, _START.findall(word))


def _name(program: str) -> str:
    return program.rpartition("/")[2].strip("'\"")
