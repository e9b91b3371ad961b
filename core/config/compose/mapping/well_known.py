"""What is known of images by their name, and of ports by their number.

The ports are those that the images' own documentation names; numbers that are assigned are from the
service name registry of IANA. What is not known for certain is not here: it is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.container import Protocol


@dataclass(frozen=True, slots=True)
class KnownImage:
    """A published image."""

    ports: tuple[int, ...]
    """Where it listens unless it is told otherwise, the main port first."""
    protocol: Protocol = Protocol.TCP
    is_database: bool = False
    """Whether it owns its data: two of them must not work on the same."""


def _database(*ports: int, protocol: Protocol = Protocol.TCP) -> KnownImage:
    return KnownImage(ports, protocol, is_database=True)


def _http(*ports: int) -> KnownImage:
    return KnownImage(ports, Protocol.HTTP)


_POSTGRES = _database(5432)
_MYSQL = _database(3306)
_MONGO = _database(27017)
_REDIS = _database(6379)
_RABBIT = _database(5672)
_KAFKA = _database(9092)
_SEARCH = _database(9200, protocol=Protocol.HTTP)

_IMAGES = {
    "postgres": _POSTGRES,
    "postgresql": _POSTGRES,
    "postgis": _POSTGRES,
    "pgvector": _POSTGRES,
    "timescaledb": _POSTGRES,
    "timescaledb-ha": _POSTGRES,
    "supabase/postgres": _POSTGRES,
    "mysql": _MYSQL,
    "mysql-server": _MYSQL,
    "mariadb": _MYSQL,
    "percona": _MYSQL,
    "percona-server": _MYSQL,
    "mongo": _MONGO,
    "mongodb": _MONGO,
    "mongodb-community-server": _MONGO,
    "redis": _REDIS,
    "redis-stack": _REDIS,
    "redis-stack-server": _REDIS,
    "valkey": _REDIS,
    "keydb": _REDIS,
    "dragonfly": _REDIS,
    "rabbitmq": _RABBIT,
    "kafka": _KAFKA,
    "cp-kafka": _KAFKA,
    "redpanda": _KAFKA,
    "zookeeper": _database(2181),
    "cp-zookeeper": _database(2181),
    "mssql/server": _database(1433),
    "cassandra": _database(9042),
    "scylla": _database(9042),
    "cockroach": _database(26257),
    "etcd": _database(2379),
    "neo4j": _database(7687),
    "clickhouse": _database(8123, protocol=Protocol.HTTP),
    "clickhouse-server": _database(8123, protocol=Protocol.HTTP),
    "couchdb": _database(5984, protocol=Protocol.HTTP),
    "elasticsearch": _SEARCH,
    "opensearch": _SEARCH,
    "influxdb": _database(8086, protocol=Protocol.HTTP),
    "meilisearch": _database(7700, protocol=Protocol.HTTP),
    "minio": _database(9000, protocol=Protocol.HTTP),
    "qdrant": _database(6333, protocol=Protocol.HTTP),
    "victoria-metrics": _database(8428, protocol=Protocol.HTTP),
    "prometheus": _database(9090, protocol=Protocol.HTTP),
    "memcached": KnownImage((11211,)),
    "nats": KnownImage((4222,)),
    "eclipse-mosquitto": KnownImage((1883,)),
    "nginx": _http(80),
    "nginx-unprivileged": _http(8080),
    "httpd": _http(80),
    "caddy": _http(80),
    "traefik": _http(80),
    "adminer": _http(8080),
    "phpmyadmin": _http(80),
    "pgadmin4": _http(80),
    "mailhog": _http(8025),
    "mailpit": _http(8025),
    "grafana": _http(3000),
    "keycloak": _http(8080),
    "wordpress": _http(80),
    "whoami": _http(80),
}
"""By the last part of the name, or by the last two."""

_PORTS = {
    **dict.fromkeys((80, 3000, 4200, 5000, 5173, 8000, 8008, 8080, 8081, 8888), Protocol.HTTP),
    **dict.fromkeys((443, 8443), Protocol.TCP),
    **dict.fromkeys((21, 22, 25, 53, 110, 143, 389, 465, 587, 636, 993, 995), Protocol.TCP),
    **dict.fromkeys((1433, 1521, 1883, 2181, 3306, 4222, 5432, 5671, 5672, 6379), Protocol.TCP),
    **dict.fromkeys((7687, 8883, 9042, 9092, 11211, 27017, 50051), Protocol.TCP),
}


def known_image(reference: str | None) -> KnownImage | None:
    """Return what is known of an image such as `docker.io/library/postgres:16-alpine`."""
    if not reference:
        return None
    path = reference.partition("@")[0].split("/")
    path[-1] = path[-1].partition(":")[0]
    return _IMAGES.get("/".join(path[-2:])) or _IMAGES.get(path[-1])


def known_port(number: int) -> Protocol | None:
    """Return what is usually spoken on a port; 443 and its like are TLS, which is passed on."""
    return _PORTS.get(number)
