"""The valid files that mutations begin with: those of the examples, and of the tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_ROOT: Final = Path(__file__).parents[3]
_PLACES: Final = (
    _ROOT / "tests" / "compose_projects",
    _ROOT / "tests" / "config" / "compose" / "agreement" / "examples",
)


def _contents(paths: Iterable[Path]) -> tuple[bytes, ...]:
    found = tuple(path.read_bytes() for path in sorted(paths))
    assert found
    return found


DESCRIPTORS: Final = (
    *_contents((_ROOT / "examples").glob("*/compartment.yml")),
    b"""\
name: shop
services:
  web:
    path: .
    accessMode: authenticated
    port: 3000
    replicas: 2
    strategy: overlap
    limits: {cpus: 0.5, memory: 256M}
    build: {strategy: auto, command: make, env: [TOKEN], packages: {build: [curl], runtime: [jq]}}
    run: {command: ./serve, restart: {policy: on-failure, maxRetries: 3}}
    release: {command: ./migrate}
    readiness: {type: http, path: /up, timeoutMs: 5000, intervalMs: 200}
    drain: {timeoutMs: 1000, streamsMs: 500}
    autoRollback: {windowMs: 300000, onUnhealthy: true, errorRate: 0.05, minRequests: 50}
    dependsOn: {db: {condition: healthy}}
  db: {kind: worker, path: db, strategy: singleton, readiness: {type: command, command: up}}
  nightly: {kind: cron, path: ., schedule: "0 3 * * *", timeLimitMs: 1000, run: {command: x}}
""",
)
ROUTES: Final = (
    *_contents((_ROOT / "examples").glob("*/compartment.routes.yml")),
    b"""\
version: 1
routes:
  - {on: web, path: /api/*, to: api, stripPrefix: /api, methods: [GET, POST]}
  - {on: web, path: /old/*, to: api, replacePrefix: /new}
  - {on: web, path: /one, to: api, rewrite: /two}
""",
)
COMPOSE: Final = _contents(path for place in _PLACES for path in place.rglob("*.y*ml"))
VARIABLES: Final = (
    *_contents(path for place in _PLACES for path in place.rglob("*.env")),
    b"A=1\nexport B='two words'\nC=\"x\\n${A:-y}\"\nD: e\nF\n# why\nG=${A:?no} $B $$ ${B:+z}\n",
)
SETTINGS: Final = (
    b"""\
port = 0
host = "0.0.0.0"
base_domain = "apps.example.com"
acme_email = "me@example.com"
engine = "process"
stop_grace_seconds = 2.5

[[notifications]]
on = ["run.failed", "health.unhealthy"]
url = "https://hooks.example.com/T0/B0"
headers = { "X-Key" = "a" }
template = '{"text": "{project} {status}: {message}", "id": {id}}'

[[notifications]]
on = ["run.finished"]
command = ["notify-send", "{summary}"]
retries = 3
""",
)
TEMPLATES: Final = (
    b'{"text": "{project} {status}: {message}", "id": {id}}',
    b"{project}/{environment} {service}: {summary}\n",
    b'[{"a": ["{url}", {id}], "b": {"c": "{label}"}}]',
)
