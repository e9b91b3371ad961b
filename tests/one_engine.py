"""The engines of a platform that has only one, which a test made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from core.promotion.engines import Chosen, Engines

if TYPE_CHECKING:
    from collections.abc import Iterator


class OneEngine:
    """Whatever is asked for, it is this one."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def __iter__(self) -> Iterator[Any]:
        return iter((self._engine,))

    def of(self, _: object) -> Any:
        return self._engine

    def has_artifact(self, deployment: Any) -> bool:
        return bool(self._engine.has_artifact(deployment.artifact_id))

    async def choose(self, *_: object) -> Chosen:
        return Chosen(self._engine, "there is no other")


def one_engine(engine: Any) -> Engines:
    """As the core knows them."""
    return cast("Engines", OneEngine(engine))
