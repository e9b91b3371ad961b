"""The image of a database does not make a database of what only works on one."""

from __future__ import annotations

from typing import Any

import pytest

from core.config.compose.mapping.programs import known_program
from core.model import ServiceKind, Strategy
from tests.config.compose.given import service

Json = dict[str, Any]

DUMP = "while true; do pg_dump -h postgres -U postgres > /backups/it.sql; sleep 3600; done"
RELOAD = "while :; do sleep 6h & wait; nginx -s reload; done & nginx -g 'daemon off;'"


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("postgres:16", {}),
        ("postgres:16", {"entrypoint": [], "command": []}),
        ("postgres:16", {"command": ["-c", "max_connections=200"]}),
        ("postgres:16", {"command": ["postgres", "-c", "max_connections=200"]}),
        ("mysql:8", {"command": ["--default-authentication-plugin=mysql_native_password"]}),
        ("redis:7", {"command": ["redis-server", "--appendonly", "yes"]}),
        ("redis:7", {"command": ["sh", "-c", "exec redis-server --requirepass $$PASSWORD"]}),
        ("redis:7", {"command": ["/bin/sh", "-c", 'sysctl vm && "redis-server" /etc/x.conf']}),
        ("nginx:1", {"command": ["/bin/sh", "-c", RELOAD]}),
        ("nginx:1", {"command": ["/bin/bash", "-c", "envsubst < a > b\nnginx -g 'daemon off;'"]}),
        ("mongo:7", {"entrypoint": ["/usr/local/bin/docker-entrypoint.sh"],
                     "command": ["mongod", "--replSet", "rs0"]}),
        ("mongo:7", {"entrypoint": ["bash", "-c", "chmod 400 /key; exec docker-entrypoint.sh $@"]}),
        ("minio/minio", {"command": ["server", "/data", "--console-address", ":9001"]}),
        ("minio/minio", {"entrypoint": ["sh", "-c", "mkdir -p /data/a && minio server /data"]}),
        ("quay.io/keycloak/keycloak", {"command": ["start-dev"]}),
    ],
)  # fmt: skip
def test_runs_what_its_image_is_known_for(image: str, said: Json) -> None:
    assert known_program({"image": image, **said}) is not None


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("postgres:16", {"command": ["pg_dump", "-h", "db"]}),
        ("postgres:16", {"command": ["/usr/bin/psql", "-h", "postgres", "-f", "/seed.sql"]}),
        ("postgres:16", {"entrypoint": ["/bin/sh", "-c"], "command": [DUMP]}),
        ("postgres:16", {"command": ["bash", "-c", "echo no schema >&2; exit 4"]}),
        ("postgres:16", {"entrypoint": ["/backup.sh"]}),
        ("mysql:8", {"command": ["bash", "/scripts/seed.sh"]}),
        ("mongo:7", {"command": ["mongosh", "--host", "mongo", "--eval", "rs.initiate()"]}),
        ("redis:7", {"command": ["redis-cli", "-h", "redis", "set", "a", "b"]}),
        ("cp-kafka:7", {"entrypoint": ["/bin/sh", "-c"],
                        "command": ["kafka-topics --create --topic a\nkafka-topics --list"]}),
        ("python:3", {}),
    ],
)  # fmt: skip
def test_runs_something_else(image: str, said: Json) -> None:
    assert known_program({"image": image, **said}) is None


def test_a_client_is_a_worker_that_starts_beside_its_old_self() -> None:
    found = service({"image": "redis:7", "command": ["redis-cli", "-h", "cache", "ping"]})
    assert (found.kind, found.strategy) == (ServiceKind.WORKER, Strategy.OVERLAP)
    assert found.container is not None
    assert found.container.ports == ()
    assert found.container.may_finish
