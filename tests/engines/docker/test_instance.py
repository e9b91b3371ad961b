"""Instances on a real engine: how they start, what is told of them, how they end."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from core.engines.base import InstanceSpec, Owner
from core.engines.docker import containers
from core.engines.docker.endpoint import Mode
from core.errors import CompartmentError
from core.model import Health, Limits, Restart, RestartPolicy
from core.records import Target
from tests.engine.cut import cut
from tests.engines.docker.environments import prepare
from tests.engines.docker.lab import LIMIT_S, NAME, SERVICE, lab, labs

if TYPE_CHECKING:
    from tests.figures import FiguresRecorder

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120), pytest.mark.usefixtures("lab_image")]

CRASHES = "import sys; print('up'); sys.exit(3)"
WAITS_FOR_GO = "import os, time\nwhile not os.path.exists('/go'): time.sleep(0.01)\n"
ANSWERS = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()
http.server.HTTPServer(("{host}", {port}), Handler).serve_forever()
"""
SAYS_BYE = """
import signal, sys
def end(*_):
    print("bye", flush=True)
    sys.exit(0)
signal.signal(signal.{name}, end)
print("up", flush=True)
while True:
    signal.pause()
"""
KEPT_ALIVE = replace(SERVICE, restart=Restart(RestartPolicy.ON_FAILURE))


async def test_it_has_a_fixed_address_its_variables_and_its_limits(
    docker_socket: str, home: Path
) -> None:
    async with lab(docker_socket, home) as it:
        service = replace(SERVICE, limits=Limits(cpus=0.5, memory_bytes=64 * 2**20))
        instance = await it.start(ANSWERS.format(host="0.0.0.0", port=3000), service=service)
        assert await _answer(instance.address) == 204
        found = await it.inspected(instance)
        assert "PORT=3000" in found["Config"]["Env"]
        assert found["HostConfig"]["NanoCpus"] == 500_000_000
        assert found["HostConfig"]["Memory"] == found["HostConfig"]["MemorySwap"] == 64 * 2**20
        (attached,) = found["NetworkSettings"]["Networks"].values()
        assert attached["IPAddress"] == attached["IPAMConfig"]["IPv4Address"]
        assert instance.address == (attached["IPAddress"], 3000)
        assert found["Config"]["Labels"]["compartment.deployment"] == "dep_cccccccccccc"
        assert found["Config"]["Labels"]["compartment.instance"] == NAME
        assert await it.instances.names() == [NAME]


async def _answer(address: tuple[str, int]) -> int:
    """The status of a reply, as soon as there is one."""
    async with httpx.AsyncClient() as client, asyncio.timeout(LIMIT_S):
        while True:
            try:
                reply = await client.get("http://{}:{}/".format(*address))
            except httpx.TransportError:
                await asyncio.sleep(0.01)
            else:
                return reply.status_code


@pytest.mark.parametrize(
    ("variables", "port", "exposed", "wanted"),
    [
        ({}, None, {}, 3000),
        ({}, None, {"9000/tcp": {}, "53/udp": {}, "8080/tcp": {}}, 8080),
        ({}, 4000, {"8080/tcp": {}}, 4000),
        ({"PORT": "5000"}, 4000, {"8080/tcp": {}}, 5000),
        ({"PORT": "none"}, None, {"8080/tcp": {}}, 8080),
        ({"PORT": "0"}, None, None, 3000),
        ({"PORT": "70000"}, None, None, 3000),
    ],
)
def test_the_port_is_named_by_the_variable_the_service_or_the_image(
    variables: dict[str, str], port: int | None, exposed: dict[str, object] | None, wanted: int
) -> None:
    image = {"Config": {"ExposedPorts": exposed}}
    owner = Owner(Target("lab", "production"), "web", "dep_cccccccccccc")
    service = replace(SERVICE, port=port)
    spec = InstanceSpec(NAME, owner, service, "img_c", variables, Path("log"))
    assert containers.port_of(spec, image) == wanted


async def test_a_port_that_the_user_names_is_not_injected_again(
    docker_socket: str, home: Path
) -> None:
    async with lab(docker_socket, home) as it:
        variables = {"TEXT": "import os; print(os.environ['PORT'])", "PORT": "none"}
        instance = await it.start(variables=variables)
        await instance.wait_exit()
        assert it.texts() == ["none"]


async def test_any_name_of_an_environment_will_do(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        target = Target("lab", "-Ä b/" + 58 * "x")
        await prepare(it.networks, target, ["web"])
        owner = replace(it.spec().owner, target=target)
        instance = await it.start(owner=owner)
        assert instance.exit is None
        await it.instances.stop(NAME, grace_s=0)
        await it.networks.clear(target)


async def test_an_exit_is_told_at_once_with_all_that_was_printed_before(
    docker_socket: str, home: Path, figures: FiguresRecorder
) -> None:
    died_at: list[float] = []

    def listen(event: dict[str, Any]) -> None:
        if event["Action"] == "die":
            died_at.append(time.monotonic())

    async def resync() -> None:
        pass

    text = "import sys; [print(n) for n in range(500)]; print('end', end=''); sys.exit(7)"
    async with lab(docker_socket, home) as it:
        it.events.subscribe(listen, resync)
        instance = await it.start(WAITS_FOR_GO + text)
        await _do(it, instance.id, "touch", "/go")
        async with asyncio.timeout(LIMIT_S):
            ended = await instance.wait_exit()
        late_s = time.monotonic() - died_at[-1]
        assert str(ended) == "exited with code 7"
        assert instance.exit is ended
        assert it.texts() == [*map(str, range(500)), "end"]
        figures("docker: an exit is told after its event", late_s * 1000, "ms", 500)
        assert late_s < 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import os; os.kill(os.getpid(), 9); os._exit(137)", "ended by signal 9 (SIGKILL)"),
        ("import sys; sys.exit(143)", "ended by signal 15 (SIGTERM)"),
        ("import sys; sys.exit(255)", "exited with code 255"),
        (
            "x = bytearray(100_000_000)",
            "was killed: it needed more memory than its limit of 32M",
        ),
    ],
)
async def test_the_ways_to_end(docker_socket: str, home: Path, text: str, words: str) -> None:
    async with lab(docker_socket, home) as it:
        service = replace(SERVICE, limits=Limits(memory_bytes=32 * 2**20))
        instance = await it.start(text, service=service)
        async with asyncio.timeout(LIMIT_S):
            assert str(await instance.wait_exit()) == words


@pytest.mark.parametrize(
    ("instruction", "words", "hint"),
    [
        ('CMD ["nonesuch", "x"]', "its image has no such command: nonesuch", "run.command"),
        ('CMD ["/opt/none/such"]', "its image has no such command: /opt/none/such", "run.command"),
        ('CMD ["/etc/hostname"]', "/etc/hostname in its image may not be executed", "executable"),
    ],
)
async def test_a_command_that_cannot_be_started_is_named(
    docker_socket: str, home: Path, instruction: str, words: str, hint: str
) -> None:
    async with lab(docker_socket, home) as it:
        image = await it.image(instruction)
        with pytest.raises(CompartmentError) as caught:
            await it.start(image=image)
        assert caught.value.message == words
        assert hint in (caught.value.hint or "")
        assert await it.instances.names() == []


async def test_what_the_engine_refuses_is_said_in_words(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        with pytest.raises(CompartmentError, match="its image is gone"):
            await it.start(image="compartment-lab:none")
        small = replace(SERVICE, limits=Limits(memory_bytes=2**20))
        with pytest.raises(CompartmentError, match="memory limit is too low: the engine needs 6MB"):
            await it.start(service=small)
        many = replace(SERVICE, limits=Limits(cpus=1000))
        with pytest.raises(CompartmentError, match="CPU limit is not possible on this machine"):
            await it.start(service=many)


async def test_a_container_of_somebody_else_keeps_its_name(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        image = await it.image()
        config = {"Image": image, "Labels": {"compartment.home": it.home}}
        name = containers.name_of(it.spec())
        await it.docker.call(lambda client: client.create_container_from_config(config, name))
        with pytest.raises(CompartmentError, match="a container named compartment-lab-"):
            await it.start(image=image)


async def test_a_candidate_is_not_restarted(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        instance = await it.start(CRASHES, service=KEPT_ALIVE)
        await instance.wait_exit()
        assert instance.restarts == 0
        assert it.texts() == ["up"]


async def test_what_is_kept_is_restarted_as_its_policy_says(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        service = replace(SERVICE, restart=Restart(RestartPolicy.ON_FAILURE, 2))
        instance = await it.start(WAITS_FOR_GO + CRASHES, service=service)
        await instance.keep()
        await _do(it, instance.id, "touch", "/go")
        async with asyncio.timeout(LIMIT_S):
            assert str(await instance.wait_exit()) == "exited with code 3"
        assert instance.restarts == 2
        assert it.texts() == ["up"] * 3


async def _do(it: object, container_id: str, *command: str) -> None:
    def run(client: object) -> None:
        made = client.exec_create(container_id, list(command))  # type: ignore[attr-defined]
        client.exec_start(made["Id"])  # type: ignore[attr-defined]

    await it.docker.call(run)  # type: ignore[attr-defined]


async def test_what_docker_kill_ended_is_live_again(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        instance = await it.start(service=KEPT_ALIVE)
        await instance.keep()
        await it.until_printed("up")
        for times in (1, 2):
            await it.docker.order("POST", f"/containers/{instance.id}/kill")
            async with asyncio.timeout(LIMIT_S):
                while it.texts() != ["up"] * (times + 1):
                    await asyncio.sleep(0.01)
            assert instance.restarts == times
            assert instance.exit is None


async def test_what_the_engine_does_not_start_after_all_is_live_again(
    docker_socket: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lab(docker_socket, home) as it:
        instance = await it.start(service=KEPT_ALIVE)
        await instance.keep()
        await it.until_printed("up")
        it._following.cancel()  # the engine tells nothing when its own start has failed
        await it.docker.order("POST", f"/containers/{instance.id}/stop", t=0)
        look, looks = it.docker.get, 0

        async def get(path: str, **parameters: Any) -> Any:
            nonlocal looks
            found = await look(path, **parameters)
            if path == f"/containers/{instance.id}/json":
                looks += 1
                found["State"]["Restarting"] = looks <= 2
            return found

        monkeypatch.setattr(it.docker, "get", get)
        await it.instances.resync()
        down = instance.life
        assert (looks, down.is_up) == (1, False)
        async with asyncio.timeout(LIMIT_S):
            assert (await instance.next_life(down)).is_up
        assert instance.exit is None


async def test_what_docker_stop_ended_stays_ended(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        instance = await it.start(service=KEPT_ALIVE)
        await instance.keep()
        await it.docker.order("POST", f"/containers/{instance.id}/stop", t=0)
        async with asyncio.timeout(LIMIT_S):
            assert str(await instance.wait_exit()) == "ended by signal 9 (SIGKILL)"


async def test_what_somebody_removes_is_told(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        instance = await it.start(service=KEPT_ALIVE)
        await instance.keep()
        await it.docker.order("DELETE", f"/containers/{instance.id}", force=1)
        async with asyncio.timeout(LIMIT_S):
            ended = await instance.wait_exit()
        assert str(ended) in ("was removed by somebody else", "ended by signal 9 (SIGKILL)")
        await it.instances.stop(NAME, grace_s=1)


async def test_its_own_health_check_is_followed(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        image = await it.image(
            "HEALTHCHECK --interval=200ms --retries=1"
            " CMD cat /well 2>&- || { echo not well; exit 1; }",
        )
        instance = await it.start(
            "open('/well', 'w').write('fine'); " + WAITS_FOR_EVER, image=image
        )
        assert instance.own_health is not None
        assert instance.own_health.health is Health.PENDING
        async with asyncio.timeout(LIMIT_S):
            while (found := await instance.next_health()).health is Health.PENDING:
                pass
            assert (found.health, found.detail) == (Health.HEALTHY, "fine")
            await _do(it, instance.id, "rm", "/well")
            found = await instance.next_health()
        assert (found.health, found.detail) == (Health.UNHEALTHY, "not well")


WAITS_FOR_EVER = "import signal; signal.pause()"


async def test_without_a_check_there_is_no_health(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        instance = await it.start()
        assert instance.own_health is None


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1"])
async def test_it_is_asked_to_stop_and_may_finish(
    docker_socket: str, home: Path, name: str
) -> None:
    async with lab(docker_socket, home) as it:
        image = await it.image(f"STOPSIGNAL {name}", "VOLUME /data")
        instance = await it.start(SAYS_BYE.format(name=name), image=image)
        await it.until_printed("up")
        (volume,) = (await it.inspected(instance))["Mounts"]
        await it.instances.stop(NAME, grace_s=LIMIT_S)
        assert it.texts() == ["up", "bye"]
        assert await it.instances.names() == []
        volumes = (await it.docker.get("/volumes"))["Volumes"] or []
        assert volume["Name"] not in [each["Name"] for each in volumes]


async def test_what_does_not_stop_is_killed(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        ignores = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        await it.start(ignores + "print('up')\nwhile True: signal.pause()")
        await it.until_printed("up")
        began = time.monotonic()
        await it.instances.stop(NAME, grace_s=1)
        assert 1 <= time.monotonic() - began < LIMIT_S
        assert await it.instances.names() == []


async def test_started_again_it_has_the_same_address(docker_socket: str, home: Path) -> None:
    async with lab(docker_socket, home) as it:
        first = await it.start("print('one')")
        await first.wait_exit()
        other = await it.start(name="dep_cccccccccccc.2")
        second = await it.start("print('two')", address=first.address)
        await second.wait_exit()
        assert second.address == first.address != other.address
        assert it.texts() == ["one", "two"]
        assert sorted(await it.instances.names()) == [NAME, "dep_cccccccccccc.2"]


async def test_an_agent_finds_what_the_one_before_has_started(
    docker_socket: str, home: Path
) -> None:
    async with labs(docker_socket, home) as make:
        before = await make()
        first = await before.start(service=KEPT_ALIVE)
        await first.keep()
        await before.until_printed("up")
        await before.close()
        after = await make()
        found, same = await asyncio.gather(after.instances.adopt(NAME), after.instances.adopt(NAME))
        assert found is same
        assert found is not None
        assert (found.address, found.is_kept) == (first.address, True)
        assert await after.instances.adopt("dep_cccccccccccc.9") is None
        await after.docker.order("POST", f"/containers/{found.id}/stop", t=0)
        await found.wait_exit()
        assert after.texts() == ["up"]


async def test_what_is_kept_without_restarts_is_known_to_be_kept(
    docker_socket: str, home: Path
) -> None:
    async with labs(docker_socket, home) as make:
        before = await make()
        never = replace(SERVICE, restart=Restart(RestartPolicy.NO))
        candidate = await before.start(service=never, name="dep_cccccccccccc.2")
        await (await before.start(service=never)).keep()
        after = await make()
        for name, is_kept in ((NAME, True), (candidate.name, False)):
            found = await after.instances.adopt(name)
            assert found is not None
            assert found.is_kept == is_kept


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("127.0.0.1", 3000, "it listens on 127.0.0.1:3000 only: listen on 0.0.0.0:3000"),
        ("0.0.0.0", 5000, "it listens on port 5000, not on 3000"),
    ],
)
async def test_its_silence_is_explained(
    docker_socket: str, home: Path, host: str, port: int, words: str
) -> None:
    async with lab(docker_socket, home) as it:
        instance = await it.start(ANSWERS.format(host=host, port=port))
        async with asyncio.timeout(LIMIT_S):
            while not (said := await instance.explain_silence() or "").startswith(words):
                assert said.startswith("it listens on no port yet"), said
                await asyncio.sleep(0.01)
        assert await instance.foreign_listener() is None


async def test_where_addresses_cannot_be_reached_a_port_is_published(
    docker_socket: str, home: Path
) -> None:
    async with lab(docker_socket, home, Mode.PUBLISHED) as it:
        text = ANSWERS.format(host="0.0.0.0", port=3000)
        instance = await it.start(text)
        assert instance.address[0] == "127.0.0.1"
        for _ in range(2):
            assert await _answer(instance.address) == 204
            instance = await it.start(text, address=instance.address)


async def test_a_stop_does_not_hang_with_the_engine(docker_socket: str, home: Path) -> None:
    async with cut(docker_socket) as proxy, labs(docker_socket, home) as make:
        it = await make(proxy.socket)
        await it.start()
        for fault in (proxy.stall, proxy.refuse):
            fault(True)
            began = time.monotonic()
            await it.instances.stop(NAME, grace_s=10)
            assert time.monotonic() - began < 9  # less than its grace
            fault(False)
        assert await it.instances.names() == [NAME]
