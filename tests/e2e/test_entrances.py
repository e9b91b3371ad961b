"""Where services reach each other: whatever the host, through one address, in any network."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.gateway.table import Door, Entrance, Table
from core.ports import free_port
from tests.e2e.clients import get
from tests.e2e.echo import mirror
from tests.e2e.gateways import RunningGateway, running_gateway
from tests.e2e.house import kill
from tests.load.plan import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture
async def running(home: Path) -> AsyncIterator[RunningGateway]:
    async with running_gateway(home) as found:
        yield found


def entrance(
    name: str, ports: tuple[int, ...], upstream: str | None, namespace: str | None = None
) -> Entrance:
    doors = tuple(Door(f"{name}:{port}", "127.0.0.1", port, namespace) for port in ports)
    return Entrance(name, doors, upstream)


def at(port: int, upstream: str | None, name: str = "shop.localhost") -> Entrance:
    return entrance(name, (port,), upstream)


async def test_a_call_arrives_as_it_was_sent(running: RunningGateway) -> None:
    port = free_port(set())
    async with mirror() as upstream:
        await running.gateway.apply(Table((), (upstream,), (at(port, "mirror"),)))
        reply = await get(
            Target("127.0.0.1", port, "any.example:99"),
            "/a//b/../c?d",
            **{
                "x-compartment-entrance": "another",
                "x-forwarded-for": "1.2.3.4",
                "x-forwarded-proto": "https",
            },
        )
    head = reply.body.decode().splitlines()
    assert head[0] == "GET /a//b/../c?d HTTP/1.1"
    told = {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in head[1:] if line}
    assert told["host"] == "any.example:99"
    assert told["x-forwarded-for"] == "1.2.3.4"
    assert told["x-forwarded-proto"] == "https"
    assert "x-compartment-entrance" not in told
    assert "x-request-id" not in told


async def test_where_nothing_is_a_call_is_told_to_come_again(running: RunningGateway) -> None:
    port = free_port(set())
    await running.gateway.apply(replace(running.table("old"), entrances=(at(port, None),)))
    reply = await get(Target("127.0.0.1", port, "backoffice"), "/")
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")


async def test_entrances_are_switched_without_a_loss(running: RunningGateway) -> None:
    port = free_port(set())
    target = Target("127.0.0.1", port, "backoffice")
    statuses: list[int] = []

    async def ask() -> None:
        while True:
            statuses.append((await get(target, "/")).status)

    def table(name: str) -> Table:
        return replace(running.table(name), entrances=(at(port, name),))

    await running.gateway.apply(table("old"))
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(ask()) for _ in range(4)]
        for name in ("new", "old") * 15:
            await running.gateway.apply(table(name))
            assert f'"to": "{name}"' in (await get(target, "/")).headers["x-echo"]
            await running.gateway.remove_drained(table(name))
        for task in asking:
            task.cancel()
    assert set(statuses) == {200}
    assert len(statuses) > 40


async def test_one_whose_port_is_taken_costs_the_others_nothing(running: RunningGateway) -> None:
    free = free_port(set())
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = at(stranger.getsockname()[1], "old", "taken.localhost")
        entrances = (taken, at(free, "old"))
        await running.gateway.apply(replace(running.table("old"), entrances=entrances))
        assert (await get(Target("127.0.0.1", free, "a"), "/")).status == 200
    # It is listened on as soon as it can be.
    await running.gateway.apply(replace(running.table("old"), entrances=entrances))
    assert (await get(Target("127.0.0.1", taken.doors[0].port, "a"), "/")).status == 200


async def test_a_port_that_connections_of_before_wait_on_is_listened_on_again(
    running: RunningGateway,
) -> None:
    port = free_port(set())
    table = replace(running.table("old"), entrances=(at(port, "old"),))
    await running.gateway.apply(table)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    kill(json.loads((running.home.gateway / "envoy.json").read_text())["pid"])
    await reader.read()  # to its end: it was Envoy that closed
    writer.close()
    await writer.wait_closed()
    await running.gateway.start(table)
    assert (await get(Target("127.0.0.1", port, "a"), "/")).status == 200


@contextmanager
def network(name: str) -> Iterator[Path]:
    """A network of its own, with nothing but a loopback."""
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        yield Path("/run/netns") / name
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=False, stderr=subprocess.DEVNULL)


def asked_inside(name: str, port: int) -> str:
    """What a caller in that network is answered."""
    program = (
        "import urllib.request as u;"
        f"print(u.urlopen('http://127.0.0.1:{port}/', timeout=5).headers['x-echo'])"
    )
    command = ["ip", "netns", "exec", name, "python3", "-c", program]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.docker  # where one can be started, networks can be made
@pytest.mark.usefixtures("docker_socket")
async def test_networks_are_kept_apart_and_one_that_ends_costs_nothing(
    running: RunningGateway,
) -> None:
    one, other = f"ct-{os.getpid()}-a", f"ct-{os.getpid()}-b"
    with network(one) as first, network(other) as second:

        def table(old: str, new: str) -> Table:
            return replace(
                running.table("old", "new"),
                entrances=(
                    entrance("a", (80, 3000), old, str(first)),
                    entrance("b", (80, 3000), new, str(second)),
                ),
            )

        await running.gateway.apply(table("old", "new"))
        for port in (80, 3000):
            assert '"to": "old"' in await asyncio.to_thread(asked_inside, one, port)
            assert '"to": "new"' in await asyncio.to_thread(asked_inside, other, port)
        command = ["ip", "netns", "delete", other]
        await asyncio.to_thread(subprocess.run, command, check=True)
        await running.gateway.apply(table("new", "new"))
        assert '"to": "new"' in await asyncio.to_thread(asked_inside, one, 80)
        # Also an Envoy that starts in this moment.
        await running.gateway.envoy.stop()
        await running.gateway.start(table("old", "new"))
        assert '"to": "old"' in await asyncio.to_thread(asked_inside, one, 80)
