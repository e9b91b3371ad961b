"""Services by the thousand, without their processes: the journal has them, one server answers.

The agent is the real one, and so are the gateway, its routes, clusters and health checks. Only the
process engine is told that the instances of these services run, all at one address. Run as
`python -m tests.proof.scale.stand_in`, as the agent itself is as `python -m core.agent.daemon`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.agent import daemon
from core.agent.client import Client
from core.engines.base import Exit, Life
from core.engines.process.engine import ProcessEngine
from core.ports import free_port
from core.promotion import engines
from tests.e2e.echo import echo
from tests.e2e.house import House, end_everything

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from core.engines.base import Address, OwnHealth
    from core.files import Home
    from tests.proof.scale.past import Template

PORT = "STAND_IN_PORT"
_PREFIX = "dep_live"


class StandIn:
    """An instance that runs for ever."""

    exit = None
    restarts = 0
    life = Life()
    own_health = None
    own_check = None

    def __init__(self, name: str) -> None:
        self.name = name
        self.address: Address = ("127.0.0.1", int(os.environ[PORT]))

    async def wait_exit(self) -> Exit:
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    async def next_life(self, _: Life) -> Life:
        await self.wait_exit()
        raise AssertionError

    async def next_health(self) -> OwnHealth:
        await self.wait_exit()
        raise AssertionError

    def address_of(self, port: int) -> Address:
        return self.address[0], port

    async def listens(self) -> tuple[int, ...]:
        return (self.address[1],)

    async def keep(self) -> None:
        """It is permanent from the start."""

    async def foreign_listener(self) -> None:
        """It is its own."""

    async def explain_silence(self) -> None:
        """It never is."""


class StandInEngine(ProcessEngine):
    """Runs what is deployed as always; what the journal was given runs already."""

    async def adopt(self, name: str) -> Any:
        return StandIn(name) if name.startswith(_PREFIX) else await super().adopt(name)

    async def exit_of(self, name: str) -> Exit | None:
        return None if name.startswith(_PREFIX) else await super().exit_of(name)

    async def stop(self, name: str, *, grace_s: float) -> None:
        if not name.startswith(_PREFIX):
            await super().stop(name, grace_s=grace_s)


def add_live(journal: Path, template: Template, names: Sequence[str], port: int) -> None:
    """Makes a journal say that these services are live, each by a deployment of its own."""
    taken = {port}
    with closing(sqlite3.connect(journal)) as connection:
        for number, name in enumerate(names):
            taken.add(inner_port := free_port(taken))
            for table, row in _rows(template, number, name, (port, inner_port)):
                places = ", ".join("?" * len(row))
                connection.execute(f"INSERT INTO {table} VALUES ({places})", row)
        connection.commit()


def _rows(
    template: Template, number: int, name: str, ports: tuple[int, int]
) -> Sequence[tuple[str, tuple[Any, ...]]]:
    port, inner_port = ports
    run_id, id_ = f"drn_live{number:08}", f"{_PREFIX}{number:08}"
    service = {**template.deployment["service"], "name": name}
    target = template.deployment["target"]
    host = f"{name}-{target['project']}.localhost"
    deployment = {
        **template.deployment,
        "id": id_,
        "run_id": run_id,
        "service": service,
        "is_active": True,
        "route_host": host,
        "activations": 1,
        "replaced": None,
    }
    run = {**template.run, "id": run_id, "deployment_ids": [id_]}
    activation = {
        **template.activation,
        "deployment_id": id_,
        "state": "live",
        "addresses": [["127.0.0.1", port]],
        "replaced_by": None,
    }
    given = {
        "host": host,
        "target": target,
        "service": name,
        "is_public": True,
        "inner_port": inner_port,
    }
    place = (target["project"], target["environment"])
    made = (deployment["created_at"], deployment["activated_at"])
    found_by = (name, deployment["status"], 1, deployment["artifact_id"])
    return (
        ("runs", (run_id, *place, run["status"], run["created_at"], json.dumps(run))),
        ("deployments", (id_, run_id, *place, *found_by, *made, json.dumps(deployment))),
        ("activations", (f"{id_}.1", "live", json.dumps(activation))),
        ("hosts", (host, json.dumps(given))),
    )


@asynccontextmanager
async def agent_of_stand_ins(home: Home, port: int) -> AsyncIterator[House]:
    """The agent of such a home, all of whose stand-ins are at a port; nothing of it is left."""
    command = (sys.executable, "-m", "tests.proof.scale.stand_in", "--port", "0")
    root = Path(__file__).parents[3]
    environ = {**os.environ, PORT: str(port), "COMPARTMENT_HOME": str(home.root)}
    with home.agent_output.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command, "--internal-port", "0",
            cwd=root, env=environ, stdout=subprocess.PIPE, stderr=output,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        assert json.loads(await process.stdout.readline()) == {"ready": True}
        async with Client.connected(home, start=False) as client:
            yield House(home, client)
    finally:
        end_everything(home)
        await process.wait()


@asynccontextmanager
async def one_server() -> AsyncIterator[int]:
    """What answers for all of them; yields its port."""
    async with echo("stand-in") as (_, port):
        yield port


if __name__ == "__main__":
    vars(engines)["ProcessEngine"] = StandInEngine
    sys.exit(daemon.main())
