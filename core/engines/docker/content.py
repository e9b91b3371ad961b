"""What becomes of a service, whatever the images that it is built on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from core.engines.docker.instructions import Base, bases
from core.engines.docker.job import Options
from core.engines.docker.shelf import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.engines.source.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Content:
    """The files, the Dockerfile, and what the build may see."""

    snapshot: Snapshot
    dockerfile: str
    arguments: Mapping[str, str]
    """What the build sees of the variables."""
    salt: str
    """Something that was never there before makes an artifact that was not either."""
    what: str
    """What is built, in words: "the Dockerfile in web"."""
    is_generated: bool = False
    options: Options = field(default_factory=Options)
    seen: tuple[str, ...] = ()
    """Digests of what it sees besides."""
    pulls: str = ""
    """The image that is all there is to it: it is pulled first, where its policy says so."""

    @property
    def bases(self) -> list[Base]:
        """The images that it is built on."""
        return bases(self.dockerfile, self.arguments)

    def artifact_id(self, known: Mapping[str, str]) -> str:
        """The same id for the same content on the same images, `img_` and 24 hexadecimal digits.

        Args:
            known: The engine's ids of the images that it has. One that it has to fetch counts by
                its name alone.
        """
        on = {base.image: known.get(base.image) for base in self.bases}
        arguments = sorted(self.arguments.items())
        parts: list[Any] = [self.snapshot.digest, self.dockerfile, arguments]
        parts += [sorted(on.items()), self.salt]
        if self.options != Options():
            parts += [asdict(self.options), self.seen]
        return PREFIX + hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]
