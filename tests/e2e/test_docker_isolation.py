"""What belongs to others on the same Docker Engine is not seen, not reached and not touched."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import docker
import docker.errors
import pytest

from core.engines.docker.labels import Role, home_id, only
from core.errors import NotFound
from tests.e2e.clients import get
from tests.e2e.house import house
from tests.e2e.small_project import SmallProject
from tests.engine.client import connected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.e2e.house import House, Json

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120)]

BASE = "python:3.11-slim"
ASK = """\
import json, sys, urllib.request
from concurrent.futures import ThreadPoolExecutor

def ask(url):
    try:
        return urllib.request.urlopen(url, timeout=2).read().decode()
    except OSError as error:
        return f"cannot: {error}"

with ThreadPoolExecutor(16) as pool:
    print(json.dumps(dict(zip(sys.argv[1:], pool.map(ask, sys.argv[1:])))))
"""


@pytest.fixture
async def two_homes(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, docker_socket: str
) -> AsyncIterator[tuple[House, House]]:
    """Two home folders, each with an agent of its own, on one engine."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{docker_socket}")
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(house(home, docker_socket))
        monkeypatch.setenv("COMPARTMENT_HOME", f"{home}2")
        other = await stack.enter_async_context(house(home.with_name("home2"), docker_socket))
        yield one, other


def project(folder: Path, name: str) -> SmallProject:
    """Two services, `web` and `api`, that say who they are."""
    made = SmallProject.made(folder, name)
    command = {"command": f"WHO={folder.name} exec python3 server.py"}
    made.write(web={"run": command}, api={"kind": "api", "run": command})
    return made


def ours(socket: str, running: House) -> dict[str, Any]:
    """All that a home has on the engine, and how it is."""
    label = {"label": [f"compartment.home={home_id(running.home)}"]}
    return look(socket, label)


def look(socket: str, filters: dict[str, list[str]]) -> dict[str, Any]:
    """What there is on the engine."""
    with connected(socket) as engine:
        return {
            "containers": {
                each["Id"]: (each["Names"], each["State"], each["Labels"])
                for each in engine.containers(all=True, filters=filters)
            },
            "images": {
                each["Id"]: sorted(each["RepoTags"] or ())
                for each in engine.images(filters=filters)
            },
            "networks": {each["Id"]: each["Name"] for each in engine.networks(filters=filters)},
        }


def environments(socket: str, running: House) -> dict[tuple[str, str], dict[str, Json]]:
    """The containers of each project and environment of a home, by their service."""
    found: dict[tuple[str, str], dict[str, Json]] = {}
    with connected(socket) as engine:
        for each in engine.containers(filters=only(home_id(running.home), Role.INSTANCE)):
            labels = each["Labels"]
            key = labels["compartment.project"], labels["compartment.environment"]
            service = labels["compartment.service"]
            found.setdefault(key, {})[service] = engine.inspect_container(each["Id"])
    return found


def asked_from(engine: docker.APIClient, container: Json, urls: list[str]) -> dict[str, str]:
    """What is answered inside of a container."""
    made = engine.exec_create(container["Id"], ["python3", "-c", ASK, *urls])
    found: dict[str, str] = json.loads(engine.exec_start(made["Id"]))
    return found


def address(container: Json) -> str:
    """Where a container answers."""
    return f"http://{container['Config']['Labels']['compartment.address']}/"


async def test_environments_do_not_see_each_other(
    two_homes: tuple[House, House], tmp_path: Path, docker_socket: str
) -> None:
    """Two projects, two environments of one of them, and the same names in another home."""
    one, other = two_homes
    alike, same = project(tmp_path / "one", "shop"), project(tmp_path / "other", "shop")
    second = project(tmp_path / "second", "blog")
    await one.deployed(alike)
    await one.deployed(alike, environment="staging")
    await one.deployed(second)
    await other.deployed(same)
    found = [
        (("one", *key), services) for key, services in environments(docker_socket, one).items()
    ] + [
        (("other", *key), services) for key, services in environments(docker_socket, other).items()
    ]
    assert len(found) == 4
    await asyncio.to_thread(check_apart, docker_socket, found)

    # Each home sees its own, and takes down its own.
    assert len((await one.client.environments())["environments"]) == 3
    assert len((await other.client.environments())["environments"]) == 1
    with pytest.raises(NotFound):
        await other.status(second)
    with pytest.raises(NotFound):
        await other.client.down({"project": "shop", "environment": "staging"})
    before = ours(docker_socket, one)
    await other.client.down({"project": "shop"})
    assert ours(docker_socket, other)["containers"] == {}
    assert ours(docker_socket, other)["networks"] == {}
    assert ours(docker_socket, one) == before
    kept = environments(docker_socket, one)
    await one.client.down({"project": "shop", "environment": "staging"})
    kept.pop(("shop", "staging"))
    assert ids(environments(docker_socket, one)) == ids(kept)
    assert len(ours(docker_socket, one)["networks"]) == 2
    target = await one.target("shop.localhost")
    assert (await get(target, "/")).status == 200


def ids(found: dict[tuple[str, str], dict[str, Json]]) -> list[str]:
    """The containers in it."""
    return sorted(each["Id"] for services in found.values() for each in services.values())


def check_apart(socket: str, found: list[tuple[Any, dict[str, Json]]]) -> None:
    """Everybody reaches the `api` of its own environment by name, and nobody else's at all."""
    with connected(socket) as engine:
        for key, services in found:
            urls = ["http://api:3000/", *(address(others["api"]) for _, others in found)]
            replies = asked_from(engine, services["web"], urls)
            own = {replies.pop("http://api:3000/"), replies.pop(address(services["api"]))}
            for reply in own:
                assert json.loads(reply)["environment"]["WHO"] == who_of(key)
                assert json.loads(reply)["environment"]["COMPARTMENT_ENVIRONMENT"] == key[2]
            assert len(replies) == len(found) - 1
            assert all(reply.startswith("cannot:") for reply in replies.values()), replies


def who_of(key: tuple[str, str, str]) -> str:
    """What the project of a key says of itself."""
    return "second" if key[1] == "blog" else key[0]


@contextmanager
def strangers(socket: str) -> Iterator[None]:
    """Containers, images, a network and a volume of somebody else, some of them much like ours."""
    with connected(socket) as engine:
        label = {"compartment.project": "shop", "compartment.role": "instance"}
        config = engine.create_networking_config({"h-net": engine.create_endpoint_config()})
        engine.create_network("h-net", labels=label)
        made = []
        try:
            for name, command in (
                ("compartment-shop-production-web-h", ["sleep", "600"]),
                ("h-ended", ["false"]),
            ):
                container = engine.create_container(
                    BASE, command, name=name, labels=label, networking_config=config
                )
                made.append(container["Id"])
                engine.start(container["Id"])
            engine.wait(made[1])
            engine.commit(made[1], repository="compartment/h-shop", tag="abc")
            engine.commit(made[1])
            engine.create_volume("h-volume", labels=label)
            yield
        finally:
            for each in made:
                engine.remove_container(each, force=True, v=True)
            for image in engine.images():
                is_ours = "compartment/h-shop:abc" in (image["RepoTags"] or ())
                unnamed = not image["RepoTags"] or image["RepoTags"] == ["<none>:<none>"]
                labelled = label.items() <= (image["Labels"] or {}).items()
                if is_ours or (unnamed and labelled):
                    engine.remove_image(image["Id"], force=True, noprune=True)
            engine.remove_network("h-net")
            engine.remove_volume("h-volume")


def of_strangers(socket: str) -> dict[str, Any]:
    """What is there of somebody else, found by the label that all of it has."""
    filters = {"label": ["compartment.project=shop"]}
    found = look(socket, filters)
    found["containers"] = {
        key: each for key, each in found["containers"].items() if "compartment.home" not in each[2]
    }
    found["networks"] = {key: name for key, name in found["networks"].items() if name == "h-net"}
    with connected(socket) as engine:
        ours = engine.images(filters={"label": ["compartment.home"]})
        found["volumes"] = [each["Name"] for each in engine.volumes(filters)["Volumes"] or ()]
    mine = {each["Id"] for each in ours}
    found["images"] = {key: each for key, each in found["images"].items() if key not in mine}
    return found


@pytest.mark.alone
async def test_what_belongs_to_others_is_left_alone(
    two_homes: tuple[House, House],
    tmp_path: Path,
    docker_socket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running, other = two_homes
    neighbour = project(tmp_path / "other", "shop")
    await other.deployed(neighbour)
    with strangers(docker_socket):
        before = of_strangers(docker_socket)
        assert [len(before[each]) for each in ("containers", "images", "networks", "volumes")] == [
            2, 2, 1, 1,
        ]  # fmt: skip
        beside = ours(docker_socket, other)
        shop = project(tmp_path / "one", "shop")
        await running.deployed(shop)
        for _ in range(2):
            shop.bump()
            await running.deployed(shop)
        # An agent that starts looks for what nobody knows of any more.
        await running.client.stop_agent()
        await running.client.attach()
        await running.deployed(shop, "rollback")
        await running.client.down({"project": "shop"})
        assert of_strangers(docker_socket) == before
        assert ours(docker_socket, other) == beside


async def test_what_nobody_knows_of_any_more_is_removed_in_its_own_home_only(
    two_homes: tuple[House, House], tmp_path: Path, docker_socket: str
) -> None:
    """As after a crash: an instance of ours that is in no journal."""
    running, other = two_homes
    for found, name in ((running, "one"), (other, "other")):
        await found.deployed(project(tmp_path / name, "shop"))
    lost = {
        home: lost_instance(docker_socket, found)
        for home, found in (("one", running), ("other", other))
    }
    await running.client.stop_agent()
    await running.client.attach()
    assert await is_gone(docker_socket, lost["one"])
    with connected(docker_socket) as engine:
        assert engine.inspect_container(lost["other"])["State"]["Running"]
    for found in (running, other):
        target = await found.target("shop.localhost")
        assert (await get(target, "/")).status == 200


def lost_instance(socket: str, running: House) -> str:
    """A container like those of the instances of a home, but for its name."""
    with connected(socket) as engine:
        like = engine.containers(filters=only(home_id(running.home), Role.INSTANCE))[0]
        labels = {**like["Labels"], "compartment.instance": "dep_lost.1"}
        made = engine.create_container(BASE, ["sleep", "600"], labels=labels)
        engine.start(made["Id"])
        return str(made["Id"])


async def is_gone(socket: str, container: str) -> bool:
    """Whether it is removed within a time in which a dying container may be."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with connected(socket) as engine:
            try:
                engine.inspect_container(container)
            except docker.errors.NotFound:
                return True
        await asyncio.sleep(0.1)
    return False
