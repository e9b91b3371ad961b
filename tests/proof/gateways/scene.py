"""What every gateway is given: where to listen is its own, the rest is the same for all.

The rules are those of docs/routes: the host must be known, `/api/*` loses its prefix and goes to
`api`, `/assets/*` goes there as it is, everything else goes to `web`. A path of a rule means itself
and what is below it: `/apis` is not under `/api/*`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HOST = "bench.localhost"
SECURE_HOST = "bench.example.com"
HOSTS = (HOST, SECURE_HOST)

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Version:
    """The two services of one version of the project."""

    web: Address
    api: Address


@dataclass(frozen=True, slots=True)
class Scene:
    """The versions that can be switched between, and the certificate of `SECURE_HOST`."""

    versions: tuple[Version, ...]
    chain: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Asked:
    """A path, and what has to be answered: by which service, with which path, or with 404."""

    path: str
    service: str
    seen: str


ASKED = (
    Asked("/", "web", "/"),
    Asked("/cart?item=7", "web", "/cart?item=7"),
    Asked("/api", "api", "/"),
    Asked("/api/", "api", "/"),
    Asked("/api/items/7?full=1", "api", "/items/7?full=1"),
    Asked("/apis", "web", "/apis"),
    Asked("/assets/app.js", "api", "/assets/app.js"),
)

MEASURED_PATHS = ("/", "/api/items/7", "/assets/app.js")
"""One for each rule, in turn."""
