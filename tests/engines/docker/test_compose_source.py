"""What the image of a Compose service is made from, and what of it tells artifacts apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from core.container import Container, ImageBuild
from core.engines.docker import pulling
from core.engines.docker.compose_source import look
from core.engines.docker.instructions import until_stage
from core.errors import ConfigError
from core.model import Service

if TYPE_CHECKING:
    from pathlib import Path

    from core.engines.docker.content import Content

LIMIT_BYTES = 10_000
SERVICE = Service("web", "web")


def looked(container: Container) -> Content:
    return look(SERVICE, container, "", LIMIT_BYTES)


def identity(container: Container) -> str:
    return looked(container).artifact_id({})


def test_an_image_alone() -> None:
    content = looked(Container(image="nginx:alpine"))
    assert content.dockerfile == "FROM nginx:alpine\n"
    assert [base.image for base in content.bases] == ["nginx:alpine"]
    assert content.artifact_id({}) != content.artifact_id({"nginx:alpine": "sha256:1"})
    other = Container(image="nginx:alpine", settings={"platform": "linux/arm64"})
    assert identity(other) != content.artifact_id({})


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM a AS one\nRUN 1\nFROM b\nRUN 2\n")
    (folder / "data").write_text("x")
    return folder


@pytest.mark.parametrize(
    "changes",
    [
        {"args": {"A": "1"}},
        {"target": "one"},
        {"dockerfile_inline": "FROM c\n"},
        {"settings": {"network": "none"}},
        {"settings": {"labels": {"a": "b"}}},
        {"settings": {"extra_hosts": ["a=10.0.0.1"]}},
        {"settings": {"shm_size": "1"}},
        {"settings": {"platforms": ["linux/arm64"]}},
        {"settings": {"secrets": [{"source": "key", "file": "/key"}]}},
        {"settings": {"additional_contexts": {"more": "docker-image://a"}}},
    ],
)
def test_what_changes_an_image_tells_it_apart(context: Path, changes: dict[str, Any]) -> None:
    build = ImageBuild(str(context))
    assert identity(Container(build=build)) != identity(Container(build=replace(build, **changes)))


def test_names_of_an_image_do_not_tell_it_apart(context: Path) -> None:
    build = ImageBuild(str(context))
    named = Container(image="app", build=replace(build, settings={"tags": ["app:2"]}))
    assert identity(named) == identity(Container(build=build))


def test_a_further_context_is_seen(context: Path, tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.mkdir()
    settings = {"additional_contexts": {"more": str(more)}}
    container = Container(build=ImageBuild(str(context), settings=settings))
    before = identity(container)
    (more / "file").write_text("x")
    assert identity(container) != before
    assert looked(container).options.needs_buildkit == "additional_contexts"


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        ({"source": "key", "file": "/key"}, "id=key,src=/key"),
        ({"source": "key", "target": "k", "file": "/key"}, "id=k,src=/key"),
    ],
)
def test_secrets_are_for_buildkit(context: Path, secret: dict[str, str], expected: str) -> None:
    build = ImageBuild(str(context), settings={"secrets": [secret]})
    options = looked(Container(build=build)).options
    assert options.secrets == (expected,)
    assert options.needs_buildkit == "secrets"


def test_what_is_left_out_is_named_after_the_dockerfile_first(
    context: Path, tmp_path: Path
) -> None:
    (context / ".dockerignore").write_text("data\n")
    build = ImageBuild(str(context))
    assert [each.path for each in looked(Container(build=build)).snapshot.files] == [
        ".dockerignore", "Dockerfile",
    ]  # fmt: skip
    outside = tmp_path / "app.Dockerfile"
    outside.write_text("FROM a\n")
    (tmp_path / "app.Dockerfile.dockerignore").write_text("Dockerfile\n.*\n")
    content = looked(Container(build=replace(build, dockerfile=str(outside))))
    assert [each.path for each in content.snapshot.files] == ["data"]
    assert content.what == "../app.Dockerfile"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"context": "/nowhere/at/all"}, "the build context of web is no folder"),
        ({"dockerfile": "missing"}, "web has no Dockerfile: there is no "),
        ({"target": "three"}, "the Dockerfile of web has no stage three"),
        ({"settings": {"secrets": [{"source": "key"}]}}, "the build secret key is no file"),
    ],
)
def test_what_cannot_be_built(context: Path, changes: dict[str, Any], message: str) -> None:
    build = replace(ImageBuild(str(context)), **changes)
    with pytest.raises(ConfigError, match=message) as failed:
        looked(Container(build=build))
    assert failed.value.hint


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("one", "ARG V\nFROM a AS one\nRUN 1\n"),
        ("ONE", "ARG V\nFROM a AS one\nRUN 1\n"),
        ("0", "ARG V\nFROM a AS one\nRUN 1\n"),
        ("1", "ARG V\nFROM a AS one\nRUN 1\nFROM one\nRUN 2\n"),
        ("2", None),
        ("two", None),
        ("", None),
    ],
)
def test_a_dockerfile_as_far_as_a_stage_goes(stage: str, expected: str | None) -> None:
    text = "ARG V\nFROM a AS one\nRUN 1\nFROM one\nRUN 2\n"
    assert until_stage(text, stage) == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("missing", None),
        ("never", None),
        ("build", None),
        ("always", timedelta()),
        ("daily", timedelta(days=1)),
        ("weekly", timedelta(weeks=1)),
        ("every_12h", timedelta(hours=12)),
        ("every_1d12h30m", timedelta(days=1, hours=12, minutes=30)),
    ],
)
def test_how_old_an_image_may_be(policy: str, expected: timedelta | None) -> None:
    assert pulling.age_of(policy) == expected


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        (
            "pull access denied for x, repository does not exist or may require 'docker login'",
            "login",
        ),
        ("Get https://r/v2/: unauthorized: authentication required", "login"),
        ("no basic auth credentials", "login"),
        ("manifest for x:9 not found: manifest unknown", "name and tag"),
        ("Get https://r/v2/: dial tcp: lookup r: no such host", "reaches the registry"),
        ("net/http: TLS handshake timeout", "reaches the registry"),
        ("filesystem layer verification failed", "see why"),
    ],
)
def test_why_an_image_cannot_be_pulled(said: str, hint: str) -> None:
    error = pulling.explained("x:9", said)
    assert error.message.endswith(said)
    assert hint in (error.hint or "")
