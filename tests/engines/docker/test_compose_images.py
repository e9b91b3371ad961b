"""Images of Compose services on a real engine: pulled or built; no moved tag changes one."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.container import Container, ImageBuild
from core.engines.docker.labels import ARTIFACT, HOME
from core.errors import CompartmentError
from core.model import Service
from core.ports import free_port
from tests.engines.docker.registry import registry
from tests.engines.docker.workshop import workshop

if TYPE_CHECKING:
    from pathlib import Path

    from core.engines.base import Source
    from tests.engines.docker.workshop import Workshop

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120)]

BASE = "debian:bookworm-slim"


def compose(**container: Any) -> Service:
    return replace(Service("web", "web"), container=Container(**container))


async def described(it: Workshop, source: Source) -> Any:
    tag = it.images.tag_of(source.artifact_id)
    return (await it.docker.get(f"/images/{tag}/json"))["Config"]


async def version(it: Workshop, source: Source) -> str:
    return str((await described(it, source))["Labels"]["version"])


async def test_an_image_is_pulled_once_and_a_tag_that_moves_changes_no_artifact(
    docker_socket: str, tmp_path: Path
) -> None:
    with registry() as elsewhere:
        async with workshop(docker_socket, tmp_path) as it:
            mine = {HOME: it.home}
            elsewhere.push("one", mine)
            service = compose(image=elsewhere.image)
            first = await it.take(service)
            assert not first.is_built
            await it.build(first)
            assert "pulling lab/app:1" in it.said
            assert await it.is_built(service)
            elsewhere.push("two", mine)
            same = await it.make(service)
            assert await version(it, same) == "one"
            always = compose(image=elsewhere.image, pull_policy="always")
            newer = await it.make(always)
            assert newer.artifact_id not in (first.artifact_id, same.artifact_id)
            assert await version(it, newer) == "two"
            assert await version(it, first) == "one"
            latest = await it.take(service)
            assert latest.artifact_id not in (first.artifact_id, newer.artifact_id)
            await it.build(latest)
            assert await version(it, latest) == "two"
            await it.images.prune({newer.artifact_id})
            assert not it.images.has(first.artifact_id)
            assert it.images.has(newer.artifact_id)


async def test_a_registry_with_a_password_is_told_what_dockers_config_has(
    docker_socket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "docker"
    config.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(config))
    with registry() as elsewhere:
        async with workshop(docker_socket, tmp_path) as it:
            elsewhere.push("one", {HOME: it.home})
            elsewhere.credentials = "me:secret"
            service = compose(image=elsewhere.image)
            with pytest.raises(CompartmentError, match="cannot be pulled") as failed:
                await it.make(service)
            assert "docker login" in (failed.value.hint or "")
            auth = base64.b64encode(b"me:secret").decode()
            auths = {"auths": {elsewhere.host: {"auth": auth}}}
            (config / "config.json").write_text(json.dumps(auths))
            assert await version(it, await it.make(service)) == "one"


async def test_an_image_that_cannot_be_had(docker_socket: str, tmp_path: Path) -> None:
    closed = f"127.0.0.1:{free_port(set())}/lab/app:1"
    with registry() as elsewhere:
        async with workshop(docker_socket, tmp_path) as it:
            for service, message, hint in (
                (compose(image=f"{elsewhere.host}/lab/app:9"), "cannot be pulled", "name and tag"),
                (compose(image=closed), "cannot be pulled", "reaches the registry"),
                (compose(image=closed, pull_policy="never"), "pull_policy is never", "docker pull"),
            ):
                with pytest.raises(CompartmentError, match=message) as failed:
                    await it.make(service)
                assert hint in (failed.value.hint or ""), failed.value


async def test_a_build_is_as_its_file_says(docker_socket: str, tmp_path: Path) -> None:
    context, beside = tmp_path / "elsewhere", tmp_path / "docker"
    context.mkdir()
    beside.mkdir()
    (context / "data").write_text("data")
    (context / "left-out").write_text("no")
    (context / ".dockerignore").write_text("left-*\n")
    dockerfile = beside / "app.Dockerfile"
    dockerfile.write_text(
        f"FROM {BASE} AS app\nARG A=0\nCOPY . /app\nRUN grep -q '10.1.2.3' /etc/hosts\n"
        "RUN echo $A > /app/a\nCMD cat /app/a; ls /app\n"
        "FROM app AS later\nRUN exit 1\n"
    )
    build = ImageBuild(
        str(context), str(dockerfile), args={"A": "41"}, target="app",
        settings={
            "labels": {"tier": "app", HOME: "not ours"}, "extra_hosts": ["db=10.1.2.3"],
            "network": "host", "shm_size": "67108864",
        },
    )  # fmt: skip
    async with workshop(docker_socket, tmp_path) as it:
        name = f"lab/{it.home}:one"
        build.settings["tags"] = [f"lab/{it.home}:two"]
        service = compose(build=build, image=name)
        source = await it.make(service)
        assert await it.run(source) == "41\na\ndata\n"
        config = await described(it, source)
        assert config["Labels"]["tier"] == "app"
        assert config["Labels"][HOME] == it.home
        assert config["Labels"][ARTIFACT] == source.artifact_id
        for each in (name, f"lab/{it.home}:two"):
            found = await it.docker.get(f"/images/{each}/json")
            assert it.images.tag_of(source.artifact_id) in found["RepoTags"]
        assert await it.is_built(service)
        (context / "left-out").write_text("changed")
        assert await it.is_built(service)
        (context / "data").write_text("changed")
        assert not await it.is_built(service)


async def test_a_dockerfile_may_stand_in_the_compose_file(
    docker_socket: str, tmp_path: Path
) -> None:
    (tmp_path / "data").write_text("data")
    inline = f"FROM {BASE}\nCOPY data /\nCMD cat /data\n"
    build = ImageBuild(str(tmp_path), dockerfile_inline=inline)
    async with workshop(docker_socket, tmp_path / "home") as it:
        assert await it.run(await it.make(compose(build=build))) == "data"
        assert "building the inline Dockerfile with" in " ".join(it.said)
