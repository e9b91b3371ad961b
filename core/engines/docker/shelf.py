"""Which images of a home are on the engine, as far as one can know without asking each time."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from core.engines.docker import labels
from core.engines.docker.labels import Role
from core.engines.docker.layers import remove_image
from core.errors import CompartmentError, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Set

    from core.engines.docker.connection import Docker

Json = dict[str, Any]

PREFIX: Final = "img_"
"""Of the id of an artifact."""


@dataclass(frozen=True, slots=True)
class _Image:
    """An image on the engine; without its name it is only found by its id."""

    id: str
    has_name: bool


class Shelf:
    """The images of one home, by the ids of the artifacts that they are."""

    def __init__(self, docker: Docker, home: str) -> None:
        self._docker = docker
        self._home = home
        self._repository = f"compartment/{home}"
        self._images = dict[str, _Image]()

    def has(self, artifact_id: str) -> bool:
        """Whether the image of an artifact is on the engine."""
        return artifact_id in self._images

    def name_of(self, artifact_id: str) -> str:
        """The name that the image of an artifact is given."""
        return f"{self._repository}:{artifact_id.removeprefix(PREFIX)}"

    def found_by(self, artifact_id: str) -> str:
        """What the engine finds the image of an artifact by: its name, or its id without one."""
        image = self._images.get(artifact_id)
        return image.id if image and not image.has_name else self.name_of(artifact_id)

    async def inspect(self, name: str) -> Json | None:
        """What the engine says of an image; None where it has none of that name.

        Raises:
            EngineUnavailable: the engine does not say.
        """
        try:
            image: Json = await self._docker.get(f"/images/{name}/json")
        except Unreachable:
            raise
        except CompartmentError:  # it is not there, or no name of an image at all
            return None
        return image

    async def add(self, artifact_id: str) -> None:
        """Takes up an image that has just been made under its name."""
        image = await self._docker.get(f"/images/{self.name_of(artifact_id)}/json")
        self._images[artifact_id] = _Image(image["Id"], has_name=True)

    async def name_again(self, artifact_id: str, other: str) -> None:
        """Has the image of an artifact be that of another one as well."""
        repository, _, tag = self.name_of(other).partition(":")
        path = f"/images/{self.name_of(artifact_id)}/tag"
        await self._docker.order("POST", path, repo=repository, tag=tag)
        self._images[other] = self._images[artifact_id]

    async def prune(self, kept: Callable[[], Set[str]]) -> None:
        """Removes the images that are neither in use nor kept, at the moment of their removal."""
        for image in await self._listed():
            artifacts = self._artifacts_of(image)
            if artifacts and not artifacts & kept():
                await self._remove(image, artifacts)

    def listen(self, event: Json) -> None:
        """Hears of images that were removed by somebody."""
        action, image_id = event.get("Action"), event.get("Actor", {}).get("ID")
        if event.get("Type") != "image" or action not in ("delete", "untag"):
            return
        for artifact_id, image in list(self._images.items()):
            if image.id == image_id and action == "delete":
                del self._images[artifact_id]
            elif image.id == image_id:
                # Which of its names it has lost is not said.
                self._images[artifact_id] = replace(image, has_name=False)

    async def resync(self) -> None:
        """Finds out which images are there.

        Raises:
            EngineUnavailable: the engine does not say.
        """
        before = set(self._images)
        found = dict[str, _Image]()
        for image in await self._listed():
            for artifact_id in self._artifacts_of(image):
                has_name = self.name_of(artifact_id) in _names(image)
                if has_name or artifact_id not in found:
                    found[artifact_id] = _Image(image["Id"], has_name)
        made = {key: image for key, image in self._images.items() if key not in before}
        self._images = {**found, **made}

    async def _remove(self, image: Json, artifacts: set[str]) -> None:
        # First forgotten: nobody is to be told that it is there while it goes.
        known = {key: self._images.pop(key) for key in artifacts if key in self._images}
        # Without any name it is removed by its id.
        for reference in self._ours(image) or [image["Id"]]:
            if not await remove_image(self._docker, reference):
                self._images = {**known, **self._images}

    async def _listed(self) -> list[Json]:
        filters = json.dumps(labels.only(self._home, Role.IMAGE))
        return list(await self._docker.get("/images/json", filters=filters))

    def _artifacts_of(self, image: Json) -> set[str]:
        """The artifacts that an image is.

        None where it only has names of others: it may have been made from one of ours, whose labels
        it has then.
        """
        ours = self._ours(image)
        if _names(image) and not ours:
            return set()
        labelled = (image["Labels"] or {}).get(labels.ARTIFACT)
        tags = {PREFIX + name.rpartition(":")[2] for name in ours}
        return tags | ({labelled} if labelled else set())

    def _ours(self, image: Json) -> list[str]:
        return [name for name in _names(image) if name.startswith(f"{self._repository}:")]


def _names(image: Json) -> list[str]:
    return [name for name in image["RepoTags"] or () if name != "<none>:<none>"]
