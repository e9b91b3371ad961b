"""Canonical models written by hand, with made-up places."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.config.compose.mapping.project import services_of
from core.config.document import Position
from core.model import Problem

if TYPE_CHECKING:
    from core.config.document import KeyPath
    from core.model import Service

Json = dict[str, Any]


@dataclass
class ByHand:
    """A model whose places are the paths themselves."""

    model: Json
    environ: dict[str, str] = field(default_factory=dict)

    def place(self, path: KeyPath) -> tuple[str, Position]:
        """The line is the depth of the path."""
        return ".".join(str(each) for each in path), Position(len(path), 1)

    def problem(self, path: KeyPath, message: str, hint: str | None = None) -> Problem:
        """A problem whose file is the path."""
        return Problem(".".join(str(each) for each in path), 1, 1, message, hint)


def given(services: Json, **top: Any) -> ByHand:
    """A model of a project named shop."""
    return ByHand({"name": "shop", "services": services, **top})


def services(described: Json, root: Path = Path("/srv/shop"), **top: Any) -> dict[str, Service]:
    """The services of a model in which nothing is wrong."""
    found, problems, _ = services_of(given(described, **top), root)
    assert problems == []
    return found


def service(described: Json, root: Path = Path("/srv/shop"), **top: Any) -> Service:
    """One service, which is named app."""
    return services({"app": described}, root, **top)["app"]


def problems(described: Json, **top: Any) -> list[str]:
    """What is wrong with a model, as `path: message`."""
    found = services_of(given(described, **top), Path("/srv/shop"))[1]
    return [f"{each.file}: {each.message}" for each in found]


def port(target: int, published: str = "", **more: Any) -> Json:
    """An entry of `ports`."""
    said = {"mode": "ingress", "protocol": "tcp", "target": target, **more}
    return {**said, "published": published} if published else said


def volume(source: str, target: str, **more: Any) -> Json:
    """A mount of a volume."""
    return {"type": "volume", **({"source": source} if source else {}), "target": target, **more}


def bind(source: object, target: str, **more: Any) -> Json:
    """A bind mount."""
    return {"type": "bind", "source": str(source), "target": target, "bind": {}, **more}
