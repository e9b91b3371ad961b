"""What front ends ask for, and what becomes of it once it is accepted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.config.compose.options import ComposeOptions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping
    from pathlib import Path

    from core.journal import Record
    from core.model import Trigger
    from core.promotion.candidate import Step
    from core.records import Deployment, Run, Target


@dataclass(frozen=True, slots=True)
class Undo:
    """What the platform itself wants to be rolled back: all that one run has replaced."""

    deployment: Deployment
    """The one that is worse than what it replaced; its run is the one."""
    because: str
    figures: Mapping[str, object] = field(default_factory=dict)
    """What was measured, and its limits, under the keys of front ends."""


@dataclass(frozen=True, slots=True)
class Request:
    """A deploy, redeploy, rollback or promote. `services` empty means all of them."""

    trigger: Trigger
    target: Target
    services: tuple[str, ...] = ()
    root: Path | None = None
    """The project's folder, for what deploys from source."""
    kept_in: Path | None = None
    """Of a plan, where the folder will be once it is deployed, if that is elsewhere."""
    environ: Mapping[str, str] = field(default_factory=dict)
    engine: str = "auto"
    label: str | None = None
    use_cache: bool = True
    to: str | None = None
    """The deployment that a rollback names."""
    source: Target | None = None
    """The environment that a promote takes from."""
    compose: ComposeOptions = field(default_factory=ComposeOptions)
    """What is said about Compose files; its `environ` and `services` are those of the request."""
    wait_s: float | None = None
    """How long to wait for runs ahead; 0 not at all, None without limit."""
    undo: Undo | None = None
    """Of a rollback that nobody asked for."""


@dataclass(frozen=True, slots=True)
class Down:
    """Stops services of an environment: all, the named ones, or those no longer in the project."""

    target: Target
    services: tuple[str, ...] = ()
    with_volumes: bool = False
    """Whether named volumes are deleted, too: only with all services."""


async def nothing() -> None:
    """What there is to discard where nothing was taken."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A run that can begin: what to journal with it, and its steps once it is its turn."""

    run: Run
    records: tuple[Record, ...]
    steps: Callable[[], Awaitable[list[Step]]]
    discard: Callable[[], Coroutine[None, None, None]] = nothing
