"""A Compose project to deploy, with one service for each way in which one can be replaced."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.simulation.repository import NAME, Repository

if TYPE_CHECKING:
    import random

_BOTH = ["front", "back"]
_QUIET = {"restart": "no"}
_ALONE = {"strategy": "stop-first"}
_BESIDE = {"strategy": "overlap"}

SERVICES: dict[str, dict[str, Any]] = {
    "web": {
        "ports": ["${WEB:-8090}:3000"],
        "networks": ["front"],
        "depends_on": {
            "api": {"condition": "service_started"},
            "migrate": {"condition": "service_completed_successfully"},
        },
    },
    "api": {
        "expose": ["3000", "9229"],
        "networks": _BOTH,
        "deploy": {"replicas": 2},
        "depends_on": {"db": {"condition": "service_healthy", "restart": True}},
    },
    "db": {"expose": ["5432"], "networks": ["back"], "volumes": ["rows:/rows"]},
    "cache": {"ports": ["6379"], "networks": ["back"]},
    "beside-api": {"network_mode": "service:api", "restart": "always"},
    "beside-db": {"network_mode": "service:db", "restart": "always"},
    "seed": {"networks": ["back"], "volumes": ["seeds:/seeds"], **_QUIET},
    "greet": {"networks": ["back"], **_QUIET},
    "late": {"networks": ["front"], "restart": "always"},
    "migrate": {"networks": ["back"], "depends_on": {"db": {"condition": "service_healthy"}}},
}

OTHERS: dict[str, list[dict[str, Any]]] = {
    "web": [
        {"ports": ["${WEB:-8090}:3000", "8443:443"]},
        {"ports": ["127.0.0.1:${WEB:-8090}:3000"]},
        {"ports": []},
        {"ports": [], "expose": ["5432"]},
        {"x-compartment": _ALONE},
        {"x-compartment": _BESIDE},
    ],
    "api": [
        {"networks": ["back"]},
        {"networks": _BOTH},
        {"networks": {"front": {"aliases": ["shop"]}, "back": None}},
        {"expose": []},
        {"expose": ["3000", "9229"]},
        {"deploy": {"replicas": 1}},
    ],
    "db": [{"x-compartment": _BESIDE}, {"x-compartment": _ALONE}],
    "cache": [{"ports": ["6379"]}, {"ports": ["6379", "6380"]}, {"x-compartment": _ALONE}],
    "greet": [{"restart": "always"}, {"restart": "no"}],
    "late": [{"x-compartment": _ALONE}, {"x-compartment": _BESIDE}],
}
"""What else a service of the file may say, and what it says again later."""

PORTS = {"production": ("8090", "8090", "8091"), "staging": ("28090", "28090", "8090")}
"""Where `web` is published; once in a while where the other environment has it."""


class ComposeRepository(Repository):
    """The same as a Compose file; every service is built from its folder."""

    def _write(self) -> None:
        services = {name: {"build": f"./{name}", **block} for name, block in self.services.items()}
        model = {
            "name": NAME,
            "services": services,
            "networks": {"front": None, "back": None},
            "volumes": {"rows": None, "seeds": None},
        }
        (self.root / "compose.yaml").write_text(json.dumps(model))


def environ_of(environment: str, rng: random.Random) -> dict[str, str]:
    """What whoever deploys to an environment has in his own."""
    return {"WEB": rng.choice(PORTS[environment])}
