"""Holders: the program that they run, and that a name means one address, whatever happens."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import platform
import subprocess
import tarfile
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from core.engines.docker import pause
from core.engines.docker.holders import Holders
from core.errors import CompartmentError, EngineUnavailable
from tests.engines.docker.environments import (
    Environments,
    environments,
    holder_of,
    prepare,
    target,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.engines.base import Holder
    from tests.engine.plugin import Faults
    from tests.figures import FiguresRecorder

HEADERS = 64 + 56


@pytest.fixture
async def engine(docker_socket: str) -> AsyncIterator[Environments]:
    async with environments(docker_socket) as made:
        yield made


@pytest.mark.parametrize(
    ("architecture", "machine", "code"),
    [
        ("amd64", 62, "b822000000 0f05 ebf7"),
        (
            "arm64",
            183,
            "000080d2 010080d2 020080d2 030080d2 040080d2 280980d2 010000d4 f9ffff17",
        ),
    ],
)
def test_the_program_byte_by_byte(architecture: str, machine: int, code: str) -> None:
    found = pause.program(architecture)
    assert found[HEADERS:] == bytes.fromhex(code)
    assert found[:6] == b"\x7fELF\x02\x01"
    assert int.from_bytes(found[18:20], "little") == machine
    # Where it begins, and how much of the file is loaded.
    assert int.from_bytes(found[24:32], "little") == 0x400000 + HEADERS
    assert int.from_bytes(found[96:104], "little") == len(found)


@pytest.mark.skipif(platform.system() != "Linux", reason="it is a program for Linux")
def test_the_program_waits_until_it_is_killed(tmp_path: Path) -> None:
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    file = tmp_path / "pause"
    file.write_bytes(pause.program(architecture))
    file.chmod(0o755)
    with subprocess.Popen([file]) as process:
        deadline = time.monotonic() + 60
        while psutil.Process(process.pid).status() != psutil.STATUS_SLEEPING:
            assert time.monotonic() < deadline
            assert process.poll() is None
        assert psutil.Process(process.pid).cmdline() == [str(file)]
        process.kill()


def test_an_image_is_named_by_its_content() -> None:
    labels = {"compartment.home": "one"}
    archive = pause.archive("amd64", labels)
    assert pause.archive("amd64", labels) == archive
    assert pause.tag(labels) != pause.tag({"compartment.home": "other"})
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        files = {each.name: tar.extractfile(each).read() for each in tar}  # type: ignore[union-attr]
    (manifest,) = json.loads(files["manifest.json"])
    assert manifest["RepoTags"] == [pause.tag(labels)]
    config = files[manifest["Config"]]
    assert manifest["Config"] == f"{hashlib.sha256(config).hexdigest()}.json"
    assert json.loads(config)["config"]["Labels"] == labels
    layer = hashlib.sha256(files["layer.tar"]).hexdigest()
    assert json.loads(config)["rootfs"]["diff_ids"] == [f"sha256:{layer}"]


@pytest.mark.docker
async def test_its_image_needs_no_pull(engine: Environments, figures: FiguresRecorder) -> None:
    holders = Holders(engine.docker, engine.home)
    began = time.monotonic()
    await holders.provide_image()
    figures("make the image of holders", (time.monotonic() - began) * 1000, "ms")
    label = {"label": f"compartment.home={engine.home}"}
    images = await engine.docker.call(lambda client: client.images(filters=label))
    assert len(images) == 1
    await asyncio.gather(*(holders.provide_image() for _ in range(5)))
    await engine.docker.call(lambda client: client.remove_image(images[0]["Id"]))
    await asyncio.gather(*(holders.provide_image() for _ in range(5)))
    assert [
        each["Id"] for each in await engine.docker.call(lambda client: client.images(filters=label))
    ] == [images[0]["Id"]]
    await holders.remove_image()
    await holders.remove_image()
    assert await engine.docker.call(lambda client: client.images(filters=label)) == []


async def test_a_machine_without_a_program_is_refused(
    docker_socket: str, engine: Environments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pause, "ARCHITECTURES", frozenset({"riscv64"}))
    with pytest.raises(CompartmentError, match="no holder for this kind of machine") as caught:
        await prepare(engine.networks, target(), ["web"])
    assert "riscv64" in (caught.value.hint or "")


@pytest.mark.docker
async def test_a_holder_can_do_nothing(engine: Environments, figures: FiguresRecorder) -> None:
    await prepare(engine.networks, target(), ["web"])
    found = await engine.docker.get(f"/containers/{await engine.holder_id(target(), 'web')}/json")
    host = found["HostConfig"]
    assert found["Config"]["User"] == "65534:65534"
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert host["Memory"] == 16 * 1024 * 1024
    assert host["RestartPolicy"]["Name"] == "always"
    (endpoint,) = found["NetworkSettings"]["Networks"].values()
    assert "web" in endpoint["Aliases"]
    holder = holder_of(engine.networks, target(), "web")
    assert holder is not None
    assert (endpoint["IPAddress"], found["NetworkSettings"]["SandboxKey"]) == (
        holder.address,
        holder.namespace,
    )
    process = psutil.Process(found["State"]["Pid"])
    figures("memory of a holder's program", process.memory_info().rss / 1024, "KiB")
    # An engine that shuts down stops them one and all.
    began = time.monotonic()
    await engine.docker.call(lambda client: client.stop(found["Id"]))
    assert time.monotonic() - began < 5


def holder(engine: Environments, name: str = "web") -> Holder:
    found = holder_of(engine.networks, target(), name)
    assert found is not None
    return found


@pytest.mark.docker
@pytest.mark.parametrize("how", ["kill", "stop", "restart", "remove", "disconnect"])
async def test_a_holder_is_there_again_whatever_is_done_to_it(
    engine: Environments, how: str, figures: FiguresRecorder
) -> None:
    await prepare(engine.networks, target(), ["web", "api"])
    before, untouched = holder(engine), holder(engine, "api")
    container, network = await engine.holder_id(target(), "web"), await engine.network(target())

    def harm(client: Any) -> None:
        if how == "remove":
            client.remove_container(container, force=True)
        elif how == "disconnect":
            client.disconnect_container_from_network(container, network["Id"], force=True)
        else:
            getattr(client, how)(container)

    def is_back() -> bool:
        found = holder_of(engine.networks, target(), "web")
        return engine.times_moved > 0 and found is not None and found != before

    began = time.monotonic()
    await engine.docker.call(harm)
    await engine.until(is_back)
    figures(f"a holder is back after {how}", (time.monotonic() - began) * 1000, "ms")
    after = holder(engine)
    assert after.address == before.address
    assert after.namespace != before.namespace
    assert holder(engine, "api") == untouched
    described = await engine.docker.get(
        f"/containers/{await engine.holder_id(target(), 'web')}/json"
    )
    assert described["State"]["Running"]
    assert described["NetworkSettings"]["SandboxKey"] == after.namespace


@pytest.mark.docker
async def test_what_nobody_heard_of_is_found_by_looking(engine: Environments) -> None:
    deaf = engine.agent()
    await prepare(engine.networks, target(), ["web", "api", "admin"])
    await deaf.resync()
    before = {name: holder_of(deaf, target(), name) for name in ("web", "api", "admin")}
    ids = {name: await engine.holder_id(target(), name) for name in ("web", "api")}

    # Nobody mends it but the agent that is asked to look.
    await engine.stop_listening()
    await engine.docker.call(lambda client: client.kill(ids["web"]))
    await engine.docker.call(lambda client: client.remove_container(ids["api"], force=True))
    assert engine.times_moved == 0
    await deaf.resync()
    assert engine.times_moved == 1
    after = {name: holder_of(deaf, target(), name) for name in before}
    for name, was in before.items():
        found = after[name]
        assert found is not None
        assert was is not None
        assert found.address == was.address
        assert (found == was) is (name == "admin")
    await deaf.resync()
    assert engine.times_moved == 1


@pytest.mark.docker
async def test_one_that_the_engine_does_not_start_after_all_is_started(
    engine: Environments, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepare(engine.networks, target(), ["web"])
    before = holder(engine)
    await engine.stop_listening()  # the engine tells nothing when its own start has failed
    look, id_ = engine.docker.get, await engine.holder_id(target(), "web")
    await engine.docker.call(lambda client: client.kill(id_))
    looks = 0

    async def get(path: str, **parameters: Any) -> Any:
        nonlocal looks
        found = await look(path, **parameters)
        if path == f"/containers/{id_}/json":
            looks += 1
            found["State"]["Restarting"] = looks <= 2
        return found

    monkeypatch.setattr(engine.docker, "get", get)
    await engine.networks.resync()
    assert holder_of(engine.networks, target(), "web") is None
    running = asyncio.ensure_future(engine.networks.run())
    await engine.until(lambda: holder_of(engine.networks, target(), "web") is not None)
    running.cancel()
    assert holder(engine).address == before.address
    assert looks >= 3


@pytest.mark.docker
async def test_who_was_told_that_one_is_nowhere_is_told_that_it_is_back(
    engine: Environments,
) -> None:
    await prepare(engine.networks, target(), ["web"])
    before, moved = holder(engine), engine.times_moved
    found = await engine.docker.get(f"/containers/{await engine.holder_id(target(), 'web')}/json")
    actor = {"ID": found["Id"], "Attributes": found["Config"]["Labels"]}
    death = {"Type": "container", "Action": "die", "Actor": actor}
    engine.networks.listen(death)  # as of an end before a start that is known already
    assert holder_of(engine.networks, target(), "web") is None
    await engine.until(lambda: engine.times_moved > moved)
    assert holder(engine) == before


@pytest.mark.docker
@pytest.mark.parametrize(
    "fault", [EngineUnavailable("it takes too long"), CompartmentError("it refused")]
)
async def test_what_could_not_be_mended_is_tried_again(
    engine: Environments, fault: CompartmentError, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepare(engine.networks, target(), ["web"])
    before, check = holder(engine), engine.docker.check_stays
    faults = [fault, fault]

    async def fail() -> None:
        if faults:
            raise faults.pop()
        await check()

    monkeypatch.setattr(engine.docker, "check_stays", fail)
    id_ = await engine.holder_id(target(), "web")
    await engine.docker.call(lambda client: client.kill(id_))
    await engine.until(lambda: not faults and bool(engine.networks.holders(target(), "web")))
    assert holder(engine).address == before.address


@pytest.mark.timeout(120)
async def test_after_an_engine_was_restarted_all_are_where_they_were(
    engine: Environments, engine_faults: Faults
) -> None:
    names = ["web", "api", "admin"]
    await prepare(engine.networks, target(), names)
    before = {name: holder(engine, name) for name in names}
    for again in (engine_faults.restart, engine_faults.kill):
        moved = engine.times_moved
        await again()
        await engine.until(
            lambda moved=moved: (
                engine.times_moved > moved  # type: ignore[misc]
                and all(holder_of(engine.networks, target(), name) for name in names)
            )
        )
        for name in names:
            assert holder(engine, name).address == before[name].address
