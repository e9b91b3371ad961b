"""The images that tests need, made of Debian's packages because none can be pulled.

A folder in `images/` is one: its Dockerfile, and the names it goes by in `tags`. The one without a
Dockerfile is the base of all. What was made before from the same files is kept.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import docker.errors

from tests.engine.machine import run
from tests.engine.place import NoEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BASIC = ("debian", "python")
"""What every session has."""

LABEL = "compartment-test.recipe"

_FOLDER = Path(__file__).with_name("images")
_TAGS, _DOCKERFILE = "tags", "Dockerfile"
_NOT_OURS = ""
_LEFT_OUT = ("usr/share/doc", "usr/share/info", "usr/share/locale", "usr/share/man")
_BASE = (
    "mmdebstrap",
    "--variant=apt",
    *(f"--dpkgopt=path-exclude=/{folder}/*" for folder in _LEFT_OUT),
    "bookworm",
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """One image: how it is made, and its names."""

    name: str

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return _FOLDER / self.name

    @property
    def tags(self) -> list[str]:
        """The names it goes by, the first of which tells whether it is there."""
        return (self.folder / _TAGS).read_text().split()

    @property
    def base(self) -> Recipe | None:
        """The image that it is made from."""
        dockerfile = self.folder / _DOCKERFILE
        if not dockerfile.exists():
            return None
        (wanted, *_) = (
            line.split()[1] for line in dockerfile.read_text().splitlines() if line[:5] == "FROM "
        )
        return next(recipe for recipe in recipes() if wanted in recipe.tags)

    @property
    def digest(self) -> str:
        """Of everything that it is made from."""
        base, digest = self.base, hashlib.sha256()
        digest.update((base.digest if base else " ".join(_BASE)).encode())
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and path.name != _TAGS:
                digest.update(f"\n{path.relative_to(self.folder)}\n".encode() + path.read_bytes())
        return digest.hexdigest()[:24]


def recipes() -> list[Recipe]:
    """All of them."""
    return [Recipe(path.name) for path in sorted(_FOLDER.iterdir()) if path.is_dir()]


def missing(client: docker.APIClient, names: Iterable[str]) -> list[str]:
    """Those names of images that the engine knows nothing by, from wherever it might have them."""
    tags = [tag for name in names for tag in Recipe(name).tags]
    return [tag for tag in tags if _digest_of(client, tag) is None]


def make(client: docker.APIClient, names: Iterable[str], say: Callable[[str], None]) -> None:
    """Makes those images that are not there, or were made from something else.

    One that was not made here is left alone: it is what it is named after.
    """
    for name in names:
        _make(client, Recipe(name), say)


def _make(client: docker.APIClient, recipe: Recipe, say: Callable[[str], None]) -> None:
    if recipe.base:
        _make(client, recipe.base, say)
    first, *others = recipe.tags
    up_to_date = {_NOT_OURS, recipe.digest}
    if _digest_of(client, first) not in up_to_date:
        say(f"making the image {first}")
        if recipe.base:
            _build(client, recipe, first)
        else:
            _import(client, recipe, first)
    for tag in others:
        if _digest_of(client, tag) not in up_to_date:
            client.tag(first, *tag.split(":"))


def _digest_of(client: docker.APIClient, tag: str) -> str | None:
    try:
        labels = client.inspect_image(tag)["Config"]["Labels"] or {}
    except docker.errors.ImageNotFound:
        return None
    return str(labels.get(LABEL, _NOT_OURS))


def _import(client: docker.APIClient, recipe: Recipe, tag: str) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        root = f"{folder}/root.tar"
        run(*_BASE, root)
        repository, version = tag.split(":")
        client.import_image_from_file(
            root,
            repository,
            version,
            changes=[
                'CMD ["bash"]',
                "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                f"LABEL {LABEL}={recipe.digest}",
            ],
        )


def _build(client: docker.APIClient, recipe: Recipe, tag: str) -> None:
    output: list[str] = []
    for message in client.build(
        path=str(recipe.folder),
        tag=tag,
        labels={LABEL: recipe.digest},
        rm=True,
        forcerm=True,
        decode=True,
    ):
        output.append(message.get("stream", ""))
        if "error" in message:
            last_words = "".join(output)[-500:]
            raise NoEngine(f"cannot make the image {tag}: {message['error']}\n{last_words}")
