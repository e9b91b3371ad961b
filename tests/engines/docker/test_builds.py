"""Builds on a real engine, by its own builder and by BuildKit: output, failures, cancellation."""

from __future__ import annotations

import asyncio
import os
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from core.engines.docker import buildx, labels
from core.errors import CompartmentError, EngineUnavailable
from core.model import Build, BuildStrategy, Service
from tests.engine.client import connected
from tests.engine.cut import cut
from tests.engines.docker.workshop import LIMIT_S, workshop

if TYPE_CHECKING:
    from tests.figures import FiguresRecorder

pytestmark = [pytest.mark.docker, pytest.mark.timeout(240)]

BASE = "debian:bookworm-slim"
CLI_WITH_BUILDKIT = "/usr/bin/docker"
# Docker's CLI 20.10 has BuildKit built in, and later ones in the plugin that this stands in for.
PLUGIN = f"""#!/bin/sh
if [ "$1" = docker-cli-plugin-metadata ]; then
    echo '{{"SchemaVersion": "0.1.0", "Vendor": "tests", "Version": "1"}}'
    exit
fi
while [ "$1" != buildx ]; do
    [ "$1" = --host ] && export DOCKER_HOST="$2"
    shift
done
[ "$2" = version ] && exit
shift 2
for argument; do
    shift
    case $argument in --builder | default | --load) ;; *) set -- "$@" "$argument" ;; esac
done
DOCKER_BUILDKIT=1 exec {CLI_WITH_BUILDKIT} build "$@"
"""


@pytest.fixture(params=["classic", "buildx"])
def builder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which builder there is; `tests/conftest.py` gives each test a home folder of its own."""
    if request.param == "classic":
        monkeypatch.setenv("PATH", "/nowhere")
    elif not asyncio.run(buildx.is_there()):
        if not Path(CLI_WITH_BUILDKIT).exists():
            pytest.skip("no docker CLI with BuildKit")
        plugin = Path(os.environ["HOME"], ".docker/cli-plugins/docker-buildx")
        plugin.parent.mkdir(parents=True)
        plugin.write_text(PLUGIN)
        plugin.chmod(0o755)
    assert asyncio.run(buildx.is_there()) == (request.param == "buildx")
    return str(request.param)


async def test_an_image_is_built_and_what_is_said(
    docker_socket: str, tmp_path: Path, builder: str
) -> None:
    async with workshop(docker_socket, tmp_path) as it:
        # BuildKit remembers what any home has built.
        echo = f"echo seen by {it.home}; echo an error >&2"
        text = f"FROM {BASE} AS one\nRUN {echo}\nFROM {BASE}\n"
        text += "ARG TOKEN\nCOPY --from=one /etc/hostname /h\nCOPY . /all\n"
        text += "RUN ls /all > /listed && echo $TOKEN | wc -c >> /listed\n"
        it.write({"Dockerfile": text, "data": "", "left": "", ".dockerignore": "left\n.d*\nD*\n"})
        service = Service("web", "web", build=Build(env=("TOKEN",)))
        source = await it.make(service, variables={"TOKEN": "b-secret"})
        named = {"classic": "the engine's own builder", "buildx": "BuildKit"}[builder]
        assert it.said[0] == f"building the Dockerfile in web with {named}"
        assert {f"seen by {it.home}", "an error"} <= set(it.said)
        assert [line for line in it.said if line.endswith(f"RUN {echo}")]
        noise = (
            "sha256:",
            "--->",
            "Running in",
            "transferring",
            "Successfully",
            "LABEL",
            "b-secret",
        )
        assert not [line for line in it.said if any(word in line for word in noise)]
        assert await it.run(source, "cat", "/listed") == "data\n9\n"
        with connected(docker_socket) as client:
            found = client.inspect_image(it.images.tag_of(source.artifact_id))["Config"]["Labels"]
            assert found[labels.ARTIFACT] == source.artifact_id
            assert found[labels.ENVIRONMENT] == 'a "$b" \\'
        anew = await it.take(service, {"TOKEN": "b-secret"}, use_cache=False)
        it.said.clear()
        await it.build(anew)
        assert f"seen by {it.home}" in it.said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"FROM {BASE}\n\nRUN echo so; exit 3\n",
            "exit code 3 in line 3 of the Dockerfile: RUN echo",
        ),
        (f"FROM {BASE}\nRUN no-such-program\n", "exit code 127 in line 2"),
        ("ARG A\nFROM b-nosuch:1\n", "the image b-nosuch:1 (Dockerfile, line 2) is not on the"),
        (f"FROM {BASE}\nCOPY --from=b-nosuch:1 / /\n", "the image b-nosuch:1 (Dockerfile, line 2)"),
        (f"FROM {BASE}\nCOPY nothing /\n", "line 2 of the Dockerfile: COPY nothing /"),
        (f"FROM {BASE}\n\nRUN true\nRUNN x\n", "line 4: unknown instruction: RUNN"),
    ],
)
async def test_a_build_that_fails_says_where(
    docker_socket: str, tmp_path: Path, builder: str, text: str, message: str
) -> None:
    async with workshop(docker_socket, tmp_path) as it:
        it.write({"Dockerfile": text})
        with pytest.raises(CompartmentError) as caught:
            await it.make()
        assert message in caught.value.message
        assert "\n" not in caught.value.message
        assert not await it.is_built()
        assert not list((tmp_path / "sources").glob("taken_*"))


async def test_a_cancelled_build_is_over(
    docker_socket: str, tmp_path: Path, builder: str, figures: FiguresRecorder
) -> None:
    # BuildKit's containers are not the engine's: its processes are looked for instead.
    nap = f"sleep 4{os.getpid()}"
    async with workshop(docker_socket, tmp_path) as it:
        it.write({"Dockerfile": f"FROM {BASE}\nRUN echo begun; {nap}; echo slept\n"})
        task = asyncio.create_task(it.make())
        await it.says("begun")
        assert await asyncio.to_thread(_runs, nap)
        start = asyncio.get_running_loop().time()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(LIMIT_S):
            while await asyncio.to_thread(_goes_on, docker_socket, it.home, nap):
                pass
        gone_after = asyncio.get_running_loop().time() - start
        figures(f"cancelled build gone, {builder}", gone_after, "s", 2)
        assert gone_after < 2
        assert not list((tmp_path / "sources").glob("taken_*"))
        it.write({"Dockerfile": f"FROM {BASE}\nRUN echo quick\n"})
        await it.make()


async def test_an_engine_that_goes_away_in_the_middle(
    docker_socket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    async with (
        cut(docker_socket) as proxy,
        workshop(docker_socket, tmp_path, through=proxy.socket) as it,
    ):
        it.write({"Dockerfile": f"FROM {BASE}\nRUN echo begun; sleep 600\n"})
        task = asyncio.create_task(it.make())
        await it.says("begun")
        proxy.cut_all()
        with pytest.raises(EngineUnavailable):
            await task
        async with asyncio.timeout(LIMIT_S):
            while await asyncio.to_thread(_containers, docker_socket, it.home):
                pass


async def test_a_container_that_an_engine_left_is_removed(
    docker_socket: str, tmp_path: Path
) -> None:
    async with workshop(docker_socket, tmp_path) as it:
        with connected(docker_socket) as client:
            marks = {labels.HOME: it.home, labels.ROLE: "build"}
            client.create_container(BASE, ["true"], labels=marks)
        await it.images.prune(set())
        assert not _containers(docker_socket, it.home)


async def test_a_generated_dockerfile_runs_as_without_docker(
    docker_socket: str, tmp_path: Path, builder: str
) -> None:
    async with workshop(docker_socket, tmp_path) as it:
        text = "import os, pathlib, sys\npathlib.Path('written').touch()\n"
        text += "print(os.getuid() > 0, os.getcwd(), os.listdir(), os.environ.get('B_BUILD'))\n"
        it.write(
            {"main.py": text, "node_modules/x": "", "skipped": "", ".gitignore": "skipped\n.*"}
        )
        build = Build(strategy=BuildStrategy.RAILPACK, command="echo $TOKEN > made", env=("TOKEN",))
        service = Service("web", "web", build=build)
        source = await it.make(service, variables={"TOKEN": "b"})
        assert "generated Dockerfile, in place of Railpack" in it.said[0]
        printed = await it.run(source)
        assert printed.startswith("True /app [")
        assert "'made'" in printed
        assert "skipped" not in printed
        assert "node_modules" not in printed


async def test_packages_are_installed_before_the_source_and_kept(
    docker_socket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    async with workshop(docker_socket, tmp_path) as it:
        it.write({"main.py": "import b_wheel; print(b_wheel.NAME)", "requirements.txt": "# none\n"})
        wheel = it.root / "web/b_wheel-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            about = "b_wheel-1.0.dist-info"
            archive.writestr("b_wheel.py", "NAME = 'installed'")
            archive.writestr(
                f"{about}/METADATA", "Metadata-Version: 2.1\nName: b_wheel\nVersion: 1.0\n"
            )
            archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            archive.writestr(f"{about}/RECORD", "")
        await it.make()
        it.said.clear()
        it.write({"requirements.txt": "# none\n", "more.py": ""})
        await it.make()
        assert [line for line in it.said if "pip install" in line and line.endswith("(cached)")]
        it.write({"requirements.txt": f"./{wheel.name}\n"})
        assert await it.run(await it.make()) == "installed\n"
        two = Service(
            "web", "web", build=Build(command="rm b_wheel-*", build_packages=("hostname",))
        )
        it.said.clear()
        for _ in range(3):
            with suppress(CompartmentError):
                await it.make(two)
            if not any("Temporary failure resolving" in line for line in it.said):
                break
            it.said.clear()  # the mirror of the packages was away for a moment
        assert await it.run(await it.make(two)) == "installed\n"


def _goes_on(socket: str, home: str, command: str) -> bool:
    return _runs(command) or bool(_containers(socket, home))


def _runs(command: str) -> bool:
    processes = psutil.process_iter(["cmdline"])
    return any(command in " ".join(each.info["cmdline"] or ()) for each in processes)


def _containers(socket: str, home: str) -> list[Any]:
    with connected(socket) as client:
        wanted = {"label": f"{labels.HOME}={home}"}
        return list(client.containers(all=True, filters=wanted))
