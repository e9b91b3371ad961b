"""Images on a real engine: found again, built once, removed when nothing needs them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from core.engines.docker import labels
from core.errors import CompartmentError
from core.model import Build, Service
from tests.engine.client import connected
from tests.engines.docker.workshop import again, workshop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.figures import FiguresRecorder

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120)]

BASE = "debian:bookworm-slim"
SMALL = {"Dockerfile": "FROM scratch\nCOPY data /\n", "data": "one"}
STAGES = (
    f"FROM {BASE} AS made\nRUN echo made > /made\nCOPY data /\nRUN cp /data /out\n"
    "FROM scratch\nCOPY --from=made /made /out /\n"
)


@pytest.fixture
def client(docker_socket: str) -> Iterator[Any]:
    with connected(docker_socket) as client:
        yield client


async def test_the_same_content_is_built_once(docker_socket: str, tmp_path: Path) -> None:
    async with workshop(docker_socket, tmp_path) as it:
        it.write(SMALL)
        it.write(SMALL, "api")
        sources = [await it.take(), await it.take(), await it.take(Service("api", "api"))]
        assert len({source.artifact_id for source in sources}) == 1
        async with asyncio.TaskGroup() as tasks:
            for source in sources:
                tasks.create_task(it.build(source))
        assert len([line for line in it.said if "FROM scratch" in line]) == 1
        assert (await it.take()).is_built
        assert await it.is_built()
        anew = await it.take(use_cache=False)
        assert not anew.is_built
        await it.build(anew)
        assert it.images.has(anew.artifact_id)
        assert (await it.take()).artifact_id == sources[0].artifact_id


async def test_labels_lead_back(docker_socket: str, tmp_path: Path, client: Any) -> None:
    async with workshop(docker_socket, tmp_path) as it:
        it.write({**SMALL, "Dockerfile": "FROM scratch\nEXPOSE 9000 80\nCOPY data /\n"})
        source = await it.make()
        image = client.inspect_image(it.images.tag_of(source.artifact_id))
        assert image["Config"]["Labels"] == {
            labels.HOME: it.home,
            labels.ROLE: "image",
            labels.PROJECT: "b-shop",
            labels.ENVIRONMENT: 'a "$b" \\',
            labels.SERVICE: "web",
            labels.DEPLOYMENT: "dep_b",
            labels.ARTIFACT: source.artifact_id,
            labels.PORT: "9000",
        }
        assert await it.images.port_of(source.artifact_id) == 9000
        assert await it.images.port_of("img_none") is None


async def test_what_is_built_is_what_was_taken(docker_socket: str, tmp_path: Path) -> None:
    async with workshop(docker_socket, tmp_path) as it:
        it.write({"Dockerfile": f"FROM {BASE}\nCOPY . /all/\n", "data": "one"})
        it.write({".dockerignore": "left\n.dockerignore\nDockerfile\n", "left": "", "deep/x": ""})
        (it.root / "web/link").symlink_to("data")
        (it.root / "web/data").chmod(0o755)
        source = await it.take()
        it.write({"data": "two", "more": ""})
        await it.build(source)
        found = await it.run(source, "sh", "-c", "cd /all; cat data; echo; find . | sort; ls -l")
        first, *rest = found.splitlines()
        assert first == "one"
        assert rest[:5] == [".", "./data", "./deep", "./deep/x", "./link"]
        assert [line[:10] for line in rest[6:]] == ["-rwxr-xr-x", "drwxr-xr-x", "lrwxrwxrwx"]
        assert not list((tmp_path / "sources").glob("taken_*"))


async def test_a_source_that_is_not_built_leaves_nothing(
    docker_socket: str, tmp_path: Path
) -> None:
    async with workshop(docker_socket, tmp_path) as it:
        it.write(SMALL)
        source = await it.take()
        assert list((tmp_path / "sources").glob("taken_*"))
        await it.images.discard(source)
        await it.images.discard(source)
        assert not list((tmp_path / "sources").glob("taken_*"))


async def test_another_base_makes_another_image(
    docker_socket: str, tmp_path: Path, client: Any
) -> None:
    base = "b-base:1"
    async with workshop(docker_socket, tmp_path) as it:
        it.write({"Dockerfile": "FROM scratch\nCOPY data /base\n", "data": "1"}, "base")
        ones = [await it.make(Service("base", "base"))]
        it.write({"data": "2"}, "base")
        ones.append(await it.make(Service("base", "base")))
        try:
            it.write({"Dockerfile": f"FROM {base}\nCOPY data /\n", "data": ""})
            source = await it.take()
            # As if the build had pulled it.
            client.tag(it.images.tag_of(ones[0].artifact_id), base)
            await it.build(source)
            assert await it.is_built()
            client.tag(it.images.tag_of(ones[1].artifact_id), base)
            other = await it.take()
            assert not other.is_built
            await it.build(other)
            await it.images.prune({other.artifact_id, *(one.artifact_id for one in ones)})
            assert not it.images.has(source.artifact_id)
        finally:
            client.remove_image(base, force=True)


async def test_an_agent_after_this_one_finds_what_is_there(
    docker_socket: str, tmp_path: Path
) -> None:
    async with workshop(docker_socket, tmp_path) as it:
        it.write(SMALL)
        source = await it.make()
        async with again(docker_socket, it.home, tmp_path) as other:
            assert other.images.has(source.artifact_id)
            assert not other.images.has("img_none")
        async with again(docker_socket, "b-stranger", tmp_path) as other:
            assert not other.images.has(source.artifact_id)


@pytest.mark.parametrize("how", ["by name", "by id", "prune"])
async def test_an_image_that_somebody_removes_is_gone_at_once(
    docker_socket: str, tmp_path: Path, client: Any, how: str
) -> None:
    async with workshop(docker_socket, tmp_path) as it:
        it.write(SMALL)
        source = await it.make()
        name = it.images.tag_of(source.artifact_id)
        if how == "prune":
            client.prune_images({"dangling": False, "label": f"{labels.HOME}={it.home}"})
        else:
            reference = client.inspect_image(name)["Id"] if how == "by id" else name
            client.remove_image(reference, force=True)
        await it.loses(source.artifact_id)
        it.write({"data": "two"})
        source = await it.take()
        await it.build(source)
        built = await it.take()
        client.remove_image(it.images.tag_of(source.artifact_id))
        await it.loses(source.artifact_id)
        with pytest.raises(CompartmentError, match="was removed before it could be used"):
            await it.build(built)


async def test_an_image_that_lost_its_name_is_found_by_its_id(
    docker_socket: str, tmp_path: Path, client: Any
) -> None:
    async with workshop(docker_socket, tmp_path) as it:
        it.write({"Dockerfile": f"FROM {BASE}\nCOPY data /\n", "data": ""})
        source = await it.make()
        name = it.images.tag_of(source.artifact_id)
        made = client.create_container(name, ["sleep", "60"], labels={labels.HOME: it.home})
        client.start(made)
        try:
            client.remove_image(name, force=True)
            while it.images.tag_of(source.artifact_id) == name:
                it.changed.clear()
                await it.changed.wait()
            assert await it.run(source, "echo", "runs") == "runs\n"
            async with again(docker_socket, it.home, tmp_path) as other:
                assert other.images.has(source.artifact_id)
                assert other.images.tag_of(source.artifact_id).startswith("sha256:")
        finally:
            client.remove_container(made, force=True)


async def test_only_what_nothing_needs_is_removed(
    docker_socket: str, tmp_path: Path, client: Any
) -> None:
    async with workshop(docker_socket, tmp_path) as it:
        made = []
        for text in ("kept", "old", "in use", "named by its user", "taken"):
            it.write({"Dockerfile": "FROM scratch\nCOPY data /\nCMD x\n", "data": text})
            made.append(await it.make())
        kept, old, used, named, _ = made
        taken = await it.take()
        container = client.create_container(it.images.tag_of(used.artifact_id))
        client.tag(it.images.tag_of(named.artifact_id), "b-mine:1")
        before = {image["Id"] for image in _left(client, it.home)}
        try:
            async with again(docker_socket, it.home, tmp_path) as stranger:
                await stranger.images.resync()
                await it.images.prune({kept.artifact_id})
            assert not it.images.has(old.artifact_id)
            assert it.images.has(kept.artifact_id)
            assert it.images.has(used.artifact_id)
            assert it.images.has(taken.artifact_id)
            gone = before - {image["Id"] for image in _left(client, it.home)}
            assert len(gone) == 1
            names = client.inspect_image("b-mine:1")["RepoTags"]
            assert names == ["b-mine:1"]
            await it.images.resync()
            assert not it.images.has(named.artifact_id)
        finally:
            client.remove_container(container)
            client.remove_image("b-mine:1")
        await it.images.discard(taken)
        await it.images.prune(set())
        assert not _left(client, it.home)


async def test_layers_of_the_last_build_stay_and_others_go(
    docker_socket: str, tmp_path: Path, client: Any
) -> None:
    async with workshop(docker_socket, tmp_path) as it:
        counts = []
        for number in range(4):
            it.write({"Dockerfile": STAGES, "data": str(number)})
            source = await it.make()
            await it.images.prune({source.artifact_id})
            counts.append(len(_left(client, it.home, everything=True)))
        assert counts[0] == counts[-1]
        assert len([line for line in it.said if "RUN echo made" in line and "cached" in line]) == 3
        # One that fails is begun again where it failed.
        it.write({"Dockerfile": STAGES.replace("cp /data", "cp /none")})
        for _ in range(2):
            it.said.clear()
            with pytest.raises(CompartmentError, match="exit code 1 in line 4"):
                await it.make()
            await it.images.prune({source.artifact_id})
        assert [line for line in it.said if "COPY data" in line and "cached" in line]


async def test_a_home_without_a_build_leaves_nothing(
    docker_socket: str, tmp_path: Path, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.engines.docker.layers._KEPT_S", -1)
    async with workshop(docker_socket, tmp_path) as it:
        it.write({"Dockerfile": STAGES, "data": ""})
        source = await it.make()
        assert _left(client, it.home, everything=True)
        await it.images.prune(set())
        assert not it.images.has(source.artifact_id)
        assert not _left(client, it.home, everything=True)


async def test_what_it_costs(docker_socket: str, tmp_path: Path, figures: FiguresRecorder) -> None:
    loop = asyncio.get_running_loop()
    async with workshop(docker_socket, tmp_path) as it:
        it.write(
            {"main.py": "", **{f"lib/{n % 40}/{n}.py": f"x = {n}\n" * 40 for n in range(2000)}}
        )
        start = loop.time()
        source = await it.take()
        figures("take of 2,000 files", (loop.time() - start) * 1000, "ms")
        start = loop.time()
        await it.build(source)
        figures("build of 2,000 files, generated Dockerfile", loop.time() - start, "s")
        start = loop.time()
        assert await it.is_built()
        figures("identify of 2,000 files that are built", (loop.time() - start) * 1000, "ms")
        tiny = Service("tiny", "tiny")
        it.write({"main.py": "print(1)"}, "tiny")
        start = loop.time()
        await it.make(tiny)
        figures("deploy's build of a tiny service, base layers there", loop.time() - start, "s")
        it.write({"main.py": "print(2)"}, "tiny")
        start = loop.time()
        await it.make(tiny)
        figures("the same after a change of its source", loop.time() - start, "s")
        start = loop.time()
        assert await it.is_built(tiny)
        figures("the same without a change", (loop.time() - start) * 1000, "ms")


async def test_build_variables_are_seen_and_not_said(docker_socket: str, tmp_path: Path) -> None:
    async with workshop(docker_socket, tmp_path) as it:
        it.write({"Dockerfile": f"FROM {BASE}\nARG TOKEN\nRUN echo $TOKEN | wc -c > /n\n"})
        service = Service("web", "web", build=Build(env=("TOKEN",)))
        source = await it.make(service, variables={"TOKEN": "b-secret", "OTHER": "x"})
        assert await it.run(source, "cat", "/n") == "9\n"
        assert not [line for line in it.said if "b-secret" in line]


def _left(client: Any, home: str, *, everything: bool = False) -> list[Any]:
    wanted = [f"{labels.HOME}={home}"] + ([] if everything else [f"{labels.ROLE}=image"])
    return list(client.images(filters={"label": wanted}, all=everything))
