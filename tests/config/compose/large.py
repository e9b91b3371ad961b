"""A large project of the kind that people really have: one base for all, health checks, builds."""

from __future__ import annotations

SERVICES = 57
STORES = ("postgres", "redis", "kafka", "clickhouse")
VERSIONS = {"postgres": "16.4", "redis": "7.2", "kafka": "7.6", "clickhouse": "24.3"}

_HEAD = """\
name: large
x-restart: &restart
  restart: unless-stopped
x-check: &check
  interval: 30s
  timeout: 1m30s
  retries: 10
  start_period: 10s
x-app: &app
  <<: *restart
  image: "${REGISTRY:-registry.example.com}/app:${VERSION:-24.8.0}"
  depends_on: &needs
    postgres: {condition: service_healthy}
    redis: {condition: service_healthy}
    kafka: {condition: service_healthy}
    clickhouse: {condition: service_started}
  environment: &environment
    DATABASE_URL: postgres://app:${DB_PASSWORD:-none}@postgres:5432/app
    REDIS_URL: redis://redis:6379/0
    KAFKA: "kafka:9092"
    LEVEL: "${LEVEL:-info}"
    WORKERS: "4"
    TIMEOUT: 30
  ulimits: {nofile: {soft: 20000, hard: 40000}}
  logging: {driver: json-file, options: {max-size: 10m, max-file: "3"}}
  networks: [back]
  volumes:
    - "files:/data"
    - "./config:/etc/app:ro"
    - type: bind
      source: ./scripts
      target: /scripts
      read_only: true
services:
"""

_STORE = """\
  {name}:
    <<: *restart
    image: "{name}:{version}"
    environment: [MODE=single, "PASSWORD=${{DB_PASSWORD:-none}}"]
    volumes: ["{name}-data:/var/lib/{name}"]
    networks: [back]
    healthcheck:
      <<: *check
      test: ["CMD-SHELL", "{name}-check -h localhost"]
"""

_WORKER = """\
  worker-{number}:
    <<: *app
    build: {{context: ./app, args: [VERSION, "NUMBER={number}"]}}
    command: run worker --queue "queue {number}" --concurrency 4
    environment:
      <<: *environment
      QUEUE: "{number}"
    depends_on:
      <<: *needs
      web: {{condition: service_started}}
    healthcheck:
      <<: *check
      test: curl -f http://localhost:3000/health || exit 1
    labels: [role=worker, "number={number}"]
    deploy: {{replicas: 2, resources: {{limits: {{cpus: "0.5", memory: 256M}}}}}}
"""

_WEB = """\
  web:
    <<: *app
    networks: [front, back]
    ports: ["${PORT:-8080}:3000", "127.0.0.1:9000-9005:9000-9005"]
"""

_TAIL = """\
networks:
  front:
  back: {internal: true}
volumes:
  files:
"""


def large_file() -> str:
    """The text of a Compose file with 57 services."""
    stores = [_STORE.format(name=name, version=VERSIONS[name]) for name in STORES]
    workers = [_WORKER.format(number=number) for number in range(SERVICES - len(STORES) - 1)]
    volumes = "".join(f"  {name}-data:\n" for name in STORES)
    return "".join((_HEAD, *stores, _WEB, *workers, _TAIL, volumes))
