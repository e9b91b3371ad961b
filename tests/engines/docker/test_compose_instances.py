"""Containers of Compose services on a real engine: what is asked for is there, also from inside."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.container import Container, Healthcheck, InlineFile, Mount, MountType, Published
from core.engines.docker import pause
from core.engines.docker.claims import check_claims
from core.engines.docker.labels import HOME
from core.engines.docker.volumes import Volumes
from core.errors import CompartmentError, Conflict, NotFound
from core.model import Limits, Strategy, Stream
from tests.engines.docker.lab import LIMIT_S, NAME, SERVICE, TEXT_IMAGE, WAITS, lab

if TYPE_CHECKING:
    from pathlib import Path

    from core.model import Service
    from tests.engines.docker.lab import Lab

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120), pytest.mark.usefixtures("lab_image")]

NEXT = "dep_cccccccccccc.2"
TELLS = """
import json, os, resource, socket
def tried(path):
    try:
        open(path, "w").close()
    except OSError as error:
        return error.strerror
    return "written"
facts = {
    "secret": open("/run/secrets/key").read(),
    "mode": oct(os.stat("/run/secrets/key").st_mode),
    "owner": os.stat("/run/secrets/key").st_uid,
    "user": os.getuid(), "host": socket.gethostname(), "folder": os.getcwd(),
    "files": resource.getrlimit(resource.RLIMIT_NOFILE),
    "PORT": os.environ.get("PORT"), "A": os.environ["A"],
    "/x": tried("/x"), "/scratch/x": tried("/scratch/x"), "/cache/x": tried("/cache/x"),
    "first": open("/proc/1/cmdline").read().split(chr(0))[0],
}
print(json.dumps(facts), flush=True)
import signal; signal.pause()
"""


def compose(container: Container, **changes: Any) -> Service:
    return replace(SERVICE, container=container, **changes)


def stops_first(*mounts: Mount, **more: Any) -> Service:
    return compose(Container(mounts=mounts, **more), strategy=Strategy.STOP_FIRST)


async def facts(it: Lab) -> Any:
    async with asyncio.timeout(LIMIT_S):
        while not it.texts():
            await asyncio.sleep(0.01)
    return json.loads(it.texts()[0])


async def test_what_its_file_says_is_so_inside_of_it(docker_socket: str, home: Path) -> None:
    container = Container(
        environment={"A": "of the file"},
        files=(InlineFile("/run/secrets/key", "s3cret", 0o400, 1000, 100, is_secret=True),),
        mounts=(Mount(MountType.VOLUME, "/cache"),),
        settings={
            "user": "1000:100", "hostname": "db1", "working_dir": "/srv", "read_only": True,
            "init": True, "tmpfs": ["/scratch:mode=1777"], "labels": {"tier": "data"},
            "ulimits": {"nofile": {"soft": 1000, "hard": 2000}}, "pids_limit": 50,
        },
    )  # fmt: skip
    async with lab(docker_socket, home) as it:
        service = compose(container, limits=Limits(0.5, 2**26))
        instance = await it.start(TELLS, service=service)
        found = await facts(it)
        read_only = "Read-only file system"
        assert found.pop("first").endswith("docker-init")
        assert found == {
            "secret": "s3cret", "mode": "0o100400", "owner": 1000, "user": 1000, "host": "db1",
            "folder": "/srv", "files": [1000, 2000], "PORT": None, "A": "of the file",
            "/x": read_only, "/scratch/x": "written", "/cache/x": "Permission denied",
        }  # fmt: skip
        assert not instance.is_kept
        await instance.keep()
        host = (await it.inspected(instance))["HostConfig"]
        assert (host["PidsLimit"], host["NanoCpus"], host["Memory"]) == (50, 500_000_000, 2**26)
        volumes = await _volumes(it, instance.id)
        await it.instances.stop(NAME, grace_s=0)
        assert len(volumes) == 2
        assert not set(volumes) & await _all_volumes(it)


async def _volumes(it: Lab, container_id: str) -> list[str]:
    found = await it.docker.get(f"/containers/{container_id}/json")
    return [each["Name"] for each in found["Mounts"] if each["Type"] == "volume"]


async def _all_volumes(it: Lab) -> set[str]:
    return {each["Name"] for each in (await it.docker.get("/volumes"))["Volumes"] or ()}


async def test_named_volumes_stay_and_anonymous_ones_are_carried_over(
    docker_socket: str, home: Path
) -> None:
    adds = "for p in ('/data/n', '/cache/n'): open(p, 'a').write('x'); print(open(p).read())\n"
    service = stops_first(
        Mount(MountType.VOLUME, "/data", "data", settings={"labels": {"kept": "yes"}}),
        Mount(MountType.VOLUME, "/cache"),
    )
    async with lab(docker_socket, home) as it:
        for name in (NAME, NEXT):
            await it.start(adds + WAITS, name, service=service)
            await it.until_printed("up", name)
            await it.instances.stop(name, grace_s=0)
        assert it.texts(NEXT)[:2] == ["xx", "xx"]
        target, volumes = it.target, Volumes(it.docker, it.home)
        made = f"{target.project}-{target.environment}_data"
        found = await it.docker.get(f"/volumes/{made}")
        assert found["Labels"]["kept"] == "yes"
        assert found["Labels"]["com.docker.compose.volume"] == "data"
        ours = {name for name in await _all_volumes(it) if it.home in name}
        assert len(ours) == 2
        await volumes.clear(target)
        assert not ours & await _all_volumes(it)


async def test_an_external_volume_has_to_be_there_and_is_never_removed(
    docker_socket: str, home: Path
) -> None:
    name = f"lab-{secrets.token_hex(5)}"
    service = stops_first(Mount(MountType.VOLUME, "/data", "data", name=name, is_external=True))
    async with lab(docker_socket, home) as it:
        with pytest.raises(NotFound) as missing:
            await it.start(service=service)
        assert f"`docker volume create {name}`" in (missing.value.hint or "")
        await it.docker.call(lambda client: client.create_volume(name))
        try:
            await it.start(service=service)
            await it.instances.stop(NAME, grace_s=0)
            await Volumes(it.docker, it.home).clear(it.target)
            assert name in await _all_volumes(it)
        finally:
            await it.docker.call(lambda client: client.remove_volume(name, force=True))


async def test_a_missing_folder_is_made_unless_the_file_forbids_it(
    docker_socket: str, home: Path
) -> None:
    missing, settings = home / "missing", {"bind": {"create_host_path": False}}
    strict = Mount(MountType.BIND, "/at", str(missing), settings=settings)
    async with lab(docker_socket, home) as it:
        with pytest.raises(CompartmentError, match=f"there is no {missing}"):
            await it.start(service=stops_first(strict))
        await it.start(service=stops_first(replace(strict, settings={})))
        assert missing.is_dir()


async def test_the_container_name_goes_to_what_is_kept(docker_socket: str, home: Path) -> None:
    name = f"lab-{secrets.token_hex(5)}"
    service = compose(Container(container_name=name))
    async with lab(docker_socket, home) as it:
        scoped = f"{name}-{it.target.environment}"
        first = await it.start(service=service)
        await first.keep()
        await first.keep()
        assert await _name(it, first.id) == scoped
        second = await it.start(name=NEXT, service=service)
        assert await _name(it, first.id) == scoped
        await second.keep()
        assert await _name(it, second.id) == scoped
        assert NAME in await _name(it, first.id)


async def _name(it: Lab, container_id: str) -> str:
    found = await it.docker.get(f"/containers/{container_id}/json")
    return str(found["Name"]).removeprefix("/")


async def test_what_somebody_else_has_is_refused_before_and_told_later(
    docker_socket: str, home: Path
) -> None:
    async with lab(docker_socket, home) as it:
        name, volume = f"lab-{secrets.token_hex(5)}", f"lab-{secrets.token_hex(5)}"
        scoped = f"{name}-{it.target.environment}", f"{volume}-{it.target.environment}"
        mount = Mount(MountType.VOLUME, "/data", "data", name=volume)
        named, mounting = compose(Container(container_name=name)), stops_first(mount)

        async def check(service: Service) -> None:
            await check_claims(it.docker, it.home, it.target, [service])

        def run(client: Any) -> str:
            host = client.create_host_config(binds=[f"{scoped[1]}:/data"])
            made = client.create_container(
                TEXT_IMAGE, ["sleep", "60"], name=scoped[0], host_config=host,
                labels={"compartment.home": f"not {it.home}"},
            )  # fmt: skip
            client.start(made)
            return str(made["Id"])

        foreign = await it.docker.call(run)
        try:
            with pytest.raises(Conflict, match=f"a container {scoped[0]} already") as conflict:
                await check(named)
            assert conflict.value.hint == f"end it first: `docker rm --force {scoped[0]}`"
            with pytest.raises(Conflict, match=f"with the volume {scoped[1]}, which web mounts"):
                await check(mounting)
            instance = await it.start(service=named)
            await instance.keep()
            assert instance.is_kept
            assert NAME in await _name(it, instance.id)
            told = [line.text for line in it.lines() if line.stream is Stream.COMPARTMENT]
            assert told == [f"its container is not called {scoped[0]}: another one is"]
            await it.docker.call(lambda client: client.stop(foreign, timeout=0))
            await check(mounting)
        finally:
            await it.docker.call(
                lambda client: client.remove_container(foreign, force=True, v=True)
            )
            await it.docker.call(lambda client: client.remove_volume(scoped[1], force=True))


@pytest.mark.parametrize(
    ("more", "mend"),
    [
        ({}, "end it first: `docker rm --force {name}`"),
        ({"com.docker.compose.service": "web"},
         "end it first: `docker compose stop`, which keeps the volumes"),
        ({"compartment.project": "shop", "compartment.environment": "staging"},
         "it is live: `compartment down --project shop --env staging` first, or change this one"),
    ],
)  # fmt: skip
async def test_whose_a_port_of_this_machine_is_is_told(
    docker_socket: str, home: Path, more: dict[str, str], mend: str
) -> None:
    def run(client: Any) -> str:
        made = client.create_container(
            TEXT_IMAGE, ["sleep", "60"], ports=[80],
            labels={"compartment.home": f"not {home}", **more},
            host_config=client.create_host_config(port_bindings={80: ("127.0.0.1", None)}),
        )  # fmt: skip
        client.start(made)
        return str(made["Id"])

    async with lab(docker_socket, home) as it:
        foreign = await it.docker.call(run)
        try:
            found = await it.docker.get(f"/containers/{foreign}/json")
            port = int(found["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"])

            async def check(published: Published) -> None:
                service = compose(Container(published=(published,)))
                await check_claims(it.docker, it.home, it.target, [service])

            with pytest.raises(Conflict, match=f"publishes port {port}, as web does") as conflict:
                await check(Published(8080, port))
            assert conflict.value.hint == mend.format(name=found["Name"].removeprefix("/"))
            await check(Published(8080, port, host="127.0.0.2"))
            await check(Published(8080, port, is_udp=True))
            await check(Published(8080))
        finally:
            await it.docker.call(
                lambda client: client.remove_container(foreign, force=True, v=True)
            )


@pytest.mark.parametrize(
    ("test", "code", "said"),
    [
        (("CMD", "python3", "-c", "print('no', 'shell')"), 0, "no shell"),
        (("CMD-SHELL", "echo $((40 + 2)); exit 3"), 3, "42"),
    ],
)
async def test_its_own_check_is_run_at_once(
    docker_socket: str, home: Path, test: tuple[str, ...], code: int, said: str
) -> None:
    service = compose(Container(healthcheck=Healthcheck(test, interval_s=3600)))
    async with lab(docker_socket, home) as it:
        instance = await it.start(service=service)
        assert instance.own_check is not None
        assert instance.own_check.interval_s == 3600
        ran = await instance.try_own_check(LIMIT_S)
        assert (ran.exit.code, ran.said) == (code, said)


async def test_what_has_no_shell_and_no_files_runs_and_is_checked(
    docker_socket: str, home: Path
) -> None:
    async with lab(docker_socket, home) as it:
        image_labels = {HOME: it.home}
        image = pause.archive((await it.docker.get("/version"))["Arch"], image_labels)
        await it.docker.call(lambda client: list(client.load_image(image)))
        # It never ends, which no check may do.
        check = Healthcheck(("CMD", "/pause"), interval_s=3600)
        service = compose(Container(healthcheck=check))
        instance = await it.start(image=pause.tag(image_labels), service=service)
        assert instance.exit is None
        with pytest.raises(TimeoutError):
            await instance.try_own_check(0.5)
        async with asyncio.timeout(LIMIT_S):
            while len((await it.docker.get(f"/containers/{instance.id}/top"))["Processes"]) > 1:
                await asyncio.sleep(0.01)


async def test_the_output_of_a_terminal_is_kept_in_lines(docker_socket: str, home: Path) -> None:
    text = "import sys; print(sys.stdout.isatty()); print('end'); print('open', end='', flush=True)"
    async with lab(docker_socket, home) as it:
        instance = await it.start(text, service=compose(Container(settings={"tty": True})))
        async with asyncio.timeout(LIMIT_S):
            await instance.wait_exit()
        assert it.texts() == ["True", "end", "open"]
